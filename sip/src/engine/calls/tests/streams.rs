//! Phones whose connection is lost.

use super::world::*;
use crate::{
    engine::{
        CallId, Caller, Command, Event, Ring,
        tests::house::{Phone, nonce},
    },
    leg::tests::node::response,
    message::{Carrier, Limits, Message},
    ring::Outcome,
    transport::{ConnectionId, Flow, Transport},
};

/// The same phone's connections.
fn connection(number: u16) -> Flow {
    Flow {
        transport: Transport::Tcp,
        peer: ([192, 0, 2, 7], 40_000 + number).into(),
        connection: Some(ConnectionId(number.into())),
    }
}

impl World {
    fn brings(&mut self, flow: Flow, text: String) {
        self.house.core.message(flow, text.into(), self.house.now);
        self.pass(secs(0));
    }

    /// The one message that was sent over it since the last look.
    fn over(&mut self, flow: Flow) -> String {
        let place = self.sent.iter().position(|(to, _)| to.connection == flow.connection);
        self.sent.remove(place.expect("nothing was sent over it")).1
    }

    fn registers_over(&mut self, flow: Flow, contact: &str) {
        let cseq = u32::try_from(flow.connection.unwrap().0).unwrap();
        let phone = Phone { user: "anna", password: "secret", peer: DESK, cseq };
        let lines = format!("Contact: {contact}\r\n");
        self.brings(flow, phone.register(&lines, None));
        let challenge = Message::parse(self.over(flow).into(), Carrier::Stream, &Limits::default()).unwrap();
        self.brings(flow, phone.register(&lines, Some((&nonce(&challenge), 1))));
        assert!(self.over(flow).starts_with("SIP/2.0 200"));
    }

    fn loses(&mut self, flow: Flow) {
        self.house.core.closed(flow.connection.unwrap(), self.house.now);
        self.pass(secs(0));
    }
}

#[test]
fn a_phone_that_comes_back_over_another_connection_is_still_in_its_call() {
    let instance = ";+sip.instance=\"<urn:uuid:00000000-0000-1000-8000-AABBCCDDEEFF>\"";
    for (before, after) in [
        ("<sip:anna@10.0.0.9;transport=tcp>".to_owned(), "<sip:anna@10.0.0.9;transport=tcp>".to_owned()),
        (format!("<sip:anna@10.0.0.9:40001>{instance}"), format!("<sip:anna@10.0.0.9:40002>{instance}")),
    ] {
        let mut world = World::new();
        let (first, second) = (connection(1), connection(2));
        world.registers_over(first, &before);
        world.ring();
        let invite = world.over(first);
        world.brings(first, response(&invite, "200", "ph", &[CONTACT], BOTH));
        assert!(world.over(first).starts_with("ACK "));
        let ticket = world.ticket();
        let ok = world.twilio_invites(&ticket, ULAW);
        world.says(TWILIO, &within(&ok, "ACK", 1, ""));
        assert_eq!(world.news().last(), Some(&Event::Bridged { call: CALL }));

        world.loses(first);
        let ring = Ring { call: CallId(8), user: "anna".parse().unwrap(), caller: Caller::default(), ring: secs(20) };
        world.command(Command::Ring(Box::new(ring)));
        let failed = Event::Failed { call: CallId(8), outcome: Outcome::Unreachable };
        assert_eq!(world.news(), [failed], "nothing wakes it");
        world.registers_over(second, &after);
        world.command(Command::Hangup { call: CALL });
        let bye = world.over(second);
        assert!(bye.starts_with("BYE "), "{bye}");
        world.brings(second, response(&bye, "200", "", &[], ""));
        world.is_clean();
    }
}

#[test]
fn a_phone_that_sleeps_can_still_be_woken_once_its_connection_is_gone() {
    let mut world = World::new();
    let first = connection(1);
    world.registers_over(first, "<sip:anna@10.0.0.9;pn-provider=fcm;pn-param=ours;pn-prid=token>;expires=60");
    world.pass(secs(70));
    world.loses(first);
    world.ring();
    assert!(matches!(world.news().as_slice(), [Event::Wake { call: CALL, .. }]));
}
