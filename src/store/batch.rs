//! Changes that happen together or not at all.

use std::ops::Bound;

use super::{Cursor, Family, Record, StoreError, record};

/// A batch's largest size in bytes, keys and values together; some 10,000 agents. It is applied between two fsyncs, and
/// the log must not come round to what it wrote before the first of them (`sled::committer`).
pub const MAX_BATCH: usize = 8 * 1024 * 1024;

/// Changes that happen together or not at all. Of two changes to one record the later one holds.
#[derive(Clone, Debug, Default)]
pub struct Batch {
    pub(super) unless_present: Vec<RowKey>,
    pub(super) changes: Vec<Change>,
}

/// A record's new value, or none where it goes.
#[derive(Clone, Debug)]
pub(super) struct Change {
    pub(super) key: RowKey,
    pub(super) value: Option<Vec<u8>>,
}

impl Batch {
    pub fn new() -> Self {
        Self::default()
    }

    /// Puts a record in place of the one with this key, if there is one.
    pub fn put<R: Record>(&mut self, key: &R::Key, record: &R) -> Result<&mut Self, StoreError> {
        let key = R::key_bytes(key);
        let value = record::encode(&key, record)?;
        self.put_bytes(R::FAMILY, &key, value);
        Ok(self)
    }

    pub fn delete<R: Record>(&mut self, key: &R::Key) -> &mut Self {
        self.changes.push(Change { key: RowKey::new(R::FAMILY, &R::key_bytes(key)), value: None });
        self
    }

    /// Deletes the record at this place, readable or not.
    pub fn delete_at<R: Record>(&mut self, key: &Cursor) -> &mut Self {
        self.changes.push(Change { key: RowKey::new(R::FAMILY, key.as_bytes()), value: None });
        self
    }

    /// The whole batch is left undone if a record with this key is there when its turn comes.
    pub fn unless_present<R: Record>(&mut self, key: &R::Key) -> &mut Self {
        self.unless_present.push(RowKey::new(R::FAMILY, &R::key_bytes(key)));
        self
    }

    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }

    /// A record as it lies there, for a restore.
    pub(super) fn put_bytes(&mut self, family: Family, key: &[u8], value: Vec<u8>) {
        self.changes.push(Change { key: RowKey::new(family, key), value: Some(value) });
    }

    /// About how many bytes it holds.
    pub(super) fn bytes(&self) -> usize {
        self.changes.iter().map(|change| change.key.0.len() + change.value.as_ref().map_or(0, Vec::len)).sum()
    }

    /// Its size, if a store takes it.
    pub(super) fn checked_bytes(&self) -> Result<usize, StoreError> {
        let bytes = self.bytes();
        if bytes > MAX_BATCH { Err(StoreError::BatchTooLarge { bytes }) } else { Ok(bytes) }
    }

    /// Whether it takes something away. Such a batch finishes work, where one that only puts begins some.
    pub(super) fn finishes_work(&self) -> bool {
        self.changes.iter().any(|change| change.value.is_none())
    }
}

/// A key among all families: the family's tag, then the record's own key.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct RowKey(pub(super) Vec<u8>);

impl RowKey {
    pub(super) fn new(family: Family, key: &[u8]) -> Self {
        let mut bytes = Vec::with_capacity(key.len() + 1);
        bytes.push(family.tag());
        bytes.extend_from_slice(key);
        Self(bytes)
    }

    /// The rows of a family whose key is greater than `after`.
    pub(super) fn range(family: Family, after: Option<&[u8]>) -> (Bound<Vec<u8>>, Bound<Vec<u8>>) {
        let start = match after {
            Some(after) => Bound::Excluded(Self::new(family, after).0),
            None => Bound::Included(vec![family.tag()]),
        };
        (start, Bound::Excluded(vec![family.tag() + 1]))
    }
}
