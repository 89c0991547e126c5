//! When a call is tried again, and after how long.

use std::{
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use aws_lc_rs::rand;

use super::{call::Verb, error::TwilioError};

/// Tries of one call, the first included.
pub(super) const MAX_TRIES: u32 = 3;
const FIRST_DELAY: Duration = Duration::from_millis(250);

/// Is this error one that the call may be repeated after? A GET and a DELETE always, if another try can help. A POST only
/// if Twilio has certainly not acted on it: its API knows no idempotency keys.
pub(super) const fn may_repeat(verb: Verb, error: &TwilioError) -> bool {
    match error {
        TwilioError::NotSent(_) | TwilioError::Throttled { .. } => true,
        TwilioError::Unknown { .. } => matches!(verb, Verb::Get | Verb::Delete),
        _ => false,
    }
}

/// How long to wait after `tries` tries: what Twilio asks for, and a little more, so that those who were told
/// the same do not come back together; else exponential with full jitter.
pub(super) fn delay(error: &TwilioError, tries: u32) -> Duration {
    match error.retry_after() {
        Some(asked) => asked + jitter(FIRST_DELAY),
        None => jitter(FIRST_DELAY * 2_u32.saturating_pow(tries)),
    }
}

/// Uniform between zero and `most`.
fn jitter(most: Duration) -> Duration {
    let mut bytes = [0; 4];
    match rand::fill(&mut bytes) {
        Ok(()) => most.mul_f64(f64::from(u32::from_le_bytes(bytes)) / f64::from(u32::MAX)),
        Err(_) => most,
    }
}

/// How many repeats all calls together may make: ten at once, and in the long run one for five calls. Without it an
/// outage would triple what Twilio is asked just when it can bear it least; with it a lone hiccup is still smoothed over.
pub(super) struct Budget {
    /// In fifths of a repeat.
    fifths: AtomicU32,
}

impl Budget {
    const A_REPEAT: u32 = 5;
    const MOST: u32 = 10 * Self::A_REPEAT;

    pub(super) const fn new() -> Self {
        Self { fifths: AtomicU32::new(Self::MOST) }
    }

    /// A new call was made.
    pub(super) fn earn(&self) {
        self.change(|fifths| Some((fifths + 1).min(Self::MOST)));
    }

    /// Takes one repeat out, if there is one.
    pub(super) fn spend(&self) -> bool {
        self.change(|fifths| fifths.checked_sub(Self::A_REPEAT))
    }

    fn change(&self, by: impl FnMut(u32) -> Option<u32>) -> bool {
        self.fifths.fetch_update(Ordering::Relaxed, Ordering::Relaxed, by).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::twilio::client::error::{Lost, Unreachable};

    #[test]
    fn a_post_is_repeated_only_if_nothing_can_have_happened() {
        let throttled = TwilioError::Throttled { retry_after: None };
        let not_sent = TwilioError::NotSent(Unreachable::Refused);
        let unknown = TwilioError::Unknown { cause: Lost::Timeout, retry_after: None };
        assert!(may_repeat(Verb::Post, &throttled) && may_repeat(Verb::Post, &not_sent));
        assert!(!may_repeat(Verb::Post, &unknown));
        assert!(may_repeat(Verb::Get, &unknown));
        assert!(!may_repeat(Verb::Get, &TwilioError::Busy));
    }

    #[test]
    fn twilios_own_wish_is_the_least_wait() {
        let error = TwilioError::Throttled { retry_after: Some(Duration::from_secs(2)) };
        let wait = delay(&error, 1);
        assert!(wait >= Duration::from_secs(2) && wait <= Duration::from_millis(2_250), "{wait:?}");
    }

    #[test]
    fn the_budget_allows_ten_at_once_and_then_one_for_five_calls() {
        let budget = Budget::new();
        assert_eq!((0..20).filter(|_| budget.spend()).count(), 10);
        for _ in 0..4 {
            budget.earn();
        }
        assert!(!budget.spend());
        budget.earn();
        assert!(budget.spend());
        assert!(!budget.spend());
    }
}
