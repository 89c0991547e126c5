//! The laws of `tests/laws` under inputs that nobody thought of: noise, and good messages with a few bytes changed.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
#![allow(unreachable_pub, reason = "modules of one binary")]

#[path = "../laws/mod.rs"]
mod laws;
mod second_opinion;

use proptest::prelude::*;

/// What inputs are made of: parts that parsers trip over.
fn part() -> impl Strategy<Value = Vec<u8>> {
    let parts = [
        "\r\n",
        "\r\n ",
        "\r\n\r\n",
        "\"",
        "\\",
        "<",
        ">",
        ";",
        ",",
        "=",
        ":",
        "@",
        "%",
        "%4",
        "%41",
        "[",
        "]",
        "[::1]",
        "?",
        "&",
        "*",
        " ",
        "\t",
        "/",
        "sip:",
        "sips:",
        "tel:",
        "SIP/2.0",
        "SIP/2.0/UDP",
        "Via: ",
        "v:",
        "Contact: ",
        "m:",
        "Content-Length: ",
        "l: 0",
        "l: 9999999999",
        "CSeq: 1 OPTIONS",
        "tag=1",
        "branch=z9hG4bK1",
        "rport",
        "received=::1",
        "expires=0",
        "q=0.5",
        "anna",
        "example.com",
        "192.0.2.1",
        "5060",
        "65536",
        "\0",
        "ü",
        "+sip.instance=\"<urn:uuid:0>\"",
    ];
    prop_oneof![
        8 => prop::sample::select(parts.to_vec()).prop_map(|part| part.as_bytes().to_vec()),
        2 => prop::collection::vec(any::<u8>(), 1..4),
    ]
}

fn noise(most: usize) -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(part(), 0..most).prop_map(|parts| parts.concat())
}

const GOOD: [&str; 3] = [
    "REGISTER sip:gw.example.com SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.7:5062;branch=z9hG4bK1;rport\r\nMax-Forwards: 70\r\nFrom: \
     \"Anna\" <sip:anna@gw.example.com>;tag=a\r\nTo: <sip:anna@gw.example.com>\r\nCall-ID: 1@192.0.2.7\r\nCSeq: 2 REGISTER\r\nContact: \
     <sip:anna@192.0.2.7:5062;ob>;+sip.instance=\"<urn:uuid:00000000-0000-1000-8000-AABBCCDDEEFF>\";reg-id=1, \
     <sip:anna@[2001:db8::1]>;q=0.5\r\nPath: <sip:p;lr>\r\nContent-Length: 0\r\n\r\n",
    "INVITE sip:bob@gw.example.com;transport=tcp SIP/2.0\r\nv: SIP/2.0/TCP a;branch=z9hG4bK1, SIP / 2.0 / UDP [::1] ;x=\"y\"\r\nv: \
     SIP/2.0/UDP b\r\nf: Anna <sip:anna@h>;tag=a\r\nt: sip:bob@h\r\ni: 1\r\nCSeq: 3 INVITE\r\nm: <sip:a@h>\r\nRoute: \
     <sip:r;lr>,\r\n <sip:s;lr>\r\nc: application/sdp\r\nl: 4\r\n\r\nv=0\r\n",
    "SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP 192.0.2.7;branch=z9hG4bK1;received=192.0.2.8\r\nFrom: <sip:a@h>;tag=a\r\nTo: \
     <sip:b@h>;tag=b\r\nCall-ID: 1\r\nCSeq: 3 INVITE\r\nRecord-Route: <sip:r;lr>\r\nContact: *\r\nContent-Length: 0\r\n\r\n",
];

const DESCRIPTION: [&str; 1] = [
    "v=0\r\no=anna 3 7 IN IP4 192.0.2.7\r\ns=-\r\nc=IN IP4 192.0.2.7\r\nt=0 0\r\na=recvonly\r\nm=video 9078 RTP/AVP 100\r\n\
     m=audio 7078 RTP/AVPF 8 0 99\r\nc=IN IP6 2001:db8::1\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:99 telephone-event/8000\r\n\
     a=ptime:30\r\na=rtcp:7079 IN IP4 192.0.2.7\r\na=rtcp-mux\r\na=sendonly\r\nm=audio 9 UDP/TLS/RTP/SAVPF 0\r\n",
];

/// A good text with a few parts put in, or bytes left out.
fn damaged(good: &'static [&'static str]) -> impl Strategy<Value = Vec<u8>> {
    let cut = (any::<prop::sample::Index>(), 0_usize..20, prop_oneof![Just(Vec::new()), part()]);
    (prop::sample::select(good), prop::collection::vec(cut, 0..4)).prop_map(|(good, cuts)| {
        let mut bytes = good.as_bytes().to_vec();
        for (at, length, put) in cuts {
            let at = at.index(bytes.len());
            let end = (at + length).min(bytes.len());
            bytes.splice(at..end, put);
        }
        bytes
    })
}

fn text(most: usize) -> impl Strategy<Value = String> {
    noise(most).prop_map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn messages_keep_their_laws(bytes in prop_oneof![3 => damaged(&GOOD), 1 => noise(40)]) {
        laws::message(&bytes);
    }

    #[test]
    fn two_messages_on_a_stream_keep_theirs(one in damaged(&GOOD), other in damaged(&GOOD)) {
        laws::message(&[one, other].concat());
    }

    #[test]
    fn uris_keep_their_laws(head in "(sip:|sips:|tel:|)", one in text(10), other in text(10)) {
        let (one, other) = (format!("{head}{one}"), format!("{head}{other}"));
        laws::uri(&one);
        laws::uris(&one, &other);
    }

    #[test]
    fn addresses_and_vias_keep_their_laws(value in noise(12)) {
        for name in ["Contact", "Route", "From"] {
            laws::value_of(name, &[b"<sip:a@h>", &value[..]].concat());
            laws::value_of(name, &value);
        }
        laws::value_of("Via", &[b"SIP/2.0/UDP h", &value[..]].concat());
        laws::value_of("Via", &value);
    }

    #[test]
    fn descriptions_keep_their_laws(bytes in damaged(&DESCRIPTION)) {
        laws::description(&bytes);
    }

    #[test]
    fn credentials_keep_their_laws(value in text(20)) {
        laws::credentials(&value);
        laws::credentials(&format!("Digest username=\"a\", realm=\"b\", {value}"));
    }
}
