//! All calls that there are, and how they are found.

use std::{
    collections::{BTreeSet, HashMap, HashSet},
    time::Instant,
};

use super::{
    Call, Home, Kind, Number, Ringing, Stage, dice::Dice, exchange::Clients, relay::MediaRelay, speech::Speech,
    trunks::Trunks,
};
use crate::{
    bridge::{Side, Tickets},
    engine::{CallId, CallSettings},
    leg::{LegId, Legs},
    media::{MediaError, SessionId},
    registrar::Aor,
    transaction::Timing,
};

/// Calls of one account that are under way at a time: whoever has its password shall not take all there is.
const MOST_OF_ONE: usize = 32;

pub(in crate::engine) struct Calls {
    pub(in crate::engine) legs: Legs,
    pub(super) tickets: Tickets<Number>,
    pub(super) clients: Clients,
    pub(in crate::engine) trunks: Trunks,
    pub(super) dice: Dice,
    relay: Option<Box<dyn MediaRelay>>,
    calls: HashMap<Number, Call>,
    by_id: HashMap<CallId, Number>,
    by_leg: HashMap<LegId, Number>,
    by_session: HashMap<SessionId, Number>,
    /// Calls to an account's phones, and those that it has made.
    by_aor: HashMap<Aor, HashSet<Number>>,
    /// How many calls accounts have made that are not over.
    made: HashMap<Aor, usize>,
    timers: BTreeSet<(Instant, Number)>,
    most: usize,
    last: u64,
    drains: bool,
}

impl Calls {
    pub(in crate::engine) fn new(
        settings: &CallSettings,
        timing: Timing,
        key: &[u8; 32],
        relay: Option<Box<dyn MediaRelay>>,
    ) -> Self {
        let random = Box::new(Dice::new(key, "legs"));
        let (tickets, clients, trunks, calls, by_id, by_leg, by_session, by_aor, made, timers) = Default::default();
        Self {
            legs: Legs::new(timing, settings.here.clone(), settings.legs, random),
            tickets,
            clients,
            trunks,
            dice: Dice::new(key, "calls"),
            relay,
            calls,
            by_id,
            by_leg,
            by_session,
            by_aor,
            made,
            timers,
            most: settings.legs.legs,
            last: 0,
            drains: false,
        }
    }

    /// New calls are turned away from now on.
    pub(in crate::engine) const fn drain(&mut self) {
        self.drains = true;
    }

    /// Whether one more call can be begun.
    pub(super) fn has_room(&self) -> bool {
        !self.drains && self.calls.len() < self.most
    }

    /// Whether an account may make one more.
    pub(super) fn may_make(&self, account: Aor) -> bool {
        self.made.get(&account).is_none_or(|made| *made < MOST_OF_ONE)
    }

    /// The ports of a new call.
    pub(super) fn open(&mut self, settings: &CallSettings) -> Result<Speech, MediaError> {
        Speech::open(settings.media, self.relay.as_deref_mut(), &mut self.dice)
    }

    /// Begins a call to these phones.
    pub(super) fn insert(&mut self, kind: Kind, aor: Aor, ringing: Ringing, speech: Speech) -> Number {
        self.last += 1;
        let number = Number(self.last);
        match kind {
            Kind::Customer(id) => drop(self.by_id.insert(id, number)),
            Kind::Agent { caller, account } => {
                self.by_leg.insert(caller, number);
                self.by_aor.entry(account).or_default().insert(number);
                *self.made.entry(account).or_default() += 1;
            }
        }
        if let Some(session) = speech.session() {
            self.by_session.insert(session, number);
        }
        self.by_aor.entry(aor).or_default().insert(number);
        let stage = Stage::Ringing(ringing);
        self.calls.insert(number, Call { kind, stage, speech, aor, homes: Vec::new(), waking: None });
        self.schedule(number);
        number
    }

    pub(super) fn get(&self, number: Number) -> Option<&Call> {
        self.calls.get(&number)
    }

    pub(super) fn get_mut(&mut self, number: Number) -> Option<&mut Call> {
        self.calls.get_mut(&number)
    }

    pub(super) fn is_over(&self, number: Number) -> bool {
        self.calls.get(&number).is_some_and(|call| matches!(call.stage, Stage::Over { .. }))
    }

    pub(super) fn named(&self, id: CallId) -> Option<Number> {
        self.by_id.get(&id).copied()
    }

    pub(super) fn of_leg(&self, leg: LegId) -> Option<Number> {
        self.by_leg.get(&leg).copied()
    }

    pub(super) fn of_session(&self, session: SessionId) -> Option<Number> {
        self.by_session.get(&session).copied()
    }

    /// Calls of this account.
    pub(super) fn at(&self, aor: Aor) -> Vec<Number> {
        self.by_aor.get(&aor).into_iter().flatten().copied().collect()
    }

    pub(in crate::engine) fn is_at_work(&self, aor: Aor) -> bool {
        self.by_aor.contains_key(&aor)
    }

    pub(super) fn numbers(&self) -> Vec<Number> {
        self.calls.keys().copied().collect()
    }

    /// A leg belongs to this call.
    pub(super) fn add_leg(&mut self, number: Number, leg: LegId) {
        self.by_leg.insert(leg, number);
    }

    /// A leg of it is a registered phone's. Of a call that has failed meanwhile nothing is kept.
    pub(super) fn add_home(&mut self, number: Number, leg: LegId, home: Home) {
        if let Some(call) = self.calls.get_mut(&number) {
            call.homes.push((leg, home));
            self.add_leg(number, leg);
        }
    }

    /// What it tells is nobody's business any more.
    pub(super) fn forget_leg(&mut self, leg: LegId) {
        self.by_leg.remove(&leg);
    }

    /// The same of all that a call has.
    pub(super) fn forget_legs(&mut self, number: Number) {
        let Some(call) = self.calls.get(&number) else { return };
        if let Kind::Agent { caller, .. } = call.kind {
            self.by_leg.remove(&caller);
        }
        match &call.stage {
            Stage::Ringing(_) => {
                for (leg, _) in &call.homes {
                    self.by_leg.remove(leg);
                }
            }
            Stage::Waiting(waiting) => {
                self.by_leg.remove(&waiting.phone);
            }
            Stage::Joined { bridge, .. } => {
                self.by_leg.remove(&bridge.leg(Side::Caller));
                self.by_leg.remove(&bridge.leg(Side::Callee));
            }
            Stage::Over { .. } => {}
        }
    }

    fn leave(&mut self, aor: Aor, number: Number) {
        if let Some(numbers) = self.by_aor.get_mut(&aor) {
            numbers.remove(&number);
            if numbers.is_empty() {
                self.by_aor.remove(&aor);
            }
        }
    }

    /// Lets go of a call, and of its ports.
    pub(super) fn remove(&mut self, number: Number) -> Option<Call> {
        self.forget_legs(number);
        let call = self.calls.remove(&number)?;
        self.leave(call.aor, number);
        match call.kind {
            Kind::Customer(id) => drop(self.by_id.remove(&id)),
            Kind::Agent { account, .. } => {
                self.leave(account, number);
                if let Some(made) = self.made.get_mut(&account) {
                    *made -= 1;
                    if *made == 0 {
                        self.made.remove(&account);
                    }
                }
            }
        }
        if let Some(session) = call.speech.session() {
            self.by_session.remove(&session);
        }
        if let Some(at) = call.waking {
            self.timers.remove(&(at, number));
        }
        Some(call)
    }

    /// Puts a call's wish to be woken into the queue.
    pub(super) fn schedule(&mut self, number: Number) {
        let Some(call) = self.calls.get_mut(&number) else { return };
        let wake = call.wake();
        let before = std::mem::replace(&mut call.waking, wake);
        if before != wake {
            before.map(|at| self.timers.remove(&(at, number)));
            self.timers.extend(wake.map(|at| (at, number)));
        }
    }

    pub(super) fn take_due(&mut self, now: Instant) -> Option<Number> {
        let (at, number) = self.timers.first().copied().filter(|(at, _)| *at <= now)?;
        self.timers.remove(&(at, number));
        if let Some(call) = self.calls.get_mut(&number) {
            call.waking = None;
        }
        Some(number)
    }

    pub(in crate::engine) fn next_timeout(&self) -> Option<Instant> {
        self.legs.next_timeout().into_iter().chain(self.timers.first().map(|(at, _)| *at)).min()
    }

    pub(super) fn is_idle(&self) -> bool {
        self.calls.is_empty() && self.legs.is_empty()
    }

    pub(in crate::engine) fn len(&self) -> usize {
        self.calls.len()
    }

    /// All that is kept, in the order of the fields: nothing once all calls are over.
    #[cfg(test)]
    pub(in crate::engine) fn left(&self) -> [usize; 9] {
        [
            self.legs.len(),
            self.tickets.len(),
            self.clients.len(),
            self.calls.len(),
            self.by_id.len() + self.by_leg.len(),
            self.by_session.len(),
            self.by_aor.len(),
            self.made.len(),
            self.timers.len(),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        engine::{
            Media,
            tests::house::{HERE, KEY},
        },
        registrar::BindingId,
    };

    #[test]
    fn of_a_call_that_has_failed_meanwhile_nothing_is_kept() {
        let settings = CallSettings::new(HERE, Media::Direct);
        let mut calls = Calls::new(&settings, Timing::default(), &KEY, None);
        calls.add_home(Number(1), LegId::of_test(1), Home { aor: Aor(1), binding: BindingId(1) });
        assert_eq!(calls.left(), [0; 9]);
    }
}
