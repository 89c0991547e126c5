//! A session as it is kept.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::TokenHash;
use crate::{
    domain::{AgentId, SessionId, Timestamp},
    store::{Family, Record},
};

/// How long a token that was rotated out still works, if its successor is not used before.
pub(super) const GRACE: Duration = Duration::from_secs(60);
/// Tokens that were rotated out and are still known, so that a thief who uses one gives himself away.
const SPENT: usize = 16;

/// How long sessions last, and how many an agent may have.
#[derive(Clone, Copy, Debug)]
pub struct Policy {
    /// Without any use.
    pub ttl: Duration,
    /// In all.
    pub max_age: Duration,
    pub max_sessions: usize,
}

/// Somebody who is signed in on a device, or was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    pub id: SessionId,
    pub agent: AgentId,
    /// What the device calls itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device_name: Option<String>,
    pub created_at: Timestamp,
    /// On disk it may be an hour old.
    pub last_used: Timestamp,
    pub(super) token: TokenHash,
    /// The token before, while this one was not used yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) rotated: Option<Rotated>,
    /// Tokens that must not come again, the oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) spent: Vec<TokenHash>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) ended: Option<Ended>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Rotated {
    pub(super) token: TokenHash,
    pub(super) at: Timestamp,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Ended {
    pub(super) how: End,
    pub(super) at: Timestamp,
    /// The agent has not been told yet to let go of the session's devices.
    pub(super) owed: bool,
}

/// Why a session is over before its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum End {
    /// A newer device has taken its place.
    Superseded,
    LoggedOut,
    /// By the agent from another device, or by an administrator.
    Revoked,
    /// A token came that had been rotated out: one of those who have one is a thief.
    Reused,
    /// It was not used for long, or had come to its greatest age.
    Expired,
}

impl Record for Session {
    const FAMILY: Family = Family::Sessions;
    const VERSION: u8 = 2;
    type Key = SessionId;

    fn key_bytes(id: &SessionId) -> Vec<u8> {
        id.to_bits().to_be_bytes().to_vec()
    }
}

impl Session {
    pub(super) const fn new(
        id: SessionId,
        agent: AgentId,
        token: TokenHash,
        device_name: Option<String>,
        now: Timestamp,
    ) -> Self {
        Self {
            id,
            agent,
            device_name,
            created_at: now,
            last_used: now,
            token,
            rotated: None,
            spent: Vec::new(),
            ended: None,
        }
    }

    /// When it is over unless it is used; use never takes it beyond its greatest age.
    pub fn expires_at(&self, policy: &Policy) -> Timestamp {
        (self.last_used + policy.ttl).min(self.last_possible(policy))
    }

    /// When it is over however much it is used.
    pub fn last_possible(&self, policy: &Policy) -> Timestamp {
        self.created_at + policy.max_age
    }

    pub(super) fn is_live(&self, policy: &Policy, now: Timestamp) -> bool {
        self.ended.is_none() && now < self.expires_at(policy)
    }

    /// All hashes by which it may be asked for.
    pub(super) fn tokens(&self) -> impl Iterator<Item = TokenHash> {
        let rotated = self.rotated.map(|rotated| rotated.token);
        [self.token].into_iter().chain(rotated).chain(self.spent.iter().copied())
    }

    /// The same with a new token. The one that it is asked for with is the one to go: its successor takes the place of one
    /// that was answered before and never came.
    pub(super) fn rotated_to(&self, token: TokenHash, now: Timestamp) -> Self {
        let mut next = self.clone();
        match self.rotated {
            Some(_) => next.spend(self.token),
            None => next.rotated = Some(Rotated { token: self.token, at: now }),
        }
        Self { token, ..next }
    }

    /// The same once its new token was used: the old one is good for nothing any more.
    pub(super) fn settled(&self) -> Self {
        let mut next = self.clone();
        if let Some(rotated) = next.rotated.take() {
            next.spend(rotated.token);
        }
        next
    }

    pub(super) fn ended(&self, how: End, now: Timestamp) -> Self {
        Self { ended: Some(Ended { how, at: now, owed: true }), ..self.clone() }
    }

    fn spend(&mut self, token: TokenHash) {
        self.spent.push(token);
        let excess = self.spent.len().saturating_sub(SPENT);
        self.spent.drain(..excess);
    }
}
