//! RFC 3261 §17.2.

use super::*;

#[test]
fn a_repeated_request_gets_the_last_answer_again_until_timer_j() {
    let mut bench = Bench::new(false);
    let (key, id) = bench.register(1);
    assert!(bench.request(&key).is_empty(), "trying: nothing to repeat yet");
    assert_eq!(bench.respond(id, 100), ["100"]);
    assert_eq!(bench.request(&key), ["100"]);
    assert_eq!(bench.respond(id, 200), ["200"]);
    assert!(bench.respond(id, 500).is_empty(), "only one final answer");
    assert_eq!(bench.request(&key), ["200"]);
    bench.pass(Duration::from_millis(31_999));
    assert_eq!(bench.request(&key), ["200"]);
    bench.pass(Duration::from_millis(1));
    assert_eq!(bench.table.request(&key, bench.flow(), bench.now), Request::New);
}

#[test]
fn over_a_stream_nothing_is_kept_after_the_answer() {
    let mut bench = Bench::new(true);
    let (_, id) = bench.register(1);
    assert_eq!(bench.respond(id, 200), ["200"]);
    assert!(bench.table.is_empty());
}

#[test]
fn the_oldest_of_too_many_answered_requests_is_let_go_of() {
    let mut bench = Bench::new(false);
    let keys: Vec<_> = (0..4)
        .map(|branch| {
            let (key, id) = bench.register(branch);
            bench.respond(id, 200);
            key
        })
        .collect();
    assert_eq!(bench.table.request(&keys[0], bench.flow(), bench.now), Request::New);
    assert_eq!(bench.request(&keys[1]), ["200"]);
    assert_eq!(bench.table.len(), 3);
}

#[test]
fn there_is_a_most_of_all_transactions() {
    let mut bench = Bench::new(false);
    (0..8).for_each(|branch| drop(bench.register(branch)));
    let key = ServerKey::new("z9hG4bKx", ("h", None), SOURCE, "OPTIONS").unwrap();
    assert_eq!(bench.table.serve(key, bench.flow()), Err(Full));
}

#[test]
fn an_invite_that_takes_its_time_is_told_that_it_was_heard() {
    let mut bench = Bench::new(false);
    let (key, id) = bench.invite();
    assert_eq!(bench.pass(secs(1)), [(200, "100".to_owned())]);
    assert_eq!(bench.request(&key), ["100"]);
    assert_eq!(bench.respond(id, 180), ["180"]);
    assert_eq!(bench.request(&key), ["180"]);
}

#[test]
fn an_invite_that_is_answered_at_once_gets_no_100() {
    let mut bench = Bench::new(false);
    let (_, id) = bench.invite();
    bench.respond(id, 180);
    assert!(bench.pass(secs(30)).is_empty());
}

#[test]
fn a_failure_is_repeated_until_its_ack_or_timer_h() {
    let mut bench = Bench::new(false);
    let (_, id) = bench.invite();
    assert_eq!(bench.respond(id, 486), ["486"]);
    let outputs = bench.pass(secs(60));
    let expected = [500, 1500, 3500, 7500, 11_500, 15_500, 19_500, 23_500, 27_500, 31_500];
    assert_eq!(times(&outputs, "486"), expected, "timer G doubles up to T2");
    assert_eq!(times(&outputs, "TimedOut"), [32_000], "timer H");
    assert!(bench.table.is_empty());
}

#[test]
fn an_ack_ends_the_repetitions_and_is_swallowed_until_timer_i() {
    let mut bench = Bench::new(false);
    let (key, id) = bench.invite();
    bench.respond(id, 486);
    assert_eq!(bench.table.ack(&key, bench.now), Some(id));
    assert!(bench.outputs().is_empty(), "the ACK to a failure is not the user's");
    assert!(bench.pass(Duration::from_millis(4999)).is_empty());
    assert!(bench.request(&key).is_empty(), "a late INVITE is swallowed");
    bench.pass(Duration::from_millis(1));
    assert!(bench.table.is_empty());
}

#[test]
fn over_a_stream_a_failure_is_not_repeated_but_its_ack_awaited() {
    let mut bench = Bench::new(true);
    let (key, id) = bench.invite();
    bench.respond(id, 486);
    assert!(bench.pass(secs(31)).is_empty());
    bench.table.ack(&key, bench.now);
    assert!(bench.table.is_empty());
}

/// RFC 6026 §7.1.
#[test]
fn after_a_2xx_repeated_invites_are_swallowed_and_acks_passed_on_until_timer_l() {
    let mut bench = Bench::new(false);
    let (key, id) = bench.invite();
    assert_eq!(bench.respond(id, 200), ["200"]);
    assert!(bench.request(&key).is_empty());
    assert_eq!(bench.respond(id, 200), ["200"], "the user repeats it");
    assert!(bench.respond(id, 486).is_empty());
    bench.table.ack(&key, bench.now);
    assert_eq!(bench.outputs(), ["Pass"]);
    assert!(bench.pass(Duration::from_millis(31_999)).is_empty());
    assert_eq!(bench.table.len(), 1);
    bench.pass(Duration::from_millis(1));
    assert!(bench.table.is_empty());
}

/// RFC 6026 §8.8.
#[test]
fn an_answer_that_could_not_be_sent_is_told_and_kept() {
    let mut bench = Bench::new(false);
    let (key, id) = bench.invite();
    bench.respond(id, 486);
    bench.table.unsent(id, bench.now);
    assert_eq!(bench.outputs(), ["Unsent"]);
    assert_eq!(bench.request(&key), ["486"]);
}

#[test]
fn an_ack_of_nothing_known_is_its_receiver_s() {
    let mut bench = Bench::new(false);
    let key = ServerKey::new("z9hG4bK1", ("192.0.2.1", None), SOURCE, "ACK").unwrap();
    assert_eq!(bench.table.ack(&key, bench.now), None);
}
