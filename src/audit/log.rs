//! The one who writes: entries are linked in the order in which they are committed.

use tokio::sync::{mpsc, oneshot};

use super::{Chain, Entry, NewEntry, Verdict, verify};
use crate::{
    clock::Clock,
    store::{Batch, Cursor, Outcome, Sequence, StoreError, StoreHandle},
};

/// Entries that wait to be written, at most. It protects memory from a shower of failed logins, which waits at its door.
const WAITING: usize = 256;
/// How long a store that is full or busy is left alone.
const STORE_PAUSE: std::time::Duration = std::time::Duration::from_millis(200);
/// Entries that are read in one go.
const PAGE: usize = 500;
/// Entries that one page of a listing looks at, at most: a filter may leave few of them.
const LOOKED_AT: usize = 10_000;

/// The audit log. Clones are the same log.
#[derive(Clone)]
pub struct Audit {
    jobs: mpsc::Sender<Job>,
    store: StoreHandle,
}

struct Job {
    batch: Batch,
    entries: Vec<NewEntry>,
    done: oneshot::Sender<Result<Outcome, StoreError>>,
}

/// Some entries, the oldest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entries {
    pub items: Vec<Entry>,
    /// Where to go on; none: these are the last for now.
    pub next: Option<Sequence>,
}

impl Audit {
    /// Goes on behind the last entry; it writes on the runtime that this is called on.
    ///
    /// # Errors
    /// The store has failed.
    pub async fn open(store: StoreHandle, clock: Clock) -> Result<Self, StoreError> {
        let chain = Chain::open(&store).await?;
        let (jobs, waiting) = mpsc::channel(WAITING);
        tokio::spawn(write(store.clone(), clock, waiting, chain));
        Ok(Self { jobs, store })
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
        self.jobs.send(Job { batch, entries, done }).await.map_err(|_| StoreError::Closed)?;
        written.await.unwrap_or(Err(StoreError::Closed))
    }

    /// Writes an entry that no change goes with, such as a failed login.
    ///
    /// # Errors
    /// As [`Audit::commit`].
    pub async fn note(&self, entry: NewEntry) -> Result<(), StoreError> {
        self.commit(Batch::new(), entry).await.map(drop)
    }

    /// At most `limit` entries that are wanted, behind the one with this number; zero: from the first. One that cannot be read is left to the verification.
    ///
    /// # Errors
    /// The store has failed.
    pub async fn entries(
        &self,
        after: u64,
        limit: usize,
        wanted: impl Fn(&Entry) -> bool,
    ) -> Result<Entries, StoreError> {
        let (mut items, mut cursor, mut looked_at) = (Vec::new(), Cursor::behind::<Entry>(&Sequence::new(after)), 0);
        loop {
            let page = self.store.page::<Entry>(Some(&cursor), PAGE).await?;
            let last_page = page.len() < PAGE;
            for (key, entry) in page {
                looked_at += 1;
                items.extend(entry.ok().filter(&wanted));
                cursor = key;
                if items.len() == limit || looked_at == LOOKED_AT {
                    return Ok(Entries { items, next: cursor.sequence() });
                }
            }
            if last_page {
                return Ok(Entries { items, next: None });
            }
        }
    }

    /// Looks through the whole log.
    ///
    /// # Errors
    /// The store has failed.
    pub async fn verify(&self) -> Result<Verdict, StoreError> {
        verify(&self.store).await
    }
}

async fn write(store: StoreHandle, clock: Clock, mut jobs: mpsc::Receiver<Job>, mut chain: Chain) {
    while let Some(Job { batch, entries, done }) = jobs.recv().await {
        let written = commit(&store, &clock, batch, &chain, entries).await;
        let outcome = written.map(|(outcome, further)| {
            if outcome == Outcome::Applied {
                chain = further;
            }
            outcome
        });
        // Whoever has gone does not want to know.
        let _ = done.send(outcome);
    }
}

async fn commit(
    store: &StoreHandle,
    clock: &Clock,
    mut batch: Batch,
    chain: &Chain,
    entries: Vec<NewEntry>,
) -> Result<(Outcome, Chain), StoreError> {
    let mut further = chain.clone();
    for entry in entries {
        further = further.put(&mut batch, clock.now(), entry)?;
    }
    loop {
        match store.commit(batch.clone()).await {
            Err(error) if error.is_retryable() => clock.sleep(STORE_PAUSE).await,
            written => return written.map(|outcome| (outcome, further)),
        }
    }
}
