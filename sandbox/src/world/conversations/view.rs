//! Conversations as the snapshot shows them.

use serde::{Deserialize, Serialize};

use super::{Conversation, Message, Participant};
use crate::world::{
    World,
    media::MediaFile,
    sid::Sid,
    words::{ChannelKind, ChannelStatus, ConversationState},
};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConversationView {
    pub sid: Sid,
    pub state: ConversationState,
    pub customer: CustomerView,
    /// The latest task that was made for it.
    pub task_sid: Option<Sid>,
    /// The Interaction's channel; none: a plain chat.
    pub channel: Option<ChannelView>,
    pub participants: Vec<ParticipantView>,
    /// The oldest first.
    pub messages: Vec<MessageView>,
    /// Its task was finished, but not through the Interaction: it is still open, and nobody will ever be offered it.
    pub orphaned: bool,
    pub created_ms: u64,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CustomerView {
    pub name: String,
    /// A phone number, `whatsapp:` and one, or a web chat's identity.
    pub address: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChannelView {
    pub sid: Sid,
    pub interaction_sid: Sid,
    /// What the customer writes with.
    pub kind: ChannelKind,
    pub status: ChannelStatus,
}

/// One who takes part: with an identity (agents, supervisors, web chats) or an address (SMS, WhatsApp).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ParticipantView {
    pub sid: Sid,
    pub identity: Option<String>,
    pub address: Option<String>,
    /// `LastReadMessageIndex`.
    pub last_read: Option<u64>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessageView {
    pub sid: Sid,
    /// Rises, with gaps.
    pub index: u64,
    pub author: String,
    pub body: Option<String>,
    pub media: Vec<MediaView>,
    pub at_ms: u64,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MediaView {
    pub sid: Sid,
    pub content_type: String,
    pub filename: Option<String>,
    /// Bytes.
    pub size: usize,
}

impl ConversationView {
    /// Who takes part under this identity.
    pub fn participant(&self, identity: &str) -> Option<&ParticipantView> {
        self.participants.iter().find(|one| one.identity.as_deref() == Some(identity))
    }

    /// Whether somebody has said this.
    pub fn says(&self, text: &str) -> bool {
        self.messages.iter().any(|message| message.body.as_deref() == Some(text))
    }
}

impl World {
    /// `last`: so many messages at most, the latest ones.
    pub(in crate::world) fn view_conversation(&self, row: &Conversation, last: usize) -> ConversationView {
        let channel = row.channel.as_ref().and_then(|sid| self.channels.get(sid)).map(|channel| ChannelView {
            sid: channel.sid.clone(),
            interaction_sid: channel.interaction.clone(),
            kind: channel.kind,
            status: channel.status,
        });
        let skipped = row.messages.len().saturating_sub(last);
        ConversationView {
            sid: row.sid.clone(),
            state: row.state,
            customer: CustomerView { name: row.customer.name.clone(), address: row.customer.address.clone() },
            task_sid: row.task.clone(),
            channel,
            participants: row.participants.iter().map(view_participant).collect(),
            messages: row.messages.iter().skip(skipped).map(|message| self.view_message(message)).collect(),
            orphaned: row.orphaned && row.state != ConversationState::Closed,
            created_ms: row.created,
        }
    }

    fn view_message(&self, message: &Message) -> MessageView {
        MessageView {
            sid: message.sid.clone(),
            index: message.index,
            author: message.author.clone(),
            body: message.body.clone(),
            media: message.media.iter().filter_map(|sid| self.media.get(sid)).map(view_media).collect(),
            at_ms: message.created,
        }
    }
}

fn view_participant(one: &Participant) -> ParticipantView {
    ParticipantView {
        sid: one.sid.clone(),
        identity: one.identity.clone(),
        address: one.address.clone(),
        last_read: one.last_read,
    }
}

fn view_media(file: &MediaFile) -> MediaView {
    MediaView {
        sid: file.sid.clone(),
        content_type: file.content_type.clone(),
        filename: file.filename.clone(),
        size: file.bytes.len(),
    }
}
