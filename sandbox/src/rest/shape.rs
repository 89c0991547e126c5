//! TaskRouter's resources as JSON, as its OpenAPI document has them.

use serde_json::{Map, Value, json};

use super::{date::iso8601, request::Request};
use crate::world::{QUEUE_NAME, WORKFLOW_NAME, WORKSPACE_NAME, World, channel_sid, sid::Sid};

/// Shapes rows; links begin with the request's own base.
pub(super) struct Shape<'a> {
    world: &'a World,
    root: String,
}

impl<'a> Shape<'a> {
    pub(super) fn new(world: &'a World, request: &Request) -> Self {
        Self { world, root: format!("{}/v1/Workspaces/{}", request.base, world.fixed.workspace) }
    }

    pub(super) fn workspace(&self) -> Value {
        let (world, root) = (self.world, &self.root);
        let timeout = &world.fixed.timeout_activity;
        json!({
            "sid": world.fixed.workspace,
            "account_sid": world.fixed.account,
            "friendly_name": WORKSPACE_NAME,
            "date_created": iso8601(world.born),
            "date_updated": iso8601(world.born),
            "default_activity_sid": timeout,
            "default_activity_name": world.activity_name(timeout),
            "timeout_activity_sid": timeout,
            "timeout_activity_name": world.activity_name(timeout),
            "event_callback_url": world.event_callback,
            "events_filter": world.events_filter,
            "multi_task_enabled": true,
            "prioritize_queue_order": "FIFO",
            "url": root,
            "links": links(root, &["activities", "events", "task_queues", "tasks", "workers", "workflows"]),
        })
    }

    pub(super) fn activity(&self, sid: &Sid) -> Option<Value> {
        let row = self.world.activities.get(sid)?;
        Some(json!({
            "sid": row.sid,
            "account_sid": self.world.fixed.account,
            "workspace_sid": self.world.fixed.workspace,
            "friendly_name": row.name,
            "available": row.available,
            "date_created": iso8601(row.created),
            "date_updated": iso8601(row.created),
            "url": format!("{}/Activities/{sid}", self.root),
            "links": { "workspace": self.root },
        }))
    }

    /// A worker in a list: the attributes are shown only where one worker is asked for
    /// (<https://www.twilio.com/docs/taskrouter/api/worker#worker-properties>).
    pub(super) fn listed_worker(&self, sid: &Sid) -> Option<Value> {
        let mut worker = self.worker(sid)?;
        worker["attributes"] = Value::Null;
        Some(worker)
    }

    pub(super) fn worker(&self, sid: &Sid) -> Option<Value> {
        let row = self.world.workers.get(sid)?;
        let url = format!("{}/Workers/{sid}", self.root);
        Some(json!({
            "sid": row.sid,
            "account_sid": self.world.fixed.account,
            "workspace_sid": self.world.fixed.workspace,
            "friendly_name": row.name,
            "attributes": row.attributes,
            "activity_sid": row.activity,
            "activity_name": self.world.activity_name(&row.activity),
            "available": self.world.activities.get(&row.activity).is_some_and(|activity| activity.available),
            "date_created": iso8601(row.created),
            "date_updated": iso8601(row.updated),
            "date_status_changed": iso8601(row.activity_since),
            "links": {
                "activity": format!("{}/Activities/{}", self.root, row.activity),
                "channels": format!("{url}/Channels"),
                "reservations": format!("{url}/Reservations"),
                "workspace": self.root,
            },
            "url": url,
        }))
    }

    pub(super) fn task(&self, sid: &Sid) -> Option<Value> {
        let row = self.world.tasks.get(sid)?;
        let url = format!("{}/Tasks/{sid}", self.root);
        Some(json!({
            "sid": row.sid,
            "account_sid": self.world.fixed.account,
            "workspace_sid": self.world.fixed.workspace,
            "age": self.world.now.saturating_sub(row.created) / 1000,
            "assignment_status": row.status,
            "attributes": row.attributes,
            "addons": "{}",
            "date_created": iso8601(row.created),
            "date_updated": iso8601(row.updated),
            "task_queue_entered_date": iso8601(row.queued),
            "virtual_start_time": iso8601(row.created),
            "priority": row.priority,
            "reason": row.reason,
            "task_queue_sid": self.world.fixed.queue,
            "task_queue_friendly_name": QUEUE_NAME,
            "task_channel_sid": channel_sid(&row.channel),
            "task_channel_unique_name": row.channel,
            "timeout": row.timeout_s,
            "workflow_sid": self.world.fixed.workflow,
            "workflow_friendly_name": WORKFLOW_NAME,
            "ignore_capacity": row.ignore_capacity,
            "routing_target": row.routing_target,
            "links": {
                "reservations": format!("{url}/Reservations"),
                "task_queue": format!("{}/TaskQueues/{}", self.root, self.world.fixed.queue),
                "workflow": format!("{}/Workflows/{}", self.root, self.world.fixed.workflow),
                "workspace": self.root,
            },
            "url": url,
        }))
    }

    /// `under_task`: as the task's reservation, else as the worker's. They differ in their URL alone.
    pub(super) fn reservation(&self, sid: &Sid, under_task: bool) -> Option<Value> {
        let row = self.world.reservations.get(sid)?;
        let task = format!("{}/Tasks/{}", self.root, row.task);
        let worker = format!("{}/Workers/{}", self.root, row.worker);
        let owner = if under_task { &task } else { &worker };
        Some(json!({
            "sid": row.sid,
            "account_sid": self.world.fixed.account,
            "workspace_sid": self.world.fixed.workspace,
            "task_sid": row.task,
            "worker_sid": row.worker,
            "worker_name": self.world.workers.get(&row.worker).map(|worker| &worker.name),
            "reservation_status": row.status,
            "date_created": iso8601(row.created),
            "date_updated": iso8601(row.updated),
            "url": format!("{owner}/Reservations/{sid}"),
            "links": { "task": task, "worker": worker, "workspace": self.root },
        }))
    }

    pub(super) fn workflow(&self, sid: &Sid) -> Option<Value> {
        let fixed = &self.world.fixed;
        if *sid != fixed.workflow {
            return None;
        }
        let url = format!("{}/Workflows/{sid}", self.root);
        let configuration = json!({ "task_routing": { "filters": [], "default_filter": { "queue": fixed.queue } } });
        Some(json!({
            "sid": sid,
            "account_sid": fixed.account,
            "workspace_sid": fixed.workspace,
            "friendly_name": WORKFLOW_NAME,
            "assignment_callback_url": null,
            "fallback_assignment_callback_url": null,
            "configuration": configuration.to_string(),
            "document_content_type": "application/json",
            "task_reservation_timeout": self.world.rules.reservation_timeout_s,
            "date_created": iso8601(self.world.born),
            "date_updated": iso8601(self.world.born),
            "links": {
                "statistics": format!("{url}/Statistics"),
                "real_time_statistics": format!("{url}/RealTimeStatistics"),
                "cumulative_statistics": format!("{url}/CumulativeStatistics"),
            },
            "url": url,
        }))
    }

    pub(super) fn event(&self, sid: &Sid) -> Option<Value> {
        let event = self.world.events.iter().rfind(|event| event.sid == *sid)?;
        let fixed = &self.world.fixed;
        let mut data: Map<String, Value> =
            event.fields.iter().map(|(name, value)| (snake_case(name), Value::from(value.as_str()))).collect();
        data.insert("workspace_sid".to_owned(), json!(fixed.workspace));
        data.insert("workspace_name".to_owned(), json!(WORKSPACE_NAME));
        Some(json!({
            "sid": event.sid,
            "account_sid": fixed.account,
            "workspace_sid": fixed.workspace,
            "actor_sid": fixed.workspace,
            "actor_type": "workspace",
            "actor_url": self.root,
            "description": event.description,
            "event_data": data,
            "event_date": iso8601(event.at),
            "event_date_ms": event.at,
            "event_type": event.kind,
            "resource_sid": event.resource,
            "resource_type": event.resource_type,
            "resource_url": format!("{}/{}/{}", self.root, collection(event.resource_type), event.resource),
            "source": "twilio",
            "source_ip_address": null,
            "url": format!("{}/Events/{}", self.root, event.sid),
        }))
    }
}

fn links(root: &str, names: &[&str]) -> Value {
    let path = |name: &str| name.split('_').map(capitalised).collect::<String>();
    names
        .iter()
        .map(|name| ((*name).to_owned(), Value::from(format!("{root}/{}", path(name)))))
        .collect::<Map<_, _>>()
        .into()
}

fn capitalised(word: &str) -> String {
    let mut word = word.to_owned();
    if let Some(first) = word.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    word
}

fn collection(resource_type: &str) -> String {
    if resource_type == "activity" { "Activities".to_owned() } else { format!("{}s", capitalised(resource_type)) }
}

pub(crate) fn snake_case(name: &str) -> String {
    let mut snake = String::with_capacity(name.len() + 8);
    for (place, letter) in name.char_indices() {
        if letter.is_ascii_uppercase() && place > 0 {
            snake.push('_');
        }
        snake.push(letter.to_ascii_lowercase());
    }
    snake
}
