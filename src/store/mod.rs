//! What must survive: a handful of record families, changed in atomic batches that are on disk when they are answered.
//!
//! The trait stands here; `sled` implements it for the daemon, [`MemoryStore`] for tests, and one suite holds both to
//! it. Nobody outside sees keys or bytes of a backend: a [`Record`] knows its family, its version and how its key is
//! spelled, and the typed functions on `dyn Store` ([`typed`]) speak in records. [`open`] opens the daemon's store,
//! whatever state the last run left it in.

pub mod backup;
mod batch;
mod lock;
mod memory;
mod open;
#[cfg(test)]
mod open_tests;
pub mod profiles;
mod record;
mod sled;
#[cfg(test)]
mod suite;
pub mod typed;
mod wait;

use std::{future::Future, pin::Pin, sync::Arc};

pub use self::{
    batch::{Batch, MAX_BATCH},
    memory::MemoryStore,
    open::{Damage, Opened, Options, Restored, open},
    record::{MAX_RECORD, Record, Sequence},
    sled::{Durability, Fatal, SpaceRule},
    typed::{Cursor, Page, Row},
    wait::wait,
};

/// What a store promises to answer later.
pub type Pending<T> = Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send + 'static>>;

/// A store that several owners hold. It is closed by [`Store::close`], or by itself when the last of them lets go.
pub type StoreHandle = Arc<dyn Store>;

/// A kind of record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Family {
    /// What the store knows of itself, and marks such as "read up to".
    Meta,
    /// Webhooks accepted, not yet handled; key: [`Sequence`].
    Inbox,
    /// Keys of events accepted of late, so that none acts twice.
    Seen,
    /// Agents, as administrators know them.
    Profiles,
    /// Agents, as their actors know them.
    Agents,
    /// Where agents' notifications go.
    Devices,
    /// Notifications that are not delivered yet; key: [`Sequence`].
    Outbox,
    /// Who is signed in.
    Sessions,
    /// Who did what; key: [`Sequence`].
    Audit,
    /// What devices' push services last took.
    Deliveries,
    /// Notifications that were never delivered; key: [`Sequence`].
    DeadLetters,
    /// Where softphones are; key: [`Sequence`].
    Bindings,
    /// What agents' apps have sent with keys of their own.
    Sends,
    /// How long tasks were worked on, by day and agent.
    HandleTimes,
}

impl Family {
    pub const ALL: [Self; 14] = [
        Self::Meta,
        Self::Inbox,
        Self::Seen,
        Self::Profiles,
        Self::Agents,
        Self::Devices,
        Self::Outbox,
        Self::Sessions,
        Self::Audit,
        Self::Deliveries,
        Self::DeadLetters,
        Self::Bindings,
        Self::Sends,
        Self::HandleTimes,
    ];

    /// Its name in backups.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Meta => "meta",
            Self::Inbox => "inbox",
            Self::Seen => "seen",
            Self::Profiles => "profiles",
            Self::Agents => "agents",
            Self::Devices => "devices",
            Self::Outbox => "outbox",
            Self::Sessions => "sessions",
            Self::Audit => "audit",
            Self::Deliveries => "deliveries",
            Self::DeadLetters => "dead_letters",
            Self::Bindings => "bindings",
            Self::Sends => "sends",
            Self::HandleTimes => "handle_times",
        }
    }

    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|family| family.name() == name)
    }

    /// The first byte of every key of this family in a backend. It is part of the format on disk.
    const fn tag(self) -> u8 {
        match self {
            Self::Meta => b'm',
            Self::Inbox => b'i',
            Self::Seen => b's',
            Self::Profiles => b'p',
            Self::Agents => b'a',
            Self::Devices => b'd',
            Self::Outbox => b'o',
            Self::Sessions => b'l',
            Self::Audit => b'u',
            Self::Deliveries => b'v',
            Self::DeadLetters => b'x',
            Self::Bindings => b'b',
            Self::Sends => b'k',
            Self::HandleTimes => b't',
        }
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

/// The raw store. Callers read by the typed functions on `dyn Store` ([`typed`]).
///
/// Every call takes its place in one queue when it is made, not when its answer is awaited: a read sees every batch, soft
/// or not, that was given before it. What a read shows is on disk, soft batches apart.
pub trait Store: Send + Sync + 'static {
    /// Applies a batch, atomically over all families, and answers after the fsync.
    ///
    /// Errors: [`StoreError::Busy`], [`StoreError::NoSpace`], [`StoreError::BatchTooLarge`] and [`StoreError::Closed`], which
    /// changed nothing, and [`StoreError::Failed`], after which nobody knows whether the batch holds.
    fn commit(&self, batch: Batch) -> Pending<Outcome>;

    /// Takes a batch that is written in good time; it may be lost with the power. An error says only that it was not
    /// taken.
    fn commit_soft(&self, batch: Batch) -> Result<(), StoreError>;

    /// Answers when everything taken so far is on disk and the files are closed. Every later call is answered
    /// [`StoreError::Closed`].
    fn close(&self) -> Pending<()>;

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
    #[error("it is damaged: {0}")]
    Damaged(String),
    #[error("a record of {} bytes in {} is larger than {MAX_RECORD}", bytes, family.name())]
    TooLarge { family: Family, bytes: usize },
    #[error("a batch of {bytes} bytes is larger than {MAX_BATCH}")]
    BatchTooLarge { bytes: usize },
    #[error("a record in {} cannot be read", .0.name())]
    Unreadable(Family),
    #[error("the store has more waiting than it takes")]
    Busy,
    #[error("the store is closed")]
    Closed,
    #[error("the store failed: {0}")]
    Failed(String),
}

impl StoreError {
    /// Whether the record itself is at fault.
    pub const fn is_unreadable(&self) -> bool {
        matches!(self, Self::Unreadable(_))
    }

    /// Whether the same call may succeed later without anybody's help.
    pub const fn is_retryable(&self) -> bool {
        matches!(self, Self::Busy | Self::NoSpace { .. })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_family_has_a_tag_and_a_name_of_its_own() {
        assert_eq!(Family::ALL.map(Family::tag).into_iter().collect::<BTreeSet<_>>().len(), Family::ALL.len());
        for family in Family::ALL {
            assert_eq!(Family::from_name(family.name()), Some(family));
        }
    }
}
