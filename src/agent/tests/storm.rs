//! Foul weather: webhooks come late, twice, in any order or not at all; REST fails in every way. All by one seed.

use std::time::Duration;

use proptest::prelude::*;

use super::world::{Fate, Weather};
use crate::agent::request::Request;
use crate::domain::{Event, Timestamp};

/// How foul it is. Shares are in percent.
#[derive(Clone, Debug)]
pub(super) struct Climate {
    pub seed: u64,
    /// Callbacks of legs and conferences that never arrive.
    pub lost: u64,
    /// TaskRouter events whose webhook is lost: they are found in the workspace's events a minute later, or never.
    pub found_late: u64,
    pub never_found: u64,
    pub twice: u64,
    pub slowest_webhook: u64,
    pub slowest_answer: u64,
    pub not_done: u64,
    pub unknown: u64,
    /// The softphones' news, which come in any order.
    pub slowest_news: u64,
}

pub(super) struct Storm {
    climate: Climate,
    state: u64,
    pub calm: bool,
}

impl Storm {
    pub(super) fn new(climate: Climate) -> Self {
        Self { state: climate.seed | 1, climate, calm: false }
    }

    /// Knuth's linear congruential generator: enough to be capricious.
    fn below(&mut self, bound: u64) -> u64 {
        self.state = self.state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.state >> 33) % bound.max(1)
    }

    fn happens(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    fn later(&mut self, now: Timestamp, slowest: u64) -> Timestamp {
        now + Duration::from_millis(self.below(slowest + 1))
    }
}

impl Weather for Storm {
    fn deliveries(&mut self, event: &Event, now: Timestamp) -> Vec<Timestamp> {
        if self.calm {
            return vec![now];
        }
        let climate = self.climate.clone();
        if matches!(event, Event::Leg(_) | Event::Conference(_)) {
            if self.happens(climate.lost) {
                return Vec::new();
            }
        } else if self.happens(climate.never_found) {
            return Vec::new();
        } else if self.happens(climate.found_late) {
            return vec![now + Duration::from_secs(60)];
        }
        let copies = if self.happens(climate.twice) { 2 } else { 1 };
        (0..copies).map(|_| self.later(now, climate.slowest_webhook)).collect()
    }

    fn loses_reply(&mut self) -> bool {
        !self.calm && self.happens(self.climate.unknown / 4)
    }

    fn fate(&mut self, _: &Request, now: Timestamp) -> (Fate, Timestamp) {
        if self.calm {
            return (Fate::Fine, now);
        }
        let at = self.later(now, self.climate.slowest_answer);
        let fate = if self.happens(self.climate.not_done) {
            Fate::NotDone
        } else if self.happens(self.climate.unknown) {
            if self.happens(50) { Fate::UnknownDone } else { Fate::UnknownNotDone }
        } else {
            Fate::Fine
        };
        (fate, at)
    }

    fn news(&mut self, now: Timestamp) -> Vec<Timestamp> {
        if self.calm {
            return vec![now];
        }
        let copies = if self.happens(self.climate.twice) { 2 } else { 1 };
        (0..copies).map(|_| self.later(now, self.climate.slowest_news)).collect()
    }
}

prop_compose! {
    /// Anything may happen.
    pub(super) fn foul()(
        seed in any::<u64>(),
        (lost, found_late, never_found) in (0_u64..60, 0_u64..40, 0_u64..20),
        twice in 0_u64..40,
        slowest_webhook in 0_u64..20_000,
        slowest_answer in 0_u64..12_000,
        (not_done, unknown) in (0_u64..60, 0_u64..60),
        slowest_news in 0_u64..3_000,
    ) -> Climate {
        Climate {
            seed, lost, found_late, never_found, twice, slowest_webhook, slowest_answer, not_done, unknown, slowest_news
        }
    }
}

prop_compose! {
    /// What a promise about time can be held to: TaskRouter's events come, within seconds; REST answers, if it does not
    /// always say what it did.
    pub(super) fn rough()(
        seed in any::<u64>(),
        (lost, twice) in (0_u64..60, 0_u64..40),
        slowest_webhook in 0_u64..2_500,
        slowest_answer in 0_u64..1_500,
        unknown in 0_u64..30,
        slowest_news in 0_u64..300,
    ) -> Climate {
        let (found_late, never_found, not_done) = (0, 0, 0);
        Climate {
            seed, lost, found_late, never_found, twice, slowest_webhook, slowest_answer, not_done, unknown, slowest_news
        }
    }
}
