//! Instructions that Twilio refuses, does not hear, or hears without our knowing.

use std::time::Duration;

use super::{
    chats::accepts,
    twilio::{OFFLINE, sid},
    world::{Fate, World, close, instruct, reject},
};
use crate::agent::{
    Notice,
    request::{Answer, Offered, Refusal, Request},
};
use crate::call::Stage;
use crate::domain::{
    ReservationStatus::{Accepted, Canceled, Pending, Rejected, Rescinded, Timeout, Wrapping},
    Timestamp,
};

#[test]
fn a_number_that_cannot_be_called_passes_the_customer_on() {
    for refusal in [Refusal::Unroutable, Refusal::Other] {
        let mut world = World::new();
        world.twilio.max_assignments = 1;
        world.fate(instruct, Fate::Refused(refusal));
        let task = world.customer_calls();
        world.secs(1);
        assert_eq!((world.status(task), world.told(&Notice::CallMissed), world.stage()), (Rejected, 1, None));
    }
}

#[test]
fn a_customer_who_hung_up_before_the_instruction_is_not_missed() {
    for refusal in [Refusal::CallerGone, Refusal::NotFound] {
        let mut world = World::new();
        world.lose(|_| false).fate(instruct, Fate::Refused(refusal));
        world.customer_calls();
        assert_eq!((world.stage(), world.told(&Notice::CallMissed), world.count(reject)), (None, 0, 0));
        assert!(world.agent.is_idle(), "{refusal:?}");
    }
}

#[test]
fn an_instruction_that_comes_too_late_is_nobodys_miss() {
    for before in [Rejected, Rescinded, Canceled, Accepted] {
        let mut world = World::new();
        world.withhold(|_| true);
        let task = world.customer_calls();
        let created = world.mail();
        world.twilio.max_assignments = 1;
        world.lose(|_| true).at_desk(task, before);
        world.lose(|_| false).deliver(created).secs(60);
        let seen = (world.stage(), world.told(&Notice::CallMissed), world.count(close), world.status(task));
        assert_eq!(seen, (None, 0, 0, before));
    }
}

#[test]
fn a_customer_who_hangs_up_while_the_instruction_cannot_get_through_is_not_missed() {
    let mut world = World::new();
    world.weather.down_until = Some(world.now + Duration::from_secs(20));
    let task = world.customer_calls();
    world.secs(10).customer_hangs_up(task).secs(60);
    assert_eq!((world.stage(), world.told(&Notice::CallMissed)), (None, 0));
    assert_eq!(world.requests.iter().filter(|(at, _)| *at > super::world::NOON + Duration::from_secs(10)).count(), 0);
}

#[test]
fn an_instruction_gets_through_once_twilio_is_back_in_time() {
    let mut world = World::new();
    world.weather.down_until = Some(world.now + Duration::from_secs(50));
    let task = world.customer_calls();
    world.secs(55);
    assert!(world.rings());
    world.agent_answers().agent_hangs_up();
    assert_eq!(world.status(task), Wrapping);
}

#[test]
fn a_minute_without_twilio_loses_neither_the_task_nor_the_agent() {
    let mut world = World::new();
    world.twilio.reservation_timeout = Duration::from_secs(30);
    world.weather.down_until = Some(world.now + Duration::from_secs(60));
    let task = world.customer_calls();
    world.secs(60);
    assert_eq!((world.status(task), world.stage(), world.told(&Notice::CallMissed)), (Timeout, None, 0));
    assert_eq!(world.twilio.activity, OFFLINE, "Twilio's own timeout acted: nothing reached it");
    world.desk_picks(super::twilio::MOBILE).secs(1);
    assert!(world.rings());
    world.agent_answers().agent_hangs_up();
    assert_eq!(world.status(task), Wrapping);
}

#[test]
fn an_instruction_that_did_not_get_through_is_followed_by_a_rejection() {
    let mut world = World::new();
    world.twilio.max_assignments = 1;
    for _ in 0..100 {
        world.fate(instruct, Fate::NotDone);
    }
    let task = world.customer_calls();
    world.secs(48);
    assert_eq!(world.status(task), Pending);
    world.secs(8);
    assert_eq!((world.status(task), world.told(&Notice::CallMissed)), (Rejected, 0));
    assert!(world.is_on_mobile());
}

/// Whoever callbacks do not tell has only readings to go by.
fn unheard(fate: Fate) -> (World, usize) {
    let mut world = World::new();
    world.lose(super::world::of_leg).fate(instruct, fate);
    let task = world.customer_calls();
    (world, task)
}

#[test]
fn an_instruction_without_an_answer_that_was_taken_is_not_sent_again() {
    let (mut world, task) = unheard(Fate::UnknownDone);
    world.secs(2);
    assert_eq!((world.count(instruct), world.stage()), (1, Some(Stage::Ringing)));
    assert_eq!(world.count(|request| matches!(request, Request::ReadInstruction(_))), 1);
    world.agent_answers().secs(30).agent_hangs_up();
    assert_eq!(world.status(task), Wrapping);
}

#[test]
fn an_instruction_without_an_answer_that_was_not_taken_is_sent_again() {
    let (mut world, _) = unheard(Fate::UnknownNotDone);
    world.secs(3);
    assert_eq!(world.count(instruct), 2);
    assert!(world.rings());
    assert_eq!(world.twilio.legs.len(), 1);
}

#[test]
fn a_reading_without_an_answer_is_repeated_before_anything_else() {
    let (mut world, _) = unheard(Fate::UnknownNotDone);
    world.fate(|request| matches!(request, Request::ReadInstruction(_)), Fate::NotDone);
    world.fate(|request| matches!(request, Request::ReadInstruction(_)), Fate::UnknownNotDone);
    world.pass(Duration::from_millis(3_500));
    assert_eq!(world.count(instruct), 1);
    world.secs(10);
    assert_eq!((world.count(instruct), world.twilio.legs.len()), (2, 1));
}

#[test]
fn a_second_try_that_is_refused_means_that_the_first_was_taken() {
    let (mut world, task) = unheard(Fate::UnknownDone);
    let nothing = Answer::Instruction { status: Pending, conference: false };
    world.fate(|request| matches!(request, Request::ReadInstruction(_)), Fate::Says(nothing));
    world.secs(3);
    assert_eq!((world.count(instruct), world.stage(), world.twilio.legs.len()), (2, Some(Stage::Ringing), 1));
    world.agent_answers().agent_hangs_up();
    assert_eq!(world.status(task), Wrapping);
}

#[test]
fn a_callback_of_the_leg_answers_for_an_instruction_without_an_answer() {
    let mut world = World::new();
    world.fate(instruct, Fate::UnknownDone);
    world.customer_calls();
    world.secs(10);
    assert_eq!((world.stage(), world.requests.len()), (Some(Stage::Ringing), 1));
}

#[test]
fn an_instruction_that_may_have_been_taken_is_not_given_up_when_its_time_is_over() {
    let mut world = World::new();
    world.lose(super::world::of_leg);
    world.fate(instruct, Fate::UnknownDone);
    for _ in 0..100 {
        world.fate(|request| matches!(request, Request::ReadInstruction(_)), Fate::NotDone);
    }
    world.twilio.reservation_timeout = Duration::from_secs(15);
    let task = world.customer_calls();
    world.secs(11);
    assert_eq!((world.stage(), world.count(reject)), (Some(Stage::Ringing), 0));
    world.agent_answers().secs(60).agent_hangs_up().secs(100);
    assert_eq!((world.stage(), world.count(close)), (None, 1));
    assert_ne!(world.status(task), Accepted);
}

#[test]
fn what_twilio_refuses_for_now_is_asked_again_until_it_holds() {
    let mut world = World::new();
    let task = world.customer_calls();
    world.agent_answers();
    world.fate(close, Fate::Refused(Refusal::Other)).fate(close, Fate::Refused(Refusal::NotPending));
    world.agent_hangs_up();
    assert_eq!(world.status(task), Accepted);
    world.secs(10);
    assert_eq!((world.status(task), world.count(close)), (Wrapping, 3));
}

#[test]
fn the_end_of_a_task_reaches_twilio_after_an_hour_without_it() {
    let mut world = World::new();
    let task = world.customer_calls();
    world.agent_answers().weather.down_until = Some(world.now + Duration::from_secs(3600));
    world.agent_hangs_up().secs(3600 + 30);
    assert_ne!(world.status(task), Accepted);
    assert!(world.requests.len() < 200, "{}", world.requests.len());
}

#[test]
fn what_matters_less_does_not_push_out_what_matters_more() {
    let mut agent = World::new().agent;
    let (now, until) = (Timestamp::from_millis(0), Timestamp::from_millis(60_000));
    for number in 0..24 {
        let offered = Offered { reservation: sid("WR", number), task: sid("WT", number) };
        agent.owe(Request::Accept(offered), now, until);
    }
    agent.owe(Request::ReadWorker(super::twilio::worker()), now, until);
    assert_eq!(agent.duties.iter().filter(|duty| accepts(&duty.request)).count(), 24);
    let close = Request::Reject(Offered { reservation: sid("WR", 99), task: sid("WT", 99) });
    agent.owe(close, now, until);
    assert_eq!(agent.duties.iter().filter(|duty| accepts(&duty.request)).count(), 24);
}
