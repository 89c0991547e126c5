//! What the sinks of Event Streams get.

use serde_json::{Value, json};

use super::bench::{ADA, Bench, code};
use crate::deliver::Manner;

/// The batches since the last look, each with the URL that it goes to.
fn batches(bench: &mut Bench) -> Vec<(String, Vec<Value>)> {
    let webhooks = bench.world.take_webhooks().into_iter();
    let streamed = webhooks.filter_map(|webhook| match webhook.manner {
        Manner::Stream(body) => Some((webhook.url, serde_json::from_str(&body).expect("a JSON array"))),
        Manner::Callback | Manner::Conversations | Manner::Twiml { .. } => None,
    });
    streamed.collect()
}

fn subscribe(bench: &mut Bench, types: &[&str]) {
    let configuration = json!({ "destination": "https://gateway/events", "method": "POST" }).to_string();
    let form = [("Description", "x"), ("SinkType", "webhook"), ("SinkConfiguration", &configuration)];
    let sink = bench.request("POST", "/v1/Sinks", &form).body.expect("a body");
    let types: Vec<_> = types.iter().map(|name| json!({ "type": name, "schema_version": 4 }).to_string()).collect();
    let mut form = vec![("Description", "x"), ("SinkSid", sink["sid"].as_str().expect("a sid"))];
    form.extend(types.iter().map(|text| ("Types", text.as_str())));
    assert_eq!(bench.request("POST", "/v1/Subscriptions", &form).status, 201);
}

#[test]
fn a_sink_gets_what_it_is_subscribed_to_in_one_batch_an_act() {
    let mut bench = Bench::with(&[ADA]);
    let names = ["com.twilio.taskrouter.reservation.created", "com.twilio.conversations.message.added"];
    subscribe(&mut bench, &names);
    let chat = bench.customer_writes();
    let batches = batches(&mut bench);
    assert_eq!(batches.len(), 1);
    let (url, events) = &batches[0];
    assert_eq!(url, "https://gateway/events");
    let kinds: Vec<_> = events.iter().map(|event| event["type"].as_str().expect("a type")).collect();
    assert_eq!(kinds, [names[1], names[0]]);
    let (message, reservation) = (&events[0], &events[1]);
    assert_eq!(message["data"]["MessageBody"], "Hello?");
    assert_eq!(
        (&message["data"]["Index"], &message["data"]["ConversationSid"]),
        (&json!(0), &json!(chat.conversation))
    );
    assert_eq!(message["time"], "2023-11-14T22:13:20.000Z");
    assert_eq!(reservation["dataschema"], "https://events-schemas.twilio.com/TaskRouter.WDSEvent/4");
    let payload = &reservation["data"]["payload"];
    assert_eq!((&payload["eventtype"], &payload["task_sid"]), (&json!("reservation.created"), &json!(chat.task)));
    assert_eq!((&payload["reservation_version"], &payload["task_channel_unique_name"]), (&json!(0), &json!("chat")));
}

#[test]
fn every_events_id_is_its_own() {
    let mut bench = Bench::with(&[ADA]);
    bench.world.set_event_sink("https://gateway/events");
    bench.chatting(ADA);
    let ids: Vec<_> =
        batches(&mut bench).into_iter().flat_map(|(_, events)| events).map(|event| event["id"].to_string()).collect();
    let mut distinct = ids.clone();
    distinct.sort_unstable();
    distinct.dedup();
    assert_eq!(distinct.len(), ids.len());
    assert!(ids.len() > 8, "{ids:?}");
}

#[test]
fn a_stream_shows_what_rest_writes_whether_webhooks_are_asked_for_or_not() {
    let mut bench = Bench::with(&[ADA]);
    bench.world.set_event_sink("https://gateway/events");
    let chat = bench.customer_writes();
    batches(&mut bench);
    bench.request("POST", &format!("/v1/Conversations/{}/Messages", chat.conversation), &[("Body", "x")]);
    assert_eq!(batches(&mut bench).len(), 1);
}

#[test]
fn without_a_sink_nothing_is_streamed() {
    let mut bench = Bench::with(&[ADA]);
    subscribe(&mut bench, &["com.twilio.taskrouter.task.created"]);
    let sinks = bench.request("GET", "/v1/Sinks", &[]).body.expect("a list");
    let sink = sinks["sinks"][0]["sid"].as_str().expect("a sid");
    assert_eq!(bench.request("DELETE", &format!("/v1/Sinks/{sink}"), &[]).status, 204);
    bench.customer_writes();
    assert_eq!(batches(&mut bench).len(), 0);
    let subscriptions = bench.request("GET", "/v1/Subscriptions", &[]).body.expect("a list");
    assert_eq!(subscriptions["subscriptions"], json!([]));
}

#[test]
fn what_cannot_be_streamed_is_refused() {
    let mut bench = Bench::with(&[ADA]);
    let webhook = r#"{"destination":"https://gateway/events"}"#;
    for (kind, configuration) in [("kinesis", webhook), ("webhook", r#"{"destination":"gateway"}"#), ("webhook", "x")] {
        let form = [("Description", "x"), ("SinkType", kind), ("SinkConfiguration", configuration)];
        assert_eq!(code(&bench.request("POST", "/v1/Sinks", &form)), (400, 20001), "{kind} {configuration}");
    }
    bench.world.set_event_sink("https://gateway/events");
    let sink = bench.world.sinks.iter().next().map(|row| row.sid.to_string()).expect("a sink");
    for types in ["com.twilio.taskrouter.task.created", r#"{"type":"com.example.made.up"}"#] {
        let form = [("Description", "x"), ("SinkSid", sink.as_str()), ("Types", types)];
        assert_eq!(code(&bench.request("POST", "/v1/Subscriptions", &form)), (400, 20001), "{types}");
    }
}
