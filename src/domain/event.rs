//! What Twilio tells us, parsed: whichever door it came in by (form, CloudEvent, the Events resource), it is one of these.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{
    CallId, CallSid, ConferenceSid, EventSid, LegNo, MessageEvent, ParticipantEvent, ReservationSid, TaskSid,
    Timestamp, WorkerSid, WorkflowSid,
};

/// One thing that happened at Twilio, for one agent; what happens in a conversation is for all who are in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Event {
    Reservation(ReservationEvent),
    Worker(WorkerEvent),
    Leg(LegEvent),
    Conference(ConferenceEvent),
    Message(MessageEvent),
    Participant(ParticipantEvent),
}

/// What makes an event itself: the same event twice has the same key, whichever way it came.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct EventKey(Box<str>);

impl EventKey {
    /// The key of a request by Twilio's `I-Twilio-Idempotency-Token`, which is equal across retries of one request.
    pub fn of_token(token: &str) -> Self {
        Self(format!("token:{token}").into())
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for EventKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Event {
    pub fn key(&self) -> EventKey {
        EventKey(match self {
            Self::Reservation(event) => format!("event:{}", event.sid).into(),
            Self::Worker(event) => format!("event:{}", event.sid).into(),
            Self::Leg(event) => format!("leg:{}:{}", event.call_sid, event.sequence).into(),
            Self::Conference(event) => format!("conference:{}:{}", event.conference, event.sequence).into(),
            Self::Message(event) => format!("message:{}", event.message).into(),
            Self::Participant(event) => event.key().into(),
        })
    }

    /// When it happened at Twilio, if it says so; callbacks of legs and conferences do not.
    pub const fn at(&self) -> Option<Timestamp> {
        match self {
            Self::Reservation(event) => Some(event.at),
            Self::Worker(event) => Some(event.at),
            Self::Message(event) => Some(event.at),
            Self::Leg(_) | Self::Conference(_) | Self::Participant(_) => None,
        }
    }
}

/// Somebody, or something, picked up a leg that asks who answers, or has pressed a key there: Twilio asks how it goes on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PickUp {
    pub call: CallId,
    pub leg: LegNo,
    pub call_sid: CallSid,
    /// None yet: the question has not been put.
    pub key: Option<Key>,
}

/// A key of a phone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Key {
    /// 1: the agent takes the call.
    One,
    Other,
}

/// `reservation.*` (<https://www.twilio.com/docs/taskrouter/api/event/reference>).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReservationEvent {
    pub sid: EventSid,
    pub kind: ReservationEventKind,
    pub reservation: ReservationSid,
    /// `ReservationVersion`: rises with each change; an event with an older one says nothing new.
    pub version: Option<u64>,
    pub at: Timestamp,
    pub worker: WorkerSid,
    pub worker_name: String,
    /// `WorkerActivityName` when it happened.
    pub activity: Option<String>,
    pub task: TaskFacts,
}

/// The task behind a reservation, as the event tells it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskFacts {
    pub sid: TaskSid,
    /// `TaskChannelUniqueName`: `voice`, `chat`, `sms` …
    pub channel: String,
    pub workflow: Option<WorkflowSid>,
    /// `TaskAttributes`: a JSON object, as Twilio sent it.
    pub attributes: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReservationEventKind {
    Created,
    Accepted,
    Rejected,
    Timeout,
    Canceled,
    Rescinded,
    Completed,
    Failed,
    Wrapup,
}

/// `reservation_status`, as REST tells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReservationStatus {
    Pending,
    Accepted,
    Rejected,
    Timeout,
    Canceled,
    Rescinded,
    Wrapping,
    Completed,
}

impl ReservationStatus {
    /// Nothing follows any more: the agent is rid of it.
    pub const fn is_final(self) -> bool {
        matches!(self, Self::Rejected | Self::Timeout | Self::Canceled | Self::Rescinded | Self::Completed)
    }
}

impl ReservationStatus {
    /// How far a reservation has come: it never goes back.
    pub const fn rank(self) -> u8 {
        match self {
            Self::Pending => 0,
            Self::Accepted => 1,
            Self::Wrapping => 2,
            Self::Rejected | Self::Timeout | Self::Canceled | Self::Rescinded | Self::Completed => 3,
        }
    }
}

impl From<ReservationEventKind> for ReservationStatus {
    fn from(kind: ReservationEventKind) -> Self {
        match kind {
            ReservationEventKind::Created => Self::Pending,
            ReservationEventKind::Accepted => Self::Accepted,
            ReservationEventKind::Rejected => Self::Rejected,
            ReservationEventKind::Timeout => Self::Timeout,
            ReservationEventKind::Canceled | ReservationEventKind::Failed => Self::Canceled,
            ReservationEventKind::Rescinded => Self::Rescinded,
            ReservationEventKind::Completed => Self::Completed,
            ReservationEventKind::Wrapup => Self::Wrapping,
        }
    }
}

/// `worker.*`, as far as agents care.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkerEvent {
    pub sid: EventSid,
    pub kind: WorkerEventKind,
    pub worker: WorkerSid,
    pub worker_name: String,
    /// `WorkerActivityName` after the change.
    pub activity: Option<String>,
    /// `WorkerVersion`: rises with each change.
    pub version: Option<u64>,
    pub at: Timestamp,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WorkerEventKind {
    Created,
    ActivityUpdated,
    AttributesUpdated,
    Deleted,
}

/// A status callback of one leg of a call (<https://www.twilio.com/docs/voice/api/call-resource#statuscallback>).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LegEvent {
    pub call: CallId,
    pub leg: LegNo,
    pub call_sid: CallSid,
    pub status: LegStatus,
    /// `SequenceNumber`: the order in which Twilio fired the callbacks of this leg, from 0.
    pub sequence: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LegStatus {
    /// Twilio's `queued` too: the leg has been asked for.
    #[serde(alias = "queued")]
    Initiated,
    Ringing,
    InProgress,
    Completed,
    Busy,
    NoAnswer,
    Failed,
    Canceled,
}

impl LegStatus {
    /// The leg is over, answered or not.
    pub const fn is_final(self) -> bool {
        matches!(self, Self::Completed | Self::Busy | Self::NoAnswer | Self::Failed | Self::Canceled)
    }
}

/// A conference status callback (<https://www.twilio.com/docs/voice/api/conference-participant-resource>).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConferenceEvent {
    pub call: CallId,
    pub leg: LegNo,
    pub conference: ConferenceSid,
    pub kind: ConferenceEventKind,
    /// `CallSid` of the participant, where the event is about one.
    pub participant: Option<CallSid>,
    pub sequence: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ConferenceEventKind {
    Start,
    End,
    Join,
    Leave,
}
