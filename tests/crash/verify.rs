//! Whether a store holds what was acknowledged, and every batch as a whole.

use std::{collections::BTreeMap, fs, path::Path};

use offdesk::store::{self, Cursor, Options, Record, Store, wait};

use crate::child::{ENTRIES, Latest, Mark, SEEN, WRITERS};

/// The highest number of each writer that was acknowledged.
pub(crate) type Acks = BTreeMap<u32, u64>;

/// Reads lines of acknowledgements; a last one that is cut off counts for nothing.
pub(crate) fn acks(lines: &[u8]) -> Acks {
    let mut acks = Acks::new();
    for line in lines.split_inclusive(|byte| *byte == b'\n').filter(|line| line.ends_with(b"\n")) {
        let (writer, number) = std::str::from_utf8(line).unwrap().trim_end().split_once(' ').unwrap();
        let (writer, number): (u32, u64) = (writer.parse().unwrap(), number.parse().unwrap());
        acks.entry(writer).and_modify(|last| *last = number.max(*last)).or_insert(number);
    }
    acks
}

/// What is wrong with a store.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    DoesNotOpen(String),
    /// This many acknowledged batches are missing.
    Lost(u64),
    /// A batch is there in part, or a record is not as it was written.
    Torn(String),
}

/// Opens the store in `dir` and looks for every acknowledged batch.
pub(crate) fn verify(dir: &Path, acks: &Acks) -> Result<(), Fault> {
    let does_not_open = |error: &dyn std::fmt::Debug| Fault::DoesNotOpen(format!("{error:?}"));
    let opened = store::open(dir, &Options::default()).map_err(|error| does_not_open(&error))?;
    if let Some(aside) = opened.quarantined {
        return Err(does_not_open(&aside));
    }
    let found = (0..WRITERS).try_fold(0, |lost, writer| {
        let acknowledged = acks.get(&writer).map_or(0, |last| last + 1);
        Ok(lost + acknowledged.saturating_sub(batches_of(&*opened.store, writer)?))
    });
    wait(opened.store.close()).map_err(|error| does_not_open(&error))?;
    match found? {
        0 => Ok(()),
        lost => Err(Fault::Lost(lost)),
    }
}

/// How many batches of this writer the store holds, if it is exactly what so many batches leave.
fn batches_of(store: &dyn Store, writer: u32) -> Result<u64, Fault> {
    let latest = wait(store.get::<Latest>(&(writer, 0))).map_err(|error| Fault::Torn(error.to_string()))?;
    let count = latest.as_ref().map_or(0, |latest| latest.number + 1);
    if latest.is_some_and(|latest| latest != Latest::of(writer, count - 1)) {
        return Err(Fault::Torn(format!("writer {writer}: the latest is not as written")));
    }
    exactly::<0>(store, writer, count.saturating_sub(ENTRIES), count)?;
    exactly::<1>(store, writer, count.saturating_sub(SEEN), count)?;
    Ok(count)
}

fn exactly<const F: u8>(store: &dyn Store, writer: u32, from: u64, to: u64) -> Result<(), Fault> {
    let before = writer.checked_sub(1).map(|before| Cursor::behind::<Mark<F>>(&(before, u64::MAX)));
    let rows = wait(store.scan::<Mark<F>>(before.as_ref(), 1000)).map_err(|error| Fault::Torn(error.to_string()))?;
    let rows = rows.into_iter().map(|row| row.record).take_while(|mark| mark.writer == writer);
    if rows.eq((from..to).map(|number| Mark::of(writer, number))) {
        return Ok(());
    }
    Err(Fault::Torn(format!("writer {writer}: {} is not what {to} batches leave", Mark::<F>::FAMILY.name())))
}

/// Copies a folder with its folders.
pub(crate) fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let (path, to) = (entry.as_ref().unwrap().path(), to.join(entry.unwrap().file_name()));
        if path.is_dir() {
            copy(&path, &to);
        } else {
            fs::copy(&path, &to).unwrap();
        }
    }
}
