use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::mpsc::{Receiver, sync_channel};
use std::time::Duration;

use super::super::{
    Event, Leg, MediaError, PortRange, Reach, Relay, Remote, Report, Session, Settings, Silence, Sound,
};
use super::{audio, clock, rtcp, rtp};

const PATIENCE: Duration = Duration::from_secs(20);

/// An address of this test's process alone; tests run in processes of their own.
fn host(number: u8) -> IpAddr {
    let [low, high, ..] = std::process::id().to_le_bytes();
    IpAddr::V4(Ipv4Addr::new(127, high, low, number))
}

/// A relay at host 1.
struct House {
    relay: Relay,
    events: Receiver<Event>,
}

impl House {
    fn new(ports: (u16, u16), change: impl FnOnce(&mut Settings)) -> Self {
        let (sender, events) = sync_channel(1000);
        let mut settings = Settings::new(PortRange::new(ports.0, ports.1).unwrap(), clock);
        change(&mut settings);
        let listener = move |event| {
            let _ = sender.try_send(event);
        };
        let relay = Relay::start(settings, listener).unwrap();
        Self { relay, events }
    }

    /// A session with both peers as they describe themselves.
    fn call(&self) -> Call {
        let session = self.relay.open([host(1); 2]).unwrap();
        let (a, b) = (Peer::new(host(2), &session, Leg::A), Peer::new(host(3), &session, Leg::B));
        a.connect(&session, Reach::AsDescribed);
        b.connect(&session, Reach::AsDescribed);
        Call { session, a, b }
    }

    fn event(&self) -> Event {
        self.events.recv_timeout(PATIENCE).unwrap()
    }
}

struct Call {
    session: Session,
    a: Peer,
    b: Peer,
}

/// A phone or Twilio.
struct Peer {
    socket: UdpSocket,
    leg: Leg,
    port: SocketAddr,
}

impl Peer {
    fn new(host: IpAddr, session: &Session, leg: Leg) -> Self {
        let socket = UdpSocket::bind((host, 0)).unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        Self { socket, leg, port: SocketAddr::new(self::host(1), session.port(leg)) }
    }

    fn address(&self) -> SocketAddr {
        self.socket.local_addr().unwrap()
    }

    fn connect(&self, session: &Session, reach: Reach) {
        let ours = audio(self.port);
        session.connect(self.leg, Remote::new(&audio(self.address()), &ours, reach)).unwrap();
    }

    fn say(&self, packet: &[u8]) {
        self.socket.send_to(packet, self.port).unwrap();
    }

    fn hear(&self) -> Vec<u8> {
        let mut buffer = [0; 2000];
        let (length, from) = self.socket.recv_from(&mut buffer).unwrap();
        assert_eq!(from, self.port);
        buffer[..length].to_vec()
    }

    fn has_heard_nothing(&self) -> bool {
        self.socket.set_nonblocking(true).unwrap();
        let heard = self.socket.recv(&mut [0; 2000]);
        self.socket.set_nonblocking(false).unwrap();
        heard.is_err()
    }
}

/// Also shows that the thread has carried out whatever was told before.
fn report(session: &Session) -> Report {
    let (sender, receiver) = sync_channel(1);
    session.report(move |report| sender.send(report).unwrap()).unwrap();
    receiver.recv_timeout(PATIENCE).unwrap()
}

#[test]
fn audio_and_rtcp_go_both_ways() {
    let house = House::new((30_000, 30_999), |_| {});
    let Call { session, a, b } = house.call();
    report(&session);
    for number in 0..50 {
        a.say(&rtp(0, 1, number));
        b.say(&rtp(0, 2, number));
        assert_eq!((b.hear(), a.hear()), (rtp(0, 1, number), rtp(0, 2, number)));
    }
    a.say(&rtp(101, 1, 50));
    assert_eq!(b.hear(), rtp(101, 1, 50));
    let id = session.id();
    assert_eq!(house.event(), Event::Locked { session: id, leg: Leg::A });
    assert_eq!(house.event(), Event::Locked { session: id, leg: Leg::B });
    let counted = report(&session);
    let of = |leg: &super::super::LegReport| (leg.received, leg.sent, leg.lost, leg.keys, leg.foreign);
    assert_eq!((of(&counted.a), of(&counted.b)), ((51, 50, 0, 1, 0), (50, 51, 0, 0, 0)));
}

#[test]
fn rtcp_has_the_port_above() {
    let house = House::new((30_000, 30_999), |_| {});
    let session = house.relay.open([host(1); 2]).unwrap();
    let neighbours = || {
        let rtcp = |rtp: &UdpSocket| {
            let rtp = rtp.local_addr().unwrap();
            UdpSocket::bind((rtp.ip(), rtp.port() + 1))
        };
        (0..100).find_map(|_| {
            let peer = Peer::new(host(2), &session, Leg::A);
            rtcp(&peer.socket).ok().map(|rtcp| (peer, rtcp))
        })
    };
    let ((a, a_rtcp), b) = (neighbours().unwrap(), Peer::new(host(3), &session, Leg::B));
    a_rtcp.set_read_timeout(Some(PATIENCE)).unwrap();
    a.connect(&session, Reach::AsDescribed);
    let mut multiplexed = audio(b.address());
    multiplexed.rtcp_mux = true;
    session.connect(Leg::B, Remote::new(&multiplexed, &multiplexed, Reach::AsDescribed)).unwrap();
    report(&session);
    b.say(&rtp(0, 2, 1));
    a.hear();
    b.say(&rtcp(2));
    let mut buffer = [0; 100];
    let (length, from) = a_rtcp.recv_from(&mut buffer).unwrap();
    assert_eq!((&buffer[..length], from.port()), (rtcp(2).as_slice(), a.port.port() + 1));
    a_rtcp.send_to(&rtcp(1), from).unwrap();
    assert_eq!(b.hear(), rtcp(1));
}

#[test]
fn legs_of_different_address_families_are_joined() {
    let house = House::new((30_000, 30_999), |_| {});
    let six = IpAddr::from(std::net::Ipv6Addr::LOCALHOST);
    let session = house.relay.open([six, host(1)]).unwrap();
    let (mut a, b) = (Peer::new(six, &session, Leg::A), Peer::new(host(3), &session, Leg::B));
    a.port.set_ip(six);
    a.connect(&session, Reach::AsDescribed);
    b.connect(&session, Reach::AsDescribed);
    report(&session);
    a.say(&rtp(8, 1, 1));
    assert_eq!(b.hear(), rtp(8, 1, 1));
    b.say(&rtp(8, 2, 1));
    assert_eq!(a.hear(), rtp(8, 2, 1));
}

#[test]
fn a_phone_behind_a_nat_is_found() {
    let house = House::new((30_000, 30_999), |_| {});
    let Call { session, a, b } = house.call();
    let elsewhere = Peer::new(host(4), &session, Leg::A);
    let private = audio("192.168.1.20:7078".parse().unwrap());
    let reach = Reach::MaybeNat { signalled: Some(host(4)) };
    session.connect(Leg::A, Remote::new(&private, &audio(a.port), reach)).unwrap();
    report(&session);
    (1..4).for_each(|number| elsewhere.say(&rtp(0, 1, number)));
    assert_eq!(b.hear(), rtp(0, 1, 3));
    b.say(&rtp(0, 2, 1));
    assert_eq!(elsewhere.hear(), rtp(0, 2, 1));
    assert!(a.has_heard_nothing());
}

#[test]
fn a_leg_hears_a_tone_until_the_other_is_there() {
    let house = House::new((30_000, 30_999), |_| {});
    let Call { session, a, b } = house.call();
    session.play(Leg::A, Some(Sound::Tone)).unwrap();
    let tone: Vec<_> = (0..5).map(|_| a.hear()).collect();
    let sequence = |packet: &[u8]| u16::from_be_bytes([packet[2], packet[3]]);
    for pair in tone.windows(2) {
        assert_eq!((pair[0].len(), sequence(&pair[1])), (172, sequence(&pair[0]).wrapping_add(1)));
        assert_eq!(pair[0][8..12], pair[1][8..12]);
    }
    b.say(&rtp(0, 2, 1));
    let mut last = sequence(&tone[4]);
    let theirs = loop {
        let heard = a.hear();
        assert_eq!(sequence(&heard), last.wrapping_add(1), "numbers go on, whoever is heard");
        if heard[8..12] != tone[0][8..12] {
            break heard;
        }
        last = sequence(&heard);
    };
    let sent = rtp(0, 2, 1);
    assert_eq!((&theirs[..2], &theirs[4..]), (&sent[..2], &sent[4..]), "all else is as it was");
    // For as long as the other leg's tone takes, nothing comes any more.
    session.play(Leg::B, Some(Sound::Tone)).unwrap();
    (0..5).for_each(|_| drop(b.hear()));
    assert!(a.has_heard_nothing());
    session.play(Leg::B, None).unwrap();
    assert!(report(&session).a.sent >= 6);
}

#[test]
fn a_leg_that_falls_silent_is_told_of_again_and_again() {
    let silence = Duration::from_millis(100);
    let house = House::new((30_000, 30_999), |settings| settings.silence = silence);
    let session = house.relay.open([host(1); 2]).unwrap();
    let a = Peer::new(host(2), &session, Leg::A);
    a.connect(&session, Reach::AsDescribed);
    let mut before = Duration::ZERO;
    for _ in 0..3 {
        let Event::Silent(Silence { session: id, leg: Leg::A, since, both: false }) = house.event() else {
            panic!("another event")
        };
        assert!(id == session.id() && since >= before + silence, "{since:?} after {before:?}");
        before = since;
    }
    Peer::new(host(3), &session, Leg::B).connect(&session, Reach::AsDescribed);
    while !matches!(house.event(), Event::Silent(Silence { both: true, .. })) {}
}

#[test]
fn ports_are_given_back_and_run_out() {
    let house = House::new((30_000, 30_009), |_| {});
    let sessions: Vec<_> = (0..2).map(|_| house.relay.open([host(1); 2]).unwrap()).collect();
    let ports: std::collections::BTreeSet<_> =
        sessions.iter().flat_map(|session| Leg::BOTH.map(|leg| session.port(leg))).collect();
    assert!(ports.len() == 4 && ports.iter().all(|port| port % 2 == 0));
    let error = house.relay.open([host(1); 2]).unwrap_err();
    assert!(matches!(error, MediaError::NoPorts) && error.is_temporary());
    assert_eq!(house.relay.free_ports(), 1);
    let probe = house.relay.open([host(1); 2]);
    assert!(probe.is_err());
    let mut sessions = sessions.into_iter();
    drop(sessions.next());
    report(sessions.as_slice().first().unwrap());
    assert_eq!(house.relay.free_ports(), 3);
    house.relay.open([host(1); 2]).unwrap();
}

#[test]
fn ports_of_other_programs_are_passed_over() {
    let house = House::new((30_000, 30_007), |_| {});
    let _others = [UdpSocket::bind((host(1), 30_000)).unwrap(), UdpSocket::bind((host(1), 30_003)).unwrap()];
    let session = house.relay.open([host(1); 2]).unwrap();
    let mut ports = Leg::BOTH.map(|leg| session.port(leg));
    ports.sort_unstable();
    assert_eq!(ports, [30_004, 30_006]);
    assert!(matches!(house.relay.open([host(1); 2]), Err(MediaError::NoPorts)));
    assert_eq!(house.relay.free_ports(), 2);
}

#[test]
fn ten_thousand_sessions_leave_no_port_and_no_file_behind() {
    let files = || std::fs::read_dir("/proc/self/fd").unwrap().count();
    let house = House::new((30_000, 30_999), |_| {});
    let (free, open) = (house.relay.free_ports(), files());
    for _ in 0..10_000 {
        let session = loop {
            match house.relay.open([host(1); 2]) {
                Ok(session) => break session,
                Err(error) => assert!(error.is_temporary(), "{error}"),
            }
        };
        drop(session);
    }
    let last = loop {
        match house.relay.open([host(1); 2]) {
            Ok(session) => break session,
            Err(error) => assert!(error.is_temporary(), "{error}"),
        }
    };
    while last.report(|_| ()).is_err() {}
    // Handles whose command found no room are swept within a second.
    let deadline = clock() + PATIENCE;
    while house.relay.free_ports() != free - 2 {
        assert!(clock() < deadline, "{} of {free} are free", house.relay.free_ports());
        std::thread::yield_now();
    }
    assert_eq!(files(), open + 4);
}

#[test]
fn a_session_ends_although_the_queue_had_no_room_to_say_so() {
    let house = House::new((30_000, 30_999), |_| {});
    let free = house.relay.free_ports();
    let sessions = [(); 2].map(|()| house.relay.open([host(1); 2]).unwrap());
    let ((here, held), (go, wait)) = (sync_channel(1), sync_channel::<()>(0));
    let hold = move |_| {
        here.send(()).unwrap();
        wait.recv().unwrap();
    };
    sessions[0].report(hold).unwrap();
    held.recv_timeout(PATIENCE).unwrap();
    while sessions[0].play(Leg::A, None).is_ok() {}
    assert!(matches!(sessions[0].play(Leg::A, None), Err(MediaError::Busy)));
    drop(sessions);
    go.send(()).unwrap();
    let deadline = clock() + PATIENCE;
    while house.relay.free_ports() != free {
        assert!(clock() < deadline);
        std::thread::yield_now();
    }
}

#[test]
fn a_stopped_relay_says_so() {
    let house = House::new((30_000, 30_999), |_| {});
    let session = house.relay.open([host(1); 2]).unwrap();
    drop(house.relay);
    assert!(matches!(session.play(Leg::A, None), Err(MediaError::Stopped)));
}

/// RTP bleed: somebody sends well-formed packets to every port there is, again and again, in the midst of calls, some of
/// which are still learning.
#[test]
fn a_spray_over_all_ports_is_not_answered_and_breaks_no_stream() {
    const PORTS: (u16, u16) = (30_000, 30_499);
    let house = House::new(PORTS, |_| {});
    let calls: Vec<_> = (0..20).map(|_| house.call()).collect();
    // Of these the phone has not sent yet, and may come from anywhere.
    let learning: Vec<_> = (0..5).map(|_| house.call()).collect();
    for call in &learning {
        let private = audio("192.168.1.20:7078".parse().unwrap());
        let reach = Reach::MaybeNat { signalled: Some(host(2)) };
        call.session.connect(Leg::A, Remote::new(&private, &audio(call.a.port), reach)).unwrap();
    }
    report(&learning.last().unwrap().session);
    let sprayer = UdpSocket::bind((host(66), 0)).unwrap();
    sprayer.set_nonblocking(true).unwrap();
    for number in 0..9 {
        for call in &calls {
            call.a.say(&rtp(0, 1, number));
            assert_eq!(call.b.hear(), rtp(0, 1, number));
        }
        for port in PORTS.0..=PORTS.1 {
            let packet = if port % 2 == 0 { rtp(0, 1, number) } else { rtcp(1) };
            sprayer.send_to(&packet, (host(1), port)).unwrap();
        }
        for call in calls.iter().chain(&learning) {
            call.b.say(&rtp(0, 2, number));
        }
        for call in &calls {
            assert_eq!(call.a.hear(), rtp(0, 2, number));
        }
    }
    for call in &learning {
        (0..3).for_each(|number| call.a.say(&rtp(0, 3, number)));
        assert_eq!(call.b.hear(), rtp(0, 3, 2));
        call.b.say(&rtp(0, 2, 9));
        while call.a.hear() != rtp(0, 2, 9) {}
    }
    for call in &calls {
        let counted = report(&call.session);
        assert_eq!((counted.a.foreign, counted.b.foreign, counted.a.lost), (18, 18, 0));
        assert!(call.a.has_heard_nothing() && call.b.has_heard_nothing());
    }
    let reflected = sprayer.recv(&mut [0; 2000]).map_err(|error| error.kind());
    assert_eq!(reflected, Err(std::io::ErrorKind::WouldBlock));
}
