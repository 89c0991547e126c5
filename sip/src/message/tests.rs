use super::*;

const REGISTER: &str = "REGISTER sip:example.com SIP/2.0\r\n\
v: SIP/2.0/UDP 192.0.2.7:5062;branch=z9hG4bK1;rport , SIP/2.0/TCP [2001:db8::1]\r\n\
Via: SIP/2.0/TLS proxy.example.com;branch=z9hG4bK0\r\n\
Max-Forwards: 70\r\n\
f: \"Anna\"\r\n <sip:anna@example.com>;tag=abc\r\n\
To: <sip:anna@example.com>\r\n\
i: 1@192.0.2.7\r\n\
CSeq: 4711   REGISTER\r\n\
m: <sip:anna@192.0.2.7:5062>;expires=60, <sip:anna@192.0.2.8>\r\n\
Contact: \"A, B\" <tel:+15550100>\r\n\
X-Thing: one\r\n\
Supported: path, outbound,gruu\r\n\
l: 4\r\n\
\r\n\
\0\u{7f}ab";

fn parse(text: &str) -> Result<Message, Rejected> {
    Message::parse(Bytes::copy_from_slice(text.as_bytes()), Carrier::Datagram, &Limits::default())
}

fn good(text: &str) -> Message {
    parse(text).unwrap()
}

/// The problem of a message, whether it is answered or not.
fn problem(text: &str) -> Problem {
    match parse(text).unwrap_err() {
        Rejected::Answer { problem, .. } | Rejected::Drop(Some(problem)) => problem,
        Rejected::Drop(None) => panic!("nothing like a message: {text}"),
    }
}

#[test]
fn a_request_gives_all_that_stands_in_it() {
    let message = good(REGISTER);
    assert_eq!(message.kind(), Kind::Request { method: Method::Register, uri: "sip:example.com" });
    assert_eq!(message.via().host, "192.0.2.7");
    assert_eq!((message.via().port, message.via().unique_branch()), (Some(5062), Some("z9hG4bK1")));
    assert!(message.via().wants_rport());
    let hosts: Vec<_> = message.vias().map(|via| via.host).collect();
    assert_eq!(hosts, ["192.0.2.7", "[2001:db8::1]", "proxy.example.com"]);
    assert_eq!((&*message.from().display_name(), message.from().tag()), ("Anna", Some("abc")));
    assert_eq!((message.to().address, message.to().tag()), ("sip:anna@example.com", None));
    assert_eq!(message.call_id(), "1@192.0.2.7");
    assert_eq!(message.cseq(), CSeq { number: 4711, method: Method::Register });
    assert_eq!((message.max_forwards(), message.expires()), (Some(70), None));
    assert_eq!(&message.body()[..], b"\0\x7fab");
    assert_eq!(message.head().tokens(Name::Supported).collect::<Vec<_>>(), ["path", "outbound", "gruu"]);
    assert_eq!(message.head().other("x-thing"), Some("one"));
}

#[test]
fn contacts_are_one_list_over_all_lines() {
    let message = good(REGISTER);
    let Contacts::Some(contacts) = message.contacts() else { panic!() };
    let contacts: Vec<_> = contacts.map(|contact| (contact.address, contact.expires())).collect();
    assert_eq!(
        contacts,
        [("sip:anna@192.0.2.7:5062", Some(60)), ("sip:anna@192.0.2.8", None), ("tel:+15550100", None)]
    );
    let message = good(
        "REGISTER sip:b SIP/2.0\r\nv:SIP/2.0/UDP c\r\nf:sip:a@b\r\nt:sip:a@b\r\ni:1\r\nCSeq:1 REGISTER\r\nm:*\r\n\r\n",
    );
    assert!(matches!(message.contacts(), Contacts::All));
}

#[test]
fn a_response_gives_its_code_and_phrase() {
    let message = good(
        "SIP/2.0 180 Es läutet\r\nv: SIP/2.0/UDP c\r\nf: sip:a@b\r\nt: sip:a@b;tag=1\r\ni: 1\r\nCSeq: 2 INVITE\r\n\r\n",
    );
    assert_eq!(message.kind(), Kind::Response { code: Code::RINGING, reason: "Es läutet" });
    assert_eq!((message.method(), message.cseq().method), (None, Method::Invite));
}

#[test]
fn what_is_wrong_is_said() {
    let change = |from: &str, to: &str| problem(&REGISTER.replacen(from, to, 1));
    for (from, to, expected) in [
        ("SIP/2.0\r", "SIP/3.0\r", Problem::Version),
        ("SIP/2.0\r", "HTTP/1.1\r", Problem::StartLine),
        ("sip:example.com SIP", "sip:exa mple.com SIP", Problem::RequestUri),
        ("sip:example.com SIP", "sip:example.com?a=b SIP", Problem::RequestUri),
        ("X-Thing:", "X-Thing", Problem::HeaderLine),
        ("X-Thing: one\r\n", "X-Thing: one\n", Problem::HeaderLine),
        ("X-Thing: one", "X-Thing: o\rne", Problem::HeaderLine),
        ("i: 1@", "X: 1@", Problem::Missing(Name::CallId)),
        ("f:", "X:", Problem::Missing(Name::From)),
        ("To:", "X:", Problem::Missing(Name::To)),
        ("CSeq:", "X:", Problem::Missing(Name::CSeq)),
        ("X-Thing: one", "From: <sip:bob@example.com>;tag=1", Problem::Repeated(Name::From)),
        ("X-Thing: one", "L: 4", Problem::Repeated(Name::ContentLength)),
        ("\"Anna\"\r\n ", "\"Anna\r\n ", Problem::Malformed(Name::From)),
        ("rport ,", "rport ,,", Problem::Malformed(Name::Via)),
        ("i: 1@192.0.2.7", "i: 1 2", Problem::Malformed(Name::CallId)),
        ("4711", "-1", Problem::Malformed(Name::CSeq)),
        ("4711", "2147483648", Problem::Malformed(Name::CSeq)),
        ("4711   REGISTER", "4711   INVITE", Problem::CSeqMethod),
        ("4711   REGISTER", "4711   register", Problem::CSeqMethod),
        ("Max-Forwards: 70", "Max-Forwards: 256", Problem::Malformed(Name::MaxForwards)),
        ("<sip:anna@192.0.2.8>", "*", Problem::Malformed(Name::Contact)),
        ("X-Thing: one", "Route: sip:a b", Problem::Malformed(Name::Route)),
        ("l: 4", "l: 5", Problem::BodyShort),
        ("l: 4", "l: four", Problem::Malformed(Name::ContentLength)),
        ("l: 4", "l: 99999999999999", Problem::TooLarge),
    ] {
        assert_eq!(change(from, to), expected, "{from} → {to}");
    }
    let all = REGISTER.split_once("\r\n\r\n").unwrap().0;
    assert_eq!(problem(&format!("{all}\r\n")), Problem::Unterminated);
}

#[test]
fn a_head_beyond_utf_8_is_answered_all_the_same() {
    let bytes = REGISTER.replace("Anna", "J\u{1}rgen").replace('\u{1}', "ü");
    assert!(parse(&bytes).is_ok());
    let latin: Vec<u8> = REGISTER.bytes().map(|byte| if byte == b'A' { 0xFC } else { byte }).collect();
    let rejected = Message::parse(latin.into(), Carrier::Datagram, &Limits::default()).unwrap_err();
    let Rejected::Answer { head, problem: Problem::NotUtf8 } = rejected else { panic!() };
    assert_eq!(head.first(Name::From), Some("\"?nna\"   <sip:anna@example.com>;tag=abc"));
}

#[test]
fn limits_hold() {
    let limits = Limits { head: 400, body: 3, headers: 11, vias: 2 };
    let with = |limits: Limits| match Message::parse(REGISTER.into(), Carrier::Datagram, &limits) {
        Err(Rejected::Answer { problem, .. }) => Some(problem),
        _ => None,
    };
    assert_eq!(with(Limits { head: 100, ..Limits::default() }), Some(Problem::TooLarge));
    assert_eq!(with(Limits { body: limits.body, ..Limits::default() }), Some(Problem::TooLarge));
    assert_eq!(with(Limits { headers: limits.headers, ..Limits::default() }), Some(Problem::TooManyHeaders));
    assert_eq!(with(Limits { vias: limits.vias, ..Limits::default() }), Some(Problem::TooManyVias));
    assert_eq!(with(Limits::default()), None);
    let endless = [b"OPTIONS sip:a SIP/2.0\r\nX: ".to_vec(), vec![b'a'; 70_000], b"\r\n\r\n".to_vec()].concat();
    assert!(matches!(Message::parse(endless.into(), Carrier::Datagram, &Limits::default()), Err(Rejected::Drop(None))));
}

#[test]
fn what_has_nowhere_to_be_answered_to_is_dropped() {
    for text in ["", "\r\n\r\n", "GET / HTTP/1.1\r\n\r\n", "no message at all", "SIP/2.0 200\r\n\r\n"] {
        assert!(matches!(parse(text), Err(Rejected::Drop(_))), "{text}");
    }
    let ack = REGISTER.replace("REGISTER", "ACK").replace("To:", "X:");
    assert!(matches!(parse(&ack), Err(Rejected::Drop(Some(Problem::Missing(Name::To))))));
    let response = REGISTER.replacen("REGISTER sip:example.com SIP/2.0", "SIP/2.0 200 OK", 1);
    assert!(matches!(parse(&response), Err(Rejected::Drop(Some(Problem::SeveralVias)))));
}

#[test]
fn on_a_stream_the_length_is_a_must() {
    let stream =
        |text: &str| Message::parse(Bytes::copy_from_slice(text.as_bytes()), Carrier::Stream, &Limits::default());
    assert!(stream(REGISTER).is_ok());
    let Err(Rejected::Answer { problem, .. }) = stream(&REGISTER.replace("l: 4\r\n", "")) else { panic!() };
    assert_eq!(problem, Problem::Missing(Name::ContentLength));
    assert!(problem.ends_stream());
}

#[test]
fn debug_says_nothing_of_what_is_said() {
    let message = good(REGISTER);
    let shown = format!("{message:?} {:?} {:?} {:?}", message.from(), message.request_uri(), message.via());
    for secret in ["anna", "Anna", "abc", "192.0.2.7", "z9hG4bK1"] {
        assert!(!shown.contains(secret), "{secret} in {shown}");
    }
}
