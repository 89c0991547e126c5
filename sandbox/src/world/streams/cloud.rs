//! What happens, as CloudEvents (<https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/spec.md>), and the batches that
//! they are sent in. The data is that of the webhooks, in Event Streams' own names and types
//! (<https://www.twilio.com/docs/events/event-types>).

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::{CONVERSATIONS, TASKROUTER};
use crate::{
    deliver::{Manner, Webhook},
    rest::{date::iso8601_ms, snake_case},
    world::{
        World,
        events::{Event, Params, WORKSPACE_NAME, pair},
        sid::Sid,
    },
};

/// Events in one request, at most.
const BATCH: usize = 50;
/// The conversation's events that Event Streams has too: the webhook's name, what stands behind `com.twilio.conversations.`,
/// and the schema.
pub(super) const CONVERSATION_EVENTS: [(&str, &str, &str); 7] = [
    ("onConversationAdded", "conversation.added", "ConversationAdded"),
    ("onConversationUpdated", "conversation.updated", "ConversationUpdated"),
    ("onConversationStateUpdated", "conversation-state.updated", "ConversationStateUpdated"),
    ("onMessageAdded", "message.added", "MessageAdded"),
    ("onParticipantAdded", "participant.added", "ParticipantAdded"),
    ("onParticipantUpdated", "participant.updated", "ParticipantUpdated"),
    ("onParticipantRemoved", "participant.removed", "ParticipantRemoved"),
];

impl World {
    pub(in crate::world) fn stream_taskrouter(&mut self, event: &Event) {
        let name = format!("{TASKROUTER}{}", event.kind);
        if !self.is_subscribed(&name) {
            return;
        }
        let at = iso8601_ms(event.at);
        let account = &self.fixed.account;
        let mut payload = Map::new();
        payload.extend(event.fields.iter().map(|(name, value)| (snake_case(name), payload_value(name, value))));
        for (name, value) in [
            ("sid", json!(event.sid)),
            ("eventtype", json!(event.kind)),
            ("account_sid", json!(account)),
            ("workspace_sid", json!(self.fixed.workspace)),
            ("workspace_name", json!(WORKSPACE_NAME)),
            ("timestamp", json!(at)),
        ] {
            payload.insert(name.to_owned(), value);
        }
        let data = json!({
            "sid": event.sid, "name": event.kind, "account_sid": account, "timestamp": at, "level": "INFO",
            "group": event.resource_type, "product_name": "TaskRouter", "publisher": WORKSPACE_NAME,
            "payload_type": "application/json", "payload": payload,
        });
        let source = format!("/v1/Workspaces/{}/Events/{}", self.fixed.workspace, event.sid);
        self.stream(&name, &source, "TaskRouter.WDSEvent", data);
    }

    /// `params` are those of the webhook.
    pub(in crate::world) fn stream_conversation(&mut self, event: &str, params: &Params) {
        let Some((_, kind, schema)) = CONVERSATION_EVENTS.iter().find(|(name, _, _)| *name == event) else { return };
        let name = format!("{CONVERSATIONS}{kind}");
        if !self.is_subscribed(&name) {
            return;
        }
        let conversation = params.iter().find(|(name, _)| name == "ConversationSid").map(|(_, sid)| sid.as_str());
        let source = format!("/v1/Conversations/{}", conversation.unwrap_or_default());
        self.stream(&name, &source, &format!("Conversations.{schema}"), conversation_data(params));
    }

    fn is_subscribed(&self, name: &str) -> bool {
        self.subscriptions.iter().any(|row| row.types.iter().any(|kind| kind.name == name))
    }

    /// Puts an event into the next batch of every sink that wants it.
    fn stream(&mut self, name: &str, source: &str, schema: &str, data: Value) {
        let mut wanted: BTreeMap<Sid, u64> = BTreeMap::new();
        for row in self.subscriptions.iter() {
            if let Some(kind) = row.types.iter().find(|kind| kind.name == name) {
                wanted.entry(row.sink.clone()).or_insert(kind.schema_version);
            }
        }
        let id = self.make_sid("EZ");
        for (sink, version) in wanted {
            let event = json!({
                "specversion": "1.0",
                "type": name,
                "source": source,
                "id": id,
                "dataschema": format!("https://events-schemas.twilio.com/{schema}/{version}"),
                "datacontenttype": "application/json",
                "time": iso8601_ms(self.now),
                "data": data,
            });
            self.streamed.push((sink, event));
        }
    }

    /// What has arisen since the last call, as requests: one a sink, or more if there is much.
    pub(in crate::world) fn take_batches(&mut self) -> Vec<Webhook> {
        let mut batches: Vec<(Sid, Vec<Value>)> = Vec::new();
        for (sink, event) in std::mem::take(&mut self.streamed) {
            match batches.iter_mut().find(|(known, events)| *known == sink && events.len() < BATCH) {
                Some((_, events)) => events.push(event),
                None => batches.push((sink, vec![event])),
            }
        }
        batches.into_iter().filter_map(|(sink, events)| self.batch(&sink, events)).collect()
    }

    fn batch(&mut self, sink: &Sid, events: Vec<Value>) -> Option<Webhook> {
        let url = self.sinks.get(sink)?.destination.clone();
        let kinds: Vec<_> = events.iter().filter_map(|event| event["type"].as_str()).collect();
        let params = vec![pair("EventType", kinds.join(" ")), pair("Events", Value::from(events.clone()))];
        let token = self.make_sid("").to_string();
        Some(Webhook { url, params, manner: Manner::Stream(Value::from(events).to_string()), token })
    }
}

/// Counts, versions and seconds are numbers, and moments are written out.
fn payload_value(name: &str, value: &str) -> Value {
    let ends = |ends: &[&str]| ends.iter().any(|end| name.ends_with(end));
    match value.parse::<u64>() {
        Ok(seconds) if ends(&["EnteredDate", "DateCreated", "StartTime"]) => {
            json!(iso8601_ms(seconds.saturating_mul(1000)))
        }
        Ok(number) if ends(&["Age", "Priority", "Version", "InPreviousActivity", "Ms"]) => json!(number),
        _ => json!(value),
    }
}

/// What the webhook says in a flat form, with Event Streams' own names for some of it.
fn conversation_data(params: &Params) -> Value {
    let mut data = Map::new();
    let mut binding = Map::new();
    for (name, value) in params {
        match name.as_str() {
            "EventType" | "Source" | "ClientIdentity" | "ChatServiceSid" => {}
            "Body" => drop(data.insert("MessageBody".to_owned(), json!(value))),
            "Index" | "LastReadMessageIndex" => drop(data.insert(name.clone(), json!(value.parse::<u64>().ok()))),
            "Attributes" => drop(data.insert(name.clone(), serde_json::from_str(value).unwrap_or(json!({})))),
            "Media" => drop(data.insert(name.clone(), media(value))),
            _ => match name.strip_prefix("MessagingBinding.") {
                Some(part) => drop(binding.insert(part.to_owned(), json!(value))),
                None => drop(data.insert(name.clone(), json!(value))),
            },
        }
    }
    if !binding.is_empty() {
        data.insert("MessagingBinding".to_owned(), binding.into());
    }
    data.into()
}

fn media(list: &str) -> Value {
    let mut files: Vec<Map<String, Value>> = serde_json::from_str(list).unwrap_or_default();
    for file in &mut files {
        if let Some(sid) = file.remove("Sid") {
            file.insert("MediaSid".to_owned(), sid);
        }
    }
    json!(files)
}
