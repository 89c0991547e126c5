//! What an agent asks of Twilio, and what comes back: plain data, carried out by the actor's shell.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{
    about::InteractionChannel,
    chat::{Count, Line},
};
use crate::domain::{
    Admission, CallId, CallSid, ChatIdentity, ConversationSid, E164, LegNo, LegStatus, ReservationSid,
    ReservationStatus, TaskFacts, TaskSid, Timestamp, WorkerSid,
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

/// By which way the agent's part ends.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ending {
    /// The reservation itself is set.
    #[default]
    Reservation,
    /// Flex routes the conversation: its channel is closed, or only the agent's part in it where others are in it too, or
    /// where the conversation is to stay open (`leave`).
    Interaction { at: InteractionChannel, worker: Option<WorkerSid>, leave: bool },
}

/// The conference instruction: Twilio calls the agent and lets the customer in when the agent answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Instruct {
    pub offered: Offered,
    pub call: CallId,
    pub leg: LegNo,
    pub to: RingTo,
    /// How long the leg rings in all.
    pub ring: Duration,
}

/// A call to the agent's cell phone, where whoever answers is asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dial {
    pub call: CallId,
    pub leg: LegNo,
    pub to: E164,
    /// How long the leg rings in all.
    pub ring: Duration,
    /// When it was first to be made: older calls are not this one.
    pub since: Timestamp,
}

/// Whom Twilio calls.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum RingTo {
    CellPhone(E164),
    /// The softphone that was answered already.
    Softphone(Admission),
}

/// One REST call, named by its purpose.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Request {
    Instruct(Instruct),
    Dial(Dial),
    /// Takes a task that is no call. Twilio brings the agent into the conversation, and then says whether it did.
    Accept(Offered),
    Reject(Offered),
    Close {
        offered: Offered,
        how: Closing,
        #[serde(default)]
        ending: Ending,
    },
    SetActivity {
        worker: WorkerSid,
        activity: String,
        reject_pending: bool,
    },
    /// Stops a leg that still rings; one that was answered goes on.
    CancelLeg(CallSid),
    /// Ends a leg, whatever it is doing.
    EndLeg(CallSid),
    /// Ends the conference of the task.
    EndConference(Offered),
    ReadReservation(Offered),
    /// Reads a reservation, and whether a conference bears the task's name and goes on: an instruction left that trace.
    ReadInstruction(Offered),
    /// Looks for a call that may have been made.
    FindDialled(Dial),
    ReadWorker(WorkerSid),
    ReadLeg(CallSid),
    /// Moves the agent's read horizon.
    SetRead {
        identity: ChatIdentity,
        conversation: ConversationSid,
        index: u64,
    },
    /// Reads what Twilio counts as unread, in all conversations of the agent.
    ReadCounts(ChatIdentity),
    /// Reads the newest messages.
    ReadMessages(ConversationSid),
    /// Reads which reservations the worker works on: of one of them nothing was heard.
    ReadReservations(WorkerSid),
}

/// What Twilio answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    Done,
    /// `changed_at` is Twilio's `date_updated`, in whole seconds.
    Reservation {
        status: ReservationStatus,
        changed_at: Option<Timestamp>,
    },
    Instruction {
        status: ReservationStatus,
        conference: bool,
    },
    /// A call was made; none: it was not.
    Dialled(Option<CallSid>),
    /// `changed_at` is Twilio's `date_status_changed`, in whole seconds.
    Worker {
        activity: String,
        changed_at: Option<Timestamp>,
    },
    Leg {
        status: LegStatus,
    },
    Counts(Vec<(ConversationSid, Count)>),
    /// The oldest of them first.
    Messages(Vec<Line>),
    Reservations(Vec<Found>),
}

/// A reservation that a reading found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    pub offered: Offered,
    pub status: ReservationStatus,
    /// Twilio's `date_updated`, in whole seconds.
    pub changed_at: Option<Timestamp>,
    pub task: TaskFacts,
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
