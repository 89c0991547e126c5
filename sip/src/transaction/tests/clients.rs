//! RFC 3261 §17.1.

use super::*;

fn ask(bench: &mut Bench) -> (ClientKey, TransactionId) {
    let (key, flow) = (ClientKey::new("z9hG4bK1", "OPTIONS"), bench.flow());
    let id = bench.table.ask(key.clone(), flow, Bytes::from("OPTIONS"), bench.now).unwrap();
    assert_eq!(bench.outputs(), ["OPTIONS"]);
    (key, id)
}

fn invite(bench: &mut Bench) -> (ClientKey, TransactionId) {
    let (key, flow) = (ClientKey::new("z9hG4bK1", "INVITE"), bench.flow());
    let id = bench.table.invite(key.clone(), flow, Bytes::from("INVITE"), bench.now).unwrap();
    assert_eq!(bench.outputs(), ["INVITE"]);
    (key, id)
}

#[test]
fn a_request_without_an_answer_is_repeated_up_to_t2_and_given_up_at_timer_f() {
    let mut bench = Bench::new(false);
    ask(&mut bench);
    let outputs = bench.pass(secs(60));
    let expected = [500, 1500, 3500, 7500, 11_500, 15_500, 19_500, 23_500, 27_500, 31_500];
    assert_eq!(times(&outputs, "OPTIONS"), expected);
    assert_eq!(times(&outputs, "TimedOut"), [32_000]);
    assert!(bench.table.is_empty());
}

#[test]
fn after_a_provisional_answer_a_request_is_repeated_every_t2() {
    let mut bench = Bench::new(false);
    let (key, _) = ask(&mut bench);
    assert_eq!(bench.response(&key, 100), ["Pass"]);
    let outputs = bench.pass(secs(60));
    assert_eq!(times(&outputs, "OPTIONS"), [500, 4500, 8500, 12_500, 16_500, 20_500, 24_500, 28_500]);
    assert_eq!(times(&outputs, "TimedOut"), [32_000]);
}

#[test]
fn over_a_stream_nothing_is_repeated_but_timer_f_runs() {
    for (invite_it, name) in [(false, "OPTIONS"), (true, "INVITE")] {
        let mut bench = Bench::new(true);
        if invite_it {
            invite(&mut bench)
        } else {
            ask(&mut bench)
        };
        assert_eq!(bench.pass(secs(60)), [(32_000, "TimedOut".to_owned())], "{name}");
    }
}

#[test]
fn one_final_answer_is_passed_on_and_its_repetitions_are_swallowed_until_timer_k() {
    let mut bench = Bench::new(false);
    let (key, _) = ask(&mut bench);
    assert_eq!(bench.response(&key, 404), ["Pass"]);
    assert!(bench.response(&key, 404).is_empty());
    assert!(bench.pass(Duration::from_millis(4999)).is_empty());
    assert_eq!(bench.table.len(), 1);
    bench.pass(Duration::from_millis(1));
    assert!(bench.table.is_empty());
}

#[test]
fn an_invite_without_an_answer_is_repeated_ever_later_and_given_up_at_timer_b() {
    let mut bench = Bench::new(false);
    invite(&mut bench);
    let outputs = bench.pass(secs(60));
    assert_eq!(times(&outputs, "INVITE"), [500, 1500, 3500, 7500, 15_500, 31_500]);
    assert_eq!(times(&outputs, "TimedOut"), [32_000]);
}

#[test]
fn an_invite_that_rings_is_not_repeated_and_waits_for_ever() {
    let mut bench = Bench::new(false);
    let (key, _) = invite(&mut bench);
    assert_eq!(bench.response(&key, 180), ["Pass"]);
    assert!(bench.pass(secs(600)).is_empty());
    assert_eq!(bench.response(&key, 183), ["Pass"]);
    assert_eq!(bench.table.len(), 1);
}

#[test]
fn a_failure_is_acknowledged_as_often_as_it_comes_and_passed_on_once() {
    let mut bench = Bench::new(false);
    let (key, _) = invite(&mut bench);
    assert_eq!(bench.response(&key, 486), ["ACK 486", "Pass"]);
    assert_eq!(bench.response(&key, 486), ["ACK 486"]);
    assert!(bench.response(&key, 200).is_empty());
    assert!(bench.pass(Duration::from_millis(31_999)).is_empty());
    assert_eq!(bench.table.len(), 1);
    bench.pass(Duration::from_millis(1));
    assert!(bench.table.is_empty(), "timer D");
}

/// RFC 6026 §7.2: 2xx of several forks.
#[test]
fn every_2xx_is_passed_on_until_timer_m() {
    let mut bench = Bench::new(false);
    let (key, _) = invite(&mut bench);
    assert_eq!(bench.response(&key, 200), ["Pass"]);
    assert_eq!(bench.response(&key, 200), ["Pass"]);
    assert!(bench.response(&key, 486).is_empty());
    bench.pass(secs(32));
    assert!(bench.table.is_empty());
    assert!(bench.response(&key, 200).is_empty());
}

#[test]
fn what_cannot_be_sent_ends_a_client_s_transaction() {
    let mut bench = Bench::new(false);
    let (_, id) = invite(&mut bench);
    bench.table.unsent(id, bench.now);
    assert_eq!(bench.outputs(), ["Unsent"]);
    assert!(bench.table.is_empty());
}
