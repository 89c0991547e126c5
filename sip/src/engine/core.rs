//! What comes in, and where it goes.

use std::{
    collections::{HashMap, HashSet, VecDeque},
    net::SocketAddr,
    sync::Arc,
    time::Instant,
};

use bytes::Bytes;

use super::{
    Command, Count, Counters, Event, Now, Output, Settings, Way,
    accounts::{Accounts, Set},
    calls::{Calls, MediaRelay, Tidings},
    kept::saved,
    news::News,
    probe::Probes,
    reply::{Asked, Lots},
};
use crate::{
    abuse::{Gate, Shed, is_scanner},
    digest::Guard,
    message::{self, Capabilities, Carrier, Code, Host, Limits, Message, Method, Name, Rejected},
    registrar::{Aor, Record, Registrar},
    transaction::{TransactionId, Transactions},
    transport::{ConnectionId, Flow, KeepAlive, keep_alive},
};

/// What may be asked outside calls; [`leg::SERVED`] is what may be within.
const CAPABILITIES: Capabilities = Capabilities {
    methods: &[
        Method::Register,
        Method::Options,
        Method::Invite,
        Method::Ack,
        Method::Cancel,
        Method::Bye,
        Method::Update,
        Method::Info,
    ],
    extensions: &["path", "outbound", "timer"],
    bodies: &["application/sdp"],
};

/// The engine without its sockets.
pub struct Core {
    pub(super) settings: Settings,
    pub(super) accounts: Accounts,
    pub(super) guard: Guard,
    pub(super) gate: Gate,
    pub(super) registrar: Registrar<Way>,
    pub(super) transactions: Transactions,
    pub(super) probes: Probes,
    pub(super) news: News,
    pub(super) tidings: Tidings,
    pub(super) calls: Calls,
    pub(super) lots: Lots,
    pub(super) outputs: VecDeque<Output>,
    pub(super) counters: Arc<Counters>,
    /// Whose bindings go with a connection.
    pub(super) followers: HashMap<ConnectionId, HashSet<Aor>>,
}

impl Core {
    /// `key` is random: nonces, tags and tickets are made with it. `relay` carries the media of calls, if settings want that.
    pub fn new(
        settings: Settings,
        key: &[u8; 32],
        relay: Option<Box<dyn MediaRelay>>,
        counters: Arc<Counters>,
        now: Now,
    ) -> Self {
        Self {
            accounts: Accounts::default(),
            guard: Guard::new(settings.digest.clone(), key, now.instant),
            gate: Gate::new(settings.abuse),
            registrar: Registrar::new(settings.registrar.clone(), now.instant),
            transactions: Transactions::new(settings.timing, settings.transactions),
            probes: Probes::default(),
            news: News::default(),
            tidings: Tidings::default(),
            calls: Calls::new(&settings.calls, settings.timing, key, relay),
            lots: Lots::default(),
            outputs: VecDeque::new(),
            counters,
            followers: HashMap::new(),
            settings,
        }
    }

    /// A datagram has come.
    pub fn datagram(&mut self, peer: SocketAddr, bytes: &[u8], now: Now) {
        // Before anything is looked at: it costs a look into one table.
        if let Err(why) = self.gate.admit(peer.ip(), now.instant) {
            return self.shed(why);
        }
        let from = Flow::udp(peer);
        match keep_alive(peer, bytes) {
            Some(KeepAlive::Silent) => {}
            Some(KeepAlive::Stun { answer }) => self.send_back(from, bytes.len(), from, answer, now),
            None => self.take(from, Bytes::copy_from_slice(bytes), Carrier::Datagram, now),
        }
    }

    /// A stream has brought a whole message.
    pub fn message(&mut self, from: Flow, bytes: Bytes, now: Now) {
        match self.gate.admit(from.peer.ip(), now.instant) {
            Ok(()) => self.take(from, bytes, Carrier::Stream, now),
            Err(why) => {
                self.shed(why);
                // A connection that is not listened to is of no use to anybody.
                self.outputs.extend(from.connection.map(Output::Close));
            }
        }
    }

    fn take(&mut self, from: Flow, bytes: Bytes, carrier: Carrier, now: Now) {
        self.counters.add(Count::Messages);
        let length = bytes.len();
        match Message::parse(bytes, carrier, &Limits::default()) {
            Ok(message) if message.code().is_some() => self.response_came(&message, now),
            Ok(request) => self.request_came(&Asked { request: &request, from, length }, now),
            Err(Rejected::Answer { head, problem }) => self.reject(&head, problem, from, length, now),
            Err(Rejected::Drop(problem)) => {
                self.shed(Shed::Garbage);
                if problem.is_none_or(message::Problem::ends_stream) {
                    self.outputs.extend(from.connection.map(Output::Close));
                }
            }
        }
    }

    fn request_came(&mut self, asked: &Asked<'_>, now: Now) {
        let head = asked.request.head();
        if head.first(Name::UserAgent).is_some_and(|name| is_scanner(name.as_bytes())) {
            return self.shed(Shed::Scanner);
        }
        match asked.request.method() {
            Some(Method::Ack) => self.ack_came(asked, now),
            Some(Method::Cancel) => self.cancel_came(asked, now),
            Some(Method::Register) if CAPABILITIES.check(asked.request).is_ok() => self.register(asked, now),
            Some(_) if asked.request.to().tag().is_some() => self.within_call(asked, now),
            Some(Method::Invite) => self.invited(asked, now),
            Some(Method::Options) if CAPABILITIES.check(asked.request).is_ok() => {
                let methods = CAPABILITIES.methods.iter().map(|method| method.as_str()).collect::<Vec<_>>().join(", ");
                let response = self.response(asked, Code::OK).header(Name::Allow, methods);
                self.reply(asked, response.header(Name::Supported, CAPABILITIES.extensions.join(", ")), now);
            }
            Some(_) => self.refuse(asked, now),
            None => {}
        }
    }

    /// Whatever belongs to no call and begins none, or asks for what nobody here does: refused, and forgotten.
    pub(super) fn refuse(&mut self, asked: &Asked<'_>, now: Now) {
        self.counters.add(Count::Refused);
        let response = match (asked.request.method(), CAPABILITIES.check(asked.request)) {
            // Of a dialog or a transaction that there is not.
            (Some(Method::Bye | Method::Cancel | Method::Update | Method::Info), _) => {
                self.response(asked, Code::NO_SUCH_CALL)
            }
            (Some(_), Ok(())) if asked.request.to().tag().is_some() => self.response(asked, Code::NO_SUCH_CALL),
            (_, Err(why)) => {
                let response = self.response(asked, why.code());
                CAPABILITIES.explain(why, asked.request.head(), response)
            }
            (_, Ok(())) => self.response(asked, Code::FORBIDDEN),
        };
        self.reply(asked, response, now);
    }

    /// Whether a host is one that our addresses have.
    pub(super) fn is_ours(&self, host: Host<'_>) -> bool {
        let domain = Host::parse(&self.settings.domain);
        domain == Some(host) || self.settings.advertised.is_some_and(|address| host.ip() == Some(address))
    }

    /// A connection is gone, and with it the bindings that came over it.
    pub fn closed(&mut self, connection: ConnectionId, now: Now) {
        self.calls.trunks.closed(connection);
        let mut changes = Vec::new();
        for aor in self.followers.remove(&connection).unwrap_or_default() {
            let over_it = |record: &Record<'_, Way>| record.flow.flow.connection == Some(connection);
            let gone: Vec<_> = self.registrar.bindings(aor).filter(over_it).map(|record| record.id).collect();
            gone.into_iter().for_each(|id| self.registrar.end(aor, id, now.instant, &mut changes));
        }
        self.news.add(changes, now.instant);
    }

    pub(super) fn follow(&mut self, aor: Aor, flow: Flow) {
        if let Some(connection) = flow.connection {
            self.followers.entry(connection).or_default().insert(aor);
        }
    }

    pub fn command(&mut self, command: Command, now: Now) {
        match command {
            Command::SetAccount { user, ha1s } => {
                if let Set::Changed(aor) = self.accounts.set(user, ha1s) {
                    self.cut(aor, now);
                }
            }
            Command::RemoveAccount { user } => {
                if let Some(aor) = self.accounts.remove(&user) {
                    self.cut(aor, now);
                }
            }
            Command::Ring(ring) => self.ring(*ring, now),
            Command::Hangup { call } => self.hang_up(call, now),
            Command::Forget { user, token } => self.forget_asleep(&user, &token, now),
            Command::Drain => self.calls.drain(),
            Command::Stop => {
                self.end_calls(now);
                self.news.hurry(now.instant);
            }
            Command::Restore(bindings) => bindings.iter().for_each(|(user, saved)| {
                if let Some(aor) = self.accounts.aor(user.as_str()) {
                    self.restore(aor, saved, now);
                }
            }),
        }
    }

    fn cut(&mut self, aor: Aor, now: Now) {
        let mut changes = Vec::new();
        self.registrar.remove(aor, &mut changes);
        self.news.add(changes, now.instant);
        self.cut_calls(aor, now);
    }

    /// What was to be sent for a transaction could not be.
    pub fn unsent(&mut self, id: TransactionId, now: Now) {
        self.transactions.unsent(id, now.instant);
        self.settle(None, now);
    }

    /// Does what has fallen due.
    pub fn timeout(&mut self, now: Now) {
        self.transactions.timeout(now.instant);
        self.settle(None, now);
        self.calls_due(now);
        let mut changes = Vec::new();
        self.registrar.expire(now.instant, &mut changes);
        self.news.add(changes, now.instant);
        self.probe(now);
        self.count();
    }

    /// When there is something to hear by [`Core::take_event`], as seen from now.
    pub fn next_event(&self, now: Now) -> Option<Instant> {
        self.news.due().into_iter().chain(self.tidings.due(now.instant)).min()
    }

    /// Whether commands are to wait until the owner has heard more.
    pub fn is_busy(&self) -> bool {
        self.tidings.is_full()
    }

    /// How many connections there are, for the counters.
    pub(crate) fn connections(&self, count: usize) {
        self.counters.set(Count::Connections, count);
    }

    /// When to call [`Core::timeout`] next, at the latest, as seen from now.
    pub fn next_timeout(&self, now: Now) -> Option<Instant> {
        let times = [
            self.transactions.next_timeout(),
            self.registrar.deadline(),
            self.probes.due(),
            self.news.due(),
            self.tidings.due(now.instant),
            self.calls.next_timeout(),
        ];
        times.into_iter().flatten().min()
    }

    pub fn take_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// What the owner is to hear: of calls at once, of bindings once it has gathered for a moment.
    pub fn take_event(&mut self, now: Now) -> Option<Event> {
        if let Some(event) = self.tidings.take() {
            return Some(event);
        }
        let (aor, id) = self.news.take(now.instant)?;
        let owner = self.accounts.owner(aor);
        Some(match self.registrar.binding(aor, id).zip(owner) {
            Some((record, (user, account))) => Event::Bound { user, account, binding: saved(&record, now) },
            None => Event::Unbound(id),
        })
    }

    /// The owner takes no more events at the moment.
    pub fn put_off_events(&mut self, now: Now) {
        self.news.put_off(now.instant);
        self.tidings.put_off(now.instant);
    }

    fn count(&self) {
        self.counters.set(Count::Bindings, self.registrar.len());
        self.counters.set(Count::Accounts, self.accounts.len());
        self.counters.set(Count::Transactions, self.transactions.len());
        self.counters.set(Count::Sources, self.gate.len());
        self.counters.set(Count::Calls, self.calls.len());
        self.counters.set(Count::Legs, self.calls.legs.len());
    }
}
