//! Reservations: which of them ring, which wait, and which are turned away at once.

use std::time::Duration;

use super::{
    Agent, Context, Effect, Notice,
    offer::{Held, HeldFor, Passed, PassedBy, Reservation, VOICE},
    request::{Offered, Request},
};
use crate::call::Call;
use crate::domain::{
    ReservationEvent, ReservationEventKind, ReservationSid, ReservationStatus, RingTarget, TaskSid, Timestamp,
};

/// The same task offered again within this time is a re-offer.
const REOFFER_WINDOW: Duration = Duration::from_secs(60);
/// What stays free before a reservation's own timeout, so that Twilio's timeout activity never acts.
const MARGIN: Duration = Duration::from_secs(5);
/// How long an offer waits for a reading that decides about it.
const READING: Duration = Duration::from_secs(10);

impl Agent {
    pub(super) fn reservation_event(&mut self, event: &ReservationEvent, context: &Context<'_>) -> Vec<Effect> {
        if self.reservations.get(&event.reservation).is_some_and(|known| !known.is_news(event)) {
            return Vec::new();
        }
        self.worker = Some(event.worker.clone());
        let mut effects = Vec::new();
        if let Some(name) = &event.activity {
            effects.extend(self.learn_activity(name.clone(), event.at, context));
        }
        let status = ReservationStatus::from(event.kind);
        let known = self.remember(event, status, context);
        match event.kind {
            ReservationEventKind::Created if !known => effects.extend(self.offered(event, context)),
            ReservationEventKind::Created => {}
            _ => effects.extend(self.status_changed(&event.reservation, status, context)),
        }
        effects
    }

    /// Writes down what the event says; answers whether the reservation was known before.
    fn remember(&mut self, event: &ReservationEvent, status: ReservationStatus, context: &Context<'_>) -> bool {
        if let Some(known) = self.reservations.get_mut(&event.reservation) {
            known.version = event.version.or(known.version);
            known.at = event.at;
            known.heard_at = context.now;
            known.advance(status);
            return true;
        }
        let reservation = Reservation {
            offered: Offered { reservation: event.reservation.clone(), task: event.task.sid.clone() },
            channel: event.task.channel.clone(),
            status,
            version: event.version,
            at: event.at,
            heard_at: context.now,
            deadline: event.at + context.reservation_timeout.saturating_sub(MARGIN),
            held: None,
        };
        self.reservations.insert(event.reservation.clone(), reservation);
        false
    }

    /// A reservation was created for this agent.
    fn offered(&mut self, event: &ReservationEvent, context: &Context<'_>) -> Vec<Effect> {
        if event.task.channel != VOICE || is_outbound(&event.task.attributes) {
            return Vec::new();
        }
        let sid = &event.reservation;
        if context.now >= event.at + context.reservation_timeout {
            // Either it waited long in the inbox, or the clocks disagree: Twilio knows.
            self.hold(sid, HeldFor::Reading, context.now + READING);
            self.read_reservation(sid, context.now);
            return Vec::new();
        }
        self.consider(sid, context)
    }

    /// Decides about a pending voice offer.
    fn consider(&mut self, sid: &ReservationSid, context: &Context<'_>) -> Vec<Effect> {
        let Some(reservation) = self.reservations.get(sid) else { return Vec::new() };
        let (task, deadline) = (reservation.offered.task.clone(), reservation.deadline);
        match self.is_on_mobile(context) {
            Some(true) => {}
            // At the desk Flex rings; the gateway keeps out of it.
            Some(false) => return Vec::new(),
            None => {
                self.hold(sid, HeldFor::Activity, context.now + READING);
                if let Some(worker) = self.worker.clone() {
                    self.owe_briefly(Request::ReadWorker(worker), context.now);
                }
                return Vec::new();
            }
        }
        let acts = self.call.as_mut().map(|call| call.conclude(call.offered.task == task)).unwrap_or_default();
        let mut effects = self.act(acts, context);
        let passed = self.passed_of_late(&task, context.now).cloned();
        match passed {
            _ if self.is_on_a_call(sid, context.now) => effects.extend(self.turn_away(sid, passed, context)),
            Some(PassedBy::Missed(_)) => {
                self.hold(sid, HeldFor::Reoffer, deadline.min(context.now + context.policy.reoffer_hold));
            }
            Some(PassedBy::Busy) | None => effects.extend(self.ring(sid, false, context)),
        }
        effects
    }

    /// The agent is on a call. The offer goes to somebody else at once; if it comes straight back, there is nobody else,
    /// and it waits for the call's end as long as it may.
    fn turn_away(&mut self, sid: &ReservationSid, passed: Option<PassedBy>, context: &Context<'_>) -> Vec<Effect> {
        let Some(reservation) = self.reservations.get(sid) else { return Vec::new() };
        let (offered, deadline) = (reservation.offered.clone(), reservation.deadline);
        if passed.is_some() {
            self.hold(sid, HeldFor::Call, deadline);
            return Vec::new();
        }
        self.passed.push(Passed { task: offered.task.clone(), at: context.now, how: PassedBy::Busy });
        self.owe_briefly(Request::Reject(offered), context.now);
        vec![Effect::Tell(Notice::RejectedBusy)]
    }

    /// Whether the agent talks, rings, or has a voice task at the desk. A desk's task that may be over is asked about.
    fn is_on_a_call(&mut self, but: &ReservationSid, now: Timestamp) -> bool {
        if self.call.as_ref().is_some_and(|call| call.is_busy() && call.offered.reservation != *but) {
            return true;
        }
        let at_desk = self.reservations.iter().find(|(sid, one)| {
            *sid != but && one.is_voice() && one.status == ReservationStatus::Accepted && !self.is_closing(sid)
        });
        let Some(sid) = at_desk.map(|(sid, _)| sid.clone()) else { return false };
        self.read_reservation(&sid, now);
        true
    }

    fn is_closing(&self, sid: &ReservationSid) -> bool {
        self.duties
            .iter()
            .any(|duty| matches!(&duty.request, Request::Close { offered, .. } if offered.reservation == *sid))
    }

    fn passed_of_late(&self, task: &TaskSid, now: Timestamp) -> Option<&PassedBy> {
        let passed =
            self.passed.iter().rev().find(|passed| passed.task == *task && now.since(passed.at) <= REOFFER_WINDOW);
        passed.map(|passed| &passed.how)
    }

    fn hold(&mut self, sid: &ReservationSid, why: HeldFor, until: Timestamp) {
        if let Some(reservation) = self.reservations.get_mut(sid) {
            reservation.held = Some(Held { why, until });
        }
    }

    fn read_reservation(&mut self, sid: &ReservationSid, now: Timestamp) {
        if let Some(reservation) = self.reservations.get(sid) {
            self.owe_briefly(Request::ReadReservation(reservation.offered.clone()), now);
        }
    }

    /// The activity has become known: what waited for it is considered.
    pub(super) fn activity_is_known(&mut self) {
        for reservation in self.reservations.values_mut() {
            if let Some(held) = reservation.held.as_mut().filter(|held| held.why == HeldFor::Activity) {
                held.until = Timestamp::EPOCH;
            }
        }
    }

    /// Held offers whose moment has come.
    pub(super) fn release_held(&mut self, context: &Context<'_>) -> Vec<Effect> {
        let mut effects = Vec::new();
        let held: Vec<_> = self.reservations.iter().filter_map(|(sid, one)| Some((sid.clone(), one.held?))).collect();
        for (sid, held) in held {
            effects.extend(self.release(&sid, held, context));
        }
        effects
    }

    fn release(&mut self, sid: &ReservationSid, held: Held, context: &Context<'_>) -> Vec<Effect> {
        let due = context.now >= held.until;
        let free = held.why == HeldFor::Call && !self.call.as_ref().is_some_and(Call::is_busy);
        if !due && !free {
            return Vec::new();
        }
        let Some(reservation) = self.reservations.get_mut(sid) else { return Vec::new() };
        reservation.held = None;
        let offered = reservation.offered.clone();
        match held.why {
            HeldFor::Reading => Vec::new(),
            HeldFor::Activity if held.until == Timestamp::EPOCH => self.consider(sid, context),
            HeldFor::Activity => Vec::new(),
            _ if self.is_on_mobile(context) != Some(true) => Vec::new(),
            HeldFor::Reoffer if self.is_on_a_call(sid, context.now) => {
                self.turn_away(sid, Some(PassedBy::Busy), context)
            }
            HeldFor::Reoffer => self.ring(sid, true, context),
            HeldFor::Call if self.is_on_a_call(sid, context.now) => {
                self.owe_briefly(Request::Reject(offered), context.now);
                Vec::new()
            }
            HeldFor::Call => self.ring(sid, false, context),
        }
    }

    /// The targets to ring for a task: the plan's, without those that could not be reached a moment ago.
    pub(super) fn targets(&self, task: &TaskSid, context: &Context<'_>) -> Vec<RingTarget> {
        let plan = self.ring_plan.as_ref().unwrap_or(&context.policy.plan);
        let passed = self.passed_of_late(task, context.now);
        plan.iter().copied().filter(|target| passed.is_none_or(|passed| passed.may_ring_again(*target))).collect()
    }

    /// A reservation's status as an event or a reading tells it: the call learns of it, a held offer is let go.
    pub(super) fn status_changed(
        &mut self,
        sid: &ReservationSid,
        status: ReservationStatus,
        context: &Context<'_>,
    ) -> Vec<Effect> {
        if let Some(reservation) = self.reservations.get_mut(sid).filter(|_| status != ReservationStatus::Pending) {
            reservation.held = None;
        }
        let call = self.call.as_mut().filter(|call| call.offered.reservation == *sid);
        let acts = call.map(|call| call.reservation(status, context.now)).unwrap_or_default();
        self.act(acts, context)
    }

    /// REST's word on a reservation. An answer may have been overtaken by an event: a status never goes back.
    pub(super) fn found(&mut self, offered: &Offered, status: ReservationStatus, context: &Context<'_>) -> Vec<Effect> {
        let Some(reservation) = self.reservations.get_mut(&offered.reservation) else { return Vec::new() };
        reservation.heard_at = context.now;
        if !reservation.advance(status) {
            return Vec::new();
        }
        if status == ReservationStatus::Pending && reservation.held.is_some_and(|held| held.why == HeldFor::Reading) {
            reservation.held = None;
            reservation.deadline = reservation.deadline.max(context.now + READING);
            return self.consider(&offered.reservation, context);
        }
        self.status_changed(&offered.reservation, status, context)
    }
}

/// A call that the agent places at the desk comes as a task too; it does not ring.
fn is_outbound(attributes: &str) -> bool {
    serde_json::from_str::<serde_json::Value>(attributes)
        .is_ok_and(|attributes| attributes.get("direction").is_some_and(|direction| direction == "outbound"))
}
