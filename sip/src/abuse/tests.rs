use proptest::prelude::*;

use super::*;

const ONE: Rate = Rate { per_second: 1.0, burst: 3 };
const MANY: Rate = Rate { per_second: 1.0, burst: 30 };

fn limits() -> Limits {
    Limits {
        unknown: Allowance { messages: ONE, failures: ONE },
        known: Allowance { messages: MANY, failures: MANY },
        replies: ONE,
        registrations: ONE,
        calls: ONE,
        known_for: Duration::from_secs(60),
        locked_for: Duration::from_secs(10),
        sources: 4,
    }
}

#[allow(clippy::disallowed_methods, reason = "an instant can be had in no other way; the tests move it")]
fn start() -> Instant {
    Instant::now()
}

fn address(last: u8) -> IpAddr {
    IpAddr::from([192, 0, 2, last])
}

fn admitted(gate: &mut Gate, from: IpAddr, now: Instant) -> usize {
    (0..100).filter(|_| gate.admit(from, now).is_ok()).count()
}

#[test]
fn a_source_may_send_a_burst_and_then_its_rate() {
    let (mut gate, now) = (Gate::new(limits(), &[]), start());
    assert_eq!(admitted(&mut gate, address(1), now), 3);
    assert_eq!(gate.admit(address(1), now), Err(Shed::Rate));
    assert_eq!(admitted(&mut gate, address(2), now), 3, "another source's own");
    assert_eq!(admitted(&mut gate, address(1), now + Duration::from_secs(2)), 2);
    assert_eq!(admitted(&mut gate, address(1), now + Duration::from_secs(60)), 3);
}

#[test]
fn a_known_source_may_send_more_for_a_while() {
    let (mut gate, now) = (Gate::new(limits(), &[]), start());
    gate.succeeded(address(1), now);
    assert_eq!(admitted(&mut gate, address(1), now), 30);
    assert_eq!(admitted(&mut gate, address(1), now + Duration::from_secs(120)), 3);
}

#[test]
fn an_unknown_source_gets_few_answers_and_none_that_makes_its_datagram_grow() {
    let (mut gate, now) = (Gate::new(limits(), &[]), start());
    assert_eq!(gate.may_reply(address(1), 100, 201, now), Err(Shed::Amplification));
    assert_eq!(gate.may_reply(address(1), usize::MAX, 200, now), Ok(()));
    assert_eq!(gate.may_reply(address(1), 100, 200, now), Ok(()));
    assert_eq!(gate.may_reply(address(1), 100, 200, now), Ok(()));
    assert_eq!(gate.may_reply(address(1), 100, 200, now), Err(Shed::Replies));
    gate.succeeded(address(1), now);
    assert_eq!(gate.may_reply(address(1), 100, 2000, now), Ok(()));
}

#[test]
fn whoever_guesses_is_locked_out_for_a_while_and_nobody_else() {
    let (mut gate, now) = (Gate::new(limits(), &[]), start());
    assert_eq!((0..4).map(|_| gate.failed(address(1), now)).collect::<Vec<_>>(), [false, false, false, true]);
    assert_eq!(gate.admit(address(1), now), Err(Shed::LockedOut));
    assert_eq!(gate.admit(address(2), now), Ok(Admitted::All));
    assert_eq!(gate.admit(address(1), now + Duration::from_secs(10)), Ok(Admitted::All));
}

#[test]
fn whoever_guesses_behind_a_known_address_ends_no_call_there() {
    let twilio = IpAddr::from([54, 172, 60, 1]);
    let (mut gate, now) = (Gate::new(limits(), &["54.172.60.0/30".parse().unwrap()]), start());
    gate.succeeded(address(1), now);
    for from in [address(1), twilio] {
        assert_eq!((0..31).filter(|_| gate.failed(from, now)).count(), 1);
        assert_eq!(admitted(&mut gate, from, now), 30);
        let later = now + Duration::from_secs(5);
        assert_eq!(gate.admit(from, later), Ok(Admitted::Ongoing));
        assert_eq!(gate.admit(from, now + Duration::from_secs(10)), Ok(Admitted::All));
    }
    let (twilio, other) = (IpAddr::from([54, 172, 60, 2]), address(2));
    [twilio, other].into_iter().for_each(|from| gate.lock_out(from, now));
    assert_eq!((gate.admit(twilio, now), gate.admit(other, now)), (Ok(Admitted::All), Err(Shed::LockedOut)));
}

#[test]
fn sources_for_which_there_is_no_room_share_one_allowance() {
    let (mut gate, now) = (Gate::new(limits(), &[]), start());
    (0..4).for_each(|last| assert_eq!(gate.admit(address(last), now), Ok(Admitted::All)));
    let others = (4..100).filter(|last| gate.admit(address(*last), now).is_ok()).count();
    assert_eq!((others, gate.len()), (3, 4));
    assert_eq!(gate.admit(address(0), now), Ok(Admitted::All), "who was there before still has their own");
}

#[test]
fn sources_that_were_quiet_make_room_and_those_to_be_remembered_stay() {
    let (mut gate, now) = (Gate::new(limits(), &[]), start());
    (0..4).for_each(|last| assert_eq!(gate.admit(address(last), now), Ok(Admitted::All)));
    gate.succeeded(address(0), now);
    let later = now + Duration::from_secs(30);
    assert_eq!(admitted(&mut gate, address(9), later), 3);
    assert_eq!(gate.len(), 2);
    assert_eq!(admitted(&mut gate, address(0), later), 30);
}

#[test]
fn those_without_room_are_neither_locked_out_nor_known_together() {
    let (mut gate, now) = (Gate::new(limits(), &[]), start());
    for last in 0..4 {
        gate.succeeded(address(last), now);
    }
    gate.succeeded(address(9), now);
    assert!((0..50).all(|_| !gate.failed(address(10), now)));
    assert_eq!(admitted(&mut gate, address(11), now), 3, "neither locked out nor known");
    assert_eq!(gate.len(), 4);
}

#[test]
fn whoever_shows_or_guesses_a_password_takes_a_strangers_place() {
    let (mut gate, now) = (Gate::new(limits(), &[]), start());
    gate.succeeded(address(0), now);
    assert_eq!((0..4).filter(|_| gate.failed(address(1), now)).count(), 1);
    (2..4).for_each(|last| assert_eq!(gate.admit(address(last), now), Ok(Admitted::All)));
    gate.succeeded(address(8), now);
    assert!((0..4).any(|_| gate.failed(address(9), now)));
    for known in [0, 8] {
        assert_eq!(admitted(&mut gate, address(known), now), 30, "{known}");
    }
    for guesser in [1, 9] {
        assert_eq!(gate.admit(address(guesser), now), Err(Shed::LockedOut), "{guesser}");
    }
    assert_eq!((gate.admit(address(2), now), gate.len()), (Ok(Admitted::All), 4));
}

#[test]
fn a_trusted_source_is_always_known_and_forged_strangers_take_nothing_from_it() {
    let (mut gate, now) = (Gate::new(limits(), &["54.172.60.0/30".parse().unwrap()]), start());
    let twilio = IpAddr::from([54, 172, 60, 1]);
    assert_eq!((0..100).filter(|last| gate.admit(address(*last), now).is_ok()).count(), 4 + 3);
    assert!(gate.admit(address(200), now).is_err(), "the table is full, and what the others share is used up");
    assert!(gate.is_known(twilio, now) && !gate.is_known(address(1), now));
    assert_eq!(admitted(&mut gate, twilio, now), 30);
    assert_eq!(admitted(&mut gate, IpAddr::from([54, 172, 60, 2]), now), 30, "its own");
    assert_eq!(gate.may_reply(twilio, 100, 201, now), Err(Shed::Amplification));
    assert!((0..100).all(|_| gate.may_reply(twilio, 100, 200, now).is_ok()));
}

proptest! {
    #[test]
    fn the_table_never_grows_beyond_its_limit(sources in prop::collection::vec((0u8..=255, 0u64..3000), 0..300)) {
        let (mut gate, mut now) = (Gate::new(limits(), &[]), start());
        for (last, millis) in sources {
            now += Duration::from_millis(millis);
            let _ = gate.admit(address(last), now);
            let _ = gate.may_reply(address(last), 10, 10, now);
            match last % 8 {
                0 => gate.succeeded(address(last), now),
                1 | 2 => {
                    let _ = gate.failed(address(last), now);
                }
                _ => {}
            }
            prop_assert!(gate.len() <= 4);
        }
    }

    #[test]
    fn nobody_gets_more_than_burst_and_rate(times in prop::collection::vec(0u64..1000, 1..200)) {
        let (mut bucket, begin) = (Bucket::default(), start());
        let mut now = begin;
        let mut taken = 0u32;
        for millis in times {
            now += Duration::from_millis(millis);
            taken += u32::from(bucket.take(ONE, now));
        }
        prop_assert!(f64::from(taken) <= (now - begin).as_secs_f64() + 3.0 + 1e-6);
    }
}
