//! Twilio's states, each an enum that is written as Twilio writes it.

use serde::{Deserialize, Serialize};

macro_rules! words {
    ($(#[$meta:meta])* $name:ident { $($variant:ident = $word:literal),+ $(,)? }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
        pub enum $name { $(#[serde(rename = $word)] $variant),+ }

        impl $name {
            /// As Twilio writes it.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }

            pub fn parse(word: &str) -> Option<Self> {
                match word { $($word => Some(Self::$variant),)+ _ => None }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

words! {
    /// `assignment_status` of a task.
    TaskStatus {
        Pending = "pending",
        Reserved = "reserved",
        Assigned = "assigned",
        Wrapping = "wrapping",
        Completed = "completed",
        Canceled = "canceled",
    }
}

words! {
    /// `reservation_status`.
    ReservationStatus {
        Pending = "pending",
        Accepted = "accepted",
        Rejected = "rejected",
        Timeout = "timeout",
        Canceled = "canceled",
        Rescinded = "rescinded",
        Wrapping = "wrapping",
        Completed = "completed",
    }
}

words! {
    /// `status` of a call.
    CallStatus {
        Queued = "queued",
        Ringing = "ringing",
        InProgress = "in-progress",
        Completed = "completed",
        Busy = "busy",
        NoAnswer = "no-answer",
        Failed = "failed",
        Canceled = "canceled",
    }
}

words! {
    /// `direction` of a call.
    Direction { Inbound = "inbound", OutboundApi = "outbound-api" }
}

words! {
    /// `status` of a conference.
    ConferenceStatus { Init = "init", InProgress = "in-progress", Completed = "completed" }
}

words! {
    /// `reason_conference_ended`.
    EndReason {
        ViaApi = "conference-ended-via-api",
        EndOnExitLeft = "participant-with-end-conference-on-exit-left",
        EndOnExitKicked = "participant-with-end-conference-on-exit-kicked",
        LastKicked = "last-participant-kicked",
        LastLeft = "last-participant-left",
    }
}

words! {
    /// `state` of a conversation.
    ConversationState { Active = "active", Inactive = "inactive", Closed = "closed" }
}

words! {
    /// `status` of an Interaction's channel.
    ChannelStatus { Active = "active", Inactive = "inactive", Closed = "closed" }
}

words! {
    /// `type` of an Interaction's channel: what the customer writes with.
    ChannelKind { Sms = "sms", Whatsapp = "whatsapp", Web = "web", Chat = "chat" }
}

words! {
    /// Who is at the end of a call.
    Role { Customer = "customer", Worker = "worker", Other = "other" }
}

pub(super) use words;

impl ChannelKind {
    /// What a customer with this address writes with.
    pub(crate) fn of(address: &str) -> Self {
        match address {
            _ if address.starts_with("whatsapp:") => Self::Whatsapp,
            _ if address.starts_with('+') => Self::Sms,
            _ => Self::Web,
        }
    }
}

impl TaskStatus {
    pub const fn is_final(self) -> bool {
        matches!(self, Self::Completed | Self::Canceled)
    }
}

impl ReservationStatus {
    /// The worker is rid of it.
    pub const fn is_final(self) -> bool {
        matches!(self, Self::Rejected | Self::Timeout | Self::Canceled | Self::Rescinded | Self::Completed)
    }
}

impl CallStatus {
    pub const fn is_final(self) -> bool {
        matches!(self, Self::Completed | Self::Busy | Self::NoAnswer | Self::Failed | Self::Canceled)
    }
}
