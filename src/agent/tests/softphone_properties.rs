//! What holds of calls to softphones in any weather, whatever people do and whenever the process or the agent's actor dies.

use std::time::Duration;

use proptest::{prelude::*, test_runner::RngSeed};

use super::{
    properties::{Move, a_move, begin, check, end, live_in, make},
    softphones::Softphone,
    storm::{Climate, Storm, foul, rough},
    world::World,
};
use crate::domain::{LegStatus, ReservationStatus, RingTarget};

/// An agent with softphones, first in the plan or alone.
fn world(climate: Climate, alone: bool) -> World<Storm> {
    let mut world = World::under(Storm::new(climate)).with_softphones(Softphone::AnsweredAfter(Duration::from_secs(3)));
    if alone {
        world.profile.ring_plan = Some(vec![RingTarget::Sip]);
    }
    world
}

/// How long a customer may be alone, with a Twilio that answers within seconds.
const LONELY: Duration = Duration::from_secs(40);

/// Waiting, a second at a time.
fn in_small_steps(one: Move) -> Vec<Move> {
    match one {
        Move::Wait(millis) => vec![Move::Wait(1000); usize::try_from(millis / 1000).unwrap() + 1],
        other => vec![other],
    }
}

/// Legs that are up although nobody is on the softphone.
fn lonely(world: &World<Storm>) -> usize {
    let is_up = |leg: &&super::twilio::Leg| leg.status == LegStatus::InProgress;
    let is_lonely =
        |leg: &&super::twilio::Leg| leg.ticket.as_ref().is_some_and(|ticket| !world.softphones.is_bridged(ticket));
    world.twilio.legs.iter().filter(is_up).filter(is_lonely).count()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, rng_seed: RngSeed::Fixed(1), ..ProptestConfig::with_cases(96) })]

    #[test]
    fn every_call_ends_and_leaves_nothing_behind(
        climate in foul(),
        (capacity, alone) in (1_usize..4, any::<bool>()),
        moves in prop::collection::vec(a_move(), 1..60),
    ) {
        let mut world = live_in(world(climate, alone), capacity, &moves);
        end(&mut world);
        prop_assert!(world.agent.is_idle(), "{:#?}", world.agent);
        prop_assert_eq!(world.agent.due(), None);
        prop_assert_eq!(world.softphones.live(), []);
    }

    #[test]
    fn what_was_answered_on_a_phone_is_closed_at_twilio(
        climate in foul(),
        alone in any::<bool>(),
        moves in prop::collection::vec(a_move(), 1..60),
    ) {
        let mut world = live_in(world(Climate { never_found: 0, ..climate }, alone), 1, &moves);
        end(&mut world);
        for one in world.twilio.reservations.iter().filter(|one| one.answered) {
            prop_assert_eq!(one.status, ReservationStatus::Completed, "{:?} {:#?}", &one.sid, &world.agent);
        }
    }

    #[test]
    fn no_customer_is_left_in_an_empty_conference(
        climate in rough(),
        alone in any::<bool>(),
        moves in prop::collection::vec(a_move(), 1..40),
    ) {
        // A leg's callback is all that tells of a leg that was answered in the moment of a crash.
        let mut world = begin(world(Climate { lost: 0, ..climate }, alone), 1);
        let mut lonely_since = None;
        for one in moves.into_iter().flat_map(in_small_steps) {
            make(&mut world, &one);
            check(&world);
            lonely_since = (lonely(&world) > 0).then(|| lonely_since.unwrap_or(world.now));
            prop_assert!(lonely_since.is_none_or(|since| world.now.since(since) < LONELY), "{:#?}", &world.agent);
        }
    }

    #[test]
    fn no_offer_is_left_until_twilio_times_it_out(
        climate in rough(),
        (capacity, alone) in (1_usize..4, any::<bool>()),
        moves in prop::collection::vec(a_move(), 1..60),
    ) {
        let stays = |one: &Move| !matches!(one, Move::DeskPicks(_) | Move::AgentPicks(_) | Move::Disabled(true));
        let moves: Vec<_> = moves.into_iter().filter(stays).collect();
        let world = live_in(world(Climate { unknown: 0, ..climate }, alone), capacity, &moves);
        for one in &world.twilio.reservations {
            prop_assert_ne!(one.status, ReservationStatus::Timeout, "{:#?}", &world.requests);
        }
    }
}
