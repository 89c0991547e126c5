//! How Twilio refuses (<https://www.twilio.com/docs/usage/twilios-response#twilio-api-response-exceptions>).

use serde_json::{Value, json};

/// An answer that is not 2xx.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{status} {code}: {message}")]
pub struct Refusal {
    /// HTTP status.
    pub status: u16,
    /// Twilio's error code.
    pub code: u32,
    pub message: String,
    /// `Retry-After`, in seconds.
    pub retry_after_s: Option<u32>,
}

impl Refusal {
    pub(crate) fn new(status: u16, code: u32, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into(), retry_after_s: None }
    }

    /// A request that makes no sense: 400 and 20001.
    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        Self::new(400, 20001, message)
    }

    /// One of the many codes that come with a 400.
    pub(crate) fn twilio(code: u32, message: &str) -> Self {
        Self::new(400, code, message)
    }

    pub(crate) fn not_found() -> Self {
        Self::new(404, 20404, "The requested resource was not found")
    }

    pub(crate) fn unauthorized() -> Self {
        Self::new(401, 20003, "Authenticate")
    }

    pub(crate) fn precondition() -> Self {
        Self::new(412, 20412, "If-Match header does not match the ETag of the resource")
    }

    pub(crate) fn method() -> Self {
        Self::new(405, 20004, "Method not allowed")
    }

    pub(crate) fn body(&self) -> Value {
        json!({
            "code": self.code,
            "message": self.message,
            "more_info": format!("https://www.twilio.com/docs/errors/{}", self.code),
            "status": self.status,
        })
    }
}
