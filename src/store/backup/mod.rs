//! Backups: JSON lines, so that they can be read, kept and moved without this program.
//!
//! The first line says what the file is, each further line is a record, the last one counts them and holds the SHA-256 of
//! all lines before it. A restore reads the whole file before it changes anything, builds a store of its own and puts it
//! in place in one step.
//!
//! These functions block and need no runtime; a daemon calls them on a thread for blocking work.

mod format;
mod restore;
mod rotate;
#[cfg(test)]
mod tests;
mod write;

use std::{
    io,
    path::{Path, PathBuf},
};

pub(super) use self::restore::restore_locked;
pub use self::{
    format::{Summary, verify},
    restore::{Replace, restore},
    rotate::{list, rotate},
    write::write,
};
use super::StoreError;
use crate::domain::Timestamp;

/// Why there is no backup, or no restore. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("{}: {error}", path.display())]
    Io { path: PathBuf, error: io::Error },
    #[error("this is not a backup of offdesk")]
    NotABackup,
    #[error(
        "the backup was written by a newer version of offdesk ({written_by}, format {found}; this one knows {known})"
    )]
    Newer { written_by: String, found: u32, known: u32 },
    #[error("line {line} of the backup cannot be read")]
    Damaged { line: u64 },
    #[error("the backup is cut off: its last line is missing")]
    CutOff,
    #[error("the backup was changed: its checksum or its count does not fit")]
    Changed,
    #[error("the store holds records already")]
    NotEmpty,
}

impl BackupError {
    fn io(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |error| Self::Io { path, error }
    }
}

/// A moment as it stands in names of files; such names sort by time.
pub(super) fn stamp(at: Timestamp) -> String {
    let millis = i64::try_from(at.as_millis()).unwrap_or(i64::MAX);
    let at = jiff::Timestamp::from_millisecond(millis).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    at.strftime("%Y%m%dT%H%M%S%3fZ").to_string()
}
