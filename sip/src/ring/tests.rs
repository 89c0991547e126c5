use std::time::Duration;

use proptest::prelude::*;

use super::*;

#[allow(clippy::disallowed_methods, reason = "an instant can be had in no other way; the tests move it")]
fn start() -> Instant {
    Instant::now()
}

fn leg(number: u64) -> LegId {
    LegId::of_test(number)
}

/// Rings so many phones, each with a leg of the same number.
fn ringing(phones: u64) -> (Ring<u64>, Instant) {
    let until = start() + Duration::from_secs(20);
    let (mut ring, acts) = Ring::new(0..phones, [], until);
    assert_eq!(acts, (0..phones).map(Act::Call).collect::<Vec<_>>());
    (0..phones).for_each(|key| assert!(ring.called(key, leg(key)).is_empty()));
    (ring, until)
}

fn ended(code: u16) -> Event {
    Event::Ended(End::Declined(Code::new(code).unwrap()))
}

fn answered() -> Event {
    Event::Answered { sdp: "v=0".into() }
}

#[test]
fn a_phone_that_moves_before_it_was_heard_is_called_anew() {
    let (mut ring, _) = ringing(2);
    assert_eq!(ring.heard(leg(0), &Event::Progress { code: Code::RINGING, sdp: None }).len(), 1);
    assert_eq!(ring.unheard().collect::<Vec<_>>(), [1]);
    assert_eq!(ring.moved(0), [], "it rings");
    assert_eq!(ring.moved(1), [Act::End(leg(1), Reason::Plain), Act::Call(1)]);
    assert_eq!(ring.moved(1), []);
    assert!(ring.called(1, leg(7)).is_empty());
    assert_eq!(ring.heard(leg(1), &answered()), [], "of the earlier leg nothing is heard");
    assert_eq!(ring.heard(leg(7), &answered()).len(), 2);
}

#[test]
fn the_first_that_answers_wins_and_the_others_are_told_so() {
    let (mut ring, _) = ringing(3);
    let progress = Event::Progress { code: Code::RINGING, sdp: None };
    assert_eq!(ring.heard(leg(0), &progress), [Act::Tell(News::Ringing)]);
    assert_eq!(ring.heard(leg(1), &progress), [], "told once");
    let acts = ring.heard(leg(1), &answered());
    assert_eq!(acts.last(), Some(&Act::Tell(News::Answered { leg: leg(1), sdp: "v=0".into() })));
    for other in [0, 2] {
        assert!(acts.contains(&Act::End(leg(other), Reason::AnsweredElsewhere)));
    }
    assert_eq!(acts.len(), 3);
    assert_eq!(ring.heard(leg(2), &answered()), []);
    assert!(ring.is_over());
}

#[test]
fn outcomes_are_told_apart() {
    let cases = [
        (486, Outcome::Busy),
        (600, Outcome::Busy),
        (603, Outcome::Declined),
        (403, Outcome::Declined),
        (408, Outcome::NoAnswer),
        (480, Outcome::NoAnswer),
        (404, Outcome::Unreachable),
        (302, Outcome::Unreachable),
        (503, Outcome::Unreachable),
    ];
    for (code, outcome) in cases {
        let (mut ring, _) = ringing(1);
        assert_eq!(ring.heard(leg(0), &ended(code)), [Act::Tell(News::Failed(outcome))], "{code}");
    }
    let (mut ring, _) = ringing(1);
    let acts = ring.heard(leg(0), &Event::Ended(End::Unreachable));
    assert_eq!(acts, [Act::Tell(News::Failed(Outcome::Unreachable))]);
}

#[test]
fn one_phone_that_is_busy_leaves_the_others_ringing_and_one_that_declines_for_all_does_not() {
    let (mut ring, _) = ringing(2);
    assert_eq!(ring.heard(leg(0), &ended(486)), []);
    assert_eq!(ring.heard(leg(1), &Event::Ended(End::NoAnswer)), [Act::Tell(News::Failed(Outcome::Busy))]);
    let (mut ring, _) = ringing(2);
    let acts = ring.heard(leg(0), &ended(603));
    assert_eq!(acts, [Act::End(leg(1), Reason::Plain), Act::Tell(News::Failed(Outcome::Declined))]);
}

#[test]
fn a_phone_that_is_woken_is_rung_once() {
    let until = start() + Duration::from_secs(20);
    let (mut ring, acts) = Ring::new([], [7_u64], until);
    assert_eq!(acts, [Act::Wake(7)]);
    assert_eq!(ring.add(7), [Act::Call(7)]);
    assert_eq!(ring.add(7), [], "it registered twice");
    ring.called(7, leg(7));
    assert_eq!(ring.add(7), []);
    ring.add(8);
    ring.called(8, leg(8));
    assert_eq!(ring.heard(leg(7), &Event::Ended(End::Unreachable)), []);
    assert_eq!(ring.add(7), [Act::Call(7)], "it was not there, and is now");
}

#[test]
fn a_phone_that_does_not_wake_is_asleep_and_without_any_nobody_is_reached() {
    let until = start() + Duration::from_secs(20);
    let (mut ring, _) = Ring::new([], [7_u64], until);
    assert_eq!(ring.timeout(until - Duration::from_millis(1)), []);
    assert_eq!(ring.timeout(until), [Act::Tell(News::Failed(Outcome::Asleep))]);
    assert_eq!(ring.next_timeout(), None);
    let (ring, acts) = Ring::<u64>::new([], [], until);
    assert_eq!(acts, [Act::Tell(News::Failed(Outcome::Unreachable))]);
    assert!(ring.is_over());
}

#[test]
fn a_leg_that_comes_too_late_is_ended() {
    let until = start() + Duration::from_secs(20);
    let (mut ring, _) = Ring::new([1_u64], [], until);
    assert_eq!(ring.cancel(Reason::Plain), []);
    assert_eq!(ring.called(1, leg(1)), [Act::End(leg(1), Reason::Plain)]);
}

proptest! {
    #[test]
    fn it_ends_once_and_every_other_leg_is_ended(
        phones in 1u64..5,
        events in prop::collection::vec((0u64..5, 0u8..6), 0..30),
    ) {
        let (mut ring, until) = ringing(phones);
        let mut open: Vec<_> = (0..phones).map(leg).collect();
        let mut told = Vec::new();
        let mut next = 100;
        for (which, what) in events {
            let mut acts = match what {
                0 | 1 => ring.heard(leg(which), &Event::Progress { code: Code::RINGING, sdp: None }),
                2 => ring.heard(leg(which), &answered()),
                3 | 4 => {
                    open.retain(|open| *open != leg(which));
                    ring.heard(leg(which), &if what == 3 { ended(486) } else { Event::Ended(End::Unreachable) })
                }
                _ => ring.add(which),
            };
            while let Some(act) = acts.pop() {
                match act {
                    Act::Call(key) => {
                        next += 1;
                        open.push(leg(next));
                        acts.extend(ring.called(key, leg(next)));
                    }
                    Act::End(ended, _) => open.retain(|open| *open != ended),
                    Act::Tell(news) => told.push(news),
                    Act::Wake(_) => {}
                }
            }
        }
        for act in ring.timeout(until) {
            match act {
                Act::End(ended, _) => open.retain(|open| *open != ended),
                Act::Tell(news) => told.push(news),
                Act::Call(_) | Act::Wake(_) => {}
            }
        }
        let last: Vec<_> = told.iter().filter(|news| **news != News::Ringing).collect();
        prop_assert_eq!(last.len(), 1);
        match last[0] {
            News::Answered { leg, .. } => prop_assert!(open.iter().all(|open| open == leg)),
            _ => prop_assert!(open.is_empty()),
        }
    }
}
