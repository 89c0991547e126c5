//! What of strangers' tries is written down: some of them, and how many there were. The log is for ever and on disk before it is
//! answered; whoever has many addresses shall not fill it.

use std::{
    num::NonZeroU32,
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use governor::{
    Quota, RateLimiter,
    middleware::NoOpMiddleware,
    nanos::Nanos,
    state::{InMemoryState, NotKeyed},
};

use super::limits::Time;
use crate::clock::Clock;

/// So many at once, and one more each [`PERIOD`]: some 6 MB of log a day at most.
const AT_ONCE: NonZeroU32 = NonZeroU32::MIN.saturating_add(99);
const PERIOD: Duration = Duration::from_secs(6);

/// Which of the refusals are written down.
pub(super) struct Sparing {
    limiter: RateLimiter<NotKeyed, InMemoryState, Time, NoOpMiddleware<Nanos>>,
    left_out: AtomicU32,
}

impl Sparing {
    pub(super) fn new(clock: &Clock) -> Self {
        // The period is not zero, which is all that could be wrong with it.
        let quota = Quota::with_period(PERIOD).unwrap_or_else(|| Quota::per_minute(AT_ONCE)).allow_burst(AT_ONCE);
        Self { limiter: RateLimiter::direct_with_clock(quota, Time(clock.clone())), left_out: AtomicU32::new(0) }
    }

    /// The words to write down, which tell of those that were left out before; none: this is left out, too.
    pub(super) fn words(&self, why: &str) -> Option<String> {
        if self.limiter.check().is_err() {
            self.left_out.fetch_add(1, Ordering::Relaxed);
            metrics::counter!("offdesk_audit_left_out_total").increment(1);
            return None;
        }
        match self.left_out.swap(0, Ordering::Relaxed) {
            0 => Some(why.to_owned()),
            more => Some(format!("{why}; {more} more such tries were not written down")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Timestamp;

    #[test]
    fn a_flood_is_told_of_by_its_number() {
        let (clock, hand) = Clock::manual(Timestamp::from_millis(1_760_000_000_000));
        let sparing = Sparing::new(&clock);
        let written = (0..1000).filter_map(|_| sparing.words("nobody")).collect::<Vec<_>>();
        assert_eq!((written.len(), written[0].as_str()), (100, "nobody"));
        hand.advance(PERIOD);
        assert_eq!(sparing.words("nobody").unwrap(), "nobody; 900 more such tries were not written down");
        assert_eq!(sparing.words("nobody"), None);
    }
}
