//! The agent's call: starting one, and doing what it wants done.

use super::{
    Agent, Context, Effect, Notice,
    offer::{Passed, PassedBy},
    request::{Instruct, Refusal, Request},
};
use crate::call::{Act, Call, Miss, Step};
use crate::domain::{CallId, CallSid, LegStatus, ReservationSid, RingTarget, TaskSid};

impl Agent {
    /// Starts the ring plan for a pending offer.
    pub(super) fn ring(&mut self, sid: &ReservationSid, again: bool, context: &Context<'_>) -> Vec<Effect> {
        let Some(reservation) = self.reservations.get(sid) else { return Vec::new() };
        let offered = reservation.offered.clone();
        let steps: Vec<_> =
            self.targets(&offered.task, context).into_iter().filter_map(|target| step(target, context)).collect();
        let id = CallId { agent: self.id, number: self.calls_made + 1 };
        let Some((call, act)) = Call::start(id, offered.clone(), &steps, again) else {
            self.owe_briefly(Request::Reject(offered.clone()), context.now);
            return self.missed(offered.task, again, context);
        };
        self.calls_made += 1;
        self.call = Some(call);
        self.act(vec![act], context)
    }

    /// Does what the call wants done.
    pub(super) fn act(&mut self, acts: Vec<Act>, context: &Context<'_>) -> Vec<Effect> {
        let rings_on = acts.iter().any(|act| matches!(act, Act::Instruct { .. }));
        let mut effects = Vec::new();
        for act in acts {
            let Some(call) = &self.call else { break };
            let (id, offered, again) = (call.id, call.offered.clone(), call.again);
            match act {
                Act::Instruct { step, leg } => {
                    let until = self.reservations.get(&offered.reservation).map_or(context.now, |one| one.deadline);
                    let instruct = Instruct { offered, call: id, leg, to: self.phone.clone(), ring: step.ring };
                    self.owe(Request::Instruct(instruct), context.now, until.max(context.now + step.ring / 2));
                }
                Act::CancelLeg(leg) => self.owe_briefly(Request::CancelLeg(leg), context.now),
                Act::ReadReservation => self.owe_briefly(Request::ReadReservation(offered), context.now),
                Act::ReadLeg(leg) => self.owe_briefly(Request::ReadLeg(leg), context.now),
                Act::Answered => {
                    self.missed_in_a_row = 0;
                    effects.push(Effect::Tell(Notice::CallAnswered));
                }
                Act::Missed { target, miss } => {
                    self.note_missed(&offered.task, target, miss, context);
                    if !rings_on {
                        effects.extend(self.missed(offered.task, again, context));
                    }
                }
                Act::Reject => self.owe_briefly(Request::Reject(offered), context.now),
                Act::Close => self.close(&offered.reservation, context),
                Act::Over => self.call = None,
            }
        }
        effects
    }

    fn close(&mut self, sid: &ReservationSid, context: &Context<'_>) {
        let how = context.policy.closing;
        let Some(reservation) = self.reservations.get(sid) else { return };
        if !how.is_reached_by(reservation.status) {
            self.owe_for_a_day(Request::Close { offered: reservation.offered.clone(), how }, context.now);
        }
    }

    fn note_missed(&mut self, task: &TaskSid, target: RingTarget, miss: Miss, context: &Context<'_>) {
        let tried = match self.passed.iter().position(|passed| passed.task == *task) {
            Some(place) => match self.passed.remove(place).how {
                PassedBy::Missed(tried) => tried,
                PassedBy::Busy => Vec::new(),
            },
            None => Vec::new(),
        };
        let mut tried: Vec<_> = tried.into_iter().filter(|(known, _)| *known != target).collect();
        tried.push((target, miss));
        self.passed.push(Passed { task: task.clone(), at: context.now, how: PassedBy::Missed(tried) });
    }

    /// A ring that nobody answered. After too many in a row, or the second for one task, the agent goes offline, so that
    /// customers do not wait for somebody who is not there.
    fn missed(&mut self, task: TaskSid, again: bool, context: &Context<'_>) -> Vec<Effect> {
        if !self.passed.iter().any(|passed| passed.task == task && matches!(passed.how, PassedBy::Missed(_))) {
            self.passed.push(Passed { task, at: context.now, how: PassedBy::Missed(Vec::new()) });
        }
        self.missed_in_a_row += 1;
        let mut effects = vec![Effect::Tell(Notice::CallMissed)];
        let enough = again || self.missed_in_a_row > context.policy.missed_keep_activity;
        if enough && self.is_on_mobile(context) == Some(true) {
            self.want_activity(context.policy.offline_activity.clone(), true, context);
            effects.push(Effect::Tell(Notice::WentOffline));
        }
        effects
    }

    pub(super) fn instructed(&mut self, instruct: &Instruct, context: &Context<'_>) -> Vec<Effect> {
        self.of_call(instruct.call, context, |call, context| call.instructed(context.now))
    }

    pub(super) fn instruct_refused(
        &mut self,
        instruct: &Instruct,
        refusal: Refusal,
        context: &Context<'_>,
    ) -> Vec<Effect> {
        self.of_call(instruct.call, context, |call, context| call.refused(refusal, context.now))
    }

    pub(super) fn instruct_lapsed(&mut self, instruct: &Instruct, context: &Context<'_>) -> Vec<Effect> {
        self.of_call(instruct.call, context, |call, _| call.lapsed())
    }

    fn of_call(
        &mut self,
        id: CallId,
        context: &Context<'_>,
        tell: impl FnOnce(&mut Call, &Context<'_>) -> Vec<Act>,
    ) -> Vec<Effect> {
        let call = self.call.as_mut().filter(|call| call.id == id);
        let acts = call.map(|call| tell(call, context)).unwrap_or_default();
        self.act(acts, context)
    }

    /// REST's word on a leg.
    pub(super) fn leg_found(&mut self, leg: &CallSid, status: LegStatus, context: &Context<'_>) -> Vec<Effect> {
        let call = self.call.as_mut().filter(|call| call.is_leg(leg));
        let acts = call.map(|call| call.leg_status(status, context.now)).unwrap_or_default();
        self.act(acts, context)
    }
}

/// A step towards a target, where this version can ring it.
fn step(target: RingTarget, context: &Context<'_>) -> Option<Step> {
    match target {
        RingTarget::Pstn => Some(Step { target, ring: context.policy.pstn_ring }),
        RingTarget::Sip => None,
    }
}
