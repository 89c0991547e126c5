//! A store without a disk, for tests and for trying things out.

use std::{
    collections::BTreeMap,
    future,
    sync::{Mutex, MutexGuard, PoisonError},
};

use super::{
    Batch, Family, Outcome, Pending, Rows, Store, StoreError,
    batch::{Change, RowKey},
};

/// Keeps everything in memory and answers at once. Tests of what happens when a store does not do as told tell it to
/// [`MemoryStore::refuse_with`] an error.
#[derive(Debug, Default)]
pub struct MemoryStore {
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    rows: BTreeMap<Vec<u8>, Vec<u8>>,
    refuse_with: Option<StoreError>,
}

impl MemoryStore {
    pub fn new() -> Self {
        Self::default()
    }

    /// From now on every batch is answered with this error, and changes nothing; none: as usual again.
    pub fn refuse_with(&self, error: Option<StoreError>) {
        self.lock().refuse_with = error;
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn apply(&mut self, batch: Batch) -> Result<Outcome, StoreError> {
        self.open()?;
        batch.checked_bytes()?;
        if batch.unless_present.iter().any(|RowKey(key)| self.rows.contains_key(key)) {
            return Ok(Outcome::Refused);
        }
        for Change { key: RowKey(key), value } in batch.changes {
            match value {
                Some(value) => self.rows.insert(key, value),
                None => self.rows.remove(&key),
            };
        }
        Ok(Outcome::Applied)
    }

    fn open(&self) -> Result<(), StoreError> {
        self.refuse_with.clone().map_or(Ok(()), Err)
    }

    fn read<T>(&self, rows: impl FnOnce(&BTreeMap<Vec<u8>, Vec<u8>>) -> T) -> Result<T, StoreError> {
        match &self.refuse_with {
            Some(StoreError::Closed) => Err(StoreError::Closed),
            _ => Ok(rows(&self.rows)),
        }
    }
}

impl Store for MemoryStore {
    fn commit(&self, batch: Batch) -> Pending<Outcome> {
        ready(self.lock().apply(batch))
    }

    fn commit_soft(&self, batch: Batch) -> Result<(), StoreError> {
        self.lock().apply(batch).map(drop)
    }

    fn close(&self) -> Pending<()> {
        self.refuse_with(Some(StoreError::Closed));
        ready(Ok(()))
    }

    fn get_bytes(&self, family: Family, key: Vec<u8>) -> Pending<Option<Vec<u8>>> {
        ready(self.lock().read(|rows| rows.get(&RowKey::new(family, &key).0).cloned()))
    }

    fn scan_bytes(&self, family: Family, after: Option<Vec<u8>>, limit: usize) -> Pending<Rows> {
        ready(self.lock().read(|rows| {
            let range = rows.range(RowKey::range(family, after.as_deref()));
            range.take(limit).map(|(key, value)| (key[1..].to_vec(), value.clone())).collect()
        }))
    }
}

fn ready<T: Send + 'static>(answer: Result<T, StoreError>) -> Pending<T> {
    Box::pin(future::ready(answer))
}
