//! Whether the log is as it was written, and if not, where it first is not.

use serde::Serialize;

use super::{Entry, Head};
use crate::store::{Cursor, Sequence, StoreError, StoreHandle};

/// What a look through the whole log finds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Verdict {
    pub ok: bool,
    /// Entries that were looked at.
    pub entries: u64,
    /// The number of the first entry that is not as it was written.
    pub first_bad: Option<Sequence>,
    /// What is wrong with it.
    pub fault: Option<Fault>,
}

/// What may be wrong with an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, thiserror::Error)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    #[error("it has been changed")]
    Changed,
    #[error("it is missing")]
    Missing,
    #[error("another entry stands in its place")]
    Misplaced,
    #[error("it cannot be read")]
    Unreadable,
}

/// Looks through the whole log. What is added meanwhile is looked at as well.
///
/// # Errors
/// The store has failed.
pub async fn verify(store: &StoreHandle) -> Result<Verdict, StoreError> {
    // Read before the entries: the log only grows.
    let head = match store.get::<Head>(&()).await {
        Err(StoreError::Unreadable(_)) => None,
        head => head?,
    };
    let mut walk = Walk::new(head);
    store.visit(|key, entry| walk.see(&key, entry)).await?;
    Ok(walk.end())
}

/// A walk along the chain.
struct Walk {
    head: Option<Head>,
    entries: u64,
    expected: Sequence,
    previous: String,
    bad: Option<(Sequence, Fault)>,
}

impl Walk {
    fn new(head: Option<Head>) -> Self {
        Self { head, entries: 0, expected: Sequence::new(1), previous: Entry::genesis(), bad: None }
    }

    fn see(&mut self, key: &Cursor, entry: Result<Entry, StoreError>) {
        self.entries += 1;
        if self.bad.is_none() {
            self.bad = self.judge(key.sequence(), entry).err();
        }
    }

    fn judge(&mut self, key: Option<Sequence>, entry: Result<Entry, StoreError>) -> Result<(), (Sequence, Fault)> {
        let here = self.expected;
        if key.is_some_and(|key| key > here) {
            return Err((here, Fault::Missing));
        }
        let entry = entry.map_err(|_| (here, Fault::Unreadable))?;
        if entry.number != here {
            return Err((here, Fault::Misplaced));
        }
        if entry.computed_hash() != entry.hash {
            return Err((here, Fault::Changed));
        }
        if entry.previous != self.previous {
            // This one is whole, and says what the one before it was. Before the first there is nothing.
            let changed = Sequence::new(here.get().saturating_sub(1).max(1));
            return Err((changed, Fault::Changed));
        }
        if self.head.as_ref().is_some_and(|head| head.number == here && head.hash != entry.hash) {
            return Err((here, Fault::Changed));
        }
        (self.expected, self.previous) = (here.next(), entry.hash);
        Ok(())
    }

    fn end(mut self) -> Verdict {
        let last = self.head.as_ref().map_or(Sequence::new(0), |head| head.number);
        if self.bad.is_none() && last >= self.expected {
            self.bad = Some((self.expected, Fault::Missing));
        }
        let (first_bad, fault) = self.bad.unzip();
        Verdict { ok: first_bad.is_none(), entries: self.entries, first_bad, fault }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::{
        audit::{Action, Actor, Chain, EntryResult, NewEntry},
        domain::Timestamp,
        store::{Batch, MemoryStore, wait},
    };

    fn what(detail: u64) -> NewEntry {
        NewEntry {
            actor: Actor::Operator,
            action: Action::AgentAdded,
            subject: None,
            department: None,
            address: None,
            device: None,
            outcome: EntryResult::Done,
            detail: Some(detail.to_string()),
        }
    }

    /// A log of so many entries.
    fn log(entries: u64) -> StoreHandle {
        let store: StoreHandle = Arc::new(MemoryStore::new());
        let mut chain = wait(Chain::open(&store)).unwrap();
        for number in 1..=entries {
            let mut batch = Batch::new();
            chain = chain.put(&mut batch, Timestamp::from_millis(number), what(number)).unwrap();
            wait(store.commit(batch)).unwrap();
        }
        store
    }

    fn entry(store: &StoreHandle, number: u64) -> Entry {
        wait(store.get::<Entry>(&Sequence::new(number))).unwrap().unwrap()
    }

    fn change(store: &StoreHandle, change: impl FnOnce(&mut Batch)) {
        let mut batch = Batch::new();
        change(&mut batch);
        wait(store.commit(batch)).unwrap();
    }

    fn put(store: &StoreHandle, place: u64, entry: &Entry) {
        change(store, |batch| {
            batch.put(&Sequence::new(place), entry).unwrap();
        });
    }

    fn delete(store: &StoreHandle, number: u64) {
        change(store, |batch| {
            batch.delete::<Entry>(&Sequence::new(number));
        });
    }

    fn found(store: &StoreHandle) -> (bool, Option<u64>, Option<Fault>) {
        let verdict = wait(verify(store)).unwrap();
        (verdict.ok, verdict.first_bad.map(Sequence::get), verdict.fault)
    }

    #[test]
    fn a_log_as_it_was_written_is_good_and_goes_on_after_a_restart() {
        assert_eq!(found(&log(0)), (true, None, None));
        let store = log(5);
        let chain = wait(Chain::open(&store)).unwrap();
        change(&store, |batch| drop(chain.put(batch, Timestamp::EPOCH, what(6)).unwrap()));
        assert_eq!(wait(verify(&store)).unwrap(), Verdict { ok: true, entries: 6, first_bad: None, fault: None });
    }

    #[test]
    fn a_log_without_a_head_goes_on_behind_its_last_entry() {
        let store = log(3);
        change(&store, |batch| {
            batch.delete::<Head>(&());
        });
        let chain = wait(Chain::open(&store)).unwrap();
        change(&store, |batch| drop(chain.put(batch, Timestamp::EPOCH, what(4)).unwrap()));
        assert_eq!(found(&store), (true, None, None));
    }

    #[test]
    fn a_changed_entry_is_located_whatever_else_is_set_right() {
        for place in [1, 3, 5] {
            let store = log(5);
            let changed = Entry { what: what(99), ..entry(&store, place) };
            put(&store, place, &changed);
            assert_eq!(found(&store), (false, Some(place), Some(Fault::Changed)), "its hash is the old one");
            put(&store, place, &Entry { hash: changed.computed_hash(), ..changed });
            assert_eq!(found(&store), (false, Some(place), Some(Fault::Changed)), "its hash is its own");
        }
    }

    #[test]
    fn a_missing_entry_is_located_at_the_front_in_the_middle_and_at_the_end() {
        for place in [1, 3, 5] {
            let store = log(5);
            delete(&store, place);
            assert_eq!(found(&store), (false, Some(place), Some(Fault::Missing)));
        }
        let store = log(2);
        (1..=2).for_each(|number| delete(&store, number));
        assert_eq!(found(&store), (false, Some(1), Some(Fault::Missing)), "all are gone");
    }

    #[test]
    fn swapped_entries_are_located() {
        let store = log(5);
        let (two, four) = (entry(&store, 2), entry(&store, 4));
        put(&store, 2, &four);
        put(&store, 4, &two);
        assert_eq!(found(&store), (false, Some(2), Some(Fault::Misplaced)));
    }

    #[test]
    fn a_log_that_was_cut_off_at_the_front_and_numbered_anew_is_found_out() {
        let store = log(5);
        (1..=2).for_each(|number| delete(&store, number));
        for number in 3..=5 {
            let old = entry(&store, number);
            delete(&store, number);
            let moved = Entry { number: Sequence::new(number - 2), ..old };
            put(&store, number - 2, &Entry { hash: moved.computed_hash(), ..moved });
        }
        assert_eq!(found(&store), (false, Some(1), Some(Fault::Changed)));
    }
}
