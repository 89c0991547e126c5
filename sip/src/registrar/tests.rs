use std::fmt::Write as _;
use std::time::Duration;

use bytes::Bytes;
use proptest::prelude::*;

use super::*;
use crate::message::{Carrier, Code, Limits, ResponseBuilder, Tag};

const ANNA: Aor = Aor(1);
const INSTANCE: &str = ";+sip.instance=\"<urn:uuid:00000000-0000-1000-8000-AABBCCDDEEFF>\"";
const PUSH: &str = ";pn-provider=fcm;pn-param=our-project;pn-prid=to:ken-1_x";

/// A registrar with a clock, whose flows are numbers.
struct House {
    registrar: Registrar<u16>,
    now: Instant,
    changes: Vec<Change>,
}

fn policy() -> Policy {
    Policy {
        min: 60,
        default: 300,
        max: 3600,
        most_bindings: 3,
        push_project: Some("our-project".into()),
        asleep: 86_400,
    }
}

#[allow(clippy::disallowed_methods, reason = "where the tests' own clock begins")]
fn house() -> House {
    let now = Instant::now();
    House { registrar: Registrar::new(policy(), now), now, changes: Vec::new() }
}

/// A REGISTER of Call-ID `call` with CSeq `cseq` and further header lines.
fn request(call: &str, cseq: u32, lines: &str) -> Message {
    let text = format!(
        "REGISTER sip:b SIP/2.0\r\nVia: SIP/2.0/UDP c;branch=z9hG4bK1\r\nFrom: <sip:anna@b>;tag=1\r\nTo: <sip:anna@b>\r\nCall-ID: \
         {call}\r\nCSeq: {cseq} REGISTER\r\n{lines}\r\n"
    );
    Message::parse(Bytes::from(text), Carrier::Datagram, &Limits::default()).unwrap()
}

fn contact(text: &str) -> String {
    format!("Contact: {text}\r\n")
}

impl House {
    fn register(&mut self, call: &str, cseq: u32, lines: &str) -> Result<(), Refusal> {
        self.registrar.register(ANNA, &request(call, cseq, lines), &5060, self.now, &mut self.changes)
    }

    fn answer(&self, lines: &str) -> String {
        let request = request("x", 1, lines);
        let response = ResponseBuilder::new(request.head(), "192.0.2.7:5060".parse().unwrap(), Code::OK, Tag::new(1));
        let response = self.registrar.answer(ANNA, &request, response, self.now).finish();
        String::from_utf8(response).unwrap()
    }

    /// The contacts that a phone is told of.
    fn contacts(&self) -> Vec<String> {
        let answer = self.answer("");
        answer.lines().filter_map(|line| Some(line.strip_prefix("Contact: ")?.to_owned())).collect()
    }

    fn pass(&mut self, seconds: u64) {
        self.now += Duration::from_secs(seconds);
        self.registrar.expire(self.now, &mut self.changes);
    }

    fn whats(&mut self) -> Vec<Changed> {
        self.changes.drain(..).map(|change| change.what).collect()
    }
}

#[test]
fn a_contact_is_kept_for_as_long_as_it_asks_within_bounds() {
    for (line, granted) in [
        ("Contact: <sip:a@h>\r\n", 300),
        ("Contact: <sip:a@h>;expires=60\r\nExpires: 100\r\n", 60),
        ("Contact: <sip:a@h>\r\nExpires: 100\r\n", 100),
        ("Contact: <sip:a@h>;expires=280297596632815\r\n", 3600),
        ("Contact: <sip:a@h>;expires=soon\r\n", 300),
    ] {
        let mut house = house();
        house.register("x", 1, line).unwrap();
        assert_eq!(house.contacts(), [format!("<sip:a@h>;expires={granted}")], "{line}");
        assert_eq!(house.whats(), [Changed::New]);
        house.pass(granted);
        assert_eq!(house.contacts(), ["<sip:a@h>;expires=0"]);
        house.pass(1);
        assert_eq!(house.contacts(), [""; 0]);
        assert_eq!(house.whats(), [Changed::Removed]);
        assert!(house.registrar.is_empty() && house.registrar.deadline().is_none());
    }
}

#[test]
fn too_brief_is_refused_and_says_how_much_is_enough() {
    let mut house = house();
    assert_eq!(house.register("x", 1, &contact("<sip:a@h>;expires=59")), Err(Refusal::TooBrief));
    let request = request("x", 1, "");
    let response =
        ResponseBuilder::new(request.head(), "192.0.2.7:1".parse().unwrap(), Refusal::TooBrief.code(), Tag::new(1));
    let response = String::from_utf8(house.registrar.explain(Refusal::TooBrief, response).finish()).unwrap();
    assert!(response.starts_with("SIP/2.0 423 ") && response.contains("\r\nMin-Expires: 60\r\n"), "{response}");
}

#[test]
fn one_request_is_done_whole_or_not_at_all() {
    let mut house = house();
    house.register("x", 2, &contact("<sip:a@h>, <sip:b@h>;expires=600")).unwrap();
    let before = house.contacts();
    house.changes.clear();
    for (lines, refusal) in [
        ("<sip:c@h>, <sip:d@h>;expires=1", Refusal::TooBrief),
        ("<sip:a@h>;expires=0, <tel:+15550100>", Refusal::Contact),
        ("<sip:a@h>;expires=0, <sip:c@h>;q=7", Refusal::Contact),
        ("<sip:c@h>, <sip:c@h;pn-provider=apns;pn-param=x;pn-prid=y>", Refusal::Push),
        ("<sip:c@h>, <sip:d@h>, <sip:e@h>, <sip:f@h>", Refusal::TooMany),
    ] {
        assert_eq!(house.register("x", 3, &contact(lines)), Err(refusal), "{lines}");
    }
    assert_eq!(house.register("x", 2, &contact("<sip:c@h>, <sip:a@h>")), Err(Refusal::OutOfOrder));
    assert_eq!(house.register("x", 1, "Contact: *\r\nExpires: 0\r\n"), Err(Refusal::OutOfOrder));
    assert_eq!(house.contacts(), before);
    assert_eq!(house.changes, []);
}

#[test]
fn tokens_are_left_out_however_they_are_written_and_nothing_else_is() {
    let mut house = house();
    let user = "a;pn-prid=x;PN-PRID=x";
    let uri = format!("<sip:{user}@h;PN-PRID=x;Pn-Provider=fcm;Pn-Param=our-project;lr?Subject=pn-prid>");
    house.register("x", 1, &contact(&uri)).unwrap();
    assert_eq!(house.contacts(), [format!("<sip:{user}@h;lr?Subject=pn-prid>;expires=300")]);
    // The same text as the parameters', where they are not.
    house.register("x", 2, &contact("<sip:b;pn-prid=x@h;pn-prid=x>")).unwrap();
    assert!(house.contacts().contains(&"<sip:b;pn-prid=x@h>;expires=300".to_owned()), "{:?}", house.contacts());
}

#[test]
fn a_contact_that_comes_again_counts_and_is_one_binding() {
    let mut house = house();
    let lines = |count| contact(&vec!["<sip:a@h>"; count].join(", "));
    house.register("x", 1, &lines(32)).unwrap();
    assert_eq!(house.contacts().len(), 1);
    assert_eq!(house.register("x", 2, &lines(33)), Err(Refusal::TooMany));
}

#[test]
fn all_contacts_go_only_if_that_is_what_is_meant() {
    let mut house = house();
    house.register("x", 1, &contact("<sip:a@h>, <sip:b@h>")).unwrap();
    for lines in ["Contact: *\r\n", "Contact: *\r\nExpires: 60\r\n"] {
        assert_eq!(house.register("x", 2, lines), Err(Refusal::Star));
    }
    house.changes.clear();
    assert_eq!(house.register("x", 2, "Contact: *\r\nExpires: 0\r\n"), Ok(()));
    assert_eq!(house.whats(), [Changed::Removed, Changed::Removed]);
    assert!(house.registrar.is_empty());
}

#[test]
fn a_request_without_contacts_asks_what_is_there() {
    let mut house = house();
    house.register("x", 1, &contact("<sip:a@h>;q=0.5;x-y=\"z;z\"")).unwrap();
    house.changes.clear();
    assert_eq!(house.register("x", 1, ""), Ok(()));
    assert_eq!(house.changes, []);
    assert_eq!(house.contacts(), ["<sip:a@h>;q=0.5;x-y=\"z;z\";expires=300"]);
}

#[test]
fn the_order_counts_within_a_call_id_only() {
    let mut house = house();
    house.register("x", 7, &contact("<sip:a@h>")).unwrap();
    assert_eq!(house.register("x", 7, &contact("<sip:a@h>;expires=0")), Err(Refusal::OutOfOrder));
    assert_eq!(house.register("x", 8, &contact("<sip:a@h>")), Ok(()));
    assert_eq!(house.register("y", 1, &contact("<sip:a@h>;expires=0")), Ok(()));
    assert_eq!(house.contacts(), [""; 0]);
}

#[test]
fn a_phone_that_comes_back_from_elsewhere_takes_its_own_place() {
    let mut house = house();
    house.register("x", 1, &contact(&format!("<sip:anna@192.0.2.7:1024>{INSTANCE}"))).unwrap();
    let id = house.registrar.bindings(ANNA).next().unwrap().id;
    let moved = request("y", 1, &contact(&format!("<sip:anna@198.51.100.1:4096>{INSTANCE}")));
    house.registrar.register(ANNA, &moved, &4096, house.now, &mut house.changes).unwrap();
    let records: Vec<_> = house.registrar.bindings(ANNA).collect();
    assert_eq!((records.len(), records[0].id, *records[0].flow), (1, id, 4096));
    assert_eq!(records[0].uri, "sip:anna@198.51.100.1:4096");
}

#[test]
fn each_flow_of_a_phone_is_a_binding_of_its_own() {
    let mut house = house();
    for (cseq, reg_id) in [(1, 1), (2, 2), (3, 1)] {
        let lines = format!("Supported: path, outbound\r\nContact: <sip:anna@h>{INSTANCE};reg-id={reg_id}\r\n");
        house.register("x", cseq, &lines).unwrap();
        assert!(house.answer(&lines).contains("\r\nRequire: outbound\r\n"));
    }
    let ids: Vec<_> = house.registrar.bindings(ANNA).map(|record| record.contact().unwrap().reg_id()).collect();
    assert_eq!(ids, [Some(1), Some(2)]);
    assert!(!house.answer(&contact("<sip:anna@h>")).contains("outbound"));
}

#[test]
fn flows_behind_a_proxy_are_kept_by_one_that_can() {
    let lines = |path: &str| {
        format!("Via: SIP/2.0/UDP phone;branch=z9hG4bK0\r\n{path}Contact: <sip:anna@h>{INSTANCE};reg-id=1\r\n")
    };
    for (path, allowed) in [
        ("", false),
        ("Path: <sip:edge.example.com;lr>\r\n", false),
        ("Path: <sip:edge.example.com;lr;ob>\r\n", true),
        ("Path: <sip:inner.example.com;lr>, <sip:edge.example.com;lr;ob>\r\n", true),
        ("Path: <sip:edge.example.com;lr;ob>, <sip:outer.example.com;lr>\r\n", false),
    ] {
        let expected = if allowed { Ok(()) } else { Err(Refusal::FirstHop) };
        assert_eq!(house().register("x", 1, &lines(path)), expected, "{path}");
    }
}

#[test]
fn the_path_is_kept_and_given_back() {
    let mut house = house();
    let lines = "Path: <sip:p2.example.com;lr>\r\nPath: <sip:p1.example.com;lr>\r\nContact: <sip:a@h>\r\n";
    house.register("x", 1, lines).unwrap();
    let record = house.registrar.bindings(ANNA).next().unwrap();
    assert_eq!(record.path, "<sip:p2.example.com;lr>, <sip:p1.example.com;lr>");
    assert!(house.answer(lines).contains("Path: <sip:p2.example.com;lr>\r\nPath: <sip:p1.example.com;lr>\r\n"));
}

#[test]
fn a_phone_that_can_be_woken_is_kept_asleep() {
    let mut house = house();
    let lines = contact(&format!("<sip:a@h{PUSH};transport=tcp?x=y>;expires=60"));
    house.register("x", 1, &lines).unwrap();
    let answer = house.answer(&lines);
    assert!(answer.contains("\r\nContact: <sip:a@h;transport=tcp?x=y>;expires=60\r\n"), "{answer}");
    assert!(answer.contains("\r\nFeature-Caps: *;+sip.pns=\"fcm\"\r\n") && !answer.contains("pn-"), "{answer}");
    house.pass(61);
    assert_eq!(house.whats(), [Changed::New, Changed::Asleep]);
    let record = house.registrar.bindings(ANNA).next().unwrap();
    assert_eq!((record.state, record.push_token()), (State::Asleep, Some("to:ken-1_x")));
    assert!(!format!("{record:?} {:?}", house.registrar).contains("ken"));
    assert_eq!(house.contacts(), [""; 0]);

    house.register("y", 1, &contact(&format!("<sip:a@other{PUSH}>"))).unwrap();
    let states: Vec<_> =
        house.registrar.bindings(ANNA).map(|record| (record.state, record.uri.contains("other"))).collect();
    assert_eq!(states, [(State::Awake, true)]);
    house.pass(301);
    house.pass(86_401);
    assert_eq!(house.whats(), [Changed::Renewed, Changed::Asleep, Changed::Removed]);
    assert!(house.registrar.is_empty());
}

#[test]
fn a_phone_that_signs_off_is_not_kept_asleep() {
    let mut house = house();
    house.register("x", 1, &contact(&format!("<sip:a@h{PUSH}>"))).unwrap();
    house.register("x", 2, &contact("<sip:a@h;pn-provider=apns;pn-prid=other>;expires=0")).unwrap();
    assert!(house.registrar.is_empty());
}

#[test]
fn only_our_own_project_wakes_phones() {
    for (params, allowed) in [
        ("", true),
        (";pn-provider", true),
        (";pn-provider=fcm;pn-param=our-project", true),
        (";pn-provider=apns;pn-param=our-project;pn-prid=x", false),
        (";pn-provider=fcm;pn-param=another;pn-prid=x", false),
        (";pn-provider=fcm;pn-prid=x", false),
    ] {
        let expected = if allowed { Ok(()) } else { Err(Refusal::Push) };
        assert_eq!(house().register("x", 1, &contact(&format!("<sip:a@h{params}>"))), expected, "{params}");
    }
    let mut house = house();
    house.registrar.policy.push_project = None;
    assert_eq!(house.register("x", 1, &contact(&format!("<sip:a@h{PUSH}>"))), Err(Refusal::Push));
    assert_eq!(Refusal::Push.code().get(), 555);
}

#[test]
fn the_newest_phones_stay() {
    let mut house = house();
    house.register("s", 1, &contact(&format!("<sip:s@h{PUSH}>;expires=60"))).unwrap();
    house.pass(61);
    for (call, contact_of) in
        [("a", "<sip:a@h>;expires=600"), ("b", "<sip:b@h>;expires=100"), ("c", "<sip:c@h>;expires=60")]
    {
        house.register(call, 1, &contact(contact_of)).unwrap();
    }
    let users = |house: &House| house.registrar.bindings(ANNA).map(|record| record.uri.to_owned()).collect::<Vec<_>>();
    assert_eq!(users(&house), ["sip:a@h", "sip:b@h", "sip:c@h"]);
    house.register("d", 1, &contact("<sip:d@h>;expires=60")).unwrap();
    assert_eq!(users(&house), ["sip:a@h", "sip:b@h", "sip:d@h"]);
}

#[test]
fn a_new_push_token_takes_the_place_of_the_old_one() {
    let mut house = house();
    house.register("x", 1, &contact(&format!("<sip:a@h{PUSH}>"))).unwrap();
    house.register("x", 2, &contact(&format!("<sip:a@h{PUSH}2>"))).unwrap();
    let tokens: Vec<_> = house.registrar.bindings(ANNA).map(|record| record.push_token()).collect();
    assert_eq!(tokens, [Some("to:ken-1_x2")]);
}

#[test]
fn timers_of_what_is_gone_do_not_pile_up() {
    let mut house = house();
    for cseq in 0..10_000 {
        house.register("x", 2 * cseq + 1, &contact("<sip:a@h>")).unwrap();
        house.register("x", 2 * cseq + 2, &contact("<sip:a@h>;expires=0")).unwrap();
    }
    assert!(house.registrar.timers.len() < 3 * LEAST_TIDIED, "{}", house.registrar.timers.len());
    house.register("x", 30_000, &contact("<sip:a@h>")).unwrap();
    house.pass(301);
    assert!(house.registrar.is_empty());
}

#[test]
fn a_lost_connection_ends_what_nothing_can_wake() {
    let mut house = house();
    house.register("x", 1, &contact(&format!("<sip:a@h{PUSH}>, <sip:b@h>"))).unwrap();
    let ids: Vec<_> = house.registrar.bindings(ANNA).map(|record| record.id).collect();
    house.changes.clear();
    for id in ids {
        house.registrar.end(ANNA, id, house.now, &mut house.changes);
    }
    assert_eq!(house.whats(), [Changed::Asleep, Changed::Removed]);
    house.pass(86_400);
    assert_eq!(house.registrar.len(), 1);
    house.pass(1);
    assert!(house.registrar.is_empty());
}

#[test]
fn whoever_is_expected_back_is_known_again_until_its_time_is_over() {
    let mut house = house();
    let here = contact(&format!("<sip:a@h:1>{INSTANCE}"));
    house.register("x", 1, &here).unwrap();
    let id = house.registrar.bindings(ANNA).next().unwrap().id;
    house.changes.clear();
    house.registrar.doze(ANNA, id, house.now, &mut house.changes);
    assert!(!house.answer("").contains("Contact"), "it is not there");
    house.register("y", 1, &contact(&format!("<sip:a@h:2>{INSTANCE}"))).unwrap();
    assert_eq!(
        house.registrar.bindings(ANNA).map(|record| (record.id, record.state)).collect::<Vec<_>>(),
        [(id, State::Awake)]
    );
    house.registrar.doze(ANNA, id, house.now, &mut house.changes);
    assert_eq!(house.whats(), [Changed::Asleep, Changed::Renewed, Changed::Asleep]);
    house.pass(300);
    assert_eq!(house.registrar.len(), 1);
    house.pass(1);
    assert!(house.registrar.is_empty());
}

#[test]
fn what_was_written_down_comes_back() {
    let mut house = house();
    let lines =
        format!("Path: <sip:p;lr>\r\nContact: <sip:a@h{PUSH}>{INSTANCE};q=0.3;expires=600, <sip:b@h>;expires=60\r\n");
    house.register("x", 9, &lines).unwrap();
    house.register("y", 1, &contact(&format!("<sip:c@h{PUSH}2>"))).unwrap();
    let mut other = Registrar::new(policy(), house.now);
    house.registrar.bindings(ANNA).for_each(|record| other.restore(&record));
    house.registrar.bindings(ANNA).for_each(|record| other.restore(&record));
    let before = house.contacts();
    house.registrar = other;
    assert_eq!((house.contacts(), house.registrar.len()), (before, 3));
    assert_eq!(house.register("x", 9, &contact("<sip:b@h>")), Err(Refusal::OutOfOrder));
    house.register("z", 1, &contact("<sip:d@h>")).unwrap();
    let mut ids: Vec<_> = house.registrar.bindings(ANNA).map(|record| record.id).collect();
    ids.dedup();
    assert_eq!(ids.len(), 3);
    house.changes.clear();
    house.pass(4000);
    assert!(house.whats().contains(&Changed::Asleep));
    assert!(house.registrar.bindings(ANNA).all(|record| record.state == State::Asleep));
}

/// What a phone may do in the property below.
#[derive(Clone, Debug)]
enum Step {
    Register { call: u8, cseq: u32, contacts: Vec<(u8, u8, u32)> },
    Clear { call: u8, cseq: u32 },
    Pass(u64),
}

fn step() -> impl Strategy<Value = Step> {
    let expires = prop_oneof![Just(0), Just(30), Just(60), Just(100), Just(400), Just(9999)];
    let contacts = prop::collection::vec((0_u8..4, 0_u8..4, expires), 0..5);
    prop_oneof![
        6 => (0_u8..3, 0_u32..20, contacts).prop_map(|(call, cseq, contacts)| Step::Register { call, cseq, contacts }),
        1 => (0_u8..3, 0_u32..20).prop_map(|(call, cseq)| Step::Clear { call, cseq }),
        3 => (0_u64..500).prop_map(Step::Pass),
    ]
}

/// A contact: of a URI, and of a phone without instance, with one, with a flow, or with a token.
fn contact_of(uri: u8, kind: u8, expires: u32) -> String {
    let (push, params) = match kind {
        0 => ("", String::new()),
        1 => ("", INSTANCE.into()),
        2 => ("", format!("{INSTANCE};reg-id=1")),
        _ => (PUSH, String::new()),
    };
    format!("<sip:{uri}@h{push}>{params};expires={expires}")
}

fn shown(house: &House) -> Vec<String> {
    let show = |record: Record<'_, u16>| format!("{:?} {} {} {:?}", record.id, record.uri, record.cseq, record.expires);
    house.registrar.bindings(ANNA).map(show).collect()
}

proptest! {
    #[test]
    fn the_table_keeps_its_word_whatever_phones_do(steps in prop::collection::vec(step(), 1..40)) {
        let mut house = house();
        let mut written = std::collections::BTreeSet::new();
        for step in steps {
            let before = shown(&house);
            let done = match &step {
                Step::Register { call, cseq, contacts } => {
                    let mut lines = String::new();
                    for (uri, kind, expires) in contacts {
                        write!(lines, "Contact: {}\r\n", contact_of(*uri, *kind, *expires)).unwrap();
                    }
                    house.register(&call.to_string(), *cseq, &lines)
                }
                Step::Clear { call, cseq } => house.register(&call.to_string(), *cseq, "Contact: *\r\nExpires: 0\r\n"),
                Step::Pass(seconds) => {
                    house.pass(*seconds);
                    Ok(())
                }
            };
            if done.is_err() {
                prop_assert_eq!(&before, &shown(&house));
                prop_assert!(house.changes.is_empty());
            }
            for change in house.changes.drain(..) {
                let known = written.contains(&change.id);
                prop_assert!(known != (change.what == Changed::New), "{:?}", change);
                if change.what == Changed::Removed { written.remove(&change.id) } else { written.insert(change.id) };
            }
            let ids: std::collections::BTreeSet<_> = house.registrar.bindings(ANNA).map(|record| record.id).collect();
            prop_assert_eq!(&ids, &written, "who writes along has the same bindings");
            prop_assert_eq!(ids.len(), house.registrar.len());
            prop_assert!(ids.len() <= 3);
            let over = house.registrar.bindings(ANNA).filter(|record| record.expires + Duration::from_secs(1) <= house.now);
            prop_assert_eq!(over.count(), 0);
            prop_assert!(house.registrar.deadline().is_some() || ids.is_empty());
        }
    }
}
