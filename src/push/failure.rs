//! Why a notification was not delivered, sorted by what is to be done about it.
//!
//! No variant holds an answer's text, an endpoint or a token.

use std::time::Duration;

use super::policy::HeldBack;

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Failure {
    /// The provider does not know the device any more: nothing will ever be delivered there.
    #[error("the device is gone ({reason})")]
    Gone { reason: &'static str },
    /// Another try may succeed; the service may have said when.
    #[error("not now ({reason})")]
    Later { reason: &'static str, retry_after: Option<Duration>, scope: Scope },
    /// It will not be taken, however often it is tried.
    #[error("refused ({reason})")]
    Refused { reason: &'static str },
}

/// Whom a failure that may pass concerns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scope {
    /// All devices of the service.
    Service,
    /// This one alone.
    Device,
}

impl Failure {
    pub(super) const fn later(reason: &'static str) -> Self {
        Self::Later { reason, retry_after: None, scope: Scope::Service }
    }

    /// It is not the service that is busy, but we are.
    pub(super) const fn busy(reason: &'static str) -> Self {
        Self::Later { reason, retry_after: None, scope: Scope::Device }
    }

    /// Whether the device is of no use any more.
    pub(super) const fn is_final_for_device(self) -> bool {
        matches!(self, Self::Gone { .. })
    }

    /// The `reason` of `offdesk_push_failed_total`.
    pub(super) const fn reason(self) -> &'static str {
        match self {
            Self::Gone { reason } | Self::Later { reason, .. } | Self::Refused { reason } => reason,
        }
    }
}

/// A push that was not delivered: why, and what the service answered, if it did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Undelivered {
    pub(super) failure: Failure,
    pub(super) status: Option<u16>,
}

impl Undelivered {
    pub(super) const fn answered(failure: Failure, status: u16) -> Self {
        Self { failure, status: Some(status) }
    }
}

impl From<Failure> for Undelivered {
    fn from(failure: Failure) -> Self {
        Self { failure, status: None }
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
    /// Its agent does not want to be told of it.
    HeldBack(HeldBack),
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
            Self::HeldBack(HeldBack::Muted) => Some("muted"),
            Self::HeldBack(HeldBack::QuietHours) => Some("quiet_hours"),
        }
    }
}
