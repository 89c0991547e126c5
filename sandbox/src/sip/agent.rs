//! Twilio's user agent, without its sockets: legs on their transactions, bytes in and bytes out.

use std::{
    collections::{HashMap, VecDeque},
    net::{IpAddr, Ipv4Addr},
    time::{Duration, Instant},
};

use bytes::Bytes;
use offdesk_sip::{
    leg::{self, Ask, Event, Failure, Here, Incoming, LegId, Legs, acknowledge},
    message::{Code, Message, Method, ResponseBuilder, Tag},
    transaction::{
        self, Class, ClientKey, Output as Done, Request, ServerKey, Tell, Timing, TransactionId, Transactions,
    },
    transport::Flow,
};

/// Where Twilio's user agents are: behind the edge, at an address that nobody outside can reach.
const PRIVATE: Here = Here { address: IpAddr::V4(Ipv4Addr::new(172, 16, 0, 9)), ports: [5060; 3] };
/// Protects memory. Each has a port of RTP, too.
const LEGS: usize = 1_024;
/// How long a transaction is remembered by its leg: longer than any INVITE may ring (600 s) and repeat itself.
const REMEMBERED: Duration = Duration::from_secs(900);

/// What is to be done for it.
#[derive(Debug)]
pub(super) enum Act {
    Send { id: Option<TransactionId>, flow: Flow, bytes: Bytes },
    Tell(LegId, Event),
}

pub(super) struct Agent {
    pub(super) legs: Legs,
    transactions: Transactions,
    asked: HashMap<TransactionId, Ask>,
    sent: HashMap<Ask, TransactionId>,
    /// For the ACKs to their failures.
    invites: HashMap<ClientKey, Bytes>,
    /// INVITEs of peers, which they may cancel.
    served: HashMap<ServerKey, TransactionId>,
    /// When to forget, the oldest first.
    forgetting: VecDeque<(Instant, Old)>,
    acts: VecDeque<Act>,
    own: Tag,
}

/// What is forgotten after a while.
enum Old {
    Asked(TransactionId, Ask, ClientKey),
    Served(ServerKey),
}

impl Agent {
    pub(super) fn new(mut random: impl FnMut() -> u64 + Send + 'static) -> Self {
        let own = Tag::new(random());
        let (asked, sent, invites, served, forgetting, acts) = Default::default();
        let limits = leg::Limits { legs: LEGS };
        Self {
            legs: Legs::new(Timing::default(), PRIVATE, limits, Box::new(random)),
            transactions: Transactions::new(Timing::default(), transaction::Limits::default()),
            asked,
            sent,
            invites,
            served,
            forgetting,
            acts,
            own,
        }
    }

    /// A message has come, through the edge.
    pub(super) fn receive(&mut self, message: &Message, flow: Flow, now: Instant) {
        match (message.method(), message.code()) {
            (Some(method), _) => self.request(message, method, flow, now),
            (None, Some(code)) => self.response(message, code, now),
            (None, None) => {}
        }
        self.settle(Some(message), now);
    }

    fn response(&mut self, message: &Message, code: Code, now: Instant) {
        let Some(branch) = message.via().branch() else { return };
        let key = ClientKey::new(branch, message.cseq().method.as_str());
        let invites = &self.invites;
        let ack = || invites.get(&key).map(|invite| acknowledge(invite, message)).unwrap_or_default();
        self.transactions.response(&key, Class::of(code.get()), ack, now);
    }

    fn request(&mut self, message: &Message, method: Method<'_>, flow: Flow, now: Instant) {
        let via = message.via();
        let key = |method: &str| ServerKey::new(via.unique_branch()?, (via.host, via.port), flow.peer.ip(), method);
        let Some(own) = key(method.as_str()) else { return };
        if method == Method::Ack {
            if self.transactions.ack(&own, now).is_none() {
                self.legs.ack(message, now);
            }
            return;
        }
        if self.transactions.request(&own, flow, now) != Request::New {
            return;
        }
        match method {
            Method::Invite => self.invited(message, own, flow, now),
            Method::Cancel => {
                let invite = key(Method::Invite.as_str()).and_then(|key| self.served.get(&key)).copied();
                let code = if invite.is_some() { Code::OK } else { Code::NO_SUCH_CALL };
                let Ok(to) = self.transactions.serve(own, flow) else { return };
                self.respond(message, to, code, flow, now);
                if let Some(invite) = invite {
                    self.legs.cancelled(invite, message, now);
                }
            }
            _ => {
                if let Ok(to) = self.transactions.serve(own, flow) {
                    self.legs.request(&Incoming { to, flow, message }, now);
                }
            }
        }
    }

    /// Within a call: the stand-in takes no calls over SIP.
    fn invited(&mut self, message: &Message, key: ServerKey, flow: Flow, now: Instant) {
        let trying = ResponseBuilder::new(message.head(), flow.peer, Code::TRYING, self.own).finish();
        let Ok(to) = self.transactions.serve_invite(key.clone(), flow, trying.into(), now) else { return };
        self.served.insert(key.clone(), to);
        self.forgetting.push_back((now + REMEMBERED, Old::Served(key)));
        self.legs.request(&Incoming { to, flow, message }, now);
    }

    fn respond(&mut self, request: &Message, to: TransactionId, code: Code, flow: Flow, now: Instant) {
        let response = ResponseBuilder::new(request.head(), flow.peer, code, self.own).finish();
        self.transactions.respond(to, Class::of(code.get()), response.into(), now);
    }

    /// What a transaction wanted sent could not be.
    pub(super) fn unsent(&mut self, id: TransactionId, now: Instant) {
        self.transactions.unsent(id, now);
        self.settle(None, now);
    }

    pub(super) fn next_timeout(&self) -> Option<Instant> {
        self.transactions.next_timeout().into_iter().chain(self.legs.next_timeout()).min()
    }

    pub(super) fn timeout(&mut self, now: Instant) {
        self.transactions.timeout(now);
        self.settle(None, now);
        self.legs.timeout(now);
        self.settle(None, now);
        self.forget(now);
    }

    /// What is to be done, once `settle` has run.
    pub(super) fn take_act(&mut self) -> Option<Act> {
        self.acts.pop_front()
    }

    /// Carries out what legs and transactions want of each other.
    pub(super) fn settle(&mut self, message: Option<&Message>, now: Instant) {
        loop {
            while let Some(done) = self.transactions.take_output() {
                self.done(done, message, now);
            }
            let Some(output) = self.legs.take_output() else { return };
            self.carry_out(output, now);
        }
    }

    fn carry_out(&mut self, output: leg::Output, now: Instant) {
        match output {
            leg::Output::Invite { ask, key, flow, bytes } => {
                self.invites.insert(key.clone(), bytes.clone());
                let begun = self.transactions.invite(key.clone(), flow, bytes, now);
                self.asks(ask, key, begun, now);
            }
            leg::Output::Ask { ask, key, flow, bytes } => {
                let begun = self.transactions.ask(key.clone(), flow, bytes, now);
                self.asks(ask, key, begun, now);
            }
            leg::Output::Send { flow, bytes } => self.acts.push_back(Act::Send { id: None, flow, bytes }),
            leg::Output::Respond { to, class, bytes } => self.transactions.respond(to, class, bytes, now),
            leg::Output::Abandon { ask } => {
                if let Some(id) = self.sent.get(&ask) {
                    self.transactions.abandon(*id);
                }
            }
            leg::Output::Tell { leg, event } => self.acts.push_back(Act::Tell(leg, event)),
        }
    }

    fn asks(&mut self, ask: Ask, key: ClientKey, begun: Result<TransactionId, transaction::Full>, now: Instant) {
        match begun {
            Ok(id) => {
                self.asked.insert(id, ask);
                self.sent.insert(ask, id);
                self.forgetting.push_back((now + REMEMBERED, Old::Asked(id, ask, key)));
            }
            Err(transaction::Full) => self.legs.failed(ask, Failure::Unsent, now),
        }
    }

    fn done(&mut self, done: Done, message: Option<&Message>, now: Instant) {
        match done {
            Done::Send { id, flow, bytes } => self.acts.push_back(Act::Send { id: Some(id), flow, bytes }),
            Done::Tell { id, tell } => match (tell, self.asked.get(&id).copied(), message) {
                (Tell::Pass, Some(ask), Some(response)) => self.legs.response(ask, response, now),
                (Tell::Pass, None, Some(ack)) => self.legs.ack(ack, now),
                (Tell::TimedOut, Some(ask), _) => self.legs.failed(ask, Failure::TimedOut, now),
                (Tell::Unsent, Some(ask), _) => self.legs.failed(ask, Failure::Unsent, now),
                _ => {}
            },
        }
    }

    fn forget(&mut self, now: Instant) {
        while self.forgetting.front().is_some_and(|(at, _)| *at <= now) {
            match self.forgetting.pop_front() {
                Some((_, Old::Asked(id, ask, key))) => {
                    self.asked.remove(&id);
                    self.sent.remove(&ask);
                    self.invites.remove(&key);
                }
                Some((_, Old::Served(key))) => drop(self.served.remove(&key)),
                None => return,
            }
        }
    }
}
