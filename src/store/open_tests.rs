//! Opening what the last run, a broken disk, another process or another version left.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use super::{sled::SCHEMA_KEY, *};
use crate::domain::Timestamp;

struct Home {
    _dir: tempfile::TempDir,
    store: PathBuf,
    options: Options,
}

impl Home {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let (store, backups) = (dir.path().join("store"), dir.path().join("backup"));
        let options = Options { now: Timestamp::from_millis(1_000), backups: Some(backups), ..Options::default() };
        Self { _dir: dir, store, options }
    }

    fn open(&self) -> Opened {
        open(&self.store, &self.options).unwrap()
    }

    fn refusal(&self) -> StoreError {
        open(&self.store, &self.options).err().unwrap()
    }

    fn backups(&self) -> &Path {
        self.options.backups.as_deref().unwrap()
    }
}

fn row(key: &str, value: &str) -> Batch {
    let mut batch = Batch::new();
    batch.put_bytes(Family::Agents, key.as_bytes(), value.as_bytes().to_vec());
    batch
}

fn value(store: &StoreHandle, key: &str) -> Option<String> {
    let found = wait(store.get_bytes(Family::Agents, key.into())).unwrap();
    found.map(|value| String::from_utf8(value).unwrap())
}

fn close(opened: Opened) {
    wait(opened.store.close()).unwrap();
}

/// Writes over the middle of sled's log.
fn damage(store: &Path) {
    let log = store.join("db");
    let mut bytes = fs::read(&log).unwrap();
    let half = bytes.len() / 2;
    bytes[..half].fill(0x55);
    fs::write(log, bytes).unwrap();
}

#[test]
fn what_was_committed_is_there_after_reopening() {
    let home = Home::new();
    for round in 0..3 {
        let opened = home.open();
        assert_eq!(opened.quarantined, None);
        if round > 0 {
            assert_eq!(value(&opened.store, "key"), Some(format!("\u{1}{}", round - 1)));
        }
        wait(opened.store.commit(row("key", &format!("\u{1}{round}")))).unwrap();
        close(opened);
    }
}

#[test]
fn a_store_that_is_open_is_locked() {
    let home = Home::new();
    let opened = home.open();
    assert_eq!(home.refusal(), StoreError::Locked);
    close(opened);
    close(home.open());
}

#[test]
fn a_damaged_store_is_moved_aside_and_the_store_starts_empty() {
    let home = Home::new();
    let opened = home.open();
    wait(opened.store.commit(row("key", "\u{1}1"))).unwrap();
    close(opened);
    damage(&home.store);
    let opened = home.open();
    let aside = opened.quarantined.clone().unwrap();
    assert!(aside.to_string_lossy().ends_with("store.corrupt-19700101T000001000Z"));
    assert!(aside.join("db").exists());
    assert_eq!(opened.restored, None);
    assert_eq!(value(&opened.store, "key"), None);
    close(opened);
}

#[test]
fn the_latest_backup_that_holds_together_takes_the_place_of_a_damaged_store() {
    let home = Home::new();
    let opened = home.open();
    for (now, text) in [(10, "\u{1}10"), (20, "\u{1}20"), (30, "\u{1}30")] {
        wait(opened.store.commit(row("key", text))).unwrap();
        backup::rotate(&*opened.store, home.backups(), 5, Timestamp::from_millis(now)).unwrap();
    }
    close(opened);
    damage(&home.store);
    fs::write(&backup::list(home.backups())[0], "not a backup").unwrap();
    let opened = home.open();
    let restored = opened.restored.clone().unwrap();
    assert_eq!((restored.taken_at, restored.records), (Timestamp::from_millis(20), 1));
    assert_eq!(value(&opened.store, "key").as_deref(), Some("\u{1}20"));
    close(opened);
}

#[test]
fn a_damaged_store_is_left_where_it_is_for_whoever_only_looks() {
    let mut home = Home::new();
    let opened = home.open();
    wait(opened.store.commit(row("key", "\u{1}1"))).unwrap();
    backup::rotate(&*opened.store, home.backups(), 5, Timestamp::from_millis(10)).unwrap();
    close(opened);
    damage(&home.store);
    home.options.damage = Damage::Tell;
    assert!(matches!(home.refusal(), StoreError::Damaged(_)));
    assert!(matches!(home.refusal(), StoreError::Damaged(_)), "also when it is looked at again");
    home.options.damage = Damage::Replace;
    assert!(home.open().restored.is_some());
}

#[test]
fn a_newer_store_is_refused_and_left_where_it_is() {
    let home = Home::new();
    let opened = home.open();
    let mut batch = Batch::new();
    batch.put_bytes(Family::Meta, SCHEMA_KEY, b"\x01{\"schema\":9}".to_vec());
    wait(opened.store.commit(batch)).unwrap();
    close(opened);
    assert_eq!(home.refusal(), StoreError::Newer { found: 9, known: 1 });
    assert!(home.store.join("db").exists());
}

#[test]
fn a_damaged_snapshot_of_sleds_costs_nothing() {
    let home = Home::new();
    let opened = home.open();
    wait(opened.store.commit(row("key", "\u{1}1"))).unwrap();
    close(opened);
    // The first opening after a change writes a snapshot.
    close(home.open());
    let is_snapshot = |path: &PathBuf| path.file_name().unwrap().to_string_lossy().starts_with("snap.");
    let mut files = fs::read_dir(&home.store).unwrap().map(|entry| entry.unwrap().path());
    fs::write(files.find(is_snapshot).unwrap(), "").unwrap();
    let opened = home.open();
    assert_eq!(opened.quarantined, None);
    assert_eq!(value(&opened.store, "key").as_deref(), Some("\u{1}1"));
    close(opened);
}

#[test]
fn without_room_new_work_is_refused_until_there_is_room_again() {
    let free = Arc::new(AtomicU64::new(u64::MAX));
    let mut home = Home::new();
    home.options.space.told = Some(free.clone());
    let opened = home.open();
    wait(opened.store.commit(row("begun", "\u{1}1"))).unwrap();
    free.store(32 << 20, Ordering::Relaxed);
    let refused = wait(opened.store.commit(row("new", "\u{1}1")));
    assert_eq!(refused, Err(StoreError::NoSpace { free_mb: 32, need_mb: 64 }));
    let mut finish = row("done", "\u{1}1");
    finish.changes.push(batch::Change { key: batch::RowKey::new(Family::Agents, b"begun"), value: None });
    assert_eq!(wait(opened.store.commit(finish)), Ok(Outcome::Applied));
    free.store(u64::MAX, Ordering::Relaxed);
    assert_eq!(wait(opened.store.commit(row("new", "\u{1}1"))), Ok(Outcome::Applied));
    close(opened);
}

#[test]
fn a_full_disk_is_no_damage() {
    let mut home = Home::new();
    close(home.open());
    home.options.space.told = Some(Arc::new(AtomicU64::new(1 << 20)));
    assert_eq!(home.refusal(), StoreError::NoSpace { free_mb: 1, need_mb: 64 });
    assert!(home.store.join("db").exists());
}

#[test]
fn a_store_that_is_closed_in_good_order_is_not_fatal() {
    let home = Home::new();
    let opened = home.open();
    wait(opened.store.close()).unwrap();
    assert_eq!(wait(opened.fatal.wait()), None);
}
