//! All transactions that are going on.

use std::{
    collections::{HashMap, VecDeque},
    time::Instant,
};

use bytes::Bytes;

use super::{
    Class, ClientInvite, ClientKey, ClientNonInvite, ServerInvite, ServerKey, ServerNonInvite, Step, Tell, Timing,
    TransactionId, Wish, timers::Timers,
};
use crate::transport::Flow;

/// How many there may be. Both protect the memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// In all. Whoever would begin one more is told [`Full`].
    pub all: usize,
    /// Of those that are answered and kept only to repeat the answer: the oldest is let go of early. Whoever then still
    /// repeats a REGISTER is challenged anew.
    pub answered: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { all: 65_536, answered: 8192 }
    }
}

/// There are as many transactions as there may be: 503 with Retry-After.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no room for another transaction")]
pub struct Full;

/// Any of the four.
#[derive(Clone, Debug)]
pub enum Machine {
    ServerNonInvite(ServerNonInvite),
    ServerInvite(ServerInvite),
    ClientNonInvite(ClientNonInvite),
    ClientInvite(ClientInvite),
}

impl Machine {
    fn timeout(&mut self, now: Instant, timing: &Timing) -> Step {
        match self {
            Self::ServerNonInvite(machine) => machine.timeout(now),
            Self::ServerInvite(machine) => machine.timeout(now, timing),
            Self::ClientNonInvite(machine) => machine.timeout(now, timing),
            Self::ClientInvite(machine) => machine.timeout(now),
        }
    }

    fn unsent(&mut self) -> Step {
        match self {
            Self::ServerNonInvite(machine) => machine.unsent(),
            Self::ServerInvite(machine) => machine.unsent(),
            Self::ClientNonInvite(machine) => machine.unsent(),
            Self::ClientInvite(machine) => machine.unsent(),
        }
    }

    fn wish(&self) -> Wish {
        match self {
            Self::ServerNonInvite(machine) => machine.wish(),
            Self::ServerInvite(machine) => machine.wish(),
            Self::ClientNonInvite(machine) => machine.wish(),
            Self::ClientInvite(machine) => machine.wish(),
        }
    }
}

/// What is to be done for a transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    Send { id: TransactionId, flow: Flow, bytes: Bytes },
    Tell { id: TransactionId, tell: Tell },
}

/// What a request is to the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Request {
    /// It begins a transaction.
    New,
    /// It belongs to one that is there, which has seen to it.
    Known(TransactionId),
}

#[derive(Debug)]
struct Entry {
    machine: Machine,
    flow: Flow,
    key: Key,
    /// The wish that stands in the queue.
    waking: Option<Instant>,
}

#[derive(Clone, Debug)]
enum Key {
    Server(ServerKey),
    Client(ClientKey),
}

/// The table. What is to be done is collected, and taken by [`Transactions::take_output`] after each call.
#[derive(Debug, Default)]
pub struct Transactions {
    timing: Timing,
    limits: Limits,
    entries: HashMap<TransactionId, Entry>,
    servers: HashMap<ServerKey, TransactionId>,
    clients: HashMap<ClientKey, TransactionId>,
    timers: Timers,
    answered: VecDeque<TransactionId>,
    outputs: VecDeque<Output>,
    /// Requests of ours that are over, until somebody asks.
    ended: VecDeque<TransactionId>,
    last: u64,
}

impl Transactions {
    pub fn new(timing: Timing, limits: Limits) -> Self {
        Self { timing, limits, ..Self::default() }
    }

    /// A request that is no ACK has come. One that repeats an earlier one goes to that one's machine; its answers go the
    /// way that the repetition came.
    pub fn request(&mut self, key: &ServerKey, flow: Flow, now: Instant) -> Request {
        let Some(id) = self.servers.get(key).copied() else { return Request::New };
        self.step(id, now, |entry, _| {
            entry.flow = flow;
            match &mut entry.machine {
                Machine::ServerNonInvite(machine) => machine.request(),
                Machine::ServerInvite(machine) => machine.request(),
                Machine::ClientNonInvite(_) | Machine::ClientInvite(_) => Step::NOTHING,
            }
        });
        Request::Known(id)
    }

    /// An ACK has come. None: it belongs to no INVITE here, and is its receiver's.
    pub fn ack(&mut self, key: &ServerKey, now: Instant) -> Option<TransactionId> {
        let id = self.servers.get(key).copied()?;
        self.step(id, now, |entry, timing| match &mut entry.machine {
            Machine::ServerInvite(machine) => machine.ack(now, timing),
            _ => Step::NOTHING,
        });
        Some(id)
    }

    /// Begins the transaction of a request that is [`Request::New`] and no INVITE.
    pub fn serve(&mut self, key: ServerKey, flow: Flow) -> Result<TransactionId, Full> {
        let machine = ServerNonInvite::new(flow.transport.is_reliable());
        self.begin(Machine::ServerNonInvite(machine), flow, Key::Server(key))
    }

    /// Begins the transaction of an INVITE; `trying` is its 100.
    pub fn serve_invite(
        &mut self,
        key: ServerKey,
        flow: Flow,
        trying: Bytes,
        now: Instant,
    ) -> Result<TransactionId, Full> {
        let machine = ServerInvite::new(trying, now, flow.transport.is_reliable());
        let id = self.begin(Machine::ServerInvite(machine), flow, Key::Server(key))?;
        self.step(id, now, |_, _| Step::NOTHING);
        Ok(id)
    }

    /// Answers a request.
    pub fn respond(&mut self, id: TransactionId, class: Class, response: Bytes, now: Instant) {
        self.step(id, now, |entry, timing| match &mut entry.machine {
            Machine::ServerNonInvite(machine) => machine.respond(class, response, now, timing),
            Machine::ServerInvite(machine) => machine.respond(class, response, now, timing),
            Machine::ClientNonInvite(_) | Machine::ClientInvite(_) => Step::NOTHING,
        });
        let done = self.entries.get(&id).map(|entry| &entry.machine);
        if let Some(Machine::ServerNonInvite(machine)) = done
            && machine.is_answered()
        {
            self.answered.push_back(id);
            if self.answered.len() > self.limits.answered
                && let Some(oldest) = self.answered.pop_front()
            {
                self.forget(oldest);
            }
        }
    }

    /// Sends a request that is neither INVITE nor ACK.
    pub fn ask(&mut self, key: ClientKey, flow: Flow, request: Bytes, now: Instant) -> Result<TransactionId, Full> {
        let (machine, step) = ClientNonInvite::new(request, now, &self.timing, flow.transport.is_reliable());
        let id = self.begin(Machine::ClientNonInvite(machine), flow, Key::Client(key))?;
        self.step(id, now, |_, _| step);
        Ok(id)
    }

    /// Sends an INVITE.
    pub fn invite(&mut self, key: ClientKey, flow: Flow, request: Bytes, now: Instant) -> Result<TransactionId, Full> {
        let (machine, step) = ClientInvite::new(request, now, &self.timing, flow.transport.is_reliable());
        let id = self.begin(Machine::ClientInvite(machine), flow, Key::Client(key))?;
        self.step(id, now, |_, _| step);
        Ok(id)
    }

    /// A response has come; `ack` writes the ACK to a failed INVITE. None: it belongs to nothing that was asked, and is
    /// dropped. Whether it is news is told by [`Tell::Pass`].
    pub fn response(
        &mut self,
        key: &ClientKey,
        class: Class,
        ack: impl FnOnce() -> Bytes,
        now: Instant,
    ) -> Option<TransactionId> {
        let id = self.clients.get(key).copied()?;
        self.step(id, now, |entry, timing| match &mut entry.machine {
            Machine::ClientNonInvite(machine) => machine.response(class, now, timing),
            Machine::ClientInvite(machine) => machine.response(class, ack, now, timing),
            Machine::ServerNonInvite(_) | Machine::ServerInvite(_) => Step::NOTHING,
        });
        Some(id)
    }

    /// Lets go of a transaction. An INVITE that rings waits for ever; whoever cancelled it in vain gives it up so (RFC 3261
    /// §9.1).
    pub fn abandon(&mut self, id: TransactionId) {
        self.forget(id);
    }

    /// What a transaction wanted sent could not be.
    pub fn unsent(&mut self, id: TransactionId, now: Instant) {
        self.step(id, now, |entry, _| entry.machine.unsent());
    }

    /// Wakes every machine whose time has come.
    pub fn timeout(&mut self, now: Instant) {
        while let Some(id) = self.timers.take_due(now) {
            let Some(entry) = self.entries.get_mut(&id) else { continue };
            // A wish that was replaced by a later one: that one stands in the queue too.
            if entry.waking.is_some_and(|at| at <= now) {
                entry.waking = None;
                self.step(id, now, |entry, timing| entry.machine.timeout(now, timing));
            }
        }
    }

    /// When to call [`Transactions::timeout`] next.
    pub fn next_timeout(&self) -> Option<Instant> {
        self.timers.next()
    }

    pub fn take_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// A request of ours of which nothing more will be told: whoever keeps something for it lets go of that.
    pub fn take_ended(&mut self) -> Option<TransactionId> {
        self.ended.pop_front()
    }

    /// The transaction of a peer's request.
    pub fn find_server(&self, key: &ServerKey) -> Option<TransactionId> {
        self.servers.get(key).copied()
    }

    /// The transaction of a request of ours.
    pub fn find_client(&self, key: &ClientKey) -> Option<TransactionId> {
        self.clients.get(key).copied()
    }

    pub fn len(&self) -> usize {
        self.entries.len()
    }

    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    fn begin(&mut self, machine: Machine, flow: Flow, key: Key) -> Result<TransactionId, Full> {
        if self.entries.len() >= self.limits.all {
            return Err(Full);
        }
        self.last += 1;
        let id = TransactionId(self.last);
        let before = match &key {
            Key::Server(key) => self.servers.insert(key.clone(), id),
            Key::Client(key) => self.clients.insert(key.clone(), id),
        };
        if let Some(before) = before {
            self.entries.remove(&before);
        }
        self.entries.insert(id, Entry { machine, flow, key, waking: None });
        Ok(id)
    }

    /// Has a machine do something, collects what it wants, and puts its wish into the queue.
    fn step(&mut self, id: TransactionId, now: Instant, input: impl FnOnce(&mut Entry, &Timing) -> Step) {
        let Some(entry) = self.entries.get_mut(&id) else { return };
        let Step { send, tell } = input(entry, &self.timing);
        let flow = entry.flow;
        self.outputs.extend(send.map(|bytes| Output::Send { id, flow, bytes }));
        self.outputs.extend(tell.map(|tell| Output::Tell { id, tell }));
        match entry.machine.wish() {
            Wish::Done => self.forget(id),
            Wish::Wait => entry.waking = None,
            Wish::Wake(at) => {
                let at = at.max(now);
                if entry.waking.is_none_or(|waking| waking != at) {
                    entry.waking = Some(at);
                    self.timers.add(at, id);
                }
            }
        }
    }

    fn forget(&mut self, id: TransactionId) {
        let Some(entry) = self.entries.remove(&id) else { return };
        match &entry.key {
            Key::Server(key) => drop(self.servers.remove(key)),
            Key::Client(key) => {
                self.clients.remove(key);
                self.ended.push_back(id);
            }
        }
    }

    #[cfg(test)]
    pub(super) fn waiting(&self) -> (usize, usize, usize) {
        (self.servers.len(), self.clients.len(), self.timers.len())
    }
}
