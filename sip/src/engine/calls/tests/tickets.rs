//! Twilio's INVITE: which is let in, and how it is answered.

use super::world::*;
use crate::{
    engine::{Command, Ender, Event, Media, Output, tests::house::credentials},
    leg::tests::node::{header, response},
    media::Leg,
    transport::{ConnectionId, Flow, Transport},
};

fn waiting(world: &mut World, sdp: &str) -> (String, String) {
    world.registers(DESK, 1, "");
    world.ring();
    let invite = world.answers(DESK, sdp);
    (invite, world.ticket())
}

fn ender(world: &mut World) -> Option<Ender> {
    world.news().iter().find_map(|event| match event {
        Event::Ended { by, .. } => Some(*by),
        _ => None,
    })
}

#[test]
fn an_invite_is_let_in_by_its_ticket_and_its_network_only() {
    let mut world = World::new();
    let (_, ticket) = waiting(&mut world, ONE);
    let before = world.house.core.transactions.len();
    for (peer, user, code) in [
        (ELSEWHERE, ticket.as_str(), "403"),
        (TWILIO, "00000000000000000000000000000000", "404"),
        (TWILIO, "anna", "403"),
    ] {
        world.says(peer, &invite(user, "x", ULAW));
        assert_eq!(world.methods(peer), [code], "{user}");
    }
    assert_eq!(world.house.core.transactions.len(), before, "they leave nothing behind");
    let ok = world.twilio_invites(&ticket, ULAW);
    assert!(ok.starts_with("SIP/2.0 200"));
    world.says(TWILIO, &invite(&ticket, "other", ULAW));
    assert_eq!(world.methods(TWILIO), ["404"], "it is worth one call");
    world.says(TWILIO, &invite(&ticket, "t1", ULAW));
    assert!(world.to(TWILIO).is_empty(), "the same INVITE once more: its 200 is on its way");
    world.says(TWILIO, &within(&ok, "ACK", 1, ""));
    world.command(Command::Hangup { call: CALL });
    world.is_clean();
}

#[test]
fn twilio_is_let_in_whatever_others_send_in_its_name() {
    let mut world = World::new();
    let (_, ticket) = waiting(&mut world, BOTH);
    (0..1000).for_each(|_| world.says(TWILIO, "nonsense\r\n\r\n"));
    let ok = world.twilio_invites(&ticket, ULAW);
    assert!(ok.starts_with("SIP/2.0 200"), "{ok}");
}

#[test]
fn twilio_is_not_starved_once_it_was_let_in() {
    let mut world = World::new();
    let (_, ticket) = waiting(&mut world, ONE);
    let flow = Flow { transport: Transport::Tls, peer: TWILIO.parse().unwrap(), connection: Some(ConnectionId(3)) };
    let text = invite("00000000000000000000000000000001", "x", ULAW).replace("SIP/2.0/UDP 54", "SIP/2.0/TLS 54");
    world.house.core.message(flow, text.clone().into(), world.house.now);
    world.pass(secs(0));
    assert_eq!(world.orders, []);
    let text = text.replace("00000000000000000000000000000001", &ticket);
    world.house.core.message(flow, text.into(), world.house.now);
    world.pass(secs(0));
    assert_eq!(world.orders, [Output::Trust(ConnectionId(3))]);
    let (way, ok) =
        world.sent.iter().find(|(_, text)| text.contains("CSeq: 1 INVITE") && text.contains(" 200 ")).unwrap();
    assert_eq!((way, header(ok, "Contact")), (&flow, "<sip:offdesk@192.0.2.1:5061;transport=tls>"));
    world.to(TWILIO);
    // Far more than a stranger may say.
    for _ in 0..1000 {
        world.says(TWILIO, &invite("00000000000000000000000000000001", "y", ULAW));
    }
    assert_eq!(world.to(TWILIO).len(), 1000);
    world.command(Command::Hangup { call: CALL });
    world.is_clean();
}

#[test]
fn what_twilio_is_told_goes_over_a_connection_that_it_has() {
    let mut world = World::new();
    let (_, ticket) = waiting(&mut world, ONE);
    let over = |connection| Flow {
        transport: Transport::Tcp,
        peer: format!("54.172.60.2:4000{connection}").parse().unwrap(),
        connection: Some(ConnectionId(connection)),
    };
    let text =
        invite(&ticket, "t1", ULAW).replace("SIP/2.0/UDP 54", "SIP/2.0/TCP 54").replace(";lr;", ";transport=tcp;lr;");
    world.house.core.message(over(1), text.into(), world.house.now);
    world.pass(secs(0));
    let (_, ok) = world.sent.pop().unwrap();
    // Another call comes over another connection; the first is closed.
    world.house.core.calls.trunks.add(over(2));
    world.house.core.message(over(1), within(&ok, "ACK", 1, "").replace("/UDP", "/TCP").into(), world.house.now);
    world.house.core.closed(ConnectionId(1), world.house.now);
    world.command(Command::Hangup { call: CALL });
    let (flow, bye) = world.sent.iter().find(|(flow, _)| flow.peer.ip() == over(1).peer.ip()).unwrap();
    assert_eq!((what(bye), flow.connection), ("BYE".into(), Some(ConnectionId(2))));
    world.house.core.closed(ConnectionId(2), world.house.now);
    assert_eq!(world.house.core.calls.trunks.len(), 0);
    world.is_clean();
}

#[test]
fn a_ticket_that_nobody_uses_ends_the_phones_call() {
    let mut world = World::new();
    let (_, ticket) = waiting(&mut world, ONE);
    world.pass(secs(29));
    assert!(world.to(DESK).is_empty());
    world.pass(secs(2));
    assert_eq!(world.methods(DESK).first().map(String::as_str), Some("BYE"));
    assert_eq!(ender(&mut world), Some(Ender::NoInvite));
    assert!(world.twilio_invites(&ticket, ULAW).starts_with("SIP/2.0 404"));
    world.is_clean();
}

#[test]
fn a_phone_that_hangs_up_first_takes_the_ticket_with_it() {
    let mut world = World::new();
    let (to_phone, ticket) = waiting(&mut world, ONE);
    world.says(DESK, &within(&to_phone, "BYE", 1, ""));
    assert_eq!(ender(&mut world), Some(Ender::Phone));
    assert!(world.twilio_invites(&ticket, ULAW).starts_with("SIP/2.0 404"));
    world.is_clean();
}

#[test]
fn an_invite_that_asks_for_too_much_may_come_again_with_its_ticket() {
    let mut world = World::new();
    let (_, ticket) = waiting(&mut world, ONE);
    let asking =
        invite(&ticket, "t1", ULAW).replace("Max-Forwards", "Supported: timer\r\nSession-Expires: 60\r\nMax-Forwards");
    world.says(TWILIO, &asking);
    let refused = world.one(TWILIO);
    assert!(refused.starts_with("SIP/2.0 422") && header(&refused, "Min-SE") == "90");
    let longer = asking.replace("Expires: 60", "Expires: 120\r\nMin-SE: 120").replace("z9hG4bKt1", "z9hG4bKt2");
    world.says(TWILIO, &longer.replace("CSeq: 1", "CSeq: 2"));
    let ok = world.one(TWILIO);
    assert!(ok.starts_with("SIP/2.0 200") && header(&ok, "Session-Expires").starts_with("120"), "{ok}");
    world.says(TWILIO, &within(&ok, "ACK", 2, ""));
    // Nobody refreshes it.
    world.pass(secs(121));
    assert_eq!(ender(&mut world), Some(Ender::Twilio));
    world.is_clean();
}

#[test]
fn an_answer_that_nobody_acknowledges_ends_the_call() {
    let mut world = World::new();
    let (_, ticket) = waiting(&mut world, ONE);
    world.twilio_invites(&ticket, ULAW);
    world.pass(secs(33));
    assert_eq!(ender(&mut world), Some(Ender::Twilio));
    assert!(world.methods(DESK).contains(&"BYE".into()) && world.methods(TWILIO).contains(&"BYE".into()));
    world.is_clean();
}

#[test]
fn with_auth_the_invite_is_challenged_for_what_was_told_with_the_ticket() {
    let mut world = World::with(|settings| settings.calls.twilio_auth = true);
    let (_, ticket) = waiting(&mut world, ONE);
    let login = world.events.iter().find_map(|event| match event {
        Event::Answered { login, .. } => login.clone(),
        _ => None,
    });
    let login = login.unwrap();
    let challenge = world.twilio_invites(&ticket, ULAW);
    assert!(challenge.starts_with("SIP/2.0 401"));
    let nonce = header(&challenge, "WWW-Authenticate").split("nonce=\"").nth(1).unwrap().split('"').next().unwrap();
    let answer = |password: &str, count| {
        let uri = format!("sip:{ticket}@gw.example.com");
        let credentials = credentials(&login.username, password, "INVITE", &uri, nonce, count);
        let text = invite(&ticket, "t1", ULAW).replace("Max-Forwards", &format!("{credentials}Max-Forwards"));
        text.replace("z9hG4bKt1", &format!("z9hG4bKa{count}"))
    };
    world.says(TWILIO, &answer("guess", 1));
    assert_eq!(world.methods(TWILIO), ["401"]);
    world.says(TWILIO, &answer(&login.password, 2));
    let ok = world.one(TWILIO);
    assert!(ok.starts_with("SIP/2.0 200"), "{ok}");
    world.says(TWILIO, &within(&ok, "ACK", 1, ""));
    assert_eq!(world.news().last(), Some(&Event::Bridged { call: CALL }));
    world.command(Command::Hangup { call: CALL });
    world.is_clean();
}

#[test]
fn a_phone_that_has_none_of_twilios_voices_is_offered_them() {
    for (answer, code) in [("200", "200"), ("488", "488")] {
        let mut world = World::new();
        let (_, ticket) = waiting(&mut world, ALAW);
        world.says(TWILIO, &invite(&ticket, "t1", ULAW));
        assert!(world.to(TWILIO).is_empty());
        let offer = world.one(DESK);
        assert!(offer.starts_with("INVITE ") && offer.contains(" RTP/AVP 0 101\r\n"), "{offer}");
        world.says(DESK, &response(&offer, answer, "", &[CONTACT], if answer == "200" { BOTH } else { "" }));
        assert!(world.methods(DESK).contains(&"ACK".into()));
        let answered = world.one(TWILIO);
        assert_eq!(what(&answered), code);
        if code == "200" {
            assert!(answered.contains("m=audio 20004 RTP/AVP 0 101\r\n"));
            world.says(TWILIO, &within(&answered, "ACK", 1, ""));
            assert_eq!(world.news().last(), Some(&Event::Bridged { call: CALL }));
            world.command(Command::Hangup { call: CALL });
        } else {
            assert_eq!(ender(&mut world), Some(Ender::Twilio));
        }
        world.is_clean();
    }
}

#[test]
fn a_phone_that_may_send_what_twilio_does_not_take_is_told_so() {
    let liked = BOTH.replace("RTP/AVP 0 8 101", "RTP/AVP 8 0 101");
    for (offer, answer) in [(ULAW, "200"), (ULAW, "488"), ("", "200")] {
        let mut world = World::new();
        let (to_phone, ticket) = waiting(&mut world, &liked);
        assert!(to_phone.contains(" RTP/AVP 0 8 101\r\n"));
        let ok = world.twilio_invites(&ticket, offer);
        assert!(ok.starts_with("SIP/2.0 200"), "Twilio does not wait for the phone: {ok}");
        world.says(TWILIO, &within(&ok, "ACK", 1, if offer.is_empty() { ULAW } else { "" }));
        let narrower = world.one(DESK);
        assert!(narrower.starts_with("INVITE ") && narrower.contains("m=audio 20006 RTP/AVP 0 101\r\n"), "{narrower}");
        // Meanwhile Twilio's own offer has to wait: what the phone says next is no answer to it.
        world.says(TWILIO, &within(&ok, "INVITE", 2, &format!("{ULAW}a=sendonly\r\n")));
        assert_eq!(world.methods(TWILIO), ["491"]);
        world.told().connected.clear();
        world.says(DESK, &response(&narrower, answer, "", &[CONTACT], if answer == "200" { ONE } else { "" }));
        assert_eq!((world.methods(DESK), world.methods(TWILIO)), (vec!["ACK".into()], vec![]));
        assert_eq!(world.media().0, if answer == "200" { vec![Leg::B] } else { vec![] });
        world.says(TWILIO, &within(&ok, "INVITE", 3, &format!("{ULAW}a=sendonly\r\n")));
        assert_eq!(world.methods(DESK), ["INVITE"], "and now Twilio's goes on");
        world.command(Command::Hangup { call: CALL });
        world.is_clean();
    }
    let mut world = World::new();
    let (_, ticket) = waiting(&mut world, ONE);
    world.twilio_invites(&ticket, ULAW);
    assert!(world.to(DESK).is_empty(), "one that sends what Twilio takes has nothing to be told");
}

#[test]
fn what_cannot_be_served_is_refused_and_ends_the_call() {
    for (sdp, code) in [(ULAW.replace("RTP/AVP 0 101", "UDP/TLS/RTP/SAVPF 0"), "488"), ("v=1\r\n".to_owned(), "400")] {
        let mut world = World::new();
        let (_, ticket) = waiting(&mut world, ONE);
        assert_eq!(what(&world.twilio_invites(&ticket, &sdp)), code);
        assert_eq!(ender(&mut world), Some(Ender::Twilio));
        assert_eq!(world.methods(DESK), ["BYE"]);
        world.is_clean();
    }
}

#[test]
fn an_invite_without_an_offer_is_given_one() {
    let mut world = World::new();
    let (_, ticket) = waiting(&mut world, ALAW);
    let ok = world.twilio_invites(&ticket, "");
    assert!(ok.starts_with("SIP/2.0 200") && ok.contains("m=audio 20004 RTP/AVP 8\r\n"), "{ok}");
    world.says(TWILIO, &within(&ok, "ACK", 1, ALAW));
    assert_eq!(world.news().last(), Some(&Event::Bridged { call: CALL }));
    assert_eq!(world.media().0.len(), 2);
    world.command(Command::Hangup { call: CALL });
    world.is_clean();
}

#[test]
fn twilio_cancels_while_the_phone_is_asked() {
    let mut world = World::new();
    let (_, ticket) = waiting(&mut world, ALAW);
    let asking = invite(&ticket, "t1", ULAW);
    world.says(TWILIO, &asking);
    let offer = world.one(DESK);
    let cancel = invite(&ticket, "t1", "").replace("INVITE ", "CANCEL ").replace("1 INVITE", "1 CANCEL");
    world.says(TWILIO, &cancel);
    assert_eq!(world.methods(TWILIO), ["200", "487"]);
    assert_eq!(ender(&mut world), Some(Ender::Twilio));
    world.says(DESK, &response(&offer, "200", "", &[CONTACT], BOTH));
    assert!(world.methods(DESK).contains(&"BYE".into()));
    world.is_clean();
}

#[test]
fn directly_the_two_are_told_of_each_other() {
    let mut world = World::with(|settings| settings.calls.media = Media::Direct);
    world.registers(DESK, 1, "");
    world.ring();
    let to_phone = world.one(DESK);
    assert!(to_phone.contains("c=IN IP4 0.0.0.0\r\n") && to_phone.contains("a=inactive\r\n"), "{to_phone}");
    world.says(DESK, &response(&to_phone, "200", "ph", &[CONTACT], BOTH));
    assert_eq!(world.methods(DESK), ["ACK"]);
    let ticket = world.ticket();
    world.says(TWILIO, &invite(&ticket, "t1", ULAW));
    let offer = world.one(DESK);
    assert!(offer.ends_with(ULAW));
    world.says(DESK, &response(&offer, "200", "", &[CONTACT], BOTH));
    let ok = world.one(TWILIO);
    assert!(ok.ends_with(BOTH));
    world.says(TWILIO, &within(&ok, "ACK", 1, ""));
    world.says(TWILIO, &within(&ok, "BYE", 2, ""));
    let ended = Event::Ended { call: CALL, by: Ender::Twilio, quality: None };
    assert_eq!(world.news().last(), Some(&ended));
    assert_eq!(world.media(), (Vec::new(), Vec::new()));
    world.is_clean();
}
