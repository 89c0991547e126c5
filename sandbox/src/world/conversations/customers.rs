//! What a customer does: starts a chat, writes, sends files, goes.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::{By, Customer, NewMessage, NewParticipant, StateReason};
use crate::{
    rest::error::Refusal,
    world::{
        Done, World,
        interactions::NewInteraction,
        media::NewMedia,
        routing::NewTask,
        sid::Sid,
        words::{ChannelKind, ConversationState},
    },
};

/// TaskRouter's channel for messages of any kind.
pub(crate) const CHAT: &str = "chat";

/// What starting a chat has made.
#[derive(Debug)]
pub(crate) struct Chat {
    pub(crate) conversation: Sid,
    pub(crate) task: Sid,
    /// `KD…` and `UO…`, unless the chat is a plain one.
    pub(crate) interaction: Option<(Sid, Sid)>,
}

impl World {
    /// A customer writes, and Flex makes an Interaction of it, with a task.
    pub(crate) fn start_chat(&mut self, from: &str, name: &str, text: &str) -> Chat {
        let conversation = self.customer_arrives(from, name, text);
        let (interaction, channel, task) = self.create_interaction(NewInteraction {
            kind: ChannelKind::of(from),
            conversation: conversation.clone(),
            task_channel: CHAT.to_owned(),
            attributes: customer_facts(from, name),
            routing_target: None,
        });
        Chat { conversation, task, interaction: Some((interaction, channel)) }
    }

    /// A customer writes, and a program of the company's makes a task that merely names the conversation.
    pub(crate) fn start_plain_chat(&mut self, from: &str, name: &str, text: &str) -> Chat {
        let conversation = self.customer_arrives(from, name, text);
        let mut attributes = customer_facts(from, name);
        attributes.insert("conversationSid".to_owned(), json!(conversation));
        attributes.insert("channelType".to_owned(), json!(ChannelKind::of(from)));
        let task = self.create_task(NewTask {
            channel: CHAT.to_owned(),
            attributes: Value::from(attributes).to_string(),
            conversation: Some(conversation.clone()),
            ..NewTask::default()
        });
        Chat { conversation, task, interaction: None }
    }

    /// A text that is refused, such as an empty one, leaves the conversation without a first message.
    fn customer_arrives(&mut self, from: &str, name: &str, text: &str) -> Sid {
        let customer = Customer { name: name.to_owned(), address: from.to_owned() };
        let conversation = self.add_conversation(customer, &By::Flex);
        let new = self.customer_as_participant(from);
        let added = self.add_participant(&conversation, new, &By::Flex);
        debug_assert!(added.is_ok(), "a new conversation takes its first participant");
        let _refused = self.customer_says(&conversation, text);
        conversation
    }

    /// Web chats have an identity; who writes by SMS or WhatsApp has an address.
    pub(crate) fn customer_as_participant(&self, from: &str) -> NewParticipant {
        match ChannelKind::of(from) {
            ChannelKind::Web => NewParticipant::of(from),
            kind => NewParticipant {
                address: Some(from.to_owned()),
                proxy_address: self.rules.numbers.first().map(|number| match kind {
                    ChannelKind::Whatsapp => format!("whatsapp:{number}"),
                    _ => number.clone(),
                }),
                ..NewParticipant::default()
            },
        }
    }

    pub(crate) fn customer_says(&mut self, conversation: &Sid, text: &str) -> Done<Sid> {
        let (author, by) = self.customer_of(conversation)?;
        self.add_message(conversation, NewMessage { author, body: Some(text.to_owned()), ..NewMessage::default() }, &by)
    }

    pub(crate) fn customer_sends_file(
        &mut self,
        conversation: &Sid,
        filename: &str,
        content_type: &str,
        bytes: &[u8],
    ) -> Done<Sid> {
        let (author, by) = self.customer_of(conversation)?;
        let media = self.store_media(NewMedia {
            content_type: content_type.to_owned(),
            filename: Some(filename.to_owned()),
            bytes: Arc::from(bytes),
        })?;
        self.add_message(conversation, NewMessage { author, media: vec![media], ..NewMessage::default() }, &by)
    }

    /// The customer's client ends the chat: the company's program closes the conversation for it.
    pub(crate) fn customer_closes(&mut self, conversation: &Sid) -> Done {
        self.must_be_open(conversation)?;
        self.set_conversation_state(conversation, ConversationState::Closed, StateReason::Api, &By::Flex)
    }

    /// The conversation has been still for so long that Twilio closes it.
    pub(crate) fn chat_times_out(&mut self, conversation: &Sid) -> Done {
        self.must_be_open(conversation)?;
        self.set_conversation_state(conversation, ConversationState::Closed, StateReason::Timer, &By::Flex)
    }

    /// The customer takes part no more; the conversation goes on.
    pub(crate) fn customer_leaves(&mut self, conversation: &Sid) -> Done {
        let (author, by) = self.customer_of(conversation)?;
        let sid = self.conversation(conversation)?.author(&author).map(|one| one.sid.clone());
        self.remove_participant(conversation, &sid.ok_or_else(Refusal::not_found)?, &by)
    }

    fn must_be_open(&self, conversation: &Sid) -> Done {
        if self.conversation(conversation)?.state == ConversationState::Closed {
            return Err(Refusal::invalid("The conversation is closed"));
        }
        Ok(())
    }

    fn customer_of(&self, conversation: &Sid) -> Done<(String, By)> {
        let row = self.conversation(conversation)?;
        let one = row.author(&row.customer.address).ok_or_else(|| Refusal::invalid("The customer has left"))?;
        Ok((one.author().to_owned(), By::Sdk(one.identity.clone())))
    }
}

fn customer_facts(from: &str, name: &str) -> Map<String, Value> {
    let facts = json!({
        "customerName": name, "customerAddress": from, "from": from, "direction": "inbound", "initiatedBy": "customer",
    });
    match facts {
        Value::Object(facts) => facts,
        _ => Map::new(),
    }
}
