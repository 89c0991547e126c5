//! An agent's record in the store.

use serde::{Deserialize, Serialize};

use crate::{
    agent::{Agent, sends},
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

/// What an agent's apps have sent with keys of their own.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Sends(pub sends::Sends);

impl Record for Sends {
    const FAMILY: Family = Family::Sends;
    const VERSION: u8 = 1;
    type Key = AgentId;

    fn key_bytes(key: &AgentId) -> Vec<u8> {
        key.to_bits().to_be_bytes().to_vec()
    }
}
