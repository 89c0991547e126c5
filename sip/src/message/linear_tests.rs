//! The work is linear in the input. It is counted, in looks at bytes, so that no clock decides.

use bytes::Bytes;
use proptest::prelude::*;

use super::scan::looks;
use super::*;

/// Nothing here stands in the way of a long input.
const WIDE: Limits = Limits { head: u16::MAX, body: 100_000, headers: 20_000, vias: 20_000 };

/// Looks at each byte that the worst input may cost, with all that a server asks of a message.
const MOST: usize = 40;

fn serve(text: &[u8], carrier: Carrier) {
    let Ok(message) = Message::parse(Bytes::copy_from_slice(text), carrier, &WIDE) else { return };
    let _ = (message.vias().count(), message.from().tag(), message.to().tag(), message.via().branch(), message.cseq());
    if let Contacts::Some(contacts) = message.contacts() {
        contacts.for_each(|contact| {
            let _ = (contact.q(), contact.expires(), contact.instance(), contact.reg_id());
        });
    }
    let _ = message.head().tokens(Name::Supported).count();
    let _ = ResponseBuilder::new(message.head(), ([192, 0, 2, 7], 1).into(), Code::OK, Tag::new(1)).finish();
}

fn request(lines: &str) -> String {
    format!(
        "REGISTER sip:b SIP/2.0\r\n{lines}Via: SIP/2.0/UDP c;branch=z9hG4bK1\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:a@b>\r\nCall-ID: \
         x\r\nCSeq: 1 REGISTER\r\n\r\n"
    )
}

/// `part` as often as it fits, between two others.
fn full_of(before: &str, part: &str, after: &str) -> String {
    let room = 60_000 - before.len() - after.len();
    request(&format!("{before}{}{after}\r\n", part.repeat(room / part.len())))
}

#[test]
fn no_input_costs_more_than_its_length() {
    for (before, part, after) in [
        ("Via: SIP/2.0/UDP c", ", SIP/2.0/UDP c", ""),
        ("Via: SIP/2.0/UDP c", "\r\nVia: SIP/2.0/UDP c", ""),
        ("Via: SIP/2.0/UDP c", ";a=b", ""),
        ("Via: SIP/2.0/UDP c", " ", ";a"),
        ("Via: SIP/2.0/UDP c;a=\"", "\\\"", "\""),
        ("Contact: <sip:a@b>", ", <sip:a@b>", ""),
        ("Contact: <sip:a@b>", ", a b c", ", <sip:a@b>"),
        ("Contact: ", "a ", "<sip:a@b>"),
        ("Contact: ", "\"", ""),
        ("Contact: \"", "\\\\", ""),
        ("Contact: <sip:a@b>", ";a=\"b\"", ""),
        ("Contact: <sip:", "%41", "@b>"),
        ("Contact: <sip:a@b", ";a=b", ">"),
        ("Contact: <sip:a@b?c=d", "&e=f", ">"),
        ("Contact: <sip:a@b>", "\r\n ", ";q=0.1"),
        ("Contact: <", "<", ""),
        ("Contact: sip:", "a", "@b"),
        ("Supported: a", ", a", ""),
        ("Route: <sip:a>", "\r\nRoute: <sip:a>", ""),
        ("X: a", "\r\n b", ""),
        ("X: a", "\r\nX: a", ""),
        ("X: a", "\n", ""),
        ("X: a", "\r", ""),
        ("X:", "", "x"),
    ] {
        let text =
            if part.is_empty() { request(&format!("{before}{after}\r\n")) } else { full_of(before, part, after) };
        let looked = looks::of(|| serve(text.as_bytes(), Carrier::Datagram));
        assert!(looked <= MOST * text.len(), "{before}{part}…: {looked} looks at {} bytes", text.len());
    }
}

#[test]
fn comparing_uris_costs_no_more_than_their_length() {
    let text = |name| (0..2000).fold("sip:a@b".to_owned(), |text, number| format!("{text};{name}{number}"));
    let (one, other) = (text('x'), text('y'));
    let uris = (SipUri::parse(&one).unwrap(), SipUri::parse(&other).unwrap());
    let looked = looks::of(|| assert!(uris.0.is_same(&uris.1)));
    assert!(looked <= 5 * one.len(), "{looked} looks at {} bytes", one.len());
}

#[test]
fn a_message_that_comes_byte_by_byte_costs_no_more() {
    let text = full_of("X: ", "a", "");
    let mut framer = Framer::default();
    let looked = looks::of(|| {
        for length in 1..text.len() {
            assert_eq!(framer.next(&text.as_bytes()[..length], &WIDE), Frame::Partial);
        }
    });
    assert!(looked <= 5 * text.len(), "{looked} looks at {} bytes", text.len());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// Some parts again and again, as whoever looks for a slow parser writes them.
    #[test]
    fn no_repetition_costs_more_than_its_length(
        name in prop::sample::select(vec!["Via: SIP/2.0/UDP c", "Contact: <sip:a@b>", "m: ", "f: ", "X: ", "Route: <sip:a", "k: "]),
        part in "[\"\\\\<>;,=: @%a&?*]{1,6}",
        after in "[\"<>;,= a]{0,3}",
    ) {
        let text = full_of(name, &part, &after);
        let looked = looks::of(|| serve(text.as_bytes(), Carrier::Datagram));
        prop_assert!(looked <= MOST * text.len(), "{} looks at {} bytes", looked, text.len());
    }
}
