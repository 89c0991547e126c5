//! How an agent who accepts a chat gets into it.

use super::bench::{ADA, BO, Bench, CUSTOMER, code};
use crate::world::words::{
    ReservationStatus::{Accepted, Canceled, Pending},
    TaskStatus,
};

const IDENTITY: &str = "user_2D_2B4915550101001";

#[test]
fn an_interactions_reservation_is_on_hold_until_its_agent_is_in_the_conversation() {
    let mut bench = Bench::of(&[ADA], |options| options.join_ms = 130_000);
    let chat = bench.customer_writes();
    let reservation = bench.reservation(&chat.task);
    let answer = bench.update(&chat.task, &reservation, &[("ReservationStatus", "accepted")]);
    assert_eq!(answer.body.expect("a body")["reservation_status"], "pending");
    let on_hold = bench.world.snapshot(usize::MAX).reservation_of(&chat.task).map(|row| row.on_hold);
    assert_eq!(on_hold, Some(true));
    let again = bench.update(&chat.task, &reservation, &[("ReservationStatus", "accepted")]);
    assert_eq!(code(&again), (400, 20001), "an answer is given once");
    bench.wait(125);
    assert_eq!(bench.reservations(&chat.task), [Pending], "its timeout is ignored meanwhile");
    assert!(bench.conversation(&chat).participant(IDENTITY).is_none());
    bench.wait(5);
    assert_eq!((bench.reservations(&chat.task), bench.task_status(&chat.task)), (vec![Accepted], TaskStatus::Assigned));
    assert!(bench.conversation(&chat).participant(IDENTITY).is_some());
}

#[test]
fn the_agent_is_in_before_the_reservation_is_accepted() {
    let mut bench = Bench::with(&[ADA]);
    bench.world.set_conversations_webhook("http://gateway/conversations");
    let chat = bench.customer_writes();
    let reservation = bench.reservation(&chat.task);
    bench.sent("gateway", &[]);
    bench.act(|world| world.desk_accepts(&reservation)).expect("it is pending");
    bench.wait(1);
    assert_eq!(bench.sent("gateway", &["EventType"]), ["onParticipantAdded", "reservation.accepted"]);
}

#[test]
fn an_agent_who_does_not_get_in_loses_the_reservation_and_the_task_goes_to_the_next() {
    let mut bench = Bench::with(&[ADA, BO]);
    let chat = bench.customer_writes();
    assert_eq!(bench.offered_to(&chat.task), ADA);
    bench.world.failing_joins = 1;
    let reservation = bench.reservation(&chat.task);
    bench.act(|world| world.desk_accepts(&reservation)).expect("it is pending");
    bench.wait(1);
    assert_eq!(
        (bench.reservations(&chat.task), bench.offered_to(&chat.task)),
        (vec![Canceled, Pending], BO.to_owned())
    );
    assert_eq!(bench.conversation(&chat).participants.len(), 1);
}

#[test]
fn a_plain_chat_is_accepted_at_once() {
    let mut bench = Bench::with(&[ADA]);
    let chat = bench.act(|world| world.start_plain_chat(CUSTOMER, "Grace", "Hello?"));
    let reservation = bench.reservation(&chat.task);
    let answer = bench.update(&chat.task, &reservation, &[("ReservationStatus", "accepted")]);
    assert_eq!(answer.body.expect("a body")["reservation_status"], "accepted");
    assert!(bench.conversation(&chat).participant(IDENTITY).is_some());
}

#[test]
fn a_task_made_by_rest_is_a_plain_chats_if_it_names_a_conversation() {
    let mut bench = Bench::with(&[ADA]);
    let chat = bench.customer_writes();
    let attributes = format!(r#"{{"conversationSid":"{}"}}"#, chat.conversation);
    let path = format!("{}/Tasks", bench.workspace());
    let created = bench.request("POST", &path, &[("TaskChannel", "chat"), ("Attributes", &attributes)]);
    let task = created.body.expect("a body")["sid"].as_str().expect("a sid").into();
    let state = bench.world.snapshot(usize::MAX);
    assert_eq!(state.conversation_of(&task).map(|row| &row.sid), Some(&chat.conversation));
}

#[test]
fn a_customer_who_ends_the_chat_takes_the_offer_along_even_one_that_is_being_accepted() {
    for accepts in [false, true] {
        let mut bench = Bench::with(&[ADA]);
        let chat = bench.customer_writes();
        let reservation = bench.reservation(&chat.task);
        if accepts {
            bench.act(|world| world.desk_accepts(&reservation)).expect("it is pending");
        }
        bench.act(|world| world.customer_closes(&chat.conversation)).expect("it is open");
        bench.wait(1);
        assert_eq!(
            (bench.reservations(&chat.task), bench.task_status(&chat.task)),
            (vec![Canceled], TaskStatus::Canceled)
        );
    }
}
