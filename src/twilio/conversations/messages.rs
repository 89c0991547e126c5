//! The messages of a conversation (<https://www.twilio.com/docs/conversations/api/conversation-message-resource>).

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

use crate::{
    domain::{ChatIdentity, ConversationSid, Media, MediaSid, MessageSid, ParticipantSid, SendId, Timestamp},
    twilio::{
        client::{Pages, Twilio, TwilioError},
        events::media,
        wire::{optional_moment, or_default},
    },
};

/// Messages a page, Twilio's most.
const MAX_PAGE_SIZE: usize = 100;
/// How far back a conversation is read: two thousand messages.
const MAX_PAGES: usize = 20;

#[derive(Clone, PartialEq, Eq, Deserialize)]
pub struct Message {
    pub sid: MessageSid,
    /// Rises within the conversation, not always by one.
    #[serde(default)]
    pub index: u64,
    /// An identity, or the address of a customer who has none.
    #[serde(default, deserialize_with = "or_default")]
    pub author: String,
    /// Empty for a message of files alone.
    #[serde(default, deserialize_with = "or_default")]
    pub body: String,
    #[serde(default, deserialize_with = "files")]
    pub media: Vec<Media>,
    /// None once its author has left.
    #[serde(default, rename = "participant_sid")]
    pub participant: Option<ParticipantSid>,
    #[serde(default, deserialize_with = "optional_moment")]
    pub date_created: Option<Timestamp>,
    /// The send that it comes of, if it was written by us.
    #[serde(default, rename = "attributes", deserialize_with = "send")]
    pub send: Option<SendId>,
}

/// What we put into a message's attributes.
#[derive(Serialize, Deserialize)]
struct Attributes {
    offdesk: Mark,
}

#[derive(Serialize, Deserialize)]
struct Mark {
    send: SendId,
}

impl Attributes {
    /// A struct of one text is always JSON.
    fn of(id: SendId) -> String {
        serde_json::to_string(&Self { offdesk: Mark { send: id } }).unwrap_or_default()
    }
}

/// Attributes are JSON in a text, and anybody's to write.
fn send<'de, D: Deserializer<'de>>(from: D) -> Result<Option<SendId>, D::Error> {
    let text: Option<String> = Option::deserialize(from)?;
    Ok(text.and_then(|text| serde_json::from_str::<Attributes>(&text).ok()).map(|ours| ours.offdesk.send))
}

fn files<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<Media>, D::Error> {
    let list: Option<Vec<Value>> = Option::deserialize(from)?;
    Ok(media::of_list(&list.unwrap_or_default()))
}

/// What was written, and by whom, is nobody's business.
impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Message").field("sid", &self.sid).field("index", &self.index).finish_non_exhaustive()
    }
}

impl Twilio {
    /// The latest `count` messages, the newest last.
    ///
    /// # Errors
    /// As [`Twilio::messages`].
    pub async fn latest_messages(
        &self,
        conversation: &ConversationSid,
        count: usize,
    ) -> Result<Vec<Message>, TwilioError> {
        self.messages(conversation, None, count).await
    }

    /// Up to `limit` messages before the one of an index, or before the end, the newest last
    /// (<https://www.twilio.com/docs/conversations/api/conversation-message-resource#list-all-conversation-messages>).
    ///
    /// Twilio's list cannot be entered at an index: it is read from its end, until enough is found or 2,000 messages have
    /// been seen. What lies further back is not found.
    ///
    /// # Errors
    /// [`TwilioError`]; nothing is changed by it.
    pub async fn messages(
        &self,
        conversation: &ConversationSid,
        before: Option<u64>,
        limit: usize,
    ) -> Result<Vec<Message>, TwilioError> {
        // Whoever looks for an old message reads over newer ones, in as few pages as may be.
        let page_size = if before.is_some() { MAX_PAGE_SIZE } else { limit.clamp(1, MAX_PAGE_SIZE) };
        let path = ["Conversations", conversation.as_str(), "Messages"];
        let call = self.get_in_conversations("list_conversation_message", &path);
        let mut pages = Pages::new(call.with("Order", "desc").with("PageSize", page_size.to_string()), "messages");
        let (mut found, mut below) = (Vec::new(), before);
        for _ in 0..MAX_PAGES {
            if found.len() >= limit {
                break;
            }
            let Some(page) = pages.next::<Message>(self).await? else { break };
            for message in page {
                // A message that is written meanwhile may shift the pages: none is taken twice.
                if found.len() < limit && below.is_none_or(|below| message.index < below) {
                    below = Some(message.index);
                    found.push(message);
                }
            }
        }
        found.reverse();
        Ok(found)
    }

    /// Writes a message for an agent: a text, a file, or both. It bears the send's id, by which it is found again
    /// (<https://www.twilio.com/docs/conversations/api/conversation-message-resource#create-a-conversationmessage-resource>).
    ///
    /// # Errors
    /// [`TwilioError`]; one that [may have happened](TwilioError::may_have_happened) is looked for among the latest messages
    /// before it is written again. [`RejectedByWebhook`](crate::twilio::Refusal::RejectedByWebhook) is the account's own no.
    pub async fn send_message(
        &self,
        conversation: &ConversationSid,
        author: &ChatIdentity,
        body: Option<&str>,
        media: Option<&MediaSid>,
        id: SendId,
    ) -> Result<Message, TwilioError> {
        let call = self
            .post_for_agent("create_conversation_message", &["Conversations", conversation.as_str(), "Messages"])
            .with("Author", author.as_str())
            .with("Attributes", Attributes::of(id))
            .with_some("Body", body)
            .with_some("MediaSid", media.map(MediaSid::as_str));
        self.send(call).await
    }
}
