//! How FCM refuses (<https://firebase.google.com/docs/reference/fcm/rest/v1/ErrorCode>).

use serde_json::{Value, json};

use crate::push::PushAnswer;

/// An answer that is not 200.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Failure {
    /// HTTP status.
    pub(crate) status: u16,
    /// `google.rpc.Code`.
    word: &'static str,
    /// `errorCode` of FCM.
    code: Option<&'static str>,
    message: String,
    /// What in the request is wrong.
    field: Option<String>,
    /// `Retry-After`, in seconds.
    pub(crate) retry_after_s: Option<u32>,
}

impl Failure {
    fn new(status: u16, word: &'static str, code: Option<&'static str>, message: &str) -> Self {
        Self { status, word, code, message: message.to_owned(), field: None, retry_after_s: None }
    }

    /// A request that FCM does not understand: `field` is the place in it.
    pub(super) fn invalid(field: &str, message: &str) -> Self {
        let field = Some(field.to_owned());
        Self { field, ..Self::new(400, "INVALID_ARGUMENT", Some("INVALID_ARGUMENT"), message) }
    }

    pub(crate) fn unknown_token() -> Self {
        Self::invalid("message.token", "The registration token is not a valid FCM registration token")
    }

    pub(crate) fn unauthenticated() -> Self {
        let message = "Request had invalid authentication credentials. Expected OAuth 2 access token.";
        Self::new(401, "UNAUTHENTICATED", None, message)
    }

    pub(crate) fn other_project() -> Self {
        Self::new(403, "PERMISSION_DENIED", Some("SENDER_ID_MISMATCH"), "SenderId mismatch")
    }

    /// What was asked for, if that is a refusal.
    pub(crate) fn on_demand(answer: PushAnswer) -> Result<(), Self> {
        Err(match answer {
            PushAnswer::Accept | PushAnswer::Slow { .. } => return Ok(()),
            PushAnswer::Gone | PushAnswer::NotFound => {
                Self::new(404, "NOT_FOUND", Some("UNREGISTERED"), "Requested entity was not found.")
            }
            PushAnswer::Invalid => Self::invalid("message.android", "Refused on demand."),
            PushAnswer::Unauthorized => Self::unauthenticated(),
            PushAnswer::Forbidden => Self::other_project(),
            PushAnswer::TooMany { retry_after_s } => Self {
                retry_after_s: Some(retry_after_s),
                ..Self::new(429, "RESOURCE_EXHAUSTED", Some("QUOTA_EXCEEDED"), "Resource has been exhausted.")
            },
            PushAnswer::Failing => Self::new(500, "INTERNAL", Some("INTERNAL"), "Internal error encountered."),
            PushAnswer::Unavailable { retry_after_s } => Self {
                retry_after_s,
                ..Self::new(503, "UNAVAILABLE", Some("UNAVAILABLE"), "The service is currently unavailable.")
            },
        })
    }

    pub(crate) fn body(&self) -> Value {
        let fcm = self
            .code
            .map(|code| json!({ "@type": "type.googleapis.com/google.firebase.fcm.v1.FcmError", "errorCode": code }));
        let bad = self.field.as_ref().map(|field| {
            let violations = json!([{ "field": field, "description": self.message }]);
            json!({ "@type": "type.googleapis.com/google.rpc.BadRequest", "fieldViolations": violations })
        });
        let details: Vec<_> = fcm.into_iter().chain(bad).collect();
        json!({ "error": { "code": self.status, "message": self.message, "status": self.word, "details": details } })
    }
}
