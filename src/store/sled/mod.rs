//! The store on sled 0.34. One thread, `store`, owns the database; everybody else owns a queue to it.
//!
//! The thread takes whatever is queued as one group: it checks the guards in order, appends the group to a journal,
//! fsyncs that and then answers all. sled gets the changes later, in bulk ([`front`]): by itself it would cost far more time
//! and processor than the rest of a webhook's way, and its own flush is not durable.
//!
//! All families live in one tree, told apart by the first byte of the key: a change over several trees would cost a
//! transaction with a lock on each of them.
//!
//! A write or fsync that fails, a read that finds corruption and a panic inside sled end the store: it answers
//! [`StoreError::Failed`] from then on and says so through [`Fatal`]. After a failed fsync nobody can know what the disk
//! holds, so trying again would only hide it.

mod committer;
mod database;
mod files;
mod front;
mod journal;
mod layer;
mod schema;
mod space;

use std::{
    ops::Bound,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use tokio::sync::{mpsc, oneshot};

pub use self::space::SpaceRule;
use self::{committer::Committer, database::Database, front::Front};
pub(super) use self::{
    files::{create_dir, sync_parent},
    schema::{SCHEMA, SCHEMA_KEY},
};
use super::{Batch, Family, Outcome, Pending, Rows, Store, StoreError, lock::Lock};

/// How many calls wait at most. Together with [`QUEUE_BYTES`] it bounds the memory that callers can fill while the disk
/// is slow, and how long the last of them waits: at 20,000 small batches a second, a fifth of a second.
const QUEUE_CALLS: usize = 4096;

/// How many bytes of records wait at most. A batch that finds the queue empty is taken whatever its size.
const QUEUE_BYTES: usize = 32 * 1024 * 1024;

/// When a batch counts as being on disk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Durability {
    /// After an fsync of the journal.
    #[default]
    Fsync,
    /// After the write alone. It loses acknowledged records with the power; it is here so that the crash tests can show
    /// that they would notice.
    WithoutFsync,
}

/// Keys from one to another.
type Range = (Bound<Vec<u8>>, Bound<Vec<u8>>);

/// What the store's thread is asked to do.
enum Command {
    Commit { batch: Batch, answer: Answer<Outcome> },
    Soft(Batch),
    Get { family: Family, key: Vec<u8>, answer: Answer<Option<Vec<u8>>> },
    Scan { family: Family, after: Option<Vec<u8>>, limit: usize, answer: Answer<Rows> },
    Close { answer: Answer<()> },
}

type Answer<T> = oneshot::Sender<Result<T, StoreError>>;

/// Resolves when the store has ended because it failed; the daemon then stops being ready and exits with 70.
#[derive(Debug)]
pub struct Fatal(oneshot::Receiver<StoreError>);

impl Fatal {
    /// Why the store failed; none if it was closed in good order.
    pub async fn wait(self) -> Option<StoreError> {
        self.0.await.ok()
    }
}

/// How a database is kept.
#[derive(Clone, Debug, Default)]
pub(super) struct Settings {
    pub(super) durability: Durability,
    pub(super) space: SpaceRule,
}

/// The handle: a queue to the store's thread.
pub(super) struct SledStore {
    queue: mpsc::Sender<Command>,
    queued_bytes: Arc<AtomicUsize>,
}

impl SledStore {
    /// Opens the database on its own thread and waits until it is open.
    pub(super) fn open(dir: &Path, settings: &Settings, lock: Lock) -> Result<(Self, Fatal), OpenError> {
        let (queue, commands) = mpsc::channel(QUEUE_CALLS);
        let (fatal, failed) = oneshot::channel();
        let (opened, ready) = std::sync::mpsc::sync_channel(1);
        let queued_bytes = Arc::new(AtomicUsize::new(0));
        let taken = Arc::clone(&queued_bytes);
        let (dir, settings) = (dir.to_owned(), settings.clone());
        let run = move || match committer::guarded(|| open_front(&dir, &settings, lock)) {
            Ok(Ok(front)) => {
                let _ = opened.send(Ok(()));
                Committer::new(front, taken, fatal).run(commands);
            }
            Ok(Err(error)) => drop(opened.send(Err(error))),
            Err(panic) => drop(opened.send(Err(OpenError::Broken(panic)))),
        };
        let spawned = thread::Builder::new().name("store".to_owned()).spawn(run);
        spawned.map_err(|error| StoreError::Failed(format!("no thread for the store: {error}")))?;
        let gone = |_| StoreError::Failed("the store's thread ended while opening".to_owned());
        ready.recv().map_err(gone)??;
        Ok((Self { queue, queued_bytes }, Fatal(failed)))
    }

    fn send(&self, command: Command) -> Result<(), StoreError> {
        self.queue.try_send(command).map_err(|refused| match refused {
            mpsc::error::TrySendError::Full(_) => StoreError::Busy,
            mpsc::error::TrySendError::Closed(_) => StoreError::Closed,
        })
    }

    fn ask<T: Send + 'static>(&self, command: impl FnOnce(Answer<T>) -> Command) -> Pending<T> {
        let (answer, answered) = oneshot::channel();
        let sent = self.send(command(answer));
        Box::pin(async move {
            sent?;
            answered.await.unwrap_or(Err(StoreError::Closed))
        })
    }

    /// Takes the batch's bytes from the queue's budget.
    fn reserve(&self, batch: &Batch) -> Result<usize, StoreError> {
        let bytes = batch.checked_bytes()?;
        let before = self.queued_bytes.fetch_add(bytes, Ordering::Relaxed);
        if before > 0 && before + bytes > QUEUE_BYTES {
            self.release(bytes);
            return Err(StoreError::Busy);
        }
        Ok(bytes)
    }

    fn release(&self, bytes: usize) {
        self.queued_bytes.fetch_sub(bytes, Ordering::Relaxed);
    }
}

/// A store that was not closed in good order, which its journals tell, is read through before it is trusted.
fn open_front(dir: &Path, settings: &Settings, lock: Lock) -> Result<Front, OpenError> {
    let database = Database::open(dir, settings, lock)?;
    if !journal::list(dir).map_err(StoreError::from)?.is_empty() {
        database.read_through()?;
    }
    Ok(Front::open(dir, database, settings.durability)?)
}

impl Store for SledStore {
    fn commit(&self, batch: Batch) -> Pending<Outcome> {
        let bytes = match self.reserve(&batch) {
            Ok(bytes) => bytes,
            Err(busy) => return Box::pin(async { Err(busy) }),
        };
        let (answer, answered) = oneshot::channel();
        let sent = self.send(Command::Commit { batch, answer }).inspect_err(|_| self.release(bytes));
        Box::pin(async move {
            sent?;
            answered.await.unwrap_or(Err(StoreError::Closed))
        })
    }

    fn commit_soft(&self, batch: Batch) -> Result<(), StoreError> {
        let bytes = self.reserve(&batch)?;
        self.send(Command::Soft(batch)).inspect_err(|_| self.release(bytes))
    }

    fn close(&self) -> Pending<()> {
        self.ask(|answer| Command::Close { answer })
    }

    fn get_bytes(&self, family: Family, key: Vec<u8>) -> Pending<Option<Vec<u8>>> {
        self.ask(|answer| Command::Get { family, key, answer })
    }

    fn scan_bytes(&self, family: Family, after: Option<Vec<u8>>, limit: usize) -> Pending<Rows> {
        self.ask(|answer| Command::Scan { family, after, limit, answer })
    }
}

/// Why a database did not open.
#[derive(Debug)]
pub(super) enum OpenError {
    /// It is damaged: to be moved aside.
    Broken(String),
    /// The store cannot be had now, or not by this version; nothing is wrong with it.
    Refused(StoreError),
}

impl From<StoreError> for OpenError {
    fn from(error: StoreError) -> Self {
        Self::Refused(error)
    }
}
