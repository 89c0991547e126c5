//! Who is in a conversation (<https://www.twilio.com/docs/conversations/api/conversation-participant-resource>).

use serde::Deserialize;

use crate::{
    domain::{ChatIdentity, ConversationSid, ParticipantSid, Timestamp},
    twilio::{
        client::{Pages, Twilio, TwilioError},
        wire::optional_moment,
    },
};

/// Participants a page, Twilio's most.
const PAGE_SIZE: &str = "100";
/// A conversation has a thousand participants at most.
const MAX_PAGES: usize = 10;

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Participant {
    pub sid: ParticipantSid,
    /// None: a customer by SMS, WhatsApp and the like.
    #[serde(default)]
    pub identity: Option<ChatIdentity>,
    /// The index of the last message that was read, if any was.
    #[serde(default, rename = "last_read_message_index")]
    pub last_read: Option<u64>,
    /// When they came in.
    #[serde(default, deserialize_with = "optional_moment")]
    pub date_created: Option<Timestamp>,
}

impl Twilio {
    /// Everybody in a conversation
    /// (<https://www.twilio.com/docs/conversations/api/conversation-participant-resource#read-multiple-conversationparticipant-resources>).
    ///
    /// # Errors
    /// [`TwilioError`]; nothing is changed by it.
    pub async fn participants(&self, conversation: &ConversationSid) -> Result<Vec<Participant>, TwilioError> {
        let path = ["Conversations", conversation.as_str(), "Participants"];
        let call = self.get_in_conversations("list_conversation_participant", &path).with("PageSize", PAGE_SIZE);
        Ok(Pages::new(call, "participants").collect(self, MAX_PAGES).await?.0)
    }
}
