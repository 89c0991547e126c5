//! Who is offered a task, and what becomes of an offer that is not taken.

use super::bench::{ADA, BO, Bench, code};
use crate::world::words::{
    CallStatus,
    ReservationStatus::{Accepted, Canceled, Pending, Rejected, Timeout},
    TaskStatus,
};

#[test]
fn a_task_waits_until_a_worker_is_available() {
    let mut bench = Bench::with(&[ADA]);
    bench.act(|world| world.desk_sets_activity(ADA, "Offline")).expect("known");
    let (_, task) = bench.customer_calls();
    assert_eq!(bench.task_status(&task), TaskStatus::Pending);
    bench.act(|world| world.desk_sets_activity(ADA, "Available on Mobile")).expect("known");
    assert_eq!(bench.reservations(&task), [Pending]);
}

#[test]
fn a_worker_is_offered_one_call_at_a_time() {
    let mut bench = Bench::with(&[ADA]);
    let (_, first) = bench.customer_calls();
    let (_, second) = bench.customer_calls();
    assert_eq!(bench.task_status(&second), TaskStatus::Pending);
    let reservation = bench.reservation(&first);
    bench.update(&first, &reservation, &[("ReservationStatus", "accepted")]);
    bench.update(&first, &reservation, &[("ReservationStatus", "wrapping")]);
    assert_eq!(bench.task_status(&second), TaskStatus::Pending, "wrapping up fills the capacity");
    bench.update(&first, &reservation, &[("ReservationStatus", "completed")]);
    assert_eq!(bench.task_status(&second), TaskStatus::Reserved);
}

#[test]
fn a_rejected_task_goes_to_the_next_worker() {
    let mut bench = Bench::with(&[ADA, BO]);
    let (_, task) = bench.customer_calls();
    assert_eq!(bench.offered_to(&task), ADA);
    let reservation = bench.reservation(&task);
    bench.update(&task, &reservation, &[("ReservationStatus", "rejected")]);
    assert_eq!(bench.reservations(&task), [Rejected, Pending]);
    assert_eq!(bench.offered_to(&task), BO);
}

#[test]
fn a_lone_worker_is_offered_the_task_again_up_to_the_maximum() {
    let mut bench = Bench::of(&[ADA], |options| options.max_assignments = 3);
    let (call, task) = bench.customer_calls();
    for _ in 0..3 {
        let reservation = bench.reservation(&task);
        bench.update(&task, &reservation, &[("Instruction", "reject")]);
    }
    assert_eq!(bench.reservations(&task), [Rejected; 3]);
    assert_eq!(bench.task_status(&task), TaskStatus::Canceled);
    assert_eq!(bench.world.calls.get(&call).map(|row| row.status), Some(CallStatus::Completed));
}

#[test]
fn an_offer_that_is_not_taken_in_time_takes_its_worker_off_line() {
    let mut bench = Bench::with(&[ADA, BO]);
    let (_, task) = bench.customer_calls();
    bench.wait(119);
    assert_eq!(bench.reservations(&task), [Pending]);
    bench.wait(1);
    assert_eq!(bench.reservations(&task), [Timeout, Pending]);
    assert_eq!((bench.activity(ADA), bench.offered_to(&task)), ("Offline".to_owned(), BO.to_owned()));
}

#[test]
fn going_unavailable_rejects_what_is_pending_if_it_is_asked_for() {
    for (reject, after) in [("true", vec![Rejected]), ("false", vec![Pending])] {
        let mut bench = Bench::with(&[ADA]);
        let (_, task) = bench.customer_calls();
        let worker = bench.world.workers.iter().next().map(|row| row.sid.clone()).expect("a worker");
        let offline = bench.world.activity_named("Offline").expect("an activity").to_string();
        let path = format!("{}/Workers/{worker}", bench.workspace());
        let answer = bench.request("POST", &path, &[("ActivitySid", &offline), ("RejectPendingReservations", reject)]);
        assert_eq!(answer.body.expect("a body")["activity_name"], "Offline");
        assert_eq!(bench.reservations(&task), after);
    }
}

#[test]
fn rejecting_with_an_activity_moves_the_worker_before_the_task_is_offered_again() {
    let mut bench = Bench::with(&[ADA]);
    let (_, task) = bench.customer_calls();
    let offline = bench.world.activity_named("Offline").expect("an activity").to_string();
    let reservation = bench.reservation(&task);
    bench.update(&task, &reservation, &[("ReservationStatus", "rejected"), ("WorkerActivitySid", &offline)]);
    assert_eq!((bench.reservations(&task), bench.activity(ADA)), (vec![Rejected], "Offline".to_owned()));
}

#[test]
fn a_task_for_a_named_worker_goes_to_that_one_whatever_the_capacity() {
    let mut bench = Bench::with(&[ADA, BO]);
    bench.connected(ADA);
    let worker = bench.world.workers.iter().next().map(|row| row.sid.to_string()).expect("a worker");
    let path = format!("{}/Tasks", bench.workspace());
    let created = bench.request("POST", &path, &[("TaskChannel", "voice"), ("RoutingTarget", &worker)]);
    let task = created.body.expect("a body")["sid"].as_str().expect("a sid").into();
    assert_eq!(bench.offered_to(&task), ADA);
    let busy = bench.request(
        "POST",
        &path,
        &[("TaskChannel", "voice"), ("RoutingTarget", &worker), ("IgnoreCapacity", "false")],
    );
    assert_eq!(busy.body.expect("a body")["assignment_status"], "pending");
}

#[test]
fn a_reservation_moves_only_along_its_way() {
    // From each state (as a number of steps already gone) what is refused.
    let steps = ["accepted", "wrapping", "completed"];
    let refused: [(usize, &[&str]); 4] = [
        (0, &["wrapping", "completed", "canceled", "nonsense"]),
        (1, &["accepted", "rejected"]),
        (2, &["accepted", "rejected", "wrapping"]),
        (3, &["accepted", "rejected", "wrapping", "completed"]),
    ];
    for (gone, statuses) in refused {
        for status in statuses {
            let mut bench = Bench::with(&[ADA]);
            let (_, task) = bench.customer_calls();
            let reservation = bench.reservation(&task);
            for step in &steps[..gone] {
                assert_eq!(bench.update(&task, &reservation, &[("ReservationStatus", step)]).status, 200);
            }
            let answer = bench.update(&task, &reservation, &[("ReservationStatus", status)]);
            assert_eq!(code(&answer), (400, 20001), "{status} after {gone} steps");
        }
    }
}

#[test]
fn an_accepted_reservation_may_be_completed_without_wrapping_up() {
    let mut bench = Bench::with(&[ADA]);
    let (_, task) = bench.connected(ADA);
    let reservation = bench.reservation(&task);
    assert_eq!(bench.reservations(&task), [Accepted]);
    assert_eq!(bench.update(&task, &reservation, &[("ReservationStatus", "completed")]).status, 200);
    assert_eq!(bench.task_status(&task), TaskStatus::Completed);
}

#[test]
fn a_task_is_canceled_by_rest_with_the_offer_that_is_out() {
    let mut bench = Bench::with(&[ADA]);
    let (_, task) = bench.customer_calls();
    let path = format!("{}/Tasks/{task}", bench.workspace());
    let answer = bench.request("POST", &path, &[("AssignmentStatus", "canceled"), ("Reason", "test")]);
    assert_eq!(answer.body.expect("a body")["assignment_status"], "canceled");
    assert_eq!(bench.reservations(&task), [Canceled]);
    assert_eq!(code(&bench.request("POST", &path, &[("AssignmentStatus", "canceled")])), (400, 20001));
}
