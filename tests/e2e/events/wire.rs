//! What may come over the wire, by RFC 6455 and the cases of Autobahn's test suite that concern a server of text frames. Frames
//! that no well-behaved client sends are written here byte by byte.

use std::{
    io::{Read, Write},
    net::TcpStream,
    time::Duration,
};

use crate::house::{ADA, House, Plan};

/// A socket behind the handshake.
struct Raw(TcpStream);

const TEXT: u8 = 1;
const BINARY: u8 = 2;
const CLOSE: u8 = 8;
const PING: u8 = 9;
const PONG: u8 = 10;
const FIN: u8 = 0x80;

impl Raw {
    fn open(house: &House) -> Self {
        let mut socket = TcpStream::connect(house.ready.http).unwrap();
        socket.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        let (host, token) = (house.ready.http, house.app(ADA).token);
        let head = format!(
            "GET /api/v1/events HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\nAuthorization: Bearer {token}\r\n\r\n"
        );
        socket.write_all(head.as_bytes()).unwrap();
        let mut answer = Vec::new();
        while !answer.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            socket.read_exact(&mut byte).unwrap();
            answer.push(byte[0]);
        }
        let answer = String::from_utf8(answer).unwrap().to_ascii_lowercase();
        assert!(answer.starts_with("http/1.1 101"), "{answer}");
        // RFC 6455 §1.3 gives this key's answer.
        assert!(answer.contains("s3pplmbitxaq9kygzzhzrbk+xoo="), "{answer}");
        let mut raw = Self(socket);
        let (first, text) = raw.frame().unwrap();
        assert_eq!((first, &text[..19]), (FIN | TEXT, &br#"{"type":"snapshot","#[..]));
        raw
    }

    /// A frame of the server: its first byte and its payload; none: the connection is over.
    fn frame(&mut self) -> Option<(u8, Vec<u8>)> {
        let mut head = [0; 2];
        self.0.read_exact(&mut head).ok()?;
        let length = match head[1] {
            126 => {
                let mut long = [0; 2];
                self.0.read_exact(&mut long).ok()?;
                usize::from(u16::from_be_bytes(long))
            }
            short => usize::from(short),
        };
        let mut payload = vec![0; length];
        self.0.read_exact(&mut payload).ok()?;
        Some((head[0], payload))
    }

    /// Sends a frame with this first byte, masked as a client's must be.
    fn send(&mut self, first: u8, payload: &[u8]) {
        let _ = self.0.write_all(&frame(first, payload));
    }

    /// The code with which the server closes.
    fn closing_code(&mut self) -> Option<u16> {
        let (first, payload) = self.frame()?;
        assert_eq!(first, FIN | CLOSE, "{payload:?}");
        Some(u16::from_be_bytes([*payload.first()?, *payload.get(1)?]))
    }

    /// Whether it is still there, and has understood all that came so far.
    fn is_alive(&mut self) -> bool {
        self.send(FIN | PING, b"x");
        self.frame() == Some((FIN | PONG, b"x".to_vec()))
    }
}

fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let mask = [0x37, 0xfa, 0x21, 0x3d];
    let mut bytes = vec![first];
    match payload.len() {
        short @ 0..126 => bytes.push(0x80 | u8::try_from(short).unwrap()),
        long if u16::try_from(long).is_ok() => {
            bytes.push(0x80 | 126);
            bytes.extend(u16::try_from(long).unwrap().to_be_bytes());
        }
        huge => {
            bytes.push(0x80 | 127);
            bytes.extend((huge as u64).to_be_bytes());
        }
    }
    bytes.extend(mask);
    bytes.extend(payload.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask));
    bytes
}

/// What is sent, and the code of the close that it is answered with.
type Case<'a> = (&'a str, &'a [(u8, &'a [u8])], u16);

const OPEN: &[u8] = br#"{"type":"open","conversation":null}"#;

#[tokio::test]
async fn what_a_client_may_send_is_borne() {
    let house = Plan::default().build().await;
    let mut raw = Raw::open(&house);
    // Pings of any length up to 125, also between the frames of a message, and pongs that nobody asked for (Autobahn 2, 5).
    for payload in [&b""[..], b"hello", &[0xfe; 125]] {
        raw.send(FIN | PING, payload);
        assert_eq!(raw.frame(), Some((FIN | PONG, payload.to_vec())));
    }
    raw.send(FIN | PONG, b"unsolicited");
    raw.send(TEXT, &OPEN[..7]);
    raw.send(FIN | PING, b"between");
    assert_eq!(raw.frame(), Some((FIN | PONG, b"between".to_vec())));
    raw.send(0, &OPEN[7..20]);
    raw.send(0, b"");
    raw.send(FIN, &OPEN[20..]);
    assert!(raw.is_alive());
    // Byte by byte (Autobahn 2.6, 5.5).
    for byte in frame(FIN | TEXT, OPEN) {
        raw.0.write_all(&[byte]).unwrap();
    }
    assert!(raw.is_alive());
    raw.send(FIN | TEXT, r#"{"type":"later","text":"κόσμε 🎈"}"#.as_bytes());
    assert!(raw.is_alive());
}

#[tokio::test]
async fn what_no_client_may_send_closes_with_the_code_that_says_so() {
    let house = Plan::default().build().await;
    let large = vec![b'x'; 4097];
    let huge = vec![b'x'; 70_000];
    let cases: &[Case<'_>] = &[
        ("binary", &[(FIN | BINARY, OPEN)], 1003),
        ("nonsense", &[(FIN | TEXT, b"hello")], 1007),
        ("an empty text", &[(FIN | TEXT, b"")], 1007),
        ("no UTF-8", &[(FIN | TEXT, b"{\"type\":\"\xff\xfe\"}")], 1007),
        ("no UTF-8, in two frames", &[(TEXT, b"{\"type\":\"\xce"), (FIN, b"\"}")], 1007),
        ("too large", &[(FIN | TEXT, &large)], 1009),
        ("far too large", &[(FIN | TEXT, &huge)], 1009),
        ("too large in two frames", &[(TEXT, &large[..3000]), (FIN, &large[..3000])], 1009),
        ("a ping of 126 bytes", &[(FIN | PING, &large[..126])], 1002),
        ("a reserved bit", &[(FIN | 0x40 | TEXT, OPEN)], 1007),
        ("an opcode that is none", &[(FIN | 3, b"")], 1002),
        ("a control opcode that is none", &[(FIN | 11, b"")], 1002),
        ("a ping in two frames", &[(PING, b"x"), (FIN, b"x")], 1002),
        ("a continuation of nothing", &[(FIN, OPEN)], 1002),
        ("a message within a message", &[(TEXT, OPEN), (FIN | TEXT, OPEN)], 1002),
        ("a close of one byte", &[(FIN | CLOSE, b"x")], 1002),
        ("a close with a code that is none", &[(FIN | CLOSE, &999_u16.to_be_bytes())], 1002),
        ("a close whose reason is no UTF-8", &[(FIN | CLOSE, b"\x03\xe8\xff")], 1002),
        ("a close", &[(FIN | CLOSE, &1000_u16.to_be_bytes())], 1000),
        ("a close of our own kind", &[(FIN | CLOSE, &4999_u16.to_be_bytes())], 4999),
    ];
    // As many at a time as an agent may have: the server waits a second for its clients to go first.
    for cases in cases.chunks(7) {
        let opened: Vec<_> = cases.iter().map(|case| (Raw::open(&house), case)).collect();
        for (mut raw, (what, frames, code)) in opened {
            frames.iter().for_each(|(first, payload)| raw.send(*first, payload));
            assert_eq!(raw.closing_code(), Some(*code), "{what}");
        }
    }
    // A close without a code is answered with one (Autobahn 7.3.1), and a frame that is not masked is refused (RFC 6455 §5.1).
    let mut raw = Raw::open(&house);
    raw.send(FIN | CLOSE, b"");
    assert_eq!(raw.frame().map(|(first, _)| first), Some(FIN | CLOSE));
    let mut raw = Raw::open(&house);
    raw.0.write_all(&[FIN | TEXT, 2, b'{', b'}']).unwrap();
    assert_eq!(raw.closing_code(), Some(1002));
    assert_eq!(raw.frame(), None, "nothing follows the close");
}

#[tokio::test]
async fn whoever_breaks_off_harms_nobody() {
    let house = Plan::default().build().await;
    for cut in [1, 2, 5, 20] {
        let mut raw = Raw::open(&house);
        raw.0.write_all(&frame(FIN | TEXT, OPEN)[..cut]).unwrap();
    }
    assert!(Raw::open(&house).is_alive());
}
