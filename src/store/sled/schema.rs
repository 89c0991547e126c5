//! The format of the store as a whole. A record's own format is told by its version byte.

use serde::{Deserialize, Serialize};

use super::super::StoreError;
use super::OpenError;

/// The format this version writes.
pub(crate) const SCHEMA: u32 = 1;

/// Where it stands in `Family::Meta`.
pub(crate) const SCHEMA_KEY: &[u8] = b"schema";

#[derive(Serialize, Deserialize)]
struct Schema {
    schema: u32,
}

/// As it lies in the store: a version byte, then JSON, like every record.
pub(super) fn value() -> Vec<u8> {
    format!("\u{1}{{\"schema\":{SCHEMA}}}").into_bytes()
}

/// Whether the store is new. A newer version's store is refused as it stands: it is neither damaged nor ours to read.
pub(super) fn check(found: Option<Vec<u8>>) -> Result<bool, OpenError> {
    let Some(value) = found else { return Ok(true) };
    let json = value.get(1..).unwrap_or_default();
    let Schema { schema } =
        serde_json::from_slice(json).map_err(|_| OpenError::Broken("the store's format cannot be read".to_owned()))?;
    if schema > SCHEMA {
        return Err(OpenError::Refused(StoreError::Newer { found: schema, known: SCHEMA }));
    }
    Ok(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_understood() {
        assert!(matches!(check(None), Ok(true)));
        assert!(matches!(check(Some(value())), Ok(false)));
    }

    #[test]
    fn a_newer_format_is_refused_and_a_torn_one_is_damage() {
        let newer = check(Some(b"\x01{\"schema\":2}".to_vec()));
        assert!(matches!(newer, Err(OpenError::Refused(StoreError::Newer { found: 2, known: 1 }))));
        assert!(matches!(check(Some(b"\x01{\"sch".to_vec())), Err(OpenError::Broken(_))));
        assert!(matches!(check(Some(Vec::new())), Err(OpenError::Broken(_))));
    }
}
