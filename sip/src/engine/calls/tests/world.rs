//! The core with phones, a Twilio and a relay that are played by the test, word by word.

use std::{
    net::{IpAddr, SocketAddr},
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use crate::{
    engine::{
        CallId, Caller, Command, Event, Media, MediaNews, MediaRelay, MediaSession, Output, Ring, Settings,
        tests::house::{DOMAIN, House, Phone},
    },
    leg::tests::node::{body, header, method, response},
    media::{Leg, LegReport, MediaError, PortRange, Remote, Report, SessionId, Silence, Sound},
    transport::Flow,
};

/// What the relay was told.
#[derive(Default)]
pub(super) struct Told {
    last: u64,
    pub(super) open: usize,
    pub(super) connected: Vec<Leg>,
    pub(super) played: Vec<Leg>,
    pub(super) full: bool,
    /// Reports do not come.
    pub(super) mute: bool,
    asked: Vec<SessionId>,
}

struct Relay(Arc<Mutex<Told>>);

struct Session {
    id: u64,
    told: Arc<Mutex<Told>>,
}

impl MediaRelay for Relay {
    fn open(&mut self, _: [IpAddr; 2]) -> Result<Box<dyn MediaSession>, MediaError> {
        let mut told = self.0.lock().unwrap();
        if told.full {
            return Err(MediaError::NoPorts);
        }
        told.last += 1;
        told.open += 1;
        Ok(Box::new(Session { id: told.last, told: self.0.clone() }))
    }
}

impl MediaSession for Session {
    fn id(&self) -> SessionId {
        SessionId::of_test(self.id)
    }

    fn port(&self, leg: Leg) -> u16 {
        u16::try_from(20_000 + self.id % 1000 * 4).unwrap() + if leg == Leg::A { 0 } else { 2 }
    }

    fn connect(&self, leg: Leg, _: Remote) -> Result<(), MediaError> {
        self.told.lock().unwrap().connected.push(leg);
        Ok(())
    }

    fn play(&self, leg: Leg, _: Sound) {
        self.told.lock().unwrap().played.push(leg);
    }

    fn ask_report(&self) {
        let mut told = self.told.lock().unwrap();
        if !told.mute {
            told.asked.push(self.id());
        }
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.told.lock().unwrap().open -= 1;
    }
}

pub(super) struct World {
    pub(super) house: House,
    pub(super) told: Arc<Mutex<Told>>,
    /// What was sent, and nobody has looked at yet.
    pub(super) sent: Vec<(Flow, String)>,
    /// What was told of calls, and nobody has looked at yet.
    pub(super) events: Vec<Event>,
    /// Sockets were told to do that.
    pub(super) orders: Vec<Output>,
}

/// The peers.
pub(super) const DESK: &str = "192.0.2.7:5062";
pub(super) const HOME: &str = "198.51.100.8:40001";
pub(super) const TWILIO: &str = "54.172.60.2:5060";
pub(super) const ELSEWHERE: &str = "203.0.113.66:5060";

const NO_TICKET: &str = "00000000000000000000000000000000";

pub(super) const CALL: CallId = CallId(7);

/// Neither side of the first call is heard of.
pub(super) const BOTH_SILENT: Silence =
    Silence { session: SessionId::of_test(1), leg: Leg::B, since: Duration::from_secs(30), both: true };

pub(super) const BOTH: &str = "v=0\r\no=- 1 1 IN IP4 192.0.2.7\r\ns=-\r\nc=IN IP4 192.0.2.7\r\nt=0 0\r\n\
    m=audio 4000 RTP/AVP 0 8 101\r\na=rtpmap:101 telephone-event/8000\r\n";
/// The same, of a phone that answers with the voice that Twilio has too.
pub(super) const ONE: &str = "v=0\r\no=- 1 1 IN IP4 192.0.2.7\r\ns=-\r\nc=IN IP4 192.0.2.7\r\nt=0 0\r\n\
    m=audio 4000 RTP/AVP 0 101\r\na=rtpmap:101 telephone-event/8000\r\n";
pub(super) const ALAW: &str =
    "v=0\r\no=- 1 1 IN IP4 192.0.2.7\r\ns=-\r\nc=IN IP4 192.0.2.7\r\nt=0 0\r\nm=audio 4000 RTP/AVP 8\r\n";
pub(super) const ULAW: &str = "v=0\r\no=- 1 1 IN IP4 168.86.149.12\r\ns=-\r\nc=IN IP4 168.86.149.12\r\nt=0 0\r\n\
    m=audio 14312 RTP/AVP 0 101\r\na=rtpmap:101 telephone-event/8000\r\n";

pub(super) fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

impl World {
    pub(super) fn new() -> Self {
        Self::with(|_| {})
    }

    pub(super) fn with(change: impl FnOnce(&mut Settings)) -> Self {
        let told = Arc::new(Mutex::new(Told::default()));
        let house = House::with_relay(Some(Box::new(Relay(told.clone()))), |settings| {
            let (listen, advertised) = ([0, 0, 0, 0].into(), [192, 0, 2, 1].into());
            settings.calls.media = Media::Relay { ports: PortRange::USUAL, listen, advertised };
            settings.calls.twilio_networks = vec!["54.172.60.0/30".parse().unwrap()];
            settings.registrar.push_project = Some("ours".into());
            change(settings);
        });
        Self { house, told, sent: Vec::new(), events: Vec::new(), orders: Vec::new() }
    }

    pub(super) fn told(&self) -> MutexGuard<'_, Told> {
        self.told.lock().unwrap()
    }

    /// Which legs the relay was told of, and which it plays to.
    pub(super) fn media(&self) -> (Vec<Leg>, Vec<Leg>) {
        let told = self.told();
        (told.connected.clone(), told.played.clone())
    }

    /// A phone of Anna's registers from there.
    pub(super) fn registers(&mut self, peer: &'static str, cseq: u32, line: &str) {
        self.registers_as("anna", "secret", peer, cseq, line);
    }

    pub(super) fn registers_as(
        &mut self,
        user: &'static str,
        password: &'static str,
        peer: &'static str,
        cseq: u32,
        line: &str,
    ) {
        let phone = Phone { user, password, peer, cseq };
        let contact = if line.is_empty() { phone.contact() } else { line.to_owned() };
        // A Call-ID of each phone's own.
        let text = |answer| phone.register(&contact, answer).replace("Call-ID: ", &format!("Call-ID: {peer}-"));
        let text = |answer| text(answer).replace("branch=z9hG4bK", &format!("branch=z9hG4bK{cseq}"));
        let challenge = self.house.datagram(peer, &text(None)).remove(0);
        let nonce = crate::engine::tests::house::nonce(&challenge);
        self.house.core.datagram(peer.parse().unwrap(), text(Some((&nonce, 1))).as_bytes(), self.house.now);
        self.collect();
        let answer = self.sent.iter().position(|(_, text)| text.contains(" REGISTER\r\n")).unwrap();
        let (_, granted) = self.sent.remove(answer);
        assert!(granted.starts_with("SIP/2.0 200"), "{granted}");
    }

    pub(super) fn command(&mut self, command: Command) {
        self.house.core.command(command, self.house.now);
        self.collect();
    }

    pub(super) fn ring(&mut self) {
        self.ring_for(20);
    }

    pub(super) fn ring_for(&mut self, seconds: u64) {
        let caller = Caller { name: Some("Bo \"B\"".into()), number: Some("+15550100".into()) };
        let ring = Ring { call: CALL, user: "anna".parse().unwrap(), caller, ring: secs(seconds) };
        self.command(Command::Ring(Box::new(ring)));
    }

    /// A datagram comes from there.
    pub(super) fn says(&mut self, peer: &str, text: &str) {
        self.house.core.datagram(peer.parse().unwrap(), text.as_bytes(), self.house.now);
        self.collect();
    }

    pub(super) fn pass(&mut self, time: Duration) {
        let end = self.house.now.instant + time;
        self.collect();
        while let Some(at) = self.house.core.next_timeout(self.house.now).filter(|at| *at <= end) {
            let at = at.max(self.house.now.instant + Duration::from_micros(100)).min(end);
            self.house.move_to(at);
            self.house.core.timeout(self.house.now);
            self.collect();
            if at == end {
                break;
            }
        }
        self.house.move_to(end);
        self.house.core.timeout(self.house.now);
        self.collect();
    }

    fn collect(&mut self) {
        loop {
            let asked = std::mem::take(&mut self.told().asked);
            for session in asked {
                let leg = |received| LegReport {
                    received,
                    lost: 1,
                    jitter: Duration::from_millis(2),
                    ..LegReport::default()
                };
                self.house.core.media(MediaNews::Report(session, Report { a: leg(100), b: leg(200) }), self.house.now);
            }
            while let Some(output) = self.house.core.take_output() {
                match output {
                    Output::Send { flow, bytes, .. } => {
                        self.sent.push((flow, String::from_utf8(bytes.to_vec()).unwrap()));
                    }
                    order => self.orders.push(order),
                }
            }
            if self.told().asked.is_empty() {
                break;
            }
        }
        while let Some(event) = self.house.core.take_event(self.house.now) {
            if !matches!(event, Event::Bound { .. } | Event::Unbound(_)) {
                self.events.push(event);
            }
        }
    }

    /// What was sent there since the last look.
    pub(super) fn to(&mut self, peer: &str) -> Vec<String> {
        let peer: SocketAddr = peer.parse().unwrap();
        let (there, others) = std::mem::take(&mut self.sent).into_iter().partition(|(flow, _)| flow.peer == peer);
        self.sent = others;
        let there: Vec<(Flow, String)> = there;
        there.into_iter().map(|(_, text)| text).collect()
    }

    /// The relay tells of a silence.
    pub(super) fn falls_silent(&mut self, silence: Silence) {
        self.house.core.media(MediaNews::Silent(silence), self.house.now);
        self.collect();
    }

    /// The one message that was sent there since the last look.
    pub(super) fn one(&mut self, peer: &str) -> String {
        let mut sent = self.to(peer);
        assert_eq!(sent.len(), 1, "{sent:?}");
        sent.remove(0)
    }

    pub(super) fn methods(&mut self, peer: &str) -> Vec<String> {
        self.to(peer).iter().map(|text| what(text)).collect()
    }

    pub(super) fn news(&mut self) -> Vec<Event> {
        std::mem::take(&mut self.events)
    }

    /// The phone there rings and is answered; the INVITE.
    pub(super) fn answers(&mut self, peer: &str, sdp: &str) -> String {
        let invite = self.one(peer);
        self.says(peer, &response(&invite, "180", "ph", &[CONTACT], ""));
        self.says(peer, &response(&invite, "200", "ph", &[CONTACT], sdp));
        assert_eq!(self.methods(peer), ["ACK"]);
        invite
    }

    /// The ticket of a call that a phone has answered.
    pub(super) fn ticket(&mut self) -> String {
        let ticket = self.ticket_of_test();
        assert_ne!(ticket, NO_TICKET, "no phone has answered");
        ticket
    }

    /// The same, if there is one; else one that there is not.
    pub(super) fn ticket_of_test(&self) -> String {
        let ticket = self.events.iter().find_map(|event| match event {
            Event::Answered { ticket, .. } => Some(ticket.to_string()),
            _ => None,
        });
        ticket.unwrap_or_else(|| NO_TICKET.to_owned())
    }

    /// Requests that were sent to peers, and are not looked at yet.
    pub(super) fn requests(&self) -> Vec<(&'static str, String)> {
        let peer = |flow: &Flow| [DESK, HOME, TWILIO].into_iter().find(|peer| address(peer) == flow.peer);
        let requests = self.sent.iter().filter(|(_, text)| !text.starts_with("SIP/2.0") && !text.starts_with("ACK"));
        requests.filter_map(|(flow, text)| Some((peer(flow)?, text.clone()))).collect()
    }

    /// The latest 2xx that Twilio's INVITE was answered with.
    pub(super) fn last_ok(&self) -> Option<String> {
        let is_ok = |text: &&String| text.starts_with("SIP/2.0 200") && text.contains("54.172.60.2");
        self.sent.iter().map(|(_, text)| text).rfind(is_ok).cloned()
    }

    /// Twilio's INVITE to this ticket, and what it is answered.
    pub(super) fn twilio_invites(&mut self, ticket: &str, sdp: &str) -> String {
        self.says(TWILIO, &invite(ticket, "t1", sdp));
        self.one(TWILIO)
    }

    /// A call with its two sides: the INVITE to the phone, and the 200 to Twilio.
    pub(super) fn bridged(&mut self) -> (String, String) {
        self.registers(DESK, 1, "");
        self.ring();
        let to_phone = self.answers(DESK, ONE);
        let ticket = self.ticket();
        let ok = self.twilio_invites(&ticket, ULAW);
        assert!(ok.starts_with("SIP/2.0 200"), "{ok}");
        self.says(TWILIO, &within(&ok, "ACK", 1, ""));
        assert_eq!(self.news().last(), Some(&Event::Bridged { call: CALL }));
        (to_phone, ok)
    }

    /// Time goes by until nothing can be left, and nothing is.
    pub(super) fn is_clean(&mut self) {
        self.pass(secs(200));
        assert_eq!(self.house.core.calls.left(), [0; 9]);
        assert!(self.house.core.transactions.is_empty() && self.house.core.is_idle());
        assert_eq!(self.told().open, 0);
    }
}

pub(super) const CONTACT: &str = "Contact: <sip:anna@10.0.0.9:5070>";

/// Twilio's INVITE: two hops, a private Contact.
pub(super) fn invite(user: &str, call_id: &str, sdp: &str) -> String {
    format!(
        "INVITE sip:{user}@{DOMAIN} SIP/2.0\r\nVia: SIP/2.0/UDP 54.172.60.2:5060;branch=z9hG4bK{call_id}\r\n\
         Via: SIP/2.0/UDP 172.16.0.9:5060;branch=z9hG4bKinner\r\nMax-Forwards: 67\r\n\
         Record-Route: <sip:54.172.60.2:5060;lr;r2=on>, <sip:54.172.60.2:5080;lr;r2=on>\r\n\
         From: <sip:+15550100@twilio.example>;tag=tw\r\nTo: <sip:{user}@{DOMAIN}>\r\nCall-ID: {call_id}\r\n\
         CSeq: 1 INVITE\r\nContact: <sip:172.16.0.9:5060>\r\nAllow: INVITE, ACK, CANCEL, OPTIONS, BYE\r\n{}",
        body(sdp)
    )
}

/// A request of a peer's in the dialog that a message of ours belongs to: our 2xx, or our ACK or INVITE with To tag `ph`.
pub(super) fn within(of: &str, method: &str, cseq: u32, sdp: &str) -> String {
    let ours_first = of.starts_with("SIP/2.0");
    let (ours, theirs) = if ours_first { ("To", "From") } else { ("From", "To") };
    let their = header(of, theirs);
    let their = if their.contains(";tag=") { their.to_owned() } else { format!("{their};tag=ph") };
    format!(
        "{method} sip:offdesk@192.0.2.1:5060 SIP/2.0\r\nVia: SIP/2.0/UDP 10.9.9.9;rport;branch=z9hG4bK{method}{cseq}-{}\r\nMax-Forwards: 70\r\n\
         From: {their}\r\nTo: {}\r\nCall-ID: {}\r\nCSeq: {cseq} {method}\r\nContact: <sip:peer@10.9.9.9>\r\n{}",
        header(of, "Call-ID"),
        header(of, ours),
        header(of, "Call-ID"),
        body(sdp)
    )
}

pub(super) fn address(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

/// A request's method, or a response's code.
pub(super) fn what(text: &str) -> String {
    match text.strip_prefix("SIP/2.0 ") {
        Some(rest) => rest[..3].to_owned(),
        None => method(text).to_owned(),
    }
}
