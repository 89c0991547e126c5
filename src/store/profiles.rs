//! Agents' profiles as records.

use super::{Family, Record};
use crate::domain::{AgentId, Profile};

impl Record for Profile {
    const FAMILY: Family = Family::Profiles;
    const VERSION: u8 = 1;
    type Key = AgentId;

    fn key_bytes(id: &AgentId) -> Vec<u8> {
        id.to_bits().to_be_bytes().to_vec()
    }
}
