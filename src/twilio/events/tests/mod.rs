mod conversations;

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::{
    domain::{ConferenceEventKind, Key, LegNo, LegStatus, PickUp, ReservationEventKind, Timestamp, WorkerEventKind},
    twilio::testing::{ACCOUNT, RESERVATION, TASK, WORKER, WORKFLOW, WORKSPACE},
};

const EVENT: &str = "EV0123456789abcdef0123456789abcdef";
const CALL: &str = "CA0123456789abcdef0123456789abcdef";
const CONFERENCE: &str = "CF0123456789abcdef0123456789abcdef";
const QUERY: &[u8] = b"call=00000000000000ff-7&leg=2";

fn ours() -> Ours {
    Ours { account: ACCOUNT.parse().unwrap(), workspace: Some(WORKSPACE.parse().unwrap()) }
}

/// The fields of a reservation event, as the workspace's callback has them.
fn reservation_fields() -> Vec<(&'static str, &'static str)> {
    vec![
        ("EventType", "reservation.created"),
        ("Sid", EVENT),
        ("TimestampMs", "1700000000123"),
        ("Timestamp", "1700000000"),
        ("AccountSid", ACCOUNT),
        ("WorkspaceSid", WORKSPACE),
        ("ResourceType", "reservation"),
        ("ResourceSid", RESERVATION),
        ("ReservationSid", RESERVATION),
        ("ReservationVersion", "0"),
        ("TaskSid", TASK),
        ("TaskAttributes", r#"{"from":"+15550100"}"#),
        ("TaskChannelUniqueName", "voice"),
        ("WorkflowSid", WORKFLOW),
        ("WorkerSid", WORKER),
        ("WorkerName", "user-+15550101"),
        ("WorkerActivityName", "Available on Mobile"),
        ("SomethingNew", "x"),
    ]
}

fn encode(fields: &[(&str, &str)]) -> String {
    form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish()
}

fn by_form(fields: &[(&str, &str)]) -> Result<Parsed, ParseError> {
    from_form(&Form::parse(encode(fields).as_bytes()).unwrap(), &ours())
}

fn with<'a>(name: &'a str, value: &'a str) -> Vec<(&'a str, &'a str)> {
    let mut fields: Vec<(&str, &str)> = reservation_fields();
    fields.retain(|(key, _)| *key != name);
    fields.push((name, value));
    fields
}

fn snake(name: &str) -> String {
    let mut snake = String::new();
    for character in name.chars() {
        if character.is_uppercase() && !snake.is_empty() {
            snake.push('_');
        }
        snake.push(character.to_ascii_lowercase());
    }
    snake
}

/// The same fields as a JSON object with other spellings.
fn object(spell: impl Fn(&str) -> String) -> Map<String, Value> {
    reservation_fields().into_iter().map(|(name, value)| (spell(name), json!(value))).collect()
}

fn cloud_event(payload: &Map<String, Value>) -> Value {
    json!({
        "specversion": "1.0",
        "type": "com.twilio.taskrouter.reservation.created",
        "source": "AB00000000000000000000000001",
        "id": "NO00000000000000000000000001",
        "data": { "sid": "EV00000000000000000000000000000000", "account_sid": ACCOUNT, "payload": payload },
    })
}

fn event(parsed: Result<Parsed, ParseError>) -> Event {
    match parsed {
        Ok(Parsed::Event(event)) => *event,
        other => panic!("no event: {other:?}"),
    }
}

fn by_call_status(fields: &[(&str, &str)], query: &[u8]) -> Result<Parsed, ParseError> {
    let body = encode(fields);
    from_call_status(&Form::parse(body.as_bytes()).unwrap(), &Form::parse(query).unwrap(), &ours())
}

fn by_conference_status(fields: &[(&str, &str)]) -> Result<Parsed, ParseError> {
    let body = encode(fields);
    from_conference_status(&Form::parse(body.as_bytes()).unwrap(), &Form::parse(QUERY).unwrap(), &ours())
}

#[test]
fn a_reservation_event_is_read_in_full() {
    let Event::Reservation(event) = event(by_form(&reservation_fields())) else { panic!("another event") };
    assert_eq!(event.sid.as_str(), EVENT);
    assert_eq!(event.kind, ReservationEventKind::Created);
    assert_eq!(event.reservation.as_str(), RESERVATION);
    assert_eq!(event.version, Some(0));
    assert_eq!(event.at, Timestamp::from_millis(1_700_000_000_123));
    assert_eq!(event.worker.as_str(), WORKER);
    assert_eq!(event.worker_name, "user-+15550101");
    assert_eq!(event.activity.as_deref(), Some("Available on Mobile"));
    assert_eq!(event.task.sid.as_str(), TASK);
    assert_eq!(event.task.channel, "voice");
    assert_eq!(event.task.workflow.unwrap().as_str(), WORKFLOW);
    assert_eq!(event.task.attributes, r#"{"from":"+15550100"}"#);
}

#[test]
fn an_event_is_the_same_by_every_door() {
    let expected = event(by_form(&reservation_fields()));
    for spell in [str::to_lowercase, snake] {
        let batch = serde_json::to_vec(&json!([cloud_event(&object(spell))])).unwrap();
        assert_eq!(event(from_batch(&batch, &ours()).unwrap().remove(0)), expected);
    }
    for spell in [str::to_owned, snake] {
        let mut data = object(spell);
        data.retain(|name, _| !matches!(name.as_str(), "Sid" | "sid" | "EventType" | "event_type"));
        let resource = json!({
            "sid": EVENT,
            "event_type": "reservation.created",
            "event_date": "2023-11-14T22:13:20Z",
            "event_date_ms": 1_700_000_000_123_u64,
            "account_sid": ACCOUNT,
            "workspace_sid": WORKSPACE,
            "event_data": data,
        });
        assert_eq!(event(from_resource(resource.as_object().unwrap(), &ours())), expected);
    }
}

#[test]
fn every_reservation_event_has_its_kind() {
    for (name, kind) in [
        ("accepted", ReservationEventKind::Accepted),
        ("rejected", ReservationEventKind::Rejected),
        ("timeout", ReservationEventKind::Timeout),
        ("canceled", ReservationEventKind::Canceled),
        ("rescinded", ReservationEventKind::Rescinded),
        ("completed", ReservationEventKind::Completed),
        ("failed", ReservationEventKind::Failed),
        ("wrapup", ReservationEventKind::Wrapup),
    ] {
        let event_type = format!("reservation.{name}");
        let Event::Reservation(event) = event(by_form(&with("EventType", &event_type))) else {
            panic!("another event")
        };
        assert_eq!(event.kind, kind);
    }
}

#[test]
fn a_workers_new_activity_is_read() {
    let fields = [
        ("EventType", "worker.activity.update"),
        ("Sid", EVENT),
        ("Timestamp", "1700000000"),
        ("AccountSid", ACCOUNT),
        ("WorkspaceSid", WORKSPACE),
        ("WorkerSid", WORKER),
        ("WorkerName", "user"),
        ("WorkerVersion", "12"),
        ("WorkerActivityName", "Offline"),
    ];
    let Event::Worker(event) = event(by_form(&fields)) else { panic!("another event") };
    assert_eq!((event.kind, event.version), (WorkerEventKind::ActivityUpdated, Some(12)));
    assert_eq!(event.activity.as_deref(), Some("Offline"));
    assert_eq!(event.at, Timestamp::from_millis(1_700_000_000_000));
}

#[test]
fn a_moment_may_be_a_date() {
    let mut payload = object(snake);
    payload.remove("timestamp_ms");
    payload.insert("timestamp".to_owned(), json!("2023-11-14T22:13:20.500Z"));
    let batch = serde_json::to_vec(&json!([cloud_event(&payload)])).unwrap();
    let Event::Reservation(event) = event(from_batch(&batch, &ours()).unwrap().remove(0)) else {
        panic!("another event")
    };
    assert_eq!(event.at, Timestamp::from_millis(1_700_000_000_500));
}

#[test]
fn what_is_of_no_interest_is_ignored_by_its_kind() {
    for (event_type, kind) in [
        ("task.created", "task"),
        ("task-queue.entered", "task-queue"),
        ("worker.capacity.update", "worker"),
        ("reservation.invented", "reservation"),
        ("<script>", "other"),
    ] {
        assert_eq!(by_form(&with("EventType", event_type)), Ok(Parsed::Ignored { kind }));
    }
    let batch = br#"[{"type":"com.twilio.voice.insights.call-event.ring","data":{}}]"#;
    assert_eq!(from_batch(batch, &ours()).unwrap(), [Ok(Parsed::Ignored { kind: "other" })]);
}

#[test]
fn anothers_event_is_refused() {
    let other_account = "ACffffffffffffffffffffffffffffffff";
    let other_workspace = "WSffffffffffffffffffffffffffffffff";
    assert_eq!(by_form(&with("AccountSid", other_account)), Err(ParseError::Foreign));
    assert_eq!(by_form(&with("WorkspaceSid", other_workspace)), Err(ParseError::Foreign));
    let anywhere = Ours { workspace: None, ..ours() };
    let body = encode(&with("WorkspaceSid", other_workspace));
    assert!(from_form(&Form::parse(body.as_bytes()).unwrap(), &anywhere).is_ok());
}

#[test]
fn a_field_that_is_missing_or_nonsense_is_named_and_not_repeated() {
    for field in ["AccountSid", "EventType", "Sid", "ReservationSid", "TaskSid", "WorkerSid"] {
        assert_eq!(by_form(&with(field, "")), Err(ParseError::Malformed { field }));
    }
    for field in ["Sid", "ReservationSid", "TaskSid", "WorkerSid", "WorkflowSid", "ReservationVersion", "TimestampMs"] {
        let error = by_form(&with(field, "x15550100")).unwrap_err();
        assert_eq!(error, ParseError::Malformed { field });
        assert!(!error.to_string().contains("5550100"));
    }
}

#[test]
fn one_malformed_event_does_not_spoil_its_batch() {
    let mut bad = object(snake);
    bad.remove("worker_sid");
    let batch = serde_json::to_vec(&json!([cloud_event(&bad), cloud_event(&object(snake)), {}])).unwrap();
    let parsed = from_batch(&batch, &ours()).unwrap();
    assert_eq!(parsed[0], Err(ParseError::Malformed { field: "WorkerSid" }));
    assert!(matches!(parsed[1], Ok(Parsed::Event(_))));
    assert_eq!(parsed[2], Err(ParseError::Malformed { field: "type" }));
}

#[test]
fn a_body_that_is_no_batch_is_refused() {
    let deep = format!("{}1{}", "[".repeat(33), "]".repeat(33));
    let deep_in_event = format!("[{{\"data\":{}1{}}}]", "[".repeat(31), "]".repeat(31));
    for body in ["", "{}", "[1]", "[{]", &deep, &deep_in_event, &"[".repeat(65_536)] {
        assert_eq!(from_batch(body.as_bytes(), &ours()), Err(ParseError::Malformed { field: "body" }));
    }
    assert_eq!(from_batch(b"[]", &ours()), Ok(Vec::new()));
}

#[test]
fn brackets_within_texts_are_no_nesting() {
    assert_eq!(nesting(br#"["[[[\"[[", {"a": "{"}]"#), 2);
}

#[test]
fn a_legs_status_is_read_with_the_names_that_we_gave() {
    let fields = [("AccountSid", ACCOUNT), ("CallSid", CALL), ("CallStatus", "no-answer"), ("SequenceNumber", "5")];
    let Event::Leg(event) = event(by_call_status(&fields, QUERY)) else { panic!("another event") };
    assert_eq!(event.call.to_string(), "00000000000000ff-7");
    assert_eq!((event.leg, event.status, event.sequence), (crate::domain::LegNo(2), LegStatus::NoAnswer, 5));
    assert_eq!(event.call_sid.as_str(), CALL);
}

#[test]
fn a_status_without_a_number_gets_its_usual_place() {
    for (text, status, sequence) in [
        ("queued", LegStatus::Initiated, 0),
        ("initiated", LegStatus::Initiated, 0),
        ("ringing", LegStatus::Ringing, 1),
        ("in-progress", LegStatus::InProgress, 2),
        ("completed", LegStatus::Completed, 3),
        ("busy", LegStatus::Busy, 3),
        ("failed", LegStatus::Failed, 3),
        ("canceled", LegStatus::Canceled, 3),
    ] {
        let fields = [("AccountSid", ACCOUNT), ("CallSid", CALL), ("CallStatus", text)];
        let Event::Leg(event) = event(by_call_status(&fields, QUERY)) else { panic!("another event") };
        assert_eq!((event.status, event.sequence), (status, sequence));
    }
}

#[test]
fn a_callback_without_our_names_is_refused() {
    let fields = [("AccountSid", ACCOUNT), ("CallSid", CALL), ("CallStatus", "ringing")];
    for (query, field) in [
        (&b""[..], "call"),
        (b"call=x&leg=1", "call"),
        (b"call=00000000000000ff-7", "leg"),
        (b"call=00000000000000ff-7&leg=0", "leg"),
        (b"call=00000000000000ff-7&leg=256", "leg"),
    ] {
        assert_eq!(by_call_status(&fields, query), Err(ParseError::Malformed { field }));
    }
    let status = [("AccountSid", ACCOUNT), ("CallSid", CALL), ("CallStatus", "gone")];
    assert_eq!(by_call_status(&status, QUERY), Err(ParseError::Malformed { field: "CallStatus" }));
}

#[test]
fn a_conferences_events_are_read() {
    for (text, kind) in [
        ("conference-start", ConferenceEventKind::Start),
        ("conference-end", ConferenceEventKind::End),
        ("participant-join", ConferenceEventKind::Join),
        ("participant-leave", ConferenceEventKind::Leave),
    ] {
        let fields = [
            ("AccountSid", ACCOUNT),
            ("ConferenceSid", CONFERENCE),
            ("StatusCallbackEvent", text),
            ("SequenceNumber", "3"),
            ("CallSid", CALL),
        ];
        let Event::Conference(event) = event(by_conference_status(&fields)) else { panic!("another event") };
        assert_eq!((event.kind, event.sequence), (kind, 3));
        assert_eq!(event.participant.unwrap().as_str(), CALL);
    }
    let muted = [("AccountSid", ACCOUNT), ("ConferenceSid", CONFERENCE), ("StatusCallbackEvent", "participant-mute")];
    assert_eq!(by_conference_status(&muted), Ok(Parsed::Ignored { kind: "conference" }));
}

#[test]
fn two_participants_who_join_without_numbers_are_two_events() {
    let key = |call| {
        let fields = [
            ("AccountSid", ACCOUNT),
            ("ConferenceSid", CONFERENCE),
            ("StatusCallbackEvent", "participant-join"),
            ("CallSid", call),
        ];
        event(by_conference_status(&fields)).key()
    };
    assert_eq!(key(CALL), key(CALL));
    assert_ne!(key(CALL), key("CAffffffffffffffffffffffffffffffff"));
}

proptest! {
    #[test]
    fn no_bytes_make_the_parsers_panic(body: Vec<u8>, query: Vec<u8>) {
        let _ = from_batch(&body, &ours());
        if let (Ok(form), Ok(query)) = (Form::parse(&body), Form::parse(&query)) {
            let _ = from_form(&form, &ours());
            let _ = from_conversation(&form, &ours());
            let _ = from_call_status(&form, &query, &ours());
            let _ = from_conference_status(&form, &query, &ours());
        }
    }

    #[test]
    fn no_value_in_a_known_field_makes_the_parsers_panic(at in 0..18_usize, value: String) {
        let mut fields = reservation_fields();
        fields[at].1 = &value;
        let _ = by_form(&fields);
        let object: Map<String, Value> = fields.iter().map(|(name, value)| (snake(name), json!(value))).collect();
        let _ = from_resource(&object, &ours());
        let _ = from_batch(&serde_json::to_vec(&json!([cloud_event(&object)])).unwrap(), &ours());
    }
}

#[test]
fn who_picks_up_is_told_by_leg_and_key() {
    let pick_up = |digits: &str, query: &[u8]| {
        let body =
            encode(&[("AccountSid", ACCOUNT), ("CallSid", CALL), ("CallStatus", "in-progress"), ("Digits", digits)]);
        from_pick_up(&Form::parse(body.as_bytes()).unwrap(), &Form::parse(query).unwrap(), &ours())
    };
    for (digits, key) in
        [("", None), ("1", Some(Key::One)), ("2", Some(Key::Other)), ("#", Some(Key::Other)), ("11", Some(Key::Other))]
    {
        let PickUp { call, leg, call_sid, key: pressed } = pick_up(digits, QUERY).unwrap();
        assert_eq!((call.to_string().as_str(), leg, call_sid.as_str()), ("00000000000000ff-7", LegNo(2), CALL));
        assert_eq!(pressed, key, "{digits}");
    }
    assert_eq!(pick_up("1", b"leg=2").unwrap_err(), ParseError::Malformed { field: "call" });
}
