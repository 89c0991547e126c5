//! Who calls.

use std::future::{Ready, ready};

use actix_web::{FromRequest, HttpRequest, dev::Payload, http::header, web};

use super::{Api, failure::Failure};
use crate::{domain::AgentId, sessions::NoSession};

/// The agent whose token came with the request (RFC 6750, section 2.1).
#[derive(Clone, Copy, Debug)]
pub(super) struct Caller(pub(super) AgentId);

impl FromRequest for Caller {
    type Error = Failure;
    type Future = Ready<Result<Self, Failure>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(caller(request).map(Self))
    }
}

fn caller(request: &HttpRequest) -> Result<AgentId, Failure> {
    let api = request.app_data::<web::Data<Api>>().ok_or(Failure::NoAnswer)?;
    let given = request.headers().get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let token = given.and_then(bearer).ok_or(NoSession::Unknown)?;
    let agent = api.sessions.agent_of(token)?;
    // Whoever is disabled or removed is nobody from then on, whatever becomes of their sessions.
    api.book.enabled(agent).map(|_| agent).ok_or(NoSession::Unknown.into())
}

pub(super) fn bearer(authorization: &str) -> Option<&str> {
    let (scheme, token) = authorization.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}
