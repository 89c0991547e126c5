//! What a user has read, and what not (<https://www.twilio.com/docs/conversations/api/user-conversation-resource>).

use serde::Deserialize;

use crate::{
    domain::{ChatIdentity, ConversationSid},
    twilio::{
        client::{Pages, Refusal, Twilio, TwilioError},
        wire::{Nothing, or_default},
    },
};

/// Conversations a page, Twilio's most.
const PAGE_SIZE: &str = "50";
/// A thousand conversations: Flex takes agents out of those that they have finished.
const MAX_PAGES: usize = 20;

/// A conversation, as one of its users has it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct UserConversation {
    #[serde(rename = "conversation_sid")]
    pub conversation: ConversationSid,
    /// How many messages are unread, 1,000 at most. None: nothing was ever read.
    #[serde(default, rename = "unread_messages_count")]
    pub unread: Option<u64>,
    /// The index of the last message that was read.
    #[serde(default, rename = "last_read_message_index")]
    pub last_read: Option<u64>,
    #[serde(default, rename = "conversation_state", deserialize_with = "or_default")]
    pub state: ConversationState,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConversationState {
    Active,
    /// Nobody has written for long; a message makes it active again.
    Inactive,
    /// For good.
    Closed,
    /// One that is not known here.
    #[default]
    #[serde(other)]
    Other,
}

impl Twilio {
    /// The conversations that a user is in; none for a user whom Conversations has never met
    /// (<https://www.twilio.com/docs/conversations/api/user-conversation-resource#read-multiple-userconversation-resources>).
    ///
    /// # Errors
    /// [`TwilioError`]; nothing is changed by it.
    pub async fn user_conversations(&self, identity: &ChatIdentity) -> Result<Vec<UserConversation>, TwilioError> {
        let path = ["Users", identity.as_str(), "Conversations"];
        let call = self.get_in_conversations("list_user_conversation", &path).with("PageSize", PAGE_SIZE);
        match Pages::new(call, "conversations").collect(self, MAX_PAGES).await {
            Ok((conversations, _)) => Ok(conversations),
            Err(error) if error.refusal() == Some(Refusal::NotFound) => Ok(Vec::new()),
            Err(error) => Err(error),
        }
    }

    /// Moves a user's read horizon to the message of this index; Twilio never does by itself
    /// (<https://www.twilio.com/docs/conversations/api/user-conversation-resource#update-a-userconversation-resource>).
    ///
    /// # Errors
    /// [`TwilioError`]. Doing it twice does no harm.
    pub async fn set_read(
        &self,
        identity: &ChatIdentity,
        conversation: &ConversationSid,
        index: u64,
    ) -> Result<(), TwilioError> {
        let path = ["Users", identity.as_str(), "Conversations", conversation.as_str()];
        let call = self.post_for_agent("update_user_conversation", &path);
        self.send::<Nothing>(call.with("LastReadMessageIndex", index.to_string())).await.map(|_| ())
    }
}
