//! The clock that the stand-in runs on: the system's, or one that a test turns by hand.

use std::{future::Future, pin::Pin, time::Duration};

/// Where the stand-in reads the time and waits for it.
///
/// Everything but the network itself runs on this clock: reservation and ring timeouts, automatic answers, delays that
/// were asked for, and the dates in answers and webhooks.
pub trait Time: Send + Sync + 'static {
    /// Milliseconds since the Unix epoch.
    fn now_ms(&self) -> u64;

    /// Resolves when [`Time::now_ms`] has reached `ms`; at once if it already has.
    fn sleep_until(&self, ms: u64) -> Pin<Box<dyn Future<Output = ()> + Send>>;
}

/// The system's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemTime;

impl Time for SystemTime {
    #[expect(clippy::disallowed_methods, reason = "this is the clock that is passed in")]
    fn now_ms(&self) -> u64 {
        let since_epoch = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        u64::try_from(since_epoch.as_millis()).unwrap_or(u64::MAX)
    }

    fn sleep_until(&self, ms: u64) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        let wait = Duration::from_millis(ms.saturating_sub(self.now_ms()));
        Box::pin(tokio::time::sleep(wait))
    }
}
