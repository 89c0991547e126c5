//! The journal: files that a group of batches is appended to before it is acknowledged.
//!
//! A file is a row of frames: the payload's length, its CRC-32, the payload; numbers are little endian. A payload is a row of
//! changes: the lengths of key and value, key, value; the length [`DELETED`] stands for a record that goes. A frame holds
//! a group, whole or not at all. A crash leaves at most the last frames damaged, none of which was acknowledged: reading
//! ends at the first that does not fit. Files are written once and never again after a reopening.

use std::{
    fs::{self, File},
    io::{self, BufReader, Read, Write},
    path::{Path, PathBuf},
};

use super::files::sync_parent;

const PREFIX: &str = "journal-";
const HEAD: usize = 8;
const DELETED: u32 = u32::MAX;

/// A key with its new value, or none where the record goes.
pub(super) type Row = (Vec<u8>, Option<Vec<u8>>);

pub(super) struct Journal {
    path: PathBuf,
    number: u64,
    file: File,
    frame: Vec<u8>,
}

impl Journal {
    /// Makes the file; its name is durable when this returns.
    pub(super) fn create(dir: &Path, number: u64) -> io::Result<Self> {
        let path = dir.join(format!("{PREFIX}{number:016x}"));
        let file = File::options().write(true).create_new(true).open(&path)?;
        sync_parent(&path)?;
        Ok(Self { path, number, file, frame: vec![0; HEAD] })
    }

    pub(super) fn next(&self, dir: &Path) -> io::Result<Self> {
        Self::create(dir, self.number + 1)
    }

    pub(super) fn into_path(self) -> PathBuf {
        self.path
    }

    /// Adds a change to the frame that is being filled.
    pub(super) fn add(&mut self, key: &[u8], value: Option<&[u8]>) {
        let length = |bytes: &[u8]| u32::try_from(bytes.len()).unwrap_or(DELETED - 1).to_le_bytes();
        self.frame.extend_from_slice(&length(key));
        self.frame.extend_from_slice(&value.map_or(DELETED.to_le_bytes(), length));
        self.frame.extend_from_slice(key);
        self.frame.extend_from_slice(value.unwrap_or_default());
    }

    /// How full the frame is, in bytes.
    pub(super) fn filled(&self) -> usize {
        self.frame.len() - HEAD
    }

    /// Writes the frame to the file.
    pub(super) fn write(&mut self) -> io::Result<()> {
        let payload = &self.frame[HEAD..];
        let length = u32::try_from(payload.len()).map_err(|_| io::ErrorKind::InvalidInput)?;
        let crc = crc32fast::hash(payload);
        self.frame[..4].copy_from_slice(&length.to_le_bytes());
        self.frame[4..HEAD].copy_from_slice(&crc.to_le_bytes());
        self.file.write_all(&self.frame)?;
        self.frame.truncate(HEAD);
        Ok(())
    }

    /// Returns once all that was written is on disk.
    pub(super) fn sync(&self) -> io::Result<()> {
        self.file.sync_data()
    }
}

/// The journals in a store's folder, the oldest first.
pub(super) fn list(dir: &Path) -> io::Result<Vec<(u64, PathBuf)>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir)? {
        let path = entry?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if let Some(Ok(number)) = name.strip_prefix(PREFIX).map(|number| u64::from_str_radix(number, 16)) {
            found.push((number, path));
        }
    }
    found.sort_unstable();
    Ok(found)
}

/// Hands the changes of each whole frame to `each`.
pub(super) fn read<E: From<io::Error>>(path: &Path, mut each: impl FnMut(Vec<Row>) -> Result<(), E>) -> Result<(), E> {
    let file = File::open(path)?;
    let mut left = file.metadata()?.len();
    let mut reader = BufReader::new(file);
    while let Some(head) = left.checked_sub(HEAD as u64).map(|_| read_array::<HEAD>(&mut reader)).transpose()? {
        let [length, crc] = [&head[..4], &head[4..]].map(number);
        left -= HEAD as u64;
        if length == 0 || u64::from(length) > left {
            break;
        }
        left -= u64::from(length);
        let mut payload = vec![0; length as usize];
        reader.read_exact(&mut payload)?;
        match changes(&payload) {
            Some(rows) if crc32fast::hash(&payload) == crc => each(rows)?,
            _ => break,
        }
    }
    Ok(())
}

fn read_array<const N: usize>(reader: &mut impl Read) -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    reader.read_exact(&mut bytes)?;
    Ok(bytes)
}

fn number(bytes: &[u8]) -> u32 {
    bytes.iter().rev().fold(0, |number, byte| number << 8 | u32::from(*byte))
}

fn changes(mut payload: &[u8]) -> Option<Vec<Row>> {
    let mut rows = Vec::new();
    while !payload.is_empty() {
        let key = number(payload.split_off(..4)?) as usize;
        let value = number(payload.split_off(..4)?);
        let key = payload.split_off(..key)?.to_vec();
        let value = if value == DELETED { None } else { Some(payload.split_off(..value as usize)?.to_vec()) };
        rows.push((key, value));
    }
    Some(rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(key: &str, value: Option<&str>) -> Row {
        (key.into(), value.map(Into::into))
    }

    /// A journal of two frames, and what is in them.
    fn two_frames(dir: &Path) -> (PathBuf, [Vec<Row>; 2]) {
        let frames = [vec![row("a", Some("one")), row("b", None)], vec![row("", Some(""))]];
        let mut journal = Journal::create(dir, 7).unwrap();
        for frame in &frames {
            frame.iter().for_each(|(key, value)| journal.add(key, value.as_deref()));
            journal.write().unwrap();
        }
        (journal.into_path(), frames)
    }

    fn frames(path: &Path) -> Vec<Vec<Row>> {
        let mut found = Vec::new();
        read(path, |rows| {
            found.push(rows);
            Ok::<_, io::Error>(())
        })
        .unwrap();
        found
    }

    #[test]
    fn frames_are_read_as_they_were_written() {
        let dir = tempfile::tempdir().unwrap();
        let (path, written) = two_frames(dir.path());
        assert_eq!(frames(&path), written);
        assert_eq!(list(dir.path()).unwrap(), [(7, path)]);
    }

    #[test]
    fn a_journal_that_is_cut_off_anywhere_gives_its_whole_frames() {
        let dir = tempfile::tempdir().unwrap();
        let (path, written) = two_frames(dir.path());
        let bytes = fs::read(&path).unwrap();
        let first = HEAD + 8 + 4 + 8 + 1;
        for length in 0..bytes.len() {
            fs::write(&path, &bytes[..length]).unwrap();
            assert_eq!(frames(&path), written[..usize::from(length >= first)], "cut off at {length}");
        }
    }

    #[test]
    fn reading_ends_at_a_frame_that_was_damaged() {
        let dir = tempfile::tempdir().unwrap();
        let (path, written) = two_frames(dir.path());
        let bytes = fs::read(&path).unwrap();
        for at in 0..bytes.len() {
            let mut damaged = bytes.clone();
            damaged[at] ^= 0x10;
            fs::write(&path, &damaged).unwrap();
            assert!(frames(&path).len() < 2, "damaged at {at}");
        }
        fs::write(&path, [&bytes[..], &[0; 100]].concat()).unwrap();
        assert_eq!(frames(&path), written);
    }
}
