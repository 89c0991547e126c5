//! Offers that are answered with a tap: shown, taken, declined, given back.

use std::time::Duration;

use super::{
    chats::{accept, accepts, offer, offers_shown, progress},
    conversations::CUSTOMER,
    twilio::{BREAK, DESK, LUNCH, MOBILE, OFFLINE, sid},
    world::{Fate, World, reject},
};
use crate::agent::{
    Notice,
    command::{Command, Denial},
    offer::{Kind, Reservation},
    request::{Found, Offered, Refusal, Request},
    view::Progress,
};
use crate::domain::{
    Closed, Event, News,
    ReservationStatus::{self, Accepted, Canceled, Pending, Rejected},
    TaskFacts, Timestamp,
};

fn withdrawn(world: &World) -> Vec<Closed> {
    let closed = |news: &News| if let News::TaskClosed { why, .. } = news { Some(*why) } else { None };
    world.pushed.iter().filter_map(|(_, one)| closed(&one.news)).collect()
}

#[test]
fn an_offer_is_shown_until_it_is_answered_and_then_withdrawn() {
    let mut world = World::new();
    let chat = world.customer_writes();
    assert_eq!(offers_shown(&world), 1);
    world.secs(25);
    assert_eq!(offers_shown(&world), 3);
    let News::TaskOffered { customer, channel, .. } = &world.pushed[0].1.news else { panic!() };
    assert_eq!((customer.name.as_deref(), channel.as_str()), (Some(CUSTOMER), "chat"));
    accept(&mut world, chat).unwrap();
    assert_eq!((progress(&world, chat), withdrawn(&world)), (Progress::Connecting, vec![Closed::Accepted]));
    world.secs(60);
    assert_eq!((progress(&world, chat), world.status(chat)), (Progress::Accepted, Accepted));
    assert_eq!((offers_shown(&world), withdrawn(&world).len(), world.agent.unread()), (3, 1, 0));
}

#[test]
fn of_two_who_accept_one_comes_too_late() {
    let mut world = World::new();
    let chat = world.customer_writes();
    accept(&mut world, chat).unwrap();
    assert_eq!(accept(&mut world, chat), Err(Denial::Taken));
    world.secs(5);
    assert_eq!(accept(&mut world, chat), Err(Denial::Taken));
    assert_eq!(world.count(accepts), 1);
}

#[test]
fn an_offer_that_nobody_answers_is_given_back_three_seconds_before_its_end() {
    let mut world = World::new();
    world.twilio.max_assignments = 1;
    let chat = world.customer_writes();
    world.pass(Duration::from_millis(56_900));
    assert_eq!((world.status(chat), world.count(reject)), (Pending, 0));
    world.secs(1);
    assert_eq!((world.status(chat), world.told(&Notice::OfferMissed)), (Rejected, 1));
    assert_eq!(withdrawn(&world), [Closed::Missed]);
    assert!(world.is_on_mobile());
    assert_eq!(accept(&mut world, chat), Err(Denial::NotPending));
}

#[test]
fn whoever_misses_a_chat_twice_goes_offline_before_it_comes_a_third_time() {
    let mut world = World::new();
    let chat = world.customer_writes();
    world.secs(130);
    assert_eq!((world.assignments(chat), world.twilio.activity), (2, OFFLINE));
    assert_eq!((world.told(&Notice::OfferMissed), world.told(&Notice::WentOffline)), (2, 1));
    let offline = |news: &News| matches!(news, News::Activity { name, .. } if name == OFFLINE);
    assert_eq!(world.pushed.iter().filter(|(_, one)| offline(&one.news)).count(), 1);
    let timeouts = world.twilio.reservations.iter().filter(|one| one.status == ReservationStatus::Timeout).count();
    assert_eq!(timeouts, 0);
}

#[test]
fn a_declined_chat_goes_to_the_next_and_is_no_miss() {
    let mut world = World::new();
    world.twilio.max_assignments = 1;
    let chat = world.customer_writes();
    let task = offer(&world, chat);
    world.tap(Command::Decline(task.clone())).unwrap();
    assert_eq!((world.status(chat), withdrawn(&world)), (Rejected, vec![Closed::Declined]));
    assert_eq!(world.tap(Command::Decline(task)), Ok(()));
    assert_eq!(accept(&mut world, chat), Err(Denial::NotPending));
    assert_eq!(world.told(&Notice::OfferMissed), 0);
}

#[test]
fn a_chat_taken_at_the_desk_or_taken_back_is_withdrawn() {
    for (status, why, denial) in [
        (Accepted, Closed::Accepted, Denial::Taken),
        (ReservationStatus::Rescinded, Closed::Gone, Denial::Gone),
        (Canceled, Closed::Gone, Denial::Gone),
    ] {
        let mut world = World::new();
        let chat = world.customer_writes();
        let task = offer(&world, chat);
        world.at_desk(chat, status);
        assert_eq!(withdrawn(&world), [why]);
        assert_eq!(world.tap(Command::Accept(task)), Err(denial), "{status:?}");
    }
}

#[test]
fn a_join_that_fails_is_told_and_the_chat_is_offered_again() {
    let mut world = World::new();
    world.twilio.join_fails = true;
    let chat = world.customer_writes();
    accept(&mut world, chat).unwrap();
    world.secs(5);
    assert_eq!(withdrawn(&world), [Closed::Accepted, Closed::Gone]);
    assert_eq!((world.assignments(chat), offers_shown(&world)), (2, 2));
    accept(&mut world, chat).unwrap();
    world.secs(5);
    assert_eq!(world.status(chat), Accepted);
}

#[test]
fn the_lost_news_of_an_acceptance_is_asked_for() {
    let mut world = World::new();
    world.lose(|event| !matches!(event, Event::Reservation(one) if one.version == Some(0)));
    let chat = world.customer_writes();
    accept(&mut world, chat).unwrap();
    world.secs(6);
    assert_eq!(progress(&world, chat), Progress::Accepted);
}

#[test]
fn an_acceptance_whose_fate_is_unknown_is_read_before_it_is_repeated() {
    for fate in [Fate::UnknownDone, Fate::UnknownNotDone, Fate::NotDone] {
        let mut world = World::new();
        world.fate(accepts, fate.clone());
        let chat = world.customer_writes();
        accept(&mut world, chat).unwrap();
        world.secs(20);
        assert_eq!((progress(&world, chat), world.status(chat)), (Progress::Accepted, Accepted), "{fate:?}");
    }
}

#[test]
fn an_acceptance_that_never_gets_through_gives_the_chat_back() {
    let mut world = World::new();
    world.twilio.max_assignments = 1;
    let chat = world.customer_writes();
    world.weather.down_until = Some(world.now + Duration::from_secs(57));
    accept(&mut world, chat).unwrap();
    world.secs(120);
    assert!(withdrawn(&world).contains(&Closed::Gone));
    assert_eq!(world.told(&Notice::OfferMissed), 0);
    assert_ne!(world.status(chat), Accepted);
}

#[test]
fn a_refused_acceptance_is_looked_into() {
    let mut world = World::new();
    world.fate(accepts, Fate::Refused(Refusal::NotPending));
    let chat = world.customer_writes();
    accept(&mut world, chat).unwrap();
    assert!(world.count(|request| matches!(request, Request::ReadReservation(_))) > 0);
}

/// A world in which a reading finds what reservations there are before their webhooks come.
fn found_first() -> (World, usize) {
    let mut world = World::new();
    world.profile.worker_sid = Some(super::twilio::worker());
    world.agent = crate::agent::Agent::new(&world.profile);
    world.withhold(|event| matches!(event, Event::Reservation(_)));
    let chat = world.customer_writes();
    (world, chat)
}

#[test]
fn an_offer_that_a_reading_finds_first_is_offered_as_long_as_any_other() {
    let (mut world, chat) = found_first();
    let (worker, now) = (super::twilio::worker(), world.now);
    world.agent.owe_briefly(Request::ReadReservations(worker), now);
    world.secs(2);
    assert_eq!(offers_shown(&world), 1);
    let created = world.mail();
    world.deliver(created);
    world.secs(30);
    assert_eq!((progress(&world, chat), world.told(&Notice::OfferMissed)), (Progress::Pending, 0));
    accept(&mut world, chat).unwrap();
}

#[test]
fn a_call_that_is_dialled_at_the_desk_is_one_also_when_a_reading_finds_it() {
    let task = TaskFacts {
        sid: sid("WT", 1),
        channel: "voice".into(),
        workflow: None,
        attributes: r#"{"direction":"outbound"}"#.into(),
    };
    let offered = Offered { reservation: sid("WR", 1), task: task.sid.clone() };
    let found = Found { offered, status: Pending, changed_at: None, task };
    assert_eq!(Reservation::found(&found, Timestamp::from_millis(0)).kind, Kind::CallOut);
}

#[test]
fn an_offer_is_taken_down_when_the_agent_leaves_mobile_and_is_no_miss() {
    for activity in [DESK, BREAK, OFFLINE, LUNCH] {
        let mut world = World::new();
        let chat = world.customer_writes();
        assert_eq!(offers_shown(&world), 1);
        world.desk_picks(activity);
        assert_eq!(withdrawn(&world), [Closed::Gone], "{activity}");
        let shown = offers_shown(&world);
        world.secs(25);
        assert_eq!((offers_shown(&world), world.told(&Notice::OfferMissed)), (shown, 0), "{activity}");
        // At the desk Flex shows it; nobody is there otherwise, and the next agent gets it.
        assert_eq!(world.status(chat), if activity == DESK { Pending } else { Rejected }, "{activity}");
    }
}

#[test]
fn an_offer_that_was_taken_down_is_shown_again_when_the_agent_comes_back() {
    let mut world = World::new();
    let chat = world.customer_writes();
    world.desk_picks(DESK);
    world.secs(5);
    world.desk_picks(MOBILE);
    assert_eq!(offers_shown(&world), 2);
    accept(&mut world, chat).unwrap();
}
