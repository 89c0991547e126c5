//! The agent's calls: starting one, and doing what it wants done.

use super::{
    Agent, Context, Effect, Notice,
    misses::Missed,
    request::{Ending, Instruct, Request},
};
use crate::call::{Act, Call, Step};
use crate::domain::{CallId, ReservationSid, RingTarget, TaskSid, Timestamp};

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
            return self.missed(&offered, Missed::Call, context);
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
                Act::Missed => effects.extend(self.missed(&offered, Missed::Call, context)),
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
            self.owe_for_a_day(Request::Close { offered, how, ending: Ending::Reservation }, context.now);
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
