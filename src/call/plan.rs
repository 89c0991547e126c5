//! The ring plan: its steps, and how much of the reservation's time each has.

use std::{ops::Not, time::Duration};

use serde::{Deserialize, Serialize};

use super::{
    Act, Call, Leg, Miss, Phase, Step,
    asking::{ANSWER, Asking},
    phones::Phones,
};
use crate::agent::request::Offered;
use crate::domain::{CallId, LegNo, RingTarget, Timestamp};

/// What stays between softphones that nobody answers and the plan's end: time enough to tell Twilio of the next target.
const LEAD: Duration = Duration::from_secs(3);
/// A ring that is shorter than this does not begin, if another target is left.
const SHORTEST: Duration = Duration::from_secs(3);
/// A target that shares too little time with others is left so much of it: four rings, enough to take a phone out of a pocket.
const FAIR: Duration = Duration::from_secs(10);

/// What holds for the whole plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Terms {
    /// If nobody answers, the agent goes offline.
    #[serde(default)]
    pub last: bool,
    /// Whoever answers the cell phone is asked to press 1.
    #[serde(default, skip_serializing_if = "Not::not")]
    pub asks: bool,
    /// When it has to be over, a little before Twilio's own timeout.
    #[serde(default)]
    pub deadline: Timestamp,
}

impl Call {
    /// Starts with the plan's first step. A plan without steps cannot be started.
    pub fn start(
        id: CallId,
        offered: Offered,
        plan: &[Step],
        terms: Terms,
        now: Timestamp,
    ) -> Option<(Self, Vec<Act>)> {
        let (first, rest) = plan.split_first()?;
        let leg = Leg::new(LegNo(1), *first);
        let mut call =
            Self { id, offered, leg, rest: rest.iter().copied().collect(), terms, unwanted: false, phase: Phase::Over };
        while call.is_too_late(now) && call.take_next_leg() {}
        let act = call.begin(now);
        Some((call, vec![act]))
    }

    /// Goes on to the next step, if there is one, since the target was not reached. None: that is nobody's fault.
    pub(super) fn next_step(&mut self, miss: Option<Miss>, now: Timestamp) -> Vec<Act> {
        let mut acts: Vec<_> = self.hang_up(Phones::Over).into_iter().collect();
        let miss = miss.filter(|_| !self.unwanted);
        let tried = miss.map(|miss| Act::Tried { target: self.leg.step.target, miss });
        let mut is_next = self.take_next_leg();
        while is_next && self.is_too_late(now) {
            is_next = self.take_next_leg();
        }
        acts.extend(tried);
        if is_next {
            acts.push(self.begin(now));
            return acts;
        }
        acts.extend(miss.map(|_| Act::Missed));
        acts.push(Act::Reject);
        self.over_with(acts)
    }

    /// The same step once more, as another leg.
    pub(super) fn repeat_step(&mut self, now: Timestamp) -> Vec<Act> {
        self.rest.push_front(self.leg.step);
        self.next_step(None, now)
    }

    fn take_next_leg(&mut self) -> bool {
        let Some(step) = self.rest.pop_front() else { return false };
        self.leg = Leg::new(LegNo(self.leg.no.0.saturating_add(1)), step);
        true
    }

    fn begin(&mut self, now: Timestamp) -> Act {
        let (leg, step) = (self.leg.no, Step { ring: self.share(now), ..self.leg.step });
        match step.target {
            RingTarget::Sip => {
                self.phase = Phase::Phones { until: now + step.ring };
                self.leg.phones = Some(Phones::Live);
                Act::RingPhones { leg, ring: step.ring }
            }
            RingTarget::Pstn if self.terms.asks => {
                (self.leg.step, self.leg.asks) = (step, true);
                self.phase = Phase::Asking(Asking::Dialling);
                Act::Dial { step, leg }
            }
            RingTarget::Pstn => {
                self.leg.step = step;
                self.phase = Phase::Instructing;
                Act::Instruct { step, leg }
            }
        }
    }

    fn is_too_late(&self, now: Timestamp) -> bool {
        match self.leg.step.target {
            RingTarget::Sip => !self.rest.is_empty() && self.share(now) < SHORTEST,
            RingTarget::Pstn => self.terms.asks && self.terms.deadline.since(now) < SHORTEST + ANSWER,
        }
    }

    /// How long the step's target rings. Softphones leave those behind them their time, as far as there is enough, and are done
    /// before Twilio must know. A cell phone behind them has what is left. One that is alone has its whole time: Twilio's
    /// timeout does not go on once it has the instruction. It does while whoever answers is asked, which takes its time too.
    fn share(&self, now: Timestamp) -> Duration {
        let (ring, left) = (self.leg.step.ring, self.terms.deadline.since(now));
        match self.leg.step.target {
            RingTarget::Sip if self.rest.is_empty() => ring.min(left.max(SHORTEST)),
            RingTarget::Sip => {
                let behind: Duration = self.rest.iter().map(|step| step.ring + self.answer_of(step.target)).sum();
                ring.min(left.saturating_sub(behind).max(FAIR)).min(left.saturating_sub(LEAD))
            }
            RingTarget::Pstn if self.terms.asks => ring.min(left.saturating_sub(ANSWER).max(SHORTEST)),
            RingTarget::Pstn if self.leg.no == LegNo(1) => ring,
            RingTarget::Pstn => ring.min(left.max(FAIR)),
        }
    }

    const fn answer_of(&self, target: RingTarget) -> Duration {
        match target {
            RingTarget::Pstn if self.terms.asks => ANSWER,
            RingTarget::Pstn | RingTarget::Sip => Duration::ZERO,
        }
    }
}
