//! Backups there and back, and backups that are not what they say.

use std::{fs, path::PathBuf};

use super::{super::*, *};

const NOW: Timestamp = Timestamp::from_millis(1_000);

struct Home {
    dir: tempfile::TempDir,
}

impl Home {
    fn new() -> Self {
        Self { dir: tempfile::tempdir().unwrap() }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// A backup of a store with so many records in each family.
    fn backup(&self, records: u32) -> PathBuf {
        let store = MemoryStore::new();
        fill(&store, records);
        let file = self.path("backup.jsonl");
        write(&store, &file, NOW, &mut |_| {}).unwrap();
        file
    }

    fn rows(&self, name: &str) -> Vec<(Family, Rows)> {
        let opened = open(&self.path(name), &Options::default()).unwrap();
        let rows = rows(&*opened.store);
        wait(opened.store.close()).unwrap();
        rows
    }
}

fn fill(store: &dyn Store, records: u32) {
    for family in Family::ALL {
        for number in 0..records {
            let mut batch = Batch::new();
            let json = serde_json::json!({ "family": family.name(), "text": "\u{e4}\n\"", "number": number });
            batch.put_bytes(family, &number.to_be_bytes(), [&[7][..], json.to_string().as_bytes()].concat());
            wait(store.commit(batch)).unwrap();
        }
    }
}

fn rows(store: &dyn Store) -> Vec<(Family, Rows)> {
    let of = |family| {
        let rows = wait(store.scan_bytes(family, None, usize::MAX)).unwrap();
        rows.into_iter().filter(|(key, _)| key != sled::SCHEMA_KEY).collect()
    };
    Family::ALL.map(|family| (family, of(family))).into()
}

#[test]
fn a_restored_store_holds_what_the_backup_was_taken_of() {
    let home = Home::new();
    let records = 1_200 * Family::ALL.len() as u64;
    let file = home.backup(1_200);
    let mut heard = Vec::new();
    let (summary, aside) =
        restore(&home.path("store"), &file, Replace::Never, &mut |records| heard.push(records)).unwrap();
    assert_eq!((summary.records, summary.taken_at, aside), (records, NOW, None));
    assert!(heard.starts_with(&[500, 1_000]) && heard.len() as u64 == 2 * (records / 500));
    let expected = MemoryStore::new();
    fill(&expected, 1_200);
    assert_eq!(home.rows("store"), rows(&expected));
}

#[test]
fn a_store_that_holds_records_is_replaced_only_if_told() {
    let home = Home::new();
    let file = home.backup(1);
    restore(&home.path("store"), &file, Replace::Never, &mut |_| {}).unwrap();
    let file = home.backup(2);
    let refused = restore(&home.path("store"), &file, Replace::Never, &mut |_| {});
    assert!(matches!(refused, Err(BackupError::NotEmpty)));
    let (_, aside) = restore(&home.path("store"), &file, Replace::MoveAside(NOW), &mut |_| {}).unwrap();
    assert_eq!(aside, Some(home.path("store.replaced-19700101T000001000Z")));
    assert_eq!(home.rows("store")[0].1.len(), 2);
    assert_eq!(home.rows("store.replaced-19700101T000001000Z")[0].1.len(), 1);
}

#[test]
fn an_empty_store_is_no_obstacle() {
    let home = Home::new();
    assert!(home.rows("store").iter().all(|(_, rows)| rows.is_empty()));
    restore(&home.path("store"), &home.backup(1), Replace::Never, &mut |_| {}).unwrap();
    assert_eq!(home.rows("store")[0].1.len(), 1);
}

#[test]
fn a_store_in_use_is_not_restored() {
    let home = Home::new();
    let opened = open(&home.path("store"), &Options::default()).unwrap();
    let refused = restore(&home.path("store"), &home.backup(1), Replace::MoveAside(NOW), &mut |_| {});
    assert!(matches!(refused, Err(BackupError::Store(StoreError::Locked))));
    wait(opened.store.close()).unwrap();
}

#[test]
fn a_backup_that_is_cut_off_or_changed_is_refused_and_nothing_is_restored() {
    let home = Home::new();
    let file = home.backup(2);
    let whole = fs::read_to_string(&file).unwrap();
    let lines: Vec<_> = whole.lines().collect();
    let without = |gone: usize| {
        let left = lines.iter().enumerate().filter(|(number, _)| *number != gone);
        left.map(|(_, line)| format!("{line}\n")).collect::<String>()
    };
    let cases = [
        (without(lines.len() - 1), "the backup is cut off: its last line is missing"),
        (without(3), "the backup was changed: its checksum or its count does not fit"),
        (without(0), "this is not a backup of offdesk"),
        (String::new(), "this is not a backup of offdesk"),
        (
            whole.replacen("\"number\":1", "\"number\":3", 1),
            "the backup was changed: its checksum or its count does not fit",
        ),
        (whole.replacen("\"family\":\"meta\"", "\"family\":\"what\"", 1), "line 2 of the backup cannot be read"),
        (whole.clone() + "more\n", "the backup was changed: its checksum or its count does not fit"),
        (whole[..whole.len() - 1].to_owned(), "the backup is cut off: its last line is missing"),
    ];
    for (content, message) in cases {
        fs::write(&file, content).unwrap();
        let refused = restore(&home.path("store"), &file, Replace::Never, &mut |_| {});
        assert_eq!(refused.unwrap_err().to_string(), message);
        assert!(!home.path("store").exists());
    }
}

#[test]
fn a_newer_backup_is_refused_by_its_name() {
    let home = Home::new();
    let file = home.backup(1);
    let newer = fs::read_to_string(&file).unwrap().replacen("\"schema\":1", "\"schema\":2", 1);
    fs::write(&file, newer).unwrap();
    assert!(matches!(verify(&file, &mut |_| {}), Err(BackupError::Newer { found: 2, .. })));
}

#[test]
fn the_latest_few_automatic_backups_are_kept() {
    let home = Home::new();
    let store = MemoryStore::new();
    let dir = home.path("backup");
    for millis in 1..=4 {
        rotate(&store, &dir, 2, Timestamp::from_millis(millis)).unwrap();
    }
    let names: Vec<_> = list(&dir).into_iter().map(|path| path.file_name().unwrap().to_owned()).collect();
    assert_eq!(names, ["offdesk-19700101T000000004Z.jsonl", "offdesk-19700101T000000003Z.jsonl"]);
}
