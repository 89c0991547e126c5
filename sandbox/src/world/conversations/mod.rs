//! Conversations (classic): who is in them, what was said, and what has been read
//! (<https://www.twilio.com/docs/conversations/api>).

mod customers;
mod desk;
mod messages;
mod participants;
mod rows;
mod state;
pub(crate) mod view;
mod webhooks;

pub(crate) use self::{
    customers::{CHAT, Chat},
    messages::NewMessage,
    participants::NewParticipant,
    rows::{Conversation, Customer, Message, Participant},
    state::StateReason,
    webhooks::{By, FILTERS, WebhookTarget, binding_type, role},
};
use super::{
    Done, World,
    sid::{Sid, named},
};
use crate::rest::error::Refusal;

/// Flex's chat service, which is the account's default one.
pub(crate) fn chat_service() -> Sid {
    named("IS", "flex chat service")
}

pub(crate) fn messaging_service() -> Sid {
    named("MG", "default")
}

/// The user of an identity.
pub(crate) fn user_sid(identity: &str) -> Sid {
    named("US", identity)
}

/// A worker's identity in Flex: the worker's name, in which every byte but letters and digits is `_` and two
/// hexadecimal digits.
pub(crate) fn identity_of(worker_name: &str) -> String {
    let escaped = |byte: u8| {
        if byte.is_ascii_alphanumeric() { char::from(byte).to_string() } else { format!("_{byte:02X}") }
    };
    worker_name.bytes().map(escaped).collect()
}

impl World {
    pub(crate) fn conversation(&self, sid: &Sid) -> Done<&Conversation> {
        self.conversations.get(sid).ok_or_else(Refusal::not_found)
    }

    pub(super) fn conversation_mut(&mut self, sid: &Sid) -> Done<&mut Conversation> {
        self.conversations.get_mut(sid).ok_or_else(Refusal::not_found)
    }

    /// The identity that a user's sid or identity means, if there is such a user: every worker, and who is or was in a
    /// conversation.
    pub(crate) fn user(&self, sid_or_identity: &str) -> Option<String> {
        let is_meant = |identity: &String| identity == sid_or_identity || user_sid(identity) == sid_or_identity;
        let workers = self.workers.iter().map(|worker| identity_of(&worker.name));
        let others = self.conversations.iter().flat_map(|row| &row.participants).filter_map(|one| one.identity.clone());
        workers.chain(others).find(is_meant)
    }

    pub(crate) fn add_conversation(&mut self, customer: Customer, by: &By) -> Sid {
        self.forget_the_oldest_conversation();
        let sid = self.make_sid("CH");
        self.conversations.add(Conversation::new(sid.clone(), customer, self.now));
        self.tell_conversation(&sid, "onConversationAdded", by);
        sid
    }
}

#[cfg(test)]
mod tests {
    use super::identity_of;

    #[test]
    fn an_identity_escapes_every_byte_that_is_no_letter_or_digit() {
        for (name, identity) in [
            ("user-+4915550101001", "user_2D_2B4915550101001"),
            ("ada", "ada"),
            ("a_b@c.de", "a_5Fb_40c_2Ede"),
            ("Zoë", "Zo_C3_AB"),
        ] {
            assert_eq!(identity_of(name), identity);
        }
    }
}
