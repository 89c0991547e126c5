//! Cell phones whose answerer is asked, before anything is promised to Twilio.

use std::time::Duration;

use super::{
    softphones::Softphone,
    twilio::{MOBILE, OFFLINE, Phone},
    world::{Fate, World, of_leg, of_reservation, reject},
};
use crate::agent::{
    Context, Notice,
    request::{Refusal, Request},
};
use crate::call::{Reply, Stage};
use crate::domain::{Key, LegStatus, PickUp, ReservationStatus};

fn dial(request: &Request) -> bool {
    matches!(request, Request::Dial(_))
}

fn end_leg(request: &Request) -> bool {
    matches!(request, Request::EndLeg(_))
}

fn asks() -> World {
    World::new().that_asks()
}

fn after(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn status(world: &World, leg: usize) -> LegStatus {
    world.twilio.legs[leg].status
}

/// What the agent answers, of which Twilio does not hear.
fn ask(world: &mut World, pick_up: &PickUp) -> Reply {
    let context = Context {
        now: world.now,
        policy: &world.policy,
        reservation_timeout: world.twilio.reservation_timeout,
        unavailable: &[],
    };
    world.agent.pick_up(pick_up, &context).0
}

/// Nothing is left of the call, and nobody was instructed.
fn is_at_rest(world: &World) {
    assert!(world.agent.snapshot().call.is_none(), "{:#?}", world.agent);
    assert_eq!(world.twilio.violations, Vec::<String>::new());
    assert_eq!(world.count(|request| matches!(request, Request::Instruct(_))), 0);
    assert!(world.twilio.legs.iter().all(|leg| leg.status.is_final()));
}

#[test]
fn whoever_presses_1_has_the_customer_and_the_task_is_wrapped_up_behind_the_call() {
    let mut world = asks();
    world.phone(Phone::Taken(after(4)));
    let task = world.customer_calls();
    world.secs(5);
    assert_eq!((world.stage(), world.status(task)), (Some(Stage::Ringing), ReservationStatus::Pending));
    world.secs(5);
    assert_eq!((world.stage(), world.status(task)), (Some(Stage::Talking), ReservationStatus::Accepted));
    assert_eq!(world.told(&Notice::CallAnswered), 1);
    world.secs(600).agent_hangs_up().secs(1);
    assert_eq!(world.status(task), ReservationStatus::Wrapping);
    is_at_rest(&world);
}

#[test]
fn a_voicemail_takes_no_customer_and_the_next_agent_gets_them() {
    let mut world = asks();
    world.phone(Phone::AnsweredAfter(after(3)));
    let task = world.customer_calls();
    world.secs(21);
    assert_eq!(world.status(task), ReservationStatus::Pending);
    world.secs(4);
    assert_eq!(world.twilio.reservations[0].status, ReservationStatus::Rejected);
    assert_eq!(world.told(&Notice::CallMissed), 1);
    assert_eq!(world.told(&Notice::CallAnswered), 0);
}

#[test]
fn another_key_busy_out_of_reach_and_no_answer_reject_the_reservation() {
    for (phone, seconds) in
        [(Phone::TurnedDown(after(3)), 7), (Phone::Busy, 1), (Phone::Unreachable, 1), (Phone::Ignored, 20)]
    {
        let mut world = asks();
        world.phone(phone);
        world.customer_calls();
        world.secs(seconds);
        assert_eq!(world.twilio.reservations[0].status, ReservationStatus::Rejected, "{phone:?}");
        assert_eq!(world.told(&Notice::CallMissed), 1, "{phone:?}");
    }
}

#[test]
fn a_softphone_that_comes_behind_the_cell_phone_rings_in_what_is_left_of_the_time() {
    for phone in
        [Phone::Busy, Phone::Unreachable, Phone::AnsweredAfter(after(3)), Phone::TurnedDown(after(2)), Phone::Ignored]
    {
        let mut world = asks().with_softphones(Softphone::AnsweredAfter(after(2)));
        world.profile.ring_plan = Some([crate::domain::RingTarget::Pstn, crate::domain::RingTarget::Sip].into());
        world.agent = crate::agent::Agent::new(&world.profile);
        world.phone(phone);
        let task = world.customer_calls();
        world.secs(45);
        assert_eq!(world.status(task), ReservationStatus::Accepted, "{phone:?}");
        assert_eq!((world.softphones.rings, world.told(&Notice::CallMissed)), (1, 0), "{phone:?}");
        assert_eq!(world.twilio.violations, Vec::<String>::new());
    }
}

#[test]
fn a_softphone_that_nobody_answers_makes_way_for_the_cell_phone_in_time() {
    for timeout in [30, 45, 60, 120] {
        let mut world = asks().with_softphones(Softphone::Ignored);
        world.twilio.reservation_timeout = after(timeout);
        world.phone(Phone::Taken(after(3)));
        let task = world.customer_calls();
        world.secs(timeout - 1);
        assert_eq!(world.status(task), ReservationStatus::Accepted, "{timeout} s");
    }
}

#[test]
fn the_caller_hangs_up_and_the_leg_is_ended_at_once() {
    for (phone, seconds) in [(Phone::Ignored, 3), (Phone::AnsweredAfter(after(3)), 8), (Phone::Taken(after(3)), 4)] {
        let mut world = asks();
        world.phone(phone);
        let task = world.customer_calls();
        world.secs(seconds).customer_hangs_up(task);
        assert!(status(&world, 0).is_final(), "{phone:?}");
        is_at_rest(&world);
        assert_eq!(world.told(&Notice::CallMissed), 0, "{phone:?}");
    }
}

#[test]
fn a_reservation_that_is_taken_back_or_accepted_at_the_desk_ends_the_leg() {
    for what in [ReservationStatus::Rescinded, ReservationStatus::Canceled, ReservationStatus::Accepted] {
        let mut world = asks();
        let task = world.customer_calls();
        world.secs(3).at_desk(task, what);
        assert_eq!(status(&world, 0), LegStatus::Canceled, "{what:?}");
        assert_eq!(world.told(&Notice::CallMissed), 0, "{what:?}");
    }
}

#[test]
fn a_call_that_was_made_although_nobody_heard_so_is_found_and_not_made_again() {
    let mut world = asks();
    world.lose(of_leg).fate(dial, Fate::UnknownDone);
    world.phone(Phone::Taken(after(4)));
    let task = world.customer_calls();
    world.secs(10);
    assert_eq!(world.status(task), ReservationStatus::Accepted);
    assert_eq!((world.count(dial), world.twilio.legs.len()), (1, 1));
}

#[test]
fn a_call_that_was_not_made_is_made_again() {
    for fate in [Fate::UnknownNotDone, Fate::NotDone] {
        let mut world = asks();
        world.fate(dial, fate);
        world.phone(Phone::Taken(after(4)));
        let task = world.customer_calls();
        world.secs(10);
        assert_eq!((world.status(task), world.count(dial)), (ReservationStatus::Accepted, 2));
    }
}

#[test]
fn a_number_that_cannot_be_called_is_passed_over() {
    let mut world = asks();
    world.fate(dial, Fate::Refused(Refusal::Unroutable));
    world.customer_calls();
    world.secs(1);
    assert_eq!(world.twilio.reservations[0].status, ReservationStatus::Rejected);
    assert_eq!(world.twilio.legs.len(), 0);
}

#[test]
fn a_call_that_is_on_its_way_when_the_caller_hangs_up_is_found_and_ended() {
    let mut world = asks();
    world.lose(of_leg).fate(dial, Fate::UnknownDone);
    let task = world.customer_calls();
    world.customer_hangs_up(task);
    assert_eq!(world.stage(), Some(Stage::Settling));
    world.secs(2);
    assert_eq!(status(&world, 0), LegStatus::Canceled);
    is_at_rest(&world);
}

#[test]
fn of_two_calls_one_is_ended() {
    let mut world = asks();
    world.customer_calls();
    world.secs(1);
    let Some(Request::Dial(twin)) = world.requests.iter().map(|(_, request)| request.clone()).find(dial) else {
        panic!("nobody was called")
    };
    world.twilio.dial(&twin);
    world.twilio.violations.clear();
    world.secs(1);
    assert_eq!(status(&world, 1), LegStatus::Canceled);
    assert!(!status(&world, 0).is_final());
}

#[test]
fn strangers_old_calls_and_old_legs_are_told_that_nobody_waits() {
    let mut world = asks();
    world.phone(Phone::Taken(after(3)));
    let task = world.customer_calls();
    world.secs(4);
    let known = world.twilio.pick_up(0, Some(Key::One));
    let mut foreign = vec![known.clone(), known.clone(), known.clone()];
    foreign[0].call.number += 1;
    foreign[1].leg.0 += 1;
    foreign[2].call_sid = super::twilio::sid("CA", 77);
    for pick_up in &foreign {
        assert_eq!(ask(&mut world, pick_up), Reply::NobodyWaits, "{pick_up:?}");
    }
    assert_eq!(world.status(task), ReservationStatus::Pending);
    let connect = Reply::Connect(world.twilio.reservations[0].sid.clone());
    assert_eq!(ask(&mut world, &known), connect);
    assert_eq!(ask(&mut world, &known), connect, "the same again is answered the same");
    world.secs(5).agent_hangs_up().secs(1);
    assert_eq!(ask(&mut world, &known), Reply::NobodyWaits);
}

#[test]
fn a_customer_who_is_gone_when_1_is_pressed_costs_nothing() {
    let mut world = asks();
    world.phone(Phone::Taken(after(3)));
    let task = world.customer_calls();
    world.secs(4).withhold(of_reservation);
    world.customer_hangs_up(task).secs(10);
    assert_eq!((world.told(&Notice::CallAnswered), world.told(&Notice::CallMissed)), (0, 0));
    is_at_rest(&world);
}

#[test]
fn an_acceptance_that_is_not_heard_of_is_found() {
    let mut world = asks();
    world.phone(Phone::Taken(after(3)));
    let task = world.customer_calls();
    world.lose(of_reservation).secs(14);
    assert_eq!((world.stage(), world.status(task)), (Some(Stage::Talking), ReservationStatus::Accepted));
    world.agent_hangs_up().secs(1);
    assert_eq!(world.status(task), ReservationStatus::Wrapping);
}

#[test]
fn a_restart_at_any_moment_loses_no_customer_and_calls_nobody_twice() {
    for phone in [Phone::Taken(after(4)), Phone::AnsweredAfter(after(4)), Phone::Ignored, Phone::Busy] {
        for millis in (0..26_000).step_by(500) {
            let mut world = asks();
            world.twilio.reservation_timeout = after(40);
            world.phone(phone);
            let task = world.customer_calls();
            world.pass(Duration::from_millis(millis)).restart().secs(30);
            let taken = matches!(phone, Phone::Taken(_));
            let expected = if taken { ReservationStatus::Accepted } else { ReservationStatus::Rejected };
            assert_eq!(world.twilio.reservations[0].status, expected, "{phone:?}, {millis} ms, {task}");
            assert_eq!(world.twilio.violations, Vec::<String>::new(), "{phone:?}, {millis} ms");
        }
    }
}

#[test]
fn an_agent_who_never_takes_it_goes_offline_and_twilios_timeout_never_acts() {
    for phone in [Phone::Ignored, Phone::AnsweredAfter(after(3)), Phone::TurnedDown(after(3))] {
        let mut world = asks();
        world.twilio.reservation_timeout = after(45);
        world.phone(phone);
        let task = world.customer_calls();
        world.secs(200);
        assert_eq!((world.assignments(task), world.twilio.activity), (2, OFFLINE), "{phone:?}");
        assert!(world.twilio.reservations.iter().all(|one| one.status != ReservationStatus::Timeout), "{phone:?}");
    }
}

#[test]
fn a_leg_that_cannot_be_ended_does_not_hold_the_customer() {
    let mut world = asks();
    world.twilio.reservation_timeout = after(45);
    world.lose(of_leg);
    for _ in 0..40 {
        world.fate(end_leg, Fate::NotDone).fate(|one| matches!(one, Request::ReadLeg(_)), Fate::NotDone);
    }
    world.phone(Phone::AnsweredAfter(after(30)));
    world.customer_calls();
    world.secs(42);
    assert_eq!(world.count(reject), 1);
    assert_ne!(world.twilio.reservations[0].status, ReservationStatus::Timeout);
    assert_eq!(world.twilio.activity, MOBILE);
}

#[test]
fn whoever_hangs_up_before_the_acceptance_is_heard_of_has_had_the_customer() {
    let mut world = asks();
    world.phone(Phone::Taken(after(3)));
    let task = world.customer_calls();
    world.secs(4).withhold(of_reservation).secs(2);
    assert_eq!((world.stage(), world.status(task)), (Some(Stage::Connecting), ReservationStatus::Accepted));
    world.agent_hangs_up().secs(1);
    assert_eq!((world.status(task), world.told(&Notice::CallAnswered)), (ReservationStatus::Wrapping, 1));
    is_at_rest(&world);
}

#[test]
fn a_key_whose_answer_is_lost_gives_the_customer_to_the_next_agent() {
    let mut world = asks();
    world.phone(Phone::Taken(after(3)));
    let task = world.customer_calls();
    world.secs(4);
    // The agent decides, and Twilio does not hear of it: its caller hears that it is sorry.
    let pick_up = world.twilio.pick_up(0, Some(Key::One));
    assert!(matches!(ask(&mut world, &pick_up), Reply::Connect(_)));
    world.twilio.hang_up(0);
    world.secs(1);
    assert_eq!(world.twilio.reservations[0].status, ReservationStatus::Rejected, "{task}");
    assert_eq!((world.told(&Notice::CallAnswered), world.told(&Notice::CallMissed)), (0, 1));
}

#[test]
fn a_call_that_may_still_ring_is_waited_for_before_another_is_made() {
    let mut world = asks();
    world.twilio.reservation_timeout = after(45);
    for _ in 0..8 {
        world.fate(dial, Fate::NotDone);
    }
    world.fate(dial, Fate::UnknownDone).lose(of_leg);
    for _ in 0..40 {
        world.fate(|request| matches!(request, Request::FindDialled(_)), Fate::NotDone);
    }
    world.customer_calls();
    world.secs(41);
    assert_eq!((world.twilio.legs.len(), status(&world, 0)), (1, LegStatus::Ringing), "{:#?}", world.requests);
    assert_eq!(world.twilio.reservations[0].status, ReservationStatus::Rejected);
    world.customer_calls();
    world.secs(4);
    assert_eq!((world.twilio.violations.len(), world.twilio.legs.len()), (0, 1));
}

#[test]
fn a_key_that_is_pressed_while_the_leg_is_being_ended_brings_nobody() {
    let mut world = asks();
    world.lose(of_leg).fate(end_leg, Fate::NotDone);
    world.customer_calls();
    world.pass(Duration::from_millis(18_200));
    assert_eq!(world.count(end_leg), 1);
    let pick_up = world.twilio.pick_up(0, Some(Key::One));
    assert_eq!(ask(&mut world, &pick_up), Reply::NotTaken);
}

#[test]
fn a_call_that_twilio_queues_has_its_time_from_the_first_ring_on() {
    let mut world = asks();
    world.withhold(of_leg);
    world.customer_calls();
    world.secs(10);
    let mail = world.mail();
    world.deliver(mail).lose(of_leg);
    world.secs(17);
    assert_eq!(world.count(end_leg), 0);
    world.secs(2);
    assert_eq!(world.count(end_leg), 1);
}
