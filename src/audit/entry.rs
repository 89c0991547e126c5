//! One entry, and the chain that it is a link of.

use std::net::IpAddr;

use aws_lc_rs::digest;
use serde::{Deserialize, Serialize};

use crate::{
    domain::{AgentId, Timestamp},
    store::{Family, Record, Sequence},
};

/// Who did it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Actor {
    Agent {
        id: AgentId,
    },
    /// Whoever holds the bootstrap token.
    Bootstrap,
    /// The command line, on the stopped store.
    Operator,
    /// Somebody who was not signed in.
    Nobody,
    /// The gateway itself.
    Gateway,
}

/// What was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    CodeRequested,
    LoggedIn,
    LoggedOut,
    SessionRefreshed,
    /// A newer device took its place.
    SessionSuperseded,
    SessionRevoked,
    AgentAdded,
    AgentChanged,
    AgentRemoved,
    AgentsImported,
    AgentsExported,
}

/// What came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Result {
    Done,
    Denied,
    Failed,
}

/// What is to be written down. None of its texts holds a phone number, a code or a token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewEntry {
    pub actor: Actor,
    pub action: Action,
    /// To whom it was done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<AgentId>,
    /// The subject's, then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub department: Option<String>,
    /// Where the request came from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<IpAddr>,
    /// What the device calls itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device: Option<String>,
    pub outcome: Result,
    /// A few words of ours: which fields changed, why it was denied.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

/// An entry as it is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    pub number: Sequence,
    pub at: Timestamp,
    #[serde(flatten)]
    pub what: NewEntry,
    /// The hash of the entry before, in hexadecimal digits; of the first, 64 zeros.
    pub previous: String,
    /// SHA-256 of this entry's JSON without this field, which holds `previous`: a link of the chain.
    pub hash: String,
}

impl Record for Entry {
    const FAMILY: Family = Family::Audit;
    const VERSION: u8 = 1;
    type Key = Sequence;

    fn key_bytes(key: &Sequence) -> Vec<u8> {
        key.to_bytes()
    }
}

impl Entry {
    /// What the first entry's `previous` is.
    pub fn genesis() -> String {
        "0".repeat(64)
    }

    pub(super) fn link(number: Sequence, at: Timestamp, what: NewEntry, previous: &str) -> Self {
        let mut entry = Self { number, at, what, previous: previous.to_owned(), hash: String::new() };
        entry.hash = entry.computed_hash();
        entry
    }

    /// The hash that its content has.
    pub fn computed_hash(&self) -> String {
        let bare = Self { hash: String::new(), ..self.clone() };
        // A struct of texts and numbers is always JSON.
        let json = serde_json::to_vec(&bare).unwrap_or_default();
        digest::digest(&digest::SHA256, &json).as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
    }
}
