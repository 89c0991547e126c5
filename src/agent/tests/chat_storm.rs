//! Chats in any weather: in the end every message is counted once, and no conversation is orphaned.

use std::time::Duration;

use proptest::{prelude::*, test_runner::RngSeed};

use super::{
    conversations::{CUSTOMER, identity},
    storm::{Climate, Storm, foul},
    twilio::sid,
    world::World,
};
use crate::agent::{command::Command, request::Closing};
use crate::domain::ReservationStatus;

#[derive(Clone, Debug)]
enum Move {
    CustomerBegins { plain: bool },
    CustomerWrites(usize),
    DeskWrites(usize),
    DeskReads(usize),
    Accept(usize),
    Decline(usize),
    Read(usize),
    Finish(usize, Closing),
    Restart,
    Wait(u64),
}

fn a_move() -> impl Strategy<Value = Move> {
    let which = 0_usize..8;
    prop_oneof![
        2 => any::<bool>().prop_map(|plain| Move::CustomerBegins { plain }),
        6 => which.clone().prop_map(Move::CustomerWrites),
        1 => which.clone().prop_map(Move::DeskWrites),
        1 => which.clone().prop_map(Move::DeskReads),
        4 => which.clone().prop_map(Move::Accept),
        1 => which.clone().prop_map(Move::Decline),
        2 => which.clone().prop_map(Move::Read),
        1 => which.clone().prop_map(|which| Move::Finish(which, Closing::Wrapup)),
        1 => which.prop_map(|which| Move::Finish(which, Closing::Complete)),
        1 => Just(Move::Restart),
        4 => (0_u64..20_000).prop_map(Move::Wait),
    ]
}

fn newest(world: &World<Storm>, chat: usize) -> u64 {
    world.twilio.conversations[&chat].messages.last().map_or(0, |line| line.index)
}

fn make(world: &mut World<Storm>, one: &Move) {
    let chats = world.twilio.tasks.len();
    let pick = |which: usize| which % chats.max(1);
    let offer = |world: &World<Storm>, chat: usize| {
        world.twilio.reservations.iter().rev().find(|one| one.task == chat).map(|one| one.sid.clone())
    };
    match *one {
        Move::CustomerBegins { plain } => drop(world.twilio.new_chat(plain)),
        Move::Restart => drop(world.restart()),
        Move::Wait(millis) => drop(world.pass(Duration::from_millis(millis))),
        _ if chats == 0 => {}
        Move::CustomerWrites(which) => drop(world.writes(pick(which), CUSTOMER)),
        Move::DeskWrites(which) => drop(world.writes(pick(which), identity().as_str())),
        Move::DeskReads(which) => {
            let index = newest(world, pick(which));
            world.twilio.reads(pick(which), index);
        }
        Move::Accept(which) => {
            let _ = offer(world, pick(which)).map(|task| world.tap(Command::Accept(task)));
        }
        Move::Decline(which) => {
            let _ = offer(world, pick(which)).map(|task| world.tap(Command::Decline(task)));
        }
        Move::Read(which) => {
            let index = newest(world, pick(which));
            let _ = world.tap(Command::Read { conversation: sid("CH", pick(which)), index });
        }
        Move::Finish(which, how) => {
            let _ = offer(world, pick(which)).map(|task| world.tap(Command::Finish { task, how }));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, rng_seed: RngSeed::Fixed(1), ..ProptestConfig::with_cases(128) })]

    #[test]
    fn every_message_counts_once_and_no_conversation_is_orphaned(
        climate in foul(),
        moves in prop::collection::vec(a_move(), 1..80),
    ) {
        let mut world = World::under(Storm::new(Climate { never_found: 0, ..climate }));
        world.profile.worker_sid = Some(super::twilio::worker());
        world.agent = crate::agent::Agent::new(&world.profile);
        world.twilio.capacity = 5;
        for one in &moves {
            make(&mut world, one);
            prop_assert_eq!(&world.twilio.violations, &Vec::<String>::new());
            prop_assert!(serde_json::to_vec(&world.agent).unwrap().len() < 48 * 1024);
        }
        world.weather.calm = true;
        world.secs(180);
        prop_assert_eq!(&world.twilio.violations, &Vec::<String>::new());
        let accepted = world.twilio.reservations.iter().filter(|one| one.status == ReservationStatus::Accepted);
        for one in accepted.filter(|one| world.twilio.is_plain(one.task)) {
            let unread = world.agent.snapshot().unread.get(&sid("CH", one.task)).copied();
            let expected = u32::try_from(world.twilio.unread(one.task)).unwrap();
            prop_assert_eq!(unread, Some(expected), "{:?} {:#?}", one.sid, &world.agent);
        }
    }
}
