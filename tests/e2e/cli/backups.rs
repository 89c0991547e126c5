//! Backup and restore on the stopped store.

use std::{fs, path::Path};

use super::{Machine, exists};

#[test]
fn a_backup_brings_everything_back() {
    let machine = Machine::new();
    machine.good(&["agent", "add", "--phone", "+15550100", "--name", "Anna"]);
    let before = machine.agents();
    let file = machine.path("backup.jsonl");
    let file = file.to_str().unwrap();
    // The agent, the audit entry of it, and the log's head.
    assert!(machine.good(&["backup", file]).starts_with("3 records are in "));

    machine.good(&["agent", "remove", "+15550100"]);
    let told = machine.good(&["restore", file]);
    assert_eq!(machine.agents(), before);
    let kept = told.lines().find_map(|line| line.strip_prefix("what was there before is in ")).unwrap();
    assert!(exists(kept.as_ref()));
}

#[test]
fn what_is_no_backup_changes_nothing() {
    let machine = Machine::new();
    machine.good(&["agent", "add", "--phone", "+15550100", "--name", "Anna"]);
    let before = machine.agents();
    let file = machine.write("backup.jsonl", "nonsense\n");
    machine.run(&["restore", &file]).refused(64, "this is not a backup of offdesk");
    assert_eq!(machine.agents(), before);
}

#[test]
fn a_backup_that_was_cut_off_changes_nothing() {
    let machine = Machine::new();
    machine.good(&["agent", "add", "--phone", "+15550100", "--name", "Anna"]);
    let file = machine.path("backup.jsonl");
    machine.good(&["backup", file.to_str().unwrap()]);
    let text = fs::read_to_string(&file).unwrap();
    let cut = text.trim_end().rsplit_once('\n').unwrap().0;
    fs::write(&file, format!("{cut}\n")).unwrap();
    machine.run(&["restore", file.to_str().unwrap()]).refused(64, "cut off");
}

/// To replace it by a backup is the daemon's to do, which tells of it.
#[test]
fn a_damaged_store_is_told_and_left_where_it_is_by_every_command() {
    let machine = Machine::new();
    machine.good(&["agent", "add", "--phone", "+15550100", "--name", "Anna"]);
    damage(&machine.path("data/store"));
    let backup = machine.path("backup.jsonl");
    for args in [
        &["agent", "list"][..],
        &["agent", "show", "+15550100"],
        &["agent", "add", "--phone", "+15550101", "--name", "Bob"],
        &["push", "dead"],
        &["audit", "verify"],
        &["backup", backup.to_str().unwrap()],
    ] {
        let ended = machine.run(args);
        ended.refused(73, "it is damaged");
        assert!(ended.err.contains("offdesk restore"), "{}", ended.err);
    }
    assert!(!is_moved_aside(&machine.path("data")));
}

/// Whether a store was replaced in this folder.
pub(super) fn is_moved_aside(data: &Path) -> bool {
    let mut names = fs::read_dir(data).unwrap().map(|entry| entry.unwrap().file_name());
    names.any(|name| name.to_string_lossy().contains("corrupt"))
}

/// Writes over the first half of a store.
pub(super) fn damage(store: &Path) {
    let file = store.join("db");
    let mut bytes = fs::read(&file).unwrap();
    let half = bytes.len() / 2;
    bytes[..half].fill(0x55);
    fs::write(file, bytes).unwrap();
}
