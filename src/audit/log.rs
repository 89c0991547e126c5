//! The one who writes: entries are linked in the order in which they are committed.

use tokio::sync::{mpsc, oneshot};

use super::{Entry, NewEntry};
use crate::{
    clock::Clock,
    store::{Batch, Cursor, Outcome, Sequence, StoreError, StoreHandle},
};

/// Entries that wait to be written, at most. It protects memory from a shower of failed logins, which waits at its door.
const WAITING: usize = 256;
/// How long a store that is full or busy is left alone.
const STORE_PAUSE: std::time::Duration = std::time::Duration::from_millis(200);

/// The audit log. Clones are the same log.
#[derive(Clone)]
pub struct Audit(mpsc::Sender<Job>);

struct Job {
    batch: Batch,
    entry: NewEntry,
    done: oneshot::Sender<Result<Outcome, StoreError>>,
}

impl Audit {
    /// Goes on behind the last entry; it writes on the runtime that this is called on.
    ///
    /// # Errors
    /// The store has failed.
    pub async fn open(store: StoreHandle, clock: Clock) -> Result<Self, StoreError> {
        let (mut next, mut previous) = (Sequence::new(1), Entry::genesis());
        let see = |key: Cursor, entry: Result<Entry, StoreError>| {
            next = key.sequence().map_or(next, Sequence::next);
            if let Ok(entry) = entry {
                previous = entry.hash;
            }
        };
        store.visit(see).await?;
        let (jobs, waiting) = mpsc::channel(WAITING);
        tokio::spawn(write(store, clock, waiting, next, previous));
        Ok(Self(jobs))
    }

    /// Commits a change together with the entry that tells of it; refused by the batch's own condition, neither is written.
    ///
    /// # Errors
    /// As [`Store::commit`](crate::store::Store::commit), but a busy or full store is waited for.
    pub async fn commit(&self, batch: Batch, entry: NewEntry) -> Result<Outcome, StoreError> {
        let (done, written) = oneshot::channel();
        self.0.send(Job { batch, entry, done }).await.map_err(|_| StoreError::Closed)?;
        written.await.unwrap_or(Err(StoreError::Closed))
    }

    /// Writes an entry that no change goes with, such as a failed login.
    ///
    /// # Errors
    /// As [`Audit::commit`].
    pub async fn note(&self, entry: NewEntry) -> Result<(), StoreError> {
        self.commit(Batch::new(), entry).await.map(drop)
    }
}

async fn write(
    store: StoreHandle,
    clock: Clock,
    mut jobs: mpsc::Receiver<Job>,
    mut next: Sequence,
    mut previous: String,
) {
    while let Some(Job { batch, entry, done }) = jobs.recv().await {
        let entry = Entry::link(next, clock.now(), entry, &previous);
        let written = commit(&store, &clock, batch, &entry).await;
        if written == Ok(Outcome::Applied) {
            next = next.next();
            previous = entry.hash;
        }
        // Whoever has gone does not want to know.
        let _ = done.send(written);
    }
}

async fn commit(store: &StoreHandle, clock: &Clock, mut batch: Batch, entry: &Entry) -> Result<Outcome, StoreError> {
    batch.put(&entry.number, entry)?;
    loop {
        match store.commit(batch.clone()).await {
            Err(error) if error.is_retryable() => clock.sleep(STORE_PAUSE).await,
            written => return written,
        }
    }
}
