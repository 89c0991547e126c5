//! The one who writes: entries are linked in the order in which they are committed.

use tokio::sync::{mpsc, oneshot};

use super::{Entry, NewEntry};
use crate::{
    clock::Clock,
    domain::Timestamp,
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
    entries: Vec<NewEntry>,
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
        self.commit_all(batch, vec![entry]).await
    }

    /// [`Audit::commit`] of a change that several entries tell of.
    ///
    /// # Errors
    /// As [`Audit::commit`].
    pub async fn commit_all(&self, batch: Batch, entries: Vec<NewEntry>) -> Result<Outcome, StoreError> {
        let (done, written) = oneshot::channel();
        self.0.send(Job { batch, entries, done }).await.map_err(|_| StoreError::Closed)?;
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
    while let Some(Job { batch, entries, done }) = jobs.recv().await {
        let linked = link(entries, next, &previous, clock.now());
        let written = commit(&store, &clock, batch, &linked).await;
        if let (Ok(Outcome::Applied), Some(last)) = (&written, linked.into_iter().last()) {
            next = last.number.next();
            previous = last.hash;
        }
        // Whoever has gone does not want to know.
        let _ = done.send(written);
    }
}

/// The entries as the next links of the chain.
fn link(entries: Vec<NewEntry>, next: Sequence, previous: &str, now: Timestamp) -> Vec<Entry> {
    let (mut number, mut previous) = (next, previous.to_owned());
    let mut linked = Vec::with_capacity(entries.len());
    for entry in entries {
        let entry = Entry::link(number, now, entry, &previous);
        (number, previous) = (number.next(), entry.hash.clone());
        linked.push(entry);
    }
    linked
}

async fn commit(
    store: &StoreHandle,
    clock: &Clock,
    mut batch: Batch,
    entries: &[Entry],
) -> Result<Outcome, StoreError> {
    for entry in entries {
        batch.put(&entry.number, entry)?;
    }
    loop {
        match store.commit(batch.clone()).await {
            Err(error) if error.is_retryable() => clock.sleep(STORE_PAUSE).await,
            written => return written,
        }
    }
}
