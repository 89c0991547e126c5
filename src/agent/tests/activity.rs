//! The activity, both ways.

use std::time::Duration;

use super::{
    twilio::{BREAK, DESK, MOBILE, OFFLINE, worker},
    world::{Fate, World, reject, set_activity},
};
use crate::agent::{
    Input, Notice,
    request::{Answer, Refusal, Request},
};
use crate::domain::Event;

fn changed_to(world: &World, name: &str) -> usize {
    world.told(&Notice::ActivityChanged { to: name.into() })
}

/// A world whose agent knows the worker.
fn known() -> World {
    let mut world = World::new();
    world.desk_picks(BREAK).secs(10);
    world.requests.clear();
    world
}

#[test]
fn a_picked_activity_is_set_and_told_when_twilio_says_so() {
    let mut world = known();
    world.agent_picks(MOBILE);
    assert!(world.is_on_mobile());
    assert_eq!((world.count(|_| true), changed_to(&world, MOBILE)), (1, 1));
}

#[test]
fn a_picked_activity_waits_for_its_worker_to_be_known() {
    let mut world = World::new();
    world.agent_picks(OFFLINE);
    assert_eq!(world.count(|_| true), 0);
    assert!(!world.agent.is_idle());
    world.desk_picks(DESK);
    assert_eq!(world.twilio.activity, OFFLINE);
}

#[test]
fn an_activity_is_insisted_on_until_it_holds() {
    let mut world = known();
    for fate in [Fate::NotDone, Fate::UnknownNotDone, Fate::Refused(Refusal::Other), Fate::Refused(Refusal::Conflict)] {
        world.fate(set_activity, fate);
    }
    world.agent_picks(MOBILE).secs(60);
    assert!(world.is_on_mobile());
    assert!(world.agent.is_idle());
}

#[test]
fn an_activity_that_was_set_without_our_knowing_is_not_set_again() {
    let mut world = known();
    world.fate(set_activity, Fate::UnknownDone).agent_picks(MOBILE).secs(60);
    assert_eq!((world.count(set_activity), world.count(|_| true)), (1, 2));
}

#[test]
fn a_newer_wish_replaces_an_older_one() {
    let mut world = known();
    world.weather.down_until = Some(world.now + Duration::from_secs(30));
    world.agent_picks(MOBILE).secs(5).agent_picks(OFFLINE).secs(60);
    assert_eq!(world.twilio.activity, OFFLINE);
    assert_eq!(changed_to(&world, MOBILE), 0);
}

#[test]
fn a_change_at_the_desk_ends_our_own_attempts() {
    let mut world = known();
    world.weather.down_until = Some(world.now + Duration::from_secs(30));
    world.agent_picks(MOBILE).secs(5).desk_picks(DESK).secs(120);
    assert_eq!(world.twilio.activity, DESK);
}

#[test]
fn a_change_at_the_desk_ends_them_too_when_only_a_reading_tells_of_it() {
    let mut world = known();
    world.fate(set_activity, Fate::UnknownNotDone).agent_picks(MOBILE);
    world.lose(|_| true).desk_picks(DESK).secs(120);
    assert_eq!(world.twilio.activity, DESK);
}

#[test]
fn a_worker_who_is_deleted_is_not_asked_for_anything() {
    let mut world = known();
    world.weather.down_until = Some(world.now + Duration::from_secs(30));
    world.agent_picks(MOBILE);
    let mut deleted = deleted_worker();
    deleted.at = world.now;
    world.deliver([Event::Worker(deleted)]).secs(120);
    assert!(!world.is_on_mobile());
    assert!(world.agent.is_idle());
}

fn deleted_worker() -> crate::domain::WorkerEvent {
    crate::domain::WorkerEvent {
        sid: super::twilio::sid("EV", 999),
        kind: crate::domain::WorkerEventKind::Deleted,
        worker: worker(),
        worker_name: String::new(),
        activity: None,
        version: None,
        at: super::world::NOON,
    }
}

#[test]
fn an_older_change_that_comes_late_says_nothing() {
    let mut world = World::new();
    world.desk_picks(DESK).withhold(|_| true);
    world.secs(1).desk_picks(BREAK).secs(1).desk_picks(MOBILE);
    let mut mail = world.mail();
    mail.reverse();
    world.deliver(mail);
    assert_eq!(world.agent.snapshot().activity.as_deref(), Some(MOBILE));
    assert_eq!(changed_to(&world, BREAK), 0);
}

#[test]
fn a_reading_that_was_overtaken_by_an_event_says_nothing() {
    let mut world = known();
    world.secs(10).desk_picks(MOBILE);
    let stale = Answer::Worker { activity: BREAK.into(), changed_at: Some(super::world::NOON) };
    world.fate(|request| matches!(request, Request::SetActivity { .. }), Fate::Says(stale)).agent_picks(MOBILE);
    assert_eq!(world.agent.snapshot().activity.as_deref(), Some(MOBILE));
}

#[test]
fn an_offer_waits_for_the_activity_to_be_known() {
    let mut world = World::new();
    world.withhold(|_| true);
    world.customer_calls();
    let mut created = world.mail();
    let Event::Reservation(event) = &mut created[0] else { panic!("{created:?}") };
    event.activity = None;
    world.fate(|request| matches!(request, Request::ReadWorker(_)), Fate::NotDone);
    world.deliver(created);
    assert!(!world.rings());
    world.secs(1);
    assert!(world.rings());
}

#[test]
fn a_profile_that_names_the_worker_is_enough_to_set_its_activity() {
    let mut world = World::new();
    world.agent_picks(BREAK);
    let profile = crate::domain::Profile { worker_sid: Some(worker()), ..world.profile.clone() };
    world.input(&Input::Profile { profile: &profile, other_worker: true });
    assert_eq!(world.twilio.activity, BREAK);
}

#[test]
fn a_disabled_agent_is_offered_nothing_until_enabled() {
    let mut world = World::new();
    world.desk_picks(MOBILE).secs(1);
    let enabled = world.profile.clone();
    let disabled = crate::domain::Profile { disabled: true, ..enabled.clone() };
    world.input(&Input::Profile { profile: &disabled, other_worker: false });
    world.customer_calls();
    world.secs(60);
    assert_eq!((world.rings(), world.count(reject)), (false, 0), "it is left to Twilio");
    // Twilio's timeout has taken the agent offline meanwhile.
    let enabled = Input::Profile { profile: &enabled, other_worker: false };
    world.secs(120).input(&enabled).desk_picks(MOBILE).secs(1);
    assert!(world.rings());
}

#[test]
fn an_agent_who_becomes_another_worker_forgets_the_first_and_no_other_change_does_that() {
    let mut world = known();
    let (worker, identity) = (world.agent.worker.clone(), world.agent.identity().clone());
    let renamed = crate::domain::Profile { name: "Ada O.".into(), ..world.profile.clone() };
    world.input(&Input::Profile { profile: &renamed, other_worker: false });
    assert_eq!((&world.agent.worker, world.agent.identity()), (&worker, &identity));
    let other = crate::domain::Profile { worker_name: "user-+15550199".into(), ..renamed };
    world.input(&Input::Profile { profile: &other, other_worker: true });
    assert_eq!(world.agent.worker, None);
    assert_eq!(*world.agent.identity(), crate::domain::ChatIdentity::of_worker("user-+15550199"));
}
