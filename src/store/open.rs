//! Opening the daemon's store, whatever state the last run left it in.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use super::{
    Durability, Fatal, SpaceRule, StoreError, StoreHandle, backup,
    lock::{Lock, beside},
    sled::{OpenError, Settings, SledStore, sync_parent},
};
use crate::domain::Timestamp;

/// How the store is opened.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// The time, for the name of a store that is moved aside.
    pub now: Timestamp,
    /// Where automatic backups lie ([`backup::rotate`]); a store that does not open is replaced from the latest.
    pub backups: Option<PathBuf>,
    pub damage: Damage,
    pub space: SpaceRule,
    #[doc(hidden)]
    pub durability: Durability,
}

/// What is done about a store that is damaged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Damage {
    /// Another takes its place, so that the daemon starts.
    #[default]
    Replace,
    /// It is told of, and stays where it is.
    Tell,
}

/// A store that is open.
pub struct Opened {
    pub store: StoreHandle,
    /// Resolves if the store fails later on.
    pub fatal: Fatal,
    /// Where a store that did not open was moved.
    pub quarantined: Option<PathBuf>,
    /// What took its place; none: the store starts empty.
    pub restored: Option<Restored>,
}

/// A backup that took the place of a store that did not open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Restored {
    pub from: PathBuf,
    pub taken_at: Timestamp,
    pub records: u64,
}

/// Opens the store in the folder `path`, or makes one. It blocks: a few hundred milliseconds for 100,000 records.
///
/// A store that is damaged is moved to `<path>.corrupt-<time>`, never deleted, and the latest automatic backup that holds
/// together is put in its place. Agents may have to log in again; a gateway that does not start would be worse. For whoever only
/// looks, there is [`Damage::Tell`].
///
/// Errors: [`StoreError::Damaged`] if that is to be told; [`StoreError::Locked`], [`StoreError::Newer`], [`StoreError::NoSpace`], or [`StoreError::Failed`] if the machine
/// does not let it be opened. In none of these cases is anything moved.
pub fn open(path: &Path, options: &Options) -> Result<Opened, StoreError> {
    let lock = Lock::take(path)?;
    let settings = Settings { durability: options.durability, space: options.space.clone() };
    let cause = match SledStore::open(path, &settings, lock.clone()) {
        Ok((store, fatal)) => {
            return Ok(Opened { store: Arc::new(store), fatal, quarantined: None, restored: None });
        }
        Err(OpenError::Refused(error)) => return Err(error),
        Err(OpenError::Broken(cause)) if options.damage == Damage::Tell => return Err(StoreError::Damaged(cause)),
        Err(OpenError::Broken(cause)) => cause,
    };
    let aside = beside(path, &format!("corrupt-{}", backup::stamp(options.now)));
    tracing::error!(%cause, aside = %aside.display(), "the store does not open and is moved aside");
    let moved = fs::rename(path, &aside).and_then(|()| sync_parent(path));
    moved.map_err(|error| StoreError::Failed(format!("{cause}; it cannot be moved aside: {error}")))?;

    let restored = options.backups.as_deref().and_then(|backups| restore_latest(path, backups, &lock));
    match SledStore::open(path, &settings, lock) {
        Ok((store, fatal)) => Ok(Opened { store: Arc::new(store), fatal, quarantined: Some(aside), restored }),
        Err(OpenError::Refused(error)) => Err(error),
        Err(OpenError::Broken(cause)) => Err(StoreError::Failed(cause)),
    }
}

/// Tries the automatic backups, the latest first.
fn restore_latest(path: &Path, backups: &Path, lock: &Lock) -> Option<Restored> {
    for from in backup::list(backups) {
        match backup::restore_locked(path, &from, lock) {
            Ok(summary) => {
                tracing::warn!(from = %from.display(), records = summary.records, "the store was restored from a backup");
                return Some(Restored { from, taken_at: summary.taken_at, records: summary.records });
            }
            Err(error) => tracing::error!(from = %from.display(), %error, "a backup cannot be restored"),
        }
    }
    tracing::error!("no backup to restore: the store starts empty");
    None
}
