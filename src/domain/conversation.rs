//! What happens in conversations (<https://www.twilio.com/docs/conversations/conversations-webhooks>).

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{ConversationSid, MediaSid, MessageSid, ParticipantSid, Timestamp};

/// A message was added to a conversation: `onMessageAdded`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessageEvent {
    pub conversation: ConversationSid,
    pub message: MessageSid,
    /// Rises within the conversation, not always by one.
    pub index: u64,
    /// An identity, or the address of a customer who has none.
    pub author: String,
    pub participant: Option<ParticipantSid>,
    /// Empty for a message of files alone.
    pub body: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub media: Vec<Media>,
    /// `DateCreated`.
    pub at: Timestamp,
}

/// A file that goes with a message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Media {
    pub sid: MediaSid,
    pub content_type: String,
    pub filename: Option<String>,
    /// In bytes.
    pub size: u64,
}

/// Somebody came into a conversation, left it, or read in it: `onParticipantAdded`, `…Removed`, `…Updated`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ParticipantEvent {
    pub conversation: ConversationSid,
    pub participant: ParticipantSid,
    /// None: a customer by SMS, WhatsApp and the like.
    pub identity: Option<ChatIdentity>,
    pub change: ParticipantChange,
    /// `DateUpdated`, or whatever tells two updates apart.
    pub revision: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ParticipantChange {
    Added,
    Removed,
    /// `LastReadMessageIndex`: the read horizon, where there is one.
    Updated {
        read: Option<u64>,
    },
}

impl ParticipantEvent {
    /// What makes this event itself.
    pub(super) fn key(&self) -> String {
        let Self { participant, revision, .. } = self;
        match self.change {
            ParticipantChange::Added => format!("participant:{participant}:added"),
            ParticipantChange::Removed => format!("participant:{participant}:removed"),
            ParticipantChange::Updated { read } => {
                let read = read.map(|index| index.to_string()).unwrap_or_default();
                format!("participant:{participant}:updated:{read}:{revision}")
            }
        }
    }
}

/// Who somebody is in Conversations. Flex makes an agent's of the worker's friendly name.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ChatIdentity(Box<str>);

impl ChatIdentity {
    /// As Twilio wrote it.
    pub fn new(identity: impl Into<Box<str>>) -> Self {
        Self(identity.into())
    }

    /// The identity that Flex gives a worker: every byte that is no ASCII letter or digit becomes `_` and two
    /// upper-case hexadecimal digits, so that `user-+49` is `user_2D_2B49`.
    pub fn of_worker(name: &str) -> Self {
        let mut identity = String::with_capacity(name.len() + 8);
        for byte in name.bytes() {
            if byte.is_ascii_alphanumeric() {
                identity.push(char::from(byte));
            } else {
                identity.push_str(&format!("_{byte:02X}"));
            }
        }
        Self(identity.into())
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ChatIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identity_is_the_workers_name_as_flex_escapes_it() {
        assert_eq!(ChatIdentity::of_worker("user-+4915").as_str(), "user_2D_2B4915");
        assert_eq!(ChatIdentity::of_worker("Zoë_1").as_str(), "Zo_C3_AB_5F1");
    }
}
