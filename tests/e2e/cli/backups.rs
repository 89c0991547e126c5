//! Backup and restore on the stopped store.

use std::fs;

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
