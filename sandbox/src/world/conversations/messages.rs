//! What is said in a conversation.

use super::{By, Message, StateReason};
use crate::{
    rest::error::Refusal,
    world::{Done, World, sid::Sid, words::ConversationState},
};

/// A conversation keeps so many messages; the oldest are forgotten.
const MESSAGES_KEPT: usize = 1_000;
/// The longest text of a chat message, in bytes.
const MAX_BODY: usize = 32 * 1024;

#[derive(Debug, Default)]
pub(crate) struct NewMessage {
    pub(crate) author: String,
    pub(crate) body: Option<String>,
    pub(crate) media: Vec<Sid>,
    /// JSON; none: `{}`.
    pub(crate) attributes: Option<String>,
}

impl World {
    /// Adds a message, which wakes a conversation that was inactive.
    pub(crate) fn add_message(&mut self, conversation: &Sid, new: NewMessage, by: &By) -> Done<Sid> {
        let row = self.conversation(conversation)?;
        if row.state == ConversationState::Closed {
            return Err(Refusal::invalid("The conversation is closed"));
        }
        if new.body.as_deref().is_none_or(str::is_empty) && new.media.is_empty() {
            return Err(Refusal::invalid("Either Body or MediaSid must be there"));
        }
        if new.body.as_ref().is_some_and(|body| body.len() > MAX_BODY) {
            return Err(Refusal::invalid("Invalid Body: it is too long"));
        }
        let participant = row.author(&new.author).map(|one| one.sid.clone());
        let (last_index, now) = (row.last_index, self.now);
        let sid = self.make_sid("IM");
        self.attach_media(&new.media, conversation, &sid)?;
        let message = Message {
            index: next_index(last_index, &sid),
            sid: sid.clone(),
            author: new.author,
            participant,
            body: new.body,
            media: new.media,
            attributes: new.attributes.unwrap_or_else(|| "{}".to_owned()),
            created: now,
        };
        self.keep_message(conversation, message.clone())?;
        self.tell_message(conversation, &message, by);
        self.wake_conversation(conversation);
        Ok(sid)
    }

    fn keep_message(&mut self, conversation: &Sid, message: Message) -> Done {
        let row = self.conversation_mut(conversation)?;
        row.last_index = Some(message.index);
        row.updated = message.created;
        row.messages.push_back(message);
        let forgotten = if row.messages.len() > MESSAGES_KEPT { row.messages.pop_front() } else { None };
        for media in forgotten.map(|message| message.media).unwrap_or_default() {
            self.media.remove(&media);
        }
        Ok(())
    }

    fn wake_conversation(&mut self, sid: &Sid) {
        let asleep = self.conversations.get(sid).is_some_and(|row| row.state == ConversationState::Inactive);
        if asleep {
            self.change_conversation_state(sid, ConversationState::Active, StateReason::Event, &By::Flex);
            self.invite_again(sid);
        }
    }
}

/// Indices rise, but Twilio does not promise that none is left out: here one is, now and then, as the sid has it.
fn next_index(last: Option<u64>, sid: &Sid) -> u64 {
    let Some(last) = last else { return 0 };
    let skips = sid.as_str().ends_with(['0', '1', '2']);
    last + if skips { 2 } else { 1 }
}
