//! A customer's call, from the phones that ring to its end.

use super::world::*;
use crate::{
    engine::{CallId, Caller, Command, Ender, Event, LegQuality, PushToken, Quality, Ring},
    leg::tests::node::{header, response},
    media::{Leg, SessionId, Silence},
    ring::Outcome,
};

fn failed(outcome: Outcome) -> Vec<Event> {
    vec![Event::Failed { call: CALL, outcome }]
}

fn ended(by: Ender) -> Event {
    let leg = |received| LegQuality { received, lost: 1, jitter: std::time::Duration::from_millis(2) };
    Event::Ended { call: CALL, by, quality: Some(Quality { phone: leg(200), twilio: leg(100) }) }
}

#[test]
fn a_phone_rings_is_answered_and_speaks_with_the_customer() {
    let mut world = World::new();
    let contact =
        "Contact: <sip:anna@10.0.0.9:5070;ob?X-Evil=1>;expires=300\r\nPath: <sip:198.51.100.8;lr>,<sip:p2;lr>\r\n";
    world.registers(DESK, 1, contact);
    world.ring();
    let invite = world.one(DESK);
    assert!(invite.starts_with("INVITE sip:anna@10.0.0.9:5070;ob SIP/2.0\r\n"), "{invite}");
    assert!(invite.contains("Route: <sip:198.51.100.8;lr>\r\nRoute: <sip:p2;lr>\r\n"), "{invite}");
    assert!(header(&invite, "From").starts_with("\"Bo \\\"B\\\"\" <sip:+15550100@gw.example.com>;tag="));
    assert_eq!(header(&invite, "To"), "<sip:anna@gw.example.com>");
    assert_eq!(header(&invite, "Contact"), "<sip:offdesk@192.0.2.1:5060>");
    assert!(invite.contains("c=IN IP4 192.0.2.1\r\n") && invite.contains("m=audio 20006 RTP/AVP 0 8 101\r\n"));
    world.says(DESK, &response(&invite, "180", "ph", &[CONTACT], ""));
    assert_eq!(world.news(), [Event::Rings { call: CALL }]);
    world.says(DESK, &response(&invite, "200", "ph", &[CONTACT], ONE));
    let ack = world.one(DESK);
    assert!(ack.starts_with("ACK sip:anna@10.0.0.9:5070 SIP/2.0"));
    assert!(matches!(world.events.as_slice(), [Event::Answered { call: CALL, login: None, .. }]));
    assert_eq!(world.media(), (vec![Leg::B], vec![Leg::B]));
    let ticket = world.ticket();
    let ok = world.twilio_invites(&ticket, ULAW);
    assert!(ok.starts_with("SIP/2.0 200") && ok.contains("m=audio 20004 RTP/AVP 0 101\r\n"), "{ok}");
    assert_eq!(world.media().0, [Leg::B, Leg::A]);
    assert_eq!(world.news().len(), 1, "not before the ACK");
    world.says(TWILIO, &within(&ok, "ACK", 1, ""));
    assert_eq!(world.news(), [Event::Bridged { call: CALL }]);

    world.says(DESK, &within(&ack, "BYE", 1, ""));
    assert_eq!(world.methods(DESK), ["200"]);
    let bye = world.one(TWILIO);
    assert!(bye.starts_with("BYE sip:172.16.0.9:5060 SIP/2.0\r\n"), "the private Contact is not rewritten: {bye}");
    assert!(bye.contains("Route: <sip:54.172.60.2:5060;lr;r2=on>\r\nRoute: <sip:54.172.60.2:5080;lr;r2=on>\r\n"));
    assert_eq!(world.news(), [ended(Ender::Phone)]);
    world.says(TWILIO, &response(&bye, "200", "", &[], ""));
    world.is_clean();
    assert_eq!(world.news(), []);
}

#[test]
fn of_two_phones_the_first_has_the_call_and_the_other_shows_no_missed_one() {
    let mut world = World::new();
    world.registers(DESK, 1, "");
    world.registers(HOME, 2, "");
    world.ring();
    let (desk, home) = (world.one(DESK), world.one(HOME));
    for (peer, invite) in [(DESK, &desk), (HOME, &home)] {
        world.says(peer, &response(invite, "180", "ph", &[CONTACT], ""));
    }
    world.says(HOME, &response(&home, "200", "ph", &[CONTACT], BOTH));
    let cancel = world.one(DESK);
    assert!(cancel.starts_with("CANCEL ") && cancel.contains("Reason: SIP;cause=200"));
    // It was answered in the same moment.
    world.says(DESK, &response(&cancel, "200", "ph", &[], ""));
    world.says(DESK, &response(&desk, "200", "ph", &[CONTACT], BOTH));
    assert_eq!(world.methods(DESK), ["ACK", "BYE"]);
    let news = world.news();
    assert!(matches!(news.as_slice(), [Event::Rings { .. }, Event::Answered { .. }]), "{news:?}");
    world.command(Command::Hangup { call: CALL });
    assert_eq!(world.methods(HOME), ["ACK", "BYE"]);
    assert_eq!(world.news(), [ended(Ender::Us)]);
    world.is_clean();
}

#[test]
fn what_a_phone_says_instead_of_answering_is_told() {
    for (code, outcome) in [
        ("486", Outcome::Busy),
        ("603", Outcome::Declined),
        ("480", Outcome::NoAnswer),
        ("408", Outcome::NoAnswer),
        ("404", Outcome::Unreachable),
    ] {
        let mut world = World::new();
        world.registers(DESK, 1, "");
        world.ring();
        let invite = world.one(DESK);
        let answer = response(&invite, code, "ph", &[], "");
        world.says(DESK, &answer);
        assert_eq!(world.methods(DESK), ["ACK"], "{code}");
        assert_eq!(world.news(), failed(outcome), "{code}");
        world.says(DESK, &answer);
        assert_eq!(world.methods(DESK), ["ACK"], "a failure that comes again is acknowledged again");
        world.is_clean();
        assert_eq!(world.news(), []);
    }
}

#[test]
fn a_phone_that_rings_too_long_is_cancelled_and_one_that_says_nothing_is_unreachable() {
    for (answers, outcome) in [(true, Outcome::NoAnswer), (false, Outcome::Unreachable)] {
        let mut world = World::new();
        world.registers(DESK, 1, "");
        world.ring_for(15);
        let invite = world.one(DESK);
        if answers {
            world.says(DESK, &response(&invite, "180", "ph", &[CONTACT], ""));
        }
        world.pass(secs(16));
        assert_eq!(world.methods(DESK).contains(&"CANCEL".to_owned()), answers);
        assert_eq!(world.news().last(), failed(outcome).last());
        world.is_clean();
    }
}

#[test]
fn an_answer_without_a_voice_of_ours_is_ended() {
    let mut world = World::new();
    world.registers(DESK, 1, "");
    world.ring();
    let invite = world.one(DESK);
    let opus = BOTH.replace("0 8 101", "96");
    world.says(DESK, &response(&invite, "200", "ph", &[CONTACT], &opus));
    assert_eq!(world.methods(DESK), ["ACK", "BYE"]);
    assert_eq!(world.news(), failed(Outcome::Unreachable));
    world.is_clean();
}

#[test]
fn hanging_up_ends_what_rings_and_is_told_once() {
    let mut world = World::new();
    world.registers(DESK, 1, "");
    world.ring();
    let invite = world.one(DESK);
    world.says(DESK, &response(&invite, "180", "ph", &[CONTACT], ""));
    world.news();
    world.command(Command::Hangup { call: CALL });
    assert_eq!(world.methods(DESK), ["CANCEL"]);
    assert_eq!(world.news(), failed(Outcome::NoAnswer));
    world.command(Command::Hangup { call: CALL });
    world.says(DESK, &response(&invite, "487", "ph", &[], ""));
    assert_eq!(world.methods(DESK), ["ACK"]);
    world.is_clean();
    assert_eq!(world.news(), []);
}

#[test]
fn a_sleeping_phone_is_woken_and_rung_once_behind_its_200() {
    const PUSH: &str = "Contact: <sip:anna@192.0.2.7:5062;pn-provider=fcm;pn-param=ours;pn-prid=to:ken>;expires=60\r\n";
    let mut world = World::new();
    world.registers(DESK, 1, PUSH);
    world.pass(secs(65));
    world.ring();
    assert!(world.to(DESK).is_empty());
    let token = PushToken { provider: "fcm".into(), param: "ours".into(), prid: "to:ken".into() };
    assert_eq!(world.news(), [Event::Wake { call: CALL, user: "anna".parse().unwrap(), token }]);
    world.registers(DESK, 2, PUSH);
    let invite = world.one(DESK);
    assert!(invite.starts_with("INVITE sip:anna@192.0.2.7:5062;pn-provider"));
    world.says(DESK, &response(&invite, "180", "ph", &[CONTACT], ""));
    world.registers(DESK, 3, PUSH);
    assert!(world.to(DESK).is_empty(), "it rings already");
    world.pass(secs(21));
    assert_eq!(world.news(), [Event::Rings { call: CALL }, failed(Outcome::NoAnswer).remove(0)]);
    world.is_clean();
}

#[test]
fn a_phone_that_says_nothing_is_woken_and_called_anew_where_it_is_then() {
    const PUSH: &str = "Contact: <sip:anna@192.0.2.7:5062;pn-provider=fcm;pn-param=ours;pn-prid=t>;expires=600\r\n";
    let mut world = World::new();
    world.registers(DESK, 1, PUSH);
    world.ring();
    let lost = world.one(DESK);
    world.pass(secs(3));
    assert!(matches!(world.news().as_slice(), [Event::Wake { call: CALL, .. }]));
    world.registers(HOME, 2, PUSH);
    let invite = world.one(HOME);
    assert_ne!(header(&invite, "Call-ID"), header(&lost, "Call-ID"));
    world.registers(HOME, 3, PUSH);
    assert!(world.to(HOME).is_empty());
    world.to(DESK);
    // What was sent first has arrived after all.
    world.says(DESK, &response(&lost, "180", "ph", &[CONTACT], ""));
    assert_eq!(world.methods(DESK), ["CANCEL"]);
    world.says(HOME, &response(&invite, "200", "ph", &[CONTACT], BOTH));
    assert!(matches!(world.news().as_slice(), [Event::Answered { .. }]));
    world.command(Command::Hangup { call: CALL });
    world.is_clean();
}

#[test]
fn a_phone_that_sleeps_on_is_told_of_as_asleep() {
    const PUSH: &str = "Contact: <sip:anna@192.0.2.7:5062;pn-provider=fcm;pn-param=ours;pn-prid=t>;expires=60\r\n";
    let mut world = World::new();
    world.registers(DESK, 1, PUSH);
    world.pass(secs(65));
    world.ring();
    world.news();
    world.pass(secs(21));
    assert_eq!(world.news(), failed(Outcome::Asleep));
    world.is_clean();
}

#[test]
fn a_phone_that_nothing_wakes_any_more_keeps_no_caller_waiting() {
    const PUSH: &str = "Contact: <sip:anna@192.0.2.7:5062;pn-provider=fcm;pn-param=ours;pn-prid=t>;expires=60\r\n";
    let mut world = World::new();
    world.registers(DESK, 1, PUSH);
    world.pass(secs(65));
    world.ring();
    let news = world.news();
    let [Event::Wake { user, token, .. }] = news.as_slice() else { panic!("{news:?}") };
    world.command(Command::Forget { user: user.clone(), token: token.clone() });
    world.command(Command::Hangup { call: CALL });
    world.news();
    let caller = Caller { name: None, number: None };
    world.command(Command::Ring(Box::new(Ring { call: CallId(2), user: user.clone(), caller, ring: secs(20) })));
    let failed = Event::Failed { call: CallId(2), outcome: Outcome::Unreachable };
    assert_eq!(world.news(), [failed]);
    world.is_clean();
}

#[test]
fn hold_and_resume_go_across() {
    let mut world = World::new();
    let (to_phone, _) = world.bridged();
    world.told().connected.clear();
    world.says(DESK, &within(&to_phone, "INVITE", 1, &format!("{BOTH}a=sendonly\r\n")));
    let offer = world.one(TWILIO);
    assert!(offer.starts_with("INVITE sip:172.16.0.9:5060 ") && offer.contains("a=sendonly\r\n"), "{offer}");
    let held = format!("{ULAW}a=recvonly\r\n");
    world.says(TWILIO, &response(&offer, "200", "", &["Contact: <sip:172.16.0.9:5060>"], &held));
    assert_eq!(world.methods(TWILIO), ["ACK"]);
    let ok = world.one(DESK);
    assert!(ok.starts_with("SIP/2.0 200") && ok.contains("a=recvonly\r\n"), "{ok}");
    assert_eq!(world.media().0, [Leg::A, Leg::B]);
    world.says(DESK, &within(&to_phone, "ACK", 1, ""));
    world.says(DESK, &within(&to_phone, "INVITE", 2, BOTH));
    let offer = world.one(TWILIO);
    assert!(offer.contains("a=sendrecv\r\n"));
    world.says(TWILIO, &response(&offer, "488", "", &[], ""));
    assert_eq!(world.methods(TWILIO), ["ACK"]);
    assert_eq!(world.methods(DESK), ["488"]);
    world.says(DESK, &within(&to_phone, "ACK", 2, ""));
    world.command(Command::Hangup { call: CALL });
    assert_eq!((world.methods(DESK), world.methods(TWILIO)), (vec!["BYE".into()], vec!["BYE".into()]));
    assert_eq!(world.news(), [ended(Ender::Us)]);
    world.is_clean();
}

#[test]
fn a_phone_that_registers_by_another_way_is_reached_by_that() {
    let mut world = World::new();
    let contact = "Contact: <sip:anna@10.0.0.9:5070>;+sip.instance=\"<urn:uuid:1>\"\r\n";
    world.registers(DESK, 1, contact);
    world.ring();
    world.answers(DESK, BOTH);
    world.registers(HOME, 2, contact);
    assert!(world.to(HOME).is_empty(), "it has the call");
    world.command(Command::Hangup { call: CALL });
    assert_eq!((world.methods(HOME), world.methods(DESK)), (vec!["BYE".into()], vec![]));
    world.is_clean();
}

#[test]
fn a_report_that_does_not_come_keeps_no_call() {
    let mut world = World::new();
    let (_, ok) = world.bridged();
    world.told().mute = true;
    world.says(TWILIO, &within(&ok, "BYE", 2, ""));
    assert_eq!(world.news(), []);
    world.pass(secs(2));
    assert_eq!(world.news(), [Event::Ended { call: CALL, by: Ender::Twilio, quality: None }]);
    world.is_clean();
}

#[test]
fn silence_ends_a_call_and_so_does_twilios_bye() {
    let mut world = World::new();
    let (_, ok) = world.bridged();
    world.falls_silent(Silence { session: SessionId::of_test(2), ..BOTH_SILENT });
    world.falls_silent(BOTH_SILENT);
    assert_eq!((world.methods(DESK), world.methods(TWILIO)), (vec!["BYE".into()], vec!["BYE".into()]));
    assert_eq!(world.news(), [ended(Ender::Silence)]);
    world.says(TWILIO, &within(&ok, "BYE", 2, ""));
    assert_eq!(world.methods(TWILIO), ["200"], "BYEs that cross are each answered");
    world.is_clean();

    let mut world = World::new();
    let (_, ok) = world.bridged();
    world.says(TWILIO, &within(&ok, "BYE", 2, ""));
    assert_eq!((world.methods(DESK), world.methods(TWILIO)), (vec!["BYE".into()], vec!["200".into()]));
    assert_eq!(world.news(), [ended(Ender::Twilio)]);
    world.is_clean();
}

#[test]
fn a_hold_that_twilio_answers_too_late_is_taken_back() {
    let mut world = World::new();
    let (to_phone, _) = world.bridged();
    world.says(DESK, &within(&to_phone, "INVITE", 1, &format!("{ONE}a=sendonly\r\n")));
    let offer = world.one(TWILIO);
    world.says(TWILIO, &response(&offer, "100", "", &[], ""));
    world.pass(secs(1));
    assert_eq!(world.methods(DESK), ["100"]);
    world.pass(secs(19));
    assert_eq!((world.methods(DESK), world.methods(TWILIO)), (vec!["504".into()], vec!["CANCEL".into()]));
    world.says(DESK, &within(&to_phone, "ACK", 1, "").replace("z9hG4bKACK", "z9hG4bKINVITE"));
    world.pass(secs(4));
    world.to(TWILIO);
    let contact = ["Contact: <sip:172.16.0.9:5060>"];
    world.says(TWILIO, &response(&offer, "200", "", &contact, &format!("{ULAW}a=recvonly\r\n")));
    let [ack, back] = world.to(TWILIO).try_into().unwrap();
    assert!(ack.starts_with("ACK ") && back.starts_with("INVITE ") && back.contains("a=sendrecv\r\n"), "{back}");
    world.says(TWILIO, &response(&back, "200", "", &contact, ULAW));
    assert!(world.to(DESK).is_empty());
    world.command(Command::Hangup { call: CALL });
    world.is_clean();
}

#[test]
fn a_refresh_that_is_under_way_is_no_answer_to_the_other_sides_offer() {
    let mut world = World::new();
    let (to_phone, _) = world.bridged();
    world.falls_silent(Silence { leg: Leg::A, both: false, ..BOTH_SILENT });
    let refresh = world.one(TWILIO);
    world.says(DESK, &within(&to_phone, "INVITE", 1, &format!("{ONE}a=sendonly\r\n")));
    world.says(TWILIO, &response(&refresh, "200", "", &["Contact: <sip:172.16.0.9:5060>"], ULAW));
    assert!(world.to(DESK).is_empty(), "Twilio has not heard of the hold yet");
    let [ack, offer] = world.to(TWILIO).try_into().unwrap();
    assert!(ack.starts_with("ACK ") && offer.starts_with("INVITE ") && offer.contains("a=sendonly\r\n"), "{offer}");
    world.says(
        TWILIO,
        &response(&offer, "200", "", &["Contact: <sip:172.16.0.9:5060>"], &format!("{ULAW}a=recvonly\r\n")),
    );
    assert!(world.one(DESK).contains("a=recvonly\r\n"));
    world.command(Command::Hangup { call: CALL });
    world.is_clean();
}

#[test]
fn a_phone_that_only_listens_keeps_its_call_as_long_as_it_answers() {
    let alone = |seconds| Silence { since: secs(seconds), both: false, ..BOTH_SILENT };
    let mut world = World::new();
    world.bridged();
    for seconds in [30, 60, 270] {
        world.falls_silent(alone(seconds));
        let asked = world.one(DESK);
        assert!(asked.starts_with("INVITE ") && asked.contains("m=audio 20006 RTP/AVP 0 8 101\r\n"), "{asked}");
        world.says(DESK, &response(&asked, "200", "", &[CONTACT], ONE));
        assert_eq!((world.methods(DESK), world.to(TWILIO)), (vec!["ACK".into()], vec![]));
    }
    assert_eq!(world.news(), []);
    world.falls_silent(alone(300));
    assert_eq!((world.methods(DESK), world.methods(TWILIO)), (vec!["BYE".into()], vec!["BYE".into()]));
    assert_eq!(world.news(), [ended(Ender::Silence)]);
    world.is_clean();

    let mut world = World::new();
    world.bridged();
    world.falls_silent(alone(30));
    world.pass(secs(33));
    assert_eq!(world.methods(TWILIO).first().map(String::as_str), Some("BYE"));
    assert_eq!(world.news(), [ended(Ender::Phone)], "one that has gone does not");
    world.is_clean();

    let mut world = World::new();
    world.bridged();
    world.falls_silent(Silence { leg: Leg::A, ..alone(30) });
    assert_eq!((world.methods(TWILIO), world.to(DESK)), (vec!["INVITE".into()], vec![]));
    world.command(Command::Hangup { call: CALL });
    world.is_clean();
}

#[test]
fn a_phone_that_holds_before_the_customer_is_there_is_asked_to_wait() {
    let mut world = World::new();
    world.registers(DESK, 1, "");
    world.ring();
    let invite = world.answers(DESK, BOTH);
    world.says(DESK, &within(&invite, "INVITE", 1, BOTH));
    assert_eq!(world.methods(DESK), ["491"]);
    world.says(DESK, &within(&invite, "ACK", 1, ""));
    world.says(DESK, &within(&invite, "OPTIONS", 2, ""));
    assert_eq!(world.methods(DESK), ["200"]);
    world.says(DESK, &within(&invite, "BYE", 3, ""));
    assert_eq!(world.methods(DESK), ["200"]);
    assert_eq!(world.news().last(), Some(&ended(Ender::Phone)));
    world.is_clean();
}

#[test]
fn an_engine_that_drains_takes_no_calls_and_one_that_stops_ends_them() {
    let mut world = World::new();
    world.bridged();
    world.command(Command::Drain);
    let ring = Ring { call: CallId(8), user: "anna".parse().unwrap(), caller: Caller::default(), ring: secs(20) };
    world.command(Command::Ring(Box::new(ring)));
    assert_eq!(world.news(), [Event::Failed { call: CallId(8), outcome: Outcome::Unreachable }]);
    world.command(Command::Stop);
    let (phone, twilio) = (world.one(DESK), world.one(TWILIO));
    assert!(phone.starts_with("BYE ") && twilio.starts_with("BYE "));
    assert_eq!(world.news(), [ended(Ender::Us)]);
    assert!(!world.house.core.is_idle(), "both have yet to say that they heard it");
    world.says(DESK, &response(&phone, "200", "", &[], ""));
    world.says(TWILIO, &response(&twilio, "200", "", &[], ""));
    assert!(world.house.core.is_idle());
}

#[test]
fn without_ports_nobody_is_rung() {
    let mut world = World::new();
    world.registers(DESK, 1, "");
    world.told().full = true;
    world.ring();
    assert_eq!(world.news(), failed(Outcome::Unreachable));
    assert!(world.to(DESK).is_empty());
    world.is_clean();
}
