//! An agent's INVITE: to another agent's phones.

use super::{Call, Home, Kind, Stage, exchange::incoming, phones::Wanted};
use crate::{
    abuse::Shed,
    bridge::{CROSSING, Rewrite as _, Role, Side, Ticket},
    digest::Verdict,
    engine::{
        Caller, Core, Count, Ender, Now, Output,
        reply::{Asked, server_key},
    },
    leg::{self, LegId, offer_of},
    message::{Code, Message, Method, Name, NameAddr, Uri},
    registrar::Aor,
    user::User,
};

/// For how long an agent's phones ring for another agent.
const RING: std::time::Duration = std::time::Duration::from_secs(60);

impl Core {
    /// An INVITE outside any call.
    pub(in crate::engine) fn invited(&mut self, asked: &Asked<'_>, now: Now) {
        let key = server_key(asked);
        if self.is_repeated(&key, asked, now) {
            return;
        }
        let Some(Uri::Sip(uri)) = asked.request.request_uri() else { return self.refuse(asked, now) };
        match uri.user {
            // An account may have a name that looks like a ticket.
            Some(user)
                if self.is_trunks(asked) || (Ticket::parse(user).is_some() && self.accounts.aor(user).is_none()) =>
            {
                self.ticketed(asked, user, now);
            }
            Some(user) => self.agent_calls(asked, user, now),
            None => self.refuse(asked, now),
        }
    }

    /// Whether Twilio calls a ticket.
    pub(super) fn is_trunks(&self, asked: &Asked<'_>) -> bool {
        let ticket =
            matches!(asked.request.request_uri(), Some(Uri::Sip(uri)) if uri.user.and_then(Ticket::parse).is_some());
        ticket && self.gate.trusts(asked.from.peer.ip())
    }

    /// Whoever calls from an address of ours has to show that it is theirs.
    fn agent_calls(&mut self, asked: &Asked<'_>, user: &str, now: Now) {
        let Some(from) = self.user_at_home(&asked.request.from()) else { return self.refuse(asked, now) };
        let (accounts, source) = (&self.accounts, asked.from.peer.ip());
        let find = |username: &str| accounts.credentials(username);
        let account = match self.guard.check(asked.request.head(), Method::Invite, source, now.instant, find) {
            Verdict::Granted(account) => account,
            Verdict::Absent => return self.challenge(asked, false, now),
            Verdict::Stale => return self.challenge(asked, true, now),
            Verdict::Wrong => return self.wrong_password(asked, now),
            Verdict::Malformed => return self.turn_away(asked, Code::BAD_REQUEST, now),
        };
        self.gate.succeeded(source, now.instant);
        self.outputs.extend(asked.from.connection.map(Output::Trust));
        self.follow(account, asked.from);
        if self.accounts.aor(from.as_str()) != Some(account) {
            return self.turn_away(asked, Code::FORBIDDEN, now);
        }
        if !self.accounts.may_call(account, self.settings.abuse.calls, now.instant) {
            return self.overloaded(asked, Shed::Calls, now);
        }
        if self.has_few_legs() || self.has_few_transactions() || !self.calls.has_room() || !self.calls.may_make(account)
        {
            return self.overloaded(asked, Shed::Full, now);
        }
        let Some(to) = self.begin(server_key(asked), asked, now) else { return };
        if let Some(leg) = self.calls.legs.called(&incoming(asked, to), leg::Reach::Flow, now.instant)
            && let Err(code) = self.put_through(asked, (leg, account, &from), user, now)
        {
            self.counters.add(Count::Refused);
            self.calls.legs.refuse(leg, code, now.instant);
        }
        self.settle(None, now);
    }

    /// Whether what is left of legs is kept for customers' calls: to ring phones, and for Twilio's INVITEs.
    fn has_few_legs(&self) -> bool {
        self.calls.legs.len() >= share(self.settings.calls.legs.legs)
    }

    /// The same of transactions.
    pub(super) fn has_few_transactions(&self) -> bool {
        self.transactions.len() >= share(self.settings.transactions.all)
    }

    /// An account is gone, or has another password: agents' calls from and to it are over, and no customer's rings there. Those
    /// that somebody has taken are their owner's.
    pub(in crate::engine) fn cut_calls(&mut self, aor: Aor, now: Now) {
        let is_cut = |call: &Call| matches!((call.kind, &call.stage), (Kind::Agent { .. }, _) | (_, Stage::Ringing(_)));
        for number in self.calls.at(aor) {
            if self.calls.get(number).is_some_and(is_cut) {
                self.end_call(number, Ender::Us, now);
            }
        }
        self.settle(None, now);
    }

    /// Rings the phones of whoever is called.
    fn put_through(
        &mut self,
        asked: &Asked<'_>,
        (caller, account, from): (LegId, Aor, &User),
        user: &str,
        now: Now,
    ) -> Result<(), Code> {
        self.is_no_loop(asked.request)?;
        let (user, aor) = self.called_user(asked.request, user)?;
        let mut phones = self.phones(aor);
        // Whoever calls themselves rings their other phones.
        phones.awake.retain(|id| {
            let binding = self.registrar.binding(aor, *id);
            aor != account || binding.is_some_and(|binding| binding.flow.flow != asked.from)
        });
        phones.asleep.clear();
        if phones.awake.is_empty() {
            return Err(Code::TEMPORARILY_UNAVAILABLE);
        }
        let mut speech = self.calls.open(&self.settings.calls).map_err(|_| Code::SERVICE_UNAVAILABLE)?;
        speech.may_be_behind_nat(Side::Caller, asked.from.peer.ip());
        let offer = match offer_of(asked.request) {
            Some(sdp) => speech.rewrite(Side::Caller, Role::Offer, &sdp)?,
            None => return Err(Code::NOT_ACCEPTABLE_HERE),
        };
        self.counters.add(Count::AgentCalls);
        let name = asked.request.from().display_name().into_owned();
        let caller_shown = Caller { name: Some(name), number: Some(from.as_str().to_owned()) };
        let from = caller_shown.address(&self.settings.domain);
        let kind = Kind::Agent { caller, account };
        let wanted = Wanted { kind, user, aor, from, headers: crossing(asked.request), offer, speech, ring: RING };
        let number = self.begin_ring(wanted, phones, now);
        let mut own = self.registrar.bindings(account).filter(|binding| binding.flow.flow == asked.from);
        if let Some(binding) = own.next().map(|binding| binding.id) {
            self.calls.add_home(number, caller, Home { aor: account, binding });
        }
        Ok(())
    }

    /// RFC 3261 §16.3: nothing goes round for ever. What we send has a From tag of ours.
    fn is_no_loop(&self, request: &Message) -> Result<(), Code> {
        if request.max_forwards() == Some(0) {
            return Err(Code::TOO_MANY_HOPS);
        }
        let is_ours = request.from().tag().is_some_and(|tag| self.calls.legs.knows(tag));
        if is_ours { Err(Code::LOOP_DETECTED) } else { Ok(()) }
    }

    /// Whose phones are to ring.
    fn called_user(&self, request: &Message, user: &str) -> Result<(User, Aor), Code> {
        let at_home = matches!(request.request_uri(), Some(Uri::Sip(uri)) if self.is_ours(uri.host));
        let user = user.parse::<User>().map_err(|_| Code::NOT_FOUND)?;
        if !at_home {
            return Err(Code::FORBIDDEN);
        }
        match self.accounts.aor(user.as_str()) {
            Some(aor) => Ok((user, aor)),
            None if is_number(user.as_str()) => Err(Code::FORBIDDEN),
            None => Err(Code::NOT_FOUND),
        }
    }

    /// The user of an address of ours.
    pub(in crate::engine) fn user_at_home(&self, address: &NameAddr<'_>) -> Option<User> {
        let Some(Uri::Sip(uri)) = address.uri() else { return None };
        if !self.is_ours(uri.host) {
            return None;
        }
        uri.user?.parse().ok()
    }
}

/// How much of so much whoever has an account may take.
const fn share(of: usize) -> usize {
    of - of / 4
}

/// What of an INVITE the phones are told.
fn crossing(request: &Message) -> Vec<(Box<str>, Box<str>)> {
    let of = |name: Name| request.head().all(name).map(move |value| (name.as_str().into(), value.into()));
    CROSSING.into_iter().flat_map(of).collect()
}

/// A telephone number (E.164): nobody's SIP user, and not put through.
fn is_number(user: &str) -> bool {
    user.strip_prefix('+').is_some_and(|digits| !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()))
}
