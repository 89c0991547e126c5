//! Agents who do not answer: held re-offers, and when they go offline.

use std::time::Duration;

use super::{
    twilio::{MOBILE, OFFLINE, Phone},
    world::{Fate, World, instruct, set_activity},
};
use crate::agent::{Notice, request::Request};
use crate::call::Stage;
use crate::domain::ReservationStatus::{Pending, Wrapping};

#[test]
fn the_same_task_waits_a_while_before_it_rings_once_more() {
    let mut world = World::new();
    let task = world.customer_calls();
    world.secs(18).secs(1);
    assert_eq!((world.assignments(task), world.status(task), world.rings()), (2, Pending, false));
    world.secs(13);
    assert!(!world.rings());
    world.secs(2);
    assert!(world.rings());
    world.agent_answers().agent_hangs_up();
    assert_eq!(world.status(task), Wrapping);
    assert!(world.is_on_mobile());
}

#[test]
fn an_agent_who_misses_a_task_twice_goes_offline_whatever_misses_are_allowed() {
    let mut world = World::new();
    world.policy.missed_keep_activity = 100;
    let task = world.customer_calls();
    world.secs(120);
    assert_eq!((world.assignments(task), world.twilio.activity), (2, OFFLINE));
    assert_eq!((world.told(&Notice::CallMissed), world.told(&Notice::WentOffline)), (2, 1));
    assert!(world.count(|request| matches!(request, Request::SetActivity { reject_pending: true, .. })) > 0);
}

#[test]
fn a_re_offer_rings_in_time_even_where_the_hold_is_longer_than_the_reservation() {
    let mut world = World::new();
    world.policy.reoffer_hold = Duration::from_secs(600);
    world.twilio.reservation_timeout = Duration::from_secs(30);
    let task = world.customer_calls();
    world.secs(18 + 26);
    assert_eq!(world.assignments(task), 2);
    assert!(world.rings());
}

#[test]
fn an_unreachable_phone_is_not_rung_again_for_the_same_task() {
    let mut world = World::new();
    world.phone(Phone::Unreachable);
    let task = world.customer_calls();
    world.secs(120);
    assert_eq!((world.count(instruct), world.assignments(task), world.twilio.activity), (1, 2, OFFLINE));
}

#[test]
fn a_busy_phone_is_rung_again() {
    let mut world = World::new();
    world.phone(Phone::Busy);
    let task = world.customer_calls();
    world.phone(Phone::AnsweredAfter(Duration::from_secs(2))).secs(20);
    assert_eq!((world.stage(), world.assignments(task)), (Some(Stage::Talking), 2));
}

/// Misses so many calls of customers who are content with one try.
fn miss(world: &mut World, calls: usize) {
    world.twilio.max_assignments = 1;
    for _ in 0..calls {
        world.customer_calls();
        world.secs(30);
    }
}

#[test]
fn more_misses_in_a_row_than_allowed_take_the_agent_offline() {
    let mut world = World::new();
    miss(&mut world, 2);
    assert!(world.is_on_mobile());
    miss(&mut world, 1);
    assert_eq!((world.twilio.activity, world.told(&Notice::WentOffline)), (OFFLINE, 1));
}

#[test]
fn an_answered_call_ends_the_row_of_misses() {
    let mut world = World::new();
    miss(&mut world, 2);
    world.phone(Phone::AnsweredAfter(Duration::from_secs(1))).customer_calls();
    world.secs(2).agent_hangs_up().secs(20).phone(Phone::Ignored);
    miss(&mut world, 2);
    assert!(world.is_on_mobile());
}

#[test]
fn coming_back_to_mobile_ends_the_row_of_misses() {
    let mut world = World::new();
    miss(&mut world, 3);
    assert!(!world.is_on_mobile());
    world.agent_picks(MOBILE);
    assert!(world.is_on_mobile());
    miss(&mut world, 2);
    assert!(world.is_on_mobile());
}

#[test]
fn an_agent_who_never_answers_goes_offline_though_twilio_fails_for_an_hour() {
    let mut world = World::new();
    world.policy.missed_keep_activity = 0;
    world.twilio.max_assignments = 1;
    world.customer_calls();
    world.weather.down_until = Some(world.now + Duration::from_secs(3600));
    world.secs(3600);
    assert!(world.is_on_mobile());
    world.secs(80);
    assert_eq!(world.twilio.activity, OFFLINE);
    assert!(world.count(set_activity) <= 250);
}

#[test]
fn a_task_that_comes_back_late_rings_at_once_but_its_second_miss_counts() {
    let mut world = World::new();
    let task = world.customer_calls();
    world.secs(17);
    world.twilio.capacity = 0;
    world.secs(2).secs(61);
    world.twilio.capacity = 1;
    world.secs(1);
    assert_eq!((world.assignments(task), world.rings()), (2, true));
    world.secs(30);
    assert_eq!(world.twilio.activity, OFFLINE);
}

#[test]
fn a_rejection_that_fails_once_is_repeated() {
    let mut world = World::new();
    world.fate(instruct, Fate::Refused(crate::agent::request::Refusal::Unroutable));
    world.fate(super::world::reject, Fate::NotDone);
    world.twilio.max_assignments = 1;
    let task = world.customer_calls();
    world.secs(2);
    assert_eq!(world.status(task), crate::domain::ReservationStatus::Rejected);
}

#[test]
fn a_last_ring_takes_the_agent_offline_before_twilio_can_offer_the_task_a_third_time() {
    let mut world = World::new();
    let task = world.customer_calls();
    world.secs(18).secs(16);
    assert!(world.rings());
    world.secs(13);
    assert!(world.rings() && world.is_on_mobile());
    world.secs(2);
    assert_eq!((world.rings(), world.twilio.activity), (true, OFFLINE));
    world.secs(60);
    assert_eq!((world.assignments(task), world.stage()), (2, None));
    assert_eq!(world.told(&Notice::WentOffline), 1);
}

#[test]
fn an_agent_who_answers_in_the_last_moment_stays_on_mobile() {
    let mut world = World::new();
    let task = world.customer_calls();
    world.secs(18).secs(15).secs(16);
    assert_eq!((world.rings(), world.twilio.activity), (true, OFFLINE));
    world.agent_answers().secs(30).agent_hangs_up();
    assert_eq!((world.status(task), world.twilio.activity), (Wrapping, MOBILE));
    assert_eq!(world.told(&Notice::WentOffline), 0);
}
