//! The store's thread: takes what is queued as a group, makes it durable, answers.

use std::{
    any::Any,
    mem,
    panic::{self, AssertUnwindSafe},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use tokio::sync::{mpsc, oneshot};

use super::super::{Batch, Outcome, Rows, StoreError, batch::RowKey};
use super::{Answer, Command, front::Front};

/// How many calls a group takes at most: far above what 64 writers queue, so that an fsync is shared by all of them.
const GROUP_CALLS: usize = 1024;

/// How many bytes a group takes, give or take one batch: what its callers wait for is written in some milliseconds.
const GROUP_BYTES: usize = 1024 * 1024;

pub(super) struct Committer {
    front: Front,
    /// What is said once the group is on disk.
    answers: Vec<Held>,
    /// Whether someone waits for the group to be on disk.
    durable: bool,
    /// Whether something was written since the last fsync.
    unsynced: bool,
    queued_bytes: Arc<AtomicUsize>,
    fatal: oneshot::Sender<StoreError>,
}

/// An answer that waits for the disk.
enum Held {
    Outcome(Answer<Outcome>, Outcome),
    Value(Answer<Option<Vec<u8>>>, Option<Vec<u8>>),
    Rows(Answer<Rows>, Rows),
}

impl Held {
    fn good(self) {
        // A caller that has gone away needs no answer.
        match self {
            Self::Outcome(answer, outcome) => drop(answer.send(Ok(outcome))),
            Self::Value(answer, value) => drop(answer.send(Ok(value))),
            Self::Rows(answer, rows) => drop(answer.send(Ok(rows))),
        }
    }

    fn bad(self, error: StoreError) {
        match self {
            Self::Outcome(answer, _) => drop(answer.send(Err(error))),
            Self::Value(answer, _) => drop(answer.send(Err(error))),
            Self::Rows(answer, _) => drop(answer.send(Err(error))),
        }
    }
}

impl Committer {
    pub(super) fn new(front: Front, queued_bytes: Arc<AtomicUsize>, fatal: oneshot::Sender<StoreError>) -> Self {
        let answers = Vec::with_capacity(GROUP_CALLS);
        Self { front, answers, durable: false, unsynced: false, queued_bytes, fatal }
    }

    /// Serves the queue until it is closed or the database fails.
    pub(super) fn run(mut self, mut queue: mpsc::Receiver<Command>) {
        let mut taken = Vec::with_capacity(GROUP_CALLS);
        loop {
            // What can wait is done while nobody does.
            let idle = self.front.has_work() && queue.is_empty() && !queue.is_closed();
            if !idle && queue.blocking_recv_many(&mut taken, GROUP_CALLS) == 0 {
                return self.close(None);
            }
            let mut commands = taken.drain(..);
            match guarded(|| self.serve(&mut commands)).unwrap_or_else(|panic| Err(StoreError::Failed(panic))) {
                Ok(None) => {}
                Ok(Some(answer)) => {
                    // Close the queue first: nothing may be taken that nobody will do.
                    queue.close();
                    return self.close(Some(answer));
                }
                Err(error) => {
                    let left: Vec<_> = commands.collect();
                    return self.fail(&error, left, queue);
                }
            }
        }
    }

    /// Does what was asked, in order, and answers all of it; or returns whom to answer once everything is closed.
    fn serve(&mut self, commands: &mut impl Iterator<Item = Command>) -> Result<Option<Answer<()>>, StoreError> {
        self.front.database().look_at_space();
        for command in commands {
            match command {
                Command::Commit { batch, answer } => self.commit(batch, answer)?,
                Command::Soft(batch) => self.soft(batch)?,
                Command::Get { family, key, answer } => {
                    let value = self.front.get(&RowKey::new(family, &key).0)?;
                    self.answers.push(Held::Value(answer, value));
                }
                Command::Scan { family, after, limit, answer } => {
                    let rows = self.front.scan(family, after.as_deref(), limit)?;
                    self.answers.push(Held::Rows(answer, rows));
                }
                Command::Close { answer } => {
                    self.settle()?;
                    return Ok(Some(answer));
                }
            }
            if self.front.unwritten() > GROUP_BYTES {
                self.settle()?;
                self.front.work()?;
            }
        }
        self.settle()?;
        self.front.work()?;
        Ok(None)
    }

    fn commit(&mut self, batch: Batch, answer: Answer<Outcome>) -> Result<(), StoreError> {
        self.queued_bytes.fetch_sub(batch.bytes(), Ordering::Relaxed);
        if let Err(no_space) = self.front.database().has_room_for(&batch) {
            drop(answer.send(Err(no_space)));
            return Ok(());
        }
        let outcome = self.front.lay(batch)?;
        // A refusal waits for the disk as well: what refused it may be part of this very group.
        self.durable = true;
        self.answers.push(Held::Outcome(answer, outcome));
        Ok(())
    }

    fn soft(&mut self, batch: Batch) -> Result<(), StoreError> {
        self.queued_bytes.fetch_sub(batch.bytes(), Ordering::Relaxed);
        match self.front.database().has_room_for(&batch) {
            Ok(()) => self.front.lay(batch).map(drop),
            Err(no_space) => {
                tracing::warn!(error = %no_space, "a soft batch was dropped");
                Ok(())
            }
        }
    }

    /// Writes the group, makes it durable if anybody waits for that, and says so.
    fn settle(&mut self) -> Result<(), StoreError> {
        self.unsynced |= self.front.unwritten() > 0;
        self.front.write()?;
        if mem::take(&mut self.durable) && mem::take(&mut self.unsynced) {
            self.front.sync()?;
        }
        self.answers.drain(..).for_each(Held::good);
        Ok(())
    }

    fn close(self, answer: Option<Answer<()>>) {
        let Self { mut front, fatal, .. } = self;
        let closed = match guarded(|| front.finish()).unwrap_or_else(|panic| Err(StoreError::Failed(panic))) {
            Ok(()) => front.close(),
            Err(error) => {
                front.abandon();
                Err(error)
            }
        };
        if let Err(error) = &closed {
            tracing::error!(%error, "the store failed while it was closed");
            drop(fatal.send(error.clone()));
        }
        if let Some(answer) = answer {
            drop(answer.send(closed));
        }
    }

    /// The end of a store that failed: everybody is told, now and from now on, until the last handle is gone.
    fn fail(mut self, error: &StoreError, left: Vec<Command>, mut queue: mpsc::Receiver<Command>) {
        tracing::error!(%error, "the store failed; it takes nothing from now on");
        self.answers.drain(..).for_each(|held| held.bad(error.clone()));
        self.front.abandon();
        drop(self.fatal.send(error.clone()));
        left.into_iter().for_each(|command| refuse(command, error));
        while let Some(command) = queue.blocking_recv() {
            refuse(command, error);
        }
    }
}

fn refuse(command: Command, error: &StoreError) {
    match command {
        Command::Commit { answer, .. } => drop(answer.send(Err(error.clone()))),
        Command::Soft(_) => {}
        Command::Get { answer, .. } => drop(answer.send(Err(error.clone()))),
        Command::Scan { answer, .. } => drop(answer.send(Err(error.clone()))),
        Command::Close { answer } => drop(answer.send(Err(error.clone()))),
    }
}

/// Runs what may panic inside sled; the panic comes back as its message.
pub(super) fn guarded<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    panic::catch_unwind(AssertUnwindSafe(work)).map_err(|panic: Box<dyn Any + Send>| {
        let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
        let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
        format!("panic in the database: {}", text.unwrap_or_else(|| "without a message".to_owned()))
    })
}
