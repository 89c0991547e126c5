//! Webhooks and the Events resource.

use super::bench::{ADA, Bench};

#[test]
fn a_call_that_is_taken_is_told_event_by_event() {
    let mut bench = Bench::with(&[ADA]);
    bench.connected(ADA);
    let told = bench.sent("/events", &["EventType", "TaskAssignmentStatus", "ReservationVersion"]);
    let about_reservations: Vec<_> = told.iter().filter(|event| event.starts_with("reservation")).collect();
    assert_eq!(about_reservations, ["reservation.created reserved 0", "reservation.accepted assigned 1"]);
    assert!(told.contains(&"task.created pending -".to_owned()));
}

#[test]
fn a_leg_is_told_step_by_step_with_rising_numbers() {
    let mut bench = Bench::with(&[ADA]);
    bench.connected(ADA);
    bench.wait(42);
    bench.act(|world| world.phone_hangs_up(ADA)).expect("a live call");
    let told = bench.sent("/call?", &["CallStatus", "SequenceNumber", "CallDuration"]);
    assert_eq!(told, ["initiated 0 -", "ringing 1 -", "in-progress 2 -", "completed 3 42"]);
}

#[test]
fn a_conference_is_told_from_its_start_to_its_end() {
    let mut bench = Bench::with(&[ADA]);
    bench.connected(ADA);
    bench.act(|world| world.phone_hangs_up(ADA)).expect("a live call");
    let told = bench.sent("/conference", &["StatusCallbackEvent", "ReasonParticipantLeft", "ReasonConferenceEnded"]);
    assert_eq!(
        told,
        [
            "participant-join - -",
            "participant-join - -",
            "conference-start - -",
            "participant-leave participant_hung_up -",
            "participant-leave moderator_ended_conference -",
            "conference-end - participant-with-end-conference-on-exit-left",
        ]
    );
}

#[test]
fn a_leg_that_fails_is_told_as_one_that_could_not_be_added() {
    let mut bench = Bench::with(&[ADA]);
    let (_, task) = bench.customer_calls();
    bench.instruct(&task, ADA);
    bench.act(|world| world.phone_declines(ADA)).expect("it rings");
    let told = bench.sent("/conference", &["StatusCallbackEvent", "ParticipantCallStatus", "ReasonParticipantLeft"]);
    assert_eq!(told, ["participant-leave busy participant_add_failed"]);
}

#[test]
fn without_wishes_a_callback_hears_of_the_end_alone() {
    let mut bench = Bench::with(&[ADA]);
    let (_, task) = bench.customer_calls();
    let reservation = bench.reservation(&task);
    let order = [("Instruction", "conference"), ("From", "+15550100"), ("StatusCallback", "http://gateway/call")];
    bench.update(&task, &reservation, &order);
    bench.act(|world| world.phone_declines(ADA)).expect("it rings");
    assert_eq!(bench.sent("/call", &["CallStatus", "SequenceNumber"]), ["busy 0"]);
}

#[test]
fn the_events_filter_keeps_the_rest_away() {
    let mut bench = Bench::with(&[ADA]);
    let path = bench.workspace();
    bench.request("POST", &path, &[("EventsFilter", "reservation.created,reservation.canceled")]);
    bench.connected(ADA);
    assert_eq!(bench.sent("/events", &["EventType"]), ["reservation.created"]);
}

#[test]
fn the_events_resource_lists_the_latest_first_and_by_what_is_asked() {
    let mut bench = Bench::with(&[ADA]);
    let (_, task) = bench.connected(ADA);
    let path = format!("{}/Events?TaskSid={task}&Minutes=5", bench.workspace());
    let body = bench.request("GET", &path, &[]).body.expect("a body");
    assert_eq!(body["events"][0]["event_type"], "reservation.accepted");
    assert_eq!(body["events"][0]["event_data"]["task_sid"], task.as_str());
    assert_eq!(body["events"][0]["event_data"]["task_channel_unique_name"], "voice");
    bench.wait(600);
    let body = bench.request("GET", &path, &[]).body.expect("a body");
    assert_eq!(body["events"].as_array().map(Vec::len), Some(0), "older than five minutes");
}

#[test]
fn a_recorded_conference_reports_its_recording() {
    let mut bench = Bench::with(&[ADA]);
    let (_, task) = bench.customer_calls();
    let reservation = bench.reservation(&task);
    let order = [
        ("Instruction", "conference"),
        ("From", "+15550100"),
        ("EndConferenceOnExit", "true"),
        ("ConferenceRecord", "true"),
        ("ConferenceRecordingStatusCallback", "http://gateway/recording"),
    ];
    bench.update(&task, &reservation, &order);
    bench.act(|world| world.phone_answers(ADA)).expect("it rings");
    bench.act(|world| world.phone_hangs_up(ADA)).expect("a live call");
    assert_eq!(bench.sent("/recording", &["RecordingStatus"]), ["completed"]);
}
