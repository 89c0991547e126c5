//! A token bucket in one number: the time at which it is full again (the "theoretical arrival time" of GCRA, ITU-T I.371).

use std::time::{Duration, Instant};

/// How much may come on and on, and how much at once.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rate {
    pub per_second: f64,
    pub burst: u32,
}

impl Eq for Rate {}

#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Bucket {
    full_at: Option<Instant>,
}

impl Bucket {
    /// Takes one token, if there is one.
    pub(crate) fn take(&mut self, rate: Rate, now: Instant) -> bool {
        let each = Duration::from_secs_f64(1.0 / rate.per_second);
        let full_at = self.full_at.map_or(now, |at| at.max(now)) + each;
        let there_is = full_at <= now + each.saturating_mul(rate.burst);
        if there_is {
            self.full_at = Some(full_at);
        }
        there_is
    }

    pub(super) fn is_full(&self, now: Instant) -> bool {
        self.full_at.is_none_or(|at| at <= now)
    }
}
