//! The disk after a power loss: of what was not synced an arbitrary part is missing.
//!
//! Names are taken to be durable at once (a journalling file system writes them in order); a file's content and length are
//! durable once an fsync or fdatasync of that file, begun after the write, has ended.

use std::{
    collections::BTreeMap,
    fs, mem,
    path::{Path, PathBuf},
};

use crate::{
    dice::Dice,
    recording::{Call, Event},
};

/// What the disk writes as a whole.
const BLOCK: usize = 4096;

/// The files of a folder as a recording goes on.
#[derive(Default)]
pub(crate) struct Disk {
    files: BTreeMap<PathBuf, FileState>,
    dirs: Vec<PathBuf>,
}

#[derive(Default)]
struct FileState {
    durable: Vec<u8>,
    /// What came after, in order.
    pending: Vec<Change>,
    /// Syncs that have begun, with the number of pending changes that they cover.
    syncs: Vec<(u64, usize)>,
}

enum Change {
    Write { offset: usize, data: Vec<u8> },
    Truncate(usize),
}

/// What becomes of the pending changes.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Fate {
    /// None of them reached the disk.
    Dropped,
    /// Each of them did, or did not, block by block.
    Torn,
    /// The first so many did; the next one in part.
    CutOff,
}

impl Disk {
    /// A disk that holds what lies in `root`, all of it durable.
    pub(crate) fn of(root: &Path) -> Self {
        let mut disk = Self::default();
        disk.load(root);
        disk
    }

    fn load(&mut self, dir: &Path) {
        for entry in fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                self.dirs.push(path.clone());
                self.load(&path);
            } else {
                let durable = fs::read(&path).unwrap();
                self.files.insert(path, FileState { durable, ..FileState::default() });
            }
        }
    }

    pub(crate) fn follow(&mut self, Event { path, call }: Event) {
        match call {
            Call::MakeDir => self.dirs.push(path),
            Call::Unlink => drop(self.files.remove(&path)),
            Call::Rename(to) => {
                let file = self.files.remove(&path).unwrap_or_default();
                self.files.insert(to, file);
            }
            // Syncs of folders: names are durable anyway.
            Call::SyncBegins(_) | Call::SyncEnds(_) if !self.files.contains_key(&path) => {}
            call => self.files.entry(path).or_default().follow(call),
        }
    }

    /// Writes the disk as it may be after a power loss now into the folder `to`, in place of `root`.
    pub(crate) fn lose_power(&self, root: &Path, to: &Path, fate: Fate, dice: &mut Dice) {
        let place = |path: &Path| to.join(path.strip_prefix(root).unwrap());
        fs::create_dir_all(to).unwrap();
        self.dirs.iter().for_each(|dir| fs::create_dir_all(place(dir)).unwrap());
        for (path, file) in &self.files {
            fs::write(place(path), file.after(fate, dice)).unwrap();
        }
    }

    /// A file's content as the process saw it.
    pub(crate) fn seen(&self, path: &Path) -> Vec<u8> {
        let Some(file) = self.files.get(path) else { return Vec::new() };
        let mut content = file.durable.clone();
        file.pending.iter().for_each(|change| change.apply(&mut content));
        content
    }
}

impl FileState {
    fn follow(&mut self, call: Call) {
        match call {
            Call::Write { offset, data } => self.pending.push(Change::Write { offset, data }),
            Call::Truncate(len) => self.pending.push(Change::Truncate(len)),
            Call::Create { truncated: true } => self.pending.push(Change::Truncate(0)),
            Call::SyncBegins(number) => self.syncs.push((number, self.pending.len())),
            Call::SyncEnds(number) => self.sync_ends(number),
            Call::Create { .. } | Call::Rename(_) | Call::Unlink | Call::MakeDir => {}
        }
    }

    fn sync_ends(&mut self, number: u64) {
        let Some(at) = self.syncs.iter().position(|(begun, _)| *begun == number) else { return };
        let (_, covered) = self.syncs.swap_remove(at);
        let later = self.pending.split_off(covered);
        for change in mem::replace(&mut self.pending, later) {
            change.apply(&mut self.durable);
        }
        self.syncs.iter_mut().for_each(|(_, count)| *count = count.saturating_sub(covered));
    }

    fn after(&self, fate: Fate, dice: &mut Dice) -> Vec<u8> {
        let mut content = self.durable.clone();
        let kept = match fate {
            Fate::Dropped => 0,
            Fate::Torn => self.pending.len(),
            Fate::CutOff => dice.between(0, self.pending.len() as u64 + 1) as usize,
        };
        for (number, change) in self.pending.iter().take(kept).enumerate() {
            match fate {
                Fate::CutOff if number + 1 < kept => change.apply(&mut content),
                _ => change.apply_in_part(&mut content, dice),
            }
        }
        content
    }
}

impl Change {
    fn apply(&self, content: &mut Vec<u8>) {
        match self {
            Self::Truncate(len) => content.resize(*len, 0),
            Self::Write { offset, data } => write(content, *offset, data),
        }
    }

    fn apply_in_part(&self, content: &mut Vec<u8>, dice: &mut Dice) {
        match self {
            Self::Truncate(_) if dice.coin() => self.apply(content),
            Self::Truncate(_) => {}
            Self::Write { offset, data } => {
                let mut at = *offset;
                while at < offset + data.len() {
                    let end = ((at / BLOCK + 1) * BLOCK).min(offset + data.len());
                    if dice.coin() {
                        write(content, at, &data[at - offset..end - offset]);
                    }
                    at = end;
                }
            }
        }
    }
}

fn write(content: &mut Vec<u8>, offset: usize, data: &[u8]) {
    let end = offset + data.len();
    if content.len() < end {
        content.resize(end, 0);
    }
    content[offset..end].copy_from_slice(data);
}
