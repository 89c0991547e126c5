//! Webhooks are hints, REST is truth: the workspace's event log is read now and then, and what no webhook brought goes
//! through the same door as the webhooks, where what is known already is told by its key.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::sync::watch;

use crate::{
    clock::Clock,
    domain::{Event, Timestamp},
    inbox::{Accepted, FRESH_FOR, Inbox, InboxError},
    store::{Batch, Family, Record, StoreError, StoreHandle},
    twilio::{Twilio, TwilioError, taskrouter::EventLog},
};

/// The pause between two readings: at least, and at most.
const PAUSE: (Duration, Duration) = (Duration::from_secs(30), Duration::from_secs(60));
/// How far each reading reaches behind the one before: events may enter the log late.
const OVERLAP: Duration = Duration::from_secs(120);
/// How far the first reading of a new store reaches back, and any reading at most.
const FIRST: Duration = Duration::from_secs(300);
const FARTHEST: Duration = FRESH_FOR;
/// The shortest span that is read by itself; the log knows whole seconds.
const SHORTEST: Duration = Duration::from_secs(4);

/// Up to when the event log was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct ReadUpTo {
    at: Timestamp,
}

impl Record for ReadUpTo {
    const FAMILY: Family = Family::Meta;
    const VERSION: u8 = 1;
    type Key = ();

    fn key_bytes((): &()) -> Vec<u8> {
        b"event_log_read_up_to".to_vec()
    }
}

#[derive(Debug, thiserror::Error)]
pub enum ReconcileError {
    #[error(transparent)]
    Twilio(#[from] TwilioError),
    #[error(transparent)]
    Inbox(#[from] InboxError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Reads the event log.
pub struct Reconciler {
    pub store: StoreHandle,
    pub clock: Clock,
    pub twilio: Twilio,
    pub inbox: Inbox,
    /// How many readings are over, whatever came of them.
    pub readings: watch::Sender<u64>,
}

impl Reconciler {
    /// Reads on and on; a reading that fails is made up for by the next.
    pub async fn run(self) {
        loop {
            match self.read().await {
                Ok(0) => {}
                Ok(found) => tracing::warn!(found, "events were read that no webhook had brought"),
                Err(error) => tracing::warn!(%error, "the event log was not read; the next reading makes up for it"),
            }
            let next = self.clock.sleep(pause());
            self.readings.send_modify(|readings| *readings += 1);
            next.await;
        }
    }

    /// One reading; answers how many events were new.
    ///
    /// A long gap is read in spans, the oldest first, each of them whole: the mark never passes what was not read.
    pub async fn read(&self) -> Result<u64, ReconcileError> {
        let now = self.clock.now();
        let mark = self.store.get::<ReadUpTo>(&()).await?;
        // A clock that was ahead at the last start must not keep this one from reading.
        let mut from = mark.map_or(now - FIRST, |mark| mark.at.min(now) - OVERLAP).max(now - FARTHEST);
        let mut span = now.since(from);
        let mut found = 0;
        loop {
            let end = from + span;
            let log = self.twilio.events_between(from, (end < now).then_some(end)).await?;
            if !log.complete && span > SHORTEST {
                span = (span / 2).max(SHORTEST);
                continue;
            }
            found += self.take(log).await?;
            let mut batch = Batch::new();
            batch.put(&(), &ReadUpTo { at: end.min(now) })?;
            self.store.commit_soft(batch)?;
            if end >= now {
                return Ok(found);
            }
            from = end;
        }
    }

    /// Takes in what is not known yet; answers how much that was.
    async fn take(&self, log: EventLog) -> Result<u64, InboxError> {
        if !log.complete || log.malformed > 0 {
            let (complete, malformed) = (log.complete, log.malformed);
            tracing::warn!(
                complete,
                malformed,
                "events of the log are left out: unreadable, or too many within seconds"
            );
        }
        let mut found = 0;
        for event in log.events {
            if !self.inbox.knows(&event).await? && self.accept(event).await? == Accepted::New {
                found += 1;
            }
        }
        metrics::counter!("offdesk_events_recovered_total").increment(found);
        Ok(found)
    }

    async fn accept(&self, event: Event) -> Result<Accepted, InboxError> {
        match self.inbox.accept(event, None).await {
            // It will not become smaller, and the others must not wait for that.
            Err(InboxError::Store(error @ StoreError::TooLarge { .. })) => {
                tracing::error!(%error, "an event of the log is left out");
                Ok(Accepted::Stale)
            }
            accepted => accepted,
        }
    }
}

/// Somewhere between the two, so that many gateways of one account do not read in step.
fn pause() -> Duration {
    let mut byte = [0];
    // Without randomness the pause is the shortest one.
    let _ = aws_lc_rs::rand::fill(&mut byte);
    PAUSE.0 + (PAUSE.1 - PAUSE.0).mul_f64(f64::from(byte[0]) / 255.0)
}
