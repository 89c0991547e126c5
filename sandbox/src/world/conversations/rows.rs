//! What is remembered of a conversation. Times are milliseconds since the Unix epoch.

use std::collections::VecDeque;

use crate::world::{sid::Sid, words::ConversationState};

/// Whom a conversation is with.
#[derive(Clone, Debug, Default)]
pub(crate) struct Customer {
    pub(crate) name: String,
    /// A phone number, `whatsapp:` and one, or a web chat's identity.
    pub(crate) address: String,
}

#[derive(Debug)]
pub(crate) struct Conversation {
    pub(crate) sid: Sid,
    pub(crate) state: ConversationState,
    pub(crate) customer: Customer,
    /// The latest task that was made for it.
    pub(crate) task: Option<Sid>,
    /// `UO…`, for one that an Interaction holds.
    pub(crate) channel: Option<Sid>,
    pub(crate) friendly_name: Option<String>,
    /// JSON.
    pub(crate) attributes: String,
    /// In the order in which they came.
    pub(crate) participants: Vec<Participant>,
    /// The oldest first; only the latest are kept.
    pub(crate) messages: VecDeque<Message>,
    /// The index of the latest message, were it deleted or forgotten.
    pub(crate) last_index: Option<u64>,
    /// Its task was finished behind the Interaction's back.
    pub(crate) orphaned: bool,
    pub(crate) created: u64,
    pub(crate) updated: u64,
}

#[derive(Clone, Debug)]
pub(crate) struct Participant {
    pub(crate) sid: Sid,
    /// Of a client that speaks Conversations: agents, supervisors, web chats.
    pub(crate) identity: Option<String>,
    /// Of somebody who is reached by SMS or WhatsApp.
    pub(crate) address: Option<String>,
    /// The company's number that such a one sees.
    pub(crate) proxy_address: Option<String>,
    pub(crate) attributes: String,
    /// The read horizon: moved by those who read, never by itself.
    pub(crate) last_read: Option<u64>,
    pub(crate) last_read_at: Option<u64>,
    pub(crate) muted: bool,
    pub(crate) created: u64,
    pub(crate) updated: u64,
}

#[derive(Clone, Debug)]
pub(crate) struct Message {
    pub(crate) sid: Sid,
    pub(crate) index: u64,
    pub(crate) author: String,
    /// The author's, if the author takes part.
    pub(crate) participant: Option<Sid>,
    pub(crate) body: Option<String>,
    pub(crate) media: Vec<Sid>,
    /// JSON.
    pub(crate) attributes: String,
    pub(crate) created: u64,
}

/// Twilio counts no further.
const UNREAD_MAX: usize = 1_000;

impl Conversation {
    pub(super) fn new(sid: Sid, customer: Customer, now: u64) -> Self {
        Self {
            sid,
            state: ConversationState::Active,
            customer,
            task: None,
            channel: None,
            friendly_name: None,
            attributes: "{}".to_owned(),
            participants: Vec::new(),
            messages: VecDeque::new(),
            last_index: None,
            orphaned: false,
            created: now,
            updated: now,
        }
    }

    /// By sid or identity, as paths may name one.
    pub(crate) fn participant(&self, sid_or_identity: &str) -> Option<&Participant> {
        self.participants
            .iter()
            .find(|one| one.sid == *sid_or_identity || one.identity.as_deref() == Some(sid_or_identity))
    }

    pub(super) fn participant_mut(&mut self, sid: &Sid) -> Option<&mut Participant> {
        self.participants.iter_mut().find(|one| one.sid == *sid)
    }

    /// Whose messages bear this author.
    pub(super) fn author(&self, author: &str) -> Option<&Participant> {
        self.participants.iter().find(|one| one.author() == author)
    }

    pub(crate) fn message(&self, sid: &Sid) -> Option<&Message> {
        self.messages.iter().find(|message| message.sid == *sid)
    }

    /// The messages behind the read horizon, whoever wrote them. Who has never read has no horizon, and Twilio then does
    /// not say how many.
    pub(crate) fn unread(&self, participant: &Participant) -> Option<usize> {
        let horizon = participant.last_read?;
        let unread = self.messages.iter().rev().take_while(|message| message.index > horizon);
        Some(unread.take(UNREAD_MAX).count())
    }
}

impl Participant {
    /// What stands in `Author` of the messages.
    pub(crate) fn author(&self) -> &str {
        self.identity.as_deref().or(self.address.as_deref()).unwrap_or_default()
    }
}
