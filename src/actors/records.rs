//! An agent's record in the store.

use serde::{Deserialize, Serialize};

use crate::{
    agent::Agent,
    domain::AgentId,
    store::{Family, Record},
};

/// The whole state of an agent, as its actor last wrote it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AgentRecord(pub Agent);

impl Record for AgentRecord {
    const FAMILY: Family = Family::Agents;
    const VERSION: u8 = 1;
    type Key = AgentId;

    fn key_bytes(key: &AgentId) -> Vec<u8> {
        key.to_bits().to_be_bytes().to_vec()
    }
}
