//! One call, from the offer to its end: each way that it can go, while all messages arrive.

use std::time::Duration;

use super::{
    twilio::{BREAK, DESK, Phone},
    world::{World, close, instruct, reject},
};
use crate::agent::{
    Notice,
    request::{Closing, Request, RingTo},
};
use crate::call::Stage;
use crate::domain::ReservationStatus::{Accepted, Canceled, Completed, Pending, Rejected, Rescinded, Wrapping};

#[test]
fn an_offer_rings_the_agents_phone_at_once() {
    let mut world = World::new();
    let task = world.customer_calls();
    assert!(world.rings());
    assert_eq!((world.stage(), world.status(task)), (Some(Stage::Ringing), Pending));
    let Request::Instruct(instruct) = &world.requests[0].1 else { panic!("{:?}", world.requests) };
    assert_eq!(instruct.to, RingTo::CellPhone(world.profile.phone.clone()));
    assert_eq!(instruct.ring, Duration::from_secs(18));
}

#[test]
fn a_call_that_was_answered_is_wrapped_up_when_the_agent_hangs_up() {
    let mut world = World::new();
    let task = world.customer_calls();
    world.secs(6).agent_answers();
    assert_eq!((world.stage(), world.status(task)), (Some(Stage::Talking), Accepted));
    world.secs(300).agent_hangs_up();
    assert_eq!((world.stage(), world.status(task)), (None, Wrapping));
    assert_eq!(world.notices.iter().filter(|notice| **notice == Notice::CallAnswered).count(), 1);
    world.secs(60);
    assert_eq!(world.status(task), Completed);
    assert!(world.agent.is_idle());
}

#[test]
fn a_call_that_was_answered_is_completed_where_the_operator_wants_that() {
    let mut world = World::new();
    world.policy.closing = Closing::Complete;
    let task = world.customer_calls();
    world.agent_answers().agent_hangs_up();
    assert_eq!(world.status(task), Completed);
}

#[test]
fn a_call_is_closed_too_when_the_customer_hangs_up_first() {
    let mut world = World::new();
    let task = world.customer_calls();
    world.secs(5).agent_answers().secs(5).customer_hangs_up(task);
    assert_eq!((world.stage(), world.status(task)), (None, Wrapping));
}

#[test]
fn a_reservation_that_is_closed_already_is_not_closed_again() {
    let mut world = World::new();
    let task = world.customer_calls();
    world.agent_answers().at_desk(task, Wrapping);
    assert_eq!(world.stage(), Some(Stage::Talking), "the leg goes on");
    world.agent_hangs_up();
    assert_eq!(world.stage(), None);
    assert_eq!(world.count(close), 0);
}

#[test]
fn the_gateway_ends_a_ring_that_nobody_answers_and_counts_it_as_missed() {
    let mut world = World::new();
    let task = world.customer_calls();
    world.twilio.legs[0].ends_at = world.now + Duration::from_secs(60);
    world.pass(Duration::from_millis(17_999));
    assert!(world.rings());
    world.twilio.max_assignments = 1;
    world.pass(Duration::from_millis(1));
    assert!(!world.rings(), "voicemail never takes a customer");
    assert_eq!((world.status(task), world.told(&Notice::CallMissed)), (Canceled, 1));
}

#[test]
fn a_ring_ends_as_missed_when_the_phone_is_busy_or_fails() {
    for phone in [Phone::Busy, Phone::Unreachable] {
        let mut world = World::new();
        world.phone(phone).twilio.max_assignments = 1;
        let task = world.customer_calls();
        world.secs(1);
        assert_eq!((world.status(task), world.told(&Notice::CallMissed), world.stage()), (Canceled, 1, None));
        assert_eq!(world.count(reject), 0);
    }
}

#[test]
fn a_customer_who_hangs_up_while_it_rings_is_not_missed() {
    let mut world = World::new();
    let task = world.customer_calls();
    world.secs(10).customer_hangs_up(task).secs(60);
    assert_eq!((world.stage(), world.status(task), world.told(&Notice::CallMissed)), (None, Canceled, 0));
    assert!(!world.rings() && world.agent.is_idle());
}

#[test]
fn a_task_that_is_taken_away_or_rejected_at_the_desk_while_it_rings_is_not_missed() {
    for taken in [Rescinded, Rejected] {
        let mut world = World::new();
        let task = world.customer_calls();
        world.twilio.max_assignments = 1;
        world.secs(3).at_desk(task, taken).secs(30);
        assert_eq!((world.stage(), world.told(&Notice::CallMissed)), (None, 0), "{taken:?}");
        assert!(!world.rings());
    }
}

#[test]
fn a_task_that_is_accepted_at_the_desk_while_the_phone_rings_stays_at_the_desk() {
    let mut world = World::new();
    let task = world.customer_calls();
    world.secs(3).at_desk(task, Accepted).secs(120);
    assert_eq!((world.stage(), world.status(task)), (None, Accepted));
    assert_eq!((world.count(close), world.count(reject), world.told(&Notice::CallMissed)), (0, 0, 0));
}

#[test]
fn nothing_rings_in_any_other_activity() {
    for activity in [DESK, BREAK] {
        let mut world = World::new();
        world.twilio.activity = activity;
        world.twilio.new_task("voice", "{}");
        world.secs(50);
        assert_eq!(world.count(|_| true), 0, "{activity}");
    }
}

#[test]
fn other_channels_and_outbound_calls_do_not_ring() {
    for (channel, attributes) in [("chat", "{}"), ("sms", "{}"), ("voice", r#"{"direction":"outbound"}"#)] {
        let mut world = World::new();
        world.twilio.new_task(channel, attributes);
        world.secs(50);
        assert_eq!(world.count(|_| true), 0, "{channel}");
        assert_eq!(world.count(instruct), 0);
    }
}

#[test]
fn attributes_that_are_no_json_do_not_keep_a_call_from_ringing() {
    let mut world = World::new();
    world.twilio.new_task("voice", "{\"direction\":");
    world.secs(1);
    assert!(world.rings());
}

#[test]
fn a_plan_without_a_target_that_this_version_can_ring_passes_the_customer_on() {
    let mut world = World::new();
    let mut profile = world.profile.clone();
    profile.ring_plan = Some(vec![crate::domain::RingTarget::Sip]);
    world.agent = crate::agent::Agent::new(&profile);
    world.twilio.max_assignments = 1;
    let task = world.customer_calls();
    assert_eq!((world.status(task), world.count(instruct)), (Rejected, 0));
}

#[test]
fn an_agent_who_leaves_the_desk_in_time_gets_the_call_that_waits_there() {
    let mut world = World::new();
    world.twilio.activity = DESK;
    let task = world.customer_calls();
    assert_eq!(world.count(instruct), 0);
    world.secs(10).desk_picks(super::twilio::MOBILE);
    assert!(world.rings());
    world.agent_answers().agent_hangs_up();
    assert_eq!(world.status(task), Wrapping);
}
