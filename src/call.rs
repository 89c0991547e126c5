//! A call: one reservation's way to one agent, step by step through the ring plan. Pure: events and the time go in,
//! acts come out, and [`Call::due`] says when it wants to be looked at again.
//!
//! ```text
//!  Phones ──answered──▶ Instructing ──taken──▶ Ringing ──answered──▶ Talking ──leg over──▶ close the reservation, over
//!    │                    │      │               │   └─leg over──▶ AwaitingReservation ──reservation over──▶ over
//!    │                    │      └───────────────┴─reservation over──▶ AwaitingLeg ──leg over, asked in vain──▶ over
//!    └─not answered───────┴─refused: the next step, or reject and over
//! ```
//!
//! One reservation gets at most one instruction that Twilio takes: Twilio holds the reservation from then on, and cancels
//! it when the leg fails (<https://www.twilio.com/docs/taskrouter/handle-assignment-callbacks>). So softphones are rung
//! *before* that, while the reservation is pending, and Twilio is told to call when one was answered; a cell phone is rung by
//! Twilio itself, and is the end of a plan unless the instruction is refused, or whoever answers it is asked (`asking`). Whether a ring was missed is the leg's word;
//! the reservation alone does not tell a customer who hung up from an agent who did not answer. The two come in any order,
//! or not at all, which is what the two awaiting phases are for.

mod asking;
mod hearing;
mod phones;
mod plan;
mod stopping;
mod time;

pub use asking::Reply;
pub use hearing::Tries;
pub use plan::Terms;

use std::{collections::VecDeque, ops::Not, time::Duration};

use serde::{Deserialize, Serialize};

use crate::agent::request::Offered;
use crate::domain::{
    Admission, CallId, CallSid, LegNo, ReservationSid, ReservationStatus, RingTarget, SoftphoneLeg, Timestamp,
};
use asking::Asking;
use phones::Phones;

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
    /// Ring the agent's softphones for so long.
    RingPhones {
        leg: LegNo,
        ring: Duration,
    },
    /// Whatever the softphones of this leg are doing: no more.
    HangUp {
        leg: LegNo,
    },
    /// Issue the conference instruction towards the agent's cell phone.
    Instruct {
        step: Step,
        leg: LegNo,
    },
    /// Issue the conference instruction towards the softphone that was answered. Its leg may ring for so long.
    InstructPhone {
        leg: LegNo,
        to: Admission,
        ring: Duration,
    },
    /// Call the agent's cell phone, to ask who answers.
    Dial {
        step: Step,
        leg: LegNo,
    },
    /// Nobody is there any more: do not issue the instruction, or make the call, (again), and find out whether it was taken.
    Withdraw {
        leg: LegNo,
    },
    /// Stop the leg if it still rings.
    CancelLeg(CallSid),
    /// End the leg, whatever it is doing.
    EndLeg(CallSid),
    /// The same for a leg of which nothing was ever heard.
    EndConference,
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
    /// The gateway could not try a target: the agent is not to blame.
    Faulted,
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
    #[serde(flatten)]
    terms: Terms,
    /// The agent is not to be rung any more.
    #[serde(default, skip_serializing_if = "Not::not")]
    unwanted: bool,
    phase: Phase,
}

/// The leg that is tried now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Leg {
    no: LegNo,
    step: Step,
    /// Where its softphones are; none: it is a cell phone's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    phones: Option<Phones>,
    /// Whoever answers is asked.
    #[serde(default, skip_serializing_if = "Not::not")]
    asks: bool,
    /// Somebody has.
    #[serde(default, skip_serializing_if = "Not::not")]
    picked_up: bool,
    /// Twilio is known to have taken the instruction.
    #[serde(default)]
    taken: bool,
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
    /// The agent's softphones ring; Twilio knows nothing of it.
    Phones {
        until: Timestamp,
    },
    /// We call a cell phone, or it is asked.
    Asking(Asking),
    /// The instruction is on its way.
    Instructing,
    /// Twilio has it, and calls.
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
    /// Twilio is told to call, or calls a softphone that was answered already.
    Connecting,
    /// The agent's phones ring.
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
        Self {
            no,
            step,
            phones: None,
            asks: false,
            picked_up: false,
            taken: false,
            sid: None,
            heard: None,
            stopped: false,
            given_up: false,
        }
    }
}

impl Call {
    pub fn stage(&self) -> Stage {
        match self.phase {
            Phase::Phones { .. } | Phase::Asking(Asking::Calling { .. }) => Stage::Ringing,
            Phase::Asking(Asking::Dialling | Asking::Connecting { .. }) | Phase::Instructing => Stage::Connecting,
            Phase::Asking(Asking::Judging { .. } | Asking::HangingUp { .. }) => Stage::Settling,
            Phase::Ringing { .. } if self.leg.phones.is_some() => Stage::Connecting,
            Phase::Ringing { .. } => Stage::Ringing,
            Phase::Talking { .. } => Stage::Talking,
            Phase::AwaitingLeg { .. } | Phase::AwaitingReservation { .. } => Stage::Settling,
            Phase::Over => Stage::Over,
        }
    }

    /// Where it rings now, or rang last.
    pub const fn target(&self) -> RingTarget {
        self.leg.step.target
    }

    /// Whether the agent's ear is taken: while a call settles, the next one may come, unless a leg is still to end.
    pub const fn is_busy(&self) -> bool {
        match self.phase {
            Phase::Phones { .. }
            | Phase::Asking(_)
            | Phase::Instructing
            | Phase::Ringing { .. }
            | Phase::Talking { .. } => true,
            Phase::AwaitingLeg { .. } | Phase::AwaitingReservation { .. } | Phase::Over => false,
        }
    }

    pub fn is_of(&self, reservation: &ReservationSid) -> bool {
        self.offered.reservation == *reservation
    }

    pub fn is_leg(&self, leg: &CallSid) -> bool {
        self.leg.sid.as_ref() == Some(leg)
    }

    /// Whether this leg of this call is what it is at now.
    pub fn is_at(&self, call: CallId, leg: LegNo) -> bool {
        self.id == call && self.leg.no == leg
    }

    /// Whether an acceptance may be this call's doing, rather than the desk's.
    pub const fn may_be_accepted(&self) -> bool {
        match &self.phase {
            Phase::Phones { .. } => false,
            Phase::Asking(asking) => matches!(asking, Asking::Connecting { .. } | Asking::Judging { .. }),
            _ => true,
        }
    }

    /// Whether the instruction is still of use, or at least whether it was taken.
    pub fn wants_instruction(&self, tries: Tries) -> bool {
        match self.phase {
            Phase::Instructing => true,
            Phase::AwaitingLeg { .. } | Phase::AwaitingReservation { .. } => tries == Tries::OneUnknown,
            Phase::Phones { .. } | Phase::Asking(_) | Phase::Ringing { .. } | Phase::Talking { .. } | Phase::Over => {
                false
            }
        }
    }

    /// The softphones that ring or are talked at for it.
    pub fn softphones(&self) -> Option<SoftphoneLeg> {
        (self.leg.phones == Some(Phones::Live)).then_some(SoftphoneLeg { call: self.id, leg: self.leg.no })
    }

    fn missed(&self, miss: Miss) -> Vec<Act> {
        if self.unwanted {
            return Vec::new();
        }
        vec![Act::Tried { target: self.leg.step.target, miss }, Act::Missed]
    }

    fn over_with(&mut self, mut acts: Vec<Act>) -> Vec<Act> {
        self.phase = Phase::Over;
        acts.push(Act::Over);
        acts
    }
}
