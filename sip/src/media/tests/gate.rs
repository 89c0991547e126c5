use std::time::{Duration, Instant};

use proptest::prelude::*;

use super::super::gate::{Expected, Gate, Reach, Stamp, Verdict};
use super::{address, clock};

const MS: Duration = Duration::from_millis(1);
const WINDOW: Duration = Duration::from_secs(3);

const DESCRIBED: &str = "192.168.1.20:7078";
const MOVED: &str = "192.168.1.20:7080";
const BEHIND_NAT: &str = "198.51.100.7:40001";
const ELSEWHERE: &str = "203.0.113.66:5000";

fn as_described() -> Reach {
    Reach::AsDescribed
}

fn nat() -> Reach {
    Reach::MaybeNat { signalled: Some("198.51.100.7".parse().unwrap()) }
}

/// A gate and virtual time.
struct Bench {
    gate: Gate,
    now: Instant,
}

impl Bench {
    fn new(reach: Reach) -> Self {
        let mut bench = Self { gate: Gate::new(), now: clock() };
        bench.describe(DESCRIBED, reach);
        bench
    }

    fn describe(&mut self, described: &str, reach: Reach) {
        self.gate.expect(Some(Expected { described: address(described), reach }), self.now + WINDOW);
    }

    /// A packet, and 20 ms.
    fn hear(&mut self, from: &str, ssrc: u32, sequence: u16) -> Verdict {
        let verdict = self.gate.check(Stamp { from: address(from), ssrc, sequence }, self.now);
        self.now += 20 * MS;
        verdict
    }

    /// How many packets in sequence it takes until one passes.
    fn until_locked(&mut self, from: &str, ssrc: u32) -> Option<u16> {
        (1..=20).find(|number| self.hear(from, ssrc, *number) == Verdict::Locked)
    }
}

#[test]
fn how_long_a_source_has_to_prove_itself() {
    for (reach, from, in_the_window, later) in [
        (as_described(), DESCRIBED, Some(1), Some(1)),
        (as_described(), MOVED, Some(3), Some(3)),
        (as_described(), BEHIND_NAT, None, None),
        (as_described(), ELSEWHERE, None, None),
        (nat(), DESCRIBED, Some(1), Some(1)),
        (nat(), MOVED, Some(3), Some(3)),
        (nat(), BEHIND_NAT, Some(3), Some(3)),
        (nat(), ELSEWHERE, Some(10), None),
        (Reach::MaybeNat { signalled: None }, BEHIND_NAT, Some(10), None),
    ] {
        assert_eq!(Bench::new(reach).until_locked(from, 1), in_the_window, "{reach:?} {from}");
        let mut bench = Bench::new(reach);
        bench.now += WINDOW;
        assert_eq!(bench.until_locked(from, 1), later, "{reach:?} {from} after the window");
    }
}

#[test]
fn a_closed_gate_takes_nothing_and_sends_nowhere() {
    let (mut gate, now) = (Gate::new(), clock());
    let stamp = Stamp { from: address(DESCRIBED), ssrc: 1, sequence: 1 };
    assert_eq!((gate.check(stamp, now), gate.destination()), (Verdict::Foreign, None));
}

#[test]
fn packets_go_where_the_peers_come_from() {
    let mut bench = Bench::new(nat());
    assert_eq!(bench.gate.destination(), Some(address(DESCRIBED)));
    bench.until_locked(BEHIND_NAT, 1);
    assert_eq!(bench.gate.destination(), Some(address(BEHIND_NAT)));
    bench.gate.expect(None, bench.now);
    assert_eq!(bench.gate.destination(), None);
}

#[test]
fn a_locked_gate_takes_nobody_elses_packets() {
    let mut bench = Bench::new(nat());
    bench.until_locked(BEHIND_NAT, 1);
    for number in 0..100 {
        for from in [ELSEWHERE, "198.51.100.7:40003"] {
            assert_eq!(bench.hear(from, 1, number), Verdict::Foreign);
        }
        assert_eq!(bench.hear(BEHIND_NAT, 1, number), Verdict::Pass);
    }
}

#[test]
fn within_the_window_a_better_source_takes_the_place_of_a_worse_one() {
    let mut bench = Bench::new(nat());
    assert_eq!(bench.until_locked(ELSEWHERE, 1), Some(10));
    assert_eq!(bench.until_locked(BEHIND_NAT, 2), Some(3));
    assert_eq!(bench.until_locked(DESCRIBED, 3), Some(1));
    assert_eq!(bench.until_locked(BEHIND_NAT, 2), None);
}

#[test]
fn after_the_window_none_does() {
    let mut bench = Bench::new(nat());
    bench.until_locked(BEHIND_NAT, 1);
    bench.now += WINDOW;
    assert_eq!(bench.hear(DESCRIBED, 2, 1), Verdict::Foreign);
    assert_eq!(bench.hear(BEHIND_NAT, 1, 9), Verdict::Pass);
}

#[test]
fn whoever_took_a_call_for_which_nothing_speaks_gives_it_back_at_any_time() {
    for (better, packets) in [(DESCRIBED, 1), (MOVED, 3), (BEHIND_NAT, 3)] {
        let mut bench = Bench::new(nat());
        assert_eq!(bench.until_locked(ELSEWHERE, 1), Some(10));
        bench.now += WINDOW;
        assert_eq!(bench.hear(ELSEWHERE, 1, 11), Verdict::Pass);
        assert_eq!(bench.until_locked(better, 2), Some(packets), "{better}");
        assert_eq!(bench.hear(ELSEWHERE, 1, 12), Verdict::Foreign);
    }
}

#[test]
fn a_hold_makes_nothing_better_of_whoever_took_a_call() {
    let mut bench = Bench::new(nat());
    bench.until_locked(ELSEWHERE, 1);
    bench.describe(DESCRIBED, nat());
    assert_eq!(bench.hear(ELSEWHERE, 1, 11), Verdict::Locked, "it may be the phone");
    bench.now += WINDOW;
    assert_eq!(bench.until_locked(BEHIND_NAT, 2), Some(3));
    assert_eq!(bench.hear(DESCRIBED, 3, 1), Verdict::Foreign);
}

#[test]
fn a_source_that_interrupts_delays_nobody_that_is_better() {
    let mut bench = Bench::new(nat());
    let verdicts: Vec<_> =
        (1..=3).flat_map(|number| [bench.hear(ELSEWHERE, 9, number), bench.hear(BEHIND_NAT, 1, number)]).collect();
    assert_eq!(verdicts.last(), Some(&Verdict::Locked));
}

#[test]
fn another_stream_of_the_locked_source_takes_over_once_the_first_is_silent() {
    let mut bench = Bench::new(as_described());
    bench.until_locked(DESCRIBED, 1);
    assert_eq!(bench.hear(DESCRIBED, 2, 500), Verdict::Unproven);
    bench.now += 40 * MS;
    let verdicts: Vec<_> = (501..505).map(|number| bench.hear(DESCRIBED, 2, number)).collect();
    assert_eq!(verdicts, [Verdict::Unproven, Verdict::Unproven, Verdict::Locked, Verdict::Pass]);
}

#[test]
fn another_stream_beside_the_locked_one_never_gets_in() {
    let mut bench = Bench::new(as_described());
    bench.until_locked(DESCRIBED, 1);
    for number in 0..100 {
        assert_eq!(bench.hear(DESCRIBED, 2, number), Verdict::Unproven);
        assert_eq!(bench.hear(DESCRIBED, 1, number), Verdict::Pass);
    }
}

#[test]
fn a_new_address_lets_go_of_the_old_one() {
    let mut bench = Bench::new(as_described());
    bench.until_locked(DESCRIBED, 1);
    bench.describe(ELSEWHERE, as_described());
    assert_eq!(bench.gate.destination(), Some(address(ELSEWHERE)));
    assert_eq!(bench.hear(DESCRIBED, 1, 2), Verdict::Foreign);
    assert_eq!(bench.hear(ELSEWHERE, 1, 3), Verdict::Locked);
}

#[test]
fn after_a_hold_packets_go_where_they_went_and_a_moved_phone_is_learned_anew() {
    let mut bench = Bench::new(nat());
    bench.until_locked(BEHIND_NAT, 1);
    bench.describe(DESCRIBED, nat());
    assert_eq!(bench.gate.destination(), Some(address(BEHIND_NAT)));
    assert_eq!(bench.hear(BEHIND_NAT, 1, 7), Verdict::Locked);
    bench.describe(DESCRIBED, nat());
    assert_eq!(bench.until_locked("198.51.100.7:41000", 1), Some(3));
}

#[derive(Clone, Debug)]
enum Step {
    Hear { from: usize, ssrc: u32, sequence: u16 },
    Describe { at: usize, nat: bool },
    Wait(u64),
}

const PLACES: [&str; 4] = [DESCRIBED, MOVED, BEHIND_NAT, ELSEWHERE];

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        8 => (0..4_usize, 0..2_u32, 0..12_u16).prop_map(|(from, ssrc, sequence)| Step::Hear { from, ssrc, sequence }),
        1 => (0..4_usize, any::<bool>()).prop_map(|(at, nat)| Step::Describe { at, nat }),
        1 => (0..4_000_u64).prop_map(Step::Wait),
    ];
    prop::collection::vec(step, 0..300)
}

proptest! {
    /// Whatever comes: what passes is of the locked source, and nothing is sent to an address that neither was described
    /// nor has proved itself.
    #[test]
    fn only_the_locked_source_passes(steps in steps()) {
        let mut bench = Bench::new(nat());
        let mut described = DESCRIBED;
        for step in steps {
            match step {
                Step::Hear { from, ssrc, sequence } => {
                    let before = bench.gate.locked();
                    match bench.hear(PLACES[from], ssrc, sequence) {
                        Verdict::Pass => prop_assert_eq!(before, Some(address(PLACES[from]))),
                        Verdict::Locked => prop_assert_eq!(bench.gate.locked(), Some(address(PLACES[from]))),
                        Verdict::Unproven | Verdict::Foreign => prop_assert_eq!(bench.gate.locked(), before),
                    }
                }
                Step::Describe { at, nat: behind } => {
                    described = PLACES[at];
                    bench.describe(described, if behind { nat() } else { as_described() });
                    prop_assert_eq!(bench.gate.locked(), None);
                }
                Step::Wait(ms) => bench.now += Duration::from_millis(ms),
            }
            if let Some(locked) = bench.gate.locked() {
                prop_assert_eq!(bench.gate.destination(), Some(locked));
            }
        }
        prop_assert!(bench.gate.destination().is_some(), "{}", described);
    }

    /// Whatever happened: three packets of the address that its SIP messages come from are enough, although another one
    /// has sent whole streams.
    #[test]
    fn a_call_is_not_kept_from_its_phone(streams in prop::collection::vec((0..2_u32, 0..20_u16, any::<bool>(), 0..2000_u64), 0..20)) {
        let mut bench = Bench::new(nat());
        for (ssrc, packets, is_held, pause) in streams {
            if is_held {
                bench.describe(DESCRIBED, nat());
            }
            for number in 0..packets {
                bench.hear(ELSEWHERE, ssrc, number);
            }
            bench.now += Duration::from_millis(pause);
        }
        bench.now += WINDOW;
        prop_assert!(bench.until_locked(BEHIND_NAT, 9).is_some_and(|packets| packets <= 3));
        prop_assert_eq!(bench.hear(ELSEWHERE, 0, 0), Verdict::Foreign);
    }

    /// A foreign address that sends fewer than ten packets in sequence locks nothing, in whatever order they come.
    #[test]
    fn a_few_foreign_packets_never_lock(packets in prop::collection::vec((0..3_u32, 0..9_u16), 0..200)) {
        let mut bench = Bench::new(nat());
        for (ssrc, sequence) in packets {
            prop_assert!(matches!(bench.hear(ELSEWHERE, ssrc, sequence), Verdict::Unproven | Verdict::Foreign));
        }
    }
}
