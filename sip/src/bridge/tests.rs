use std::time::{Duration, Instant};

use super::*;
use crate::leg::End;

const A: Side = Side::Caller;
const B: Side = Side::Callee;

/// Marks what went through it; refuses what says "bad".
struct Marks;

impl Rewrite for Marks {
    fn rewrite(&mut self, from: Side, role: Role, sdp: &Bytes) -> Result<Bytes, Code> {
        if sdp == "bad" {
            return Err(Code::NOT_ACCEPTABLE_HERE);
        }
        Ok(format!("{from:?} {role:?} {}", String::from_utf8_lossy(sdp)).into())
    }
}

fn legs() -> (LegId, LegId) {
    (LegId::of_test(1), LegId::of_test(2))
}

#[test]
fn a_call_rings_is_answered_held_and_ended_across() {
    let (a, b) = legs();
    let mut bridge = Bridge::ringing(a, b);
    let mut hear = |leg, event| bridge.heard(leg, &event, &mut Marks);
    let ringing = Event::Progress { code: Code::RINGING, sdp: None };
    assert_eq!(hear(b, ringing), [Act::Progress(a, Code::RINGING, None)]);
    assert_eq!(hear(b, Event::Answered { sdp: "x".into() }), [Act::Answer(a, "Callee Answer x".into())]);
    assert_eq!(hear(b, Event::Offer { sdp: "hold".into() }), [Act::Offer(a, "Callee Offer hold".into())]);
    assert_eq!(hear(a, Event::Offer { sdp: "y".into() }), [Act::Refuse(a, Code::REQUEST_PENDING)]);
    assert_eq!(hear(a, Event::Refreshed { sdp: "z".into() }), [], "no answer to what B offers");
    assert_eq!(hear(a, Event::Accepted { sdp: "held".into() }), [Act::Answer(b, "Caller Answer held".into())]);
    assert_eq!(hear(a, Event::Offer { sdp: "y".into() }), [Act::Offer(b, "Caller Offer y".into())]);
    assert_eq!(hear(b, Event::Refused { code: Code::SERVER_ERROR }), [Act::Refuse(a, Code::SERVER_ERROR)]);
    assert_eq!(hear(b, Event::Refreshed { sdp: "z".into() }), []);
    assert_eq!(hear(a, Event::Ended(End::ByPeer)), [Act::End(b, Reason::Plain), Act::Over]);
    assert_eq!(hear(b, Event::Ended(End::ByUs)), []);
}

#[test]
fn a_refusal_keeps_its_code_and_what_the_relay_does_not_take_is_refused() {
    let (a, b) = legs();
    let mut bridge = Bridge::ringing(a, b);
    let busy = Event::Ended(End::Declined(Code::BUSY_HERE));
    assert_eq!(bridge.heard(b, &busy, &mut Marks), [Act::Refuse(a, Code::BUSY_HERE), Act::Over]);
    let mut bridge = Bridge::ringing(a, b);
    let acts = bridge.heard(b, &Event::Answered { sdp: "bad".into() }, &mut Marks);
    assert_eq!(acts, [Act::Refuse(a, Code::NOT_ACCEPTABLE_HERE), Act::End(b, Reason::Plain), Act::Over]);
    let mut bridge = Bridge::joined(a, b);
    let acts = bridge.heard(a, &Event::Offer { sdp: "bad".into() }, &mut Marks);
    assert_eq!(acts, [Act::Refuse(a, Code::NOT_ACCEPTABLE_HERE)]);
    assert_eq!(bridge.heard(LegId::of_test(3), &Event::Ended(End::ByPeer), &mut Marks), []);
    assert_eq!((bridge.side(a), bridge.side(b), A.other()), (Some(A), Some(B), B));
}

#[test]
fn what_one_side_is_asked_by_us_is_no_answer_to_the_other() {
    let (a, b) = legs();
    let refused = Event::Refused { code: Code::NOT_ACCEPTABLE_HERE };
    for answer in [Event::Accepted { sdp: "x".into() }, refused] {
        let mut bridge = Bridge::ringing(a, b);
        assert_eq!(bridge.ask(B), None);
        bridge.heard(b, &Event::Answered { sdp: "x".into() }, &mut Marks);
        assert_eq!((bridge.ask(B), bridge.ask(B)), (Some(b), None));
        let offer = Event::Offer { sdp: "hold".into() };
        assert_eq!(bridge.heard(a, &offer, &mut Marks), [Act::Refuse(a, Code::REQUEST_PENDING)]);
        assert_eq!(bridge.heard(b, &answer, &mut Marks), []);
        assert_eq!(bridge.heard(a, &offer, &mut Marks), [Act::Offer(b, "Caller Offer hold".into())]);
    }
}

#[allow(clippy::disallowed_methods, reason = "an instant can be had in no other way; the tests move it")]
fn start() -> Instant {
    Instant::now()
}

#[test]
fn a_ticket_is_worth_one_call() {
    let (now, mut next) = (start(), 0_u64);
    let mut random = move || {
        next += 1;
        next
    };
    let until = now + Duration::from_secs(30);
    let mut tickets = Tickets::default();
    let ticket = tickets.issue(7, until, &mut random);
    let user = ticket.to_string();
    assert_eq!(user, "00000000000000010000000000000002");
    assert_eq!(tickets.admit(&user, "one", false, now), Err(Turned::Source));
    assert_eq!(tickets.admit("anna", "one", true, now), Err(Turned::Unknown));
    assert_eq!(tickets.admit("+0000000000000010000000000000002", "one", true, now), Err(Turned::Unknown));
    assert_eq!(tickets.admit(&user, "one", true, now).map(|admitted| admitted.call), Ok(7));
    tickets.answered(ticket, Code::PROXY_AUTHENTICATION_REQUIRED);
    assert_eq!(tickets.admit(&user, "two", true, now), Err(Turned::OtherCall));
    assert!(tickets.admit(&user, "one", true, now).is_ok(), "with credentials, in the same call");
    tickets.answered(ticket, Code::RINGING);
    assert_eq!(tickets.len(), 1);
    tickets.answered(ticket, Code::OK);
    assert_eq!(tickets.admit(&user, "one", true, now), Err(Turned::Unknown));

    let user = tickets.issue(8, until, &mut random).to_string();
    assert_eq!(tickets.admit(&user, "one", true, until), Err(Turned::Unknown), "its time is up");
    tickets.sweep(until);
    assert!(tickets.is_empty());
    assert_eq!(format!("{ticket:?}"), "Ticket(…)");
}
