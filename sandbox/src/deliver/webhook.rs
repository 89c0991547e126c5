//! A webhook on its way: what it says, where it goes, and what it stays in order with.

use std::hash::{DefaultHasher, Hash, Hasher};

use crate::{
    log::{FlowDirection, LogEntry},
    signature::without_fragment,
    world::sid::Sid,
};

/// One webhook to send.
#[derive(Clone, Debug)]
pub(crate) struct Webhook {
    /// With the fragment that overrides how it is sent.
    pub(crate) url: String,
    /// The form; of a batch of events, what the log shows.
    pub(crate) params: Vec<(String, String)>,
    pub(crate) manner: Manner,
    /// `I-Twilio-Idempotency-Token`.
    pub(crate) token: String,
}

/// Whose webhook it is: that decides over its body and over what happens when it is not taken.
#[derive(Clone, Debug)]
pub(crate) enum Manner {
    /// Callbacks of TaskRouter and Voice: a form. The URL's fragment may say how it is sent.
    Callback,
    /// Conversations: a form, which is sent once and must be taken within five seconds.
    Conversations,
    /// A call asks for its next document: a form, whose answer the call does.
    Twiml { call: Sid, step: u64 },
    /// Event Streams: this JSON, signed by its hash, until it is taken.
    Stream(String),
}

impl Webhook {
    pub(crate) fn log_entry(&self, at_ms: u64, status: Option<u16>, answer: &str, note: Option<&str>) -> LogEntry {
        let find = |name: &str| self.params.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone());
        let document = matches!(self.manner, Manner::Twiml { .. }).then(|| "twiml".to_owned());
        let name = document
            .or_else(|| find("EventType"))
            .or_else(|| find("StatusCallbackEvent"))
            .or_else(|| find("CallStatus").map(|status| format!("call {status}")))
            .or_else(|| find("RecordingStatus").map(|status| format!("recording {status}")));
        LogEntry {
            id: 0,
            at_ms,
            direction: FlowDirection::Webhook,
            name: name.unwrap_or_default(),
            method: "POST".to_owned(),
            url: self.url.clone(),
            params: self.params.clone(),
            status,
            answer: answer.to_owned(),
            note: note.map(str::to_owned),
            token: Some(self.token.clone()),
        }
    }

    /// What it must stay in order with: all queries of one path are one destination, which may have several lanes; a
    /// conversation's webhooks share one, and so do a task's.
    pub(super) fn lane(&self, lanes: usize) -> (String, u64) {
        let url = without_fragment(&self.url);
        let destination = url.split_once('?').map_or(url, |(path, _)| path).to_owned();
        let subjects = ["ConversationSid", "TaskSid", "FriendlyName", "WorkerSid", "CallSid"];
        let subject = subjects.iter().find_map(|name| self.params.iter().find(|(known, _)| known == name));
        let mut hash = DefaultHasher::new();
        subject.map(|(_, value)| value).hash(&mut hash);
        (destination, hash.finish() % lanes.max(1) as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn about(task: &str, url: &str) -> Webhook {
        let params = vec![("TaskSid".to_owned(), task.to_owned())];
        Webhook { url: url.to_owned(), params, manner: Manner::Callback, token: String::new() }
    }

    #[test]
    fn the_webhooks_of_a_task_stay_in_one_lane_whatever_the_query() {
        let lane = |query: &str| about("WT1", &format!("http://gateway/call{query}")).lane(8);
        assert_eq!(lane("?call=1&leg=1"), lane("?call=1&leg=2#rc=2"));
    }

    #[test]
    fn with_one_lane_all_tasks_share_it() {
        let lane = |task: &str| about(task, "http://gateway/events").lane(1);
        assert_eq!(lane("WT1"), lane("WT2"));
    }

    #[test]
    fn the_webhooks_of_a_conversation_stay_in_one_lane_whoever_they_are_about() {
        let lane = |message: &str| {
            let mut webhook = about(message, "http://gateway/conversations");
            webhook.params.push(("ConversationSid".to_owned(), "CH1".to_owned()));
            webhook.lane(64)
        };
        assert!((0..64).all(|message| lane(&message.to_string()) == lane("WT1")));
    }
}
