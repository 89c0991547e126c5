//! Tokens: 256 random bits that say who somebody is, and the hash that is kept of them.

use std::fmt;

use aws_lc_rs::{digest, rand};
use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize, de::Error as _};

use super::SessionError;

/// Longer than any token: what is longer is not even hashed.
const LONGEST: usize = 64;

/// The SHA-256 of a token. Since what is looked up is a hash, how long that takes tells nothing of any token.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct TokenHash([u8; 32]);

impl TokenHash {
    /// Of what somebody claims to be a token; none: it cannot be one.
    pub(super) fn of(token: &str) -> Option<Self> {
        if token.len() > LONGEST {
            return None;
        }
        let mut hash = [0; 32];
        hash.copy_from_slice(digest::digest(&digest::SHA256, token.as_bytes()).as_ref());
        Some(Self(hash))
    }
}

impl fmt::Debug for TokenHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenHash")
    }
}

impl Serialize for TokenHash {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&BASE64_URL_SAFE_NO_PAD.encode(self.0))
    }
}

impl<'de> Deserialize<'de> for TokenHash {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(text).map_err(|_| D::Error::custom("no hash"))?;
        bytes.try_into().map(Self).map_err(|_| D::Error::custom("no hash"))
    }
}

/// A new token and its hash.
pub(super) fn new() -> Result<(SecretString, TokenHash), SessionError> {
    let mut bytes = [0; 32];
    rand::fill(&mut bytes).map_err(|_| SessionError::NoRandomness)?;
    let token = SecretString::from(BASE64_URL_SAFE_NO_PAD.encode(bytes));
    let hash = TokenHash::of(token.expose_secret()).ok_or(SessionError::NoRandomness)?;
    Ok((token, hash))
}

/// 64 random bits for a name.
pub(super) fn random_bits() -> Result<u64, SessionError> {
    let mut bytes = [0; 8];
    rand::fill(&mut bytes).map_err(|_| SessionError::NoRandomness)?;
    Ok(u64::from_le_bytes(bytes))
}
