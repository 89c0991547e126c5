//! What holds of calls that ask, in any weather, whatever people do and whenever the process dies.

use std::time::Duration;

use proptest::{prelude::*, test_runner::RngSeed};

use super::{
    softphones::Softphone,
    storm::{Climate, Storm, foul, rough},
    twilio::{BREAK, Leg, MOBILE, OFFLINE, Phone},
    world::World,
};
use crate::agent::{Agent, Notice};
use crate::domain::{LegStatus, ReservationStatus, RingTarget};

/// What happens next.
#[derive(Clone, Debug)]
enum Move {
    CustomerCalls,
    CustomerHangsUp(usize),
    Phone(Phone),
    Softphone(Softphone),
    AgentHangsUp,
    AgentPicks(&'static str),
    DeskAccepts(usize),
    Restart,
    Wait(u64),
}

fn phone() -> impl Strategy<Value = Phone> {
    let after =
        |kind: fn(Duration) -> Phone| (0_u64..22_000).prop_map(move |millis| kind(Duration::from_millis(millis)));
    prop_oneof![
        1 => Just(Phone::Ignored),
        1 => Just(Phone::Busy),
        1 => Just(Phone::Unreachable),
        1 => after(Phone::AnsweredAfter),
        1 => after(Phone::TurnedDown),
        3 => after(Phone::Taken),
    ]
}

fn softphone() -> impl Strategy<Value = Softphone> {
    prop_oneof![
        2 => Just(Softphone::None),
        1 => Just(Softphone::Gone),
        1 => Just(Softphone::Ignored),
        1 => Just(Softphone::Declined),
        1 => (0_u64..22_000).prop_map(|millis| Softphone::AnsweredAfter(Duration::from_millis(millis))),
    ]
}

fn a_move() -> impl Strategy<Value = Move> {
    prop_oneof![
        4 => Just(Move::CustomerCalls),
        2 => (0_usize..40).prop_map(Move::CustomerHangsUp),
        2 => phone().prop_map(Move::Phone),
        1 => softphone().prop_map(Move::Softphone),
        2 => Just(Move::AgentHangsUp),
        1 => prop_oneof![6 => Just(MOBILE), 1 => Just(BREAK), 1 => Just(OFFLINE)].prop_map(Move::AgentPicks),
        1 => (0_usize..40).prop_map(Move::DeskAccepts),
        1 => Just(Move::Restart),
        8 => (0_u64..40_000).prop_map(Move::Wait),
    ]
}

fn plans() -> impl Strategy<Value = Vec<RingTarget>> {
    use RingTarget::{Pstn, Sip};
    prop_oneof![Just(vec![Pstn]), Just(vec![Sip, Pstn]), Just(vec![Pstn, Sip])]
}

fn make(world: &mut World<Storm>, one: &Move) {
    let tasks = world.twilio.tasks.len();
    match *one {
        Move::CustomerCalls => drop(world.customer_calls()),
        Move::CustomerHangsUp(which) if tasks > 0 => drop(world.customer_hangs_up(which % tasks)),
        Move::DeskAccepts(which) if tasks > 0 => {
            if world.twilio.is_free_at_desk(which % tasks) {
                world.at_desk(which % tasks, ReservationStatus::Accepted);
            }
        }
        Move::CustomerHangsUp(_) | Move::DeskAccepts(_) => {}
        Move::Phone(phone) => drop(world.phone(phone)),
        Move::Softphone(does) => world.softphones.does = does,
        Move::AgentHangsUp => drop(world.agent_hangs_up()),
        Move::AgentPicks(name) => drop(world.agent_picks(name)),
        Move::Restart => drop(world.restart()),
        Move::Wait(millis) => drop(world.pass(Duration::from_millis(millis))),
    }
}

/// What must hold at every moment.
fn check(world: &World<Storm>) {
    assert_eq!(world.twilio.violations, Vec::<String>::new(), "{:#?}\n{:#?}", world.requests, world.agent);
    assert_eq!(world.softphones.violations, Vec::<String>::new());
    let talks = world.twilio.legs.iter().filter(|leg| leg.status == LegStatus::InProgress).count();
    let rings = world.twilio.legs.iter().filter(|leg| Leg::rings(leg)).count();
    assert!(talks + rings <= 1, "{talks} legs talk and {rings} ring");
    let to_cell_phones = world.twilio.legs.iter().filter(|leg| leg.ticket.is_none() && !leg.status.is_final()).count();
    let softphones = world.softphones.live().len();
    assert!(to_cell_phones + softphones <= 1, "{to_cell_phones} and {softphones} ring at once: {:#?}", world.agent);
    assert!(serde_json::to_vec(&world.agent).unwrap().len() < 16 * 1024);
}

fn world_of(climate: Climate, plan: Vec<RingTarget>, timeout: u64) -> World<Storm> {
    let mut world = World::under(Storm::new(climate)).that_asks().with_softphones(Softphone::None);
    (world.profile.worker_sid, world.profile.ring_plan) = (Some(super::twilio::worker()), Some(plan));
    world.agent = Agent::new(&world.profile);
    world.twilio.reservation_timeout = Duration::from_secs(timeout);
    world
}

/// Everybody goes home; a day and two hours pass.
fn end(world: &mut World<Storm>) {
    world.weather.calm = true;
    world.phone(Phone::Ignored);
    world.softphones.does = Softphone::None;
    for task in 0..world.twilio.tasks.len() {
        world.customer_hangs_up(task);
    }
    world.agent_hangs_up();
    for _ in 0..26 {
        world.secs(3600);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, rng_seed: RngSeed::Fixed(1), ..ProptestConfig::with_cases(128) })]

    #[test]
    fn every_call_that_asks_ends_and_leaves_nothing_behind(
        climate in foul(),
        plan in plans(),
        timeout in 30_u64..130,
        moves in prop::collection::vec(a_move(), 1..60),
    ) {
        let mut world = world_of(climate, plan, timeout);
        for one in &moves {
            make(&mut world, one);
            check(&world);
        }
        end(&mut world);
        prop_assert!(world.agent.is_idle(), "{:#?}", world.agent);
        prop_assert_eq!(world.agent.due(), None);
        prop_assert!(world.twilio.legs.iter().all(|leg| leg.status.is_final()));
    }

    #[test]
    fn only_1_brings_a_customer_and_whoever_had_one_is_closed_at_twilio(
        climate in foul(),
        plan in plans(),
        moves in prop::collection::vec(a_move(), 1..60),
    ) {
        let mut world = world_of(Climate { never_found: 0, ..climate }, plan, 45);
        for one in &moves {
            make(&mut world, one);
        }
        end(&mut world);
        for one in &world.twilio.reservations {
            let leg = one.leg.map(|leg| &world.twilio.legs[leg]);
            let asked = leg.and_then(|leg| leg.asks.as_ref());
            prop_assert!(asked.is_none_or(|asks| asks.connected), "{:?}", one.sid);
            prop_assert!(leg.is_none_or(|leg| leg.asks.is_some() || leg.ticket.is_some()), "a cell phone was instructed");
            if one.answered {
                prop_assert_eq!(one.status, ReservationStatus::Completed, "{:?} {:#?}", &one.sid, &world.agent);
            }
        }
    }

    #[test]
    fn no_offer_that_asks_is_left_until_twilio_times_it_out(
        climate in rough(),
        plan in plans(),
        timeout in 30_u64..130,
        moves in prop::collection::vec(a_move(), 1..60),
    ) {
        let mut world = world_of(Climate { unknown: 0, ..climate }, plan, timeout);
        for one in moves.iter().filter(|one| !matches!(one, Move::AgentPicks(_))) {
            make(&mut world, one);
        }
        for one in &world.twilio.reservations {
            prop_assert_ne!(one.status, ReservationStatus::Timeout, "{:#?}", &world.requests);
        }
    }

    #[test]
    fn an_agent_who_never_presses_costs_a_task_two_assignments_and_goes_offline(
        climate in rough(),
        phone in prop_oneof![
            Just(Phone::Ignored), Just(Phone::Busy), Just(Phone::Unreachable),
            Just(Phone::AnsweredAfter(Duration::from_secs(4))), Just(Phone::TurnedDown(Duration::from_secs(4))),
        ],
        restarts in prop::collection::vec(1_000_u64..30_000, 0..4),
    ) {
        let mut world = world_of(Climate { unknown: 0, ..climate }, vec![RingTarget::Pstn], 45);
        world.phone(phone);
        world.customer_calls();
        for pause in restarts {
            world.pass(Duration::from_millis(pause)).restart();
            check(&world);
        }
        world.secs(600);
        check(&world);
        let turned_away = u32::try_from(world.told(&Notice::RejectedBusy)).unwrap();
        prop_assert!(world.twilio.tasks[0].assignments <= 3 + turned_away, "{} assignments", world.twilio.tasks[0].assignments);
        prop_assert_eq!(world.twilio.activity, OFFLINE);
    }
}
