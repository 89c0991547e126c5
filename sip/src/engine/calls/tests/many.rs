//! Whatever happens, in whatever order; and ten thousand calls.

use std::time::Duration;

use proptest::prelude::*;

use super::{net::Net, world::*};
use crate::engine::{CallId, Command, Event, tests::house::account};

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
