//! What is to be applied together: the changes of several batches, as one.

use std::collections::HashMap;

use super::super::{
    Batch, Outcome, StoreError,
    batch::{Change, RowKey},
};
use super::database::Database;

/// A group's batches laid over each other; it is applied as one atomic change. To whoever looks later each batch is still
/// all or nothing, since all of them are.
#[derive(Default)]
pub(super) struct Group {
    changes: HashMap<Vec<u8>, Option<Vec<u8>>>,
    bytes: usize,
}

impl Group {
    /// Lays a batch over those before it, unless one of its guards finds a record, there or in an earlier batch.
    pub(super) fn lay(&mut self, batch: Batch, database: &Database) -> Result<Outcome, StoreError> {
        for RowKey(key) in &batch.unless_present {
            if self.contains(key, database)? {
                return Ok(Outcome::Refused);
            }
        }
        for Change { key: RowKey(key), value } in batch.changes {
            self.bytes += key.len() + value.as_ref().map_or(0, Vec::len);
            self.changes.insert(key, value);
        }
        Ok(Outcome::Applied)
    }

    fn contains(&self, key: &[u8], database: &Database) -> Result<bool, StoreError> {
        match self.changes.get(key) {
            Some(change) => Ok(change.is_some()),
            None => database.contains(key),
        }
    }

    pub(super) fn get(&self, key: &[u8], database: &Database) -> Result<Option<Vec<u8>>, StoreError> {
        match self.changes.get(key) {
            Some(change) => Ok(change.clone()),
            None => database.get(key),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(super) fn drain(&mut self) -> impl Iterator<Item = (Vec<u8>, Option<Vec<u8>>)> {
        self.bytes = 0;
        self.changes.drain()
    }
}
