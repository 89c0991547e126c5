//! Webhooks that come twice, late, or in another order.

use super::{
    twilio::Phone,
    world::{World, close, instruct, of_leg, of_reservation},
};
use crate::agent::Notice;
use crate::call::Stage;
use crate::domain::{
    Event, LegStatus, ReservationEventKind,
    ReservationStatus::{Accepted, Canceled, Pending, Rejected, Timeout, Wrapping},
};

#[test]
fn every_webhook_twice_changes_nothing() {
    let mut world = World::new();
    world.weather.twice = true;
    let task = world.customer_calls();
    world.secs(3).agent_answers().secs(3).agent_hangs_up();
    assert_eq!((world.status(task), world.stage()), (Wrapping, None));
    assert_eq!((world.count(instruct), world.count(close), world.told(&Notice::CallAnswered)), (1, 1, 1));
}

#[test]
fn every_webhook_twice_counts_a_miss_once() {
    let mut world = World::new();
    (world.weather.twice, world.twilio.max_assignments) = (true, 1);
    world.customer_calls();
    world.secs(60);
    assert_eq!((world.told(&Notice::CallMissed), world.count(instruct)), (1, 1));
}

#[test]
fn a_leg_that_completed_before_it_was_in_progress_was_answered() {
    let mut world = World::new();
    let task = world.customer_calls();
    world.withhold(of_leg).agent_answers().agent_hangs_up();
    let mut mail = world.mail();
    mail.reverse();
    world.deliver(mail);
    assert_eq!((world.status(task), world.stage(), world.count(close)), (Wrapping, None, 1));
    assert_eq!(world.told(&Notice::CallAnswered), 1);
}

#[test]
fn a_whole_answered_call_in_reverse_ends_like_any_other() {
    let mut world = World::new();
    let task = world.customer_calls();
    world.withhold(|_| true).agent_answers().agent_hangs_up();
    let mut mail = world.mail();
    mail.reverse();
    world.deliver(mail);
    assert_eq!((world.status(task), world.stage(), world.count(close)), (Wrapping, None, 1));
}

#[test]
fn a_leg_that_tells_of_its_start_after_its_end_is_over() {
    let mut world = World::new();
    world.twilio.max_assignments = 1;
    world.withhold(of_leg).phone(Phone::Busy);
    world.customer_calls();
    let mut mail = world.mail();
    mail.reverse();
    world.deliver(mail).secs(10);
    assert_eq!((world.stage(), world.told(&Notice::CallMissed)), (None, 1));
}

#[test]
fn a_reservation_that_is_taken_back_before_the_leg_says_why_is_missed_all_the_same() {
    for phone in [Phone::Busy, Phone::Unreachable, Phone::Ignored] {
        let mut world = World::new();
        world.twilio.max_assignments = 1;
        let ends = |event: &Event| matches!(event, Event::Leg(leg) if leg.status.is_final());
        world.phone(phone).withhold(ends);
        world.customer_calls();
        world.secs(if phone == Phone::Ignored { 19 } else { 1 });
        assert_eq!((world.told(&Notice::CallMissed), world.stage()), (0, Some(Stage::Settling)));
        let mail = world.mail();
        world.deliver(mail);
        assert_eq!((world.told(&Notice::CallMissed), world.stage()), (1, None), "{phone:?}");
    }
}

#[test]
fn a_ring_that_the_gateway_ended_is_a_miss_whatever_comes_first() {
    for reservation_first in [false, true] {
        let mut world = World::new();
        world.twilio.max_assignments = 1;
        world.customer_calls();
        world.twilio.legs[0].ends_at = world.now + std::time::Duration::from_secs(60);
        world.withhold(|_| true).secs(18);
        let mut mail = world.mail();
        assert!(matches!(&mail[0], Event::Leg(leg) if leg.status == LegStatus::Canceled));
        if reservation_first {
            mail.reverse();
        }
        world.deliver(mail);
        assert_eq!((world.told(&Notice::CallMissed), world.stage()), (1, None));
    }
}

#[test]
fn a_customer_who_hangs_up_is_not_missed_whatever_comes_first() {
    for reservation_first in [false, true] {
        let mut world = World::new();
        let task = world.customer_calls();
        world.secs(3).withhold(|_| true).customer_hangs_up(task);
        let mut mail = world.mail();
        if reservation_first {
            mail.reverse();
        }
        world.deliver(mail);
        assert_eq!((world.told(&Notice::CallMissed), world.stage()), (0, None));
    }
}

#[test]
fn accepted_before_the_leg_was_heard_of_is_answered() {
    let mut world = World::new();
    let task = world.customer_calls();
    world.withhold(of_leg).agent_answers();
    assert_eq!((world.stage(), world.status(task)), (Some(Stage::Talking), Accepted));
    let mail = world.mail();
    world.deliver(mail).agent_hangs_up();
    assert_eq!((world.stage(), world.status(task)), (None, Wrapping));
}

#[test]
fn a_reservation_created_after_it_was_canceled_does_not_ring() {
    let mut world = World::new();
    world.withhold(|_| true);
    let task = world.customer_calls();
    world.customer_hangs_up(task);
    let mut mail = world.mail();
    mail.reverse();
    world.deliver(mail).secs(60);
    assert_eq!((world.count(|_| true), world.stage()), (0, None));
}

#[test]
fn versions_decide_where_times_are_equal_and_times_where_there_are_none() {
    for versions in [false, true] {
        let mut world = World::new();
        world.withhold(of_reservation);
        let task = world.customer_calls();
        world.secs(1).customer_hangs_up(task);
        let mut mail = world.mail();
        for event in &mut mail {
            let Event::Reservation(event) = event else { continue };
            event.version = event.version.filter(|_| versions);
            if versions {
                event.at = super::world::NOON;
            }
        }
        mail.reverse();
        world.deliver(mail).secs(60);
        assert_eq!(world.count(|_| true), 0);
    }
}

#[test]
fn an_event_of_a_reservation_long_over_does_not_bring_it_back() {
    let mut world = World::new();
    world.twilio.max_assignments = 1;
    world.withhold(|event| matches!(event, Event::Reservation(one) if one.kind == ReservationEventKind::Created));
    let task = world.customer_calls();
    let created = world.mail();
    world.secs(61);
    assert_eq!(world.status(task), Timeout);
    world.desk_picks(super::twilio::MOBILE).secs(3600).deliver(created).secs(60);
    assert_eq!((world.count(instruct), world.stage()), (0, None));
    assert!(world.agent.is_idle());
}

#[test]
fn clocks_that_disagree_by_a_minute_and_a_half_change_nothing() {
    for skew in [-90_000, -40_000, -27_000, 0, 27_000, 90_000] {
        let mut world = World::new();
        (world.twilio.skew, world.twilio.max_assignments) = (skew, 2);
        world.twilio.reservation_timeout = std::time::Duration::from_secs(30);
        let answered = world.customer_calls();
        assert!(world.rings(), "{skew}");
        world.secs(2).agent_answers().agent_hangs_up().secs(20);
        assert_eq!(world.status(answered), crate::domain::ReservationStatus::Completed);
        let missed = world.customer_calls();
        world.secs(100);
        let seen = (world.assignments(missed), world.status(missed), world.told(&Notice::WentOffline));
        assert_eq!(seen, (2, Canceled, 1), "{skew}");
    }
}

#[test]
fn an_offer_is_turned_away_in_time_though_twilios_clock_is_ahead() {
    let mut world = World::new();
    (world.twilio.skew, world.twilio.capacity, world.twilio.max_assignments) = (90_000, 2, 2);
    world.customer_calls();
    world.agent_answers();
    let second = world.customer_calls();
    world.secs(50);
    assert_eq!(world.status(second), Pending);
    world.secs(8);
    assert_eq!((world.status(second), world.is_on_mobile()), (Rejected, true));
}
