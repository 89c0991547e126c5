//! The activity, both ways.

use std::time::Duration;

use super::{
    softphones::Softphone,
    twilio::{BREAK, DESK, LUNCH, MOBILE, OFFLINE, worker},
    world::{Fate, World, instruct, reject, set_activity},
};
use crate::agent::{
    Input, Notice,
    request::{Answer, Refusal, Request},
};
use crate::call::Stage;
use crate::domain::{
    Event,
    ReservationStatus::{Accepted, Canceled, Pending, Rejected},
};

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

/// What befalls a world whose agent goes where nobody answers: by the desk, or by their own choice.
fn leaves(world: &mut World, how: (bool, &'static str)) {
    let _ = if how.0 { world.agent_picks(how.1) } else { world.desk_picks(how.1) };
    world.secs(1);
}

const WAYS: [(bool, &str); 5] = [(false, OFFLINE), (false, BREAK), (false, LUNCH), (true, BREAK), (true, OFFLINE)];

#[test]
fn what_rings_when_the_agent_goes_where_nobody_answers_stops_and_is_no_miss() {
    for way in WAYS {
        for does in [None, Some(Softphone::Ignored), Some(Softphone::Declined)] {
            let mut world = does.map_or_else(World::new, |does| World::new().with_softphones(does));
            world.twilio.max_assignments = 1;
            let task = world.customer_calls();
            world.secs(3);
            let cell_phone = world.count(instruct);
            leaves(&mut world, way);
            assert!(!world.rings() && world.softphones.live().is_empty(), "{way:?} {does:?}");
            assert!(matches!(world.status(task), Rejected | Canceled), "{way:?} {does:?}");
            world.secs(60);
            let told = (world.told(&Notice::CallMissed), world.count(instruct), world.twilio.activity);
            assert_eq!(told, (0, cell_phone, way.1), "{does:?}");
            assert!(world.agent.is_idle());
        }
    }
}

#[test]
fn a_held_call_goes_to_the_next_agent_when_this_one_goes_where_nobody_answers() {
    for way in WAYS {
        let mut world = World::new();
        let task = world.customer_calls();
        world.secs(19);
        assert_eq!((world.assignments(task), world.rings()), (2, false), "it is held");
        leaves(&mut world, way);
        assert_eq!((world.status(task), world.told(&Notice::CallMissed)), (Rejected, 1), "{way:?}");
    }
}

#[test]
fn a_call_that_comes_while_the_agent_is_on_the_way_to_a_break_is_not_left_to_twilios_timeout() {
    for is_worker_known in [false, true] {
        let mut world = World::new();
        if is_worker_known {
            world.desk_picks(BREAK).desk_picks(MOBILE).secs(1);
        }
        world.weather.down_until = Some(world.now + Duration::from_secs(8));
        world.agent_picks(BREAK).secs(1);
        let task = world.customer_calls();
        assert_eq!((world.rings(), world.status(task)), (false, Pending));
        world.secs(20);
        let found = (world.rings(), world.status(task), world.twilio.activity);
        assert_eq!(found, (false, Rejected, BREAK), "{is_worker_known}");
    }
}

#[test]
fn an_offer_whose_news_come_behind_those_of_the_break_goes_to_the_next() {
    let mut world = World::new();
    world.desk_picks(MOBILE).withhold(|event| matches!(event, Event::Reservation(_)));
    let task = world.customer_calls();
    world.secs(1).desk_picks(BREAK);
    let mail = world.mail();
    world.deliver(mail).secs(1);
    assert_eq!((world.rings(), world.status(task), world.told(&Notice::CallMissed)), (false, Rejected, 0));
}

#[test]
fn who_has_taken_a_call_and_picks_a_break_keeps_it() {
    let mut world = World::new().with_softphones(Softphone::AnsweredAfter(Duration::from_secs(2)));
    let task = world.customer_calls();
    world.secs(2);
    assert_eq!(world.stage(), Some(Stage::Connecting));
    world.agent_picks(BREAK).secs(5);
    assert_eq!((world.status(task), world.stage(), world.twilio.activity), (Accepted, Some(Stage::Talking), BREAK));
}

#[test]
fn what_rings_when_the_agent_comes_to_the_desk_rings_on() {
    let mut world = World::new();
    world.customer_calls();
    world.secs(3).desk_picks(DESK).secs(3);
    assert!(world.rings());
}

#[test]
fn a_chat_that_was_accepted_is_not_lost_to_a_break_picked_behind_it() {
    let mut world = World::new();
    let chat = world.customer_writes();
    super::chats::accept(&mut world, chat).unwrap();
    world.agent_picks(BREAK).secs(5);
    assert_eq!((world.status(chat), world.twilio.activity), (Accepted, BREAK));
}
