//! The messages of RFC 4475 and RFC 5118, and what each is answered with.
//!
//! They are our own, each with the fault or the oddity of one in the RFC. Where the folder `shared/torture` lies beside the
//! checkout, or `OFFDESK_TORTURE` names one, the RFC's own bytes in it are answered too, and in the same way.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on has failed")]

mod application;
mod case;
mod invalid;
mod ipv6;
mod server;
mod valid;

use std::path::PathBuf;

use bytes::Bytes;
use offdesk_sip::message::{Carrier, Contacts, Frame, Framer, Limits, Message, Method, Name, Rejected};

use crate::case::Case;
use crate::server::{Registrar, served};

fn rfc4475() -> impl Iterator<Item = &'static Case> {
    valid::CASES.iter().chain(invalid::CASES).chain(application::CASES)
}

fn case(name: &str) -> &'static Case {
    rfc4475().find(|case| case.name == name).unwrap()
}

fn parsed(name: &str) -> Message {
    Message::parse(case(name).bytes().into(), Carrier::Datagram, &Limits::default()).unwrap()
}

#[test]
fn each_message_is_answered_as_the_rfc_says() {
    assert_eq!(rfc4475().count(), 49);
    for case in rfc4475().chain(ipv6::CASES) {
        assert_eq!(served(case.bytes().into(), Carrier::Datagram), case.answer, "{}: {}", case.name, case.about);
    }
}

#[test]
fn the_rfcs_own_bytes_are_answered_the_same() {
    let beside = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/torture"));
    let folder = std::env::var_os("OFFDESK_TORTURE").map_or(beside, PathBuf::from);
    if !folder.exists() {
        println!("left out: the RFC's own bytes are not here");
        return;
    }
    for case in rfc4475() {
        let bytes = std::fs::read(folder.join(case.name).with_extension("dat")).unwrap();
        assert_eq!(served(bytes.into(), Carrier::Datagram), case.answer, "{}: {}", case.name, case.about);
    }
}

/// The guide's tables are these cases; what they should be is printed where they differ.
#[test]
fn the_guide_tells_the_same() {
    let guide = include_str!("../../../docs/sip-torture.md");
    for cases in [rfc4475().collect::<Vec<_>>(), ipv6::CASES.iter().collect()] {
        let row = |case: &&Case| format!("| {} | {} | {} | {} |\n", case.section, case.name, case.about, case.answer);
        let table: String = cases.iter().map(row).collect();
        assert!(guide.contains(&table), "{table}");
    }
}

#[test]
fn on_a_stream_the_second_request_is_a_request() {
    let bytes = case("dblreq").bytes();
    let limits = Limits::default();
    let mut rest = &bytes[..];
    let mut methods = Vec::new();
    let mut framer = Framer::default();
    loop {
        match framer.next(rest, &limits) {
            Frame::Message(length) => {
                let message =
                    Message::parse(Bytes::copy_from_slice(&rest[..length]), Carrier::Stream, &limits).unwrap();
                methods.push(message.method().unwrap().as_str().to_owned());
                rest = &rest[length..];
            }
            Frame::LineEnd => rest = &rest[2..],
            Frame::Ping => rest = &rest[4..],
            Frame::Idle => break,
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(methods, ["REGISTER", "INVITE"]);
}

#[test]
fn on_a_stream_a_bad_length_ends_it() {
    for name in ["ncl", "mcl01", "inv2543"] {
        let bytes = case(name).bytes();
        let Frame::Last(length) = Framer::default().next(&bytes, &Limits::default()) else { panic!("{name}") };
        let head = Bytes::copy_from_slice(&bytes[..length]);
        let Err(Rejected::Answer { problem, .. }) = Message::parse(head, Carrier::Stream, &Limits::default()) else {
            panic!("{name}")
        };
        assert!(problem.ends_stream() && problem.code().get() == 400, "{name}");
    }
}

#[test]
fn odd_messages_say_what_they_say() {
    let wsinv = parsed("wsinv");
    assert_eq!(&*wsinv.from().display_name(), "A. Person \\\"");
    assert_eq!((wsinv.to().tag(), wsinv.max_forwards(), wsinv.cseq().number), (Some("77n"), Some(68), 9));
    assert_eq!(wsinv.vias().map(|via| via.host).collect::<Vec<_>>(), ["192.0.2.2", "far.example.com", "192.0.2.111"]);
    assert_eq!(wsinv.head().first(Name::Subject), Some(""));
    assert_eq!(wsinv.head().other("NewFangledHeader").unwrap().split_whitespace().count(), 5);
    let Contacts::Some(mut contacts) = wsinv.contacts() else { panic!() };
    let contact = contacts.next().unwrap();
    assert_eq!((contact.q().unwrap().get(), contact.params.value("newparam")), (330, Some("newvalue")));

    let intmeth = parsed("intmeth");
    let method = "!odd-Method0123456789_*+`.%indeed'~";
    assert_eq!((intmeth.method(), intmeth.cseq().method), (Some(Method::Other(method)), Method::Other(method)));
    assert_eq!(&*intmeth.to().display_name(), "BEL:\u{7} NUL:\0 DEL:\u{7f}");
    assert_eq!(intmeth.from().tag(), Some("_token~1'+`*%!-."));

    assert_eq!(parsed("longreq").vias().count(), 34);
    assert_eq!(parsed("mpart01").body().iter().filter(|byte| **byte == 0xFF).count(), 1);
    assert!(parsed("badbranch").via().unique_branch().is_none());
    assert!(parsed("inv2543").via().unique_branch().is_none());
    let esc02 = parsed("esc02");
    let Contacts::Some(contacts) = esc02.contacts() else { panic!() };
    assert_eq!(contacts.count(), 2);
}

#[test]
fn contacts_are_kept_as_the_rfc_reads_them() {
    for (name, kept) in [
        ("cparam01", &[("sip:+15550122@gw1.example.net", ";unknownparam")][..]),
        ("cparam02", &[("sip:+15550122@gw1.example.net;unknownparam", "")]),
        ("regescrt", &[("sip:bob@example.com?Route=%3Csip:sip.example.com%3E", "")]),
        ("escnull", &[("sip:%00@host5.example.com", ""), ("sip:%00%00@host5.example.com", "")]),
    ] {
        let mut registrar = Registrar::new();
        registrar.register(&parsed(name)).unwrap();
        assert_eq!(registrar.kept(), kept, "{name}");
    }
}

#[test]
fn unknown_credentials_are_none() {
    assert!(server::is_challenged(&parsed("regaut01")));
}

#[test]
fn refusals_say_what_would_do() {
    for (name, line) in [
        (
            "bext01",
            "Unsupported: nothingSupportsThis, nothingSupportsThisEither, noProxiesSupportThis, norDoAnyProxiesSupportThis",
        ),
        ("invut", "Accept: application/sdp"),
        ("mpart01", "Allow: ACK, BYE, CANCEL, INVITE, OPTIONS, REGISTER"),
    ] {
        let response = server::refusal(&parsed(name));
        assert!(response.lines().any(|there| there == line), "{response}");
    }
}
