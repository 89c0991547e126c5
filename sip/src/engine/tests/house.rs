//! The core with phones that are texts, on a time that tests move.

use std::time::{Duration, Instant};

use crate::{
    digest::{Algorithm, Ha1s},
    engine::{CallSettings, Command, Core, Counters, Event, Media, MediaRelay, Now, Output, Settings},
    leg::Here,
    message::{Carrier, Limits, Message, Name},
};

pub(in crate::engine) const KEY: [u8; 32] = [7; 32];
pub(in crate::engine) const DOMAIN: &str = "gw.example.com";
pub(in crate::engine) const HERE: Here =
    Here { address: std::net::IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1)), ports: [5060, 5060, 5061] };

pub(in crate::engine) struct House {
    pub(in crate::engine) core: Core,
    pub(in crate::engine) counters: std::sync::Arc<Counters>,
    pub(in crate::engine) now: Now,
}

/// A phone's side: what it says of itself.
#[derive(Clone, Copy)]
pub(in crate::engine) struct Phone {
    pub(in crate::engine) user: &'static str,
    pub(in crate::engine) password: &'static str,
    pub(in crate::engine) peer: &'static str,
    pub(in crate::engine) cseq: u32,
}

pub(in crate::engine) const ANNA: Phone = Phone { user: "anna", password: "secret", peer: "192.0.2.7:5062", cseq: 1 };

impl House {
    pub(in crate::engine) fn new() -> Self {
        Self::with(|_| {})
    }

    pub(in crate::engine) fn with(change: impl FnOnce(&mut Settings)) -> Self {
        Self::with_relay(None, change)
    }

    #[allow(clippy::disallowed_methods, reason = "an instant can be had in no other way; the tests move it")]
    pub(in crate::engine) fn with_relay(
        relay: Option<Box<dyn MediaRelay>>,
        change: impl FnOnce(&mut Settings),
    ) -> Self {
        let now = Now { instant: Instant::now(), unix: Duration::from_secs(1_800_000_000) };
        let mut settings = Settings::new(DOMAIN, CallSettings::new(HERE, Media::Direct));
        settings.digest.nonce_life = Duration::from_secs(300);
        change(&mut settings);
        let counters = std::sync::Arc::new(Counters::default());
        let mut core = Core::new(settings, &KEY, relay, counters.clone(), now);
        core.command(account("anna", "secret"), now);
        Self { core, counters, now }
    }

    pub(in crate::engine) fn pass(&mut self, time: Duration) {
        let end = self.now.instant + time;
        while let Some(at) = self.core.next_timeout(self.now).filter(|at| *at <= end) {
            // Outputs and events may wait; time does not stand still for them.
            let at = at.max(self.now.instant + Duration::from_millis(1)).min(end);
            self.move_to(at);
            self.core.timeout(self.now);
            if at == end {
                break;
            }
        }
        self.move_to(end);
        self.core.timeout(self.now);
    }

    pub(in crate::engine) fn move_to(&mut self, at: Instant) {
        self.now = Now { instant: at, unix: self.now.unix + (at - self.now.instant) };
    }

    pub(in crate::engine) fn datagram(&mut self, peer: &str, text: &str) -> Vec<Message> {
        self.core.datagram(peer.parse().unwrap(), text.as_bytes(), self.now);
        self.sent()
    }

    pub(in crate::engine) fn sent(&mut self) -> Vec<Message> {
        let mut sent = Vec::new();
        while let Some(output) = self.core.take_output() {
            if let Output::Send { bytes, .. } = output {
                sent.push(Message::parse(bytes, Carrier::Datagram, &Limits::default()).unwrap());
            }
        }
        sent
    }

    pub(in crate::engine) fn code(&mut self, peer: &str, text: &str) -> Option<u16> {
        self.datagram(peer, text).first().and_then(|answer| answer.code()).map(|code| code.get())
    }

    /// Registers as phones do: challenged first. Answers the last answer.
    pub(in crate::engine) fn registers(&mut self, phone: Phone, lines: &str) -> Message {
        let challenge = self.datagram(phone.peer, &phone.register(lines, None)).remove(0);
        assert_eq!(challenge.code().unwrap().get(), 401);
        self.datagram(phone.peer, &phone.register(lines, Some((&nonce(&challenge), 1)))).remove(0)
    }

    /// What the owner hears, once it has gathered.
    pub(in crate::engine) fn events(&mut self) -> Vec<Event> {
        self.pass(Duration::from_millis(250));
        std::iter::from_fn(|| self.core.take_event(self.now)).collect()
    }
}

pub(in crate::engine) fn account(user: &str, password: &str) -> Command {
    Command::SetAccount { user: user.parse().unwrap(), ha1s: Ha1s::new(user, DOMAIN, password) }
}

pub(in crate::engine) fn nonce(challenge: &Message) -> String {
    let value = challenge.head().first(Name::WwwAuthenticate).unwrap();
    value.split("nonce=\"").nth(1).unwrap().split('"').next().unwrap().to_owned()
}

impl Phone {
    pub(in crate::engine) fn register(&self, lines: &str, answer: Option<(&str, u32)>) -> String {
        let Self { user, peer, cseq, .. } = *self;
        let authorization = answer.map(|(nonce, count)| self.authorization(nonce, count)).unwrap_or_default();
        let branch = format!("z9hG4bK-{user}-{cseq}-{}", answer.map_or(0, |(_, count)| count));
        format!(
            "REGISTER sip:{DOMAIN} SIP/2.0\r\nVia: SIP/2.0/UDP {peer};branch={branch};rport\r\nMax-Forwards: 70\r\n\
             From: <sip:{user}@{DOMAIN}>;tag=1\r\nTo: <sip:{user}@{DOMAIN}>\r\nCall-ID: of-{user}\r\n\
             CSeq: {cseq} REGISTER\r\n{lines}{authorization}Content-Length: 0\r\n\r\n"
        )
    }

    pub(in crate::engine) fn authorization(&self, nonce: &str, count: u32) -> String {
        credentials(self.user, self.password, "REGISTER", &format!("sip:{DOMAIN}"), nonce, count)
    }

    pub(in crate::engine) fn contact(&self) -> String {
        format!("Contact: <sip:{}@{}>\r\n", self.user, self.peer)
    }
}

/// The header line that proves a password.
pub(in crate::engine) fn credentials(
    user: &str,
    password: &str,
    method: &str,
    uri: &str,
    nonce: &str,
    count: u32,
) -> String {
    let hash = |parts: &[&str]| {
        let parts: Vec<_> = parts.iter().map(|part| part.as_bytes()).collect();
        String::from_utf8(Algorithm::Md5.hash(&parts).as_bytes().to_vec()).unwrap()
    };
    let ha1 = hash(&[user, DOMAIN, password]);
    let ha2 = hash(&[method, uri]);
    let response = hash(&[&ha1, nonce, &format!("{count:08x}"), "cn", "auth", &ha2]);
    format!(
        "Authorization: Digest username=\"{user}\", realm=\"{DOMAIN}\", nonce=\"{nonce}\", uri=\"{uri}\", \
         response=\"{response}\", algorithm=MD5, cnonce=\"cn\", qop=auth, nc={count:08x}\r\n"
    )
}

pub(in crate::engine) fn request(method: &str) -> String {
    format!(
        "{method} sip:{DOMAIN} SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.7:5062;branch=z9hG4bKx;rport\r\nMax-Forwards: 70\r\n\
         From: <sip:x@example.org>;tag=1\r\nTo: <sip:anna@{DOMAIN}>\r\nCall-ID: x\r\nCSeq: 1 {method}\r\n\
         Content-Length: 0\r\n\r\n"
    )
}
