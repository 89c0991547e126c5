use bytes::Bytes;

use super::*;
use crate::message::{Carrier, Limits, Message};

const OPTIONS: &str = "OPTIONS sip:a@b SIP/2.0\r\nVia: SIP/2.0/UDP host.example.com;received=10.0.0.1;rport;branch=z9hG4bK1, SIP/2.0/UDP 10.0.0.9\r\n\
Via: SIP/2.0/TCP last\r\nFrom: <sip:c@d>;tag=1\r\nTo: \"B\" <sip:a@b;tag=no>\r\nCall-ID: x\r\nCSeq: 1 OPTIONS\r\n\r\n";

fn head(text: &str) -> Head {
    Message::parse(Bytes::copy_from_slice(text.as_bytes()), Carrier::Datagram, &Limits::default())
        .unwrap()
        .head()
        .clone()
}

fn source(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

#[test]
fn a_response_copies_what_it_must_and_tells_whence_the_request_came() {
    let response = ResponseBuilder::new(&head(OPTIONS), source("192.0.2.1:1024"), Code::OK, Tag::new(0xABC))
        .header(Name::Allow, "INVITE")
        .finish_with("text/plain", b"hello");
    assert_eq!(
        String::from_utf8(response).unwrap(),
        "SIP/2.0 200 OK\r\n\
         Via: SIP/2.0/UDP host.example.com;branch=z9hG4bK1;received=192.0.2.1;rport=1024, SIP/2.0/UDP 10.0.0.9\r\n\
         Via: SIP/2.0/TCP last\r\n\
         From: <sip:c@d>;tag=1\r\n\
         To: \"B\" <sip:a@b;tag=no>;tag=0000000000000abc\r\n\
         Call-ID: x\r\n\
         CSeq: 1 OPTIONS\r\n\
         Allow: INVITE\r\n\
         Content-Type: text/plain\r\n\
         Content-Length: 5\r\n\
         \r\n\
         hello"
    );
}

#[test]
fn received_is_written_where_the_sender_is_not_who_it_says() {
    for (sent_by, from, expected) in [
        ("192.0.2.1", "192.0.2.1:5060", "192.0.2.1"),
        ("192.0.2.1:5070", "[::ffff:192.0.2.1]:5060", "192.0.2.1:5070"),
        ("192.0.2.1", "192.0.2.2:5060", "192.0.2.1;received=192.0.2.2"),
        ("192.0.2.1;rport=1", "192.0.2.1:9", "192.0.2.1;received=192.0.2.1;rport=9"),
        ("[2001:db8::1]", "[2001:db8:0::1]:5060", "[2001:db8::1]"),
        ("[2001:db8::1]", "[2001:db8::2]:5060", "[2001:db8::1];received=2001:db8::2"),
        ("a.example.com", "192.0.2.2:5060", "a.example.com;received=192.0.2.2"),
    ] {
        let request = format!(
            "OPTIONS sip:a@b SIP/2.0\r\nVia: SIP/2.0/UDP {sent_by}\r\nFrom: sip:c@d\r\nTo: sip:a@b;tag=9\r\nCall-ID: x\r\nCSeq: 1 \
             OPTIONS\r\n\r\n"
        );
        let response = ResponseBuilder::new(&head(&request), source(from), Code::OK, Tag::new(1)).finish();
        let response = String::from_utf8(response).unwrap();
        assert!(response.contains(&format!("Via: SIP/2.0/UDP {expected}\r\n")), "{response}");
        assert!(response.contains("To: sip:a@b;tag=9\r\n"), "{response}");
    }
}

#[test]
fn trying_has_no_tag() {
    let response = ResponseBuilder::new(&head(OPTIONS), source("192.0.2.1:1"), Code::TRYING, Tag::new(1)).finish();
    assert!(String::from_utf8(response).unwrap().contains("To: \"B\" <sip:a@b;tag=no>\r\n"));
}

#[test]
fn a_request_that_comes_again_gets_the_same_tag() {
    let keys = std::hash::RandomState::new();
    let tag = Tag::of_request(&keys, &head(OPTIONS));
    assert_eq!(tag, Tag::of_request(&keys, &head(OPTIONS)));
    assert_ne!(tag, Tag::of_request(&keys, &head(&OPTIONS.replace("CSeq: 1", "CSeq: 2"))));
    assert_ne!(tag, Tag::of_request(&std::hash::RandomState::new(), &head(OPTIONS)));
}

#[test]
fn no_value_brings_a_line_of_its_own() {
    let evil = "a\r\nEvil: 1\n\r\nEvil";
    let response = ResponseBuilder::with_reason(&head(OPTIONS), source("192.0.2.1:1"), Code::OK, evil, Tag::new(1))
        .header(Name::Server, evil)
        .header(Name::Contact, Quoted(evil))
        .finish_with(evil, b"");
    let request = RequestBuilder::new(Method::Options, "sip:a@b").unwrap().header(Name::UserAgent, evil).finish();
    for message in [response, request] {
        let message = String::from_utf8(message).unwrap();
        assert!(message.lines().all(|line| !line.starts_with("Evil")), "{message}");
        assert_eq!(message.matches("\r\n\r\n").count(), 1, "{message}");
    }
    for target in ["sip:a@b SIP/2.0\r\nEvil: 1", "sip:a b", "sip:a@b?Evil=1", ""] {
        assert!(RequestBuilder::new(Method::Options, target).is_none(), "{target}");
    }
    assert!(RequestBuilder::new(Method::Other("A B"), "sip:a@b").is_none());
}

#[test]
fn a_request_has_its_lines_in_order() {
    let request = RequestBuilder::new(Method::Options, "sip:anna@192.0.2.7:5062;transport=tcp")
        .unwrap()
        .header(Name::CallId, "x")
        .line(Header { name: Name::Other, label: "X-Thing", value: "one" })
        .finish();
    assert_eq!(
        String::from_utf8(request).unwrap(),
        "OPTIONS sip:anna@192.0.2.7:5062;transport=tcp SIP/2.0\r\nCall-ID: x\r\nX-Thing: one\r\nContent-Length: 0\r\n\r\n"
    );
}

#[test]
fn a_quoted_text_has_its_quotes_escaped() {
    assert_eq!(Quoted("a \"b\" \\c").to_string(), r#""a \"b\" \\c""#);
    assert_eq!(crate::message::params::unquote(&Quoted("a \"b\" \\c").to_string()), "a \"b\" \\c");
}
