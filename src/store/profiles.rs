//! Agents' profiles as records, and imports of many: too many for one batch, and yet all or none.

use serde::{Deserialize, Serialize};

use super::{Batch, Family, Record, Store, StoreError};
use crate::domain::{AgentId, Profile, Timestamp};

/// Agents a batch when an import is taken back.
const STEP: usize = 1000;

impl Record for Profile {
    const FAMILY: Family = Family::Profiles;
    const VERSION: u8 = 1;
    type Key = AgentId;

    fn key_bytes(id: &AgentId) -> Vec<u8> {
        id.to_bits().to_be_bytes().to_vec()
    }
}

/// That an import is under way. It is written before the first agent and goes with the last one: where it is found later,
/// the import was cut off.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Import {
    /// When all of its agents were created, and no other.
    pub of: Timestamp,
}

impl Record for Import {
    const FAMILY: Family = Family::Meta;
    const VERSION: u8 = 1;
    type Key = ();

    fn key_bytes((): &()) -> Vec<u8> {
        b"import".to_vec()
    }
}

/// Removes the agents of an import that was cut off, if there was one; answers how many they were. Whoever opens the store
/// calls it before anything else.
pub async fn take_back_import(store: &dyn Store) -> Result<usize, StoreError> {
    let Some(import) = store.get::<Import>(&()).await? else { return Ok(0) };
    let mut added = Vec::new();
    store
        .visit::<Profile>(|_, profile| match profile {
            Ok(profile) if profile.created_at == import.of => added.push(profile.id),
            _ => {} // another's, or unreadable: that is told by those who need it
        })
        .await?;
    for ids in added.chunks(STEP) {
        let mut batch = Batch::new();
        for id in ids {
            batch.delete::<Profile>(id);
        }
        store.commit(batch).await?;
    }
    let mut ended = Batch::new();
    ended.delete::<Import>(&());
    store.commit(ended).await?;
    tracing::warn!(agents = added.len(), "an import had been cut off: its agents were removed");
    Ok(added.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        roster::Draft,
        store::{MemoryStore, StoreHandle, wait},
    };

    fn added(store: &StoreHandle, ids: std::ops::Range<u64>, at: u64) {
        let mut batch = Batch::new();
        for number in ids {
            let id = AgentId::from_bits(number);
            let draft = Draft::from_json(&format!(r#"{{"phone":"+1555{number:07}","name":"A"}}"#)).unwrap();
            batch.put(&id, &draft.into_profile(id, Timestamp::from_millis(at))).unwrap();
        }
        wait(store.commit(batch)).unwrap();
    }

    fn ids(store: &StoreHandle) -> Vec<u64> {
        let rows = wait(store.scan::<Profile>(None, 10_000)).unwrap();
        rows.iter().map(|row| row.record.id.to_bits()).collect()
    }

    #[test]
    fn an_import_that_was_cut_off_is_taken_back_and_the_others_stay() {
        let store: StoreHandle = std::sync::Arc::new(MemoryStore::new());
        added(&store, 0..3, 1);
        let mut begun = Batch::new();
        begun.put(&(), &Import { of: Timestamp::from_millis(2) }).unwrap();
        wait(store.commit(begun)).unwrap();
        added(&store, 10..2510, 2);
        assert_eq!(wait(take_back_import(&*store)), Ok(2500));
        assert_eq!(ids(&store), [0, 1, 2]);
        added(&store, 10..11, 2);
        assert_eq!(wait(take_back_import(&*store)), Ok(0));
        assert_eq!(ids(&store), [0, 1, 2, 10]);
    }
}
