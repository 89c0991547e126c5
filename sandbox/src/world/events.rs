//! TaskRouter's events: what the workspace's event callback gets and the Events resource lists
//! (<https://www.twilio.com/docs/taskrouter/api/event/reference>).

use super::{EVENTS_KEPT, World, sid::Sid};
use crate::{
    deliver::{Manner, Webhook},
    world::model::Reservation,
};

pub(crate) type Params = Vec<(String, String)>;

/// One event, as it is kept for the Events resource.
#[derive(Clone, Debug)]
pub(crate) struct Event {
    pub(crate) sid: Sid,
    pub(crate) kind: String,
    pub(crate) description: String,
    pub(crate) at: u64,
    pub(crate) resource_type: &'static str,
    pub(crate) resource: Sid,
    /// What tells this event from others, as it is in the webhook; `event_data` has it in snake case.
    pub(crate) fields: Params,
}

impl Event {
    pub(crate) fn field(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

pub(super) fn pair(name: &str, value: impl ToString) -> (String, String) {
    (name.to_owned(), value.to_string())
}

impl World {
    /// Records an event and sends it to the workspace's event callback, if that wants it.
    pub(super) fn emit(&mut self, kind: &str, resource_type: &'static str, resource: &Sid, fields: Params) {
        let event = Event {
            sid: self.make_sid("EV"),
            kind: kind.to_owned(),
            description: describe(kind),
            at: self.now,
            resource_type,
            resource: resource.clone(),
            fields,
        };
        if let Some(url) = self.event_callback.clone().filter(|_| self.filter_lets(kind)) {
            let params = self.webhook_params(&event);
            self.send(url, params, Manner::Callback);
        }
        self.stream_taskrouter(&event);
        if self.events.len() == EVENTS_KEPT {
            self.events.pop_front();
        }
        self.events.push_back(event);
    }

    /// Queues a webhook with a token of its own.
    pub(super) fn send(&mut self, url: String, params: Params, manner: Manner) {
        let token = self.make_sid("").to_string();
        self.webhooks.push(Webhook { url, params, manner, token });
    }

    fn filter_lets(&self, kind: &str) -> bool {
        self.events_filter.as_deref().is_none_or(|filter| filter.split(',').any(|wanted| wanted.trim() == kind))
    }

    fn webhook_params(&self, event: &Event) -> Params {
        let mut params = vec![
            pair("Sid", &event.sid),
            pair("EventType", &event.kind),
            pair("EventDescription", &event.description),
            pair("AccountSid", &self.fixed.account),
            pair("WorkspaceSid", &self.fixed.workspace),
            pair("WorkspaceName", WORKSPACE_NAME),
            pair("ResourceType", event.resource_type),
            pair("ResourceSid", &event.resource),
            pair("Timestamp", event.at / 1000),
            pair("TimestampMs", event.at),
        ];
        params.extend(event.fields.iter().cloned());
        params
    }

    pub(super) fn emit_task(&mut self, kind: &str, sid: &Sid) {
        let fields = self.task_fields(sid);
        self.emit(kind, "task", sid, fields);
    }

    pub(super) fn emit_reservation(&mut self, kind: &str, sid: &Sid) {
        let Some(reservation) = self.reservations.get(sid) else { return };
        let mut fields = reservation_fields(reservation);
        fields.extend(self.task_fields(&reservation.task));
        fields.extend(self.worker_fields(&reservation.worker));
        self.emit(kind, "reservation", sid, fields);
    }

    fn task_fields(&self, sid: &Sid) -> Params {
        let Some(task) = self.tasks.get(sid) else { return Vec::new() };
        let mut fields = vec![
            pair("TaskSid", &task.sid),
            pair("TaskAttributes", &task.attributes),
            pair("TaskAge", self.now.saturating_sub(task.created) / 1000),
            pair("TaskPriority", task.priority),
            pair("TaskAssignmentStatus", task.status),
            pair("TaskVersion", task.version),
            pair("TaskDateCreated", task.created / 1000),
            pair("TaskQueueEnteredDate", task.queued / 1000),
            pair("TaskVirtualStartTime", task.created / 1000),
            pair("TaskIgnoreCapacity", task.ignore_capacity),
            pair("TaskChannelSid", super::routing::channel_sid(&task.channel)),
            pair("TaskChannelUniqueName", &task.channel),
            pair("TaskQueueSid", &self.fixed.queue),
            pair("TaskQueueName", QUEUE_NAME),
            pair("TaskQueueTargetExpression", "1==1"),
            pair("WorkflowSid", &self.fixed.workflow),
            pair("WorkflowName", WORKFLOW_NAME),
        ];
        match (task.status, &task.reason) {
            (super::words::TaskStatus::Canceled, Some(reason)) => fields.push(pair("TaskCanceledReason", reason)),
            (super::words::TaskStatus::Completed, Some(reason)) => fields.push(pair("TaskCompletedReason", reason)),
            _ => {}
        }
        fields
    }

    pub(super) fn worker_fields(&self, sid: &Sid) -> Params {
        let Some(worker) = self.workers.get(sid) else { return Vec::new() };
        vec![
            pair("WorkerSid", &worker.sid),
            pair("WorkerName", &worker.name),
            pair("WorkerAttributes", &worker.attributes),
            pair("WorkerActivitySid", &worker.activity),
            pair("WorkerActivityName", self.activity_name(&worker.activity)),
            pair("WorkerVersion", worker.version),
        ]
    }
}

pub(crate) const WORKSPACE_NAME: &str = "Flex Task Assignment";
pub(crate) const WORKFLOW_NAME: &str = "Assign to Anyone";
pub(crate) const QUEUE_NAME: &str = "Everyone";

fn reservation_fields(reservation: &Reservation) -> Params {
    vec![pair("ReservationSid", &reservation.sid), pair("ReservationVersion", reservation.version)]
}

fn describe(kind: &str) -> String {
    let mut words = kind.replace(['.', '-'], " ");
    if let Some(first) = words.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    words
}
