//! What a registrar grants, refuses and tells.

use super::{Aor, BindingId};
use crate::message::Code;

/// What is granted. Times are in seconds.
#[derive(Clone, Debug)]
pub struct Policy {
    /// Less is refused with 423; 0 takes away.
    pub min: u32,
    /// For whoever asks for nothing.
    pub default: u32,
    /// More is cut to this.
    pub max: u32,
    /// Bindings of one AOR. It protects memory, and callers from a phone that registers anew without end.
    pub most_bindings: usize,
    /// Our own FCM project, for which tokens are taken (`pn-param`). None: nobody can be woken.
    pub push_project: Option<String>,
    /// How long a phone that can be woken is kept once its time is over.
    pub asleep: u32,
}

impl Default for Policy {
    /// An hour at most, ten phones of a user, and nobody can be woken. A phone that could be is kept for 30 days.
    fn default() -> Self {
        Self { min: 60, default: 300, max: 3600, most_bindings: 10, push_project: None, asleep: 30 * 24 * 3600 }
    }
}

/// Why a REGISTER changes nothing. As text it is the answer's reason phrase.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("Contact * Without Expires 0")]
    Star,
    /// No SIP URI, or a preference that is none.
    #[error("Malformed Contact")]
    Contact,
    #[error("Contact Too Long")]
    TooLong,
    /// The same Call-ID with a CSeq that is not higher (RFC 3261 §10.3, step 7).
    #[error("CSeq Not Above The Last")]
    OutOfOrder,
    #[error("Interval Too Brief")]
    TooBrief,
    #[error("Too Many Contacts")]
    TooMany,
    /// Another provider than FCM, or another project than ours.
    #[error("Push Notification Service Not Supported")]
    Push,
    #[error("First Hop Lacks Outbound Support")]
    FirstHop,
}

/// One binding is not what it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Change {
    pub aor: Aor,
    pub id: BindingId,
    pub what: Changed,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Changed {
    /// There was none before: [`Registrar::binding`] tells what it is.
    New,
    /// It was renewed, or awoke: the same tells what it is now.
    Renewed,
    /// Its time is over, but it can be woken.
    Asleep,
    Removed,
}

impl Refusal {
    pub const fn code(self) -> Code {
        match self {
            Self::Star | Self::Contact | Self::TooLong | Self::OutOfOrder => Code::BAD_REQUEST,
            Self::TooBrief => Code::INTERVAL_TOO_BRIEF,
            Self::TooMany => Code::FORBIDDEN,
            Self::Push => Code::PUSH_NOT_SUPPORTED,
            Self::FirstHop => Code::FIRST_HOP_LACKS_OUTBOUND,
        }
    }
}
