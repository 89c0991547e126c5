//! The database itself: how it is opened, changed, read and made durable. Only this file and `files` know sled's types.

use std::{fs::File, mem, path::Path};

use super::super::{Batch, Family, Rows, StoreError, batch::RowKey, lock::Lock};
use super::{
    OpenError, Settings,
    committer::guarded,
    files,
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

/// When a batch counts as being on disk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Durability {
    /// After sled's flush and an fsync of its `db` file.
    #[default]
    Fsync,
    /// After sled's flush alone. It loses acknowledged records with the power; it is here so that the crash tests can
    /// show that they would notice.
    SledOnly,
}

pub(super) struct Database {
    db: ::sled::Db,
    /// sled's `db` file, opened a second time: sled does not share its own descriptor.
    log: File,
    marker: files::Marker,
    durability: Durability,
    space: Space,
    _lock: Lock,
}

impl Database {
    /// Opens the database in `dir`, or makes one. A database that was not closed in good order is read through first, so
    /// that damage shows here, where it can be dealt with, and not in the middle of a call.
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
        let is_new = schema::check(read(&db, &RowKey::new(Family::Meta, SCHEMA_KEY).0).map_err(broken)?)?;
        let marker = files::Marker::of(dir);
        if marker.is_set() {
            read_through(&db).map_err(broken)?;
        }
        marker.set().map_err(refuse)?;
        let database = Self { db, log, marker, durability: settings.durability, space, _lock: lock };
        if is_new {
            let row = (RowKey::new(Family::Meta, SCHEMA_KEY).0, Some(schema::value()));
            database.apply([row].into_iter())?;
            database.sync()?;
        }
        Ok(database)
    }

    pub(super) fn contains(&self, key: &[u8]) -> Result<bool, StoreError> {
        self.db.contains_key(key).map_err(failed)
    }

    pub(super) fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        read(&self.db, key)
    }

    pub(super) fn scan(&self, family: Family, after: Option<&[u8]>, limit: usize) -> Result<Rows, StoreError> {
        let rows = self.db.range(RowKey::range(family, after)).take(limit);
        rows.map(|row| row.map(|(key, value)| (key[1..].to_vec(), value.to_vec())).map_err(failed)).collect()
    }

    /// Applies changes as one: after a crash either all of them are there or none.
    pub(super) fn apply(&self, changes: impl Iterator<Item = (Vec<u8>, Option<Vec<u8>>)>) -> Result<(), StoreError> {
        let mut batch = ::sled::Batch::default();
        for (key, value) in changes {
            match value {
                Some(value) => batch.insert(key, value),
                None => batch.remove(key),
            }
        }
        self.db.apply_batch(batch).map_err(failed)
    }

    /// Returns once everything applied is on disk.
    pub(super) fn sync(&self) -> Result<(), StoreError> {
        self.db.flush().map_err(failed)?;
        match self.durability {
            Durability::Fsync => {
                self.log.sync_data().map_err(|error| StoreError::Failed(format!("fsync of the store: {error}")))
            }
            Durability::SledOnly => Ok(()),
        }
    }

    pub(super) fn look_at_space(&mut self) {
        let bytes = self.log.metadata().map_or(0, |file| file.len());
        self.space.look(&self.log, bytes);
    }

    pub(super) fn has_room_for(&self, batch: &Batch) -> Result<(), StoreError> {
        self.space.room_for(batch.finishes_work())
    }

    /// Closes the files of a database that was synced. Until then another process cannot have them.
    pub(super) fn close(self) -> Result<(), StoreError> {
        let Self { db, marker, .. } = self;
        drop(db);
        marker.clear().map_err(|error| StoreError::Failed(format!("closing the store: {error}")))
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

fn read_through(db: &::sled::Db) -> Result<(), StoreError> {
    let unreadable = |text: &str| StoreError::Failed(text.to_owned());
    for row in db.iter() {
        let (key, value) = row.map_err(failed)?;
        if key.is_empty() || value.is_empty() {
            return Err(unreadable("a row without key or value"));
        }
    }
    Ok(())
}

fn read(db: &::sled::Db, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
    Ok(db.get(key).map_err(failed)?.map(|value| value.to_vec()))
}

fn failed(error: ::sled::Error) -> StoreError {
    StoreError::Failed(error.to_string())
}

fn broken(error: StoreError) -> OpenError {
    OpenError::Broken(error.to_string())
}
