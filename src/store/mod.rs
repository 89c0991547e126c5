//! What must survive: a handful of record families, changed in atomic batches that are on disk when they are answered.
//!
//! The trait stands here; `sled` implements it for the daemon, `memory` for tests, and one suite holds both to it.
//! Nobody outside sees keys or bytes of a backend: a [`Record`] knows its family, its version and how its key is spelled.

mod profiles;

use std::{future::Future, pin::Pin};

use serde::{Serialize, de::DeserializeOwned};

/// What a store promises to answer later.
pub type Pending<T> = Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send + 'static>>;

/// A kind of record. Few, so that sled keeps few trees.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Family {
    /// What the store knows of itself, and marks such as "read up to".
    Meta,
    /// Webhooks accepted, not yet handled; key: [`crate::store::Sequence`], big endian.
    Inbox,
    /// Keys of events accepted of late, so that none acts twice.
    Seen,
    /// Agents, as administrators know them.
    Profiles,
    /// Agents, as their actors know them.
    Agents,
}

impl Family {
    pub const ALL: [Self; 5] = [Self::Meta, Self::Inbox, Self::Seen, Self::Profiles, Self::Agents];

    /// Its name in the store and in backups.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Meta => "meta",
            Self::Inbox => "inbox",
            Self::Seen => "seen",
            Self::Profiles => "profiles",
            Self::Agents => "agents",
        }
    }
}

/// A value that is kept. It is written as one byte of version and then JSON, at most [`MAX_RECORD`] bytes.
pub trait Record: Serialize + DeserializeOwned {
    const FAMILY: Family;
    const VERSION: u8;
    type Key;

    /// The key's bytes; their order is the order of a scan.
    fn key_bytes(key: &Self::Key) -> Vec<u8>;
}

/// A record's largest size in bytes.
pub const MAX_RECORD: usize = 64 * 1024;

/// Changes that happen together or not at all.
#[derive(Clone, Debug, Default)]
pub struct Batch {
    pub(crate) unless_present: Vec<(Family, Vec<u8>)>,
    pub(crate) changes: Vec<Change>,
}

#[derive(Clone, Debug)]
pub(crate) enum Change {
    Put { family: Family, key: Vec<u8>, value: Vec<u8> },
    Delete { family: Family, key: Vec<u8> },
}

impl Batch {
    pub fn new() -> Self {
        Self::default()
    }

    /// Puts a record in place of the one with this key, if there is one.
    pub fn put<R: Record>(&mut self, key: &R::Key, record: &R) -> Result<&mut Self, StoreError> {
        let mut value = vec![R::VERSION];
        serde_json::to_writer(&mut value, record).map_err(|_| StoreError::Unreadable(R::FAMILY))?;
        if value.len() > MAX_RECORD {
            return Err(StoreError::TooLarge { family: R::FAMILY, bytes: value.len() });
        }
        self.changes.push(Change::Put { family: R::FAMILY, key: R::key_bytes(key), value });
        Ok(self)
    }

    pub fn delete<R: Record>(&mut self, key: &R::Key) -> &mut Self {
        self.changes.push(Change::Delete { family: R::FAMILY, key: R::key_bytes(key) });
        self
    }

    /// The whole batch is left undone if a record with this key is there when its turn comes.
    pub fn unless_present<R: Record>(&mut self, key: &R::Key) -> &mut Self {
        self.unless_present.push((R::FAMILY, R::key_bytes(key)));
        self
    }

    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }
}

/// What became of a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It is on disk.
    Applied,
    /// Something that [`Batch::unless_present`] named was there: nothing was changed.
    Refused,
}

/// Records as they lie there: key and value, value with its version byte.
pub(crate) type Rows = Vec<(Vec<u8>, Vec<u8>)>;

/// The raw store. Callers use the typed functions on [`dyn Store`](trait.Store.html) below it.
pub trait Store: Send + Sync + 'static {
    /// Applies a batch, atomically over all families, and answers after the fsync.
    fn commit(&self, batch: Batch) -> Pending<Outcome>;

    /// Takes a batch that is written in good time; it may be lost with the power. An error says only that it was not taken.
    fn commit_soft(&self, batch: Batch) -> Result<(), StoreError>;

    #[doc(hidden)]
    fn get_bytes(&self, family: Family, key: Vec<u8>) -> Pending<Option<Vec<u8>>>;

    /// At most `limit` rows whose key is greater than `after` (or all from the first), in order of their keys.
    #[doc(hidden)]
    fn scan_bytes(&self, family: Family, after: Option<Vec<u8>>, limit: usize) -> Pending<Rows>;
}

/// Why the store did not do as told.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    #[error("another process has the store open")]
    Locked,
    #[error("the store is full or nearly so: {free_mb} MB are free, {need_mb} MB are needed")]
    NoSpace { free_mb: u64, need_mb: u64 },
    #[error("the store was written by a newer version of offdesk (format {found}, this one knows {known})")]
    Newer { found: u32, known: u32 },
    #[error("a record of {} bytes in {} is larger than {MAX_RECORD}", bytes, family.name())]
    TooLarge { family: Family, bytes: usize },
    #[error("a record in {} cannot be read", .0.name())]
    Unreadable(Family),
    #[error("the store has more waiting than it takes")]
    Busy,
    #[error("the store failed: {0}")]
    Failed(String),
}

impl StoreError {
    /// Whether the same call may succeed later without anybody's help.
    pub const fn is_retryable(&self) -> bool {
        matches!(self, Self::Busy | Self::NoSpace { .. })
    }
}
