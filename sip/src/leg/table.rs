//! All legs that there are.

use std::{
    collections::{BTreeSet, HashMap, VecDeque},
    time::Instant,
};

use bytes::Bytes;

use super::{
    Ask, Failure, Here, Incoming, Invite, LegId, Output, Random, Reach, Reason,
    called::{self, Called},
    calling::Calling,
    common::Common,
    phase::{Leg, Next, Phase, Wish},
    turn::{Asked, Turn},
};
use crate::{
    dialog::{Beginning, Dialog},
    message::{Code, Message},
    transaction::{Timing, TransactionId},
    transport::Flow,
};

/// How many there may be. It protects the memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    pub legs: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { legs: 16_384 }
    }
}

/// Why a call was not made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoLeg {
    #[error("no room for another call")]
    Full,
    /// The target is no `sip` URI, or a route is no address.
    #[error("no address to call")]
    Target,
}

impl NoLeg {
    /// Whether it may help to try again later.
    pub const fn is_retryable(self) -> bool {
        matches!(self, Self::Full)
    }
}

struct Entry {
    leg: Leg,
    /// The wish that stands in the queue.
    waking: Option<Instant>,
}

/// The table. What is to be done is collected, and taken by [`Legs::take_output`] after each call. Commands to a leg that is
/// over do nothing.
pub struct Legs {
    timing: Timing,
    here: Here,
    limits: Limits,
    random: Box<dyn Random>,
    legs: HashMap<LegId, Entry>,
    /// Unanswered calls of peers, by their INVITE.
    called: HashMap<TransactionId, LegId>,
    /// Every leg's wish to be woken. A session's may be half an hour away: one that is over leaves none behind.
    timers: BTreeSet<(Instant, LegId)>,
    outputs: VecDeque<Output>,
}

impl Legs {
    pub fn new(timing: Timing, here: Here, limits: Limits, random: Box<dyn Random>) -> Self {
        let (legs, called, timers, outputs) = Default::default();
        Self { timing, here, limits, random, legs, called, timers, outputs }
    }

    /// Calls somebody.
    pub fn call(&mut self, invite: Invite, now: Instant) -> Result<LegId, NoLeg> {
        if self.legs.len() >= self.limits.legs {
            return Err(NoLeg::Full);
        }
        let (id, call_id) = (LegId(self.random.bits()), [self.random.bits(), self.random.bits()]);
        let [first, second] = call_id;
        let begin = Beginning {
            call_id: &format!("{first:016x}{second:016x}"),
            tag: id.tag(),
            from: &invite.from,
            to: &invite.to,
            target: &invite.target,
            routes: &invite.routes,
        };
        let dialog = Dialog::calling(&begin).ok_or(NoLeg::Target)?;
        let mut common = Common::new(dialog, invite.flow, invite.reach, invite.login.clone());
        let (_, mut turn) = self.turn(id, now);
        let calling = Calling::new(&mut common, &mut turn, invite).ok_or(NoLeg::Target)?;
        self.insert(id, Leg { common, phase: Phase::Calling(Box::new(calling)) }, now);
        Ok(id)
    }

    /// Takes an INVITE outside any call, to be answered by [`Legs::answer`] or [`Legs::refuse`]. None: it was refused here, for
    /// what it asks or because there is no room.
    pub fn called(&mut self, incoming: &Incoming<'_>, reach: Reach, now: Instant) -> Option<LegId> {
        let id = LegId(self.random.bits());
        let is_full = self.legs.len() >= self.limits.legs;
        let (_, mut turn) = self.turn(id, now);
        if is_full {
            turn.overloaded(&Asked::of(incoming));
            return None;
        }
        if called::refusal(&mut turn, incoming) {
            return None;
        }
        let Some(dialog) = Dialog::called(incoming.message, id.tag()) else {
            turn.plain(&Asked::of(incoming), Code::BAD_REQUEST);
            return None;
        };
        let phase = Phase::Called(Box::new(Called::new(&turn, incoming)));
        let common = Common::new(dialog, incoming.flow, reach, None);
        self.called.insert(incoming.to, id);
        self.insert(id, Leg { common, phase }, now);
        Some(id)
    }

    /// A request with a tag in To has come, neither ACK nor CANCEL.
    pub fn request(&mut self, incoming: &Incoming<'_>, now: Instant) {
        let id = incoming.message.to().tag().and_then(LegId::of_tag);
        let known = id.filter(|id| self.legs.contains_key(id));
        match known {
            Some(id) => self.step(id, now, |leg, turn| leg.request(turn, incoming)),
            None => {
                let id = LegId(self.random.bits());
                let (_, mut turn) = self.turn(id, now);
                turn.plain(&Asked::of(incoming), Code::NO_SUCH_CALL);
            }
        }
    }

    /// Whether that tag, in To of a peer's request, is one of ours.
    pub fn knows(&self, tag: &str) -> bool {
        LegId::of_tag(tag).is_some_and(|id| self.legs.contains_key(&id))
    }

    /// The way that the latest message of a leg's peer came, or, before the first, the way that it was called.
    pub fn flow(&self, id: LegId) -> Option<Flow> {
        self.legs.get(&id).map(|entry| entry.leg.common.flow)
    }

    /// A phone is reached by another way from now on; of a peer that is reached by its routes nothing changes.
    pub fn reroute(&mut self, id: LegId, flow: Flow) {
        if let Some(entry) = self.legs.get_mut(&id) {
            entry.leg.common.flow = flow;
        }
    }

    /// An ACK has come that is not a failure's.
    pub fn ack(&mut self, ack: &Message, now: Instant) {
        if let Some(id) = ack.to().tag().and_then(LegId::of_tag) {
            self.step(id, now, |leg, turn| leg.ack(turn, ack));
        }
    }

    /// A CANCEL has come for an INVITE; whoever found that answers the CANCEL.
    pub fn cancelled(&mut self, invite: TransactionId, cancel: &Message, now: Instant) {
        let by_tag = || cancel.to().tag().and_then(LegId::of_tag);
        if let Some(id) = self.called.get(&invite).copied().or_else(by_tag) {
            self.step(id, now, |leg, turn| leg.cancelled(turn, invite));
        }
    }

    pub fn response(&mut self, ask: Ask, response: &Message, now: Instant) {
        self.step(ask.leg, now, |leg, turn| leg.response(turn, ask.number, response));
    }

    pub fn failed(&mut self, ask: Ask, failure: Failure, now: Instant) {
        self.step(ask.leg, now, |leg, turn| leg.failed(turn, ask.number, failure));
    }

    /// Tells a caller how it goes: 180, or 183 with a preview of the answer.
    pub fn progress(&mut self, id: LegId, code: Code, sdp: Option<Bytes>, now: Instant) {
        self.step(id, now, |leg, turn| leg.wish(turn, Wish::Progress(code, sdp)));
    }

    /// Takes a call, or an offer within one.
    pub fn answer(&mut self, id: LegId, sdp: Bytes, now: Instant) {
        self.step(id, now, |leg, turn| leg.wish(turn, Wish::Answer(sdp)));
    }

    /// Does not take a call, which ends it, or an offer within one, which does not. `code`: 300 to 699.
    pub fn refuse(&mut self, id: LegId, code: Code, now: Instant) {
        self.step(id, now, |leg, turn| leg.wish(turn, Wish::Refuse(code)));
    }

    /// Offers another session within a call, as soon as nothing else is under way. The latest counts if several wait.
    pub fn offer(&mut self, id: LegId, sdp: Bytes, now: Instant) {
        self.step(id, now, |leg, turn| leg.wish(turn, Wish::Offer(sdp)));
    }

    /// Refreshes the session of a call that is answered: a peer that is not there any more does not answer that, and the leg
    /// is lost.
    pub fn refresh(&mut self, id: LegId, now: Instant) {
        self.step(id, now, |leg, turn| leg.wish(turn, Wish::Refresh));
    }

    /// Ends a call: by CANCEL, by 480 or by BYE, as it stands.
    pub fn end(&mut self, id: LegId, reason: Reason, now: Instant) {
        self.step(id, now, |leg, turn| leg.wish(turn, Wish::End(reason)));
    }

    /// Wakes every leg whose time has come.
    pub fn timeout(&mut self, now: Instant) {
        while let Some((at, id)) = self.timers.first().copied().filter(|(at, _)| *at <= now) {
            self.timers.remove(&(at, id));
            if let Some(entry) = self.legs.get_mut(&id) {
                entry.waking = None;
                self.step(id, now, |leg, turn| leg.timeout(turn));
            }
        }
    }

    /// When to call [`Legs::timeout`] next.
    pub fn next_timeout(&self) -> Option<Instant> {
        self.timers.first().map(|(at, _)| *at)
    }

    pub fn take_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// Those included whose peers are still owed something.
    pub fn len(&self) -> usize {
        self.legs.len()
    }

    pub fn is_empty(&self) -> bool {
        self.legs.is_empty()
    }

    fn insert(&mut self, id: LegId, leg: Leg, now: Instant) {
        self.legs.insert(id, Entry { leg, waking: None });
        self.step(id, now, |_, _| Next::Stay);
    }

    fn turn(&mut self, id: LegId, now: Instant) -> (&mut HashMap<LegId, Entry>, Turn<'_>) {
        let Self { timing, here, random, outputs, legs, .. } = self;
        (legs, Turn { now, id, timing: *timing, here, random: &mut **random, out: outputs })
    }

    /// Has a leg do something, and puts its wish to be woken into the queue.
    fn step(&mut self, id: LegId, now: Instant, input: impl FnOnce(&mut Leg, &mut Turn<'_>) -> Next) {
        let (legs, mut turn) = self.turn(id, now);
        let Some(entry) = legs.get_mut(&id) else { return };
        let awaited = entry.leg.awaiting();
        match input(&mut entry.leg, &mut turn) {
            Next::Stay => {}
            Next::To(phase) => entry.leg.phase = phase,
            Next::Gone => {
                let waking = entry.waking;
                self.legs.remove(&id);
                self.wake(id, waking, None);
                self.forget(awaited);
                return;
            }
        }
        let (wake, awaits) = (entry.leg.wake().map(|at| at.max(now)), entry.leg.awaiting());
        let before = std::mem::replace(&mut entry.waking, wake);
        self.wake(id, before, wake);
        if awaits != awaited {
            self.forget(awaited);
        }
    }

    fn wake(&mut self, id: LegId, before: Option<Instant>, wake: Option<Instant>) {
        if before != wake {
            before.map(|at| self.timers.remove(&(at, id)));
            self.timers.extend(wake.map(|at| (at, id)));
        }
    }

    fn forget(&mut self, invite: Option<TransactionId>) {
        if let Some(invite) = invite {
            self.called.remove(&invite);
        }
    }

    #[cfg(test)]
    pub(super) fn waiting(&self) -> (usize, usize) {
        (self.called.len(), self.timers.len())
    }
}
