//! Messages that are written for agents, by name.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use super::IdError;

macro_rules! digest {
    ($(#[$doc:meta])* $name:ident, $what:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(u128);

        impl $name {
            pub const fn from_bits(bits: u128) -> Self {
                Self(bits)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{:032x}", self.0)
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                super::ids::long_hexadecimal(text, $what).map(Self)
            }
        }

        impl TryFrom<String> for $name {
            type Error = IdError;

            fn try_from(text: String) -> Result<Self, IdError> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.to_string()
            }
        }
    };
}

digest! {
    /// One message that an agent sends, however often it is asked for: half a SHA-256 of whose it is and its key, or random bits.
    /// It goes with the message to Twilio, so that the message is found again.
    SendId, "a send's id"
}

digest! {
    /// What a message says, and where: half a SHA-256 of it.
    Fingerprint, "a fingerprint"
}
