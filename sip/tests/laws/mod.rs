//! What holds of any input whatever. The property tests and the fuzz targets both hold inputs against these.

use std::net::SocketAddr;

use bytes::Bytes;
use offdesk_sip::digest::Credentials;
use offdesk_sip::message::{
    Carrier, Code, Contacts, Frame, Framer, Kind, Limits, Message, Name, NameAddr, Rejected, ResponseBuilder, SipUri,
    Tag, Uri,
};
use offdesk_sip::sdp::{Description, Origin, Place};

fn parse(bytes: &[u8], carrier: Carrier) -> Result<Message, Rejected> {
    Message::parse(Bytes::copy_from_slice(bytes), carrier, &Limits::default())
}

fn source() -> SocketAddr {
    "192.0.2.7:5062".parse().unwrap()
}

/// A message in a datagram, and the same bytes on a stream.
pub fn message(bytes: &[u8]) {
    match parse(bytes, Carrier::Datagram) {
        Ok(message) => {
            gives_what_it_has(&message);
            is_the_same_written_anew(&message);
            if message.code().is_none() {
                answer_fits(&message);
            }
        }
        Err(Rejected::Answer { head, problem }) => {
            let answer = ResponseBuilder::with_reason(&head, source(), problem.code(), problem, Tag::new(1)).finish();
            assert_eq!(memchr(&answer, b"\r\n\r\n"), Some(answer.len() - 4), "an answer has one end");
        }
        Err(Rejected::Drop(_)) => {}
    }
    stream(bytes);
}

fn memchr(bytes: &[u8], what: &[u8]) -> Option<usize> {
    bytes.windows(what.len()).position(|window| window == what)
}

/// Whoever was parsed has all that any message must have.
fn gives_what_it_has(message: &Message) {
    let hops: Vec<_> = message.vias().collect();
    assert_eq!(hops.first().copied().map(|via| (via.host, via.port)), Some((message.via().host, message.via().port)));
    assert!(hops.iter().all(|via| via.host().is_some()));
    assert!(message.from().uri().is_some() && message.to().uri().is_some());
    assert!(!message.call_id().is_empty() && message.cseq().number < 1 << 31);
    if let Kind::Request { method, .. } = message.kind() {
        assert_eq!(message.cseq().method, method);
        assert!(message.request_uri().is_some());
    }
    if let Contacts::Some(contacts) = message.contacts() {
        let lines = message.head().all(Name::Contact).count();
        assert!(contacts.inspect(contact_gives).count() >= lines);
    }
    for name in [Name::Route, Name::RecordRoute, Name::Path] {
        let lines = message.head().all(name).count();
        assert!(message.routes(name).inspect(|route| assert!(route.uri().is_some())).count() >= lines);
    }
}

fn contact_gives(contact: &NameAddr<'_>) {
    assert!(contact.uri().is_some());
    let _ = (contact.q(), contact.expires(), contact.instance(), contact.reg_id(), contact.display_name());
    assert!(contact.params.iter().all(|param| !param.name.is_empty()));
}

/// A message written line by line is the same message.
fn is_the_same_written_anew(message: &Message) {
    let mut text = match message.kind() {
        Kind::Request { method, uri } => format!("{method} {uri} SIP/2.0\r\n"),
        Kind::Response { code, reason } => format!("SIP/2.0 {code} {reason}\r\n"),
    };
    for header in message.head().headers().filter(|header| header.name != Name::ContentLength) {
        let label = if header.name == Name::Other { header.label } else { header.name.as_str() };
        text.push_str(&format!("{label}: {}\r\n", header.value));
    }
    text.push_str(&format!("Content-Length: {}\r\n\r\n", message.body().len()));
    let mut bytes = text.into_bytes();
    bytes.extend_from_slice(message.body());
    let again =
        Message::parse(bytes.into(), Carrier::Stream, &Limits { head: u16::MAX, headers: 129, ..Limits::default() });
    let Ok(again) = again else { panic!("a message written anew is one") };
    assert!(again.kind() == message.kind() && again.body() == message.body());
    let values = |message: &Message| {
        let lines = message.head().headers().filter(|header| header.name != Name::ContentLength);
        lines.map(|header| (header.name, header.value.to_owned())).collect::<Vec<_>>()
    };
    assert_eq!(values(&again), values(message));
}

/// What a request is answered with is a message, and its sender knows it for the answer.
fn answer_fits(request: &Message) {
    let answer = ResponseBuilder::new(request.head(), source(), Code::OK, Tag::new(1)).finish();
    assert_eq!(Framer::default().next(&answer, &wide()), Frame::Message(answer.len()));
    let answer = match Message::parse(answer.into(), Carrier::Stream, &wide()) {
        Ok(answer) => answer,
        // A phone takes no response of several Vias; the proxies between take theirs off.
        Err(Rejected::Drop(_)) if request.vias().count() > 1 => return,
        Err(rejected) => panic!("{rejected:?}"),
    };
    assert_eq!(answer.via().branch(), request.via().branch());
    assert_eq!(answer.via().received(), answer.via().params.value("received").map(|_| source().ip()));
    assert_eq!(answer.via().rport(), request.via().wants_rport().then_some(source().port()));
    assert_eq!((answer.call_id(), answer.from().tag()), (request.call_id(), request.from().tag()));
    assert!(answer.cseq() == request.cseq() && answer.to().tag().is_some());
}

/// Answers have somewhat more in them than their requests.
fn wide() -> Limits {
    Limits { head: u16::MAX, ..Limits::default() }
}

/// However bytes are divided into messages, all are looked at, in order, and none twice.
fn stream(bytes: &[u8]) {
    let (mut rest, mut framer) = (bytes, Framer::default());
    loop {
        let taken = match framer.next(rest, &Limits::default()) {
            Frame::Idle | Frame::Partial | Frame::Endless => return,
            Frame::Ping => 4,
            Frame::LineEnd => 2,
            Frame::Message(length) => {
                if let Ok(message) = parse(&rest[..length], Carrier::Stream) {
                    let end = rest[..length].len() - message.body().len();
                    assert!(rest[..end].ends_with(b"\r\n\r\n"), "the framer and the parser agree on the head's end");
                }
                length
            }
            Frame::Last(length) => {
                assert!(parse(&rest[..length], Carrier::Stream).is_err(), "the parser says what the framer meant");
                return;
            }
        };
        assert!(taken > 0);
        rest = &rest[taken..];
    }
}

/// A URI, whatever it stands in.
pub fn uri(text: &str) {
    let Some(uri) = Uri::parse(text) else { return };
    assert!(uri.is_same(&uri), "a URI is the same as itself");
    if let Uri::Sip(sip) = uri {
        let anew = written(&sip);
        let again = SipUri::parse(&anew).unwrap_or_else(|| panic!("{anew}"));
        assert!(again.is_same(&sip) && sip.is_same(&again), "{anew}");
    }
}

fn written(uri: &SipUri<'_>) -> String {
    let mut text = String::from(if uri.secure { "sips:" } else { "sip:" });
    if let Some(user) = uri.user {
        text.push_str(user);
        text.extend(uri.password.map(|password| format!(":{password}")));
        text.push('@');
    }
    text.push_str(&uri.host.to_string());
    text.extend(uri.port.map(|port| format!(":{port}")));
    text.push_str(uri.params.as_str());
    if !uri.headers.is_empty() {
        text.push('?');
        text.push_str(uri.headers);
    }
    text
}

/// Two URIs are the same from either side.
pub fn uris(one: &str, other: &str) {
    if let (Some(one), Some(other)) = (Uri::parse(one), Uri::parse(other)) {
        assert_eq!(one.is_same(&other), other.is_same(&one));
    }
}

/// A value of a header, in a message that is right otherwise.
pub fn value_of(name: &str, value: &[u8]) {
    let before = format!(
        "REGISTER sip:b SIP/2.0\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:a@b>\r\nCall-ID: x\r\nCSeq: 1 REGISTER\r\n{name}: "
    );
    let after = if name == "Via" { "\r\n\r\n" } else { "\r\nVia: SIP/2.0/UDP c;branch=z9hG4bK1\r\n\r\n" };
    message(&[before.as_bytes(), value, after.as_bytes()].concat());
}

/// A value of Authorization.
pub fn credentials(text: &str) {
    if let Ok(credentials) = Credentials::parse(text) {
        assert!(text.len() > credentials.username.len() + credentials.realm.len());
    }
}

/// A session description that is read is written so that it reads back the same, and answers itself.
pub fn description(bytes: &[u8]) {
    let Ok(offer) = Description::parse(bytes) else { return };
    let place = Place { address: [203, 0, 113, 10].into(), port: 20_000 };
    let relayed = offer.relayed(place);
    assert_eq!(Description::parse(relayed.write(Origin::new(4)).as_bytes()), Ok(relayed.clone()));
    let answer = offer.answered(&relayed.audio, place).unwrap();
    assert_eq!(Description::parse(answer.write(Origin::new(4)).as_bytes()), Ok(answer));
}
