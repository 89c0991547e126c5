//! The end of the chain, where the next entry is linked.

use serde::{Deserialize, Serialize};

use super::{Entry, NewEntry};
use crate::{
    domain::Timestamp,
    store::{Batch, Cursor, Family, Record, Sequence, StoreError, StoreHandle},
};

/// The last entry's number and hash. It is written in the batch of each entry: that entries are missing at the end cannot be
/// seen from the chain, but from this. It covers accidents and whoever can delete records, not whoever can write any: they
/// can write a whole new chain. Against those helps a copy of the head, or an export, that is kept elsewhere.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    pub number: Sequence,
    pub hash: String,
}

impl Record for Head {
    const FAMILY: Family = Family::Meta;
    const VERSION: u8 = 1;
    type Key = ();

    fn key_bytes((): &()) -> Vec<u8> {
        b"audit-head".to_vec()
    }
}

/// Where the log goes on. There is one at a time: two would link to the same entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chain {
    next: Sequence,
    previous: String,
}

impl Chain {
    /// Goes on behind the last entry. One that cannot be read is left where it is, for the verification to find.
    ///
    /// # Errors
    /// The store has failed.
    pub async fn open(store: &StoreHandle) -> Result<Self, StoreError> {
        let (mut next, mut previous) = (Sequence::new(1), Entry::genesis());
        if let Ok(Some(head)) = store.get::<Head>(&()).await {
            (next, previous) = (head.number.next(), head.hash);
        }
        // There is nothing behind the head, unless it is missing or damaged.
        let mut after = Cursor::behind::<Entry>(&Sequence::new(next.get() - 1));
        loop {
            let page = store.page::<Entry>(Some(&after), PAGE).await?;
            let Some((last, _)) = page.last() else { return Ok(Self { next, previous }) };
            after = last.clone();
            for (key, entry) in page {
                next = key.sequence().map_or(next, Sequence::next);
                if let Ok(entry) = entry {
                    previous = entry.hash;
                }
            }
        }
    }

    /// Puts an entry into a batch, linked to the last one. Once the batch is on disk, the answered chain goes on behind it.
    ///
    /// # Errors
    /// The entry is too large for a record.
    pub fn put(&self, batch: &mut Batch, at: Timestamp, what: NewEntry) -> Result<Self, StoreError> {
        let entry = Entry::link(self.next, at, what, &self.previous);
        batch.put(&entry.number, &entry)?;
        batch.put(&(), &Head { number: entry.number, hash: entry.hash.clone() })?;
        Ok(Self { next: self.next.next(), previous: entry.hash })
    }
}

/// Entries read in one go.
const PAGE: usize = 500;
