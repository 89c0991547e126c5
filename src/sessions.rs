//! Who is signed in: bearer tokens and whose they are.
//!
//! A token is 256 random bits. Only its SHA-256 is kept, so that nobody who reads the store can be somebody else; and since
//! what is looked up is a hash, how long that takes tells nothing of any token.

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use aws_lc_rs::{digest, rand};
use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};

use crate::{
    clock::Clock,
    domain::{AgentId, Timestamp},
    store::{Batch, Cursor, Family, Record, StoreError, StoreHandle},
};

/// How long a session lasts.
pub const SESSION_TTL: Duration = Duration::from_secs(7 * 24 * 3600);
/// Longer than any token: what is longer is not even hashed.
const LONGEST_TOKEN: usize = 64;

/// Somebody who is signed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    pub agent: AgentId,
    pub created_at: Timestamp,
    pub expires_at: Timestamp,
}

/// The SHA-256 of a token.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct TokenHash([u8; 32]);

impl TokenHash {
    fn of(token: &str) -> Self {
        let mut hash = [0; 32];
        hash.copy_from_slice(digest::digest(&digest::SHA256, token.as_bytes()).as_ref());
        Self(hash)
    }
}

impl fmt::Debug for TokenHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenHash")
    }
}

impl Record for Session {
    const FAMILY: Family = Family::Sessions;
    const VERSION: u8 = 1;
    type Key = TokenHash;

    fn key_bytes(key: &TokenHash) -> Vec<u8> {
        key.0.to_vec()
    }
}

/// Why a token lets nobody in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoSession {
    #[error("there is no such session: sign in")]
    Unknown,
    #[error("the session has expired: sign in again")]
    Expired,
}

#[derive(Clone, Debug, thiserror::Error)]
pub enum SessionError {
    #[error("there are no random bytes to be had")]
    NoRandomness,
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// All sessions. Clones are the same.
#[derive(Clone)]
pub struct Sessions {
    store: StoreHandle,
    clock: Clock,
    known: Arc<RwLock<HashMap<TokenHash, Session>>>,
}

impl Sessions {
    /// Reads all sessions; one that cannot be read is left out, and its agent signs in again.
    ///
    /// # Errors
    /// The store has failed.
    pub async fn open(store: &StoreHandle, clock: Clock) -> Result<Self, StoreError> {
        let mut known = HashMap::new();
        let see =
            |key: Cursor, session: Result<Session, StoreError>| match (<[u8; 32]>::try_from(key.as_bytes()), session) {
                (Ok(hash), Ok(session)) => drop(known.insert(TokenHash(hash), session)),
                (_, Err(error)) => tracing::error!(%error, "a session is left out"),
                (Err(_), Ok(_)) => tracing::error!("a session's key is none"),
            };
        store.visit(see).await?;
        Ok(Self { store: store.clone(), clock, known: Arc::new(RwLock::new(known)) })
    }

    /// Ends all sessions of an agent.
    ///
    /// # Errors
    /// The store has failed; the sessions let nobody in any more all the same, until the next start.
    pub async fn revoke_all(&self, agent: AgentId) -> Result<(), StoreError> {
        let mut batch = Batch::new();
        self.known.write().unwrap_or_else(PoisonError::into_inner).retain(|hash, session| {
            if session.agent == agent {
                batch.delete::<Session>(hash);
            }
            session.agent != agent
        });
        self.store.commit(batch).await.map(drop)
    }

    /// Whose a token is.
    ///
    /// # Errors
    /// [`NoSession`]
    pub fn agent_of(&self, token: &str) -> Result<AgentId, NoSession> {
        if token.len() > LONGEST_TOKEN {
            return Err(NoSession::Unknown);
        }
        let hash = TokenHash::of(token);
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        let session = known.get(&hash).ok_or(NoSession::Unknown)?;
        if self.clock.now() < session.expires_at { Ok(session.agent) } else { Err(NoSession::Expired) }
    }
}

/// Puts a new session into a batch; answers its token, which is told to nobody else.
///
/// # Errors
/// [`SessionError`]
pub fn begin(batch: &mut Batch, agent: AgentId, now: Timestamp) -> Result<SecretString, SessionError> {
    let mut bytes = [0; 32];
    rand::fill(&mut bytes).map_err(|_| SessionError::NoRandomness)?;
    let token = SecretString::from(BASE64_URL_SAFE_NO_PAD.encode(bytes));
    let session = Session { agent, created_at: now, expires_at: now + SESSION_TTL };
    batch.put(&TokenHash::of(token.expose_secret()), &session)?;
    Ok(token)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::MemoryStore;

    const NOON: Timestamp = Timestamp::from_millis(1_760_000_000_000);

    #[tokio::test]
    async fn a_token_lets_its_agent_in_until_it_expires_and_no_other_does() {
        let store: StoreHandle = Arc::new(MemoryStore::new());
        let (clock, hand) = Clock::manual(NOON);
        let mut batch = Batch::new();
        let token = begin(&mut batch, AgentId::from_bits(7), NOON).unwrap();
        store.commit(batch).await.unwrap();
        let sessions = Sessions::open(&store, clock).await.unwrap();
        let token = token.expose_secret();
        assert_eq!(sessions.agent_of(token), Ok(AgentId::from_bits(7)));
        let (start, long) = (&token[1..], format!("{token}{token}"));
        for wrong in ["", "x", start, &long, &token.to_uppercase()] {
            assert_eq!(sessions.agent_of(wrong), Err(NoSession::Unknown), "{wrong}");
        }
        hand.advance(SESSION_TTL);
        assert_eq!(sessions.agent_of(token), Err(NoSession::Expired));
    }

    #[tokio::test]
    async fn the_store_knows_no_token() {
        let mut batch = Batch::new();
        let token = begin(&mut batch, AgentId::from_bits(7), NOON).unwrap();
        assert_eq!(token.expose_secret().len(), 43);
        assert!(!format!("{batch:?}").contains(token.expose_secret()));
    }
}
