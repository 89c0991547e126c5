//! Putting a backup in a store's place.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use rustix::{
    fs::{CWD, RenameFlags, renameat_with},
    io::Errno,
};

use super::{
    super::{
        Batch, Family, Store, StoreError,
        lock::{Lock, beside},
        sled::{OpenError, SCHEMA_KEY, Settings, SledStore, sync_parent},
        wait,
    },
    BackupError, Summary,
    format::{self, RawRow},
    stamp,
};
use crate::domain::Timestamp;

/// Records a batch of a restore.
const BATCH: usize = 500;

/// What happens to a store that is there already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Replace {
    /// The restore is refused unless the store is empty.
    Never,
    /// It is moved to `<store>.replaced-<time>`.
    MoveAside(Timestamp),
}

/// Puts the backup `file` in place of the store in the folder `store`, which no process may have open. The store holds
/// either what it held before or all of the backup, whenever the power goes. `progress` hears the number of records
/// checked, and then again the number written.
///
/// Returns where the old store went, if it held anything.
pub fn restore(
    store: &Path,
    file: &Path,
    replace: Replace,
    progress: &mut dyn FnMut(u64),
) -> Result<(Summary, Option<PathBuf>), BackupError> {
    let lock = Lock::take(store)?;
    let keep = match replace {
        Replace::MoveAside(now) => store.exists().then(|| beside(store, &format!("replaced-{}", stamp(now)))),
        Replace::Never if is_empty(store, &lock)? => None,
        Replace::Never => return Err(BackupError::NotEmpty),
    };
    format::verify(file, progress)?;
    let temporary = beside(store, "restoring");
    let summary = build(&temporary, file, &lock, progress)?;
    swap(&temporary, store, keep.as_deref()).map_err(BackupError::io(store))?;
    Ok((summary, keep))
}

/// As [`restore`], where there is no store and the lock is held.
pub(in crate::store) fn restore_locked(store: &Path, file: &Path, lock: &Lock) -> Result<Summary, BackupError> {
    format::verify(file, &mut |_| {})?;
    let temporary = beside(store, "restoring");
    let summary = build(&temporary, file, lock, &mut |_| {})?;
    swap(&temporary, store, None).map_err(BackupError::io(store))?;
    Ok(summary)
}

fn is_empty(store: &Path, lock: &Lock) -> Result<bool, BackupError> {
    if !store.exists() {
        return Ok(true);
    }
    let opened = match SledStore::open(store, &Settings::default(), lock.clone()) {
        Ok((opened, _)) => opened,
        Err(OpenError::Refused(error)) => return Err(error.into()),
        // Damaged is not empty.
        Err(OpenError::Broken(_)) => return Ok(false),
    };
    let mut empty = true;
    for family in Family::ALL {
        let rows = wait(opened.scan_bytes(family, None, 2))?;
        empty &= rows.iter().all(|(key, _)| family == Family::Meta && key == SCHEMA_KEY);
    }
    wait(opened.close())?;
    Ok(empty)
}

/// Builds a store of the backup, and closes it.
fn build(dir: &Path, file: &Path, lock: &Lock, progress: &mut dyn FnMut(u64)) -> Result<Summary, BackupError> {
    if dir.exists() {
        // An earlier restore did not come to its end.
        fs::remove_dir_all(dir).map_err(BackupError::io(dir))?;
    }
    let (store, _) = SledStore::open(dir, &Settings::default(), lock.clone()).map_err(|error| match error {
        OpenError::Refused(error) => error,
        OpenError::Broken(cause) => StoreError::Failed(cause),
    })?;
    let mut batch = Batch::new();
    let summary = format::read(file, progress, &mut |RawRow { family, key, value }| {
        batch.put_bytes(family, &key, value);
        if batch.changes.len() >= BATCH {
            wait(store.commit(std::mem::take(&mut batch)))?;
        }
        Ok(())
    })?;
    wait(store.commit(batch))?;
    wait(store.close())?;
    Ok(summary)
}

/// Puts the new store in place in one step, and then the old one where it is to be kept, or away.
fn swap(new: &Path, store: &Path, keep: Option<&Path>) -> io::Result<()> {
    if store.exists() {
        match renameat_with(CWD, new, CWD, store, RenameFlags::EXCHANGE) {
            Ok(()) => put_away(new, keep)?,
            // A file system that cannot exchange two names: for a moment there is no store, but never a mixed one.
            Err(Errno::INVAL | Errno::NOSYS) => {
                let old = beside(store, "old");
                fs::rename(store, &old)?;
                fs::rename(new, store)?;
                put_away(&old, keep)?;
            }
            Err(error) => return Err(error.into()),
        }
    } else {
        fs::rename(new, store)?;
    }
    sync_parent(store)
}

fn put_away(old: &Path, keep: Option<&Path>) -> io::Result<()> {
    match keep {
        Some(keep) => fs::rename(old, keep),
        None => fs::remove_dir_all(old),
    }
}
