//! What an agent asks of Twilio, and what comes back: plain data, carried out by the actor's shell.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::domain::{
    CallId, CallSid, E164, LegNo, LegStatus, ReservationSid, ReservationStatus, TaskSid, Timestamp, WorkerSid,
};

/// A reservation and its task: both are needed to reach it over REST.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Offered {
    pub reservation: ReservationSid,
    pub task: TaskSid,
}

/// How the agent's part in a task ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Closing {
    Wrapup,
    Complete,
}

impl Closing {
    /// Whether a reservation in this state needs no more closing.
    pub const fn is_reached_by(self, status: ReservationStatus) -> bool {
        match self {
            Self::Wrapup => status.is_final() || matches!(status, ReservationStatus::Wrapping),
            Self::Complete => status.is_final(),
        }
    }
}

impl From<Closing> for ReservationStatus {
    fn from(how: Closing) -> Self {
        match how {
            Closing::Wrapup => Self::Wrapping,
            Closing::Complete => Self::Completed,
        }
    }
}

/// The conference instruction: Twilio calls the agent and lets the customer in when the agent answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Instruct {
    pub offered: Offered,
    pub call: CallId,
    pub leg: LegNo,
    pub to: E164,
    /// How long the leg rings in all.
    pub ring: Duration,
}

/// One REST call, named by its purpose.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Request {
    Instruct(Instruct),
    Reject(Offered),
    Close {
        offered: Offered,
        how: Closing,
    },
    SetActivity {
        worker: WorkerSid,
        activity: String,
        reject_pending: bool,
    },
    /// Stops a leg that still rings; one that was answered goes on.
    CancelLeg(CallSid),
    ReadReservation(Offered),
    /// Reads a reservation, and whether a conference bears the task's name and goes on: an instruction left that trace.
    ReadInstruction(Offered),
    ReadWorker(WorkerSid),
    ReadLeg(CallSid),
}

/// What Twilio answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    Done,
    Reservation {
        status: ReservationStatus,
    },
    Instruction {
        status: ReservationStatus,
        conference: bool,
    },
    /// `changed_at` is Twilio's `date_status_changed`, in whole seconds.
    Worker {
        activity: String,
        changed_at: Option<Timestamp>,
    },
    Leg {
        status: LegStatus,
    },
}

/// Why it did not answer as hoped, as far as the next step depends on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// It was not carried out: the same request may go out again.
    NotDone {
        retry_after: Option<Duration>,
    },
    /// It may have been carried out: the state is read before anything is repeated.
    Unknown,
    Refused(Refusal),
}

/// A definite no.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The reservation is not pending any more (40136 and its kin).
    NotPending,
    /// The customer hung up (40144).
    CallerGone,
    /// The number cannot be called, or not from this caller id (40145, 40141).
    Unroutable,
    NotFound,
    /// Somebody else changed it in between (412).
    Conflict,
    /// The request makes no sense to Twilio, or is forbidden: repeating it would not help.
    Other,
}
