//! Why something is not done, as a problem for programs and people (RFC 9457). No answer tells more of an agent than whoever
//! asked may see: a duplicate is told by its field alone.

use std::fmt;

use actix_web::{
    HttpResponse, ResponseError,
    http::{StatusCode, header},
};

use super::super::failure::Failure;
use crate::{
    access::Forbidden,
    http::problem::{problem, unavailable},
    roster::{BookError, Clash, FieldError},
};

/// Seconds after which it is worth trying again.
const SOON: u32 = 2;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// As for everybody: no session, a body that is none.
    Api(Failure),
    Forbidden(Forbidden),
    NotFound,
    /// Fields that are wrong, one a line.
    Invalid(String),
    /// Fields that another agent has too.
    Duplicate(String),
    TooLarge(&'static str),
    /// Nothing was changed.
    NotStored,
    /// It was changed, but who was signed in may be so again once the agent is enabled.
    SessionsLeft,
}

impl From<Failure> for Refusal {
    fn from(failure: Failure) -> Self {
        Self::Api(failure)
    }
}

impl From<Forbidden> for Refusal {
    fn from(why: Forbidden) -> Self {
        Self::Forbidden(why)
    }
}

impl From<Vec<FieldError>> for Refusal {
    fn from(errors: Vec<FieldError>) -> Self {
        Self::Invalid(in_a_row(&errors))
    }
}

impl From<BookError> for Refusal {
    fn from(error: BookError) -> Self {
        match error {
            BookError::NotFound => Self::NotFound,
            BookError::Forbidden(why) => Self::Forbidden(why),
            BookError::Clashes(clashes) => Self::Duplicate(same(&clashes)),
            BookError::ImportClashes(clashes) => {
                let told = clashes.iter().map(|(place, clashes)| format!("agent {}: {}", place + 1, same(clashes)));
                Self::Duplicate(in_a_row(&told.collect::<Vec<_>>()))
            }
            BookError::NoSip => Self::Invalid("sip_password: softphones are not configured".into()),
            BookError::NoRandomness | BookError::Store(_) => {
                tracing::error!(%error, "the agents could not be changed");
                Self::NotStored
            }
        }
    }
}

/// A JSON body that is none.
pub(super) fn of_json(error: &actix_web::Error) -> Refusal {
    // The API's own handler of such errors has made it so.
    Refusal::Api(error.as_error().copied().unwrap_or(Failure::Malformed("the body is not JSON")))
}

fn same(clashes: &[Clash]) -> String {
    let told = clashes.iter().map(|clash| format!("{}: another agent has the same", clash.field));
    told.collect::<Vec<_>>().join("; ")
}

pub(super) fn in_a_row<T: fmt::Display>(items: &[T]) -> String {
    items.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

impl Refusal {
    fn answer(&self) -> HttpResponse {
        match self {
            Self::Api(failure) => failure.error_response(),
            Self::Forbidden(why) => problem(StatusCode::FORBIDDEN, "forbidden", &why.to_string()),
            Self::NotFound => problem(StatusCode::NOT_FOUND, "not_found", "there is no such agent"),
            Self::Invalid(detail) => problem(StatusCode::UNPROCESSABLE_ENTITY, "invalid", detail),
            Self::Duplicate(detail) => problem(StatusCode::CONFLICT, "duplicate", detail),
            Self::TooLarge(detail) => {
                // The rest of the body is not read: the connection cannot be used again.
                let mut response = problem(StatusCode::PAYLOAD_TOO_LARGE, "too_large", detail);
                response.head_mut().set_connection_type(actix_web::http::ConnectionType::Close);
                response
            }
            Self::SessionsLeft => unavailable(
                "sessions_left",
                "the agent is changed, but its sessions could not be ended; try again",
                SOON,
            ),
            Self::NotStored => unavailable("not_stored", "it cannot be stored now; nothing was changed", SOON),
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self:?}")
    }
}

impl ResponseError for Refusal {
    fn status_code(&self) -> StatusCode {
        self.answer().status()
    }

    fn error_response(&self) -> HttpResponse {
        let mut response = self.answer();
        response.headers_mut().insert(header::CACHE_CONTROL, header::HeaderValue::from_static("no-store"));
        response
    }
}
