//! Webhooks that never come: each end is found out by reading, after a bounded while.

use super::{
    twilio::Phone,
    world::{World, close, of_leg},
};
use crate::agent::Notice;
use crate::call::Stage;
use crate::domain::ReservationStatus::{Accepted, Wrapping};

#[test]
fn an_answer_that_nobody_told_of_is_found_out_after_the_ringing() {
    let mut world = World::new();
    let task = world.customer_calls();
    world.secs(3).lose(|_| true).agent_answers().secs(22);
    assert_eq!(world.stage(), Some(Stage::Ringing));
    world.secs(2);
    assert_eq!((world.stage(), world.status(task)), (Some(Stage::Talking), Accepted));
}

#[test]
fn the_end_of_a_conversation_that_nobody_told_of_is_found_out_within_two_minutes() {
    for leg_unknown in [false, true] {
        let mut world = World::new();
        if leg_unknown {
            world.lose(of_leg);
        }
        let task = world.customer_calls();
        world.agent_answers().secs(30).lose(|_| true).agent_hangs_up();
        world.secs(80);
        assert_eq!(world.status(task), Accepted);
        world.secs(11);
        assert_eq!((world.stage(), world.count(close), world.status(task)), (None, 1, Wrapping), "{leg_unknown}");
    }
}

#[test]
fn a_ring_of_which_nothing_more_is_heard_is_found_out_8_seconds_after_its_end() {
    let mut world = World::new();
    world.twilio.max_assignments = 1;
    world.customer_calls();
    world.lose(|_| true).secs(25);
    assert_eq!((world.stage(), world.told(&Notice::CallMissed)), (Some(Stage::Ringing), 0));
    world.secs(2);
    assert_eq!(world.told(&Notice::CallMissed), 1);
}

#[test]
fn a_leg_that_never_says_anything_counts_as_missed_5_seconds_after_its_reservation_ends() {
    let mut world = World::new();
    world.twilio.max_assignments = 1;
    world.lose(of_leg).phone(Phone::Ignored).customer_calls();
    world.secs(22);
    assert_eq!((world.stage(), world.told(&Notice::CallMissed)), (Some(Stage::Settling), 0));
    world.secs(2);
    assert_eq!((world.stage(), world.told(&Notice::CallMissed)), (None, 1));
}

#[test]
fn a_reservation_that_nothing_more_is_heard_of_is_read_once_it_is_overdue() {
    let mut world = World::new();
    world.desk_picks(super::twilio::DESK);
    world.customer_calls();
    world.lose(|_| true).customer_hangs_up(0).secs(120);
    assert!(!world.agent.is_idle());
    world.secs(60);
    assert!(world.agent.is_idle());
    assert_eq!(world.requests.len(), 1);
}

#[test]
fn an_agent_who_never_answers_goes_offline_though_no_leg_is_ever_heard_of() {
    let mut world = World::new();
    let task = world.lose(of_leg).customer_calls();
    world.secs(120);
    assert_eq!((world.assignments(task) <= 3, world.is_on_mobile(), world.twilio.legs.len()), (true, false, 2));
}
