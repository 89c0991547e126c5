//! Agents who are not to be rung any more while something rings: disabled, or with another number.

use std::time::Duration;

use proptest::{prelude::*, test_runner::RngSeed};

use super::{
    properties::{Move, a_move, begin, check, make},
    softphones::Softphone,
    storm::{Storm, rough},
    twilio::{DESK, Phone},
    world::{Fate, Weather, World, instruct},
};
use crate::agent::{
    Notice,
    request::{Request, RingTo},
};
use crate::call::Stage;
use crate::domain::{
    Event,
    ReservationStatus::{Accepted, Canceled, Pending, Rejected, Wrapping},
};

fn rings_a_phone(request: &Request) -> bool {
    match request {
        Request::Dial(_) => true,
        Request::Instruct(instruct) => matches!(instruct.to, RingTo::CellPhone(_)),
        _ => false,
    }
}

/// How often anything of the agent's was rung, or told to be.
fn rung<W: Weather>(world: &World<W>) -> usize {
    world.count(rings_a_phone) + world.softphones.rings
}

fn is_quiet(world: &World) -> bool {
    world.softphones.live().is_empty() && !world.rings() && world.twilio.violations.is_empty()
}

/// A world in which a call rings, in each way that there is.
fn ringing() -> Vec<(&'static str, World)> {
    let mut cell = World::new();
    cell.customer_calls();
    let mut unheard = World::new();
    unheard.lose(super::world::of_leg).customer_calls();
    let mut softphones = World::new().with_softphones(Softphone::Ignored);
    softphones.customer_calls();
    let mut after = World::new().with_softphones(Softphone::Declined);
    after.customer_calls();
    let mut asked = World::new().that_asks();
    asked.customer_calls();
    let mut answered = World::new().that_asks();
    answered.phone(Phone::AnsweredAfter(Duration::from_secs(2))).customer_calls();
    let mut worlds = vec![
        ("cell", cell),
        ("unheard", unheard),
        ("softphones", softphones),
        ("after", after),
        ("asked", asked),
        ("answered", answered),
    ];
    for (_, world) in &mut worlds {
        world.twilio.max_assignments = 1;
        world.secs(3);
        assert_eq!(world.stage(), Some(Stage::Ringing));
    }
    worlds
}

#[test]
fn what_rings_for_an_agent_who_is_disabled_stops_and_the_customer_goes_on_without_a_miss() {
    for (which, mut world) in ringing() {
        let before = rung(&world);
        world.profile_is(|profile| profile.disabled = true).secs(if which == "unheard" { 20 } else { 1 });
        assert!(is_quiet(&world), "{which}");
        assert!(matches!(world.status(0), Rejected | Canceled), "{which}: {:?}", world.status(0));
        world.secs(120);
        assert_eq!((rung(&world), world.told(&Notice::CallMissed)), (before, 0), "{which}");
        assert_eq!((world.stage(), world.told(&Notice::CallAnswered)), (None, 0), "{which}");
        assert!(world.agent.is_idle() && world.is_on_mobile(), "{which}");
    }
}

#[test]
fn a_disabled_agents_owed_instruction_or_call_is_not_sent() {
    for asks in [false, true] {
        let mut world = if asks { World::new().that_asks() } else { World::new() };
        world.twilio.max_assignments = 1;
        world.weather.down_until = Some(world.now + Duration::from_secs(5));
        let task = world.customer_calls();
        world.secs(2);
        let before = rung(&world);
        assert!(before > 0);
        world.profile_is(|profile| profile.disabled = true).secs(30);
        assert_eq!(
            (rung(&world), world.status(task), world.told(&Notice::CallMissed)),
            (before, Rejected, 0),
            "{asks}"
        );
        assert!(world.agent.is_idle());
    }
}

#[test]
fn an_instruction_whose_fate_is_unknown_when_the_agent_is_disabled_is_taken_back_if_it_was_taken() {
    for (fate, ends) in [(Fate::UnknownDone, Canceled), (Fate::UnknownNotDone, Rejected)] {
        let mut world = World::new();
        world.twilio.max_assignments = 1;
        world
            .fate(instruct, fate)
            .withhold(|event| !matches!(event, Event::Reservation(one) if one.version == Some(0)));
        let task = world.customer_calls();
        world.profile_is(|profile| profile.disabled = true);
        let mail = world.mail();
        world.deliver(mail).secs(10);
        assert!(is_quiet(&world));
        assert_eq!((world.status(task), world.told(&Notice::CallMissed), world.count(instruct)), (ends, 0, 1));
    }
}

#[test]
fn who_has_taken_the_call_when_they_are_disabled_keeps_it() {
    let mut world = World::new().with_softphones(Softphone::AnsweredAfter(Duration::from_secs(2)));
    let task = world.customer_calls();
    world.secs(2);
    assert_eq!(world.stage(), Some(Stage::Connecting));
    world.profile_is(|profile| profile.disabled = true).secs(2);
    assert_eq!((world.stage(), world.status(task)), (Some(Stage::Talking), Accepted));
    world.agent_hangs_up();
    assert_eq!(world.status(task), Wrapping);
}

#[test]
fn an_agent_who_was_disabled_while_the_gateway_was_down_is_not_rung() {
    for (which, mut world) in ringing() {
        let before = rung(&world);
        world.profile.disabled = true;
        world.restart().secs(120);
        assert_eq!((rung(&world), world.told(&Notice::CallMissed)), (before, 0), "{which}");
        assert!(is_quiet(&world) && world.agent.is_idle(), "{which}");
    }
}

#[test]
fn a_call_at_a_number_that_is_not_the_agents_any_more_stops_and_rings_at_the_new_one_if_it_comes_back() {
    let mut world = World::new();
    let task = world.customer_calls();
    world.secs(3).profile_is(|profile| profile.phone = "+15550199".parse().unwrap()).secs(1);
    let Some((_, Request::Instruct(instruct))) = world.requests.iter().rfind(|(_, one)| rings_a_phone(one)) else {
        panic!("{:?}", world.requests)
    };
    assert_eq!(instruct.to, RingTo::CellPhone("+15550199".parse().unwrap()));
    assert_eq!((world.assignments(task), world.status(task), world.told(&Notice::CallMissed)), (2, Pending, 0));
    assert!(world.rings());
}

#[test]
fn softphones_ring_on_when_the_number_behind_them_changes() {
    let mut world = World::new().with_softphones(Softphone::Ignored);
    world.customer_calls();
    world.secs(3).profile_is(|profile| profile.phone = "+15550199".parse().unwrap()).secs(18);
    let [(_, Request::Instruct(instruct))] = &world.requests[..] else { panic!("{:?}", world.requests) };
    assert_eq!(instruct.to, RingTo::CellPhone("+15550199".parse().unwrap()));
}

#[test]
fn a_chat_on_offer_to_an_agent_who_is_disabled_goes_to_the_next_and_is_no_miss() {
    let mut world = World::new();
    world.twilio.max_assignments = 1;
    let chat = world.customer_writes();
    world.profile_is(|profile| profile.disabled = true).secs(100);
    assert_eq!((world.status(chat), world.told(&Notice::OfferMissed)), (Rejected, 0));
}

/// The agent is removed, and Twilio hears what is left to say.
fn removed(world: &mut World) {
    world.take_leave();
    world.agent = crate::agent::Agent::new(&world.profile);
    world.lose(|_| true).secs(1);
}

#[test]
fn what_rings_for_an_agent_who_is_removed_goes_to_the_next() {
    for (which, mut world) in ringing() {
        removed(&mut world);
        // Of a leg that was never heard of only its conference can be ended.
        world.secs(if which == "unheard" { 20 } else { 0 });
        assert!(is_quiet(&world), "{which}");
        assert!(matches!(world.status(0), Rejected | Canceled), "{which}: {:?}", world.status(0));
    }
}

#[test]
fn a_conversation_of_an_agent_who_is_removed_is_over_and_closed() {
    let talks = |mut world: World| {
        let task = world.customer_calls();
        world.secs(3);
        if world.stage() == Some(Stage::Ringing) {
            world.agent_answers();
        }
        world.secs(5);
        assert_eq!((world.stage(), world.status(task)), (Some(Stage::Talking), Accepted));
        world
    };
    let does = Softphone::AnsweredAfter(Duration::from_secs(1));
    for mut world in [talks(World::new()), talks(World::new().with_softphones(does))] {
        removed(&mut world);
        assert!(is_quiet(&world) && world.twilio.legs.iter().all(|leg| leg.status.is_final()));
        assert_eq!(world.status(0), Wrapping);
    }
}

#[test]
fn a_held_call_and_a_chat_on_offer_go_to_the_next_and_what_is_at_the_desk_stays_there() {
    let mut world = World::new();
    let task = world.customer_calls();
    world.secs(19);
    assert_eq!((world.assignments(task), world.rings()), (2, false), "it is held");
    removed(&mut world);
    assert_eq!(world.twilio.reservations[1].status, Rejected);

    let mut world = World::new();
    let chat = world.customer_writes();
    removed(&mut world);
    assert_eq!(world.twilio.reservations[0].status, Rejected, "{chat}");

    let mut world = World::new();
    world.desk_picks(DESK);
    (world.twilio.capacity, world.twilio.max_assignments) = (2, 1);
    let task = world.customer_calls();
    let pending = world.customer_calls();
    world.at_desk(task, Accepted);
    removed(&mut world);
    assert_eq!((world.status(task), world.status(pending)), (Accepted, Pending));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, rng_seed: RngSeed::Fixed(1), ..ProptestConfig::with_cases(96) })]

    #[test]
    fn from_the_moment_in_which_an_agent_is_disabled_nothing_of_theirs_is_rung(
        climate in rough(),
        (capacity, softphones, asks) in (1_usize..4, any::<bool>(), any::<bool>()),
        (before, after) in (prop::collection::vec(a_move(), 1..40), prop::collection::vec(a_move(), 1..20)),
    ) {
        let mut world = World::under(Storm::new(climate));
        if softphones {
            world = world.with_softphones(Softphone::AnsweredAfter(Duration::from_secs(3)));
        }
        world.policy.asks = asks;
        let mut world = begin(world, capacity);
        for one in before {
            make(&mut world, &one);
        }
        make(&mut world, &Move::Disabled(true));
        let rung_before = rung(&world);
        for one in after.into_iter().filter(|one| !matches!(one, Move::Disabled(_))) {
            make(&mut world, &one);
            check(&world);
            prop_assert_eq!(rung(&world), rung_before, "{:#?}", &world.requests);
        }
        world.secs(60);
        prop_assert!(!world.rings(), "{:#?}", &world.agent);
    }
}
