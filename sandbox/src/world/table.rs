//! Rows in the order in which they were made, found by sid.

use std::collections::HashMap;

use super::sid::Sid;

pub(crate) trait Row {
    fn sid(&self) -> &Sid;
}

#[derive(Debug)]
pub(crate) struct Table<T> {
    rows: Vec<T>,
    places: HashMap<Sid, usize>,
}

impl<T> Default for Table<T> {
    fn default() -> Self {
        Self { rows: Vec::new(), places: HashMap::new() }
    }
}

impl<T: Row> Table<T> {
    pub(crate) fn add(&mut self, row: T) {
        self.places.insert(row.sid().clone(), self.rows.len());
        self.rows.push(row);
    }

    pub(crate) fn get(&self, sid: &Sid) -> Option<&T> {
        self.places.get(sid).and_then(|&place| self.rows.get(place))
    }

    pub(crate) fn get_mut(&mut self, sid: &Sid) -> Option<&mut T> {
        self.places.get(sid).and_then(|&place| self.rows.get_mut(place))
    }

    pub(crate) fn iter(&self) -> impl DoubleEndedIterator<Item = &T> {
        self.rows.iter()
    }
}
