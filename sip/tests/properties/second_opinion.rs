//! Another parser's opinion. rsip takes less than RFC 3261 allows; of what it takes, both say the same.

use bytes::Bytes;
use offdesk_sip::message::{Carrier, Contacts, Limits, Message, Name, SipUri};
use proptest::prelude::*;
use rsip::prelude::{HeadersExt, ToTypedHeader, UntypedHeader};

/// A request of the kind that rsip takes: no folds, compact names, joined values, or IPv6.
fn request() -> impl Strategy<Value = String> {
    let method = prop::sample::select(vec!["REGISTER", "INVITE", "OPTIONS", "BYE", "MESSAGE"]);
    let user = "[a-z0-9][a-z0-9_+-]{0,8}";
    let host = "([a-z][a-z0-9]{0,6}\\.com|192\\.0\\.2\\.[1-9])";
    let port = prop_oneof![Just(String::new()), (1_u16..).prop_map(|port| format!(":{port}"))];
    let tag = "[a-z0-9]{1,10}";
    let body = "[ -~]{0,40}";
    let numbers = (0_u32..1 << 31, 0_u8..=255, 0_u32..100_000);
    (method, user, host, port, tag, body, numbers).prop_map(|(method, user, host, port, tag, body, (cseq, hops, expires))| {
        format!(
            "{method} sip:{user}@{host}{port} SIP/2.0\r\nVia: SIP/2.0/UDP {host}{port};branch=z9hG4bK{tag}\r\nVia: SIP/2.0/TCP \
             other.com;branch=z9hG4bK0\r\nMax-Forwards: {hops}\r\nFrom: \"{user}\" <sip:{user}@{host}>;tag={tag}\r\nTo: \
             <sip:{user}@{host}>\r\nCall-ID: {tag}@{host}\r\nCSeq: {cseq} {method}\r\nContact: \
             <sip:{user}@{host}{port};transport=udp>;expires={expires}\r\nExpires: {expires}\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        )
    })
}

/// The same with a byte changed: to a letter or a digit, since rsip silently cuts a value off where a colon or a blank
/// surprises it.
fn changed() -> impl Strategy<Value = String> {
    (request(), any::<prop::sample::Index>(), "[A-Za-z0-9]").prop_map(|(mut text, at, byte)| {
        let at = at.index(text.len());
        text.replace_range(at..=at, &byte);
        text
    })
}

/// Header by header.
fn agree(text: &str) -> Result<bool, TestCaseError> {
    let ours = Message::parse(Bytes::copy_from_slice(text.as_bytes()), Carrier::Datagram, &Limits::default());
    let (Ok(ours), Ok(theirs)) = (ours, rsip::Request::try_from(text.as_bytes().to_vec())) else { return Ok(false) };
    prop_assert_eq!(ours.method().map(|method| method.as_str().to_owned()), Some(theirs.method.to_string()));
    if let Ok(call_id) = theirs.call_id_header() {
        prop_assert_eq!(ours.call_id(), call_id.value());
    }
    if let Some(cseq) = theirs.cseq_header().ok().and_then(|cseq| cseq.clone().typed().ok()) {
        prop_assert_eq!((ours.cseq().number, ours.cseq().method.as_str()), (cseq.seq, &*cseq.method.to_string()));
    }
    if let Some(from) = theirs.from_header().ok().and_then(|from| from.clone().typed().ok()) {
        prop_assert_eq!(ours.from().tag(), from.tag().map(rsip::param::Tag::value));
        same_uri(ours.from().address, &from.uri)?;
    }
    if let Some(via) = theirs.via_header().ok().and_then(|via| via.clone().typed().ok()) {
        prop_assert_eq!(ours.via().branch(), via.branch().map(rsip::param::Branch::value));
        prop_assert_eq!(ours.via().port, via.uri.host_with_port.port.map(|port| *port.value()));
    }
    if let Some(contact) = theirs.contact_header().ok().and_then(|contact| contact.clone().typed().ok()) {
        let Contacts::Some(mut contacts) = ours.contacts() else { return Ok(true) };
        same_uri(contacts.next().unwrap().address, &contact.uri)?;
    }
    let hops = theirs.max_forwards_header().ok().map(|hops| hops.value().trim().to_owned());
    prop_assert_eq!(ours.head().first(Name::MaxForwards), hops.as_deref());
    Ok(true)
}

fn same_uri(ours: &str, theirs: &rsip::Uri) -> Result<(), TestCaseError> {
    let Some(uri) = SipUri::parse(ours) else { return Ok(()) };
    prop_assert_eq!(uri.user.map(str::to_owned), theirs.user().map(str::to_owned));
    prop_assert_eq!(uri.port, theirs.host_with_port.port.as_ref().map(|port| *port.value()));
    prop_assert!(uri.host.to_string().eq_ignore_ascii_case(&theirs.host_with_port.host.to_string()));
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn rsip_takes_the_plain_ones_and_agrees(text in request()) {
        prop_assert!(agree(&text)?, "both take it");
    }

    #[test]
    fn where_both_take_it_they_agree(text in changed()) {
        agree(&text)?;
    }
}
