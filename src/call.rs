//! A call: one reservation's way to one agent, step by step through the ring plan. Pure: events and the time go in,
//! acts come out, and [`Call::due`] says when it wants to be looked at again.
//!
//! ```text
//! Instructing ──accepted by Twilio──▶ Ringing ──answered──▶ Talking ──leg over──▶ over, close the reservation
//!      │                                │                      ▲
//!      │ refused: next step, or reject  │ no answer            │ late or reordered callbacks
//!      ▼                                ▼                      │
//!     over                           Settling ─────────────────┘
//!                                       └─ leg and reservation both final, or time is up ─▶ over
//! ```
//!
//! One reservation gets at most one instruction: Twilio holds the reservation from then on, and cancels it when the leg
//! fails (<https://www.twilio.com/docs/taskrouter/handle-assignment-callbacks>).

use std::{collections::VecDeque, time::Duration};

use serde::{Deserialize, Serialize};

use crate::agent::request::{Offered, Refusal};
use crate::domain::{
    CallId, CallSid, ConferenceEventKind, LegEvent, LegNo, LegStatus, ReservationStatus, RingTarget, Timestamp,
};

/// How long to wait for the callback that must follow another one.
const SETTLE: Duration = Duration::from_secs(5);
/// How long after its end a leg that says nothing is asked about.
const OVERDUE: Duration = Duration::from_secs(8);
/// How often a conversation is looked after, in case the callback of its end was lost.
const CHECK: Duration = Duration::from_secs(120);

/// One step of a ring plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    pub target: RingTarget,
    pub ring: Duration,
}

/// Why a target was not reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Miss {
    /// It rang, and nobody answered, or it was busy: it may ring again.
    NoAnswer,
    /// It cannot be reached: ringing it again is pointless.
    Unreachable,
}

/// What a call wants done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Act {
    /// Issue the conference instruction towards this step's target.
    Instruct {
        step: Step,
        leg: LegNo,
    },
    /// Stop the leg if it still rings.
    CancelLeg(CallSid),
    ReadReservation,
    ReadLeg(CallSid),
    /// The agent answered.
    Answered,
    /// The target was tried in vain.
    Missed {
        target: RingTarget,
        miss: Miss,
    },
    /// Nothing is left to ring: the reservation goes to the next agent.
    Reject,
    /// The last leg is over: the agent's part is done.
    Close,
    /// Nothing more will come of this call.
    Over,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Call {
    pub id: CallId,
    pub offered: Offered,
    /// The customer was offered to this agent a moment ago already.
    pub again: bool,
    leg: LegNo,
    step: Step,
    rest: VecDeque<Step>,
    leg_sid: Option<CallSid>,
    /// Twilio's order of this leg's callbacks, so that a late one is told.
    heard: Option<u64>,
    phase: Phase,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Phase {
    Instructing,
    Ringing {
        until: Timestamp,
        /// The gateway has stopped the leg, or asked about it.
        stopped: bool,
    },
    Talking {
        since: Timestamp,
        check_at: Timestamp,
    },
    Settling {
        /// How the leg ended without an answer, once that is known.
        leg: Option<LegStatus>,
        reservation: Option<ReservationStatus>,
        by: Timestamp,
        /// The leg itself has been asked already.
        asked: bool,
    },
    Over,
}

/// A call's phase, as others may see it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    Connecting,
    Ringing,
    Talking,
    /// Nobody answered; the last callbacks are awaited. The agent is free again.
    Settling,
    Over,
}

impl Call {
    /// Starts with the plan's first step. A plan without steps cannot be started.
    pub fn start(id: CallId, offered: Offered, plan: &[Step], again: bool) -> Option<(Self, Act)> {
        let mut rest: VecDeque<_> = plan.iter().copied().collect();
        let step = rest.pop_front()?;
        let leg = LegNo(1);
        let call = Self { id, offered, again, leg, step, rest, leg_sid: None, heard: None, phase: Phase::Instructing };
        Some((call, Act::Instruct { step, leg }))
    }

    pub fn stage(&self) -> Stage {
        match self.phase {
            Phase::Instructing => Stage::Connecting,
            Phase::Ringing { .. } => Stage::Ringing,
            Phase::Talking { .. } => Stage::Talking,
            Phase::Settling { .. } => Stage::Settling,
            Phase::Over => Stage::Over,
        }
    }

    /// Whether the agent's ear is taken: while a call settles, the next one may come.
    pub fn is_busy(&self) -> bool {
        matches!(self.phase, Phase::Instructing | Phase::Ringing { .. } | Phase::Talking { .. })
    }

    pub fn is_leg(&self, leg: &CallSid) -> bool {
        self.leg_sid.as_ref() == Some(leg)
    }

    /// When it wants a [`Call::tick`].
    pub fn due(&self) -> Option<Timestamp> {
        match self.phase {
            Phase::Ringing { until, stopped } => Some(if stopped { until + OVERDUE } else { until }),
            Phase::Talking { check_at, .. } => Some(check_at),
            Phase::Settling { by, .. } => Some(by),
            Phase::Instructing | Phase::Over => None,
        }
    }

    /// Twilio took the instruction, or was found to have taken it.
    pub fn instructed(&mut self, now: Timestamp) -> Vec<Act> {
        if self.phase == Phase::Instructing {
            self.phase = Phase::Ringing { until: now + self.step.ring, stopped: false };
        }
        Vec::new()
    }

    /// Twilio refused the instruction.
    pub fn refused(&mut self, refusal: Refusal, now: Timestamp) -> Vec<Act> {
        if self.phase != Phase::Instructing {
            return Vec::new();
        }
        match refusal {
            // Somebody was faster, or an earlier try of ours was taken after all: the reservation tells.
            Refusal::NotPending | Refusal::Conflict => {
                self.phase = Phase::Ringing { until: now + self.step.ring, stopped: false };
                vec![Act::ReadReservation]
            }
            Refusal::CallerGone | Refusal::NotFound => self.over(),
            Refusal::Unroutable | Refusal::Other => self.next_step(),
        }
    }

    /// The instruction never got through while there was time for it.
    pub fn lapsed(&mut self) -> Vec<Act> {
        if self.phase == Phase::Instructing { self.over_with(Act::Reject) } else { Vec::new() }
    }

    fn next_step(&mut self) -> Vec<Act> {
        let missed = Act::Missed { target: self.step.target, miss: Miss::Unreachable };
        let Some(step) = self.rest.pop_front() else {
            self.phase = Phase::Over;
            return vec![missed, Act::Reject, Act::Over];
        };
        self.step = step;
        self.leg = LegNo(self.leg.0.saturating_add(1));
        (self.leg_sid, self.heard) = (None, None);
        vec![missed, Act::Instruct { step, leg: self.leg }]
    }

    /// A status callback of a leg. Those of other legs, and those that Twilio fired earlier than one we know, are old news.
    pub fn leg(&mut self, event: &LegEvent, now: Timestamp) -> Vec<Act> {
        let stale =
            event.call != self.id || event.leg != self.leg || self.heard.is_some_and(|last| event.sequence <= last);
        if stale || self.phase == Phase::Over {
            return Vec::new();
        }
        self.heard = Some(event.sequence);
        self.leg_sid = Some(event.call_sid.clone());
        self.leg_status(event.status, now)
    }

    /// What a leg is known to be doing, by callback or by asking.
    pub fn leg_status(&mut self, status: LegStatus, now: Timestamp) -> Vec<Act> {
        match status {
            LegStatus::Initiated | LegStatus::Ringing => self.instructed(now),
            LegStatus::InProgress => self.answered(now),
            LegStatus::Completed => self.hung_up(),
            LegStatus::Busy | LegStatus::NoAnswer | LegStatus::Failed | LegStatus::Canceled => {
                self.not_answered(status, now)
            }
        }
    }

    fn answered(&mut self, now: Timestamp) -> Vec<Act> {
        match self.phase {
            Phase::Instructing | Phase::Ringing { .. } | Phase::Settling { reservation: None, leg: None, .. } => {
                self.phase = Phase::Talking { since: now, check_at: now + CHECK };
                vec![Act::Answered]
            }
            // The customer was gone before the agent was heard of: the leg ends by itself.
            Phase::Talking { .. } | Phase::Settling { .. } | Phase::Over => Vec::new(),
        }
    }

    /// `completed` means answered and ended, also where `in-progress` was lost or is late.
    fn hung_up(&mut self) -> Vec<Act> {
        let mut acts = Vec::new();
        if !matches!(self.phase, Phase::Talking { .. }) {
            acts.push(Act::Answered);
        }
        self.phase = Phase::Over;
        acts.extend([Act::Close, Act::Over]);
        acts
    }

    fn not_answered(&mut self, status: LegStatus, now: Timestamp) -> Vec<Act> {
        // A leg that the gateway stopped at the end of its ringing was not answered, whatever Twilio calls it.
        let status = match (&self.phase, status) {
            (Phase::Ringing { stopped: true, .. }, LegStatus::Canceled) => LegStatus::NoAnswer,
            _ => status,
        };
        match &mut self.phase {
            Phase::Instructing | Phase::Ringing { .. } => {
                self.phase = Phase::Settling { leg: Some(status), reservation: None, by: now + SETTLE, asked: false };
                self.miss_of(status).into_iter().collect()
            }
            Phase::Settling { leg: leg @ None, reservation, .. } => {
                *leg = Some(status);
                let done = reservation.is_some();
                let mut acts: Vec<_> = self.miss_of(status).into_iter().collect();
                if done {
                    acts.extend(self.over());
                }
                acts
            }
            // The leg was answered before: it cannot end otherwise than `completed`, so this belongs to its end.
            Phase::Talking { .. } => self.hung_up(),
            Phase::Settling { .. } | Phase::Over => Vec::new(),
        }
    }

    /// A leg that Twilio cancelled itself means that the customer hung up: nobody missed anything.
    fn miss_of(&self, status: LegStatus) -> Option<Act> {
        let miss = match status {
            LegStatus::Busy | LegStatus::NoAnswer => Miss::NoAnswer,
            LegStatus::Failed => Miss::Unreachable,
            _ => return None,
        };
        Some(Act::Missed { target: self.step.target, miss })
    }

    /// The reservation changed, by webhook or by reading.
    pub fn reservation(&mut self, status: ReservationStatus, now: Timestamp) -> Vec<Act> {
        match (&mut self.phase, status) {
            (Phase::Instructing | Phase::Ringing { .. }, ReservationStatus::Accepted | ReservationStatus::Wrapping) => {
                self.answered(now)
            }
            (Phase::Instructing, status) if status.is_final() => self.over(),
            (Phase::Ringing { .. }, status) if status.is_final() => {
                self.phase = Phase::Settling { leg: None, reservation: Some(status), by: now + SETTLE, asked: false };
                self.leg_sid.clone().map(Act::CancelLeg).into_iter().collect()
            }
            (Phase::Settling { leg: Some(_), .. }, status) if status.is_final() => self.over(),
            (Phase::Settling { reservation, .. }, status) if status.is_final() => {
                *reservation = Some(status);
                Vec::new()
            }
            // Nobody answered, and Twilio offers it still: the next agent shall have it.
            (Phase::Settling { leg: Some(_), .. }, ReservationStatus::Pending) => self.over_with(Act::Reject),
            (Phase::Ringing { stopped: true, until }, ReservationStatus::Pending) if now >= *until => {
                let missed = Act::Missed { target: self.step.target, miss: Miss::NoAnswer };
                self.phase = Phase::Over;
                vec![missed, Act::Reject, Act::Over]
            }
            // The conversation ended unheard, or is about to: the leg knows.
            (Phase::Talking { .. }, status) if status.is_final() || status == ReservationStatus::Wrapping => {
                self.leg_sid.clone().map_or_else(|| self.hung_up(), |leg| vec![Act::ReadLeg(leg)])
            }
            _ => Vec::new(),
        }
    }

    /// The conference told of its life. Its end, or the agent's leaving, ends the conversation.
    pub fn conference(&mut self, kind: ConferenceEventKind, participant: Option<&CallSid>, leg: LegNo) -> Vec<Act> {
        let mine = participant.is_some() && participant == self.leg_sid.as_ref();
        let ends = match kind {
            ConferenceEventKind::End => true,
            ConferenceEventKind::Leave => mine,
            ConferenceEventKind::Start | ConferenceEventKind::Join => false,
        };
        if ends && leg == self.leg && matches!(self.phase, Phase::Talking { .. }) { self.hung_up() } else { Vec::new() }
    }

    /// Time passes.
    pub fn tick(&mut self, now: Timestamp) -> Vec<Act> {
        if self.due().is_none_or(|due| now < due) {
            return Vec::new();
        }
        match &mut self.phase {
            Phase::Ringing { stopped: stopped @ false, .. } => {
                *stopped = true;
                self.leg_sid.clone().map(Act::CancelLeg).into_iter().collect()
            }
            Phase::Ringing { until, .. } => {
                *until = now;
                let mut acts = vec![Act::ReadReservation];
                acts.extend(self.leg_sid.clone().map(Act::ReadLeg));
                acts
            }
            Phase::Talking { check_at, .. } => {
                *check_at = now + CHECK;
                self.ask()
            }
            Phase::Settling { leg: None, .. } => self.unheard(now),
            Phase::Settling { by, .. } => {
                *by = now + OVERDUE;
                vec![Act::ReadReservation]
            }
            Phase::Instructing | Phase::Over => Vec::new(),
        }
    }

    /// The reservation is gone and the leg never said why. Where it can be asked, it is; else it counts as missed, so
    /// that a loop of lost callbacks ends.
    fn unheard(&mut self, now: Timestamp) -> Vec<Act> {
        match (&mut self.phase, &self.leg_sid) {
            (Phase::Settling { by, asked: asked @ false, .. }, Some(leg)) => {
                (*by, *asked) = (now + OVERDUE, true);
                vec![Act::ReadLeg(leg.clone())]
            }
            _ => self.conclude(true),
        }
    }

    fn ask(&self) -> Vec<Act> {
        vec![self.leg_sid.clone().map_or(Act::ReadReservation, Act::ReadLeg)]
    }

    /// Ends the settling now, since the next offer is here. `same_task` says that the task came back, which it does not
    /// when its customer has hung up.
    pub fn conclude(&mut self, same_task: bool) -> Vec<Act> {
        let Phase::Settling { leg, .. } = self.phase else { return Vec::new() };
        let mut acts = Vec::new();
        if leg.is_none() && same_task {
            acts.push(Act::Missed { target: self.step.target, miss: Miss::NoAnswer });
        }
        acts.extend(self.over());
        acts
    }

    fn over(&mut self) -> Vec<Act> {
        self.phase = Phase::Over;
        vec![Act::Over]
    }

    fn over_with(&mut self, act: Act) -> Vec<Act> {
        self.phase = Phase::Over;
        vec![act, Act::Over]
    }

    /// After a restart: what is to be read, since callbacks may have been lost.
    pub fn restored(&self) -> Vec<Act> {
        match self.phase {
            Phase::Ringing { .. } | Phase::Talking { .. } => {
                let mut acts = vec![Act::ReadReservation];
                acts.extend(self.leg_sid.clone().map(Act::ReadLeg));
                acts
            }
            Phase::Instructing | Phase::Settling { .. } | Phase::Over => Vec::new(),
        }
    }
}
