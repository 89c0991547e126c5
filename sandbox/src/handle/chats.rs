//! Chats in a test's hands: customers, the Flex desk, and where the events go.

use serde::{Deserialize, Serialize};

use super::Handle;
use crate::{
    rest::error::Refusal,
    world::{conversations::Chat, sid::Sid},
};

/// A chat that a customer has started.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CustomerChat {
    pub conversation_sid: Sid,
    pub task_sid: Sid,
    /// `KD…`; none: a plain chat, which no Interaction holds.
    pub interaction_sid: Option<Sid>,
    /// `UO…`
    pub channel_sid: Option<Sid>,
}

impl From<Chat> for CustomerChat {
    fn from(chat: Chat) -> Self {
        let (interaction_sid, channel_sid) = chat.interaction.unzip();
        Self { conversation_sid: chat.conversation, task_sid: chat.task, interaction_sid, channel_sid }
    }
}

impl Handle {
    /// Sets the account's PostWebhookUrl, for every event that comes after an act.
    pub fn set_conversations_webhook(&self, url: &str) {
        self.engine.act(|world| world.set_conversations_webhook(url));
    }

    /// Makes a sink of Event Streams that gets everything, in place of those that are there.
    pub fn set_event_sink(&self, url: &str) {
        self.engine.act(|world| world.set_event_sink(url));
    }

    /// A customer writes, and an Interaction with a task is made of it. `from` also says by what: a phone number writes by
    /// SMS, `whatsapp:` and one by WhatsApp, and anything else is the identity of a web chat.
    pub fn start_chat(&self, from: &str, name: &str, text: &str) -> CustomerChat {
        self.engine.act(|world| world.start_chat(from, name, text)).into()
    }

    /// A customer writes, and a task is made that merely names the conversation: no Interaction, and no key of Flex's.
    pub fn start_plain_chat(&self, from: &str, name: &str, text: &str) -> CustomerChat {
        self.engine.act(|world| world.start_plain_chat(from, name, text)).into()
    }

    /// Returns the message.
    pub fn customer_says(&self, conversation: &Sid, text: &str) -> Result<Sid, Refusal> {
        self.engine.act(|world| world.customer_says(conversation, text))
    }

    /// Returns the message.
    pub fn customer_sends_file(
        &self,
        conversation: &Sid,
        filename: &str,
        content_type: &str,
        bytes: &[u8],
    ) -> Result<Sid, Refusal> {
        self.engine.act(|world| world.customer_sends_file(conversation, filename, content_type, bytes))
    }

    /// The customer ends the chat: the conversation is closed, and its channel with it.
    pub fn customer_closes(&self, conversation: &Sid) -> Result<(), Refusal> {
        self.engine.act(|world| world.customer_closes(conversation))
    }

    /// The customer takes part no more; the conversation stays open.
    pub fn customer_leaves(&self, conversation: &Sid) -> Result<(), Refusal> {
        self.engine.act(|world| world.customer_leaves(conversation))
    }

    /// Twilio's timer closes the conversation.
    pub fn chat_times_out(&self, conversation: &Sid) -> Result<(), Refusal> {
        self.engine.act(|world| world.chat_times_out(conversation))
    }

    /// An agent writes at the Flex desktop. `worker` is a worker's sid, name or phone, or the identity of somebody else who
    /// takes part. Returns the message.
    pub fn desk_says(&self, conversation: &Sid, worker: &str, text: &str) -> Result<Sid, Refusal> {
        self.engine.act(|world| world.desk_says(conversation, worker, text))
    }

    /// An agent reads everything at the Flex desktop.
    pub fn desk_reads(&self, conversation: &Sid, worker: &str) -> Result<(), Refusal> {
        self.engine.act(|world| world.desk_reads(conversation, worker))
    }

    /// An agent accepts at the Flex desktop.
    pub fn desk_accepts(&self, reservation: &Sid) -> Result<(), Refusal> {
        self.engine.act(|world| world.desk_accepts(reservation))
    }

    /// A supervisor looks in, with an identity of its own. Returns the participant.
    pub fn supervisor_joins(&self, conversation: &Sid, identity: &str) -> Result<Sid, Refusal> {
        self.engine.act(|world| world.supervisor_joins(conversation, identity))
    }

    /// The next agent who accepts an Interaction does not get into the conversation: the reservation is cancelled.
    pub fn fail_next_join(&self) {
        self.engine.act(|world| world.failing_joins += 1);
    }
}
