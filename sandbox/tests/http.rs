//! The sandbox over HTTP: requests, signed webhooks, faults, and a clock turned by hand.

#![expect(clippy::expect_used, reason = "a test that cannot go on fails")]

mod support;

use std::sync::Arc;

use offdesk_sandbox::{
    FlowDirection, Handle, LogEntry, Operation, Reorder, ReservationStatus, RestAct, RestFault, TaskStatus,
    WebhookFaults, sign,
};
use support::{ADA, LIMIT, Manual, Shared, client, header, receiver, start};

/// A client as the gateway is one; `path` begins behind the workspace.
async fn post(sandbox: &Handle, path: &str, form: &[(&str, &str)]) -> Result<reqwest::Response, reqwest::Error> {
    let facts = sandbox.facts();
    client()
        .post(format!("{}/v1/Workspaces/{}{path}", sandbox.url(), facts.workspace_sid))
        .basic_auth(&facts.account_sid, Some(&facts.auth_token))
        .form(form)
        .send()
        .await
}

fn names(log: &[LogEntry]) -> Vec<String> {
    let webhooks = log.iter().filter(|entry| entry.direction == FlowDirection::Webhook && entry.status.is_some());
    webhooks.map(|entry| entry.name.clone()).collect()
}

#[tokio::test]
async fn a_customer_is_connected_over_http_and_the_webhooks_are_signed() {
    let receiver = receiver();
    let sandbox = start(|options| options.event_callback = Some(format!("{}#rc=2", receiver.url)));
    let call = sandbox.place_call("+15550123");
    let state = sandbox.snapshot();
    let reservation = &state.reservation_of(&call.task_sid).expect("an offer").sid;
    let path = format!("/Tasks/{}/Reservations/{reservation}", call.task_sid);
    let order = [("Instruction", "conference"), ("From", "+15550100"), ("To", ADA)];
    assert_eq!(post(&sandbox, &path, &order).await.expect("an answer").status(), 200);
    sandbox.wait_until(LIMIT, |state| state.is_ringing(ADA)).await.expect("it rings");
    sandbox.answer(ADA).expect("it rings");
    let state = sandbox.settled(LIMIT).await.expect("webhooks are delivered");
    assert_eq!(state.task(&call.task_sid).map(|task| task.status), Some(TaskStatus::Assigned));

    let request = receiver.requests.recv_timeout(LIMIT).expect("a webhook");
    let (head, body) = request.split_once("\r\n\r\n").expect("a head and a body");
    let params: Vec<_> = form_urlencoded::parse(body.as_bytes()).into_owned().collect();
    let signature = sign(&sandbox.facts().auth_token, &receiver.url, &params);
    assert_eq!(header(head, "x-twilio-signature"), Some(signature.as_str()));
    assert_eq!(header(head, "i-twilio-idempotency-token").map(str::len), Some(32));
    assert!(params.contains(&("EventType".into(), "task.created".into())));
}

#[tokio::test]
async fn a_wrong_password_is_refused_in_twilios_shape() {
    let sandbox = start(|_| {});
    let url = format!("{}/v1/Workspaces", sandbox.url());
    let answer = client().get(&url).basic_auth("AC", Some("wrong")).send().await.expect("an answer");
    assert_eq!(answer.status(), 401);
    let body: serde_json::Value = answer.json().await.expect("JSON");
    assert_eq!((body["code"].as_u64(), body["status"].as_u64()), (Some(20003), Some(401)));
}

#[tokio::test]
async fn requests_fail_as_they_are_told_to() {
    let sandbox = start(|_| {});
    sandbox.fault(RestFault::once(
        Operation::CreateActivity,
        RestAct::Fail { status: 429, code: 20429, message: None, retry_after_s: Some(2) },
    ));
    let refused = post(&sandbox, "/Activities", &[("FriendlyName", "Lunch")]).await.expect("an answer");
    assert_eq!((refused.status().as_u16(), &refused.headers()["retry-after"]), (429, &"2".parse().expect("a value")));
    assert_eq!(post(&sandbox, "/Activities", &[("FriendlyName", "Lunch")]).await.expect("an answer").status(), 201);
}

#[tokio::test]
async fn a_connection_that_is_closed_leaves_open_whether_the_request_was_acted_on() {
    for (act, acted) in [(RestAct::DropBefore, false), (RestAct::DropAfter, true)] {
        let sandbox = start(|_| {});
        sandbox.fault(RestFault::once(Operation::CreateActivity, act));
        let error = post(&sandbox, "/Activities", &[("FriendlyName", "Lunch")]).await.expect_err("no answer");
        assert!(error.is_request(), "not even a status line came: {error:?}");
        let made = sandbox.snapshot().activities.iter().any(|activity| activity.name == "Lunch");
        assert_eq!(made, acted);
    }
}

#[tokio::test]
async fn while_it_is_down_nothing_is_answered() {
    let sandbox = start(|_| {});
    sandbox.set_down(true);
    assert!(post(&sandbox, "/Activities", &[("FriendlyName", "Lunch")]).await.is_err());
    sandbox.clear_faults();
    assert!(post(&sandbox, "/Activities", &[("FriendlyName", "Lunch")]).await.is_ok());
}

#[tokio::test]
async fn webhooks_come_twice_and_in_another_order_on_demand() {
    let receiver = receiver();
    let sandbox = start(|options| {
        options.event_callback = Some(receiver.url.clone());
        options.agents.clear();
    });
    sandbox.set_webhook_faults(WebhookFaults {
        duplicates: 1,
        drop_next: 2,
        reorder: Some(Reorder { window: 100, seed: None }),
        ..WebhookFaults::default()
    });
    sandbox.place_call("+15550123");
    sandbox.settled(LIMIT).await.expect("webhooks are delivered");
    let wanted = ["task-queue.entered", "task-queue.entered", "workflow.entered", "workflow.entered"];
    assert_eq!(names(&sandbox.log()), wanted);
}

#[tokio::test]
async fn on_a_clock_turned_by_hand_a_reservation_times_out_at_once() {
    let clock = Arc::new(Manual::default());
    clock.turn(1_700_000_000);
    let sandbox = start(|options| options.time = Arc::new(Shared(Arc::clone(&clock))));
    let call = sandbox.place_call("+15550123");
    clock.turn(120);
    let timed_out = |status| status == ReservationStatus::Timeout;
    sandbox
        .wait_until(LIMIT, |state| state.reservation_of(&call.task_sid).is_some_and(|row| timed_out(row.status)))
        .await
        .expect("the reservation times out");
}

#[tokio::test]
async fn the_control_api_does_what_the_page_does() {
    let sandbox = start(|_| {});
    let client = client();
    let url = |path: &str| format!("{}/sandbox{path}", sandbox.url());
    let none = serde_json::json!({});
    let placed = client.post(url("/calls")).json(&none).send().await.expect("an answer");
    assert_eq!(placed.status(), 201);
    let call: serde_json::Value = placed.json().await.expect("JSON");
    let too_early = client.post(url(&format!("/phones/{ADA}/answer"))).json(&none).send().await.expect("an answer");
    assert_eq!(too_early.status(), 409);
    let path = format!("/calls/{}/hang-up", call["call_sid"].as_str().expect("a sid"));
    assert_eq!(client.post(url(&path)).json(&none).send().await.expect("an answer").status(), 204);
    let body = serde_json::json!({ "activity": "Break" });
    let set = client.post(url(&format!("/workers/{ADA}/activity"))).json(&body).send().await.expect("an answer");
    assert_eq!(set.status(), 204);
    let page = client.get(sandbox.url()).send().await.expect("the page");
    assert!(page.headers().contains_key("content-security-policy"));
}

#[tokio::test]
async fn the_customers_part_of_the_page_goes_by_names_that_hold() {
    let sandbox = start(|_| {});
    let page = client().get(sandbox.url()).send().await.expect("the page").text().await.expect("text");
    for button in ["Place call", "Hang up", "Start chat", "Send"] {
        assert_eq!(page.matches(&format!(">{button}</button>")).count(), 1, "{button}");
    }
    assert_eq!(page.matches(">Message\n").count(), 1, "the field's label");
}
