//! Why a notification was not delivered, sorted by what is to be done about it.
//!
//! No variant holds an answer's text, an endpoint or a token.

use std::time::Duration;

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Failure {
    /// The provider does not know the device any more: nothing will ever be delivered there.
    #[error("the device is gone ({reason})")]
    Gone { reason: &'static str },
    /// Another try may succeed; the provider may have said when.
    #[error("not now ({reason})")]
    Later { reason: &'static str, retry_after: Option<Duration> },
    /// It will not be taken, however often it is tried.
    #[error("refused ({reason})")]
    Refused { reason: &'static str },
}

impl Failure {
    pub(super) const fn later(reason: &'static str) -> Self {
        Self::Later { reason, retry_after: None }
    }

    /// The `reason` of `offdesk_push_failed_total`.
    pub(super) const fn reason(self) -> &'static str {
        match self {
            Self::Gone { reason } | Self::Later { reason, .. } | Self::Refused { reason } => reason,
        }
    }
}

/// What became of an item for good.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum End {
    /// The provider has it.
    Sent,
    /// Nobody wants to know any more.
    Expired,
    /// A newer one with the same tag takes its place.
    Replaced,
    /// Its device is gone.
    Gone,
    /// The provider will not have it.
    Refused,
}

impl End {
    /// The `reason` of `offdesk_push_dropped_total`; none for what was sent.
    pub(super) const fn dropped(self) -> Option<&'static str> {
        match self {
            Self::Sent => None,
            Self::Expired => Some("expired"),
            Self::Replaced => Some("replaced"),
            Self::Gone => Some("gone"),
            Self::Refused => Some("refused"),
        }
    }
}
