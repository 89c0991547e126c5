//! The agent's calls: starting one, doing what it wants done, and counting those that nobody answered.

use std::time::Duration;

use super::{
    Agent, Context, Effect, Notice,
    offer::Passed,
    request::{Instruct, Request},
};
use crate::call::{Act, Call, Miss, Step};
use crate::domain::{CallId, ReservationSid, RingTarget, TaskSid, Timestamp};

/// A task that comes back within this time is a re-offer: it does not ring at once.
const REOFFER_WINDOW: Duration = Duration::from_secs(60);
/// The second miss of one task within this time takes the agent offline.
const REMEMBER: Duration = Duration::from_secs(15 * 60);
/// Passed tasks remembered at most: a bound on the record's size.
const REMEMBERED: usize = 16;
/// Calls at most, one of them busy, the others settling: a bound on the record's size.
const CALLS: usize = 4;

impl Agent {
    /// Starts the ring plan for a pending offer.
    pub(super) fn ring(&mut self, sid: &ReservationSid, context: &Context<'_>) -> Vec<Effect> {
        let Some(reservation) = self.reservations.get(sid) else { return Vec::new() };
        let offered = reservation.offered(sid);
        let plan: Vec<_> =
            self.targets(&offered.task, context).into_iter().filter_map(|target| step(target, context)).collect();
        let id = CallId { agent: self.id, number: self.calls_made + 1 };
        let Some((call, act)) = Call::start(id, offered.clone(), &plan, self.is_last_chance(&offered.task, context))
        else {
            self.owe_briefly(Request::Reject(offered.clone()), context.now);
            return self.missed(&offered.task, context);
        };
        self.calls_made += 1;
        let excess = (self.calls.len() + 1).saturating_sub(CALLS);
        self.calls.drain(..excess);
        self.calls.push(call);
        self.act(id, vec![act], context)
    }

    /// The targets to ring for a task: the plan's, without those that could not be reached a moment ago.
    fn targets(&self, task: &TaskSid, context: &Context<'_>) -> Vec<RingTarget> {
        let plan = self.ring_plan.as_ref().unwrap_or(&context.policy.plan);
        let passed = self.passed_of_late(task, context.now);
        plan.iter().copied().filter(|target| passed.is_none_or(|passed| passed.may_ring_again(*target))).collect()
    }

    /// Lets a call hear something, and does what it wants done.
    pub(super) fn tell_call(
        &mut self,
        which: impl Fn(&Call) -> bool,
        context: &Context<'_>,
        tell: impl FnOnce(&mut Call, Timestamp) -> Vec<Act>,
    ) -> Vec<Effect> {
        let Some(call) = self.calls.iter_mut().find(|call| which(call)) else { return Vec::new() };
        let (id, acts) = (call.id, tell(call, context.now));
        self.act(id, acts, context)
    }

    /// A task has come back, in another reservation: earlier calls of it are over.
    pub(super) fn came_back(&mut self, task: &TaskSid, sid: &ReservationSid, context: &Context<'_>) -> Vec<Effect> {
        let earlier = |call: &Call| call.offered.task == *task && !call.is_of(sid);
        let ids: Vec<_> = self.calls.iter().filter(|call| earlier(call)).map(|call| call.id).collect();
        ids.into_iter()
            .flat_map(|id| self.tell_call(|call| call.id == id, context, |call, _| call.came_back()))
            .collect()
    }

    pub(super) fn tick_calls(&mut self, context: &Context<'_>) -> Vec<Effect> {
        self.tell_each_call(context, Call::tick)
    }

    pub(super) fn restore_calls(&mut self, context: &Context<'_>) -> Vec<Effect> {
        self.tell_each_call(context, |call, _| call.restored())
    }

    fn tell_each_call(
        &mut self,
        context: &Context<'_>,
        tell: impl Fn(&mut Call, Timestamp) -> Vec<Act>,
    ) -> Vec<Effect> {
        let ids: Vec<_> = self.calls.iter().map(|call| call.id).collect();
        ids.into_iter().flat_map(|id| self.tell_call(|call| call.id == id, context, &tell)).collect()
    }

    fn act(&mut self, id: CallId, acts: Vec<Act>, context: &Context<'_>) -> Vec<Effect> {
        let Some(offered) = self.calls.iter().find(|call| call.id == id).map(|call| call.offered.clone()) else {
            return Vec::new();
        };
        let mut effects = Vec::new();
        for act in acts {
            match act {
                Act::Instruct { step, leg } => {
                    let until = self.reservations.get(&offered.reservation).map_or(context.now, |one| one.deadline);
                    let (offered, to) = (offered.clone(), self.phone.clone());
                    let instruct = Instruct { offered, call: id, leg, to, ring: step.ring };
                    self.owe(Request::Instruct(instruct), context.now, until);
                }
                Act::CancelLeg(leg) => self.owe_briefly(Request::CancelLeg(leg), context.now),
                Act::ReadReservation => self.owe_briefly(Request::ReadReservation(offered.clone()), context.now),
                Act::ReadConference => self.owe_briefly(Request::ReadInstruction(offered.clone()), context.now),
                Act::ReadLeg(leg) => self.owe_briefly(Request::ReadLeg(leg), context.now),
                Act::Answered => {
                    self.missed_in_a_row = 0;
                    effects.push(Effect::Tell(Notice::CallAnswered));
                }
                Act::GiveUp => self.go_offline(context),
                Act::TakeBack => self.want_activity(context.policy.mobile_activity.clone(), false, context),
                Act::Tried { target, miss } => self.tried(&offered.task, target, miss, context.now),
                Act::Missed => effects.extend(self.missed(&offered.task, context)),
                Act::Reject => self.owe_briefly(Request::Reject(offered.clone()), context.now),
                Act::Close => self.close(&offered.reservation, context),
                Act::Over => self.calls.retain(|call| call.id != id),
            }
        }
        effects
    }

    fn close(&mut self, sid: &ReservationSid, context: &Context<'_>) {
        let how = context.policy.closing;
        let open = self.reservations.get(sid).filter(|one| !how.is_reached_by(one.status));
        if let Some(offered) = open.map(|one| one.offered(sid)) {
            self.owe_for_a_day(Request::Close { offered, how }, context.now);
        }
    }

    /// Notes that a task came by, and was not taken.
    pub(super) fn pass(&mut self, task: &TaskSid, now: Timestamp) -> &mut Passed {
        let known = self.passed.iter().position(|passed| passed.task == *task);
        let mut passed = known.map_or_else(|| Passed::new(task.clone(), now), |place| self.passed.remove(place));
        if now.since(passed.at) > REOFFER_WINDOW {
            passed.tried.clear();
        }
        passed.at = now;
        self.passed.push(passed);
        let last = self.passed.len() - 1;
        &mut self.passed[last]
    }

    pub(super) fn passed_of_late(&self, task: &TaskSid, now: Timestamp) -> Option<&Passed> {
        self.passed.iter().find(|passed| passed.task == *task && now.since(passed.at) <= REOFFER_WINDOW)
    }

    pub(super) fn forget_passed(&mut self, now: Timestamp) {
        self.passed.retain(|passed| now.since(passed.at) < REMEMBER);
        let excess = self.passed.len().saturating_sub(REMEMBERED);
        self.passed.drain(..excess);
    }

    fn tried(&mut self, task: &TaskSid, target: RingTarget, miss: Miss, now: Timestamp) {
        let passed = self.pass(task, now);
        passed.tried.retain(|(known, _)| *known != target);
        passed.tried.push((target, miss));
    }

    /// A ring that nobody answered. After too many in a row, or the second for one task, the agent goes offline, so that
    /// customers do not wait for somebody who is not there.
    fn missed(&mut self, task: &TaskSid, context: &Context<'_>) -> Vec<Effect> {
        let enough = self.is_last_chance(task, context);
        let passed = self.pass(task, context.now);
        passed.missed = passed.missed.saturating_add(1);
        self.missed_in_a_row = self.missed_in_a_row.saturating_add(1);
        let mut effects = vec![Effect::Tell(Notice::CallMissed)];
        if enough {
            self.go_offline(context);
        }
        if enough && self.is_going_offline(context) {
            effects.push(Effect::Tell(Notice::WentOffline));
        }
        effects
    }

    /// Whether one more miss takes the agent offline.
    fn is_last_chance(&self, task: &TaskSid, context: &Context<'_>) -> bool {
        let known = self.passed.iter().find(|passed| passed.task == *task);
        known.is_some_and(|passed| passed.missed > 0) || self.missed_in_a_row >= context.policy.missed_keep_activity
    }

    fn is_going_offline(&self, context: &Context<'_>) -> bool {
        let offline = &context.policy.offline_activity;
        self.activity.as_ref().is_some_and(|activity| activity.name == *offline)
            || self
                .duties
                .iter()
                .any(|duty| matches!(&duty.request, Request::SetActivity { activity, .. } if activity == offline))
    }

    /// An agent who has left mobile meanwhile chose to, and stays there.
    fn go_offline(&mut self, context: &Context<'_>) {
        if self.is_on_mobile(context) == Some(true) {
            self.want_activity(context.policy.offline_activity.clone(), true, context);
        }
    }
}

/// A step towards a target, where this version can ring it.
fn step(target: RingTarget, context: &Context<'_>) -> Option<Step> {
    match target {
        RingTarget::Pstn => Some(Step { target, ring: context.policy.pstn_ring }),
        RingTarget::Sip => None,
    }
}
