//! Who hangs up, and what ends with it.

use super::bench::{ADA, Bench, code};
use crate::world::words::{
    CallStatus, ConferenceStatus, EndReason,
    ReservationStatus::{Accepted, Canceled, Wrapping},
    TaskStatus,
};

#[test]
fn a_customer_who_hangs_up_in_the_queue_cancels_the_task() {
    let mut bench = Bench::with(&[ADA]);
    let (call, task) = bench.customer_calls();
    bench.act(|world| world.customer_hangs_up(&call)).expect("a live call");
    assert_eq!((bench.reservations(&task), bench.task_status(&task)), (vec![Canceled], TaskStatus::Canceled));
    assert_eq!(bench.world.tasks.get(&task).and_then(|row| row.reason.clone()).as_deref(), Some("hangup"));
}

#[test]
fn a_customer_who_hangs_up_stops_the_ringing() {
    let mut bench = Bench::with(&[ADA]);
    let (call, task) = bench.customer_calls();
    bench.instruct(&task, ADA);
    bench.act(|world| world.customer_hangs_up(&call)).expect("a live call");
    assert!(!bench.is_ringing(ADA));
    assert_eq!((bench.reservations(&task), bench.task_status(&task)), (vec![Canceled], TaskStatus::Canceled));
}

#[test]
fn whoever_hangs_up_ends_the_conference_and_the_reservation_stays() {
    for agent_hangs_up in [true, false] {
        let mut bench = Bench::with(&[ADA]);
        let (call, task) = bench.connected(ADA);
        if agent_hangs_up {
            bench.act(|world| world.phone_hangs_up(ADA)).expect("a live call");
        } else {
            bench.act(|world| world.customer_hangs_up(&call)).expect("a live call");
        }
        let snapshot = bench.world.snapshot(usize::MAX);
        assert_eq!(snapshot.conferences[0].status, ConferenceStatus::Completed);
        assert!(snapshot.calls.iter().all(|call| call.status == CallStatus::Completed));
        assert_eq!((bench.reservations(&task), bench.task_status(&task)), (vec![Accepted], TaskStatus::Assigned));
    }
}

#[test]
fn with_automatic_wrap_up_the_end_of_the_call_moves_the_reservation() {
    let mut bench = Bench::of(&[ADA], |options| options.auto_wrapup = true);
    let (_, task) = bench.connected(ADA);
    bench.act(|world| world.phone_hangs_up(ADA)).expect("a live call");
    assert_eq!(bench.reservations(&task), [Wrapping]);
}

#[test]
fn without_end_on_exit_the_customer_waits_alone() {
    let mut bench = Bench::with(&[ADA]);
    let (call, task) = bench.customer_calls();
    let reservation = bench.reservation(&task);
    bench.update(&task, &reservation, &[("Instruction", "conference"), ("To", ADA), ("From", "+15550100")]);
    bench.act(|world| world.phone_answers(ADA)).expect("it rings");
    bench.act(|world| world.phone_hangs_up(ADA)).expect("a live call");
    assert_eq!(bench.world.calls.get(&call).map(|row| row.status), Some(CallStatus::InProgress));
    bench.act(|world| world.customer_hangs_up(&call)).expect("a live call");
    let conference = bench.world.conferences.iter().next().expect("a conference");
    assert_eq!(conference.ended_because, Some(EndReason::LastLeft));
}

#[test]
fn a_conference_that_is_ended_by_rest_ends_its_calls() {
    let mut bench = Bench::with(&[ADA]);
    let (_, task) = bench.connected(ADA);
    let found = bench.request("GET", &format!("{}/Conferences.json?FriendlyName={task}", bench.account()), &[]);
    let sid = found.body.expect("a body")["conferences"][0]["sid"].as_str().expect("a sid").to_owned();
    let path = format!("{}/Conferences/{sid}.json", bench.account());
    let ended = bench.request("POST", &path, &[("Status", "completed")]).body.expect("a body");
    assert_eq!(ended["reason_conference_ended"], "conference-ended-via-api");
    assert!(bench.world.calls.iter().all(|call| !call.is_live()));
    assert_eq!(code(&bench.request("POST", &path, &[("Status", "completed")])), (400, 20001));
}

#[test]
fn a_call_that_is_over_cannot_be_changed() {
    let mut bench = Bench::with(&[ADA]);
    let (call, _) = bench.customer_calls();
    let path = format!("{}/Calls/{call}.json", bench.account());
    assert_eq!(code(&bench.request("POST", &path, &[("Status", "canceled")])), (400, 21220), "it is in progress");
    assert_eq!(bench.request("POST", &path, &[("Status", "completed")]).status, 200);
    assert_eq!(code(&bench.request("POST", &path, &[("Status", "completed")])), (400, 21220));
}

#[test]
fn a_participant_is_added_and_removed_by_rest() {
    let mut bench = Bench::with(&[ADA]);
    let (_, task) = bench.connected(ADA);
    let path = format!("{}/Conferences/{task}/Participants", bench.account());
    let added = bench.request("POST", &format!("{path}.json"), &[("From", "+15550100"), ("To", "+15550177")]);
    assert_eq!(added.status, 201);
    let call = added.body.expect("a body")["call_sid"].as_str().expect("a sid").to_owned();
    bench.act(|world| world.phone_answers("+15550177")).expect("it rings");
    let listed = bench.request("GET", &format!("{path}.json"), &[]).body.expect("a body");
    assert_eq!(listed["participants"].as_array().map(Vec::len), Some(3));
    assert_eq!(bench.request("DELETE", &format!("{path}/{call}.json"), &[]).status, 204);
    assert_eq!(bench.request("GET", &format!("{path}/{call}.json"), &[]).status, 404);
}

#[test]
fn old_tasks_are_forgotten_with_all_that_belongs_to_them() {
    let mut bench = Bench::with(&[ADA]);
    bench.world.rules.tasks_kept = 10;
    for _ in 0..30 {
        let (call, _) = bench.connected(ADA);
        let task = bench.world.calls.get(&call).and_then(|row| row.task.clone()).expect("a task");
        bench.act(|world| world.phone_hangs_up(ADA)).expect("a live call");
        let reservation = bench.reservation(&task);
        bench.update(&task, &reservation, &[("ReservationStatus", "completed")]);
        bench.world.take_webhooks();
    }
    let world = &bench.world;
    assert_eq!((world.tasks.len(), world.reservations.len(), world.conferences.len()), (10, 10, 10));
    assert_eq!(world.calls.len(), 20);
}
