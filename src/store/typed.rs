//! Reading in records instead of bytes.

use super::{Record, Sequence, Store, StoreError, record};

/// Where a scan goes on: behind a row.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cursor(Vec<u8>);

impl Cursor {
    /// Behind the record with this key, whether or not it is there.
    pub fn behind<R: Record>(key: &R::Key) -> Self {
        Self(R::key_bytes(key))
    }

    /// The key's own bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The key, in families that are keyed by a [`Sequence`].
    pub fn sequence(&self) -> Option<Sequence> {
        Sequence::from_bytes(&self.0)
    }
}

/// A record as a scan finds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row<R> {
    pub key: Cursor,
    pub record: R,
}

impl dyn Store {
    /// The record with this key. It sees every batch that was given to the store before this call.
    pub fn get<R: Record>(&self, key: &R::Key) -> impl Future<Output = Result<Option<R>, StoreError>> + Send + use<R> {
        let found = self.get_bytes(R::FAMILY, R::key_bytes(key));
        async move { found.await?.map(|value| record::decode(&value)).transpose() }
    }

    /// At most `limit` records behind `after` (or from the first), in order of their keys. A page shorter than `limit`
    /// is the last; the last row's key goes on.
    pub fn scan<R: Record>(
        &self,
        after: Option<&Cursor>,
        limit: usize,
    ) -> impl Future<Output = Result<Vec<Row<R>>, StoreError>> + Send + use<R> {
        let rows = self.scan_bytes(R::FAMILY, after.map(|after| after.0.clone()), limit);
        async move {
            let typed =
                |(key, value): (Vec<u8>, Vec<u8>)| Ok(Row { key: Cursor(key), record: record::decode(&value)? });
            rows.await?.into_iter().map(typed).collect()
        }
    }
}
