//! TaskRouter's events (<https://www.twilio.com/docs/taskrouter/api/event/reference>).

use serde_json::{Map, Value};

use super::{Ours, ParseError, Parsed, fields::Fields};
use crate::domain::{Event, ReservationEvent, ReservationEventKind, TaskFacts, WorkerEvent, WorkerEventKind};

pub(super) const CLOUD_EVENT_PREFIX: &str = "com.twilio.taskrouter.";

/// `event_type` is what follows [`CLOUD_EVENT_PREFIX`].
pub(super) fn parse_cloud_event(
    event: &Map<String, Value>,
    event_type: &str,
    ours: &Ours,
) -> Result<Parsed, ParseError> {
    parse(&Fields::of_cloud_event(event, event_type), ours)
}

pub(super) fn parse(fields: &Fields<'_>, ours: &Ours) -> Result<Parsed, ParseError> {
    fields.check(ours)?;
    let event_type = fields.get("eventtype").ok_or(ParseError::Malformed { field: "EventType" })?;
    if let Some(kind) = reservation_kind(&event_type) {
        reservation(fields, kind).map(Event::Reservation).map(Parsed::event)
    } else if let Some(kind) = worker_kind(&event_type) {
        worker(fields, kind).map(Event::Worker).map(Parsed::event)
    } else {
        Ok(Parsed::Ignored { kind: family(&event_type) })
    }
}

fn reservation(fields: &Fields<'_>, kind: ReservationEventKind) -> Result<ReservationEvent, ParseError> {
    Ok(ReservationEvent {
        sid: fields.require("sid", "Sid")?,
        kind,
        reservation: fields.require("reservationsid", "ReservationSid")?,
        version: fields.optional("reservationversion", "ReservationVersion")?,
        at: fields.at()?,
        worker: fields.require("workersid", "WorkerSid")?,
        worker_name: fields.text("workername"),
        activity: fields.get("workeractivityname").map(Into::into),
        task: TaskFacts {
            sid: fields.require("tasksid", "TaskSid")?,
            channel: fields.text("taskchanneluniquename"),
            workflow: fields.optional("workflowsid", "WorkflowSid")?,
            attributes: fields.get("taskattributes").map_or_else(|| "{}".to_owned(), Into::into),
        },
    })
}

fn worker(fields: &Fields<'_>, kind: WorkerEventKind) -> Result<WorkerEvent, ParseError> {
    Ok(WorkerEvent {
        sid: fields.require("sid", "Sid")?,
        kind,
        worker: fields.require("workersid", "WorkerSid")?,
        worker_name: fields.text("workername"),
        activity: fields.get("workeractivityname").map(Into::into),
        version: fields.optional("workerversion", "WorkerVersion")?,
        at: fields.at()?,
    })
}

fn reservation_kind(event_type: &str) -> Option<ReservationEventKind> {
    Some(match event_type.strip_prefix("reservation.")? {
        "created" => ReservationEventKind::Created,
        "accepted" => ReservationEventKind::Accepted,
        "rejected" => ReservationEventKind::Rejected,
        "timeout" => ReservationEventKind::Timeout,
        "canceled" => ReservationEventKind::Canceled,
        "rescinded" => ReservationEventKind::Rescinded,
        "completed" => ReservationEventKind::Completed,
        "failed" => ReservationEventKind::Failed,
        "wrapup" => ReservationEventKind::Wrapup,
        _ => return None,
    })
}

fn worker_kind(event_type: &str) -> Option<WorkerEventKind> {
    Some(match event_type.strip_prefix("worker.")? {
        "created" => WorkerEventKind::Created,
        "activity.update" => WorkerEventKind::ActivityUpdated,
        "attributes.update" => WorkerEventKind::AttributesUpdated,
        "deleted" => WorkerEventKind::Deleted,
        _ => return None,
    })
}

/// What an event is about.
fn family(event_type: &str) -> &'static str {
    const FAMILIES: [&str; 8] =
        ["activity", "reservation", "task", "task-channel", "task-queue", "worker", "workflow", "workspace"];
    let about = event_type.split('.').next().unwrap_or_default();
    FAMILIES.into_iter().find(|family| *family == about).unwrap_or("other")
}
