//! Reservations: which of them ring, which wait, and which are turned away at once.

use std::time::Duration;

use super::{
    Agent, Context, Effect, Notice,
    about::About,
    offer::{Held, HeldFor, Kind, Reservation},
    request::{Offered, Request},
};
use crate::call::Call;
use crate::domain::{ReservationEvent, ReservationEventKind, ReservationSid, ReservationStatus, Timestamp};

/// What stays free before a reservation's own timeout, so that Twilio's timeout activity never acts.
const MARGIN: Duration = Duration::from_secs(5);
/// What an offer is given at least, however late it comes: one instruction, and Twilio says whether it was too late.
const GRACE: Duration = Duration::from_secs(3);
/// What an offer is given that Twilio calls pending although it should not be, our clock being ahead.
const GRACE_BY_READING: Duration = Duration::from_secs(10);

impl Agent {
    pub(super) fn reservation_event(&mut self, event: &ReservationEvent, context: &Context<'_>) -> Vec<Effect> {
        let sid = &event.reservation;
        if self.reservations.get(sid).is_some_and(|known| !known.is_news(event)) {
            return Vec::new();
        }
        let status = ReservationStatus::from(event.kind);
        let known = self.remember(event, status, context);
        self.heard_name(&event.worker_name);
        let mut effects = self.heard_of_worker(&event.worker, event.activity.as_deref(), event.at, context);
        match event.kind {
            ReservationEventKind::Created if !known => effects.extend(self.offered(event, context)),
            ReservationEventKind::Created => {}
            _ => effects.extend(self.status_changed(sid, status, event.at, context)),
        }
        effects
    }

    /// Writes down what the event says; answers whether the reservation was known before.
    fn remember(&mut self, event: &ReservationEvent, status: ReservationStatus, context: &Context<'_>) -> bool {
        // Twilio's clock may be ahead of ours: what has happened did not happen later than now.
        let created = event.at.min(context.now);
        let deadline = created + context.reservation_timeout.saturating_sub(MARGIN);
        if let Some(known) = self.reservations.get_mut(&event.reservation) {
            if known.at == Timestamp::EPOCH && event.kind == ReservationEventKind::Created {
                // A reading has found it first, and knew not for how long it is offered.
                known.deadline = known.deadline.max(deadline);
            }
            known.version = event.version.or(known.version);
            known.at = event.at;
            known.heard_at = context.now;
            known.advance(status);
            return true;
        }
        let reservation = Reservation {
            task: event.task.sid.clone(),
            kind: Kind::of(&event.task),
            status,
            version: event.version,
            at: event.at,
            heard_at: context.now,
            deadline: deadline.max(context.now + GRACE),
            held: None,
            answering: None,
            about: Box::new(About::of(&event.task)),
            created,
            worked: None,
        };
        self.reservations.insert(event.reservation.clone(), reservation);
        false
    }

    /// A reservation was created for this agent.
    fn offered(&mut self, event: &ReservationEvent, context: &Context<'_>) -> Vec<Effect> {
        let sid = &event.reservation;
        // What the agent dials at the desk needs no answer.
        if self.reservations.get(sid).is_none_or(|one| one.kind == Kind::CallOut) {
            return Vec::new();
        }
        if context.now >= event.at + context.reservation_timeout {
            // Either it waited long in the inbox, or our clock is ahead: Twilio knows.
            self.hold(sid, HeldFor::Reading, context.now + context.reservation_timeout, context.now);
            self.read_reservation(sid, context.now);
            return Vec::new();
        }
        self.consider(sid, context)
    }

    /// Decides about a pending offer.
    pub(super) fn consider(&mut self, sid: &ReservationSid, context: &Context<'_>) -> Vec<Effect> {
        let pending = self.reservations.get(sid).filter(|one| one.status == ReservationStatus::Pending);
        let Some(kind) = pending.map(|one| one.kind) else { return Vec::new() };
        let Some((task, deadline)) = pending.map(|one| (one.task.clone(), one.deadline)) else { return Vec::new() };
        let on_mobile = self.is_on_mobile(context);
        if on_mobile != Some(true) && self.is_unavailable(context) {
            self.turn_down(sid, context.now);
            return Vec::new();
        }
        if on_mobile != Some(true) {
            self.hold(sid, HeldFor::Mobile, deadline, context.now);
            if on_mobile.is_none() {
                self.read_worker(context.now);
            }
            return Vec::new();
        }
        if kind == Kind::Chat {
            return self.show_offer(sid, context);
        }
        let mut effects = self.came_back(&task, sid, context);
        let passed = self.passed_of_late(&task, context.now);
        let waits = passed.is_some_and(|passed| passed.missed > 0 || passed.faulted);
        let rings_at = (context.now + context.policy.reoffer_hold).min(deadline - self.lead(&task, context));
        if self.is_on_a_call(sid) {
            effects.extend(self.turn_away(sid, context));
        } else if waits && rings_at > context.now {
            self.hold(sid, HeldFor::Reoffer, rings_at, context.now);
        } else {
            effects.extend(self.ring(sid, context));
        }
        effects
    }

    /// The agent is on a call. The offer goes to somebody else at once; if it comes straight back, there is nobody else,
    /// and it waits for the call's end as long as it may.
    fn turn_away(&mut self, sid: &ReservationSid, context: &Context<'_>) -> Vec<Effect> {
        let Some(reservation) = self.reservations.get(sid) else { return Vec::new() };
        let (offered, deadline) = (reservation.offered(sid), reservation.deadline);
        self.read_calls_at_desk(sid, context.now);
        if self.passed_of_late(&offered.task, context.now).is_some() && context.now < deadline {
            self.hold(sid, HeldFor::Call, deadline, context.now);
            return Vec::new();
        }
        self.pass(&offered.task, context.now);
        self.owe_briefly(Request::Reject(offered), context.now);
        vec![Effect::Tell(Notice::RejectedBusy)]
    }

    /// Whether the agent talks, rings, or has a voice task at the desk.
    pub(super) fn is_on_a_call(&self, but: &ReservationSid) -> bool {
        self.calls.iter().any(|call| call.is_busy() && !call.is_of(but)) || self.calls_at_desk(but).next().is_some()
    }

    fn calls_at_desk(&self, but: &ReservationSid) -> impl Iterator<Item = &ReservationSid> {
        let accepted = self.reservations.iter().filter(move |(sid, one)| *sid != but && one.is_call_at_desk());
        accepted.map(|(sid, _)| sid).filter(|sid| !self.is_closing(sid))
    }

    /// The event of a call's end at the desk may have been lost. A call of ours is looked after elsewhere.
    fn read_calls_at_desk(&mut self, but: &ReservationSid, now: Timestamp) {
        let elsewhere = |sid: &&ReservationSid| !self.calls.iter().any(|call: &Call| call.is_of(sid));
        let at_desk: Vec<_> = self.calls_at_desk(but).filter(elsewhere).cloned().collect();
        for sid in at_desk {
            self.read_reservation(&sid, now);
        }
    }

    fn is_closing(&self, sid: &ReservationSid) -> bool {
        self.duties
            .iter()
            .any(|duty| matches!(&duty.request, Request::Close { offered, .. } if offered.reservation == *sid))
    }

    pub(super) fn hold(&mut self, sid: &ReservationSid, why: HeldFor, until: Timestamp, now: Timestamp) {
        if let Some(reservation) = self.reservations.get_mut(sid) {
            reservation.held = (until > now).then_some(Held { why, until });
        }
    }

    fn read_reservation(&mut self, sid: &ReservationSid, now: Timestamp) {
        if let Some(reservation) = self.reservations.get(sid) {
            self.owe_briefly(Request::ReadReservation(reservation.offered(sid)), now);
        }
    }

    /// The agent has come to be on mobile: what waits for that is considered.
    pub(super) fn consider_held_for_mobile(&mut self, context: &Context<'_>) -> Vec<Effect> {
        let mut effects = Vec::new();
        for sid in self.held_sids(|_, held| held.why == HeldFor::Mobile && context.now < held.until) {
            self.let_go(&sid);
            effects.extend(self.consider(&sid, context));
        }
        effects
    }

    /// Nobody answers here any more: what rings, or waits for its moment, is for the next agent. A ring for which the agent is
    /// being taken offline is all but over.
    pub(super) fn give_back(&mut self, context: &Context<'_>) -> Vec<Effect> {
        for sid in self.held_sids(|_, held| held.why != HeldFor::Reading) {
            self.turn_down(&sid, context.now);
        }
        self.stop_ringing(|call| !call.is_given_up(), context)
    }

    /// Held offers whose moment has come.
    pub(super) fn release_held(&mut self, context: &Context<'_>) -> Vec<Effect> {
        let mut effects = Vec::new();
        for sid in self.held_sids(|_, held| context.now >= held.until) {
            effects.extend(self.release(&sid, context));
        }
        for sid in self.held_sids(|sid, held| held.why == HeldFor::Call && !self.is_on_a_call(sid)) {
            effects.extend(self.release(&sid, context));
        }
        effects
    }

    fn held_sids(&self, which: impl Fn(&ReservationSid, Held) -> bool) -> Vec<ReservationSid> {
        let held = self.reservations.iter().filter(|(sid, one)| one.held.is_some_and(|held| which(sid, held)));
        held.map(|(sid, _)| sid.clone()).collect()
    }

    pub(super) fn let_go(&mut self, sid: &ReservationSid) -> Option<Held> {
        self.reservations.get_mut(sid)?.held.take()
    }

    fn release(&mut self, sid: &ReservationSid, context: &Context<'_>) -> Vec<Effect> {
        let Some(held) = self.let_go(sid) else { return Vec::new() };
        match held.why {
            // Whoever could have told did not: it is left to Twilio, or to the desk.
            HeldFor::Reading | HeldFor::Mobile => Vec::new(),
            HeldFor::Reoffer | HeldFor::Call if self.is_on_mobile(context) != Some(true) => self.consider(sid, context),
            HeldFor::Reoffer | HeldFor::Call if self.is_on_a_call(sid) => self.turn_away(sid, context),
            HeldFor::Reoffer | HeldFor::Call => self.ring(sid, context),
        }
    }

    /// A reservation's status as an event or a reading tells it: the call learns of it, a held offer is let go.
    fn status_changed(
        &mut self,
        sid: &ReservationSid,
        status: ReservationStatus,
        at: Timestamp,
        context: &Context<'_>,
    ) -> Vec<Effect> {
        if status != ReservationStatus::Pending {
            self.let_go(sid);
        }
        let mut effects: Vec<_> = self.work_moved(sid, status, at).into_iter().collect();
        effects.extend(self.offer_moved(sid, status, context));
        self.chat_moved(sid, status, at, context.now);
        effects.extend(self.tell_call(|call| call.is_of(sid), context, |call, now| call.reservation(status, now)));
        effects
    }

    /// REST's word on a reservation. An answer may have been overtaken by an event: a status never goes back.
    pub(super) fn found(
        &mut self,
        offered: &Offered,
        status: ReservationStatus,
        changed_at: Option<Timestamp>,
        context: &Context<'_>,
    ) -> Vec<Effect> {
        let sid = &offered.reservation;
        let Some(reservation) = self.reservations.get_mut(sid) else { return Vec::new() };
        reservation.heard_at = context.now;
        if !reservation.advance(status) {
            return Vec::new();
        }
        if status == ReservationStatus::Pending && reservation.held.is_some_and(|held| held.why == HeldFor::Reading) {
            reservation.held = None;
            reservation.deadline = reservation.deadline.max(context.now + GRACE_BY_READING);
            return self.consider(sid, context);
        }
        self.status_changed(sid, status, changed_at.unwrap_or(context.now), context)
    }

    /// Asks about reservations that should have been heard of: their events were lost.
    pub(super) fn ask_overdue(&mut self, context: &Context<'_>) {
        let mut asked = Vec::new();
        for (sid, one) in &mut self.reservations {
            if one.overdue_at().is_some_and(|at| context.now >= at) {
                one.heard_at = context.now;
                asked.push(one.offered(sid));
            }
        }
        for offered in asked {
            self.owe_briefly(Request::ReadReservation(offered), context.now);
        }
    }
}
