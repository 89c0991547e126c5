//! What is kept, and how it is spelled: one byte of version, then JSON.

use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::{Family, StoreError};

/// A record's largest size in bytes, key and version byte included. The bound keeps a page of the tree from outgrowing
/// the log (see `sled::SEGMENT_BYTES`) and one webhook from filling the queue.
pub const MAX_RECORD: usize = 64 * 1024;

/// A value that is kept. It is written as one byte of version and then JSON, at most [`MAX_RECORD`] bytes.
pub trait Record: Serialize + DeserializeOwned {
    const FAMILY: Family;
    const VERSION: u8;
    type Key;

    /// The key's bytes; their order is the order of a scan.
    fn key_bytes(key: &Self::Key) -> Vec<u8>;

    /// Reads the JSON that `version` wrote, which is [`Record::VERSION`] or an older one. Records whose older versions
    /// read well with serde's defaults need nothing here.
    fn decode(_version: u8, json: &[u8]) -> serde_json::Result<Self> {
        serde_json::from_slice(json)
    }
}

pub(super) fn encode<R: Record>(key: &[u8], record: &R) -> Result<Vec<u8>, StoreError> {
    let mut value = Vec::with_capacity(512);
    value.push(R::VERSION);
    serde_json::to_writer(&mut value, record).map_err(|_| StoreError::Unreadable(R::FAMILY))?;
    let bytes = key.len() + value.len();
    if bytes > MAX_RECORD {
        return Err(StoreError::TooLarge { family: R::FAMILY, bytes });
    }
    Ok(value)
}

/// Refuses what a newer version wrote: reading it halfway and writing it back would lose what this one does not know.
pub(super) fn decode<R: Record>(value: &[u8]) -> Result<R, StoreError> {
    let (&version, json) = value.split_first().ok_or(StoreError::Unreadable(R::FAMILY))?;
    if version > R::VERSION {
        return Err(StoreError::Newer { found: version.into(), known: R::VERSION.into() });
    }
    R::decode(version, json).map_err(|_| StoreError::Unreadable(R::FAMILY))
}

/// A place in an order, such as the inbox's. Its bytes are big endian, so that they sort as the numbers do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Sequence(u64);

impl Sequence {
    pub const fn new(number: u64) -> Self {
        Self(number)
    }

    pub const fn get(self) -> u64 {
        self.0
    }

    pub const fn next(self) -> Self {
        Self(self.0 + 1)
    }

    pub fn to_bytes(self) -> Vec<u8> {
        self.0.to_be_bytes().to_vec()
    }

    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        Some(Self(u64::from_be_bytes(bytes.try_into().ok()?)))
    }
}
