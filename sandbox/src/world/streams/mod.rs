//! Event Streams: batches of CloudEvents for whoever has subscribed
//! (<https://www.twilio.com/docs/events>).

mod cloud;

use super::{Done, World, sid::Sid, table::Table};
use crate::rest::error::Refusal;

/// Sinks, and subscriptions, that an account may have.
const MAX_SINKS: usize = 100;
/// Types that one subscription may have.
const MAX_TYPES: usize = 500;
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
    /// Twilio has given it up.
    pub(crate) failed: bool,
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
        self.sinks = Table::default();
        self.subscriptions = Table::default();
        let taskrouter = TASKROUTER_EVENTS.iter().map(|name| format!("{TASKROUTER}{name}"));
        let conversations = cloud::CONVERSATION_EVENTS.iter().map(|(_, name, _)| format!("{CONVERSATIONS}{name}"));
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
            failed: false,
            created: self.now,
        });
        Ok(sid)
    }

    /// Twilio gives all sinks up, as it does with those that answer nothing for long.
    pub(crate) fn fail_sinks(&mut self) {
        let sids: Vec<_> = self.sinks.iter().map(|row| row.sid.clone()).collect();
        for sid in sids {
            if let Some(row) = self.sinks.get_mut(&sid) {
                row.failed = true;
            }
        }
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
        if types.is_empty() || types.len() > MAX_TYPES || !types.iter().all(EventType::exists) {
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
        if !kind.exists() || row.types.len() >= MAX_TYPES {
            return Err(Refusal::invalid("Invalid Type: there is no such event type"));
        }
        if row.types.iter().all(|known| known.name != kind.name) {
            row.types.push(kind);
        }
        Ok(())
    }
}
