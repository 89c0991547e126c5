//! How a Web Push service refuses.

use super::PushAnswer;

/// An answer that is not 201.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{status}: {message}")]
pub(crate) struct Refused {
    /// HTTP status.
    pub(crate) status: u16,
    pub(crate) message: &'static str,
    /// `Retry-After`, in seconds.
    pub(crate) retry_after_s: Option<u32>,
}

impl Refused {
    pub(crate) const fn new(status: u16, message: &'static str) -> Self {
        Self { status, message, retry_after_s: None }
    }

    pub(super) const fn bad(message: &'static str) -> Self {
        Self::new(400, message)
    }

    pub(super) const fn unauthorized(message: &'static str) -> Self {
        Self::new(401, message)
    }

    /// What was asked for, if that is a refusal.
    pub(crate) fn on_demand(answer: PushAnswer) -> Result<(), Self> {
        let (status, message, retry_after_s) = match answer {
            PushAnswer::Accept | PushAnswer::Slow { .. } => return Ok(()),
            PushAnswer::Gone => (410, "the subscription is over", None),
            PushAnswer::NotFound => (404, "no such subscription", None),
            PushAnswer::Invalid => (400, "refused on demand", None),
            PushAnswer::Unauthorized => (401, "refused on demand", None),
            PushAnswer::Forbidden => (403, "refused on demand", None),
            PushAnswer::TooMany { retry_after_s } => (429, "too many messages", Some(retry_after_s)),
            PushAnswer::Failing => (500, "failing on demand", None),
            PushAnswer::Unavailable { retry_after_s } => (503, "unavailable on demand", retry_after_s),
        };
        Err(Self { status, message, retry_after_s })
    }
}
