//! The time. This is the only file of the daemon that reads it; everybody else is handed a [`Clock`].

use std::{
    fmt,
    future::{self, Future},
    sync::Arc,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use futures_util::future::Either;
use tokio::sync::watch;

use crate::domain::Timestamp;

/// Tells the time and wakes sleepers. Clones are the same clock.
#[derive(Clone)]
pub struct Clock(Kind);

#[derive(Clone)]
enum Kind {
    System { started: Timestamp, since: Instant },
    Manual(watch::Receiver<Timestamp>),
}

impl Clock {
    /// The machine's clock: the wall time at this call, and from there on the monotonic clock. A wall clock that is set
    /// back or forth later moves no timer and makes no moment come twice; what it was wrong by at the start stays until
    /// the next start, which is why the service is started after the time has been synchronised.
    #[allow(clippy::disallowed_methods, reason = "this is the one place that reads the machine's clock")]
    pub fn system() -> Self {
        let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self(Kind::System { started: Timestamp::EPOCH + wall, since: Instant::now() })
    }

    /// A clock for tests, which stands still until its hand is moved.
    pub fn manual(start: Timestamp) -> (Self, Hand) {
        let (sender, receiver) = watch::channel(start);
        (Self(Kind::Manual(receiver)), Hand(Arc::new(sender)))
    }

    pub fn now(&self) -> Timestamp {
        match &self.0 {
            Kind::System { started, since } => *started + since.elapsed(),
            Kind::Manual(time) => *time.borrow(),
        }
    }

    /// Resolves once the clock shows `at` or later; at once if it does already. The machine's clock needs a tokio runtime
    /// with timers where this is called. On a manual clock whose hand is gone it resolves never.
    pub fn sleep_until(&self, at: Timestamp) -> impl Future<Output = ()> + Send + 'static + use<> {
        match &self.0 {
            Kind::System { .. } => Either::Left(tokio::time::sleep(at.since(self.now()))),
            Kind::Manual(time) => {
                let mut time = time.clone();
                Either::Right(async move {
                    if time.wait_for(|now| *now >= at).await.is_err() {
                        future::pending::<()>().await;
                    }
                })
            }
        }
    }

    /// [`Clock::sleep_until`], counted from now.
    pub fn sleep(&self, duration: Duration) -> impl Future<Output = ()> + Send + 'static + use<> {
        self.sleep_until(self.now() + duration)
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self.0 {
            Kind::System { .. } => "system",
            Kind::Manual(_) => "manual",
        };
        write!(f, "Clock({kind}, {})", self.now())
    }
}

/// Moves a manual clock. Clones move the same one.
#[derive(Clone, Debug)]
pub struct Hand(Arc<watch::Sender<Timestamp>>);

impl Hand {
    /// Moves the clock on and wakes whoever slept until then. They run when the runtime next gets to them: not before
    /// the caller yields, if they share its thread.
    pub fn advance(&self, by: Duration) {
        self.0.send_modify(|now| *now = *now + by);
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    const NOON: Timestamp = Timestamp::from_millis(1_000_000);

    #[test]
    fn a_manual_clock_stands_still_until_its_hand_is_moved() {
        let (clock, hand) = Clock::manual(NOON);
        assert_eq!(clock.now(), NOON);
        hand.advance(Duration::from_secs(3));
        assert_eq!(clock.clone().now(), NOON + Duration::from_secs(3));
    }

    #[test]
    fn a_sleeper_wakes_when_its_time_has_come_and_not_before() {
        let (clock, hand) = Clock::manual(NOON);
        let mut sleep = Box::pin(clock.sleep(Duration::from_secs(10)));
        hand.advance(Duration::from_millis(9_999));
        assert!(sleep.as_mut().now_or_never().is_none());
        hand.advance(Duration::from_millis(1));
        assert!(sleep.as_mut().now_or_never().is_some());
    }

    #[test]
    fn a_time_that_has_passed_is_not_waited_for() {
        let (clock, _hand) = Clock::manual(NOON);
        assert!(clock.sleep_until(NOON).now_or_never().is_some());
        assert!(clock.sleep_until(Timestamp::EPOCH).now_or_never().is_some());
    }

    #[test]
    fn a_sleeper_on_a_clock_without_a_hand_sleeps_on() {
        let (clock, hand) = Clock::manual(NOON);
        let mut sleep = Box::pin(clock.sleep(Duration::from_secs(1)));
        drop(hand);
        assert!(sleep.as_mut().now_or_never().is_none());
    }

    #[tokio::test]
    async fn the_systems_clock_has_reached_the_moment_it_was_slept_until() {
        let clock = Clock::system();
        let at = clock.now() + Duration::from_millis(5);
        clock.sleep_until(at).await;
        assert!(clock.now() >= at);
        assert!(at.as_secs() > 1_700_000_000);
    }
}
