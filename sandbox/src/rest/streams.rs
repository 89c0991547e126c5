//! Event Streams v1 (<https://www.twilio.com/docs/events/event-streams>): sinks, and what they are subscribed to.

use serde_json::{Value, json};

use super::{
    Reply,
    date::iso8601,
    error::Refusal,
    list,
    request::{Answer, Request},
    route::Operation,
};
use crate::world::{World, sid::Sid, streams::EventType};

pub(super) fn answer(world: &mut World, request: &Request, operation: Operation, path: &[Sid]) -> Reply {
    let shape = |world: &World, sid: &Sid| Shape { world, request }.any(sid).ok_or_else(Refusal::not_found);
    let this = || path.first().ok_or_else(Refusal::not_found);
    match operation {
        Operation::ListSink => Ok(list_sinks(world, request)),
        Operation::ListSubscription => Ok(list_subscriptions(world, request)),
        Operation::CreateSink => {
            let sid = create_sink(world, request)?;
            Ok(Answer::created(shape(world, &sid)?))
        }
        Operation::CreateSubscription => {
            let sid = create_subscription(world, request)?;
            Ok(Answer::created(shape(world, &sid)?))
        }
        Operation::DeleteSink => world.remove_sink(this()?).map(|()| Answer::no_content()),
        Operation::DeleteSubscription => {
            world.subscriptions.remove(this()?).map(|_| Answer::no_content()).ok_or_else(Refusal::not_found)
        }
        Operation::FetchSink | Operation::FetchSubscription => Ok(Answer::ok(shape(world, this()?)?)),
        _ => subscribed(world, request, operation, this()?, path.get(1)),
    }
}

fn list_sinks(world: &World, request: &Request) -> Answer {
    let all = world.sinks.iter().map(|row| row.sid.clone()).collect();
    let shape = Shape { world, request };
    list::v1(request, "sinks", all, |sid| shape.sink(sid))
}

fn list_subscriptions(world: &World, request: &Request) -> Answer {
    let sink = request.query.get("SinkSid");
    let rows = world.subscriptions.iter().filter(|row| sink.is_none_or(|sid| row.sink == *sid));
    let all = rows.map(|row| row.sid.clone()).collect();
    let shape = Shape { world, request };
    list::v1(request, "subscriptions", all, |sid| shape.subscription(sid))
}

/// Only webhooks that are sent by POST.
fn create_sink(world: &mut World, request: &Request) -> Result<Sid, Refusal> {
    let form = &request.form;
    let (description, kind) = (form.required("Description")?, form.required("SinkType")?);
    let configuration: Value = serde_json::from_str(&form.required("SinkConfiguration")?)
        .map_err(|_| Refusal::invalid("Invalid SinkConfiguration: it must be JSON"))?;
    let method = configuration["method"].as_str().unwrap_or("POST");
    let destination = configuration["destination"].as_str().filter(|url| url::Url::parse(url).is_ok());
    match destination {
        Some(destination) if kind == "webhook" && method == "POST" => world.add_sink(&description, destination),
        _ => Err(Refusal::invalid("Invalid SinkConfiguration: a webhook needs a destination and the method POST")),
    }
}

fn create_subscription(world: &mut World, request: &Request) -> Result<Sid, Refusal> {
    let form = &request.form;
    let (description, sink) = (form.required("Description")?, Sid::from(form.required("SinkSid")?));
    let types = form.0.iter().filter(|(name, _)| name == "Types").map(|(_, text)| event_type(text));
    let types = types.collect::<Result<_, _>>()?;
    world.add_subscription(&description, &sink, types)
}

/// `{"type":"com.twilio.…","schema_version":2}`.
fn event_type(text: &str) -> Result<EventType, Refusal> {
    let value: Value = serde_json::from_str(text).unwrap_or_default();
    let name =
        value["type"].as_str().ok_or_else(|| Refusal::invalid("Invalid Types: each must be JSON with a type"))?;
    Ok(EventType { name: name.to_owned(), schema_version: value["schema_version"].as_u64().unwrap_or(1) })
}

fn subscribed(world: &mut World, request: &Request, operation: Operation, sid: &Sid, kind: Option<&Sid>) -> Reply {
    match operation {
        Operation::CreateSubscribedEvent => {
            let name = request.form.required("Type")?;
            let schema_version = request.form.number("SchemaVersion")?.unwrap_or(1);
            let kind = EventType { name, schema_version };
            world.subscribe(sid, kind.clone())?;
            Ok(Answer::created(Shape { world, request }.subscribed(sid, &kind)))
        }
        Operation::DeleteSubscribedEvent => {
            let row = world.subscriptions.get_mut(sid).ok_or_else(Refusal::not_found)?;
            let before = row.types.len();
            row.types.retain(|known| kind.is_none_or(|kind| *kind != *known.name.as_str()));
            if row.types.len() < before { Ok(Answer::no_content()) } else { Err(Refusal::not_found()) }
        }
        _ => {
            let row = world.subscriptions.get(sid).ok_or_else(Refusal::not_found)?;
            let names = row.types.iter().map(|kind| Sid::from(kind.name.as_str())).collect();
            let shape = Shape { world, request };
            let find = |name: &Sid| row.types.iter().find(|kind| *name == *kind.name.as_str());
            Ok(list::v1(request, "types", names, |name| find(name).map(|kind| shape.subscribed(sid, kind))))
        }
    }
}

struct Shape<'a> {
    world: &'a World,
    request: &'a Request,
}

impl Shape<'_> {
    fn any(&self, sid: &Sid) -> Option<Value> {
        self.sink(sid).or_else(|| self.subscription(sid))
    }

    fn sink(&self, sid: &Sid) -> Option<Value> {
        let row = self.world.sinks.get(sid)?;
        let url = format!("{}/v1/Sinks/{sid}", self.request.base);
        Some(json!({
            "sid": row.sid,
            "description": row.description,
            "sink_type": "webhook",
            "sink_configuration": { "destination": row.destination, "method": "POST", "batch_events": true },
            "status": if row.failed { "failed" } else { "active" },
            "date_created": iso8601(row.created),
            "date_updated": iso8601(row.created),
            "links": { "sink_test": format!("{url}/Test"), "sink_validate": format!("{url}/Validate") },
            "url": url,
        }))
    }

    fn subscription(&self, sid: &Sid) -> Option<Value> {
        let row = self.world.subscriptions.get(sid)?;
        let url = format!("{}/v1/Subscriptions/{sid}", self.request.base);
        Some(json!({
            "sid": row.sid,
            "account_sid": self.world.fixed.account,
            "sink_sid": row.sink,
            "description": row.description,
            "date_created": iso8601(row.created),
            "date_updated": iso8601(row.created),
            "links": { "subscribed_events": format!("{url}/SubscribedEvents") },
            "url": url,
        }))
    }

    fn subscribed(&self, subscription: &Sid, kind: &EventType) -> Value {
        let base = &self.request.base;
        json!({
            "account_sid": self.world.fixed.account,
            "subscription_sid": subscription,
            "type": kind.name,
            "schema_version": kind.schema_version,
            "url": format!("{base}/v1/Subscriptions/{subscription}/SubscribedEvents/{}", kind.name),
        })
    }
}
