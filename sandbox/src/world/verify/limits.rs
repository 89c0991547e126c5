//! The rate limits that a service's owner makes
//! (<https://www.twilio.com/docs/verify/api/programmable-rate-limits>).

use std::collections::VecDeque;

use super::invalid;
use crate::{
    rest::error::Refusal,
    world::{Done, World, sid::Sid},
};

/// Protects memory: the oldest are forgotten.
const KEPT: usize = 10_000;

/// What was counted, and when.
#[derive(Debug, Default)]
pub(super) struct Attempts(VecDeque<(Sid, String, u64)>);

impl Attempts {
    /// Those since a moment.
    fn since(&self, limit: &Sid, value: &str, from: u64) -> usize {
        self.0.iter().rev().take_while(|(_, _, at)| *at > from).filter(|one| one.0 == *limit && one.1 == value).count()
    }

    fn add(&mut self, limit: Sid, value: String, now: u64) {
        if self.0.len() == KEPT {
            self.0.pop_front();
        }
        self.0.push_back((limit, value, now));
    }
}

impl World {
    /// Counts a sending by each rate limit, unless one of their buckets is full.
    ///
    /// `wanted`: unique names, and the values that are counted by.
    pub(super) fn count_sending(&mut self, service: &Sid, wanted: Vec<(String, String)>) -> Done {
        let mut counted = Vec::new();
        for (name, value) in wanted {
            let limit = self.rate_limit(service, &name).ok_or_else(|| invalid("RateLimits"))?.sid.clone();
            let full = self.verify.buckets.iter().filter(|bucket| bucket.limit == limit).find(|bucket| {
                let from = self.now.saturating_sub(bucket.interval_s.saturating_mul(1000));
                self.verify.attempts.since(&limit, &value, from) as u64 >= bucket.max
            });
            if let Some(bucket) = full {
                let wait = u32::try_from(bucket.interval_s).unwrap_or(u32::MAX);
                return Err(Refusal { retry_after_s: Some(wait), ..Refusal::new(429, 20429, "Too many requests") });
            }
            counted.push((limit, value));
        }
        for (limit, value) in counted {
            self.verify.attempts.add(limit, value, self.now);
        }
        Ok(())
    }
}
