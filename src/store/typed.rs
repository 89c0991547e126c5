//! Reading in records instead of bytes.

use super::{Record, Sequence, Store, StoreError, record};

/// Records read in one go by `visit`.
const PAGE: usize = 500;

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

/// Records by their places, or why they cannot be read.
pub type Page<R> = Vec<(Cursor, Result<R, StoreError>)>;

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

    /// Whether there is a record with this key, readable or not.
    pub fn holds<R: Record>(&self, key: &R::Key) -> impl Future<Output = Result<bool, StoreError>> + Send + use<R> {
        let found = self.get_bytes(R::FAMILY, R::key_bytes(key));
        async move { Ok(found.await?.is_some()) }
    }

    /// Like a scan, but a record that cannot be read does not hide the others.
    pub fn page<R: Record>(
        &self,
        after: Option<&Cursor>,
        limit: usize,
    ) -> impl Future<Output = Result<Page<R>, StoreError>> + Send + use<R> {
        let rows = self.scan_bytes(R::FAMILY, after.map(|after| after.0.clone()), limit);
        async move { Ok(rows.await?.into_iter().map(|(key, value)| (Cursor(key), record::decode(&value))).collect()) }
    }

    /// Shows every record of a family, in order of the keys, readable or not.
    pub async fn visit<R: Record>(&self, mut see: impl FnMut(Cursor, Result<R, StoreError>)) -> Result<(), StoreError> {
        let mut after = None;
        loop {
            let page = self.page(after.as_ref(), PAGE).await?;
            let Some((last, _)) = page.last() else { return Ok(()) };
            after = Some(last.clone());
            page.into_iter().for_each(|(key, record)| see(key, record));
        }
    }
}
