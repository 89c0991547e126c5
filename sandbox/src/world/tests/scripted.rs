//! Calls with a document: what is asked on them, and whom a key connects with whom.

use super::bench::{ADA, BO, Bench, code};
use crate::{
    deliver::Manner,
    options::Auto,
    world::{
        sid::Sid,
        words::{
            CallStatus,
            ReservationStatus::{Accepted, Canceled, Pending, Wrapping},
        },
    },
};

const URL: &str = "http://gateway/confirm?call=1&leg=1";
/// Four seconds of words and five of patience, twice.
const QUESTION: &str = "<Gather numDigits='1' finishOnKey='' action='?call=1&amp;leg=1'><Say>\
                        Press 1, press 1, press 1, press 1, press 1, press 1, press 1!</Say></Gather>";

fn dial(bench: &mut Bench, to: &str) -> Sid {
    let path = format!("{}/Calls.json", bench.account());
    let form = [
        ("To", to),
        ("From", "+15550100"),
        ("Url", URL),
        ("Timeout", "13"),
        ("StatusCallback", "http://gateway/call?call=1&leg=1"),
        ("StatusCallbackEvent", "initiated"),
        ("StatusCallbackEvent", "ringing"),
        ("StatusCallbackEvent", "answered"),
        ("StatusCallbackEvent", "completed"),
    ];
    let answer = bench.request("POST", &path, &form);
    assert_eq!(answer.status, 201);
    bench.wait(0);
    answer.body.expect("a body")["sid"].as_str().expect("a sid").into()
}

/// The document that a call asks for: its URL, the keys that were pressed, and how it is answered.
fn asked(bench: &mut Bench) -> (String, Option<String>, Sid, u64) {
    let webhooks = bench.world.take_webhooks();
    let asks = webhooks.into_iter().rev().find_map(|webhook| match webhook.manner {
        Manner::Twiml { call, step } => {
            let digits = webhook.params.into_iter().find(|(name, _)| name == "Digits");
            Some((webhook.url, digits.map(|(_, value)| value), call, step))
        }
        _ => None,
    });
    asks.expect("a call asks for a document")
}

fn answer_with(bench: &mut Bench, body: &str) {
    let (_, _, call, step) = asked(bench);
    let document = format!("<Response>{body}</Response>");
    bench.act(|world| world.document_came(&call, step, Some(&document)));
}

/// A phone that was called for a customer's reservation is answered, and asks; with the call's and the task's sid.
fn questioned() -> (Bench, Sid, Sid) {
    let mut bench = Bench::with(&[ADA]);
    let (_, task) = bench.customer_calls();
    let leg = dial(&mut bench, ADA);
    bench.act(|world| world.phone_answers(ADA)).expect("a ringing phone");
    answer_with(&mut bench, &QUESTION.repeat(2));
    (bench, leg, task)
}

fn status(bench: &Bench, call: &Sid) -> CallStatus {
    bench.world.snapshot(usize::MAX).call(call).expect("a call").status
}

fn connects(reservation: &Sid) -> String {
    format!("<Dial><Queue reservationSid='{reservation}'/></Dial><Hangup/>")
}

/// The agent has pressed 1, and talks with the customer.
fn talking() -> (Bench, Sid, Sid, Sid) {
    let (mut bench, leg, task) = questioned();
    bench.act(|world| world.phone_presses(ADA, '1')).expect("a call that asks");
    let reservation = bench.reservation(&task);
    answer_with(&mut bench, &connects(&reservation));
    let customer = bench.world.tasks.get(&task).and_then(|task| task.call.clone()).expect("a caller");
    (bench, leg, task, customer)
}

#[test]
fn a_call_with_a_url_asks_there_once_it_is_answered_and_leaves_the_reservation_pending() {
    let mut bench = Bench::with(&[ADA]);
    let (_, task) = bench.customer_calls();
    let leg = dial(&mut bench, ADA);
    assert!(bench.is_ringing(ADA));
    bench.act(|world| world.phone_answers(ADA)).expect("a ringing phone");
    let (url, digits, call, _) = asked(&mut bench);
    assert_eq!((url.as_str(), digits, call), (URL, None, leg));
    assert_eq!(bench.reservations(&task), [Pending]);
}

#[test]
fn a_key_goes_to_the_action_also_while_the_voice_speaks() {
    let (mut bench, leg, _) = questioned();
    assert!(bench.world.snapshot(usize::MAX).call(&leg).expect("a call").asks_for_key);
    bench.act(|world| world.phone_presses(ADA, '1')).expect("a call that asks");
    let (url, digits, ..) = asked(&mut bench);
    assert_eq!((url.as_str(), digits.as_deref()), ("http://gateway/confirm?call=1&leg=1", Some("1")));
}

#[test]
fn a_reservation_sid_accepts_and_connects() {
    let (mut bench, leg, task, customer) = talking();
    assert_eq!(bench.reservations(&task), [Accepted]);
    let snapshot = bench.world.snapshot(usize::MAX);
    assert_eq!(snapshot.call(&leg).and_then(|call| call.talks_with_sid.clone()), Some(customer.clone()));
    assert!(!snapshot.call(&customer).expect("a call").in_queue);
    bench.act(|world| world.phone_hangs_up(ADA)).expect("a conversation");
    assert_eq!((status(&bench, &leg), status(&bench, &customer)), (CallStatus::Completed, CallStatus::Completed));
    assert_eq!(bench.reservations(&task), [Accepted], "TaskRouter leaves it to the gateway");
}

#[test]
fn when_the_customer_hangs_up_the_agents_call_goes_on_with_its_document() {
    let (mut bench, leg, task, customer) = talking();
    bench.act(|world| world.customer_hangs_up(&customer)).expect("a conversation");
    assert_eq!(status(&bench, &leg), CallStatus::Completed);
    assert_eq!(bench.reservations(&task), [Accepted]);
}

#[test]
fn an_account_may_wrap_up_by_itself() {
    let mut bench = Bench::of(&[ADA], |options| options.auto_wrapup = true);
    let (_, task) = bench.customer_calls();
    dial(&mut bench, ADA);
    bench.act(|world| world.phone_answers(ADA)).expect("a ringing phone");
    let reservation = bench.reservation(&task);
    answer_with(&mut bench, &connects(&reservation));
    bench.act(|world| world.phone_hangs_up(ADA)).expect("a conversation");
    assert_eq!(bench.reservations(&task), [Wrapping]);
}

#[test]
fn a_reservation_that_is_not_pending_connects_nobody() {
    let (mut bench, leg, task) = questioned();
    let reservation = bench.reservation(&task);
    bench.act(|world| world.reject(&reservation)).expect("a pending reservation");
    bench.act(|world| world.phone_presses(ADA, '1')).expect("a call that asks");
    answer_with(&mut bench, &connects(&reservation));
    assert_eq!(status(&bench, &leg), CallStatus::Completed);
    assert_ne!(bench.reservations(&task)[0], Accepted);
}

#[test]
fn an_instruction_is_refused_once_the_key_has_connected() {
    let (mut bench, _, task, _) = talking();
    assert_eq!(code(&bench.instruct(&task, BO)), (400, 40136));
}

#[test]
fn nobody_presses_and_the_call_ends_behind_the_last_question() {
    let (mut bench, leg, task) = questioned();
    bench.wait(16);
    assert_eq!(status(&bench, &leg), CallStatus::InProgress);
    bench.wait(3);
    assert_eq!(status(&bench, &leg), CallStatus::Completed);
    assert_eq!(bench.reservations(&task), [Pending], "a voicemail takes no customer");
}

#[test]
fn a_document_that_does_not_come_or_makes_no_sense_ends_the_call() {
    for document in [None, Some("<Response><Press/></Response>"), Some("no XML")] {
        let mut bench = Bench::with(&[ADA]);
        bench.customer_calls();
        let leg = dial(&mut bench, ADA);
        bench.act(|world| world.phone_answers(ADA)).expect("a ringing phone");
        let (_, _, call, step) = asked(&mut bench);
        bench.act(|world| world.document_came(&call, step, document));
        let says = bench.world.snapshot(usize::MAX).call(&leg).and_then(|call| call.says.clone());
        assert!(says.is_some_and(|says| says.contains("application error")), "{document:?}");
        bench.wait(10);
        assert_eq!(status(&bench, &leg), CallStatus::Completed, "{document:?}");
    }
}

#[test]
fn a_late_answer_is_not_run() {
    let (mut bench, leg, _) = questioned();
    bench.act(|world| world.document_came(&leg, 1, Some("<Response><Hangup/></Response>")));
    assert_eq!(status(&bench, &leg), CallStatus::InProgress);
}

#[test]
fn a_phone_may_press_by_itself_and_a_customer_who_has_gone_is_not_waited_for() {
    let mut bench = Bench::with(&[ADA]);
    let (customer, task) = bench.customer_calls();
    bench.act(|world| world.set_auto(ADA, Auto::Take { after_ms: 1000 }));
    let leg = dial(&mut bench, ADA);
    bench.wait(1);
    answer_with(&mut bench, QUESTION);
    bench.wait(1);
    let (_, digits, call, step) = asked(&mut bench);
    assert_eq!(digits.as_deref(), Some("1"));
    bench.act(|world| world.customer_hangs_up(&customer)).expect("a live call");
    let reservation = bench.reservation(&task);
    let document = format!("<Response>{}</Response>", connects(&reservation));
    bench.act(|world| world.document_came(&call, step, Some(&document)));
    assert_eq!((status(&bench, &leg), bench.reservations(&task)), (CallStatus::Completed, vec![Canceled]));
}

#[test]
fn only_keys_are_keys() {
    let (mut bench, ..) = questioned();
    assert!(bench.act(|world| world.phone_presses(ADA, 'x')).is_err());
    assert!(bench.act(|world| world.phone_presses(BO, '1')).is_err(), "nobody has called there");
}
