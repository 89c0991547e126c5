//! The engine with its sockets: streams that dawdle, ping, come in crowds, and outlive a certificate.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::{
    io::{ErrorKind, Read, Write},
    net::{SocketAddr, TcpStream, UdpSocket},
    sync::Arc,
    time::{Duration, Instant},
};

use offdesk_sip::{
    abuse,
    driver::{self, Certificate, ConnectionLimits, Listening, Patience, Running},
    engine::{CallSettings, Command, Count, Media, Settings},
    leg::Here,
};
use rustls::{
    ClientConfig, ClientConnection, DigitallySignedStruct, SignatureScheme, StreamOwned,
    client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    pki_types::{CertificateDer, ServerName, UnixTime},
};

/// How long the machine may take.
const LIMIT: Duration = Duration::from_secs(20);
const SHORT: Duration = Duration::from_millis(150);
const ANY: &str = "127.0.0.1:0";

struct Gateway {
    running: Running,
}

impl Gateway {
    fn start(change: impl FnOnce(&mut Listening)) -> Self {
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let calls = CallSettings::new(Here { address: [127, 0, 0, 1].into(), ports: [0; 3] }, Media::Direct);
        let settings = Settings::new("gw.example.com", calls);
        let mut listening = Listening {
            udp: Some(ANY.parse().unwrap()),
            tcp: Some(ANY.parse().unwrap()),
            tls: Some((ANY.parse().unwrap(), certificate("one"))),
            connections: ConnectionLimits::default(),
            patience: Patience::default(),
        };
        change(&mut listening);
        Self { running: driver::start(settings, listening, [7; 32], Vec::new()).unwrap() }
    }

    fn tcp(&self) -> TcpStream {
        stream(self.running.bound.tcp.unwrap())
    }

    fn tls(&self) -> StreamOwned<ClientConnection, TcpStream> {
        let config = ClientConfig::builder()
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(Anybody))
            .with_no_client_auth();
        let name = ServerName::try_from("gw.example.com").unwrap();
        let connection = ClientConnection::new(Arc::new(config), name).unwrap();
        StreamOwned::new(connection, stream(self.running.bound.tls.unwrap()))
    }
}

fn stream(at: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(at).unwrap();
    stream.set_read_timeout(Some(LIMIT)).unwrap();
    stream
}

fn certificate(name: &str) -> Certificate {
    let read =
        |what: &str| std::fs::read(format!("{}/tests/tls/{name}-{what}.pem", env!("CARGO_MANIFEST_DIR"))).unwrap();
    Certificate::from_pem(&read("cert"), &read("key")).unwrap()
}

/// Which certificate a server shows is looked at afterwards.
#[derive(Debug)]
struct Anybody;

impl ServerCertVerifier for Anybody {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        rustls::crypto::aws_lc_rs::default_provider().signature_verification_algorithms.supported_schemes()
    }
}

fn options(transport: &str) -> String {
    format!(
        "OPTIONS sip:gw.example.com SIP/2.0\r\nVia: SIP/2.0/{transport} 127.0.0.1:9;branch=z9hG4bKo;rport\r\n\
         Max-Forwards: 70\r\nFrom: <sip:a@example.org>;tag=1\r\nTo: <sip:gw.example.com>\r\nCall-ID: o\r\nCSeq: 1 OPTIONS\r\n\
         Content-Length: 0\r\n\r\n"
    )
}

/// A REGISTER with a wrong password.
fn guess(number: u32, nonce: &str) -> String {
    format!(
        "REGISTER sip:gw.example.com SIP/2.0\r\nVia: SIP/2.0/TCP 127.0.0.1:9;branch=z9hG4bK{number};rport\r\n\
         Max-Forwards: 70\r\nFrom: <sip:a@gw.example.com>;tag=1\r\nTo: <sip:a@gw.example.com>\r\nCall-ID: g\r\n\
         CSeq: {number} REGISTER\r\nAuthorization: Digest username=\"a\", realm=\"gw.example.com\", nonce=\"{nonce}\", \
         uri=\"sip:gw.example.com\", response=\"{zeros}\", cnonce=\"c\", qop=auth, nc=00000001\r\nContent-Length: 0\r\n\r\n",
        zeros = "0".repeat(32),
    )
}

fn answer(stream: &mut impl Read) -> String {
    let mut text = Vec::new();
    let mut buffer = [0; 1024];
    while !text.ends_with(b"\r\n\r\n") {
        let length = stream.read(&mut buffer).unwrap();
        assert!(length > 0, "closed after {:?}", String::from_utf8_lossy(&text));
        text.extend(&buffer[..length]);
    }
    String::from_utf8(text).unwrap()
}

/// Whether the other side closes it without a word, in time.
fn is_closed(stream: &mut impl Read) -> bool {
    match stream.read(&mut [0; 16]) {
        Ok(length) => length == 0,
        Err(error) => !matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut),
    }
}

#[test]
fn every_transport_answers_over_the_flow_that_it_was_asked_by() {
    let gateway = Gateway::start(|_| {});
    let udp = UdpSocket::bind(ANY).unwrap();
    udp.set_read_timeout(Some(LIMIT)).unwrap();
    udp.send_to(options("UDP").as_bytes(), gateway.running.bound.udp.unwrap()).unwrap();
    let mut buffer = [0; 2048];
    let length = udp.recv(&mut buffer).unwrap();
    let text = String::from_utf8_lossy(&buffer[..length]);
    let port = udp.local_addr().unwrap().port();
    assert!(text.starts_with("SIP/2.0 200 OK\r\n") && text.contains(&format!(";rport={port}")), "{text}");
    let mut tcp = gateway.tcp();
    tcp.write_all(options("TCP").as_bytes()).unwrap();
    assert!(answer(&mut tcp).starts_with("SIP/2.0 200 OK\r\n"));
    let mut tls = gateway.tls();
    tls.write_all(options("TLS").as_bytes()).unwrap();
    assert!(answer(&mut tls).starts_with("SIP/2.0 200 OK\r\n"));
}

#[test]
fn a_message_in_pieces_and_two_at_once_are_answered() {
    let gateway = Gateway::start(|_| {});
    let mut tcp = gateway.tcp();
    tcp.set_nodelay(true).unwrap();
    options("TCP").as_bytes().chunks(7).for_each(|piece| tcp.write_all(piece).unwrap());
    assert!(answer(&mut tcp).starts_with("SIP/2.0 200"));
    tcp.write_all(options("TCP").repeat(2).as_bytes()).unwrap();
    let mut both = answer(&mut tcp);
    while both.matches("SIP/2.0 200").count() < 2 {
        both.push_str(&answer(&mut tcp));
    }
}

#[test]
fn pings_are_answered_on_streams_and_stun_over_udp() {
    let gateway = Gateway::start(|_| {});
    let mut tcp = gateway.tcp();
    tcp.write_all(b"\r\n\r\n").unwrap();
    let mut pong = [0; 2];
    tcp.read_exact(&mut pong).unwrap();
    assert_eq!(&pong, b"\r\n");
    let udp = UdpSocket::bind(ANY).unwrap();
    udp.set_read_timeout(Some(LIMIT)).unwrap();
    let request = [&[0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42][..], &[7; 12]].concat();
    udp.send_to(&request, gateway.running.bound.udp.unwrap()).unwrap();
    let mut buffer = [0; 64];
    assert_eq!(udp.recv(&mut buffer).unwrap(), 32);
    assert_eq!(buffer[..2], [1, 1]);
}

#[test]
fn whoever_begins_a_message_and_does_not_end_it_is_let_go_of() {
    let gateway = Gateway::start(|listening| listening.patience.message = SHORT);
    let mut tcp = gateway.tcp();
    tcp.write_all(b"OPTIONS sip:gw.example.com SIP/2.0\r\n").unwrap();
    assert!(is_closed(&mut tcp));
}

#[test]
fn strangers_that_say_nothing_are_let_go_of_and_so_are_those_that_shake_no_hands() {
    let gateway = Gateway::start(|listening| {
        (listening.patience.stranger, listening.patience.handshake) = (SHORT, SHORT);
    });
    assert!(is_closed(&mut gateway.tcp()));
    let mut silent = stream(gateway.running.bound.tls.unwrap());
    assert!(is_closed(&mut silent));
}

#[test]
#[allow(clippy::disallowed_methods, reason = "it is told how long the machine has taken")]
fn a_stranger_gains_no_time_by_pings() {
    let gateway = Gateway::start(|listening| listening.patience.stranger = SHORT);
    let mut tcp = gateway.tcp();
    tcp.set_nodelay(true).unwrap();
    let began = Instant::now();
    while tcp.write_all(b"\r\n\r\n").is_ok() && !is_closed(&mut tcp) {
        assert!(began.elapsed() < LIMIT, "it stays for as long as it pings");
    }
    assert!(began.elapsed() >= SHORT / 2);
}

#[test]
fn many_pings_at_once_have_one_pong() {
    let gateway = Gateway::start(|_| {});
    let mut tcp = gateway.tcp();
    tcp.write_all(format!("{}{}", "\r\n".repeat(2000), options("TCP")).as_bytes()).unwrap();
    let text = answer(&mut tcp);
    let pongs = text.find("SIP/2.0").unwrap() / 2;
    assert!((1..20).contains(&pongs), "{pongs}");
}

#[test]
fn whoever_guesses_passwords_has_no_connections_for_a_while() {
    let gateway = Gateway::start(|_| {});
    let mut tcp = gateway.tcp();
    let mut nonce = "none".to_owned();
    let mut guesses = 0;
    while guesses == 0 || gateway.running.handle.counters().get(Count::LockedOut) == 0 {
        tcp.write_all(guess(guesses, &nonce).as_bytes()).unwrap();
        let challenge = answer(&mut tcp);
        nonce = challenge.split("nonce=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
        guesses += 1;
        assert!(guesses < 100, "nobody is locked out");
    }
    assert!(is_closed(&mut gateway.tcp()));
    assert!(gateway.running.handle.counters().shed(abuse::Shed::LockedOut) > 0);
}

#[test]
fn what_is_no_sip_ends_a_stream() {
    let gateway = Gateway::start(|_| {});
    for garbage in ["GET / HTTP/1.1\r\nHost: gw.example.com\r\n\r\n", "\u{16}\u{3}\u{1}\r\n\r\n", &"x".repeat(70_000)] {
        let mut tcp = gateway.tcp();
        // It may be closed before all of it is written.
        let _ = tcp.write_all(garbage.as_bytes());
        let mut rest = Vec::new();
        let _ = tcp.read_to_end(&mut rest);
        assert!(!rest.starts_with(b"SIP/2.0 2"));
    }
}

#[test]
fn a_source_has_so_many_connections_and_no_more() {
    let gateway =
        Gateway::start(|listening| listening.connections = ConnectionLimits { per_source: 2, ..listening.connections });
    let ask = |tcp: &mut TcpStream| {
        tcp.write_all(options("TCP").as_bytes()).unwrap();
        answer(tcp)
    };
    let (mut one, mut two) = (gateway.tcp(), gateway.tcp());
    assert!(ask(&mut one).starts_with("SIP/2.0 200") && ask(&mut two).starts_with("SIP/2.0 200"));
    assert!(is_closed(&mut gateway.tcp()));
    assert_eq!(gateway.running.handle.counters().get(Count::Connections), 2);
}

#[test]
fn a_new_certificate_is_shown_to_newcomers_and_connections_go_on() {
    let gateway = Gateway::start(|_| {});
    let ask = |tls: &mut StreamOwned<ClientConnection, TcpStream>| {
        tls.write_all(options("TLS").as_bytes()).unwrap();
        assert!(answer(tls).starts_with("SIP/2.0 200"));
        tls.conn.peer_certificates().unwrap()[0].to_vec()
    };
    let mut first = gateway.tls();
    let before = ask(&mut first);
    gateway.running.handle.set_certificate(certificate("two"));
    assert_ne!(ask(&mut gateway.tls()), before);
    assert_eq!(ask(&mut first), before);
}

#[test]
fn an_engine_that_is_told_to_stop_ends() {
    let Gateway { mut running } = Gateway::start(|_| {});
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(running.handle.send(Command::Stop)).unwrap();
    assert!(running.events.blocking_recv().is_none());
    running.thread.join().unwrap().unwrap();
}
