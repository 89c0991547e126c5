//! One suite for every store: each behaviour below is held against the one in memory and the one on sled.

use std::collections::BTreeMap;

use proptest::{collection::vec, prelude::*};
use serde::{Deserialize, Serialize};

use super::*;

/// A record of tests: `Note<0>` lies in the inbox, `Note<1>` among the profiles.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Note<const F: u8 = 0> {
    text: String,
}

impl<const F: u8> Record for Note<F> {
    const FAMILY: Family = if F == 0 { Family::Inbox } else { Family::Profiles };
    const VERSION: u8 = 2;
    type Key = Sequence;

    fn key_bytes(key: &Sequence) -> Vec<u8> {
        key.to_bytes()
    }

    fn decode(version: u8, json: &[u8]) -> serde_json::Result<Self> {
        match version {
            // The first version was a bare string.
            1 => serde_json::from_slice(json).map(|text| Self { text }),
            _ => serde_json::from_slice(json),
        }
    }
}

macro_rules! each_store {
    ($($behaviour:ident)*) => {
        mod memory {
            $(#[test] fn $behaviour() { super::$behaviour(&super::MemoryStore::new()); })*
        }
        mod sled {
            $(#[test] fn $behaviour() { super::on_sled(super::$behaviour); })*
        }
    };
}

each_store! {
    a_record_is_read_back
    a_later_change_to_a_record_holds
    a_guard_that_finds_its_record_leaves_the_whole_batch_undone
    a_guard_sees_the_batches_given_before_it
    a_guard_passes_once_its_record_is_deleted
    a_batch_changes_several_families
    a_scan_gives_its_family_in_the_order_of_the_keys
    a_scan_goes_on_behind_a_key_and_keeps_to_its_limit
    the_first_and_the_last_keys_are_found
    soft_batches_are_seen_in_order
    an_older_version_is_read_and_a_newer_one_refused
    a_record_that_is_too_large_is_refused_before_it_is_given
    a_batch_that_is_too_large_is_refused
    a_closed_store_says_so
    it_behaves_like_a_map
}

fn on_sled(behaviour: fn(&dyn Store)) {
    let dir = tempfile::tempdir().unwrap();
    let opened = open(&dir.path().join("store"), &Options::default()).unwrap();
    behaviour(&*opened.store);
    drop(wait(opened.store.close()));
}

fn put<const F: u8>(mut batch: Batch, key: u64, text: &str) -> Batch {
    batch.put(&Sequence::new(key), &Note::<F> { text: text.to_owned() }).unwrap();
    batch
}

fn one(key: u64, text: &str) -> Batch {
    put::<0>(Batch::new(), key, text)
}

fn delete(mut batch: Batch, key: u64) -> Batch {
    batch.delete::<Note>(&Sequence::new(key));
    batch
}

fn unless(mut batch: Batch, key: u64) -> Batch {
    batch.unless_present::<Note>(&Sequence::new(key));
    batch
}

fn text<const F: u8>(store: &dyn Store, key: u64) -> Option<String> {
    wait(store.get::<Note<F>>(&Sequence::new(key))).unwrap().map(|note| note.text)
}

fn keys(store: &dyn Store, after: Option<u64>, limit: usize) -> Vec<u64> {
    let after = after.map(|key| Cursor::behind::<Note>(&Sequence::new(key)));
    let rows = wait(store.scan::<Note>(after.as_ref(), limit)).unwrap();
    rows.iter().map(|row| row.key.sequence().unwrap().get()).collect()
}

fn a_record_is_read_back(store: &dyn Store) {
    assert_eq!(wait(store.commit(one(1, "one"))), Ok(Outcome::Applied));
    assert_eq!(text::<0>(store, 1).as_deref(), Some("one"));
    assert_eq!(text::<0>(store, 2), None);
}

fn a_later_change_to_a_record_holds(store: &dyn Store) {
    wait(store.commit(put::<0>(one(1, "first"), 1, "second"))).unwrap();
    assert_eq!(text::<0>(store, 1).as_deref(), Some("second"));
    wait(store.commit(delete(one(1, "third"), 1))).unwrap();
    assert_eq!(text::<0>(store, 1), None);
    wait(store.commit(put::<0>(delete(Batch::new(), 1), 1, "fourth"))).unwrap();
    assert_eq!(text::<0>(store, 1).as_deref(), Some("fourth"));
}

fn a_guard_that_finds_its_record_leaves_the_whole_batch_undone(store: &dyn Store) {
    wait(store.commit(one(1, "one"))).unwrap();
    let guarded = unless(delete(one(2, "two"), 1), 1);
    assert_eq!(wait(store.commit(guarded)), Ok(Outcome::Refused));
    assert_eq!(text::<0>(store, 1).as_deref(), Some("one"));
    assert_eq!(text::<0>(store, 2), None);
}

fn a_guard_sees_the_batches_given_before_it(store: &dyn Store) {
    let first = store.commit(unless(one(1, "first"), 1));
    let second = store.commit(unless(one(1, "second"), 1));
    assert_eq!(wait(second), Ok(Outcome::Refused));
    assert_eq!(wait(first), Ok(Outcome::Applied));
    assert_eq!(text::<0>(store, 1).as_deref(), Some("first"));
}

fn a_guard_passes_once_its_record_is_deleted(store: &dyn Store) {
    wait(store.commit(one(1, "one"))).unwrap();
    let deleted = store.commit(delete(Batch::new(), 1));
    let again = store.commit(unless(one(1, "again"), 1));
    assert_eq!((wait(deleted), wait(again)), (Ok(Outcome::Applied), Ok(Outcome::Applied)));
    assert_eq!(text::<0>(store, 1).as_deref(), Some("again"));
}

fn a_batch_changes_several_families(store: &dyn Store) {
    wait(store.commit(put::<1>(one(1, "inbox"), 1, "profile"))).unwrap();
    assert_eq!(text::<0>(store, 1).as_deref(), Some("inbox"));
    assert_eq!(text::<1>(store, 1).as_deref(), Some("profile"));
    wait(store.commit(delete(Batch::new(), 1))).unwrap();
    assert_eq!(text::<0>(store, 1), None);
    assert_eq!(text::<1>(store, 1).as_deref(), Some("profile"));
}

fn a_scan_gives_its_family_in_the_order_of_the_keys(store: &dyn Store) {
    for key in [300, 2, 0x1_0000_0000, 1] {
        wait(store.commit(put::<1>(one(key, "note"), key + 1, "other"))).unwrap();
    }
    assert_eq!(keys(store, None, 100), [1, 2, 300, 0x1_0000_0000]);
}

fn a_scan_goes_on_behind_a_key_and_keeps_to_its_limit(store: &dyn Store) {
    let batch = (0..10).fold(Batch::new(), |batch, key| put::<0>(batch, key, "note"));
    wait(store.commit(batch)).unwrap();
    assert_eq!(keys(store, None, 3), [0, 1, 2]);
    assert_eq!(keys(store, Some(2), 3), [3, 4, 5]);
    wait(store.commit(delete(Batch::new(), 5))).unwrap();
    assert_eq!(keys(store, Some(5), 100), [6, 7, 8, 9]);
    assert!(keys(store, Some(9), 100).is_empty());
    assert!(keys(store, None, 0).is_empty());
}

fn the_first_and_the_last_keys_are_found(store: &dyn Store) {
    wait(store.commit(put::<0>(one(0, "first"), u64::MAX, "last"))).unwrap();
    assert_eq!(keys(store, None, 100), [0, u64::MAX]);
    assert_eq!(keys(store, Some(0), 100), [u64::MAX]);
}

fn soft_batches_are_seen_in_order(store: &dyn Store) {
    store.commit_soft(one(1, "soft")).unwrap();
    assert_eq!(text::<0>(store, 1).as_deref(), Some("soft"));
    let hard = store.commit(one(1, "hard"));
    store.commit_soft(one(1, "softer")).unwrap();
    let guarded = store.commit(unless(one(2, "two"), 1));
    assert_eq!((wait(hard), wait(guarded)), (Ok(Outcome::Applied), Ok(Outcome::Refused)));
    assert_eq!(text::<0>(store, 1).as_deref(), Some("softer"));
    store.commit_soft(delete(Batch::new(), 1)).unwrap();
    assert!(keys(store, None, 100).is_empty());
}

fn an_older_version_is_read_and_a_newer_one_refused(store: &dyn Store) {
    let mut batch = Batch::new();
    batch.put_bytes(Family::Inbox, &Sequence::new(1).to_bytes(), b"\x01\"old\"".to_vec());
    batch.put_bytes(Family::Inbox, &Sequence::new(3).to_bytes(), b"\x03{\"text\":\"new\"}".to_vec());
    batch.put_bytes(Family::Inbox, &Sequence::new(4).to_bytes(), b"\x02{\"text".to_vec());
    wait(store.commit(batch)).unwrap();
    assert_eq!(text::<0>(store, 1).as_deref(), Some("old"));
    let newer = wait(store.get::<Note>(&Sequence::new(3)));
    assert_eq!(newer, Err(StoreError::Newer { found: 3, known: 2 }));
    let torn = wait(store.get::<Note>(&Sequence::new(4)));
    assert_eq!(torn, Err(StoreError::Unreadable(Family::Inbox)));
}

fn a_record_that_is_too_large_is_refused_before_it_is_given(store: &dyn Store) {
    let around = r#"{"text":""}"#.len() + 1 + 8;
    let fits = "x".repeat(MAX_RECORD - around);
    wait(store.commit(one(1, &fits))).unwrap();
    assert_eq!(text::<0>(store, 1), Some(fits.clone()));
    let too_large = Note::<0> { text: fits + "x" };
    let refused = Batch::new().put(&Sequence::new(2), &too_large).map(drop);
    assert_eq!(refused, Err(StoreError::TooLarge { family: Family::Inbox, bytes: MAX_RECORD + 1 }));
}

fn a_batch_that_is_too_large_is_refused(store: &dyn Store) {
    let text = "x".repeat(MAX_RECORD - 100);
    let batch = (0..130).fold(Batch::new(), |batch, key| put::<0>(batch, key, &text));
    assert!(matches!(wait(store.commit(batch)), Err(StoreError::BatchTooLarge { .. })));
    assert!(keys(store, None, 1).is_empty());
}

fn a_closed_store_says_so(store: &dyn Store) {
    let before = store.commit(one(1, "one"));
    wait(store.close()).unwrap();
    assert_eq!(wait(before), Ok(Outcome::Applied));
    assert_eq!(wait(store.commit(one(2, "two"))), Err(StoreError::Closed));
    assert_eq!(store.commit_soft(one(2, "two")), Err(StoreError::Closed));
    assert_eq!(wait(store.get::<Note>(&Sequence::new(1))), Err(StoreError::Closed));
}

/// A step of the model test, over a few keys so that steps meet.
#[derive(Clone, Debug)]
enum Step {
    Batch { soft: bool, guards: Vec<u64>, changes: Vec<(u64, Option<u8>)> },
    Get(u64),
    Scan { after: Option<u64>, limit: usize },
}

fn step() -> impl Strategy<Value = Step> {
    let key = 0_u64..12;
    let changes = vec((key.clone(), proptest::option::of(any::<u8>())), 0..5);
    let batch = (any::<bool>(), vec(key.clone(), 0..2), changes);
    prop_oneof![
        3 => batch.prop_map(|(soft, guards, changes)| Step::Batch { soft, guards, changes }),
        1 => key.clone().prop_map(Step::Get),
        1 => (proptest::option::of(key), 0_usize..8).prop_map(|(after, limit)| Step::Scan { after, limit }),
    ]
}

fn it_behaves_like_a_map(store: &dyn Store) {
    // Failing cases are small enough to be read; a file of seeds in the source tree is not wanted.
    let config = ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() };
    proptest!(config, |(steps in vec(step(), 1..60))| {
        let mut model = BTreeMap::new();
        let all = (0..12).fold(Batch::new(), delete);
        wait(store.commit(all)).unwrap();
        let mut answers = Vec::new();
        for step in steps {
            follow(store, &mut model, &mut answers, step);
        }
        for (answer, expected) in answers {
            assert_eq!(wait(answer), Ok(expected));
        }
    });
}

/// Takes a step in both. Answers of batches are awaited at the end, so that batches share groups.
fn follow(
    store: &dyn Store,
    model: &mut BTreeMap<u64, String>,
    answers: &mut Vec<(Pending<Outcome>, Outcome)>,
    step: Step,
) {
    match step {
        Step::Get(key) => assert_eq!(text::<0>(store, key), model.get(&key).cloned()),
        Step::Scan { after, limit } => {
            let expected = model.keys().copied().filter(|key| after.is_none_or(|after| *key > after)).take(limit);
            assert_eq!(keys(store, after, limit), expected.collect::<Vec<_>>());
        }
        Step::Batch { soft, guards, changes } => {
            let mut batch = guards.iter().copied().fold(Batch::new(), unless);
            let refused = guards.iter().any(|key| model.contains_key(key));
            for (key, value) in changes {
                let text = value.map(|value| value.to_string());
                batch = match &text {
                    Some(text) => put::<0>(batch, key, text),
                    None => delete(batch, key),
                };
                match text {
                    _ if refused => None,
                    Some(text) => model.insert(key, text),
                    None => model.remove(&key),
                };
            }
            if soft {
                store.commit_soft(batch).unwrap();
            } else {
                let expected = if refused { Outcome::Refused } else { Outcome::Applied };
                answers.push((store.commit(batch), expected));
            }
        }
    }
}
