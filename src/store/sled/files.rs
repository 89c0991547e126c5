//! The files of a store's folder: syncing them, and sled's snapshots.

use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
};

use super::super::StoreError;
use super::OpenError;

/// Makes a folder, and its name durable.
pub(in crate::store) fn create_dir(dir: &Path) -> io::Result<()> {
    if !dir.is_dir() {
        fs::create_dir_all(dir)?;
        sync_parent(dir)?;
    }
    Ok(())
}

/// Makes the names in the folder that holds `path` durable.
pub(in crate::store) fn sync_parent(path: &Path) -> io::Result<()> {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => File::open(parent)?.sync_all(),
        _ => File::open(".")?.sync_all(),
    }
}

/// Syncs what sled leaves to chance: its settings and its log, and the folder that names them. It is done before sled
/// opens as well, since sled writes and syncs a snapshot of the log it finds, which may so far be in the page cache only;
/// a snapshot that is ahead of its log cannot be opened.
pub(super) fn sync_all(dir: &Path) -> io::Result<()> {
    for name in ["conf", "db"] {
        match File::open(dir.join(name)) {
            Ok(file) => file.sync_all()?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    File::open(dir)?.sync_all()
}

fn snapshots(dir: &Path) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        if entry.file_name().to_string_lossy().starts_with("snap.") {
            found.push(entry.path());
        }
    }
    Ok(found)
}

pub(super) fn has_snapshot(dir: &Path) -> bool {
    snapshots(dir).is_ok_and(|found| !found.is_empty())
}

pub(super) fn remove_snapshots(dir: &Path) -> io::Result<()> {
    snapshots(dir)?.into_iter().try_for_each(fs::remove_file)?;
    File::open(dir)?.sync_all()
}

/// The file that says that the database in this folder was made and has a format.
fn made(dir: &Path) -> PathBuf {
    dir.join("made")
}

pub(super) fn was_made(dir: &Path) -> bool {
    made(dir).exists()
}

pub(super) fn set_made(dir: &Path) -> io::Result<()> {
    if !was_made(dir) {
        File::create(made(dir))?;
        sync_parent(&made(dir))?;
    }
    Ok(())
}

/// Tells a damaged database from a machine that does not let it be opened.
pub(super) fn why_not_open(error: ::sled::Error) -> OpenError {
    use io::ErrorKind as Kind;
    match error {
        ::sled::Error::Io(error) => match error.kind() {
            Kind::StorageFull | Kind::QuotaExceeded => {
                OpenError::Refused(StoreError::NoSpace { free_mb: 0, need_mb: super::space::TO_OPEN_BYTES >> 20 })
            }
            Kind::PermissionDenied | Kind::ReadOnlyFilesystem | Kind::OutOfMemory => {
                OpenError::Refused(StoreError::Failed(error.to_string()))
            }
            // sled has no kind of its own for this.
            _ if error.to_string().starts_with("could not acquire lock") => OpenError::Refused(StoreError::Locked),
            _ => OpenError::Broken(error.to_string()),
        },
        // Other settings than ours, on purpose.
        ::sled::Error::Unsupported(text) => OpenError::Refused(StoreError::Failed(text)),
        error => OpenError::Broken(error.to_string()),
    }
}
