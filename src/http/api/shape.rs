//! How things look in JSON.

use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    actors::ask::{LastMessage, Progress, TaskView},
    domain::{
        ChatIdentity, ConversationSid, Customer, Media, MediaSid, MessageSid, ReservationSid, TaskSid, Timestamp,
    },
    twilio::conversations::Message,
};

/// Items of a list, and what to ask for the next ones.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Page<T> {
    pub(super) items: Vec<T>,
    /// None: this is the last page.
    pub(super) next: Option<String>,
}

/// A task of the agent's.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Task {
    /// The reservation: the offer of this task to this agent.
    #[schema(value_type = String)]
    sid: ReservationSid,
    #[schema(value_type = String)]
    task: TaskSid,
    #[schema(value_type = String, example = "pending")]
    status: Progress,
    channel: String,
    #[schema(value_type = CustomerShape)]
    customer: Customer,
    #[schema(value_type = Option<String>)]
    conversation: Option<ConversationSid>,
    unread: u32,
    last_message: Option<Last>,
    /// Seconds since it was offered.
    age: u64,
    /// Until when an offer can be answered.
    expires_at: Option<String>,
    /// The task's attributes, where one task is asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    attributes: Option<serde_json::Value>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Last {
    index: u64,
    mine: bool,
    text: String,
    at: String,
}

impl Task {
    pub(super) fn new(view: TaskView, now: Timestamp) -> Self {
        Self {
            sid: view.reservation,
            task: view.task,
            status: view.progress,
            channel: view.channel,
            customer: view.customer,
            conversation: view.conversation,
            unread: view.unread,
            last_message: view.last.map(Last::new),
            age: now.since(view.created).as_secs(),
            expires_at: view.expires.map(rfc3339),
            attributes: None,
        }
    }

    pub(super) fn with_attributes(self, attributes: serde_json::Value) -> Self {
        Self { attributes: Some(attributes), ..self }
    }
}

impl Last {
    fn new(last: LastMessage) -> Self {
        Self { index: last.index, mine: last.mine, text: last.text.into(), at: rfc3339(last.at) }
    }
}

/// Who writes, as far as it is known.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it shows how a customer looks in JSON")]
pub(super) struct CustomerShape {
    name: Option<String>,
    /// A number or an e-mail address.
    address: Option<String>,
}

/// A message of a conversation.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct WrittenMessage {
    #[schema(value_type = String)]
    sid: MessageSid,
    index: u64,
    author: String,
    /// Written by the agent who asks.
    mine: bool,
    body: String,
    media: Vec<File>,
    at: Option<String>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct File {
    #[schema(value_type = String)]
    sid: MediaSid,
    content_type: String,
    filename: Option<String>,
    size: u64,
    /// Where it can be fetched from for a few minutes; none: Twilio would not say.
    url: Option<String>,
}

impl WrittenMessage {
    /// `link` gives a file's address.
    pub(super) fn new(message: Message, me: &ChatIdentity, link: impl Fn(&MediaSid) -> Option<String>) -> Self {
        let file = |media: Media| File {
            url: link(&media.sid),
            sid: media.sid,
            content_type: media.content_type,
            filename: media.filename,
            size: media.size,
        };
        Self {
            mine: message.author == me.as_str(),
            sid: message.sid,
            index: message.index,
            author: message.author,
            body: message.body,
            media: message.media.into_iter().map(file).collect(),
            at: message.date_created.map(rfc3339),
        }
    }
}

pub(super) fn rfc3339(at: Timestamp) -> String {
    let millis = i64::try_from(at.as_millis()).unwrap_or(i64::MAX);
    jiff::Timestamp::from_millisecond(millis).unwrap_or(jiff::Timestamp::MAX).to_string()
}
