//! Whether a push service is to be asked now, and how much at once: pure. There is one gate a host, since a service that is
//! down, or that wants to be left alone, is so for all of its devices.
//!
//! A gate closes for as long as the service says (RFC 9110 §10.2.3), up to a minute, since what it says may concern one device
//! alone, which waits for all of it; or after failures in a row for ever longer. Behind that
//! one push goes ahead of all others, and each that is taken lets one more go at the same time: whoever comes back is not
//! run over.

use std::{collections::BTreeSet, time::Duration};

use super::{
    backoff,
    queue::{Address, Turn},
};
use crate::domain::Timestamp;

/// Failures in a row after which the service is taken to be down.
const DOWN_AFTER: u32 = 5;
/// The longest that a service which is down is left alone before it is asked again: what waits for it is to be delivered within
/// a minute of its return.
const LONGEST_PAUSE: Duration = Duration::from_secs(15);
/// The longest that all devices wait for what one of them was told.
const LONGEST_ASKED: Duration = Duration::from_secs(60);

#[derive(Debug)]
pub(super) struct Gate {
    /// Devices whose turn it may be. What is of use for the shortest time goes first: behind an outage an offer does not wait
    /// for an hour's messages.
    pub(super) ready: BTreeSet<Turn>,
    flying: usize,
    /// How many may be on their way at once.
    window: usize,
    limit: usize,
    closed_until: Timestamp,
    /// Since the last push that was taken.
    failures: u32,
    /// How often in a row it has closed for failures.
    closings: u32,
    limited: Option<Limited>,
}

/// The device that was last told to wait.
#[derive(Clone, Copy, Debug)]
struct Limited {
    address: Address,
    /// Others have been served since.
    others_served: bool,
}

impl Gate {
    pub(super) const fn new(limit: usize) -> Self {
        Self {
            ready: BTreeSet::new(),
            flying: 0,
            window: limit,
            limit,
            closed_until: Timestamp::EPOCH,
            failures: 0,
            closings: 0,
            limited: None,
        }
    }

    pub(super) fn is_open(&self, now: Timestamp) -> bool {
        self.closed_until <= now && self.flying < self.window
    }

    /// When it opens, if that is what those who are ready wait for.
    pub(super) fn opens_at(&self, now: Timestamp) -> Option<Timestamp> {
        (!self.ready.is_empty() && self.closed_until > now).then_some(self.closed_until)
    }

    /// Nobody waits here.
    pub(super) fn has_nobody(&self) -> bool {
        self.ready.is_empty() && self.flying == 0
    }

    /// Nothing speaks against the service.
    pub(super) const fn is_untroubled(&self) -> bool {
        self.failures == 0 && self.window == self.limit
    }

    pub(super) const fn begin(&mut self) {
        self.flying += 1;
    }

    /// A push that was on its way is not any more. It says nothing of the service.
    pub(super) const fn end(&mut self) {
        self.flying -= 1;
    }

    /// The service has answered as one that is up: it has taken a push, or knows why not.
    pub(super) fn served(&mut self, address: Address) {
        self.failures = 0;
        self.closings = 0;
        self.window = (self.window + 1).min(self.limit);
        if let Some(limited) = &mut self.limited {
            limited.others_served |= limited.address != address;
        }
    }

    /// The service has no time now; `retry_after`: it says for how long. Answers until when this device is to wait.
    pub(super) fn failed(
        &mut self,
        address: Address,
        tries: u32,
        retry_after: Option<Duration>,
        now: Timestamp,
    ) -> Timestamp {
        let at = now + backoff::delay(tries, retry_after);
        let was_open = self.closed_until <= now;
        self.failures += 1;
        if retry_after.is_some() {
            // Some count by device: if it is this one again and nobody else in between, the others need not wait.
            let is_its_own = self.limited.is_some_and(|one| one.address == address && one.others_served);
            self.limited = Some(Limited { address, others_served: false });
            if !is_its_own {
                self.close(at.min(now + LONGEST_ASKED));
            }
        } else {
            self.window = (self.window / 2).max(1);
        }
        if self.failures >= DOWN_AFTER && was_open {
            self.closings += 1;
            self.close(now + backoff::delay(self.closings, None).min(longest_pause()));
        }
        if retry_after.is_some() { at } else { at.max(self.closed_until) }
    }

    fn close(&mut self, until: Timestamp) {
        self.closed_until = self.closed_until.max(until);
        self.window = 1;
    }
}

/// No two daemons ask at the same moment.
fn longest_pause() -> Duration {
    LONGEST_PAUSE + backoff::jitter(LONGEST_PAUSE / 4)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{AgentId, DeviceId};

    const NOW: Timestamp = Timestamp::from_millis(1_000_000);
    const SECOND: Duration = Duration::from_secs(1);

    const fn device(number: u64) -> Address {
        (AgentId::from_bits(1), DeviceId::from_bits(number))
    }

    fn down() -> Gate {
        let mut gate = Gate::new(64);
        for number in 0..u64::from(DOWN_AFTER) {
            gate.begin();
            gate.end();
            gate.failed(device(number), 1, None, NOW);
        }
        gate
    }

    #[test]
    fn one_device_that_fails_closes_nothing_and_failures_in_a_row_do() {
        let mut gate = Gate::new(64);
        for _ in 1..DOWN_AFTER {
            gate.failed(device(1), 1, None, NOW);
        }
        assert!(gate.is_open(NOW));
        gate.served(device(2));
        gate.failed(device(1), 9, None, NOW);
        assert!(gate.is_open(NOW));
        assert!(!down().is_open(NOW));
    }

    #[test]
    fn a_service_that_is_down_is_asked_ever_more_seldom_but_four_times_a_minute() {
        let mut gate = down();
        let (mut now, mut pauses) = (NOW, Vec::new());
        for _ in 0..10 {
            let at = gate.closed_until;
            pauses.push(at.since(now));
            now = at;
            assert!(gate.is_open(now));
            gate.failed(device(1), 1, None, now);
        }
        assert!(pauses[0] <= SECOND * 5 / 4 && pauses[4] > pauses[0], "{pauses:?}");
        assert!(pauses.iter().all(|pause| *pause <= LONGEST_PAUSE * 5 / 4), "{pauses:?}");
    }

    #[test]
    fn behind_a_pause_one_goes_ahead_and_each_that_is_taken_lets_one_more_go() {
        let mut gate = down();
        let now = gate.closed_until;
        let mut at_once = Vec::new();
        for _ in 0..7 {
            let mut begun = 0;
            while gate.is_open(now) {
                gate.begin();
                begun += 1;
            }
            for number in 0..begun {
                gate.end();
                gate.served(device(number));
            }
            at_once.push(begun);
        }
        assert_eq!(at_once, [1, 2, 4, 8, 16, 32, 64]);
    }

    #[test]
    fn what_the_service_asks_for_holds_for_all_its_devices() {
        let mut gate = Gate::new(64);
        let at = gate.failed(device(1), 1, Some(30 * SECOND), NOW);
        assert!(at >= NOW + 30 * SECOND);
        assert!(!gate.is_open(NOW + 30 * SECOND - Duration::from_millis(1)));
        assert!(gate.is_open(at));
        gate.failed(device(2), 1, Some(SECOND), NOW);
        assert!(!gate.is_open(NOW + 29 * SECOND), "a shorter wish does not take a longer one back");
    }

    #[test]
    fn a_device_with_a_limit_of_its_own_keeps_no_other_waiting_a_second_time() {
        let mut gate = Gate::new(64);
        let at = gate.failed(device(1), 1, Some(SECOND), NOW);
        gate.served(device(2));
        assert!(gate.failed(device(1), 2, Some(600 * SECOND), at) >= at + 600 * SECOND);
        assert!(gate.is_open(at));
        gate.failed(device(1), 3, Some(SECOND), at);
        assert!(!gate.is_open(at), "nobody else was served in between");
    }

    #[test]
    fn what_one_device_was_told_keeps_the_others_waiting_for_a_minute_at_most() {
        let mut gate = Gate::new(64);
        let at = gate.failed(device(1), 1, Some(3600 * SECOND), NOW);
        assert!(at >= NOW + 3600 * SECOND, "the device itself waits for all of it");
        assert!(!gate.is_open(NOW + 59 * SECOND));
        assert!(gate.is_open(NOW + 60 * SECOND));
    }

    #[test]
    fn a_service_that_is_down_and_says_to_come_back_at_once_is_down_all_the_same() {
        let (mut gate, mut now) = (Gate::new(64), NOW);
        for number in 0..u64::from(DOWN_AFTER) + 6 {
            let at = gate.failed(device(number), 1, Some(Duration::ZERO), now);
            assert!(at >= now + SECOND && !gate.is_open(now + SECOND - Duration::from_millis(1)));
            now = gate.closed_until.max(now);
        }
        gate.failed(device(99), 1, Some(Duration::ZERO), now);
        assert!(!gate.is_open(now + 10 * SECOND));
    }

    #[test]
    fn answers_that_come_in_after_it_has_closed_do_not_keep_it_closed_longer() {
        let mut gate = down();
        let until = gate.closed_until;
        for number in 0..50 {
            gate.failed(device(number), 1, None, NOW);
        }
        assert_eq!(gate.closed_until, until);
    }
}
