//! Calls through the engine with its sockets and its relay: a phone over TCP, Twilio over UDP, and what they say to each other.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::{
    io::{Read, Write},
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream, UdpSocket},
    time::Duration,
};

use offdesk_sip::{
    digest::Ha1s,
    driver::{self, ConnectionLimits, Listening, Patience, Running},
    engine::{CallId, CallSettings, Caller, Command, Ender, Event, Media, Ring, Settings},
    leg::Here,
    media::PortRange,
};

/// How long the machine may take.
const LIMIT: Duration = Duration::from_secs(20);
const HOME: &str = "127.0.0.1";
const DOMAIN: &str = "gw.example.com";
const CALL: CallId = CallId(7);

struct House {
    running: Running,
    events: Vec<Event>,
    phone: TcpStream,
    twilio: UdpSocket,
    /// Where the phone and Twilio hear and speak.
    voices: [UdpSocket; 2],
    /// Where the phone says that it does.
    described: &'static str,
}

fn settings(listen: IpAddr, silence: Duration) -> Settings {
    let here = [127, 0, 0, 1].into();
    let media = Media::Relay { ports: PortRange::USUAL, listen, advertised: here };
    let calls = CallSettings {
        twilio_networks: vec!["127.0.0.0/8".parse().unwrap()],
        call_silence: silence,
        ..CallSettings::new(Here { address: here, ports: [0; 3] }, media)
    };
    Settings::new(DOMAIN, calls)
}

fn udp() -> UdpSocket {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.set_read_timeout(Some(LIMIT)).unwrap();
    socket
}

/// Where peers find what is bound.
fn there(bound: Option<SocketAddr>) -> SocketAddr {
    (Ipv4Addr::LOCALHOST, bound.unwrap().port()).into()
}

fn header<'a>(text: &'a str, name: &str) -> &'a str {
    text.lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
        .unwrap_or_else(|| panic!("{name}: {text}"))
}

fn read(stream: &mut TcpStream) -> String {
    let mut text = Vec::new();
    while !text.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte).unwrap();
        text.extend(byte);
    }
    let head = String::from_utf8(text).unwrap();
    let mut body = vec![0; header(&head, "Content-Length").parse().unwrap()];
    stream.read_exact(&mut body).unwrap();
    head + std::str::from_utf8(&body).unwrap()
}

fn receive(socket: &UdpSocket) -> String {
    let mut buffer = [0; 4096];
    let length = socket.recv(&mut buffer).unwrap();
    String::from_utf8(buffer[..length].to_vec()).unwrap()
}

fn body(host: &str, at: &UdpSocket) -> String {
    let port = at.local_addr().unwrap().port();
    let sdp =
        format!("v=0\r\no=- 1 1 IN IP4 {host}\r\ns=-\r\nc=IN IP4 {host}\r\nt=0 0\r\nm=audio {port} RTP/AVP 0\r\n");
    format!("Content-Type: application/sdp\r\nContent-Length: {}\r\n\r\n{sdp}", sdp.len())
}

/// The port that a description names.
fn port_of(text: &str) -> SocketAddr {
    let line = text.lines().find_map(|line| line.strip_prefix("m=audio ")).unwrap();
    SocketAddr::from(([127, 0, 0, 1], line.split(' ').next().unwrap().parse().unwrap()))
}

fn ok(request: &str, tag: &str, body: &str) -> String {
    let copied = ["Via", "From", "Call-ID", "CSeq"].map(|name| format!("{name}: {}\r\n", header(request, name)));
    let to = header(request, "To");
    format!("SIP/2.0 200 OK\r\n{}To: {to}{tag}\r\nContact: <sip:a@127.0.0.1:9>\r\n{body}", copied.concat())
}

fn packet(number: u16) -> Vec<u8> {
    rtp_rs::RtpPacketBuilder::new()
        .payload_type(0)
        .ssrc(9)
        .sequence(number.into())
        .payload(&[0x55; 160])
        .build()
        .unwrap()
}

const EMPTY: &str = "Content-Length: 0\r\n\r\n";

impl House {
    fn start(silence: Duration) -> Self {
        Self::start_at(Ipv4Addr::LOCALHOST.into(), HOME, silence)
    }

    fn start_at(listen: IpAddr, described: &'static str, silence: Duration) -> Self {
        let at = || Some((listen, 0).into());
        let listening = Listening {
            udp: at(),
            tcp: at(),
            tls: None,
            connections: ConnectionLimits::default(),
            patience: Patience::default(),
        };
        let ha1s = Ha1s::new("anna", DOMAIN, "secret");
        let anna = Command::SetAccount { user: "anna".parse().unwrap(), ha1s };
        let running = driver::start(settings(listen, silence), listening, [7; 32], vec![anna]).unwrap();
        let phone = TcpStream::connect(there(running.bound.tcp)).unwrap();
        phone.set_read_timeout(Some(LIMIT)).unwrap();
        let mut house = Self { running, events: Vec::new(), phone, twilio: udp(), voices: [udp(), udp()], described };
        house.register();
        house
    }

    fn register(&mut self) {
        let text = |cseq: u32, more: &str| {
            format!(
                "REGISTER sip:{DOMAIN} SIP/2.0\r\nVia: SIP/2.0/TCP 127.0.0.1:9;branch=z9hG4bK{cseq};rport\r\nMax-Forwards: 70\r\n\
                 From: <sip:anna@{DOMAIN}>;tag=1\r\nTo: <sip:anna@{DOMAIN}>\r\nCall-ID: r\r\nCSeq: {cseq} REGISTER\r\n\
                 Contact: <sip:anna@127.0.0.1:9;transport=tcp>\r\n{more}Content-Length: 0\r\n\r\n"
            )
        };
        self.phone.write_all(text(1, "").as_bytes()).unwrap();
        let challenge = read(&mut self.phone);
        let nonce = challenge.split("nonce=\"").nth(1).unwrap().split('"').next().unwrap();
        // A hash of three parts with colons between them is what `Ha1s` makes.
        let md5 = |one: &str, two: &str, three: &str| -> String {
            Ha1s::new(one, two, three).md5().iter().map(|byte| format!("{byte:02x}")).collect()
        };
        let (ha1, ha2) = (md5("anna", DOMAIN, "secret"), md5("REGISTER", "sip", DOMAIN));
        let response = md5(&ha1, nonce, &format!("00000001:cn:auth:{ha2}"));
        let credentials = format!(
            "Authorization: Digest username=\"anna\", realm=\"{DOMAIN}\", nonce=\"{nonce}\", uri=\"sip:{DOMAIN}\", \
             response=\"{response}\", algorithm=MD5, cnonce=\"cn\", qop=auth, nc=00000001\r\n"
        );
        self.phone.write_all(text(2, &credentials).as_bytes()).unwrap();
        assert!(read(&mut self.phone).starts_with("SIP/2.0 200"));
    }

    fn command(&self, command: Command) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(self.running.handle.send(command)).unwrap();
    }

    /// The next that is told of a call.
    fn event(&mut self) -> Event {
        loop {
            while !self.events.is_empty() {
                let event = self.events.remove(0);
                if !matches!(event, Event::Bound { .. } | Event::Unbound(_)) {
                    return event;
                }
            }
            self.events = self.running.events.blocking_recv().unwrap();
        }
    }

    /// A call that both sides are in; where each of them is to speak to.
    fn bridged(&mut self) -> [SocketAddr; 2] {
        let caller = Caller { name: None, number: Some("+15550100".into()) };
        let ring = Ring { call: CALL, user: "anna".parse().unwrap(), caller, ring: LIMIT };
        self.command(Command::Ring(Box::new(ring)));
        let invite = read(&mut self.phone);
        assert!(invite.starts_with("INVITE sip:anna@127.0.0.1:9;transport=tcp SIP/2.0"), "{invite}");
        self.phone.write_all(ok(&invite, ";tag=ph", &body(self.described, &self.voices[0])).as_bytes()).unwrap();
        assert!(read(&mut self.phone).starts_with("ACK "));
        let Event::Answered { ticket, .. } = self.event() else { panic!("not answered") };
        let from = self.twilio.local_addr().unwrap();
        let asks = |method: &str, tag: &str, body: &str| {
            format!(
                "{method} sip:{ticket}@{DOMAIN} SIP/2.0\r\nVia: SIP/2.0/UDP {from};branch=z9hG4bK{method}\r\nMax-Forwards: 70\r\n\
                 From: <sip:+15550100@{from}>;tag=t\r\nTo: <sip:{ticket}@{DOMAIN}>{tag}\r\nCall-ID: c\r\nCSeq: 1 {method}\r\n\
                 Contact: <sip:{from}>\r\n{body}"
            )
        };
        let gateway = there(self.running.bound.udp);
        self.twilio.send_to(asks("INVITE", "", &body(HOME, &self.voices[1])).as_bytes(), gateway).unwrap();
        let answer = receive(&self.twilio);
        assert!(answer.starts_with("SIP/2.0 200"), "{answer}");
        let tag = header(&answer, "To").split_once(";tag=").unwrap().1;
        self.twilio.send_to(asks("ACK", &format!(";tag={tag}"), EMPTY).as_bytes(), gateway).unwrap();
        assert_eq!(self.event(), Event::Bridged { call: CALL });
        [port_of(&invite), port_of(&answer)]
    }

    /// Both say that they have heard of the end.
    fn acknowledge_byes(&mut self) {
        let bye = read(&mut self.phone);
        assert!(bye.starts_with("BYE "), "{bye}");
        self.phone.write_all(ok(&bye, "", EMPTY).as_bytes()).unwrap();
        let bye = receive(&self.twilio);
        assert!(bye.starts_with("BYE "), "{bye}");
        self.twilio.send_to(ok(&bye, "", EMPTY).as_bytes(), there(self.running.bound.udp)).unwrap();
    }
}

#[test]
fn both_hear_each_other_and_an_engine_that_stops_tells_them_so() {
    let mut house = House::start(LIMIT);
    let [phone, twilio] = house.bridged();
    let mut buffer = [0; 2048];
    let length = house.voices[0].recv(&mut buffer).unwrap();
    assert_eq!((length, buffer[1] & 0x7f), (172, 0), "a soft tone until then");
    house.voices[1].send_to(&packet(1), twilio).unwrap();
    while house.voices[0].recv(&mut buffer).unwrap() != 172 || buffer[12..172] != [0x55; 160] {}
    house.voices[0].send_to(&packet(2), phone).unwrap();
    assert_eq!(house.voices[1].recv(&mut buffer).unwrap(), 172);
    house.command(Command::Stop);
    house.acknowledge_byes();
    let Event::Ended { by: Ender::Us, quality: Some(quality), .. } = house.event() else { panic!("not ended") };
    assert_eq!((quality.phone.received, quality.twilio.received), (1, 1));
    assert!(house.running.events.blocking_recv().is_none());
    house.running.thread.join().unwrap().unwrap();
}

#[test]
fn a_call_in_which_nobody_speaks_is_ended() {
    let mut house = House::start(Duration::from_millis(300));
    house.bridged();
    house.acknowledge_byes();
    assert!(matches!(house.event(), Event::Ended { call: CALL, by: Ender::Silence, quality: Some(_) }));
}

#[test]
fn all_calls_over_one_connection_hear_of_their_end() {
    let mut house = House::start(LIMIT);
    for call in 1..=200 {
        let ring = Ring { call: CallId(call), user: "anna".parse().unwrap(), caller: Caller::default(), ring: LIMIT };
        house.command(Command::Ring(Box::new(ring)));
    }
    let mut acknowledged = 0;
    while acknowledged < 200 {
        let text = read(&mut house.phone);
        if text.starts_with("INVITE ") {
            house.phone.write_all(ok(&text, ";tag=ph", &body(house.described, &house.voices[0])).as_bytes()).unwrap();
        } else {
            assert!(text.starts_with("ACK "), "{text}");
            acknowledged += 1;
        }
    }
    house.command(Command::Stop);
    for _ in 0..200 {
        let bye = read(&mut house.phone);
        assert!(bye.starts_with("BYE "), "{bye}");
    }
}

/// What of the two sides is told apart by addresses, is so by those that the peers have, whatever the socket makes of them.
#[test]
fn peers_of_ipv4_are_known_by_their_addresses_on_sockets_for_both_families() {
    // The phone is behind a NAT: its audio is known by where its messages come from.
    let mut house = House::start_at(Ipv6Addr::UNSPECIFIED.into(), "127.9.9.9", LIMIT);
    let [phone, twilio] = house.bridged();
    let mut buffer = [0; 2048];
    house.voices[1].set_read_timeout(Some(LIMIT / 40)).unwrap();
    let heard = (1..10).find(|number| {
        house.voices[0].send_to(&packet(*number), phone).unwrap();
        house.voices[1].recv(&mut buffer).is_ok()
    });
    assert!(heard.is_some_and(|number| number >= 3), "{heard:?}: a stranger would need ten");
    house.voices[1].send_to(&packet(1), twilio).unwrap();
    while house.voices[0].recv(&mut buffer).unwrap() != 172 || buffer[12..172] != [0x55; 160] {}
    house.command(Command::Stop);
    house.acknowledge_byes();
}
