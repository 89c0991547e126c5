//! The agent's calls: starting one, and doing what it wants done.

use std::time::Duration;

use super::{
    Agent, Context, Effect, LastCall, Notice,
    misses::Missed,
    request::{Dial, Ending, Instruct, Offered, Request, RingTo},
};
use crate::call::{Act, Call, Step, Terms};
use crate::domain::{
    CallId, Customer, ReservationSid, RingTarget, SoftphoneLeg, SoftphoneNews, SoftphoneOrder, TaskSid, Timestamp,
};

/// Calls at most, one of them busy, the others settling: a bound on the record's size.
const CALLS: usize = 4;
/// How long before its deadline a held offer rings, so that an instruction that fails can be repeated.
const LEAD: Duration = Duration::from_secs(3);
/// And how much earlier where softphones come first.
const SOFTPHONES: Duration = Duration::from_secs(10);
/// And where whoever answers a cell phone is asked.
const QUESTION: Duration = Duration::from_secs(15);

impl Agent {
    /// Starts the ring plan for a pending offer.
    pub(super) fn ring(&mut self, sid: &ReservationSid, context: &Context<'_>) -> Vec<Effect> {
        let Some(reservation) = self.reservations.get(sid) else { return Vec::new() };
        let (offered, deadline) = (reservation.offered(sid), reservation.deadline);
        let plan = self.plan(&offered.task, context);
        let id = CallId { agent: self.id, number: self.calls_made + 1 };
        let (last, asks) = (self.is_last_chance(&offered.task, context), context.policy.asks);
        let terms = Terms { last, asks, deadline };
        let Some((call, acts)) = Call::start(id, offered.clone(), &plan, terms, context.now) else {
            self.owe_briefly(Request::Reject(offered.clone()), context.now);
            return self.nothing_to_ring(&offered, context);
        };
        self.calls_made += 1;
        let excess = (self.calls.len() + 1).saturating_sub(CALLS);
        self.calls.drain(..excess);
        self.calls.push(call);
        self.act(id, acts, context)
    }

    /// No target is left for a task. Where none was the agent's miss, customers did not come to where it rang: all are tried
    /// anew when it comes back.
    fn nothing_to_ring(&mut self, offered: &Offered, context: &Context<'_>) -> Vec<Effect> {
        let passed = self.passed_of_late(&offered.task, context.now);
        if !passed.is_some_and(|passed| passed.missed == 0 && !passed.tried.is_empty()) {
            return self.missed(offered, Missed::Call, context);
        }
        self.faulted(&offered.task, context.now).tried.clear();
        Vec::new()
    }

    /// The steps to ring for a task: the plan's, as far as this version can, without the targets that could not be reached a
    /// moment ago.
    fn plan(&self, task: &TaskSid, context: &Context<'_>) -> Vec<Step> {
        let plan = self.ring_plan.as_ref().unwrap_or(&context.policy.plan);
        let passed = self.passed_of_late(task, context.now);
        let targets = plan.iter().copied().filter(|target| passed.is_none_or(|passed| passed.may_ring_again(*target)));
        targets.filter_map(|target| step(target, context)).collect()
    }

    /// How long before its deadline an offer for this task has to ring.
    pub(super) fn lead(&self, task: &TaskSid, context: &Context<'_>) -> Duration {
        let plan = self.plan(task, context);
        let rings = |target| plan.iter().any(|step| step.target == target);
        let softphones = if rings(RingTarget::Sip) { SOFTPHONES } else { Duration::ZERO };
        let question = if context.policy.asks && rings(RingTarget::Pstn) { QUESTION } else { Duration::ZERO };
        LEAD + softphones + question
    }

    /// The softphones tell something. What is answered for a call that does not know of it is hung up.
    pub(super) fn softphones_tell(
        &mut self,
        leg: SoftphoneLeg,
        news: &SoftphoneNews,
        context: &Context<'_>,
    ) -> Vec<Effect> {
        if let SoftphoneNews::Ended { quality: Some(quality), .. } = news {
            self.last_call = Some(LastCall { call: leg.call, ended: context.now, quality: *quality });
        }
        if self.calls.iter().any(|call| call.id == leg.call) {
            return self.tell_call(|call| call.id == leg.call, context, |call, now| call.phones(leg.leg, news, now));
        }
        let is_answered = matches!(news, SoftphoneNews::Answered(_));
        is_answered.then_some(Effect::Softphones(SoftphoneOrder::HangUp(leg))).into_iter().collect()
    }

    /// What rings or is talked at on softphones.
    pub fn softphones(&self) -> impl Iterator<Item = SoftphoneLeg> {
        self.calls.iter().filter_map(Call::softphones)
    }

    /// Lets a call hear something, and does what it wants done.
    pub(super) fn tell_call(
        &mut self,
        which: impl Fn(&Call) -> bool,
        context: &Context<'_>,
        tell: impl FnOnce(&mut Call, Timestamp) -> Vec<Act>,
    ) -> Vec<Effect> {
        let Some(call) = self.calls.iter_mut().find(|call| which(call)) else { return Vec::new() };
        let mut acts = tell(call, context.now);
        acts.extend(call.let_go_of_phones());
        let id = call.id;
        self.act(id, acts, context)
    }

    /// A task has come back, in another reservation: earlier calls of it are over.
    pub(super) fn came_back(&mut self, task: &TaskSid, sid: &ReservationSid, context: &Context<'_>) -> Vec<Effect> {
        let earlier = |call: &Call| call.offered.task == *task && !call.is_of(sid);
        let ids: Vec<_> = self.calls.iter().filter(|call| earlier(call)).map(|call| call.id).collect();
        ids.into_iter().flat_map(|id| self.tell_call(|call| call.id == id, context, Call::came_back)).collect()
    }

    pub(super) fn tick_calls(&mut self, context: &Context<'_>) -> Vec<Effect> {
        self.tell_each_call(context, Call::tick)
    }

    pub(super) fn restore_calls(&mut self, alive: &[SoftphoneLeg], context: &Context<'_>) -> Vec<Effect> {
        let is_alive = |call: &Call| call.softphones().is_some_and(|leg| alive.contains(&leg));
        self.tell_each_call(context, |call, now| call.restored(is_alive(call), now))
    }

    pub(super) fn tell_each_call(
        &mut self,
        context: &Context<'_>,
        tell: impl Fn(&mut Call, Timestamp) -> Vec<Act>,
    ) -> Vec<Effect> {
        let ids: Vec<_> = self.calls.iter().map(|call| call.id).collect();
        ids.into_iter().flat_map(|id| self.tell_call(|call| call.id == id, context, &tell)).collect()
    }

    /// Stops the calls that ring, or are about to: the agent is not to be rung any more.
    pub(super) fn stop_ringing(&mut self, which: impl Fn(&Call) -> bool, context: &Context<'_>) -> Vec<Effect> {
        let ids: Vec<_> = self.calls.iter().filter(|call| which(call)).map(|call| call.id).collect();
        ids.into_iter().flat_map(|id| self.tell_call(|call| call.id == id, context, Call::stop_ringing)).collect()
    }

    fn act(&mut self, id: CallId, acts: Vec<Act>, context: &Context<'_>) -> Vec<Effect> {
        let Some(offered) = self.calls.iter().find(|call| call.id == id).map(|call| call.offered.clone()) else {
            return Vec::new();
        };
        acts.into_iter().flat_map(|act| self.do_for(id, &offered, act, context)).collect()
    }

    fn do_for(&mut self, id: CallId, offered: &Offered, act: Act, context: &Context<'_>) -> Vec<Effect> {
        let now = context.now;
        match act {
            Act::RingPhones { leg, ring } => {
                let caller = self.customer(&offered.reservation);
                let leg = SoftphoneLeg { call: id, leg };
                return vec![Effect::Softphones(SoftphoneOrder::Ring { leg, caller, ring })];
            }
            Act::HangUp { leg } => {
                return vec![Effect::Softphones(SoftphoneOrder::HangUp(SoftphoneLeg { call: id, leg }))];
            }
            Act::Instruct { step, leg } => {
                let (offered, to) = (offered.clone(), RingTo::CellPhone(self.phone.clone()));
                self.instruct(Instruct { offered, call: id, leg, to, ring: step.ring }, now);
            }
            Act::InstructPhone { leg, to, ring } => {
                let (offered, to) = (offered.clone(), RingTo::Softphone(to));
                self.instruct(Instruct { offered, call: id, leg, to, ring }, now);
            }
            Act::Dial { step, leg } => {
                let dial = Dial { call: id, leg, to: self.phone.clone(), ring: step.ring, since: now };
                let deadline = self.reservations.get(&offered.reservation).map_or(now, |one| one.deadline);
                self.owe(Request::Dial(dial), now, deadline);
            }
            Act::Withdraw { leg } => self.call_off(id, leg),
            Act::CancelLeg(leg) => self.owe_briefly(Request::CancelLeg(leg), now),
            Act::EndLeg(leg) => self.owe_briefly(Request::EndLeg(leg), now),
            Act::EndConference => self.owe_briefly(Request::EndConference(offered.clone()), now),
            Act::ReadReservation => self.owe_briefly(Request::ReadReservation(offered.clone()), now),
            Act::ReadConference => self.owe_briefly(Request::ReadInstruction(offered.clone()), now),
            Act::ReadLeg(leg) => self.owe_briefly(Request::ReadLeg(leg), now),
            Act::Answered => {
                self.missed_in_a_row = 0;
                return vec![Effect::Tell(Notice::CallAnswered)];
            }
            Act::GiveUp => self.go_offline(context),
            Act::TakeBack => self.want_activity(context.policy.mobile_activity.clone(), false, context),
            Act::Tried { target, miss } => self.tried(&offered.task, target, miss, now),
            Act::Faulted => drop(self.faulted(&offered.task, now)),
            Act::Missed => return self.missed(offered, Missed::Call, context),
            Act::Reject => self.owe_briefly(Request::Reject(offered.clone()), now),
            Act::Close => self.close(&offered.reservation, context),
            Act::Over => self.calls.retain(|call| call.id != id),
        }
        Vec::new()
    }

    /// Owes the instruction as long as the reservation can be pending; to somebody who is on the phone already, at least for
    /// the moment that it takes.
    fn instruct(&mut self, instruct: Instruct, now: Timestamp) {
        let deadline = self.reservations.get(&instruct.offered.reservation).map_or(now, |one| one.deadline);
        let until = match instruct.to {
            RingTo::CellPhone(_) => deadline,
            RingTo::Softphone(_) => deadline.max(now + LEAD),
        };
        self.owe(Request::Instruct(instruct), now, until);
    }

    fn customer(&self, sid: &ReservationSid) -> Customer {
        self.reservations.get(sid).map(|one| one.about.customer.clone()).unwrap_or_default()
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
        RingTarget::Sip => context.policy.sip_ring.map(|ring| Step { target, ring }),
    }
}
