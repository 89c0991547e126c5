//! Twilio's identifiers: a prefix of two letters and 32 lower-case hexadecimal digits.

use std::{fmt, sync::Arc};

use aws_lc_rs::digest;
use serde::{Deserialize, Serialize};

/// The sid of anything at Twilio.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub struct Sid(Arc<str>);

impl Sid {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<String> for Sid {
    fn from(text: String) -> Self {
        Self(text.into())
    }
}

impl From<&str> for Sid {
    fn from(text: &str) -> Self {
        Self(text.into())
    }
}

impl From<Sid> for String {
    fn from(sid: Sid) -> Self {
        sid.0.as_ref().to_owned()
    }
}

impl PartialEq<str> for Sid {
    fn eq(&self, other: &str) -> bool {
        &*self.0 == other
    }
}

impl PartialEq<&str> for Sid {
    fn eq(&self, other: &&str) -> bool {
        &*self.0 == *other
    }
}

impl fmt::Display for Sid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Makes sids: the same seed makes the same ones in the same order, and they look as random as Twilio's.
#[derive(Clone, Debug)]
pub(crate) struct SidMaker {
    seed: u64,
    made: u64,
}

impl SidMaker {
    pub(crate) const fn new(seed: u64) -> Self {
        Self { seed, made: 0 }
    }

    pub(crate) fn make(&mut self, prefix: &str) -> Sid {
        self.made += 1;
        Sid(format!("{prefix}{}", hex32(&format!("{}:{prefix}:{}", self.seed, self.made))).into())
    }
}

/// A sid that follows from its name, for what must have the same one at every start.
pub(crate) fn named(prefix: &str, name: &str) -> Sid {
    Sid(format!("{prefix}{}", hex32(name)).into())
}

fn hex32(text: &str) -> String {
    let hash = digest::digest(&digest::SHA256, text.as_bytes());
    hash.as_ref().iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}
