//! What goes over the WebSocket: one JSON object a text frame, either way.

use actix_web::web::Bytes;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::super::{
    Api,
    shape::{Task, rfc3339},
};
use crate::{
    actors::ask::{CallView, Change, Event, HowClosed, Said, Stage, View},
    domain::{ConversationSid, MessageSid, ReservationSid, RingTarget, SessionId, Timestamp},
};

/// What the server sends. Of a type that it does not know a client takes no notice.
#[derive(Serialize, ToSchema)]
#[serde(tag = "type")]
pub(in crate::http::api) enum Frame {
    /// Everything, as it is after the event `seq`: the first frame, unless the events behind `after` are still known.
    #[serde(rename = "snapshot")]
    Snapshot {
        seq: u64,
        #[serde(flatten)]
        picture: Picture,
    },
    /// A task is on offer.
    #[serde(rename = "task.offered")]
    TaskOffered { seq: u64, task: Task },
    /// A task is different, or there without having been on offer. It takes the place of what was known of it.
    #[serde(rename = "task.updated")]
    TaskUpdated { seq: u64, task: Task },
    /// A task is not the agent's any more; it looks as it did last. `why`: `completed`, `declined`, `missed` or `gone`.
    #[serde(rename = "task.closed")]
    TaskClosed {
        seq: u64,
        task: Task,
        #[schema(value_type = String)]
        why: HowClosed,
    },
    /// Somebody has written, perhaps the agent, here or elsewhere.
    #[serde(rename = "message")]
    Message {
        seq: u64,
        #[schema(value_type = String)]
        conversation: ConversationSid,
        #[schema(value_type = String)]
        task: ReservationSid,
        message: Message,
    },
    /// So many messages wait to be read in a conversation, and in all.
    #[serde(rename = "unread")]
    Unread {
        seq: u64,
        #[schema(value_type = String)]
        conversation: ConversationSid,
        unread: u32,
        total: u32,
    },
    /// The agent's call; null: there is none any more.
    #[serde(rename = "call")]
    Call { seq: u64, call: Option<Call> },
    /// The activity as TaskRouter has it. `changing`: another is being set.
    #[serde(rename = "activity")]
    Activity { seq: u64, activity: Option<String>, changing: bool },
    /// Another device has taken over, and the connection is closed. Told to the session that it concerns; it is no event of the
    /// agent's and bears the number of the one before it.
    #[serde(rename = "session.superseded")]
    SessionSuperseded {
        seq: u64,
        #[schema(value_type = String)]
        session: SessionId,
    },
}

/// How things stand with an agent.
#[derive(Serialize, ToSchema)]
pub(in crate::http::api) struct Picture {
    /// None: not known yet.
    #[schema(example = "Available on Mobile")]
    activity: Option<String>,
    /// Another activity is being set.
    changing: bool,
    /// Activities that may be chosen.
    choices: Vec<String>,
    /// Messages that wait to be read, in all conversations.
    unread: u32,
    tasks: Vec<Task>,
    call: Option<Call>,
}

/// The call that rings or talks, or the last one that settles.
#[derive(Serialize, ToSchema)]
pub(in crate::http::api) struct Call {
    #[schema(example = "00000000000000a1-7")]
    id: String,
    /// The reservation that it is for.
    #[schema(value_type = String)]
    task: ReservationSid,
    /// `connecting`, `ringing`, `talking`, `settling` or `over`.
    #[schema(value_type = String, example = "ringing")]
    stage: Stage,
    /// Where it rings, or rang last: `sip` or `pstn`.
    #[schema(value_type = String, example = "sip")]
    target: RingTarget,
}

/// A message as an event tells it; where its files are is told by the conversation's messages.
#[derive(Serialize, ToSchema)]
pub(in crate::http::api) struct Message {
    #[schema(value_type = String)]
    sid: MessageSid,
    index: u64,
    author: String,
    /// Written by the agent.
    mine: bool,
    body: String,
    /// How many files it has.
    files: u32,
    at: String,
}

/// What a client sends.
#[derive(Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(tag = "type", rename_all = "lowercase")]
pub(in crate::http::api) enum FromClient {
    /// This conversation is in front of the agent, or none is: what comes in it meanwhile is read, here and at Twilio.
    Open {
        #[schema(value_type = Option<String>, example = "CH0123456789abcdef0123456789abcdef")]
        conversation: Option<ConversationSid>,
    },
    /// Whatever a later version adds.
    #[serde(other)]
    Other,
}

impl Picture {
    pub(super) fn new(view: View, api: &Api, now: Timestamp) -> Self {
        Self {
            activity: view.activity,
            changing: view.is_changing_activity,
            choices: api.activities.choices.clone(),
            unread: view.unread,
            tasks: view.tasks.into_iter().map(|task| Task::new(task, now)).collect(),
            call: view.call.map(Call::new),
        }
    }
}

impl Call {
    fn new(CallView { id, task, stage, target }: CallView) -> Self {
        Self { id: id.to_string(), task, stage, target }
    }
}

impl Message {
    fn new(said: &Said) -> Self {
        let line = &said.line;
        Self {
            sid: line.message.clone(),
            index: line.index,
            author: line.author.clone(),
            mine: said.mine,
            body: line.text.clone(),
            files: line.files,
            at: rfc3339(line.at),
        }
    }
}

impl Frame {
    pub(super) fn of(event: &Event) -> Self {
        let seq = event.seq;
        let task = |task: &crate::actors::ask::TaskView| Task::new(task.clone(), event.at);
        match &event.change {
            Change::TaskOffered(view) => Self::TaskOffered { seq, task: task(view) },
            Change::TaskUpdated(view) => Self::TaskUpdated { seq, task: task(view) },
            Change::TaskClosed(view, why) => Self::TaskClosed { seq, task: task(view), why: *why },
            Change::Message(said) => Self::Message {
                seq,
                conversation: said.conversation.clone(),
                task: said.task.clone(),
                message: Message::new(said),
            },
            Change::Unread { conversation, unread, total } => {
                Self::Unread { seq, conversation: conversation.clone(), unread: *unread, total: *total }
            }
            Change::Call(call) => Self::Call { seq, call: call.clone().map(Call::new) },
            Change::Activity { name, changing } => Self::Activity { seq, activity: name.clone(), changing: *changing },
        }
    }

    /// A struct of texts and numbers is always JSON.
    pub(super) fn json(&self) -> Bytes {
        serde_json::to_vec(self).unwrap_or_default().into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_client_says_is_understood_or_passed_over_or_nonsense() {
        let open = |conversation: Option<&str>| FromClient::Open {
            conversation: conversation.map(|sid| sid.parse().unwrap()),
        };
        let sid = "CH0123456789abcdef0123456789abcdef";
        let of = |text: &str| serde_json::from_str::<FromClient>(text).ok();
        assert_eq!(of(&format!(r#"{{"type":"open","conversation":"{sid}"}}"#)), Some(open(Some(sid))));
        assert_eq!(of(r#"{"type":"open","conversation":null}"#), Some(open(None)));
        assert_eq!(of(r#"{"type":"typing","where":1}"#), Some(FromClient::Other));
        for nonsense in ["", "7", "[]", "{}", "null", r#"{"type":7}"#, r#"{"type":"open","conversation":"WR1"}"#, "{"] {
            assert_eq!(of(nonsense), None, "{nonsense}");
        }
    }
}
