//! The guard on free space. sled cannot be opened on a full disk, and a write that finds no room ends the store; so new
//! work is refused while there is still room to finish what was begun.

use std::{
    fs::File,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use super::super::StoreError;

/// What sled needs to open: it fills up the segment it finds open, and writes a snapshot of its page table.
pub(super) const TO_OPEN_BYTES: u64 = 16 * 1024 * 1024;

/// How much room is kept free on the store's file system.
///
/// New work is refused when less is free than the larger of [`SpaceRule::min_free`] and the size of the database: sled
/// may write all that lives anew before it frees what was there. Batches that take something away, as the marks of
/// handled work do, are let through down to a quarter of it.
#[derive(Clone, Debug)]
pub struct SpaceRule {
    /// In bytes.
    pub min_free: u64,
    /// Tests say here how many bytes are free; none: the file system does.
    #[doc(hidden)]
    pub told: Option<Arc<AtomicU64>>,
}

impl Default for SpaceRule {
    fn default() -> Self {
        Self { min_free: 64 * 1024 * 1024, told: None }
    }
}

pub(super) struct Space {
    rule: SpaceRule,
    free: u64,
    need: u64,
    short: bool,
}

impl Space {
    pub(super) fn new(rule: SpaceRule) -> Self {
        let need = rule.min_free;
        Self { rule, free: u64::MAX, need, short: false }
    }

    /// Looks how much is free where `file` lies. A file system that does not say is taken for a large one.
    pub(super) fn look(&mut self, file: &File, database_bytes: u64) {
        self.free = match &self.rule.told {
            Some(told) => told.load(Ordering::Relaxed),
            None => rustix::fs::fstatvfs(file).map_or(u64::MAX, |found| found.f_bavail.saturating_mul(found.f_frsize)),
        };
        self.need = self.rule.min_free.max(database_bytes);
        let short = self.free < self.need;
        if short != self.short {
            self.short = short;
            let (free_mb, need_mb) = (self.free >> 20, self.need >> 20);
            if short {
                tracing::error!(free_mb, need_mb, "too little space: the store takes no new work");
            } else {
                tracing::info!(free_mb, need_mb, "there is space again: the store takes new work");
            }
        }
    }

    pub(super) fn room_for(&self, finishes_work: bool) -> Result<(), StoreError> {
        let need = if finishes_work { self.need / 4 } else { self.need };
        self.room(need)
    }

    pub(super) fn room_to_open(&self) -> Result<(), StoreError> {
        self.room(TO_OPEN_BYTES.min(self.need))
    }

    fn room(&self, need: u64) -> Result<(), StoreError> {
        if self.free < need {
            return Err(StoreError::NoSpace { free_mb: self.free >> 20, need_mb: self.need >> 20 });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MB: u64 = 1024 * 1024;

    fn space(free: u64, database: u64) -> Space {
        let told = Some(Arc::new(AtomicU64::new(free)));
        let mut space = Space::new(SpaceRule { told, ..SpaceRule::default() });
        space.look(&File::open(".").unwrap(), database);
        space
    }

    #[test]
    fn new_work_needs_room_for_the_whole_database_once_more() {
        assert!(space(64 * MB, 10 * MB).room_for(false).is_ok());
        assert!(space(63 * MB, 10 * MB).room_for(false).is_err());
        assert!(space(199 * MB, 200 * MB).room_for(false).is_err());
    }

    #[test]
    fn work_is_finished_with_a_quarter_of_that() {
        assert!(space(16 * MB, 10 * MB).room_for(true).is_ok());
        assert!(space(15 * MB, 10 * MB).room_for(true).is_err());
    }

    #[test]
    fn the_file_system_is_asked_if_nobody_tells() {
        let mut space = Space::new(SpaceRule::default());
        space.look(&File::open(".").unwrap(), 0);
        assert!(space.free > 0 && space.free < u64::MAX);
    }
}
