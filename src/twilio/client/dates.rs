//! What Twilio's clock shows, by the dates of its answers.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use crate::domain::Timestamp;

/// Nothing was dated yet.
const UNKNOWN: u64 = u64::MAX;

/// The latest difference from our own, in milliseconds.
pub(super) struct Dates(AtomicU64);

impl Default for Dates {
    fn default() -> Self {
        Self(AtomicU64::new(UNKNOWN))
    }
}

impl Dates {
    /// An answer was dated `theirs` when it was `ours` here.
    pub(super) fn note(&self, theirs: Timestamp, ours: Timestamp) {
        self.0.store(theirs.as_millis().abs_diff(ours.as_millis()), Ordering::Relaxed);
    }

    pub(super) fn skew(&self) -> Option<Duration> {
        let skew = self.0.load(Ordering::Relaxed);
        (skew != UNKNOWN).then(|| Duration::from_millis(skew))
    }
}
