//! Rows in the order in which they were made, found by sid.

use std::collections::{BTreeMap, HashMap};

use super::sid::Sid;

pub(crate) trait Row {
    fn sid(&self) -> &Sid;
}

#[derive(Debug)]
pub(crate) struct Table<T> {
    rows: BTreeMap<u64, T>,
    places: HashMap<Sid, u64>,
    added: u64,
}

impl<T> Default for Table<T> {
    fn default() -> Self {
        Self { rows: BTreeMap::new(), places: HashMap::new(), added: 0 }
    }
}

impl<T: Row> Table<T> {
    pub(crate) fn add(&mut self, row: T) {
        self.added += 1;
        self.places.insert(row.sid().clone(), self.added);
        self.rows.insert(self.added, row);
    }

    pub(crate) fn get(&self, sid: &Sid) -> Option<&T> {
        self.places.get(sid).and_then(|place| self.rows.get(place))
    }

    pub(crate) fn get_mut(&mut self, sid: &Sid) -> Option<&mut T> {
        self.places.get(sid).and_then(|place| self.rows.get_mut(place))
    }

    pub(crate) fn remove(&mut self, sid: &Sid) -> Option<T> {
        self.places.remove(sid).and_then(|place| self.rows.remove(&place))
    }

    /// The oldest first.
    pub(crate) fn iter(&self) -> impl DoubleEndedIterator<Item = &T> {
        self.rows.values()
    }

    pub(crate) fn len(&self) -> usize {
        self.rows.len()
    }
}
