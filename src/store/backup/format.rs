//! The lines of a backup, and reading them with suspicion.

use std::{
    fs::File,
    io::{BufRead, BufReader, Read},
    path::Path,
};

use aws_lc_rs::digest;
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD as BASE64};
use serde::{Deserialize, Serialize};

use super::{
    super::{Family, MAX_RECORD, StoreError, sled::SCHEMA},
    BackupError,
};
use crate::domain::Timestamp;

/// The format of these files.
const FORMAT: u32 = 1;

/// No line of ours is longer: a record as JSON, its key in base64, and the words around.
const MAX_LINE: u64 = 4 * MAX_RECORD as u64;

/// How many records go by between two calls of a progress function.
pub(super) const PROGRESS_EVERY: u64 = 500;

/// The first line.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Header {
    pub(super) offdesk_backup: u32,
    /// The version of offdesk that wrote it.
    pub(super) version: String,
    pub(super) schema: u32,
    /// Milliseconds since the Unix epoch.
    pub(super) taken_at: Timestamp,
}

impl Header {
    pub(super) fn new(taken_at: Timestamp) -> Self {
        let version = env!("CARGO_PKG_VERSION").to_owned();
        Self { offdesk_backup: FORMAT, version, schema: SCHEMA, taken_at }
    }
}

/// A record's line.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Line<V> {
    family: String,
    /// base64url without padding.
    key: String,
    version: u8,
    record: V,
}

/// The last line.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Footer {
    pub(super) records: u64,
    /// Of every byte before this line, in hexadecimal.
    pub(super) sha256: String,
}

/// A record as it lies in a store.
pub(super) struct RawRow {
    pub(super) family: Family,
    pub(super) key: Vec<u8>,
    pub(super) value: Vec<u8>,
}

impl RawRow {
    pub(super) fn to_line(&self) -> Result<String, BackupError> {
        let unreadable = || BackupError::Store(StoreError::Unreadable(self.family));
        let (&version, json) = self.value.split_first().ok_or_else(unreadable)?;
        let record: serde_json::Value = serde_json::from_slice(json).map_err(|_| unreadable())?;
        let line = Line { family: self.family.name().to_owned(), key: BASE64.encode(&self.key), version, record };
        serde_json::to_string(&line).map_err(|_| unreadable())
    }

    fn from_line(text: &[u8]) -> Option<Self> {
        let line: Line<serde_json::Value> = serde_json::from_slice(text).ok()?;
        let mut value = vec![line.version];
        serde_json::to_writer(&mut value, &line.record).ok()?;
        let key = BASE64.decode(line.key).ok()?;
        Some(Self { family: Family::from_name(&line.family)?, key, value })
    }
}

/// What a backup holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summary {
    pub records: u64,
    /// When it was taken.
    pub taken_at: Timestamp,
    /// The version of offdesk that wrote it.
    pub written_by: String,
}

/// Reads a backup to its end and checks all of it. `progress` hears the number of records read so far.
pub fn verify(file: &Path, progress: &mut dyn FnMut(u64)) -> Result<Summary, BackupError> {
    read(file, progress, &mut |_| Ok(()))
}

/// Hands every record to `each`. Only its good end says that the file is whole.
pub(super) fn read(
    file: &Path,
    progress: &mut dyn FnMut(u64),
    each: &mut dyn FnMut(RawRow) -> Result<(), BackupError>,
) -> Result<Summary, BackupError> {
    let mut lines = Lines::open(file)?;
    let first = lines.next()?.ok_or(BackupError::NotABackup)?;
    let header: Header = serde_json::from_slice(first).map_err(|_| BackupError::NotABackup)?;
    lines.count_in();
    let found = header.offdesk_backup.max(header.schema);
    if header.offdesk_backup > FORMAT || header.schema > SCHEMA {
        return Err(BackupError::Newer { written_by: header.version, found, known: FORMAT.max(SCHEMA) });
    }
    let mut records = 0;
    loop {
        let Some(line) = lines.next()? else { return Err(BackupError::CutOff) };
        let Some(row) = RawRow::from_line(line) else {
            let footer = serde_json::from_slice(line).map_err(|_| BackupError::Damaged { line: records + 2 })?;
            lines.finish(&footer, records)?;
            return Ok(Summary { records, taken_at: header.taken_at, written_by: header.version });
        };
        lines.count_in();
        each(row)?;
        records += 1;
        if records.is_multiple_of(PROGRESS_EVERY) {
            progress(records);
        }
    }
}

/// The lines of a file, with the checksum of those that were counted in.
struct Lines<'a> {
    file: &'a Path,
    reader: BufReader<File>,
    line: Vec<u8>,
    digest: digest::Context,
}

impl<'a> Lines<'a> {
    fn open(file: &'a Path) -> Result<Self, BackupError> {
        let reader = BufReader::new(File::open(file).map_err(BackupError::io(file))?);
        Ok(Self { file, reader, line: Vec::new(), digest: digest::Context::new(&digest::SHA256) })
    }

    /// The next whole line, with its end.
    fn next(&mut self) -> Result<Option<&[u8]>, BackupError> {
        self.line.clear();
        let mut bounded = (&mut self.reader).take(MAX_LINE);
        bounded.read_until(b'\n', &mut self.line).map_err(BackupError::io(self.file))?;
        Ok(self.line.ends_with(b"\n").then_some(&self.line[..]))
    }

    fn count_in(&mut self) {
        self.digest.update(&self.line);
    }

    /// Checks the last line against what was read.
    fn finish(&mut self, footer: &Footer, records: u64) -> Result<(), BackupError> {
        let fits = footer.records == records && footer.sha256 == hex(&self.digest.clone().finish());
        let ends = self.reader.fill_buf().map_err(BackupError::io(self.file))?.is_empty();
        if fits && ends { Ok(()) } else { Err(BackupError::Changed) }
    }
}

pub(super) fn hex(digest: &digest::Digest) -> String {
    digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}
