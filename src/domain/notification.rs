//! What people are told on their devices, before anybody has put it into words.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{ConversationSid, ReservationSid, Timestamp};

/// Names one notification: a device shows what bears an id that it knows only once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct NotificationId(pub u64);

impl fmt::Display for NotificationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

/// One notification, for all devices of an agent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notification {
    pub news: News,
    /// After this it is of no use, and is not delivered.
    pub expires: Timestamp,
    /// Messages that the agent has not read, in all conversations.
    pub unread: u32,
}

/// What has happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum News {
    /// A task waits for the agent's yes.
    TaskOffered {
        task: ReservationSid,
        /// TaskRouter's channel: `chat`, `sms`, `whatsapp` …
        channel: String,
        customer: Customer,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        conversation: Option<ConversationSid>,
    },
    /// What was offered is not on offer any more.
    TaskClosed { task: ReservationSid, why: Closed },
    /// The customer, or somebody else in the conversation, has written.
    Message {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        task: Option<ReservationSid>,
        conversation: ConversationSid,
        customer: Customer,
        /// Empty if there are files alone.
        text: String,
        files: u32,
    },
    /// What was told of this conversation has been read.
    MessagesRead { conversation: ConversationSid },
    /// It rang, and nobody answered.
    CallMissed { task: ReservationSid },
    /// The agent is in another activity, without having asked for it.
    Activity { name: String, because: ActivityReason },
    /// A newer device has taken the place of the one that this goes to.
    SessionSuperseded,
    /// Whoever holds the device wants to see that it works.
    Test,
}

/// What [`News`] is called outside: `data.type` of a push.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum NewsKind {
    #[serde(rename = "task.offered")]
    TaskOffered,
    #[serde(rename = "task.closed")]
    TaskClosed,
    #[serde(rename = "message")]
    Message,
    #[serde(rename = "message.read")]
    MessagesRead,
    #[serde(rename = "call.missed")]
    CallMissed,
    #[serde(rename = "activity")]
    Activity,
    #[serde(rename = "session.superseded")]
    SessionSuperseded,
    #[serde(rename = "test")]
    Test,
}

impl NewsKind {
    /// Whether it only takes away what is shown.
    pub const fn takes_away(self) -> bool {
        matches!(self, Self::TaskClosed | Self::MessagesRead)
    }

    pub const fn name(self) -> &'static str {
        match self {
            Self::TaskOffered => "task.offered",
            Self::TaskClosed => "task.closed",
            Self::Message => "message",
            Self::MessagesRead => "message.read",
            Self::CallMissed => "call.missed",
            Self::Activity => "activity",
            Self::SessionSuperseded => "session.superseded",
            Self::Test => "test",
        }
    }
}

impl News {
    pub const fn kind(&self) -> NewsKind {
        match self {
            Self::TaskOffered { .. } => NewsKind::TaskOffered,
            Self::TaskClosed { .. } => NewsKind::TaskClosed,
            Self::Message { .. } => NewsKind::Message,
            Self::MessagesRead { .. } => NewsKind::MessagesRead,
            Self::CallMissed { .. } => NewsKind::CallMissed,
            Self::Activity { .. } => NewsKind::Activity,
            Self::SessionSuperseded => NewsKind::SessionSuperseded,
            Self::Test => NewsKind::Test,
        }
    }

    /// What it is about: of two with the same tag the newer one takes the older one's place, so that what closes an
    /// offer takes the offer away.
    pub fn tag(&self) -> &str {
        match self {
            Self::TaskOffered { task, .. } | Self::TaskClosed { task, .. } | Self::CallMissed { task } => task.as_str(),
            Self::Message { conversation, .. } | Self::MessagesRead { conversation } => conversation.as_str(),
            Self::Activity { .. } => "activity",
            Self::SessionSuperseded => "session",
            Self::Test => "test",
        }
    }
}

/// Why an offer is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Closed {
    /// The agent has it.
    Accepted,
    /// The agent has declined it.
    Declined,
    /// The agent did not answer in time.
    Missed,
    /// It was taken back, or somebody else has it.
    Gone,
}

/// Why an activity changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ActivityReason {
    /// Too many offers were missed in a row.
    Missed,
    /// Somebody else changed it.
    Elsewhere,
}

/// Who writes, as far as it is known. `Debug` keeps it to itself.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Customer {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<Box<str>>,
    /// A number or an e-mail address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<Box<str>>,
}

impl fmt::Debug for Customer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Customer")
    }
}
