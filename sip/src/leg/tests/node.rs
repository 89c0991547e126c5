//! Legs on their transactions, as an engine joins them, with bytes in and bytes out.

use std::{
    collections::HashMap,
    net::SocketAddr,
    time::{Duration, Instant},
};

use bytes::Bytes;

use crate::{
    leg::*,
    message::{Carrier, Code, Limits as Sizes, Message, Method, ResponseBuilder, Tag},
    transaction::{self, Class, ClientKey, Output as Done, Request, ServerKey, Tell, Timing, Transactions},
    transport::Flow,
};

pub(crate) struct Node {
    pub(crate) legs: Legs,
    pub(crate) table: Transactions,
    asks: HashMap<TransactionId, Ask>,
    ids: HashMap<Ask, TransactionId>,
    /// INVITEs, for the ACKs to their failures.
    bytes: HashMap<ClientKey, Bytes>,
    invites: HashMap<ServerKey, TransactionId>,
    /// What came of it, oldest first.
    pub(crate) events: Vec<(LegId, Event)>,
    /// INVITEs that wait for an answer.
    pub(crate) called: Vec<(LegId, Message)>,
    /// What is to be sent.
    pub(crate) sent: Vec<(Flow, Bytes)>,
}

pub(crate) fn random(seed: u64) -> Box<dyn Random> {
    let mut state = seed.wrapping_mul(2).wrapping_add(0x9E37_79B9_7F4A_7C15);
    Box::new(move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    })
}

impl Node {
    pub(crate) fn new(address: &str, seed: u64) -> Self {
        let address: SocketAddr = address.parse().unwrap();
        let here = Here { address: address.ip(), ports: [address.port(); 3] };
        let legs = Legs::new(Timing::default(), here, Limits::default(), random(seed));
        let table = Transactions::new(Timing::default(), transaction::Limits::default());
        let (asks, ids, bytes, invites, events, called, sent) = Default::default();
        Self { legs, table, asks, ids, bytes, invites, events, called, sent }
    }

    pub(crate) fn receive(&mut self, bytes: Bytes, flow: Flow, now: Instant) {
        let message = Message::parse(bytes, Carrier::Datagram, &Sizes::default()).expect("well formed");
        match message.method() {
            Some(method) => self.request(&message, method, flow, now),
            None => {
                let branch = message.via().branch().unwrap().to_owned();
                let key = ClientKey::new(&branch, message.cseq().method.as_str());
                let class = Class::of(message.code().unwrap().get());
                let ack = || acknowledge(self.bytes.get(&key).expect("an INVITE"), &message);
                self.table.response(&key, class, ack, now);
            }
        }
        self.settle(Some(&message), now);
    }

    fn request(&mut self, message: &Message, method: Method<'_>, flow: Flow, now: Instant) {
        let via = message.via();
        let (branch, sent_by) = (via.branch().unwrap(), (via.host, via.port));
        let key = ServerKey::new(branch, sent_by, flow.peer.ip(), method.as_str()).unwrap();
        if method == Method::Ack {
            if self.table.ack(&key, now).is_none() {
                self.legs.ack(message, now);
            }
            return;
        }
        if self.table.request(&key, flow, now) != Request::New {
            return;
        }
        let respond = |code| ResponseBuilder::new(message.head(), flow.peer, code, Tag::new(7)).finish().into();
        if method == Method::Invite {
            let to = self.table.serve_invite(key.clone(), flow, respond(Code::TRYING), now).unwrap();
            let incoming = Incoming { to, flow, message };
            if message.to().tag().is_some() {
                self.legs.request(&incoming, now);
            } else if let Some(leg) = self.legs.called(&incoming, Reach::Routes, now) {
                self.called.push((leg, message.clone()));
            }
            self.invites.insert(key, to);
            return;
        }
        let to = self.table.serve(key, flow).unwrap();
        if method == Method::Cancel {
            let invite = ServerKey::new(branch, sent_by, flow.peer.ip(), "INVITE");
            let invite = invite.and_then(|key| self.invites.get(&key)).copied();
            let code = if invite.is_some() { Code::OK } else { Code::NO_SUCH_CALL };
            self.table.respond(to, Class::of(code.get()), respond(code), now);
            if let Some(invite) = invite {
                self.legs.cancelled(invite, message, now);
            }
            return;
        }
        self.legs.request(&Incoming { to, flow, message }, now);
    }

    /// Carries outputs to and fro until there are none.
    pub(crate) fn settle(&mut self, message: Option<&Message>, now: Instant) {
        loop {
            while let Some(done) = self.table.take_output() {
                self.done(done, message, now);
            }
            let Some(output) = self.legs.take_output() else { break };
            match output {
                Output::Invite { ask, key, flow, bytes } => {
                    self.bytes.insert(key.clone(), bytes.clone());
                    let id = self.table.invite(key, flow, bytes, now).unwrap();
                    self.asks.insert(id, ask);
                    self.ids.insert(ask, id);
                }
                Output::Ask { ask, key, flow, bytes } => {
                    let id = self.table.ask(key, flow, bytes, now).unwrap();
                    self.asks.insert(id, ask);
                }
                Output::Send { flow, bytes } => self.sent.push((flow, bytes)),
                Output::Respond { to, class, bytes } => self.table.respond(to, class, bytes, now),
                Output::Abandon { ask } => {
                    self.table.abandon(*self.ids.get(&ask).expect("an INVITE"));
                }
                Output::Tell { leg, event } => self.events.push((leg, event)),
            }
        }
    }

    fn done(&mut self, done: Done, message: Option<&Message>, now: Instant) {
        match done {
            Done::Send { flow, bytes, .. } => self.sent.push((flow, bytes)),
            Done::Tell { id, tell } => {
                let ask = self.asks.get(&id).copied();
                match (tell, ask, message) {
                    (Tell::Pass, Some(ask), Some(response)) => self.legs.response(ask, response, now),
                    (Tell::Pass, None, Some(ack)) => self.legs.ack(ack, now),
                    (Tell::TimedOut, Some(ask), _) => self.legs.failed(ask, Failure::TimedOut, now),
                    (Tell::Unsent, Some(ask), _) => self.legs.failed(ask, Failure::Unsent, now),
                    _ => {}
                }
            }
        }
    }

    pub(crate) fn next_timeout(&self) -> Option<Instant> {
        self.table.next_timeout().into_iter().chain(self.legs.next_timeout()).min()
    }

    pub(crate) fn timeout(&mut self, now: Instant) {
        self.table.timeout(now);
        self.settle(None, now);
        self.legs.timeout(now);
        self.settle(None, now);
    }

    /// Events since the last call, each leg's name left out.
    pub(crate) fn news(&mut self) -> Vec<Event> {
        self.events.drain(..).map(|(_, event)| event).collect()
    }
}

/// One node, its time, and a peer that is played by the test, word by word.
pub(crate) struct Bench {
    pub(crate) node: Node,
    pub(crate) now: Instant,
    pub(crate) peer: Flow,
}

impl Bench {
    #[allow(clippy::disallowed_methods, reason = "an instant can be had in no other way; the tests move it")]
    pub(crate) fn new() -> Self {
        let peer = Flow::udp("192.0.2.2:5060".parse().unwrap());
        Self { node: Node::new("192.0.2.1:5060", 1), now: Instant::now(), peer }
    }

    /// What the node has sent since the last call.
    pub(crate) fn sent(&mut self) -> Vec<String> {
        self.node.settle(None, self.now);
        self.node.sent.drain(..).map(|(_, bytes)| String::from_utf8(bytes.to_vec()).unwrap()).collect()
    }

    /// The peer sends something; what the node sends at once.
    pub(crate) fn says(&mut self, text: &str) -> Vec<String> {
        self.node.receive(Bytes::from(text.to_owned()), self.peer, self.now);
        self.sent()
    }

    pub(crate) fn pass(&mut self, time: Duration) -> Vec<String> {
        let end = self.now + time;
        let mut sent = Vec::new();
        while let Some(at) = self.node.next_timeout().filter(|at| *at <= end) {
            self.now = at;
            self.node.timeout(at);
            sent.extend(self.sent());
        }
        self.now = end;
        sent
    }

    pub(crate) fn call(&mut self, flow: Flow, reach: Reach, login: Option<Login>) -> (LegId, String) {
        let invite = Invite {
            target: "sip:anna@192.0.2.2".into(),
            routes: Vec::new(),
            flow,
            reach,
            from: "<sip:gate@example.com>".into(),
            to: "<sip:anna@example.com>".into(),
            headers: Vec::new(),
            sdp: "v=offer".into(),
            until: self.now + Duration::from_secs(20),
            login: login.map(Arc::new),
        };
        let leg = self.node.legs.call(invite, self.now).unwrap();
        (leg, self.sent().remove(0))
    }
}

/// A header's first value.
pub(crate) fn header<'a>(text: &'a str, name: &str) -> &'a str {
    let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
    line.unwrap_or_else(|| panic!("no {name} in {text}"))
}

pub(crate) fn method(text: &str) -> &str {
    text.lines().next().unwrap_or_default().split(' ').next().unwrap_or_default()
}

/// The peer's response to a request of ours; `tag` is the To's if it has none yet.
pub(crate) fn response(request: &str, code: &str, tag: &str, lines: &[&str], sdp: &str) -> String {
    let to = header(request, "To");
    let to = if tag.is_empty() || to.contains(";tag=") { to.to_owned() } else { format!("{to};tag={tag}") };
    let copied = ["Via", "From", "Call-ID", "CSeq"].map(|name| format!("{name}: {}\r\n", header(request, name)));
    let more: String = lines.iter().map(|line| format!("{line}\r\n")).collect();
    format!("SIP/2.0 {code} X\r\n{}To: {to}\r\n{more}{}", copied.concat(), body(sdp))
}

pub(crate) fn body(sdp: &str) -> String {
    let kind = if sdp.is_empty() { "" } else { "Content-Type: application/sdp\r\n" };
    format!("{kind}Content-Length: {}\r\n\r\n{sdp}", sdp.len())
}

/// A request of the peer's within the dialog that a message of ours (a request with To tag, or a 2xx) belongs to.
pub(crate) fn request(of: &str, method: &str, cseq: u32, lines: &[&str], sdp: &str) -> String {
    let is_response = of.starts_with("SIP/2.0");
    let (ours, theirs) = if is_response { ("To", "From") } else { ("From", "To") };
    let more: String = lines.iter().map(|line| format!("{line}\r\n")).collect();
    format!(
        "{method} sip:offdesk@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.2;branch=z9hG4bKp{method}{cseq}\r\nMax-Forwards: 70\r\n\
         From: {}\r\nTo: {}\r\nCall-ID: {}\r\nCSeq: {cseq} {method}\r\n{more}{}",
        header(of, theirs),
        header(of, ours),
        header(of, "Call-ID"),
        body(sdp)
    )
}

/// The peer's INVITE.
pub(crate) fn invite(lines: &[&str], sdp: &str) -> String {
    let more: String = lines.iter().map(|line| format!("{line}\r\n")).collect();
    format!(
        "INVITE sip:ticket@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.2;branch=z9hG4bKinvite\r\nMax-Forwards: 70\r\n\
         From: <sip:+15550100@twilio.example>;tag=t1\r\nTo: <sip:ticket@192.0.2.1>\r\nCall-ID: c1\r\nCSeq: 1 INVITE\r\n\
         Contact: <sip:172.16.0.9:5060>\r\n{more}{}",
        body(sdp)
    )
}
