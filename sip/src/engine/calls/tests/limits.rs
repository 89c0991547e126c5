//! What agents' calls may take, and whom a lock-out does not reach.

use super::{
    agents::{BERTA, Berta, two, two_with},
    world::*,
};
use crate::{
    abuse::{Rate, Shed},
    engine::{CallId, Caller, Command, Count, Ring},
    leg::tests::node::response,
    transport::{ConnectionId, Flow, Transport},
};

#[test]
fn a_call_that_fails_at_once_leaves_nothing_behind() {
    // There is no room for the other leg.
    let mut world = two_with(|settings| settings.calls.legs.legs = 1);
    world.registers_as("berta", "hidden", BERTA, 1, "");
    Berta { cseq: 3, ..Berta::default() }.calls(&mut world);
    assert_eq!(world.methods(BERTA), ["503"]);
    world.is_clean();
}

#[test]
fn one_account_does_not_take_all_there_is() {
    let mut world = two_with(|settings| settings.abuse.calls = Rate { per_second: 2.0, burst: 100 });
    for number in 0..32 {
        Berta { cseq: 2 * number + 1, ..Berta::default() }.calls(&mut world);
        assert_eq!(world.methods(BERTA), Vec::<String>::new());
    }
    Berta { cseq: 101, ..Berta::default() }.calls(&mut world);
    assert_eq!(world.methods(BERTA), ["503"]);
    world.is_clean();
}

#[test]
fn an_account_may_call_so_often_and_what_it_leaves_behind_is_little() {
    let mut world = two();
    let nobody = |cseq| Berta { user: "nobody", cseq, ..Berta::default() };
    for number in 0..30 {
        nobody(2 * number + 1).calls(&mut world);
        assert_eq!(world.methods(BERTA), ["404"]);
    }
    let kept = world.house.core.transactions.len();
    for number in 30..40 {
        nobody(2 * number + 1).calls(&mut world);
        assert_eq!(world.methods(BERTA), ["503"]);
    }
    assert_eq!(world.house.core.transactions.len(), kept, "no ACK comes, and none is waited for");
    assert_eq!(world.house.counters.shed(Shed::Calls), 10);
    world.pass(secs(1));
    world.to(BERTA);
    nobody(101).calls(&mut world);
    assert_eq!(world.methods(BERTA), ["404"]);
    world.is_clean();
}

#[test]
fn agents_among_themselves_leave_room_for_customers() {
    let mut world = two_with(|settings| settings.calls.legs.legs = 4);
    Berta::default().calls(&mut world);
    assert_eq!((world.methods(DESK), world.methods(BERTA)), (vec!["INVITE".into()], vec![]));
    // A leg of a customer's call, and the share of agents is used up.
    let ring = |call| Ring { call, user: "anna".parse().unwrap(), caller: Caller::default(), ring: secs(20) };
    world.command(Command::Ring(Box::new(ring(CALL))));
    assert_eq!(world.methods(DESK), ["INVITE"]);
    Berta { cseq: 11, ..Berta::default() }.calls(&mut world);
    assert_eq!((world.methods(DESK), world.methods(BERTA)), (vec![], vec!["503".into()]));
    world.command(Command::Ring(Box::new(ring(CallId(8)))));
    assert_eq!(world.methods(DESK), ["INVITE"]);
    world.is_clean();
}

#[test]
fn a_call_that_is_up_may_change_however_many_legs_there_are_but_not_without_acks() {
    let mut world = two_with(|settings| {
        settings.calls.legs.legs = 2;
        settings.transactions.all = 12;
    });
    Berta::default().calls(&mut world);
    let to_anna = world.one(DESK);
    world.says(DESK, &response(&to_anna, "200", "ph", &[CONTACT], BOTH));
    let ok = world.one(BERTA);
    world.says(BERTA, &within(&ok, "ACK", 2, ""));
    world.sent.clear();
    world.pass(secs(40));
    world.says(BERTA, &within(&ok, "INVITE", 3, BOTH));
    assert_eq!(world.methods(DESK), ["INVITE"]);
    for cseq in 4..30 {
        world.says(BERTA, &within(&ok, "INVITE", cseq, BOTH));
    }
    assert!(world.house.core.transactions.len() <= 9);
    assert!(world.methods(BERTA).contains(&"503".to_owned()));
}

#[test]
fn transactions_are_left_for_customers_too() {
    let mut world = two_with(|settings| settings.transactions.all = 8);
    world.pass(secs(40));
    let nobody = |cseq| Berta { user: "nobody", cseq, ..Berta::default() };
    for number in 0..6 {
        nobody(2 * number + 1).calls(&mut world);
        assert_eq!(world.methods(BERTA), ["404"]);
    }
    nobody(51).calls(&mut world);
    assert_eq!(world.methods(BERTA), ["503"]);
    let ring = Ring { call: CALL, user: "anna".parse().unwrap(), caller: Caller::default(), ring: secs(20) };
    world.command(Command::Ring(Box::new(ring)));
    world.answers(DESK, BOTH);
    let ticket = world.ticket();
    assert!(world.twilio_invites(&ticket, ULAW).starts_with("SIP/2.0 200"));
}

#[test]
fn a_neighbour_who_guesses_ends_no_call_behind_the_same_address() {
    let mut world = two_with(|settings| settings.abuse.known.failures = Rate { per_second: 0.1, burst: 2 });
    let neighbour = "192.0.2.7:9999";
    Berta::default().calls(&mut world);
    let to_anna = world.one(DESK);
    let guess = |cseq| Berta { password: "guess", peer: neighbour, cseq, ..Berta::default() };
    for number in 10..12 {
        guess(2 * number).calls(&mut world);
        assert_eq!(world.methods(neighbour), ["401"]);
    }
    guess(30).calls(&mut world);
    assert_eq!(world.house.counters.get(Count::LockedOut), 1);
    world.to(neighbour);
    world.says(neighbour, &guess(40).text(""));
    let flow =
        Flow { transport: Transport::Tcp, peer: "192.0.2.7:5070".parse().unwrap(), connection: Some(ConnectionId(3)) };
    world.orders.clear();
    world.house.core.message(flow, guess(42).text("").into(), world.house.now);
    world.pass(secs(0));
    assert_eq!((world.methods(neighbour), world.house.counters.shed(Shed::LockedOut)), (vec![], 2));
    assert_eq!(world.orders, [], "no connection there is closed");
    world.says(DESK, &response(&to_anna, "200", "ph", &[CONTACT], ALAW));
    let ok = world.one(BERTA);
    assert!(ok.starts_with("SIP/2.0 200"), "{ok}");
    world.says(BERTA, &within(&ok, "ACK", 2, ""));
    let ack = world.one(DESK);
    world.says(DESK, &within(&ack, "BYE", 3, ""));
    assert_eq!((world.methods(DESK), world.methods(BERTA)), (vec!["200".into()], vec!["BYE".into()]));
    world.is_clean();
}
