//! Writing a backup.

use std::{
    fs::{self, File},
    io::{BufWriter, Write},
    path::Path,
};

use aws_lc_rs::digest;

use super::{
    super::{
        Family, Store,
        lock::beside,
        sled::{SCHEMA_KEY, create_dir, sync_parent},
        wait,
    },
    BackupError, Summary,
    format::{Footer, Header, PROGRESS_EVERY, RawRow, hex},
};
use crate::domain::Timestamp;

/// The order in which a store in use is read, page by page, while it goes on changing. What was handled meanwhile is then
/// at worst still in the inbox of the backup and handled once more after a restore, which the agents' records tell; in the
/// other order it could be in neither. A notification is at worst sent once more.
const ORDER: [Family; 14] = [
    Family::Meta,
    Family::Seen,
    Family::Inbox,
    Family::Profiles,
    Family::Agents,
    Family::Devices,
    Family::Outbox,
    Family::Sessions,
    Family::Audit,
    Family::Deliveries,
    Family::DeadLetters,
    Family::Bindings,
    Family::Sends,
    Family::HandleTimes,
];

/// How many rows are read at once. The store's thread does nothing else meanwhile, for about a millisecond.
const PAGE: usize = 500;

/// Writes all of the store to `file`, which appears whole or not at all. `progress` hears the number of records written.
pub fn write(
    store: &dyn Store,
    file: &Path,
    now: Timestamp,
    progress: &mut dyn FnMut(u64),
) -> Result<Summary, BackupError> {
    let temporary = beside(file, "partial");
    let written = fill(store, &temporary, now, progress);
    let moved = written.and_then(|summary| {
        fs::rename(&temporary, file).map_err(BackupError::io(file))?;
        sync_parent(file).map_err(BackupError::io(file))?;
        Ok(summary)
    });
    if moved.is_err() {
        // It may not even be there; the error that matters is the first.
        drop(fs::remove_file(&temporary));
    }
    moved
}

fn fill(store: &dyn Store, file: &Path, now: Timestamp, progress: &mut dyn FnMut(u64)) -> Result<Summary, BackupError> {
    if let Some(dir) = file.parent().filter(|dir| !dir.as_os_str().is_empty()) {
        create_dir(dir).map_err(BackupError::io(dir))?;
    }
    let mut lines = Lines::create(file)?;
    let header = Header::new(now);
    lines.write(&json(&header))?;
    let mut records = 0;
    for family in ORDER {
        let mut after = None;
        loop {
            let rows = wait(store.scan_bytes(family, after, PAGE))?;
            after = rows.last().map(|(key, _)| key.clone());
            for (key, value) in rows {
                if family == Family::Meta && key == SCHEMA_KEY {
                    continue;
                }
                lines.write(&RawRow { family, key, value }.to_line()?)?;
                records += 1;
                if records % PROGRESS_EVERY == 0 {
                    progress(records);
                }
            }
            if after.is_none() {
                break;
            }
        }
    }
    lines.finish(records)?;
    progress(records);
    Ok(Summary { records, taken_at: now, written_by: header.version })
}

fn json(line: &impl serde::Serialize) -> String {
    serde_json::to_string(line).unwrap_or_default()
}

struct Lines<'a> {
    path: &'a Path,
    writer: BufWriter<File>,
    digest: digest::Context,
}

impl<'a> Lines<'a> {
    /// Readable by its owner alone: a backup holds all that the store holds.
    fn create(path: &'a Path) -> Result<Self, BackupError> {
        use std::os::unix::fs::OpenOptionsExt;
        let file = File::options().write(true).create(true).truncate(true).mode(0o600).open(path);
        let writer = BufWriter::new(file.map_err(BackupError::io(path))?);
        Ok(Self { path, writer, digest: digest::Context::new(&digest::SHA256) })
    }

    fn write(&mut self, line: &str) -> Result<(), BackupError> {
        for part in [line.as_bytes(), b"\n"] {
            self.digest.update(part);
            self.writer.write_all(part).map_err(BackupError::io(self.path))?;
        }
        Ok(())
    }

    fn finish(mut self, records: u64) -> Result<(), BackupError> {
        let sha256 = hex(&self.digest.clone().finish());
        self.write(&json(&Footer { records, sha256 }))?;
        let file = self.writer.into_inner().map_err(|error| BackupError::io(self.path)(error.into_error()))?;
        file.sync_all().map_err(BackupError::io(self.path))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_family_is_backed_up() {
        assert_eq!(BTreeSet::from(ORDER), BTreeSet::from(Family::ALL));
    }
}
