//! Legs and their transactions: what one side puts out goes into the other.

use std::collections::HashMap;

use bytes::Bytes;

use crate::{
    abuse::Shed,
    engine::{
        Core, Count, Now, Output,
        reply::{Asked, server_key, server_key_of, way_back},
    },
    leg::{self, Ask, Failure, Incoming, acknowledge},
    message::{Code, Message, Method},
    transaction::{self, Class, ClientKey, Full, Request, ServerKey, Tell, TransactionId},
    transport::{Flow, Transport},
};

/// Requests of legs that are on their way.
#[derive(Default)]
pub(super) struct Clients {
    asked: HashMap<TransactionId, Client>,
    /// INVITEs, so that they can be let go of.
    invites: HashMap<Ask, TransactionId>,
}

struct Client {
    ask: Ask,
    /// Of an INVITE: what the ACK to its failure is made of.
    invite: Option<Bytes>,
}

impl Clients {
    fn add(&mut self, id: TransactionId, ask: Ask, invite: Option<Bytes>) {
        if invite.is_some() {
            self.invites.insert(ask, id);
        }
        self.asked.insert(id, Client { ask, invite });
    }

    fn remove(&mut self, id: TransactionId) {
        if let Some(Client { ask, invite: Some(_) }) = self.asked.remove(&id) {
            self.invites.remove(&ask);
        }
    }

    fn ask(&self, id: TransactionId) -> Option<Ask> {
        self.asked.get(&id).map(|client| client.ask)
    }

    fn acknowledge(&self, id: TransactionId, failure: &Message) -> Bytes {
        let invite = self.asked.get(&id).and_then(|client| client.invite.as_ref());
        invite.map(|invite| acknowledge(invite, failure)).unwrap_or_default()
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.asked.len() + self.invites.len()
    }
}

impl Core {
    /// Carries to and fro what transactions and legs have put out, until there is nothing more. `message` is the one that
    /// has just come.
    pub(in crate::engine) fn settle(&mut self, message: Option<&Message>, now: Now) {
        loop {
            while let Some(output) = self.transactions.take_output() {
                match output {
                    transaction::Output::Send { id, flow, bytes } => self.send(flow, bytes, Some(id)),
                    transaction::Output::Tell { id, tell } => self.told(id, tell, message, now),
                }
            }
            while let Some(id) = self.transactions.take_ended() {
                self.calls.clients.remove(id);
            }
            let Some(output) = self.calls.legs.take_output() else { return };
            self.carry_out(output, now);
        }
    }

    fn send(&mut self, flow: Flow, bytes: Bytes, of: Option<TransactionId>) {
        let flow = match flow.transport {
            Transport::Udp => flow,
            Transport::Tcp | Transport::Tls => self.calls.trunks.way(flow, |own| self.followers.contains_key(&own)),
        };
        self.outputs.push_back(Output::Send { flow, bytes, of });
    }

    fn told(&mut self, id: TransactionId, tell: Tell, message: Option<&Message>, now: Now) {
        let legs = &mut self.calls.legs;
        match (self.calls.clients.ask(id), tell, message) {
            (Some(ask), Tell::Pass, Some(response)) => legs.response(ask, response, now.instant),
            (Some(ask), Tell::TimedOut, _) => legs.failed(ask, Failure::TimedOut, now.instant),
            (Some(ask), Tell::Unsent, _) => legs.failed(ask, Failure::Unsent, now.instant),
            // An ACK to a 2xx that bears the INVITE's branch.
            (None, Tell::Pass, Some(ack)) if ack.method() == Some(Method::Ack) => legs.ack(ack, now.instant),
            _ => self.probe_told(id, tell, now),
        }
    }

    fn carry_out(&mut self, output: leg::Output, now: Now) {
        match output {
            leg::Output::Invite { ask, key, flow, bytes } => {
                let begun = self.transactions.invite(key, flow, bytes.clone(), now.instant);
                self.asked(begun, ask, Some(bytes), now);
            }
            leg::Output::Ask { ask, key, flow, bytes } => {
                let begun = self.transactions.ask(key, flow, bytes, now.instant);
                self.asked(begun, ask, None, now);
            }
            leg::Output::Send { flow, bytes } => self.send(flow, bytes, None),
            leg::Output::Respond { to, class, bytes } => self.transactions.respond(to, class, bytes, now.instant),
            leg::Output::Abandon { ask } => {
                if let Some(id) = self.calls.clients.invites.get(&ask) {
                    self.transactions.abandon(*id);
                }
            }
            leg::Output::Tell { leg, event } => self.leg_told(leg, &event, now),
        }
    }

    fn asked(&mut self, begun: Result<TransactionId, Full>, ask: Ask, invite: Option<Bytes>, now: Now) {
        match begun {
            Ok(id) => self.calls.clients.add(id, ask, invite),
            Err(Full) => {
                self.shed(Shed::Full);
                self.calls.legs.failed(ask, Failure::Unsent, now.instant);
            }
        }
    }

    /// A response has come: to a request of ours, or to nobody's.
    pub(in crate::engine) fn response_came(&mut self, response: &Message, now: Now) {
        let (via, cseq) = (response.via(), response.cseq());
        let (Some(branch), Some(code)) = (via.branch(), response.code()) else { return };
        let key = ClientKey::new(branch, cseq.method.as_str());
        let Some(id) = self.transactions.find_client(&key) else { return };
        let clients = &self.calls.clients;
        let ack = || clients.acknowledge(id, response);
        self.transactions.response(&key, Class::of(code.get()), ack, now.instant);
        self.settle(Some(response), now);
    }

    /// An ACK has come: to a failure, which ends with its transaction, or to a 2xx.
    pub(in crate::engine) fn ack_came(&mut self, asked: &Asked<'_>, now: Now) {
        if self.transactions.ack(&server_key(asked), now.instant).is_none() {
            self.calls.legs.ack(asked.request, now.instant);
        }
        self.settle(Some(asked.request), now);
    }

    /// A CANCEL (RFC 3261 §9.2): answered by itself, whatever becomes of its INVITE.
    pub(in crate::engine) fn cancel_came(&mut self, asked: &Asked<'_>, now: Now) {
        let key = server_key(asked);
        if self.is_repeated(&key, asked, now) {
            return;
        }
        let Some(invite) = self.transactions.find_server(&server_key_of(asked, Method::Invite)) else {
            return self.refuse(asked, now);
        };
        let Some(to) = self.begin(key, asked, now) else { return };
        let response = self.response(asked, Code::OK).finish();
        self.transactions.respond(to, Class::Success, response.into(), now.instant);
        self.calls.legs.cancelled(invite, asked.request, now.instant);
        self.settle(None, now);
    }

    /// A request with a tag in To: of a call that there is, or refused.
    pub(in crate::engine) fn within_call(&mut self, asked: &Asked<'_>, now: Now) {
        let key = server_key(asked);
        if self.is_repeated(&key, asked, now) {
            return;
        }
        let known = asked.request.to().tag().is_some_and(|tag| self.calls.legs.knows(tag));
        if !known {
            return self.refuse(asked, now);
        }
        // Whoever withholds ACKs makes each of them stay for half a minute.
        if asked.request.method() == Some(Method::Invite) && self.has_few_transactions() {
            return self.overloaded(asked, Shed::Full, now);
        }
        if let Some(to) = self.begin(key, asked, now) {
            self.calls.legs.request(&incoming(asked, to), now.instant);
            self.settle(None, now);
        }
    }

    /// Whether a request goes on with what there is already, or brings Twilio's ticket: no password is guessed by it.
    pub(in crate::engine) fn goes_on(&self, asked: &Asked<'_>) -> bool {
        let begun = |method| self.transactions.find_server(&server_key_of(asked, method)).is_some();
        let tag = || asked.request.to().tag().map(|tag| self.calls.legs.knows(tag));
        match asked.request.method() {
            Some(Method::Ack) => true,
            Some(Method::Register) => false,
            Some(Method::Cancel) => begun(Method::Invite),
            Some(method) if begun(method) => true,
            Some(Method::Invite) => tag().unwrap_or_else(|| self.is_trunks(asked)),
            _ => tag().unwrap_or_default(),
        }
    }

    /// Whether the request was there before; if so it has got its answer again.
    pub(in crate::engine) fn is_repeated(&mut self, key: &ServerKey, asked: &Asked<'_>, now: Now) -> bool {
        let repeated = self.transactions.request(key, back(asked), now.instant) != Request::New;
        if repeated {
            self.settle(None, now);
        }
        repeated
    }

    /// Begins a request's transaction. None: there is no room, and it has been told so.
    pub(super) fn begin(&mut self, key: ServerKey, asked: &Asked<'_>, now: Now) -> Option<TransactionId> {
        let begun = match asked.request.method() {
            Some(Method::Invite) => {
                let trying = self.response(asked, Code::TRYING).finish().into();
                self.transactions.serve_invite(key, back(asked), trying, now.instant)
            }
            _ => self.transactions.serve(key, back(asked)),
        };
        if begun.is_err() {
            self.overloaded(asked, Shed::Full, now);
        }
        begun.ok()
    }

    /// Refuses a request of which nothing is kept.
    pub(super) fn turn_away(&mut self, asked: &Asked<'_>, code: Code, now: Now) {
        self.counters.add(Count::Refused);
        let response = self.response(asked, code);
        self.reply(asked, response, now);
    }
}

pub(super) fn incoming<'a>(asked: &Asked<'a>, to: TransactionId) -> Incoming<'a> {
    Incoming { to, flow: asked.from, message: asked.request }
}

fn back(asked: &Asked<'_>) -> Flow {
    way_back(&asked.from, Some(&asked.request.via()))
}
