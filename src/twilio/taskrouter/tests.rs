//! What is sent, and how what comes back is read.

use std::time::Duration;

use secrecy::SecretString;
use serde_json::{Value, json};

use super::*;
use crate::{
    clock::Clock,
    domain::{ReservationStatus, Timestamp},
    twilio::{
        client::{Refusal, Settings},
        testing::{ACCOUNT, Fake, RESERVATION, Reply, TASK, WORKER, WORKFLOW, WORKSPACE, page, parts, settings, sid},
    },
};

const ACTIVITY: &str = "WA0123456789abcdef0123456789abcdef";

fn reservation_body(status: &str) -> Value {
    json!({
        "sid": RESERVATION, "task_sid": TASK, "worker_sid": WORKER, "worker_name": "x", "reservation_status": status,
    })
}

fn worker_body(name: &str) -> Value {
    json!({
        "sid": WORKER, "friendly_name": name, "activity_sid": ACTIVITY, "activity_name": "Offline",
        "available": false, "attributes": null,
    })
}

#[tokio::test]
async fn a_reservation_is_changed_through_its_task() {
    let fake = Fake::replying([Reply::ok(reservation_body("completed").to_string())]).await;
    let (twilio, task, reservation) = (fake.client(), sid(TASK), sid(RESERVATION));
    twilio.accept(&task, &reservation).await.unwrap();
    twilio.reject(&task, &reservation).await.unwrap();
    twilio.wrap_up(&task, &reservation).await.unwrap();
    let changed = twilio.complete(&task, &reservation).await.unwrap();
    assert_eq!(changed.status, ReservationStatus::Completed);
    let requests = fake.requests();
    for (request, status) in requests.iter().zip(["accepted", "rejected", "wrapping", "completed"]) {
        let (line, form) = parts(request);
        assert_eq!(line, format!("POST /v1/Workspaces/{WORKSPACE}/Tasks/{TASK}/Reservations/{RESERVATION}"));
        assert_eq!(form, [("ReservationStatus".to_owned(), status.to_owned())]);
    }
}

fn instruction(to: Destination, recording: Option<Recording>) -> ConferenceInstruction {
    ConferenceInstruction {
        to,
        from: Some(sid("+15550100")),
        timeout: Duration::from_secs(13),
        status_callback: "https://gw.example.com/webhooks/call?call=1&leg=1".parse().unwrap(),
        conference_status_callback: "https://gw.example.com/webhooks/conference?call=1&leg=1".parse().unwrap(),
        end_conference_on_exit: true,
        end_conference_on_customer_exit: true,
        recording,
    }
}

async fn sent(instruction: &ConferenceInstruction) -> Vec<(String, String)> {
    let fake = Fake::replying([Reply::ok(reservation_body("pending").to_string())]).await;
    fake.client().instruct_conference(&sid(TASK), &sid(RESERVATION), instruction).await.unwrap();
    parts(&fake.requests()[0]).1
}

#[tokio::test]
async fn the_conference_instruction_names_everything_that_twilio_must_know() {
    let expected = [
        ("Instruction", "conference"),
        ("From", "+15550100"),
        ("Timeout", "13"),
        ("StatusCallback", "https://gw.example.com/webhooks/call?call=1&leg=1"),
        ("StatusCallbackMethod", "POST"),
        ("StatusCallbackEvent", "initiated"),
        ("StatusCallbackEvent", "ringing"),
        ("StatusCallbackEvent", "answered"),
        ("StatusCallbackEvent", "completed"),
        ("ConferenceStatusCallback", "https://gw.example.com/webhooks/conference?call=1&leg=1"),
        ("ConferenceStatusCallbackMethod", "POST"),
        ("ConferenceStatusCallbackEvent", "start"),
        ("ConferenceStatusCallbackEvent", "end"),
        ("ConferenceStatusCallbackEvent", "join"),
        ("ConferenceStatusCallbackEvent", "leave"),
        ("EndConferenceOnExit", "true"),
        ("EndConferenceOnCustomerExit", "true"),
        ("To", "+15550101"),
    ];
    let form = sent(&instruction(Destination::Phone(sid("+15550101")), None)).await;
    assert_eq!(form, expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
}

#[tokio::test]
async fn a_recording_and_sip_credentials_go_with_the_instruction_if_there_are_any() {
    let recording = Recording { status_callback: Some("https://flex.example.com/recorded".parse().unwrap()) };
    let to = Destination::Sip {
        uri: SecretString::from("sip:ticket@gw.example.com"),
        credentials: Some(("user".to_owned(), SecretString::from("secret"))),
    };
    let instruction = instruction(to, Some(recording));
    assert!(!format!("{instruction:?}").contains("ticket"));
    let form = sent(&instruction).await;
    for (name, value) in [
        ("To", "sip:ticket@gw.example.com"),
        ("SipAuthUsername", "user"),
        ("SipAuthPassword", "secret"),
        ("ConferenceRecord", "record-from-start"),
        ("ConferenceRecordingStatusCallback", "https://flex.example.com/recorded"),
        ("ConferenceRecordingStatusCallbackMethod", "POST"),
    ] {
        assert!(form.contains(&(name.to_owned(), value.to_owned())), "{name}");
    }
}

#[tokio::test]
async fn a_list_is_read_to_its_last_page() {
    let fake = Fake::start(|url| {
        vec![
            page("reservations", vec![reservation_body("pending")], Some(format!("{url}v1/next?Page=1"))),
            page("reservations", vec![reservation_body("accepted")], None),
        ]
    })
    .await;
    let found = fake.client().reservations(&sid(WORKER), Some(ReservationStatus::Pending)).await.unwrap();
    assert_eq!(
        found.iter().map(|reservation| reservation.status).collect::<Vec<_>>(),
        [ReservationStatus::Pending, ReservationStatus::Accepted]
    );
    let requests = fake.requests();
    assert_eq!(
        parts(&requests[0]).0,
        format!("GET /v1/Workspaces/{WORKSPACE}/Workers/{WORKER}/Reservations?ReservationStatus=pending&PageSize=100")
    );
    assert_eq!(parts(&requests[1]).0, "GET /v1/next?Page=1");
}

#[tokio::test]
async fn a_next_page_elsewhere_is_not_asked_for() {
    let elsewhere = Fake::replying([page("activities", Vec::new(), None)]).await;
    let next = elsewhere.url.join("/v1/next").unwrap().to_string();
    let fake = Fake::replying([page("activities", Vec::new(), Some(next))]).await;
    let error = fake.client().activities().await.unwrap_err();
    assert_eq!(error, TwilioError::Malformed { operation: "list_activity" });
    assert!(elsewhere.requests().is_empty());
}

#[tokio::test]
async fn a_worker_is_found_by_name_whatever_its_case() {
    let fake = Fake::replying([page("workers", vec![worker_body("other"), worker_body("User-+1555")], None)]).await;
    let worker = fake.client().worker_by_name("user-+1555").await.unwrap().unwrap();
    assert_eq!(worker.friendly_name, "User-+1555");
    let line = parts(&fake.requests()[0]).0;
    assert_eq!(line, format!("GET /v1/Workspaces/{WORKSPACE}/Workers?FriendlyName=user-%2B1555"));
    assert!(!format!("{worker:?}").contains("1555"));
}

#[tokio::test]
async fn a_worker_changes_activity_and_its_reservations_are_rejected_if_asked() {
    let fake = Fake::replying([Reply::ok(worker_body("x").to_string())]).await;
    let twilio = fake.client();
    twilio.set_activity(&sid(WORKER), &sid(ACTIVITY), false).await.unwrap();
    twilio.set_activity(&sid(WORKER), &sid(ACTIVITY), true).await.unwrap();
    let requests = fake.requests();
    let activity = ("ActivitySid".to_owned(), ACTIVITY.to_owned());
    let reject = ("RejectPendingReservations".to_owned(), "true".to_owned());
    assert_eq!(
        parts(&requests[0]),
        (format!("POST /v1/Workspaces/{WORKSPACE}/Workers/{WORKER}"), vec![activity.clone()])
    );
    assert_eq!(parts(&requests[1]).1, [activity, reject]);
}

#[tokio::test]
async fn a_workflow_tells_how_long_a_reservation_is_pending() {
    let body = json!({ "sid": WORKFLOW, "friendly_name": "x", "task_reservation_timeout": 45 });
    let fake = Fake::replying([Reply::ok(body.to_string())]).await;
    let workflow = fake.client().workflow(&sid(WORKFLOW)).await.unwrap();
    assert_eq!(workflow.reservation_timeout, Duration::from_secs(45));
}

fn workspace_body(sid: &str) -> Value {
    json!({ "sid": sid, "friendly_name": "x", "event_callback_url": null, "events_filter": null })
}

fn without_workspace(fake: &Fake) -> Twilio {
    let settings = Settings { workspace_sid: None, ..settings(&fake.url) };
    Twilio::new(settings, Clock::system(), tokio::runtime::Handle::current()).unwrap()
}

#[tokio::test]
async fn the_only_workspace_is_looked_up_once() {
    let fake = Fake::replying([page("workspaces", vec![workspace_body(WORKSPACE)], None)]).await;
    let twilio = without_workspace(&fake);
    assert_eq!(twilio.known_workspace_sid(), None);
    for _ in 0..2 {
        assert_eq!(twilio.workspace_sid().await.unwrap().as_str(), WORKSPACE);
    }
    assert_eq!(fake.requests().len(), 1);
}

#[tokio::test]
async fn among_several_workspaces_none_is_chosen_and_all_are_named() {
    let other = "WSffffffffffffffffffffffffffffffff";
    let workspaces = vec![workspace_body(WORKSPACE), workspace_body(other)];
    let fake = Fake::replying([page("workspaces", workspaces, None)]).await;
    let error = without_workspace(&fake).activities().await.unwrap_err().to_string();
    assert!(error.contains(WORKSPACE) && error.contains(other), "{error}");
}

fn event_resource(sid: &str, event_type: &str, at: u64) -> Value {
    json!({
        "sid": sid, "event_type": event_type, "event_date_ms": at, "account_sid": ACCOUNT, "workspace_sid": WORKSPACE,
        "event_data": { "worker_sid": WORKER, "worker_name": "x", "worker_activity_name": "Offline" },
    })
}

#[tokio::test]
async fn the_log_is_read_from_the_oldest_event_to_the_latest() {
    let late = event_resource("EV22222222222222222222222222222222", "worker.activity.update", 1_700_000_002_000);
    let early = event_resource("EV11111111111111111111111111111111", "worker.activity.update", 1_700_000_001_000);
    let ignored = event_resource("EV33333333333333333333333333333333", "task.created", 1_700_000_003_000);
    let malformed = event_resource("nonsense", "worker.deleted", 1_700_000_004_000);
    let fake = Fake::replying([page("events", vec![malformed, ignored, late, early], None)]).await;
    let log = fake.client().events_between(Timestamp::from_millis(1_700_000_000_999), None).await.unwrap();
    let keys: Vec<_> = log.events.iter().map(|event| event.key().to_string()).collect();
    assert_eq!(keys, ["event:EV11111111111111111111111111111111", "event:EV22222222222222222222222222222222"]);
    assert_eq!((log.complete, log.malformed), (true, 1));
    let line = parts(&fake.requests()[0]).0;
    assert_eq!(line, format!("GET /v1/Workspaces/{WORKSPACE}/Events?StartDate=2023-11-14T22%3A13%3A20Z&PageSize=100"));
}

async fn task(body: Value) -> Task {
    let fake = Fake::replying([Reply::ok(body.to_string())]).await;
    let task = fake.client().task(&sid(TASK)).await.unwrap();
    assert_eq!(parts(&fake.requests()[0]).0, format!("GET /v1/Workspaces/{WORKSPACE}/Tasks/{TASK}"));
    task
}

#[tokio::test]
async fn a_task_tells_what_it_is_for_and_how_old_it_is() {
    let task = task(json!({
        "sid": TASK, "attributes": r#"{"from":"+15550100"}"#, "task_channel_unique_name": "chat", "age": 90,
        "assignment_status": "assigned", "date_created": "2023-11-14T22:13:20Z", "workflow_sid": WORKFLOW,
    }))
    .await;
    assert_eq!(task.attributes, r#"{"from":"+15550100"}"#);
    assert_eq!((task.channel.as_str(), task.assignment_status), ("chat", AssignmentStatus::Assigned));
    assert_eq!(task.age, Duration::from_secs(90));
    assert_eq!(task.date_created, Some(Timestamp::from_millis(1_700_000_000_000)));
    assert!(!format!("{task:?}").contains("5550100"));
}

#[tokio::test]
async fn a_task_of_which_little_is_told_is_read() {
    let nulls = json!({
        "sid": TASK, "assignment_status": "invented", "attributes": null, "task_channel_unique_name": null,
        "age": null, "date_created": null,
    });
    for body in [json!({ "sid": TASK, "assignment_status": "invented" }), nulls] {
        let task = task(body).await;
        assert_eq!((task.attributes.as_str(), task.channel.as_str()), ("{}", ""));
        assert_eq!((task.assignment_status, task.age), (AssignmentStatus::Other, Duration::ZERO));
        assert_eq!(task.date_created, None);
    }
}

#[tokio::test]
async fn a_worker_is_deleted_again_if_nobody_knows_whether_it_was_and_one_that_is_gone_is_deleted() {
    let fake = Fake::replying([Reply::status(503), Reply::status(404)]).await;
    fake.client().delete_worker(&sid(WORKER)).await.unwrap();
    let line = format!("DELETE /v1/Workspaces/{WORKSPACE}/Workers/{WORKER}");
    let lines: Vec<_> = fake.requests().iter().map(|request| parts(request).0).collect();
    assert_eq!(lines, [line.as_str(), line.as_str()]);
}

#[tokio::test]
async fn a_worker_that_has_something_to_do_is_not_deleted() {
    let fake = Fake::replying([Reply::status(400)]).await;
    let refused = fake.client().delete_worker(&sid(WORKER)).await.unwrap_err();
    assert_eq!(refused.refusal(), Some(Refusal::Other));
    let gone = Fake::replying([Reply::Answer { status: 204, headers: "", body: String::new() }]).await;
    gone.client().delete_worker(&sid(WORKER)).await.unwrap();
}

#[tokio::test]
async fn workers_are_listed_with_their_attributes_or_without() {
    let mut told = worker_body("told");
    told["attributes"] = json!(r#"{"phone":"+15550100"}"#);
    let fake = Fake::replying([page("workers", vec![told, worker_body("untold")], None)]).await;
    let twilio = fake.client();
    let mut workers = twilio.workers().await.unwrap();
    let read = workers.next(&twilio).await.unwrap().unwrap();
    let attributes: Vec<_> = read.iter().map(|worker| worker.attributes.as_deref()).collect();
    assert_eq!(attributes, [Some(r#"{"phone":"+15550100"}"#), None]);
    assert_eq!(workers.next(&twilio).await.unwrap(), None);
    assert_eq!(parts(&fake.requests()[0]).0, format!("GET /v1/Workspaces/{WORKSPACE}/Workers?PageSize=100"));
}
