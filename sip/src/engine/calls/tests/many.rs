//! Whatever happens, in whatever order; and ten thousand calls.

use std::time::Duration;

use proptest::prelude::*;

use super::{net::Net, world::*};
use crate::{
    engine::{CallId, Command, Event, tests::house::account},
    leg::tests::node::response,
};

fn is_final(event: &Event) -> bool {
    matches!(event, Event::Failed { .. } | Event::Ended { .. })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn a_call_has_one_phone_and_one_end_and_leaves_nothing(
        seed in 1u64..1_000_000,
        lost in 0u64..40,
        repeated in 0u64..40,
        calls in any::<bool>(),
        hangs_up in prop::option::of(0u64..40_000),
        acts in prop::collection::vec((0usize..6, 0u8..9, 0u64..2500), 0..16),
    ) {
        let mut net = Net::new(seed, lost, repeated);
        net.ring(CALL);
        net.pass(Duration::from_millis(700));
        let mut called = false;
        for (which, what, wait) in acts {
            net.act(which, what);
            net.pass(Duration::from_millis(wait));
            if let Some(ticket) = net.tickets().pop().filter(|_| calls && !called) {
                called = true;
                net.twilio_calls(&ticket);
            }
        }
        if let Some(after) = hangs_up {
            net.pass(Duration::from_millis(after));
            net.world.command(Command::Hangup { call: CALL });
        }
        net.pass(secs(250));
        let told = net.world.news();
        prop_assert!(told.iter().filter(|event| is_final(event)).count() <= 1);
        let answered = told.iter().filter(|event| matches!(event, Event::Answered { .. })).count();
        prop_assert!(answered <= 1);
        prop_assert!(told.iter().position(is_final).is_none_or(|last| last + 1 == told.len()), "{:?}", told);
        let over = told.iter().any(is_final);
        prop_assert!(net.phones_up() <= usize::from(!over));
        net.world.command(Command::Hangup { call: CALL });
        net.pass(secs(250));
        let rest = net.world.news();
        prop_assert_eq!(usize::from(over) + rest.len(), 1, "{:?} {:?}", told, rest);
        for node in &net.nodes {
            prop_assert!(node.legs.is_empty() && node.table.is_empty());
        }
        net.world.is_clean();
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn an_agents_call_to_another_ends_and_leaves_nothing(
        seed in 1u64..1_000_000,
        lost in 0u64..40,
        repeated in 0u64..40,
        acts in prop::collection::vec((0usize..4, 0u8..9, 0u64..2500), 0..16),
    ) {
        let mut net = Net::new(seed, lost, repeated);
        net.world.command(account("berta", "hidden"));
        net.berta_calls();
        net.pass(Duration::from_millis(2500));
        for (which, what, wait) in acts {
            net.act(which, what);
            net.pass(Duration::from_millis(wait));
        }
        net.pass(secs(250));
        prop_assert!(net.phones_up() <= 1);
        net.world.command(Command::RemoveAccount { user: "berta".parse().unwrap() });
        net.pass(secs(250));
        prop_assert_eq!(net.world.news(), vec![]);
        for node in &net.nodes {
            prop_assert!(node.legs.is_empty() && node.table.is_empty());
        }
        net.world.is_clean();
    }
}

/// What the peers of a call may say, at any time.
fn sayings(world: &World, to_phone: &str, ok: &str) -> Vec<(&'static str, String)> {
    let ticket = world.ticket_of_test();
    let mut sayings = vec![
        (TWILIO, invite(&ticket, "t1", ULAW)),
        (TWILIO, invite(&ticket, "t2", ALAW)),
        (TWILIO, invite(&ticket, "t1", "").replace("INVITE ", "CANCEL ").replace("1 INVITE", "1 CANCEL")),
    ];
    for (peer, of) in [(DESK, to_phone), (TWILIO, ok)] {
        for method in ["ACK", "BYE", "INVITE", "UPDATE", "INFO", "OPTIONS", "REFER"] {
            sayings.push((
                peer,
                within(of, method, 1 + sayings.len() as u32 % 3, if method == "BYE" { "" } else { BOTH }),
            ));
        }
    }
    for (peer, request) in world.requests() {
        for code in ["100", "180", "200", "401", "422", "486", "491"] {
            sayings.push((peer, response(&request, code, "ph", &[CONTACT], BOTH)));
        }
    }
    sayings
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn no_bytes_from_the_network_keep_a_call_or_end_the_engine(
        says in prop::collection::vec((any::<usize>(), prop::option::of((any::<usize>(), any::<u8>())), 0u64..3000), 1..40),
    ) {
        let mut world = World::new();
        world.registers(DESK, 1, "");
        world.ring();
        let to_phone = world.sent[0].1.clone();
        world.says(DESK, &response(&to_phone, "200", "ph", &[CONTACT], BOTH));
        let ok = format!("SIP/2.0 200 OK\r\n{}", to_phone.split_once("\r\n").unwrap().1);
        for (which, change, wait) in says {
            let sayings = sayings(&world, &to_phone, &world.last_ok().unwrap_or_else(|| ok.clone()));
            let (peer, text) = &sayings[which % sayings.len()];
            let mut bytes = text.clone().into_bytes();
            if let Some((at, byte)) = change {
                let at = at % bytes.len();
                bytes[at] = byte;
            }
            world.house.core.datagram(peer.parse().unwrap(), &bytes, world.house.now);
            world.pass(Duration::from_millis(wait));
        }
        world.command(Command::Hangup { call: CALL });
        world.pass(secs(1));
        let ends = world.news().iter().filter(|event| is_final(event)).count();
        prop_assert_eq!(ends, 1);
        world.is_clean();
    }
}

#[test]
fn ten_thousand_calls_leave_nothing_behind() {
    let mut net = Net::new(7, 0, 0);
    for round in 0..200_u128 {
        for call in 0..50 {
            net.ring(CallId(round * 50 + call));
        }
        net.pass(secs(1));
        for (place, (node, leg)) in std::mem::take(&mut net.begun).into_iter().enumerate() {
            // Of some both phones answer at once, of some none.
            if place % 7 > 0 {
                net.nodes[node].legs.answer(leg, BOTH.into(), net.now());
            } else {
                net.nodes[node].legs.refuse(leg, crate::message::Code::BUSY_HERE, net.now());
            }
        }
        net.pass(secs(1));
        for (place, ticket) in net.tickets().into_iter().enumerate() {
            if place % 5 > 0 {
                net.twilio_calls(&ticket);
            }
        }
        net.pass(secs(1));
        for (node, leg) in std::mem::take(&mut net.begun) {
            net.nodes[node].legs.end(leg, crate::leg::Reason::Plain, net.now());
        }
        net.pass(secs(31));
        let ends = net.world.news().iter().filter(|event| is_final(event)).count();
        assert_eq!(ends, 50);
        if round % 5 == 4 {
            net.world.registers(DESK, u32::try_from(round).unwrap() + 10, "");
            net.world.registers(HOME, u32::try_from(round).unwrap() + 10, "");
        }
    }
    net.pass(secs(70));
    net.world.is_clean();
}
