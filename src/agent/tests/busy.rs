//! Offers that come while the agent is on a call.

use super::{
    chats::accept,
    twilio::{DESK, Twilio},
    world::{World, instruct, reject},
};
use crate::agent::{Notice, command::Denial};
use crate::call::Stage;
use crate::domain::ReservationStatus::{Accepted, Completed, Pending, Rejected, Wrapping};

fn busy() -> World {
    let mut world = World::new();
    world.twilio.capacity = 2;
    world.customer_calls();
    world.agent_answers();
    world
}

#[test]
fn an_agent_who_talks_is_not_rung_but_turned_away_and_nothing_is_missed() {
    let mut world = busy();
    world.twilio.max_assignments = 1;
    let second = world.customer_calls();
    assert_eq!((world.status(second), world.count(instruct)), (Rejected, 1));
    assert_eq!((world.told(&Notice::RejectedBusy), world.told(&Notice::CallMissed)), (1, 0));
    assert_eq!(world.stage(), Some(Stage::Talking));
}

#[test]
fn an_agent_who_is_being_rung_is_not_rung_again() {
    let mut world = World::new();
    (world.twilio.capacity, world.twilio.max_assignments) = (2, 1);
    world.customer_calls();
    let second = world.customer_calls();
    assert_eq!((world.status(second), world.count(instruct)), (Rejected, 1));
}

#[test]
fn an_agent_who_is_alone_keeps_the_offer_and_gets_it_when_the_call_ends() {
    let mut world = busy();
    let second = world.customer_calls();
    world.secs(1);
    assert_eq!((world.assignments(second), world.status(second), world.rings()), (2, Pending, false));
    world.secs(20).agent_hangs_up();
    assert!(world.rings());
    world.agent_answers();
    assert_eq!((world.status(second), world.told(&Notice::CallMissed)), (Accepted, 0));
}

#[test]
fn a_tap_does_not_ring_an_offer_on_top_of_a_call() {
    let mut world = busy();
    let second = world.customer_calls();
    world.secs(1);
    assert_eq!(accept(&mut world, second), Err(Denial::NotPending));
    world.secs(5);
    assert_eq!((world.status(second), world.rings(), world.count(instruct)), (Pending, false, 1));
    world.agent_hangs_up();
    assert!(world.rings(), "it was kept");
    assert_eq!(accept(&mut world, second), Err(Denial::Taken));
    assert_eq!(world.twilio.violations, Vec::<String>::new());
}

#[test]
fn a_tap_rings_a_call_that_waits_for_its_moment_wherever_the_agent_is() {
    let mut world = World::new();
    world.twilio.activity = DESK;
    let task = world.customer_calls();
    assert_eq!((accept(&mut world, task), world.rings()), (Ok(()), true));
    world.agent_answers();
    assert_eq!(world.status(task), Accepted);

    let mut world = World::new();
    let task = world.customer_calls();
    world.secs(19);
    assert_eq!((world.assignments(task), world.rings()), (2, false), "it is held");
    assert_eq!((accept(&mut world, task), world.rings()), (Ok(()), true));
}

#[test]
fn a_tap_rings_nothing_for_an_agent_who_is_disabled() {
    let mut world = World::new();
    world.desk_picks(DESK);
    let task = world.customer_calls();
    world.profile_is(|profile| profile.disabled = true);
    assert_eq!((accept(&mut world, task), world.rings()), (Err(Denial::NotPending), false));
}

#[test]
fn an_offer_kept_too_long_is_turned_away_before_its_timeout() {
    let mut world = busy();
    let second = world.customer_calls();
    world.twilio.max_assignments = 2;
    world.secs(54);
    assert_eq!(world.status(second), Pending);
    world.secs(2);
    assert_eq!((world.status(second), world.told(&Notice::CallMissed)), (Rejected, 0));
    assert!(world.is_on_mobile());
}

#[test]
fn a_call_at_the_desk_counts_as_a_call() {
    let mut world = World::new();
    world.twilio.capacity = 2;
    world.twilio.new_task("voice", r#"{"direction":"outbound"}"#);
    world.secs(1).at_desk(0, Accepted);
    let second = world.customer_calls();
    world.secs(1);
    assert_eq!((world.count(instruct), world.assignments(second), world.status(second)), (0, 2, Pending));
    world.at_desk(0, Wrapping);
    assert!(world.rings());
}

#[test]
fn a_call_at_the_desk_whose_end_was_lost_is_found_out_about() {
    let mut world = World::new();
    world.twilio.capacity = 2;
    world.twilio.new_task("voice", r#"{"direction":"outbound"}"#);
    world.secs(1).at_desk(0, Accepted);
    world.lose(|_| true).at_desk(0, Completed).lose(|_| false);
    let second = world.customer_calls();
    world.secs(1);
    assert_eq!((world.assignments(second), world.rings()), (2, true));
    assert!(world.count(reject) == 1);
}

#[test]
fn a_chat_at_the_desk_is_no_call() {
    let mut world = World::new();
    world.twilio.capacity = 2;
    Twilio::new_task(&mut world.twilio, "chat", "{}");
    world.secs(1).at_desk(0, Accepted);
    world.customer_calls();
    assert!(world.rings());
}

#[test]
fn an_offer_for_which_the_agent_left_mobile_is_left_to_the_desk() {
    let mut world = busy();
    let second = world.customer_calls();
    world.secs(1).desk_picks(super::twilio::DESK);
    world.agent_hangs_up().secs(5);
    assert_eq!((world.status(second), world.rings()), (Pending, false));
}

#[test]
fn the_next_task_rings_while_the_last_callbacks_of_the_one_before_are_awaited() {
    let mut world = World::new();
    world.twilio.max_assignments = 1;
    world.withhold(super::world::of_leg);
    world.customer_calls();
    world.secs(18);
    let second = world.customer_calls();
    assert_eq!((world.status(second), world.stage(), world.rings()), (Pending, Some(Stage::Ringing), true));
    let mail = world.mail();
    world.deliver(mail);
    assert_eq!((world.told(&Notice::CallMissed), world.stage()), (1, Some(Stage::Ringing)));
}
