//! TaskRouter v1 (<https://www.twilio.com/docs/taskrouter/api>).

use serde_json::Value;

use super::{
    Reply, check_version,
    date::parse_iso8601,
    error::Refusal,
    list,
    request::{Answer, Request},
    reservations,
    route::Operation,
    shape::Shape,
};
use crate::world::{Event, World, sid::Sid, words::TaskStatus};

/// What the Events resource shows when it is not told how far back to go.
const DEFAULT_EVENT_MINUTES: u64 = 15;

pub(super) fn answer(world: &mut World, request: &Request, operation: Operation, path: &[Sid]) -> Reply {
    if path.first().is_some_and(|workspace| *workspace != world.fixed.workspace) {
        return Err(Refusal::not_found());
    }
    let this = path.get(1);
    match operation {
        Operation::ListWorkspace => list_workspaces(world, request),
        Operation::FetchWorkspace => Ok(Answer::ok(Shape::new(world, request).workspace())),
        Operation::UpdateWorkspace => update_workspace(world, request),
        Operation::ListActivity => list_activities(world, request),
        Operation::CreateActivity => create_activity(world, request),
        Operation::ListWorker => list_workers(world, request),
        Operation::ListTask => list_tasks(world, request),
        Operation::CreateTask => create_task(world, request),
        Operation::ListWorkflow => list_workflows(world, request),
        Operation::ListEvent => list_events(world, request),
        Operation::UpdateWorker => update_worker(world, request, some(this)?),
        Operation::DeleteWorker => delete_worker(world, request, some(this)?),
        Operation::UpdateTask => update_task(world, request, some(this)?),
        Operation::DeleteActivity => world.remove_activity(some(this)?).map(|()| Answer::no_content()),
        Operation::FetchActivity => found(Shape::new(world, request).activity(some(this)?)),
        Operation::FetchWorkflow => found(Shape::new(world, request).workflow(some(this)?)),
        Operation::FetchEvent => found(Shape::new(world, request).event(some(this)?)),
        Operation::FetchWorker => worker(world, request, some(this)?),
        Operation::FetchTask => task(world, request, some(this)?),
        _ => reservations::answer(world, request, operation, some(this)?, path.get(2)),
    }
}

fn some(sid: Option<&Sid>) -> Result<&Sid, Refusal> {
    sid.ok_or_else(Refusal::not_found)
}

fn found(body: Option<Value>) -> Reply {
    body.map(Answer::ok).ok_or_else(Refusal::not_found)
}

fn list_workspaces(world: &World, request: &Request) -> Reply {
    let name = request.query.get("FriendlyName");
    let all = name.is_none_or(|name| name == crate::world::WORKSPACE_NAME).then(|| world.fixed.workspace.clone());
    let shape = Shape::new(world, request);
    Ok(list::v1(request, "workspaces", all.into_iter().collect(), |_| Some(shape.workspace())))
}

fn update_workspace(world: &mut World, request: &Request) -> Reply {
    if let Some(url) = request.form.get("EventCallbackUrl") {
        world.event_callback = Some(url.to_owned()).filter(|url| !url.is_empty());
    }
    if let Some(filter) = request.form.get("EventsFilter") {
        world.events_filter = Some(filter.to_owned()).filter(|filter| !filter.is_empty());
    }
    if let Some(activity) = request.form.text("TimeoutActivitySid").map(Sid::from) {
        world.activities.get(&activity).ok_or_else(|| Refusal::invalid("TimeoutActivitySid does not exist"))?;
        world.fixed.timeout_activity = activity;
    }
    Ok(Answer::ok(Shape::new(world, request).workspace()))
}

fn list_activities(world: &World, request: &Request) -> Reply {
    let name = request.query.get("FriendlyName");
    let available = request.query.flag("Available")?;
    let rows = world.activities.iter().filter(|row| name.is_none_or(|name| row.name == name));
    let all =
        rows.filter(|row| available.is_none_or(|wanted| row.available == wanted)).map(|row| row.sid.clone()).collect();
    let shape = Shape::new(world, request);
    Ok(list::v1(request, "activities", all, |sid| shape.activity(sid)))
}

fn create_activity(world: &mut World, request: &Request) -> Reply {
    let name = request.form.required("FriendlyName")?;
    let available = request.form.flag("Available")?.unwrap_or(false);
    let sid = world.create_activity(&name, available)?;
    Shape::new(world, request).activity(&sid).map(Answer::created).ok_or_else(Refusal::not_found)
}

fn list_workers(world: &World, request: &Request) -> Reply {
    let query = &request.query;
    let available = query.flag("Available")?;
    let rows = world.workers.iter().filter(|row| {
        query.get("FriendlyName").is_none_or(|name| row.name == name)
            && query.get("ActivityName").is_none_or(|name| world.activity_name(&row.activity) == name)
            && query.get("ActivitySid").is_none_or(|sid| row.activity == *sid)
            && available
                .is_none_or(|wanted| world.activities.get(&row.activity).is_some_and(|row| row.available == wanted))
    });
    let all = rows.map(|row| row.sid.clone()).collect();
    let shape = Shape::new(world, request);
    Ok(list::v1(request, "workers", all, |sid| shape.listed_worker(sid)))
}

fn worker(world: &World, request: &Request, sid: &Sid) -> Reply {
    let version = world.workers.get(sid).map(|row| row.version).ok_or_else(Refusal::not_found)?;
    Ok(found(Shape::new(world, request).worker(sid))?.version(version))
}

fn delete_worker(world: &mut World, request: &Request, sid: &Sid) -> Reply {
    let version = world.workers.get(sid).map(|row| row.version).ok_or_else(Refusal::not_found)?;
    check_version(request, version)?;
    world.remove_worker(sid).map(|()| Answer::no_content())
}

fn update_worker(world: &mut World, request: &Request, sid: &Sid) -> Reply {
    let version = world.workers.get(sid).map(|row| row.version).ok_or_else(Refusal::not_found)?;
    check_version(request, version)?;
    let attributes = request.form.json_object("Attributes")?;
    let reject = request.form.flag("RejectPendingReservations")?.unwrap_or(false);
    if let Some(activity) = request.form.text("ActivitySid") {
        world.update_activity(sid, &Sid::from(activity), reject)?;
    }
    if let Some(attributes) = attributes {
        world.update_attributes(sid, &attributes)?;
    }
    worker(world, request, sid)
}

fn list_tasks(world: &World, request: &Request) -> Reply {
    let statuses = request.query.words("AssignmentStatus");
    let rows =
        world.tasks.iter().filter(|row| statuses.is_empty() || statuses.iter().any(|one| one == row.status.as_str()));
    let all = rows.map(|row| row.sid.clone()).collect();
    let shape = Shape::new(world, request);
    Ok(list::v1(request, "tasks", all, |sid| shape.task(sid)))
}

fn create_task(world: &mut World, request: &Request) -> Reply {
    let form = &request.form;
    if form.text("WorkflowSid").is_some_and(|workflow| world.fixed.workflow != *workflow.as_str()) {
        return Err(Refusal::invalid("WorkflowSid does not exist"));
    }
    let routing_target = form.text("RoutingTarget");
    let attributes = form.json_object("Attributes")?.unwrap_or_else(|| "{}".to_owned());
    let new = crate::world::NewTask {
        channel: form.text("TaskChannel").unwrap_or_else(|| "default".to_owned()),
        conversation: named_conversation(world, &attributes),
        interaction: named_channel(world, &attributes),
        attributes,
        priority: i64::try_from(form.number("Priority")?.unwrap_or(0)).unwrap_or(i64::MAX),
        timeout_s: form.number("Timeout")?,
        // Twilio ignores the capacity of a worker who is named, unless it is told not to.
        ignore_capacity: form.flag("IgnoreCapacity")?.unwrap_or(routing_target.is_some()),
        routing_target,
        ..crate::world::NewTask::default()
    };
    let sid = world.create_task(new);
    let version = world.tasks.get(&sid).map_or(0, |row| row.version);
    let body = Shape::new(world, request).task(&sid).ok_or_else(Refusal::not_found)?;
    Ok(Answer::created(body).version(version))
}

/// What a chat's task is about: its attributes name the conversation.
fn named_conversation(world: &World, attributes: &str) -> Option<Sid> {
    world.conversations.get(&named(attributes, "conversationSid")?).map(|row| row.sid.clone())
}

/// The Interaction's channel that a further agent is invited to; a plain chat's task names none.
fn named_channel(world: &World, attributes: &str) -> Option<Sid> {
    world.channels.get(&named(attributes, "flexInteractionChannelSid")?).map(|row| row.sid.clone())
}

fn named(attributes: &str, key: &str) -> Option<Sid> {
    let attributes: Value = serde_json::from_str(attributes).ok()?;
    attributes[key].as_str().map(Sid::from)
}

fn task(world: &World, request: &Request, sid: &Sid) -> Reply {
    let version = world.tasks.get(sid).map(|row| row.version).ok_or_else(Refusal::not_found)?;
    Ok(found(Shape::new(world, request).task(sid))?.version(version))
}

fn update_task(world: &mut World, request: &Request, sid: &Sid) -> Reply {
    let version = world.tasks.get(sid).map(|row| row.version).ok_or_else(Refusal::not_found)?;
    check_version(request, version)?;
    let attributes = request.form.json_object("Attributes")?;
    let priority = request.form.number("Priority")?;
    if let Some(status) = request.form.word("AssignmentStatus", TaskStatus::parse)? {
        world.update_task_status(sid, status, request.form.get("Reason"))?;
    }
    if attributes.is_some() || priority.is_some() {
        world.update_task_facts(sid, attributes, priority);
    }
    task(world, request, sid)
}

fn list_workflows(world: &World, request: &Request) -> Reply {
    let name = request.query.get("FriendlyName");
    let all = name.is_none_or(|name| name == crate::world::WORKFLOW_NAME).then(|| world.fixed.workflow.clone());
    let shape = Shape::new(world, request);
    Ok(list::v1(request, "workflows", all.into_iter().collect(), |sid| shape.workflow(sid)))
}

/// The latest event first, as Twilio lists them.
fn list_events(world: &World, request: &Request) -> Reply {
    let query = &request.query;
    let date = |name: &str| {
        let parse = |text: &str| parse_iso8601(text).ok_or_else(|| Refusal::invalid(format!("Invalid {name}")));
        query.get(name).map(parse).transpose()
    };
    let (from, to) = (date("StartDate")?, date("EndDate")?);
    let minutes = query.number("Minutes")?.unwrap_or(DEFAULT_EVENT_MINUTES);
    let from = match (from, to) {
        (None, None) => world.now.saturating_sub(minutes.saturating_mul(60_000)),
        (from, _) => from.unwrap_or(0),
    };
    let wanted = |event: &&Event| {
        event.at >= from
            && to.is_none_or(|to| event.at <= to)
            && query.get("EventType").is_none_or(|kind| event.kind == kind)
            && query.get("Sid").is_none_or(|sid| event.sid == sid)
            && ["TaskSid", "WorkerSid", "ReservationSid", "WorkflowSid", "TaskQueueSid"]
                .iter()
                .all(|name| query.get(name).is_none_or(|sid| event.field(name) == Some(sid)))
    };
    let all = world.events.iter().rev().filter(wanted).map(|event| event.sid.clone()).collect();
    let shape = Shape::new(world, request);
    Ok(list::v1(request, "events", all, |sid| shape.event(sid)))
}
