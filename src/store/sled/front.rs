//! What stands before sled: every change goes to the journal, is acknowledged from there, and reaches sled later, in bulk.
//!
//! A change to sled costs tens of microseconds and a flush of its own; appending to a file costs next to nothing, and by the
//! time a megabyte has gathered most of it is moot: an inbox entry that was handled has come and gone, an agent that changed
//! ten times is written once. Two layers hold what sled does not know yet. The *young* one takes the changes; when it is
//! full it becomes the *old* one, with the journal that holds it, and is drained into sled slice by slice between groups,
//! so that no caller waits for all of it. Once drained and synced its journal is deleted. Draining is idempotent: after a
//! crash the journals are drained again from their beginning, the oldest first.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use super::{
    super::{Batch, Family, Outcome, Rows, StoreError, batch::Change, batch::RowKey},
    Durability,
    database::Database,
    files::sync_parent,
    journal::{self, Journal},
    layer::{Layer, Source, merge, size},
};

/// When the young layer is full, in bytes laid. It bounds the memory, the time a reopening takes, and what sled writes
/// between two syncs: sled writes over parts of its log whose content it has moved and believes the moved copy safe
/// before any fsync, so that what is on disk must not come round to be written over before its copy is on disk too.
/// That takes a segment (`SEGMENT_BYTES`) at least.
const FULL: usize = 4 * 1024 * 1024;

/// How many rows sled is given at once at least: some milliseconds.
const SLICE: usize = 64;

pub(super) struct Front {
    dir: PathBuf,
    database: Database,
    durability: Durability,
    journal: Journal,
    young: Layer,
    old: Option<Old>,
    /// Rows laid since sled was last given some.
    laid: usize,
}

/// A full layer on its way into sled.
struct Old {
    layer: Layer,
    journal: PathBuf,
    /// The last key that sled was given.
    drained: Vec<u8>,
    /// Bytes given to sled since it was last synced.
    unsynced: usize,
}

impl Front {
    /// Drains what an earlier run left in its journals, and begins a new one.
    pub(super) fn open(dir: &Path, database: Database, durability: Durability) -> Result<Self, StoreError> {
        let left = journal::list(dir).map_err(failed)?;
        let number = left.last().map_or(1, |(number, _)| number + 1);
        for (_, path) in left {
            replay(&database, &path)?;
            remove(&path)?;
        }
        let journal = Journal::create(dir, number).map_err(failed)?;
        let (young, old) = (Layer::default(), None);
        Ok(Self { dir: dir.to_owned(), database, durability, journal, young, old, laid: 0 })
    }

    pub(super) fn database(&mut self) -> &mut Database {
        &mut self.database
    }

    /// Takes a batch, unless one of its guards finds a record.
    pub(super) fn lay(&mut self, batch: Batch) -> Result<Outcome, StoreError> {
        for RowKey(key) in &batch.unless_present {
            if self.contains(key)? {
                return Ok(Outcome::Refused);
            }
        }
        self.laid += batch.changes.len();
        for Change { key: RowKey(key), value } in batch.changes {
            self.journal.add(&key, value.as_deref());
            self.young.lay(key, value);
        }
        Ok(Outcome::Applied)
    }

    fn layers(&self) -> impl Iterator<Item = &Layer> {
        std::iter::once(&self.young).chain(self.old.as_ref().map(|old| &old.layer))
    }

    fn contains(&self, key: &[u8]) -> Result<bool, StoreError> {
        match self.layers().find_map(|layer| layer.get(key)) {
            Some(change) => Ok(change.is_some()),
            None => self.database.contains(key),
        }
    }

    pub(super) fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        match self.layers().find_map(|layer| layer.get(key)) {
            Some(change) => Ok(change.clone()),
            None => self.database.get(key),
        }
    }

    pub(super) fn scan(&self, family: Family, after: Option<&[u8]>, limit: usize) -> Result<Rows, StoreError> {
        let range = || RowKey::range(family, after);
        let layers = self.layers().map(|layer| -> Source<'_> { Box::new(layer.range(range()).map(Ok)) });
        merge(layers.chain([self.database.range(range())]).collect(), limit)
    }

    /// How much was laid since the last [`Front::write`], in bytes.
    pub(super) fn unwritten(&self) -> usize {
        self.journal.filled()
    }

    /// Writes what was laid to the journal.
    pub(super) fn write(&mut self) -> Result<(), StoreError> {
        if self.journal.filled() == 0 { Ok(()) } else { self.journal.write().map_err(failed) }
    }

    /// Returns once everything written is on disk.
    pub(super) fn sync(&self) -> Result<(), StoreError> {
        match self.durability {
            Durability::Fsync => self.journal.sync().map_err(failed),
            Durability::WithoutFsync => Ok(()),
        }
    }

    /// Whether there is something to do that need not be done now.
    pub(super) fn has_work(&self) -> bool {
        self.old.is_some()
    }

    /// Passes some of what is full on to sled: as many rows as were laid since the last call and a few more, so that the
    /// old layer is gone before the young one is full.
    pub(super) fn work(&mut self) -> Result<(), StoreError> {
        if self.young.bytes() >= FULL {
            self.drain_all()?;
            self.seal()?;
        }
        let rows = std::mem::take(&mut self.laid) + SLICE;
        self.drain(rows)
    }

    /// Makes the young layer the old one.
    fn seal(&mut self) -> Result<(), StoreError> {
        let next = self.journal.next(&self.dir).map_err(failed)?;
        // Soft batches may still be in the page cache only; the next sync will be of the next journal.
        self.sync()?;
        let journal = std::mem::replace(&mut self.journal, next).into_path();
        let layer = std::mem::take(&mut self.young);
        self.old = Some(Old { layer, journal, drained: Vec::new(), unsynced: 0 });
        Ok(())
    }

    fn drain(&mut self, rows: usize) -> Result<(), StoreError> {
        let Some(old) = &mut self.old else { return Ok(()) };
        let slice = old.layer.behind(&old.drained, rows);
        if let Some((last, _)) = slice.last() {
            old.drained.clone_from(last);
            old.unsynced += slice.iter().map(|(key, value)| size(key, value.as_deref())).sum::<usize>();
            self.database.apply(slice)?;
            if old.unsynced >= FULL {
                self.database.sync()?;
                old.unsynced = 0;
            }
            return Ok(());
        }
        self.database.sync()?;
        remove(&old.journal)?;
        self.old = None;
        Ok(())
    }

    fn drain_all(&mut self) -> Result<(), StoreError> {
        while self.old.is_some() {
            self.drain(16 * SLICE)?;
        }
        Ok(())
    }

    /// Passes everything on to sled.
    pub(super) fn finish(&mut self) -> Result<(), StoreError> {
        self.write()?;
        self.drain_all()?;
        self.seal()?;
        self.drain_all()
    }

    /// Closes what is finished.
    pub(super) fn close(self) -> Result<(), StoreError> {
        self.database.close();
        // An empty one; that there is none tells the next opening that this run ended well.
        remove(&self.journal.into_path())
    }

    /// Leaves everything as it is, for the next opening to make good.
    pub(super) fn abandon(self) {
        self.database.abandon();
    }
}

fn replay(database: &Database, path: &Path) -> Result<(), StoreError> {
    let mut unsynced = 0;
    journal::read(path, |rows| {
        unsynced += rows.iter().map(|(key, value)| size(key, value.as_deref())).sum::<usize>();
        database.apply(rows)?;
        if unsynced >= FULL {
            unsynced = 0;
            database.sync()?;
        }
        Ok::<_, StoreError>(())
    })?;
    database.sync()
}

/// Deletes a journal for good: one that came back after later ones are gone would undo what they hold.
fn remove(journal: &Path) -> Result<(), StoreError> {
    fs::remove_file(journal).and_then(|()| sync_parent(journal)).map_err(failed)
}

fn failed(error: io::Error) -> StoreError {
    StoreError::Failed(format!("the store's journal: {error}"))
}

impl From<io::Error> for StoreError {
    fn from(error: io::Error) -> Self {
        failed(error)
    }
}
