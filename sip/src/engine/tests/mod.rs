//! Registering, and what is refused.

pub(super) mod house;

use self::house::{ANNA, DOMAIN, House, Phone, account, nonce, request};
use super::*;
use crate::{
    abuse::Shed,
    message::{Message, Name},
};

#[test]
fn a_phone_registers_and_its_owner_hears_of_it() {
    let mut house = House::new();
    let answer = house.registers(ANNA, &ANNA.contact());
    assert_eq!(answer.code().unwrap().get(), 200);
    assert_eq!(answer.head().first(Name::Contact).unwrap(), "<sip:anna@192.0.2.7:5062>;expires=300");
    let events = house.events();
    let [Event::Bound { user, account, binding }] = events.as_slice() else { panic!("{events:?}") };
    assert_eq!(*account, Ha1s::new("anna", DOMAIN, "secret").fingerprint());
    assert_eq!((user.as_str(), binding.uri.as_str()), ("anna", "sip:anna@192.0.2.7:5062"));
    assert_eq!((binding.reach, binding.transport), (Reach::Proven, Transport::Udp));
    assert_eq!(binding.expires, 1_800_000_300);
}

#[test]
fn a_repeated_register_gets_the_same_answer_and_changes_nothing() {
    let mut house = House::new();
    let challenge = house.datagram(ANNA.peer, &ANNA.register(&ANNA.contact(), None)).remove(0);
    let text = ANNA.register(&ANNA.contact(), Some((&nonce(&challenge), 1)));
    let first = house.datagram(ANNA.peer, &text).remove(0);
    let again = house.datagram(ANNA.peer, &text).remove(0);
    assert_eq!((first.code().unwrap().get(), again.code().unwrap().get()), (200, 200));
    assert_eq!(first.to().tag(), again.to().tag());
    house.pass(Duration::from_secs(33));
    assert_eq!(house.code(ANNA.peer, &text), Some(401), "a replay, once its transaction is over");
}

#[test]
fn users_that_are_there_and_those_that_are_not_get_the_same_401() {
    let mut house = House::new();
    let wrong = Phone { password: "guess", ..ANNA };
    let nobody = Phone { user: "none", ..wrong };
    let shape = |answer: &Message| -> Vec<(Name, usize)> {
        answer.head().headers().map(|header| (header.name, header.value.len())).collect()
    };
    let (wrong, nobody) = (house.registers(wrong, ""), house.registers(nobody, ""));
    assert_eq!((wrong.code().unwrap().get(), nobody.code().unwrap().get()), (401, 401));
    assert_eq!(shape(&wrong), shape(&nobody));
    assert!(house.core.transactions.is_empty(), "whoever is not authenticated leaves nothing behind");
}

#[test]
fn guessing_locks_a_source_out_and_not_the_agent() {
    let mut house = House::new();
    let guesser = Phone { password: "guess", peer: "198.51.100.9:5060", ..ANNA };
    let mut silent = false;
    for cseq in 1..40 {
        let phone = Phone { cseq, ..guesser };
        let Some(challenge) = house.datagram(phone.peer, &phone.register("", None)).pop() else {
            silent = true;
            break;
        };
        house.datagram(phone.peer, &phone.register("", Some((&nonce(&challenge), cseq))));
    }
    assert!(silent && house.counters.get(Count::LockedOut) == 1);
    assert!(house.counters.shed(Shed::LockedOut) > 0);
    assert_eq!(house.registers(ANNA, &ANNA.contact()).code().unwrap().get(), 200);
}

#[test]
fn nobody_is_locked_out_by_what_others_send_in_their_name() {
    let mut house = House::new();
    for cseq in 2..100 {
        let forged = Phone { password: "guess", cseq, ..ANNA };
        house.datagram(ANNA.peer, &forged.register("", Some((&"0".repeat(48), 1))));
        house.pass(Duration::from_millis(50));
    }
    assert_eq!((house.counters.get(Count::LockedOut), house.counters.get(Count::Wrong)), (0, 0));
    assert_eq!(house.registers(ANNA, &ANNA.contact()).code().unwrap().get(), 200);
}

#[test]
fn an_account_may_register_so_often_and_others_as_before() {
    let rate = abuse::Rate { per_second: 1.0, burst: 3 };
    let mut house = House::with(|settings| settings.abuse.registrations = rate);
    house.core.command(account("berta", "secret"), house.now);
    let with = |cseq| Phone { cseq, ..ANNA };
    for cseq in 1..4 {
        assert_eq!(house.registers(with(cseq), &ANNA.contact()).code().unwrap().get(), 200);
    }
    let refused = house.registers(with(4), &ANNA.contact());
    assert_eq!(refused.code().unwrap().get(), 503);
    assert_eq!(refused.head().first(Name::RetryAfter), Some("5"));
    assert_eq!(house.counters.shed(Shed::Registrations), 1);
    assert_eq!(house.registers(Phone { user: "berta", ..ANNA }, "").code().unwrap().get(), 200);
    house.pass(Duration::from_secs(5));
    assert_eq!(house.registers(with(5), &ANNA.contact()).code().unwrap().get(), 200);
}

#[test]
fn nobody_registers_for_somebody_else() {
    let mut house = House::new();
    house.core.command(account("berta", "secret"), house.now);
    let challenge = house.datagram(ANNA.peer, &ANNA.register("", None)).remove(0);
    let text = ANNA.register(&ANNA.contact(), Some((&nonce(&challenge), 1)));
    let for_berta = text.replace("To: <sip:anna@", "To: <sip:berta@");
    assert_eq!(house.code(ANNA.peer, &for_berta), Some(403));
    let challenge = house.datagram(ANNA.peer, &ANNA.register("", None)).remove(0);
    let text = Phone { cseq: 2, ..ANNA }.register("", Some((&nonce(&challenge), 1)));
    let elsewhere = text.replace(&format!("To: <sip:anna@{DOMAIN}"), "To: <sip:anna@example.org");
    assert_eq!(house.code(ANNA.peer, &elsewhere), Some(404));
}

#[test]
fn the_user_is_who_stands_in_to() {
    for (to, code) in [
        ("Anna <sips:%61nna:x@GW.Example.com:5061;transport=tls>;x=y", 200),
        ("<sip:gw.example.com>", 404),
        ("<tel:+15550100>", 404),
        ("<sip:%00@gw.example.com>", 404),
    ] {
        let mut house = House::new();
        let challenge = house.datagram(ANNA.peer, &ANNA.register("", None)).remove(0);
        let text = ANNA.register(&ANNA.contact(), Some((&nonce(&challenge), 1)));
        let text = text.replace(&format!("To: <sip:anna@{DOMAIN}>"), &format!("To: {to}"));
        assert_eq!(house.code(ANNA.peer, &text), Some(code), "{to}");
    }
}

#[test]
fn scanners_and_garbage_meet_silence() {
    let mut house = House::new();
    let scan = request("OPTIONS").replace("Content-Length", "User-Agent: friendly-scanner\r\nContent-Length");
    assert!(house.datagram(ANNA.peer, &scan).is_empty());
    assert!(house.datagram(ANNA.peer, "hello\r\n\r\n").is_empty());
    assert!(house.datagram(ANNA.peer, "\r\n\r\n").is_empty());
    assert_eq!((house.counters.shed(Shed::Scanner), house.counters.shed(Shed::Garbage)), (1, 1));
}

#[test]
fn what_is_not_for_phones_is_refused_without_state() {
    let mut house = House::new();
    for (method, code) in [
        ("OPTIONS", Some(200)),
        ("INVITE", Some(403)),
        ("INFO", Some(481)),
        ("MESSAGE", Some(405)),
        ("BYE", Some(481)),
        ("CANCEL", Some(481)),
        ("ACK", None),
    ] {
        assert_eq!(house.code(ANNA.peer, &request(method)), code, "{method}");
    }
    assert_eq!(house.code(ANNA.peer, &request("NOSUCH")), Some(501));
    assert!(house.core.transactions.is_empty());
}

#[test]
fn what_comes_again_is_answered_with_the_same_tag() {
    let mut house = House::new();
    let broken = request("REGISTER").replace("CSeq: 1 REGISTER", "CSeq: 1 OPTIONS");
    for text in [request("OPTIONS"), request("INVITE"), ANNA.register("", None), broken] {
        let answers = [(); 2].map(|()| house.datagram(ANNA.peer, &text).remove(0));
        let [first, again] = answers.each_ref().map(|answer| answer.to().tag().unwrap());
        assert_eq!(first, again, "{text}");
    }
    let [one, other] = ["CSeq: 1 ", "CSeq: 2 "].map(|cseq| {
        let answer = house.datagram(ANNA.peer, &request("OPTIONS").replace("CSeq: 1 ", cseq)).remove(0);
        answer.to().tag().unwrap().to_owned()
    });
    assert_ne!(one, other);
}

#[test]
fn an_unknown_source_gets_no_answer_that_is_much_longer_than_its_question() {
    let mut house = House::new();
    let short = "REGISTER sip:a SIP/2.0\r\nv:SIP/2.0/UDP h\r\nf:<sip:a@b>;tag=1\r\nt:<sip:a@b>\r\ni:1\r\nCSeq:1 REGISTER\r\n\r\n";
    assert!(house.datagram("198.51.100.9:5060", short).is_empty());
    assert_eq!(house.counters.shed(Shed::Amplification), 1);
}

#[test]
fn another_password_and_removal_end_the_bindings() {
    let commands: [fn() -> Command; 2] =
        [|| account("anna", "other"), || Command::RemoveAccount { user: "anna".parse().unwrap() }];
    for command in commands {
        let mut house = House::new();
        house.registers(ANNA, &ANNA.contact());
        assert_eq!(house.events().len(), 1);
        house.core.command(command(), house.now);
        assert!(matches!(house.events().as_slice(), [Event::Unbound(_)]));
    }
    let mut house = House::new();
    house.registers(ANNA, &ANNA.contact());
    house.events();
    house.core.command(account("anna", "secret"), house.now);
    assert!(house.events().is_empty(), "the same password again changes nothing");
}

#[test]
fn a_binding_ends_with_its_time_or_with_its_connection() {
    let mut house = House::new();
    house.registers(ANNA, &ANNA.contact());
    house.events();
    house.pass(Duration::from_secs(302));
    assert!(matches!(house.events().as_slice(), [Event::Unbound(_)]));
    let flow = Flow { transport: Transport::Tcp, peer: ANNA.peer.parse().unwrap(), connection: Some(ConnectionId(4)) };
    let phone = Phone { cseq: 9, ..ANNA };
    house.core.message(flow, phone.register("", None).into(), house.now);
    let challenge = house.sent().remove(0);
    let text = phone.register(&phone.contact(), Some((&nonce(&challenge), 1)));
    house.core.message(flow, text.into(), house.now);
    assert!(house.core.outputs.contains(&Output::Trust(ConnectionId(4))));
    assert_eq!(house.sent().remove(0).code().unwrap().get(), 200);
    assert!(matches!(house.events().as_slice(), [Event::Bound { .. }]));
    house.core.closed(ConnectionId(4), house.now);
    assert!(matches!(house.events().as_slice(), [Event::Unbound(_)]));
}

/// A binding of an earlier run, as its owner kept it.
fn kept() -> Saved {
    let mut house = House::new();
    house.registers(ANNA, &ANNA.contact());
    match house.events().remove(0) {
        Event::Bound { binding, .. } => binding,
        _ => panic!("not bound"),
    }
}

#[test]
fn a_restored_binding_is_suspect_until_its_phone_answers() {
    let mut house = House::new();
    house.core.command(Command::Restore(vec![("anna".parse().unwrap(), kept())]), house.now);
    house.pass(Duration::from_millis(1));
    let options = house.sent().remove(0);
    assert_eq!(options.method().unwrap().as_str(), "OPTIONS");
    let response = crate::message::ResponseBuilder::new(
        options.head(),
        ANNA.peer.parse().unwrap(),
        crate::message::Code::NOT_FOUND,
        crate::message::Tag::new(1),
    );
    let response = String::from_utf8(response.finish()).unwrap();
    house.datagram(ANNA.peer, &response);
    let events = house.events();
    let [Event::Bound { binding, .. }] = events.as_slice() else { panic!("{events:?}") };
    assert_eq!(binding.reach, Reach::Proven);
}

#[test]
fn a_restored_binding_whose_phone_says_nothing_stays_suspect_and_can_be_renewed() {
    let mut house = House::new();
    house.core.command(Command::Restore(vec![("anna".parse().unwrap(), kept())]), house.now);
    house.pass(Duration::from_secs(40));
    assert!(house.sent().len() > 5, "it is asked again and again");
    assert!(house.core.transactions.is_empty());
    assert_eq!(house.registers(Phone { cseq: 9, ..ANNA }, &ANNA.contact()).code().unwrap().get(), 200);
    let events = house.events();
    let [Event::Bound { binding, .. }] = events.as_slice() else { panic!("{events:?}") };
    assert_eq!((binding.id, binding.reach), (kept().id, Reach::Proven));
}

#[test]
fn time_on_the_wall_survives_a_restart() {
    let house = House::new();
    let at = house.now.instant + Duration::from_secs(100);
    assert_eq!(house.now.instant(house.now.wall(at)), at);
    assert_eq!(house.now.instant(5), house.now.instant, "long past is now");
}

#[test]
fn a_user_without_phones_cannot_be_rung_and_that_is_told_at_once() {
    let mut house = House::new();
    let ring = Ring {
        call: CallId(7),
        user: "anna".parse().unwrap(),
        caller: Caller::default(),
        ring: Duration::from_secs(20),
    };
    house.core.command(Command::Ring(Box::new(ring)), house.now);
    let failed = Event::Failed { call: CallId(7), outcome: Outcome::Unreachable };
    assert_eq!(house.core.take_event(house.now), Some(failed));
    assert_eq!(house.core.take_event(house.now), None);
}
