//! Ringing a user's phones.

use std::time::Duration;

use bytes::Bytes;

use super::{Call, Home, Kind, Number, Ringing, Stage, Waiting, speech::Speech};
use crate::{
    bridge::{Bridge, Rewrite as _, Role, Side},
    engine::{Core, Count, Event, Now, PushToken, Ring, TicketLogin, Way},
    leg::{self, Invite, LegId, NoLeg, Random as _},
    media::Sound,
    message::{Code, NameAddr},
    registrar::{Aor, BindingId, Record, State},
    ring::{self, Act, News, Outcome},
    transport::Flow,
    user::User,
};

/// The longest that phones ring, however long their owner wants (timer C, RFC 3261 §16.6).
const LONGEST: Duration = Duration::from_secs(180);

/// How long a phone that is awake, as far as is known, may say nothing: mobile systems put apps to sleep, and connections end
/// that nobody hears of.
const NUDGE: Duration = Duration::from_secs(2);

/// What is to ring, by whom.
pub(super) struct Wanted {
    pub(super) kind: Kind,
    pub(super) user: User,
    pub(super) aor: Aor,
    pub(super) from: Box<str>,
    /// Lines by name and value.
    pub(super) headers: Vec<(Box<str>, Box<str>)>,
    pub(super) offer: Bytes,
    pub(super) speech: Speech,
    pub(super) ring: Duration,
}

/// The bindings that can be rung, and those whose phones are to come first: woken, or by themselves.
#[derive(Default)]
pub(super) struct Phones {
    pub(super) awake: Vec<BindingId>,
    pub(super) asleep: Vec<BindingId>,
}

impl Core {
    /// Rings a user's phones for a customer.
    pub(in crate::engine) fn ring(&mut self, ring: Ring, now: Now) {
        let Ring { call, user, caller, ring } = ring;
        if self.calls.named(call).is_some() {
            return;
        }
        let (aor, phones, mut speech) = match self.may_ring(&user) {
            Ok(found) => found,
            Err(outcome) => return self.tidings.tell(Event::Failed { call, outcome }),
        };
        self.counters.add(Count::Rings);
        let offer = speech.offer(Side::Callee);
        let from = caller.address(&self.settings.domain);
        let kind = Kind::Customer(call);
        let wanted = Wanted { kind, user, aor, from, headers: Vec::new(), offer, speech, ring };
        self.begin_ring(wanted, phones, now);
        self.settle(None, now);
    }

    /// Whose phones to ring, which there are, and the ports of the call.
    fn may_ring(&mut self, user: &User) -> Result<(Aor, Phones, Speech), Outcome> {
        if !self.calls.has_room() {
            return Err(Outcome::NotPossible);
        }
        let aor = self.accounts.aor(user.as_str()).ok_or(Outcome::Unreachable)?;
        let phones = self.phones(aor);
        if phones.awake.is_empty() && phones.asleep.is_empty() {
            return Err(Outcome::Unreachable);
        }
        let speech = self.calls.open(&self.settings.calls).map_err(|_| Outcome::NotPossible)?;
        Ok((aor, phones, speech))
    }

    pub(super) fn begin_ring(&mut self, wanted: Wanted, phones: Phones, now: Now) -> Number {
        let Wanted { kind, user, aor, from, headers, offer, speech, ring } = wanted;
        let until = now.instant + ring.min(LONGEST);
        let (ring, acts) = ring::Ring::new(phones.awake, phones.asleep, until);
        let nudge = matches!(kind, Kind::Customer(_)).then(|| now.instant + NUDGE);
        let ringing = Ringing { ring, user, from, headers, offer, until, nudge };
        let number = self.calls.insert(kind, aor, ringing, speech);
        self.ring_acts(number, acts, now);
        number
    }

    /// A connection of an earlier run carries nothing any more: its phone finds that out and registers anew, which is waited
    /// for. It is woken if it can be.
    pub(super) fn phones(&self, aor: Aor) -> Phones {
        let mut phones = Phones::default();
        for record in self.registrar.bindings(aor) {
            let wakes = PushToken::of_contact(record.uri).is_some();
            match record.state {
                State::Awake if record.flow.flow.is_open() => phones.awake.push(record.id),
                State::Awake => phones.asleep.push(record.id),
                State::Asleep if wakes => phones.asleep.push(record.id),
                State::Asleep => {}
            }
        }
        phones
    }

    /// These bindings are new or were renewed: whatever rings their user rings them too, if it has not; calls that they are
    /// in are reached by them.
    pub(in crate::engine) fn phones_are_there(&mut self, aor: Aor, bindings: &[BindingId], now: Now) {
        for number in self.calls.at(aor) {
            for id in bindings {
                let record = self.registrar.binding(aor, *id).filter(|record| record.state == State::Awake);
                if let Some(flow) = record.map(|record| record.flow.flow) {
                    self.phone_is_there(number, Home { aor, binding: *id }, flow, now);
                }
            }
        }
        self.settle(None, now);
    }

    fn phone_is_there(&mut self, number: Number, home: Home, flow: Flow, now: Now) {
        let Some(call) = self.calls.get(number) else { return };
        let legs: Vec<_> = call.homes.iter().filter(|(_, known)| *known == home).map(|(leg, _)| *leg).collect();
        let has_moved = legs.last().is_some_and(|leg| self.calls.legs.flow(*leg) != Some(flow));
        legs.into_iter().for_each(|leg| self.calls.legs.reroute(leg, flow));
        if let Some(Call { stage: Stage::Ringing(ringing), aor, .. }) = self.calls.get_mut(number)
            && *aor == home.aor
        {
            let mut acts = ringing.ring.add(home.binding);
            if has_moved {
                acts.extend(ringing.ring.moved(home.binding));
            }
            self.ring_acts(number, acts, now);
        }
    }

    pub(super) fn ring_acts(&mut self, number: Number, acts: Vec<Act<BindingId>>, now: Now) {
        let mut acts = std::collections::VecDeque::from(acts);
        while let Some(act) = acts.pop_front() {
            match act {
                Act::Call(binding) => {
                    let leg = self.call_phone(number, binding, now);
                    if let Some(Call { stage: Stage::Ringing(ringing), .. }) = self.calls.get_mut(number) {
                        acts.extend(match leg {
                            Ok(leg) => ringing.ring.called(binding, leg),
                            Err(why) => ringing.ring.uncalled(binding, why),
                        });
                    }
                }
                Act::Wake(binding) => self.wake_phone(number, binding),
                Act::End(leg, reason) => {
                    self.calls.forget_leg(leg);
                    self.calls.legs.end(leg, reason, now.instant);
                }
                Act::Tell(News::Ringing) => self.phone_rings(number, now),
                Act::Tell(News::Answered { leg, sdp }) => self.phone_answers(number, leg, &sdp, now),
                Act::Tell(News::Failed(outcome)) => self.nobody_answers(number, outcome, now),
            }
        }
        self.calls.schedule(number);
    }

    fn call_phone(&mut self, number: Number, binding: BindingId, now: Now) -> Result<LegId, Outcome> {
        let Some(Call { stage: Stage::Ringing(ringing), aor, .. }) = self.calls.get(number) else {
            return Err(Outcome::Unreachable);
        };
        let home = Home { aor: *aor, binding };
        let record = self.registrar.binding(home.aor, binding).filter(|record| record.state == State::Awake);
        let invite = record.and_then(|record| invite(ringing, &record, &self.settings.domain));
        let called = self.calls.legs.call(invite.ok_or(Outcome::Unreachable)?, now.instant);
        let leg = called.map_err(|why| match why {
            NoLeg::Full => Outcome::NotPossible,
            NoLeg::Target => Outcome::Unreachable,
        })?;
        self.calls.add_home(number, leg, home);
        Ok(leg)
    }

    pub(super) fn wake_phone(&mut self, number: Number, binding: BindingId) {
        let Some(Call { kind: Kind::Customer(call), stage: Stage::Ringing(ringing), aor, .. }) = self.calls.get(number)
        else {
            return;
        };
        let record = self.registrar.binding(*aor, binding);
        if let Some(token) = record.and_then(|record| PushToken::of_contact(record.uri)) {
            self.tidings.tell(Event::Wake { call: *call, user: ringing.user.clone(), token });
        }
    }

    fn phone_rings(&mut self, number: Number, now: Now) {
        match self.calls.get(number).map(|call| call.kind) {
            Some(Kind::Customer(call)) => self.tidings.tell(Event::Rings { call }),
            Some(Kind::Agent { caller, .. }) => self.calls.legs.progress(caller, Code::RINGING, None, now.instant),
            None => {}
        }
    }

    /// The first phone has answered; the others have been told.
    fn phone_answers(&mut self, number: Number, phone: LegId, sdp: &Bytes, now: Now) {
        let signalled = self.calls.legs.flow(phone).map(|flow| flow.peer.ip());
        let until = now.instant + self.settings.calls.ticket_life;
        let Some(call) = self.calls.get_mut(number) else { return };
        if let Some(signalled) = signalled {
            call.speech.may_be_behind_nat(Side::Callee, signalled);
        }
        match call.kind {
            Kind::Agent { caller, .. } => {
                call.stage = Stage::Joined { bridge: Bridge::ringing(caller, phone), confirmed: false };
                self.bridge_heard(number, phone, &leg::Event::Answered { sdp: sdp.clone() }, now);
            }
            Kind::Customer(id) => {
                if call.speech.rewrite(Side::Callee, Role::Answer, sdp).is_err() {
                    self.end_leg(phone, now);
                    return self.fail(number, Outcome::Unreachable);
                }
                call.speech.play(Side::Callee, Sound::Tone);
                let ticket = self.calls.issue_ticket(number, until);
                let login = self.settings.calls.twilio_auth.then(|| self.ticket_login());
                if let Some(call) = self.calls.get_mut(number) {
                    let login = login.clone();
                    call.stage = Stage::Waiting(Waiting { phone, ticket, login, until });
                }
                self.tidings.tell(Event::Answered { call: id, ticket, login });
            }
        }
    }

    fn ticket_login(&mut self) -> TicketLogin {
        let mut draw = || self.calls.dice.bits();
        let (first, second, third) = (draw(), draw(), draw());
        TicketLogin { username: format!("{first:016x}"), password: format!("{second:016x}{third:016x}") }
    }

    fn nobody_answers(&mut self, number: Number, outcome: Outcome, now: Now) {
        if let Some(Kind::Agent { caller, .. }) = self.calls.get(number).map(|call| call.kind) {
            self.calls.forget_leg(caller);
            self.calls.legs.refuse(caller, code_of(outcome), now.instant);
        }
        self.fail(number, outcome);
    }
}

/// What a phone is sent: by the way that it registered, whatever its Contact says. None: its Path is none.
fn invite(ringing: &Ringing, record: &Record<'_, Way>, domain: &str) -> Option<Invite> {
    let path = NameAddr::parse_list(record.path)?;
    Some(Invite {
        target: record.uri.into(),
        routes: path.iter().map(|hop| format!("<{}>{}", hop.address, hop.params.as_str()).into()).collect(),
        flow: record.flow.flow,
        reach: leg::Reach::Flow,
        from: ringing.from.clone(),
        to: format!("<sip:{}@{domain}>", ringing.user).into(),
        headers: ringing.headers.clone(),
        sdp: ringing.offer.clone(),
        until: ringing.until,
        login: None,
    })
}

/// What whoever calls an agent is told.
const fn code_of(outcome: Outcome) -> Code {
    match outcome {
        Outcome::Declined => Code::DECLINE,
        Outcome::Busy => Code::BUSY_HERE,
        Outcome::NoAnswer | Outcome::Asleep | Outcome::Unreachable => Code::TEMPORARILY_UNAVAILABLE,
        Outcome::NotPossible => Code::SERVICE_UNAVAILABLE,
    }
}
