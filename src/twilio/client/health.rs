//! Does Twilio answer us? Told by the latest outcomes alone: nothing is asked of it for this.

use std::{
    sync::atomic::{AtomicU32, AtomicU64, Ordering},
    time::Duration,
};

use super::error::{Refusal, TwilioError};
use crate::domain::Timestamp;

/// What is known of Twilio, for `/readyz`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Health {
    /// It answers.
    Ok,
    /// The latest three requests or more have failed: no connection, no answer, 5xx, throttled or wrong credentials.
    Degraded,
    /// Nothing was asked of it for five minutes.
    Unknown,
}

impl Health {
    pub const fn label(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Degraded => "degraded",
            Self::Unknown => "unknown",
        }
    }
}

const FAILURES: u32 = 3;
const STALE: Duration = Duration::from_secs(300);

#[derive(Default)]
pub(super) struct Tracker {
    failures_in_a_row: AtomicU32,
    /// In milliseconds; zero: never.
    latest: AtomicU64,
}

impl Tracker {
    pub(super) fn record<T>(&self, outcome: &Result<T, TwilioError>, now: Timestamp) {
        let failed = match outcome {
            Ok(_) => false,
            // Said by us, not by Twilio.
            Err(TwilioError::Busy | TwilioError::Workspace { .. }) => return,
            Err(TwilioError::Refused { kind, .. }) => matches!(kind, Refusal::Unauthorized),
            Err(_) => true,
        };
        if failed {
            self.failures_in_a_row.fetch_add(1, Ordering::Relaxed);
        } else {
            self.failures_in_a_row.store(0, Ordering::Relaxed);
        }
        self.latest.store(now.as_millis(), Ordering::Relaxed);
    }

    pub(super) fn health(&self, now: Timestamp) -> Health {
        let latest = self.latest.load(Ordering::Relaxed);
        if latest == 0 || now.since(Timestamp::from_millis(latest)) > STALE {
            Health::Unknown
        } else if self.failures_in_a_row.load(Ordering::Relaxed) >= FAILURES {
            Health::Degraded
        } else {
            Health::Ok
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_000_000);

    #[test]
    fn health_follows_the_latest_outcomes() {
        let tracker = Tracker::default();
        assert_eq!(tracker.health(NOW), Health::Unknown);
        let failed = Err::<(), _>(TwilioError::Throttled { retry_after: None });
        tracker.record(&failed, NOW);
        tracker.record(&failed, NOW);
        assert_eq!(tracker.health(NOW), Health::Ok);
        tracker.record(&failed, NOW);
        assert_eq!(tracker.health(NOW), Health::Degraded);
        tracker.record(&Ok(()), NOW);
        assert_eq!(tracker.health(NOW), Health::Ok);
        assert_eq!(tracker.health(NOW + STALE + Duration::from_millis(1)), Health::Unknown);
    }

    #[test]
    fn a_refusal_is_an_answer_but_wrong_credentials_are_a_failure() {
        let refused = |kind| Err::<(), _>(TwilioError::Refused { status: 400, code: None, kind });
        let tracker = Tracker::default();
        for _ in 0..FAILURES {
            tracker.record(&refused(Refusal::NotPending), NOW);
        }
        assert_eq!(tracker.health(NOW), Health::Ok);
        for _ in 0..FAILURES {
            tracker.record(&refused(Refusal::Unauthorized), NOW);
        }
        assert_eq!(tracker.health(NOW), Health::Degraded);
    }
}
