//! A call: one reservation's way to one agent, step by step through the ring plan. Pure: events and the time go in,
//! acts come out, and [`Call::due`] says when it wants to be looked at again.
//!
//! ```text
//!  Instructing ──taken──▶ Ringing ──answered──▶ Talking ──leg over──▶ close the reservation, over
//!    │      │               │   └─leg over──▶ AwaitingReservation ──reservation over──▶ over
//!    │      └───────────────┴─reservation over──▶ AwaitingLeg ──leg over, asked in vain──▶ over
//!    └─refused: the next step, or reject and over
//! ```
//!
//! One reservation gets at most one instruction that Twilio takes: Twilio holds the reservation from then on, and cancels
//! it when the leg fails (<https://www.twilio.com/docs/taskrouter/handle-assignment-callbacks>). So a plan goes on to its
//! next step only while instructions are refused. Whether a ring was missed is the leg's word; the reservation alone does
//! not tell a customer who hung up from an agent who did not answer. The two come in any order, or not at all, which is
//! what the two awaiting phases are for.

mod hearing;

pub use hearing::Tries;

use std::{collections::VecDeque, time::Duration};

use serde::{Deserialize, Serialize};

use crate::agent::request::Offered;
use crate::domain::{CallId, CallSid, LegNo, ReservationSid, ReservationStatus, RingTarget, Timestamp};

/// How long to wait for the callback that must follow another one.
const SETTLE: Duration = Duration::from_secs(5);
/// How long after its end a leg that says nothing is asked about, and how often.
const OVERDUE: Duration = Duration::from_secs(8);
/// How often a conversation is looked after, in case the callback of its end was lost.
const CHECK: Duration = Duration::from_secs(120);

/// How long before its end a last ring is given up: time enough for one request.
const LAST_MOMENT: Duration = Duration::from_secs(3);

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
    /// Read the reservation, and whether its conference goes on: for a leg of which nothing was ever heard.
    ReadConference,
    ReadLeg(CallSid),
    /// The agent answered.
    Answered,
    /// This ring is the last, and all but over: the agent goes offline before Twilio offers the task once more.
    GiveUp,
    /// The agent answered in the last moment after all.
    TakeBack,
    /// The target was tried in vain.
    Tried {
        target: RingTarget,
        miss: Miss,
    },
    /// The agent missed the call: no target is left.
    Missed,
    /// The reservation goes to the next agent.
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
    leg: Leg,
    rest: VecDeque<Step>,
    /// If nobody answers, the agent goes offline.
    #[serde(default)]
    last: bool,
    phase: Phase,
}

/// The leg that is tried now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Leg {
    no: LegNo,
    step: Step,
    /// Twilio's name of it, from its first callback.
    sid: Option<CallSid>,
    /// Twilio's number of the newest callback, so that a late one is told.
    heard: Option<u64>,
    /// The gateway ended the ringing.
    stopped: bool,
    /// The agent is being taken offline already.
    #[serde(default)]
    given_up: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Phase {
    /// The instruction is on its way.
    Instructing,
    /// Twilio has it.
    Ringing {
        until: Timestamp,
        /// The ringing should be over, and the callback of its end has been asked for.
        asked: bool,
    },
    Talking {
        check_at: Timestamp,
        /// The leg itself was heard to be answered. Else the reservation is accepted, which the desk may have done.
        on_leg: bool,
    },
    /// The reservation ended before the agent was heard to answer; the leg has yet to say why.
    AwaitingLeg {
        reservation: ReservationStatus,
        /// Twilio is known to have taken the instruction.
        rang: bool,
        by: Timestamp,
        /// The leg itself has been asked already.
        asked: bool,
    },
    /// The leg ended unanswered; Twilio has yet to take the reservation back.
    AwaitingReservation {
        by: Timestamp,
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

/// Whether a reservation ended like this may have rung in vain. The other ends are somebody's doing.
const fn is_unanswered(status: ReservationStatus) -> bool {
    matches!(status, ReservationStatus::Canceled | ReservationStatus::Timeout)
}

impl Leg {
    const fn new(no: LegNo, step: Step) -> Self {
        Self { no, step, sid: None, heard: None, stopped: false, given_up: false }
    }
}

impl Call {
    /// Starts with the plan's first step. A plan without steps cannot be started. `last` says that a miss will take the
    /// agent offline.
    pub fn start(id: CallId, offered: Offered, plan: &[Step], last: bool) -> Option<(Self, Act)> {
        let mut rest: VecDeque<_> = plan.iter().copied().collect();
        let step = rest.pop_front()?;
        let leg = Leg::new(LegNo(1), step);
        let act = Act::Instruct { step, leg: leg.no };
        Some((Self { id, offered, leg, rest, last, phase: Phase::Instructing }, act))
    }

    pub fn stage(&self) -> Stage {
        match self.phase {
            Phase::Instructing => Stage::Connecting,
            Phase::Ringing { .. } => Stage::Ringing,
            Phase::Talking { .. } => Stage::Talking,
            Phase::AwaitingLeg { .. } | Phase::AwaitingReservation { .. } => Stage::Settling,
            Phase::Over => Stage::Over,
        }
    }

    /// Whether the agent's ear is taken: while a call settles, the next one may come.
    pub fn is_busy(&self) -> bool {
        matches!(self.phase, Phase::Instructing | Phase::Ringing { .. } | Phase::Talking { .. })
    }

    pub fn is_of(&self, reservation: &ReservationSid) -> bool {
        self.offered.reservation == *reservation
    }

    pub fn is_leg(&self, leg: &CallSid) -> bool {
        self.leg.sid.as_ref() == Some(leg)
    }

    /// When it wants a [`Call::tick`].
    pub fn due(&self) -> Option<Timestamp> {
        match self.phase {
            Phase::Ringing { until, .. } if self.is_to_give_up() => Some(until - LAST_MOMENT),
            Phase::Ringing { until, .. } => Some(if self.leg.stopped { until + OVERDUE } else { until }),
            Phase::Talking { check_at, .. } => Some(check_at),
            Phase::AwaitingLeg { by, .. } | Phase::AwaitingReservation { by } => Some(by),
            Phase::Instructing | Phase::Over => None,
        }
    }

    /// Time passes.
    pub fn tick(&mut self, now: Timestamp) -> Vec<Act> {
        if self.due().is_none_or(|due| now < due) {
            return Vec::new();
        }
        let giving_up = self.is_to_give_up();
        match &mut self.phase {
            Phase::Ringing { .. } if giving_up => {
                self.leg.given_up = true;
                vec![Act::GiveUp]
            }
            Phase::Ringing { .. } if !self.leg.stopped => {
                self.leg.stopped = true;
                self.leg.sid.clone().map(Act::CancelLeg).into_iter().collect()
            }
            Phase::Ringing { until, asked } => {
                (*until, *asked) = (now, true);
                self.ask_both()
            }
            Phase::Talking { check_at, .. } => {
                *check_at = now + CHECK;
                vec![self.leg.sid.clone().map_or(Act::ReadConference, Act::ReadLeg)]
            }
            Phase::AwaitingLeg { .. } => self.unheard(now),
            Phase::AwaitingReservation { by } => {
                *by = now + OVERDUE;
                vec![Act::ReadReservation]
            }
            Phase::Instructing | Phase::Over => Vec::new(),
        }
    }

    /// Twilio offers a task again in the moment in which its leg fails. Once the agent is not to have it again, that must be
    /// known to Twilio before.
    fn is_to_give_up(&self) -> bool {
        self.last && self.rest.is_empty() && !self.leg.given_up
    }

    /// The leg never said why it ended. Where it can be asked, it is, once.
    fn unheard(&mut self, now: Timestamp) -> Vec<Act> {
        match (&mut self.phase, &self.leg.sid) {
            (Phase::AwaitingLeg { by, asked: asked @ false, .. }, Some(leg)) => {
                (*by, *asked) = (now + OVERDUE, true);
                vec![Act::ReadLeg(leg.clone())]
            }
            _ => self.conclude(),
        }
    }

    /// Ends the settling without the leg's word. A leg that rang counts as missed, so that a loop of lost callbacks ends.
    fn conclude(&mut self) -> Vec<Act> {
        let missed = match self.phase {
            Phase::AwaitingLeg { reservation, rang, .. } => rang && is_unanswered(reservation),
            _ => false,
        };
        self.over_with(if missed { self.missed(Miss::NoAnswer) } else { Vec::new() })
    }

    /// The task is offered to the same agent again: this call is over, whatever is still unheard of it. Its customer did
    /// not hang up, so that it was missed, unless it is known how it ended.
    pub fn came_back(&mut self) -> Vec<Act> {
        let missed = match self.phase {
            Phase::Instructing | Phase::Ringing { .. } => true,
            Phase::AwaitingLeg { reservation, .. } => is_unanswered(reservation),
            Phase::AwaitingReservation { .. } => false,
            Phase::Talking { .. } | Phase::Over => return Vec::new(),
        };
        self.over_with(if missed { self.missed(Miss::NoAnswer) } else { Vec::new() })
    }

    /// After a restart: what is to be read, since callbacks may have been lost.
    pub fn restored(&self) -> Vec<Act> {
        match self.phase {
            Phase::Talking { .. } if self.leg.sid.is_none() => vec![Act::ReadConference],
            Phase::Ringing { .. } | Phase::Talking { .. } => self.ask_both(),
            Phase::Instructing | Phase::AwaitingLeg { .. } | Phase::AwaitingReservation { .. } | Phase::Over => {
                Vec::new()
            }
        }
    }

    fn ask_both(&self) -> Vec<Act> {
        let mut acts = vec![Act::ReadReservation];
        acts.extend(self.leg.sid.clone().map(Act::ReadLeg));
        acts
    }

    fn missed(&self, miss: Miss) -> Vec<Act> {
        vec![Act::Tried { target: self.leg.step.target, miss }, Act::Missed]
    }

    fn over_with(&mut self, mut acts: Vec<Act>) -> Vec<Act> {
        self.phase = Phase::Over;
        acts.push(Act::Over);
        acts
    }
}
