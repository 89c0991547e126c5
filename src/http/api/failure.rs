//! Why the API does not do as asked, as a problem for programs and people (RFC 9457).

use std::{fmt, time::Duration};

use actix_web::{
    HttpResponse, ResponseError,
    error::JsonPayloadError,
    http::{StatusCode, header},
};

use super::problem;
use crate::{
    actors::{
        ask::{Denial, NoAnswer},
        devices::TooMany,
    },
    http::problem::unavailable,
    login::LoginError,
    push::TargetError,
    sessions::{NoSession, SessionError},
    twilio::{Refusal, TwilioError},
};

/// Seconds after which it is worth trying again.
const SOON: u32 = 2;
/// And where it takes an operator.
const LATER: u32 = 300;

/// What is answered in place of a result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Failure {
    NoSession(NoSession),
    Denied(Denial),
    NoAnswer,
    /// There is nothing of this name, or it is somebody else's.
    NotFound,
    /// The conversation is over for this agent.
    Closed,
    /// What was sent makes no sense; `.0` says what would.
    Malformed(&'static str),
    Invalid(&'static str),
    TooLarge(&'static str),
    /// The account's own rules keep the message back.
    Rejected,
    Refused,
    /// Twilio cannot be reached, or has too much to do: nothing was done.
    Unavailable,
    /// Nobody knows whether it was done.
    Unknown,
    /// The same, and when it is worth asking again with the same key.
    UnknownFor(Duration),
    /// A request with the same key is under way.
    InProgress,
    /// Another message had this key.
    KeyReused,
    /// The cookie came with a request that another site may have made.
    ForeignOrigin,
    /// A device that cannot be pushed to, or may not.
    Target(TargetError),
    TooManyDevices,
    /// A sign-in that comes to nothing, whatever the reason.
    BadCode,
    /// Too often; again in so many seconds.
    TooMany(u32),
    /// The operator has not set up signing in.
    NoLogin,
    /// The store is busy, or the daemon goes down.
    NotNow,
}

impl From<Denial> for Failure {
    fn from(denial: Denial) -> Self {
        if denial == Denial::NotFound { Self::NotFound } else { Self::Denied(denial) }
    }
}

impl From<NoAnswer> for Failure {
    fn from(_: NoAnswer) -> Self {
        Self::NoAnswer
    }
}

impl From<TargetError> for Failure {
    fn from(error: TargetError) -> Self {
        Self::Target(error)
    }
}

impl From<TooMany> for Failure {
    fn from(_: TooMany) -> Self {
        Self::TooManyDevices
    }
}

impl From<NoSession> for Failure {
    fn from(none: NoSession) -> Self {
        Self::NoSession(none)
    }
}

impl From<TwilioError> for Failure {
    fn from(error: TwilioError) -> Self {
        match error.refusal() {
            Some(Refusal::NotFound) => Self::NotFound,
            Some(Refusal::RejectedByWebhook) => Self::Rejected,
            Some(_) => Self::Refused,
            None if error.may_have_happened() => Self::Unknown,
            None => Self::Unavailable,
        }
    }
}

impl From<SessionError> for Failure {
    fn from(error: SessionError) -> Self {
        match error {
            SessionError::NoSession(none) => Self::NoSession(none),
            SessionError::NoRandomness | SessionError::Store(_) => Self::NotNow,
        }
    }
}

impl From<LoginError> for Failure {
    fn from(error: LoginError) -> Self {
        match error {
            LoginError::NotSetUp => Self::NoLogin,
            LoginError::BadCode => Self::BadCode,
            LoginError::TooMany { wait } => Self::TooMany(seconds(wait)),
            LoginError::Unavailable => Self::Unavailable,
            LoginError::Session(error) => error.into(),
        }
    }
}

/// A JSON body that is none.
pub(super) fn of_json(error: &JsonPayloadError) -> Failure {
    match error {
        JsonPayloadError::Overflow { .. } | JsonPayloadError::OverflowKnownLength { .. } => {
            Failure::TooLarge("the body is larger than 64 KB")
        }
        JsonPayloadError::Payload(_) => Failure::Malformed("the body did not arrive whole"),
        JsonPayloadError::ContentType => Failure::Malformed("the body must be JSON, and say so in its content type"),
        JsonPayloadError::Deserialize(error) if error.is_data() => {
            Failure::Invalid("the body is JSON, but not of the form that this call takes")
        }
        _ => Failure::Malformed("the body is not JSON"),
    }
}

impl Failure {
    fn answer(self) -> HttpResponse {
        match self {
            Self::NoSession(none) => unauthorized(code_of(none), &none.to_string()),
            Self::Denied(denial) => {
                let (status, code) = denied(denial);
                problem(status, code, &denial.to_string())
            }
            Self::NoAnswer => unavailable("no_answer", "the agent's part of the gateway is busy; try again", SOON),
            Self::NotFound => problem(StatusCode::NOT_FOUND, "not_found", "you have nothing of this name"),
            Self::Closed => {
                problem(StatusCode::CONFLICT, "closed", "the conversation is over: nothing can be written any more")
            }
            Self::Malformed(detail) => problem(StatusCode::BAD_REQUEST, "malformed", detail),
            Self::Invalid(detail) => problem(StatusCode::UNPROCESSABLE_ENTITY, "invalid", detail),
            Self::TooLarge(detail) => problem(StatusCode::PAYLOAD_TOO_LARGE, "too_large", detail),
            Self::Rejected => problem(
                StatusCode::UNPROCESSABLE_ENTITY,
                "rejected",
                "the contact centre's own rules keep this message back; it was not sent",
            ),
            Self::Refused => problem(StatusCode::BAD_GATEWAY, "refused", "Twilio refuses this; nothing was done"),
            Self::Unavailable => unavailable("twilio_unavailable", "Twilio cannot be reached; nothing was done", SOON),
            Self::Unknown => problem(
                StatusCode::GATEWAY_TIMEOUT,
                "unknown",
                "Twilio did not answer: look at the conversation before you try again",
            ),
            Self::UnknownFor(wait) => later(
                problem(
                    StatusCode::GATEWAY_TIMEOUT,
                    "unknown",
                    "nobody knows yet whether it was sent: ask again with the same key",
                ),
                seconds(wait),
            ),
            Self::InProgress => {
                problem(StatusCode::CONFLICT, "in_progress", "a request with the same key is under way")
            }
            Self::KeyReused => {
                problem(StatusCode::UNPROCESSABLE_ENTITY, "key_reused", "another message had this key: take a new one")
            }
            Self::ForeignOrigin => problem(
                StatusCode::FORBIDDEN,
                "foreign_origin",
                "with the cookie, requests must come from the app's own pages",
            ),
            Self::Target(error) => problem(StatusCode::UNPROCESSABLE_ENTITY, "invalid", &error.to_string()),
            Self::TooManyDevices => problem(
                StatusCode::CONFLICT,
                "too_many_devices",
                "you have as many devices as one may have: remove one first",
            ),
            Self::BadCode => {
                unauthorized("bad_code", "this code is not right, or not any more: try again, or ask for a new one")
            }
            Self::TooMany(seconds) => too_many(seconds),
            Self::NoLogin => unavailable("no_login", "signing in is not set up at this gateway", LATER),
            Self::NotNow => unavailable("busy", "the gateway cannot do this now; try again", SOON),
        }
    }
}

const fn denied(denial: Denial) -> (StatusCode, &'static str) {
    match denial {
        Denial::NotFound => (StatusCode::NOT_FOUND, "not_found"),
        Denial::Taken => (StatusCode::CONFLICT, "taken"),
        Denial::Gone => (StatusCode::CONFLICT, "gone"),
        Denial::NotPending => (StatusCode::CONFLICT, "not_pending"),
        Denial::NotAccepted => (StatusCode::CONFLICT, "not_accepted"),
        Denial::NotAChoice => (StatusCode::UNPROCESSABLE_ENTITY, "not_a_choice"),
    }
}

fn too_many(seconds: u32) -> HttpResponse {
    let response =
        problem(StatusCode::TOO_MANY_REQUESTS, "too_many", "there were too many tries; Retry-After says when to go on");
    later(response, seconds)
}

fn later(mut response: HttpResponse, seconds: u32) -> HttpResponse {
    response.headers_mut().insert(header::RETRY_AFTER, header::HeaderValue::from(seconds));
    response
}

fn seconds(wait: Duration) -> u32 {
    u32::try_from(wait.as_millis().div_ceil(1000)).unwrap_or(u32::MAX)
}

const fn code_of(none: NoSession) -> &'static str {
    match none {
        NoSession::Unknown => "no_session",
        NoSession::Expired => "expired",
        NoSession::Superseded => "superseded",
    }
}

fn unauthorized(code: &str, detail: &str) -> HttpResponse {
    let mut response = problem(StatusCode::UNAUTHORIZED, code, detail);
    response.headers_mut().insert(header::WWW_AUTHENTICATE, header::HeaderValue::from_static("Bearer"));
    response
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self:?}")
    }
}

impl ResponseError for Failure {
    fn status_code(&self) -> StatusCode {
        self.answer().status()
    }

    fn error_response(&self) -> HttpResponse {
        self.answer()
    }
}
