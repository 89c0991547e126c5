//! The conference instruction and the leg that follows.

use super::bench::{ADA, BO, Bench, code};
use crate::{
    options::Auto,
    world::words::{
        CallStatus, ConferenceStatus,
        ReservationStatus::{Accepted, Canceled, Pending},
        TaskStatus,
    },
};

#[test]
fn the_instruction_rings_the_phone_and_the_answer_accepts_the_reservation() {
    let mut bench = Bench::with(&[ADA]);
    let (call, task) = bench.customer_calls();
    let answer = bench.instruct(&task, ADA);
    assert_eq!(answer.body.expect("a body")["reservation_status"], "pending");
    assert!(bench.is_ringing(ADA));
    bench.act(|world| world.phone_answers(ADA)).expect("a ringing phone");
    assert_eq!(bench.reservations(&task), [Accepted]);
    assert_eq!(bench.task_status(&task), TaskStatus::Assigned);
    let snapshot = bench.world.snapshot(usize::MAX);
    assert_eq!(snapshot.conferences[0].status, ConferenceStatus::InProgress);
    assert_eq!(snapshot.conferences[0].participants.len(), 2);
    assert!(snapshot.call(&call).is_some_and(|call| call.conference_sid.is_some()));
}

#[test]
fn a_second_instruction_is_refused_as_not_pending() {
    let mut bench = Bench::with(&[ADA]);
    let (_, task) = bench.customer_calls();
    assert_eq!(bench.instruct(&task, ADA).status, 200);
    assert_eq!(code(&bench.instruct(&task, ADA)), (400, 40136));
}

#[test]
fn an_instruction_after_the_caller_has_gone_is_refused_as_canceled() {
    let mut bench = Bench::with(&[ADA]);
    let (call, task) = bench.customer_calls();
    bench.act(|world| world.customer_hangs_up(&call)).expect("a live call");
    assert_eq!(code(&bench.instruct(&task, ADA)), (400, 40144));
}

#[test]
fn a_caller_id_that_is_not_the_accounts_is_refused() {
    for from in ["+15559999", "nonsense", ""] {
        let mut bench = Bench::with(&[ADA]);
        let (_, task) = bench.customer_calls();
        let reservation = bench.reservation(&task);
        let answer = bench.update(&task, &reservation, &[("Instruction", "conference"), ("To", ADA), ("From", from)]);
        assert_eq!(code(&answer), (400, 40141), "from {from:?}");
        assert_eq!(bench.reservations(&task), [Pending], "a refusal changes nothing");
    }
}

#[test]
fn an_address_that_cannot_be_called_is_refused() {
    for to in ["nonsense", "+1", "sip:", "+15550199"] {
        let mut bench = Bench::with(&[ADA]);
        bench.world.unroutable.push("+15550199".into());
        let (_, task) = bench.customer_calls();
        assert_eq!(code(&bench.instruct(&task, to)), (400, 40145), "to {to:?}");
    }
}

#[test]
fn without_an_address_the_workers_contact_uri_is_called() {
    let mut bench = Bench::with(&[ADA]);
    let (_, task) = bench.customer_calls();
    let reservation = bench.reservation(&task);
    bench.update(&task, &reservation, &[("Instruction", "conference"), ("From", "+15550100")]);
    assert!(bench.is_ringing(ADA));
}

#[test]
fn a_task_that_was_not_enqueued_takes_no_conference_instruction() {
    let mut bench = Bench::with(&[ADA]);
    let path = format!("{}/Tasks", bench.workspace());
    let created = bench.request("POST", &path, &[("TaskChannel", "voice"), ("Attributes", "{}")]);
    assert_eq!(created.status, 201);
    let task = created.body.expect("a body")["sid"].as_str().expect("a sid").into();
    assert_eq!(code(&bench.instruct(&task, ADA)), (400, 40151));
}

#[test]
fn on_hold_the_reservations_timeout_stops() {
    let mut bench = Bench::of(&[ADA], |options| options.reservation_timeout_s = 10);
    let (_, task) = bench.customer_calls();
    bench.instruct(&task, ADA);
    bench.wait(15);
    assert_eq!(bench.reservations(&task), [Pending]);
    assert_eq!(bench.activity(ADA), "Available on Mobile");
}

#[test]
fn it_rings_five_seconds_longer_than_it_was_told_to() {
    let mut bench = Bench::with(&[ADA]);
    let (_, task) = bench.customer_calls();
    bench.instruct(&task, ADA);
    bench.wait(19);
    assert!(bench.is_ringing(ADA));
    bench.wait(1);
    assert_eq!(bench.reservations(&task), [Canceled, Pending]);
}

#[test]
fn each_way_to_fail_cancels_the_reservation_and_requeues_the_task() {
    type Fail = fn(&mut Bench);
    let ways: [(&str, CallStatus, Fail); 5] = [
        ("declined", CallStatus::Busy, |bench| bench.act(|world| world.phone_declines(ADA)).expect("it rings")),
        ("given up", CallStatus::NoAnswer, |bench| {
            bench.act(|world| world.phone_is_not_answered(ADA)).expect("it rings")
        }),
        ("rung out", CallStatus::NoAnswer, |bench| bench.wait(20)),
        ("not reachable", CallStatus::Failed, |_| {}),
        ("ended by REST", CallStatus::Canceled, |bench| {
            let leg = bench.world.snapshot(usize::MAX).call_at(ADA).map(|call| call.sid.clone()).expect("it rings");
            let path = format!("{}/Calls/{leg}.json", bench.account());
            assert_eq!(bench.request("POST", &path, &[("Status", "canceled")]).status, 200);
        }),
    ];
    for (way, status, fail) in ways {
        let mut bench = Bench::with(&[ADA]);
        bench.world.set_reachable(ADA, way != "not reachable");
        let (_, task) = bench.customer_calls();
        bench.instruct(&task, ADA);
        fail(&mut bench);
        assert_eq!(bench.reservations(&task), [Canceled, Pending], "{way}");
        assert_eq!(bench.task_status(&task), TaskStatus::Reserved, "{way}: offered again");
        let legs: Vec<_> = bench.world.snapshot(usize::MAX).calls.iter().skip(1).map(|call| call.status).collect();
        assert_eq!(legs, [status], "{way}");
    }
}

#[test]
fn a_phone_that_is_talked_on_is_busy() {
    let mut bench = Bench::of(&[ADA, BO], |options| options.voice_capacity = 2);
    bench.connected(ADA);
    let (_, task) = bench.customer_calls();
    bench.instruct(&task, ADA);
    assert_eq!(bench.reservations(&task)[0], Canceled);
}

#[test]
fn a_phone_answers_by_itself_when_told_to() {
    let mut bench = Bench::with(&[ADA]);
    bench.world.set_auto(ADA, Auto::Answer { after_ms: 3_000 });
    let (_, task) = bench.customer_calls();
    bench.instruct(&task, ADA);
    bench.wait(2);
    assert_eq!(bench.reservations(&task), [Pending]);
    bench.wait(1);
    assert_eq!(bench.reservations(&task), [Accepted]);
}
