//! Automatic backups: one every so often, the latest few of them.

use std::{
    fs,
    path::{Path, PathBuf},
};

use super::{super::Store, BackupError, stamp, write};
use crate::domain::Timestamp;

const PREFIX: &str = "offdesk-";
const SUFFIX: &str = ".jsonl";

/// Writes a backup into the folder `dir` and deletes all but the latest `keep` of those there. A timer calls it, on a
/// thread for blocking work.
pub fn rotate(store: &dyn Store, dir: &Path, keep: usize, now: Timestamp) -> Result<PathBuf, BackupError> {
    let file = dir.join(format!("{PREFIX}{}{SUFFIX}", stamp(now)));
    write(store, &file, now, &mut |_| {})?;
    for old in list(dir).into_iter().skip(keep.max(1)) {
        fs::remove_file(&old).map_err(BackupError::io(&old))?;
    }
    Ok(file)
}

/// The automatic backups in a folder, the latest first. A folder that is not there holds none.
pub fn list(dir: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(dir) else { return Vec::new() };
    let ours = |path: &PathBuf| {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        name.starts_with(PREFIX) && name.ends_with(SUFFIX)
    };
    let mut found: Vec<_> = entries.filter_map(|entry| Some(entry.ok()?.path())).filter(ours).collect();
    found.sort_unstable_by(|a, b| b.cmp(a));
    found
}
