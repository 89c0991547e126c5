//! The database itself: how it is opened, changed, read and made durable. Only this file and `files` know sled's types.

use std::{fs::File, mem, path::Path};

use super::super::{Batch, Family, StoreError, batch::RowKey, lock::Lock};
use super::{
    OpenError, Range, Settings,
    committer::guarded,
    files,
    journal::Row,
    layer::Source,
    schema::{self, SCHEMA_KEY},
    space::Space,
};

/// The size of a segment of sled's log. sled writes a page that is larger than a quarter of a segment to a file of its
/// own, which it never syncs; a page holds up to about 20 records of `MAX_RECORD`, 1.3 MB, so that with segments of 8 MiB
/// no such file comes to be.
pub(super) const SEGMENT_BYTES: usize = 8 * 1024 * 1024;

/// What sled may keep of the tree in memory; its own default is 1 GiB.
const CACHE_BYTES: u64 = 64 * 1024 * 1024;

/// sled's own flush, for what nobody waits for: soft batches, and the cleaning of its log.
const FLUSH_EVERY_MS: u64 = 500;

pub(super) struct Database {
    db: ::sled::Db,
    /// sled's `db` file, opened a second time: sled does not share its own descriptor.
    log: File,
    space: Space,
    _lock: Lock,
}

impl Database {
    /// Opens the database in `dir`, or makes one.
    pub(super) fn open(dir: &Path, settings: &Settings, lock: Lock) -> Result<Self, OpenError> {
        let refuse = |error| OpenError::Refused(StoreError::Failed(format!("{}: {error}", dir.display())));
        files::create_dir(dir).map_err(refuse)?;
        files::sync_all(dir).map_err(refuse)?;
        let mut space = Space::new(settings.space.clone());
        space.look(&File::open(dir).map_err(refuse)?, 0);
        space.room_to_open()?;

        let db = open_or_without_snapshot(dir)?;
        files::sync_all(dir).map_err(refuse)?;
        let log = File::open(dir.join("db")).map_err(refuse)?;
        let database = Self { db, log, space, _lock: lock };
        let schema_key = RowKey::new(Family::Meta, SCHEMA_KEY).0;
        if schema::check(database.get(&schema_key).map_err(broken)?)? {
            if files::was_made(dir) {
                // sled takes a log whose beginning is damaged for an empty one.
                return Err(OpenError::Broken("the store has lost all it held".to_owned()));
            }
            database.apply([(schema_key, Some(schema::value()))])?;
            database.sync()?;
        }
        files::set_made(dir).map_err(refuse)?;
        Ok(database)
    }

    /// Reads all of it, so that damage shows now, where it can be dealt with, and not in the middle of a call.
    pub(super) fn read_through(&self) -> Result<(), OpenError> {
        for row in self.db.iter() {
            let (key, value) = row.map_err(|error| OpenError::Broken(error.to_string()))?;
            if key.is_empty() || value.is_empty() {
                return Err(OpenError::Broken("a row without key or value".to_owned()));
            }
        }
        Ok(())
    }

    pub(super) fn contains(&self, key: &[u8]) -> Result<bool, StoreError> {
        self.db.contains_key(key).map_err(failed)
    }

    pub(super) fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.db.get(key).map_err(failed)?.map(|value| value.to_vec()))
    }

    pub(super) fn range(&self, range: Range) -> Source<'_> {
        let rows = self.db.range(range);
        Box::new(rows.map(|row| row.map(|(key, value)| (key.to_vec(), Some(value.to_vec()))).map_err(failed)))
    }

    /// Applies changes. Whether they survive a crash is decided by [`Database::sync`].
    pub(super) fn apply(&self, changes: impl IntoIterator<Item = Row>) -> Result<(), StoreError> {
        let mut batch = ::sled::Batch::default();
        for (key, value) in changes {
            match value {
                Some(value) => batch.insert(key, value),
                None => batch.remove(key),
            }
        }
        self.db.apply_batch(batch).map_err(failed)
    }

    /// Returns once everything applied is on disk. sled's own flush ends with `sync_file_range`, which flushes neither the
    /// drive's cache nor the file's size; so its `db` file is fsynced after it.
    pub(super) fn sync(&self) -> Result<(), StoreError> {
        self.db.flush().map_err(failed)?;
        self.log.sync_data().map_err(|error| StoreError::Failed(format!("fsync of the store: {error}")))
    }

    pub(super) fn look_at_space(&mut self) {
        let bytes = self.log.metadata().map_or(0, |file| file.len());
        self.space.look(&self.log, bytes);
    }

    pub(super) fn has_room_for(&self, batch: &Batch) -> Result<(), StoreError> {
        self.space.room_for(batch.finishes_work())
    }

    /// Closes the files of a database that was synced. Threads of sled's let go of them a moment after the last handle is
    /// gone; sled's lock on its log says when, and whoever opens the store next would be refused until then.
    pub(super) fn close(self) {
        drop(self.db);
        if let Err(error) = self.log.lock() {
            tracing::warn!(%error, "the store's log is not known to be closed");
        }
    }

    /// Leaves a failed database as it is. Closing it would flush once more, and may wait for a thread of sled's that has
    /// died; the process is about to end anyway.
    pub(super) fn abandon(self) {
        mem::forget(self.db);
    }
}

/// sled writes a snapshot of its page table when it opens, and refuses to open with a damaged one, though all of it can
/// be read from the log.
fn open_or_without_snapshot(dir: &Path) -> Result<::sled::Db, OpenError> {
    match open_sled(dir) {
        Err(OpenError::Broken(cause)) if files::has_snapshot(dir) => {
            tracing::warn!(%cause, "the store did not open; trying again without sled's snapshot");
            files::remove_snapshots(dir).map_err(|error| OpenError::Broken(format!("{cause}; {error}")))?;
            open_sled(dir)
        }
        opened => opened,
    }
}

fn open_sled(dir: &Path) -> Result<::sled::Db, OpenError> {
    let config = ::sled::Config::new()
        .path(dir)
        .mode(::sled::Mode::HighThroughput)
        .cache_capacity(CACHE_BYTES)
        .segment_size(SEGMENT_BYTES)
        .flush_every_ms(Some(FLUSH_EVERY_MS));
    match guarded(|| config.open()) {
        Ok(opened) => opened.map_err(files::why_not_open),
        Err(panic) => Err(OpenError::Broken(panic)),
    }
}

fn failed(error: ::sled::Error) -> StoreError {
    StoreError::Failed(error.to_string())
}

fn broken(error: StoreError) -> OpenError {
    OpenError::Broken(error.to_string())
}
