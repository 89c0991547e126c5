//! Event Streams: batches of CloudEvents for whoever has subscribed
//! (<https://www.twilio.com/docs/events>, <https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/spec.md>).

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::{
    Done, World,
    events::{Event, Params, WORKSPACE_NAME, pair},
    sid::Sid,
};
use crate::{
    deliver::{Manner, Webhook},
    rest::{date::iso8601_ms, error::Refusal, snake_case},
};

/// Sinks, and subscriptions, that an account may have.
const MAX_SINKS: usize = 100;
/// Events in one request, at most.
const BATCH: usize = 50;
/// What every subscribed type begins with.
const TASKROUTER: &str = "com.twilio.taskrouter.";
const CONVERSATIONS: &str = "com.twilio.conversations.";

/// Where events go: a webhook, whatever it was called when it was made.
#[derive(Debug)]
pub(crate) struct Sink {
    /// `DG…`
    pub(crate) sid: Sid,
    pub(crate) description: String,
    pub(crate) destination: String,
    pub(crate) created: u64,
}

#[derive(Debug)]
pub(crate) struct Subscription {
    /// `DF…`
    pub(crate) sid: Sid,
    pub(crate) sink: Sid,
    pub(crate) description: String,
    pub(crate) types: Vec<EventType>,
    pub(crate) created: u64,
}

#[derive(Clone, Debug)]
pub(crate) struct EventType {
    /// As in `com.twilio.taskrouter.reservation.created`.
    pub(crate) name: String,
    pub(crate) schema_version: u64,
}

/// The conversation's events that Event Streams has too: the webhook's name, what stands behind `com.twilio.conversations.`,
/// and the schema.
const CONVERSATION_EVENTS: [(&str, &str, &str); 7] = [
    ("onConversationAdded", "conversation.added", "ConversationAdded"),
    ("onConversationUpdated", "conversation.updated", "ConversationUpdated"),
    ("onConversationStateUpdated", "conversation-state.updated", "ConversationStateUpdated"),
    ("onMessageAdded", "message.added", "MessageAdded"),
    ("onParticipantAdded", "participant.added", "ParticipantAdded"),
    ("onParticipantUpdated", "participant.updated", "ParticipantUpdated"),
    ("onParticipantRemoved", "participant.removed", "ParticipantRemoved"),
];

/// TaskRouter's events that come about here.
const TASKROUTER_EVENTS: [&str; 20] = [
    "activity.created",
    "reservation.accepted",
    "reservation.canceled",
    "reservation.completed",
    "reservation.created",
    "reservation.rejected",
    "reservation.rescinded",
    "reservation.timeout",
    "reservation.wrapup",
    "task.canceled",
    "task.completed",
    "task.created",
    "task.updated",
    "task.wrapup",
    "task-queue.entered",
    "worker.activity.update",
    "worker.attributes.update",
    "worker.created",
    "workflow.entered",
    "workflow.target-matched",
];

impl EventType {
    /// Twilio has many more products; of these two the stand-in takes any name, were it never to send it.
    fn exists(&self) -> bool {
        self.name.starts_with(TASKROUTER) || self.name.starts_with(CONVERSATIONS)
    }
}

impl World {
    /// This sink gets everything, and there is no other.
    pub(crate) fn set_event_sink(&mut self, url: &str) {
        self.sinks = super::Table::default();
        self.subscriptions = super::Table::default();
        let taskrouter = TASKROUTER_EVENTS.iter().map(|name| format!("{TASKROUTER}{name}"));
        let conversations = CONVERSATION_EVENTS.iter().map(|(_, name, _)| format!("{CONVERSATIONS}{name}"));
        let types = taskrouter.chain(conversations).map(|name| EventType { name, schema_version: 1 }).collect();
        let added = self.add_sink("everything", url).and_then(|sink| self.add_subscription("everything", &sink, types));
        debug_assert!(added.is_ok(), "there is room for the first sink");
    }

    pub(crate) fn add_sink(&mut self, description: &str, destination: &str) -> Done<Sid> {
        if self.sinks.len() >= MAX_SINKS {
            return Err(Refusal::invalid("There are too many sinks"));
        }
        let sid = self.make_sid("DG");
        self.sinks.add(Sink {
            sid: sid.clone(),
            description: description.to_owned(),
            destination: destination.to_owned(),
            created: self.now,
        });
        Ok(sid)
    }

    /// Its subscriptions go with it.
    pub(crate) fn remove_sink(&mut self, sid: &Sid) -> Done {
        self.sinks.remove(sid).ok_or_else(Refusal::not_found)?;
        let orphans: Vec<_> =
            self.subscriptions.iter().filter(|row| row.sink == *sid).map(|row| row.sid.clone()).collect();
        for subscription in orphans {
            self.subscriptions.remove(&subscription);
        }
        Ok(())
    }

    pub(crate) fn add_subscription(&mut self, description: &str, sink: &Sid, types: Vec<EventType>) -> Done<Sid> {
        if self.sinks.get(sink).is_none() {
            return Err(Refusal::invalid("SinkSid does not exist"));
        }
        if self.subscriptions.len() >= MAX_SINKS {
            return Err(Refusal::invalid("There are too many subscriptions"));
        }
        if types.is_empty() || !types.iter().all(EventType::exists) {
            return Err(Refusal::invalid("Invalid Types: each must be an event type that exists"));
        }
        let sid = self.make_sid("DF");
        self.subscriptions.add(Subscription {
            sid: sid.clone(),
            sink: sink.clone(),
            description: description.to_owned(),
            types,
            created: self.now,
        });
        Ok(sid)
    }

    /// One more type; it may be there already.
    pub(crate) fn subscribe(&mut self, subscription: &Sid, kind: EventType) -> Done {
        let row = self.subscriptions.get_mut(subscription).ok_or_else(Refusal::not_found)?;
        if !kind.exists() {
            return Err(Refusal::invalid("Invalid Type: there is no such event type"));
        }
        if row.types.iter().all(|known| known.name != kind.name) {
            row.types.push(kind);
        }
        Ok(())
    }

    pub(super) fn stream_taskrouter(&mut self, event: &Event) {
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
            ("eventdescription", json!(event.description)),
            ("account_sid", json!(account)),
            ("workspace_sid", json!(self.fixed.workspace)),
            ("workspace_name", json!(WORKSPACE_NAME)),
            ("resourcetype", json!(event.resource_type)),
            ("resourcesid", json!(event.resource)),
            ("timestamp", json!(at)),
            ("timestamp_ms", json!(event.at)),
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
    pub(super) fn stream_conversation(&mut self, event: &str, params: &Params) {
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
    pub(super) fn take_batches(&mut self) -> Vec<Webhook> {
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
