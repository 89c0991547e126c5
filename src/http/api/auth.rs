//! Who calls: by a bearer token (RFC 6750, section 2.1), or by the cookie that browsers keep where no script can read it.
//!
//! A bearer token wins, and is all that is looked at. The cookie counts only in requests that the app's own pages make: those
//! name their origin, unless they only read.

use std::{
    future::{Ready, ready},
    net::IpAddr,
};

use actix_web::{
    FromRequest, HttpRequest,
    dev::Payload,
    http::{Method, header},
    web,
};
use futures_util::future::{Either, LocalBoxFuture};
use secrecy::{ExposeSecret, SecretString};

use super::{Api, failure::Failure};
use crate::{
    domain::AgentId,
    http::client,
    sessions::{Begun, Checked, NoSession, Origin, Unsettled, Who},
};

/// The cookie's name.
pub(super) const COOKIE: &str = "offdesk";

/// The agent whose token came with the request.
#[derive(Clone, Copy, Debug)]
pub(super) struct Caller(pub(super) AgentId);

/// The session whose token came with the request, and how.
#[derive(Clone, Copy, Debug)]
pub(super) struct SignedIn {
    pub(super) who: Who,
    pub(super) by: By,
}

/// What a request proves with whose it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum By {
    Bearer,
    Cookie,
}

/// Where the request comes from.
#[derive(Clone, Copy, Debug)]
pub(super) struct Client(pub(super) IpAddr);

type Checking<T> = Either<Ready<Result<T, Failure>>, LocalBoxFuture<'static, Result<T, Failure>>>;

impl FromRequest for SignedIn {
    type Error = Failure;
    type Future = Checking<Self>;

    /// A warm token is checked on the spot; only what must be on disk first is waited for.
    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let Some(api) = request.app_data::<web::Data<Api>>() else {
            return Either::Left(ready(Err(Failure::NoAnswer)));
        };
        let (token, by) = match token_of(request, api) {
            Ok(found) => found,
            Err(failure) => return Either::Left(ready(Err(failure))),
        };
        match api.sessions.check(token.expose_secret()) {
            Checked::Good(who) => Either::Left(ready(enabled(api, who).map(|who| Self { who, by }))),
            Checked::Bad(none) => Either::Left(ready(Err(none.into()))),
            Checked::Unsettled(unsettled) => Either::Right(Box::pin(settle(
                api.clone(),
                unsettled,
                by,
                client::address(request, &api.trusted_proxies),
            ))),
        }
    }
}

async fn settle(api: web::Data<Api>, unsettled: Unsettled, by: By, address: IpAddr) -> Result<SignedIn, Failure> {
    let who = api.sessions.settle(unsettled, |agent| origin(&api, agent, address)).await?;
    Ok(SignedIn { who: enabled(&api, who)?, by })
}

/// An agent at an address, as the audit log says it.
pub(super) fn origin(api: &Api, agent: AgentId, address: IpAddr) -> Origin {
    let department = api.book.get(agent).and_then(|profile| profile.department.clone());
    Origin::agent(agent, Some(address), department)
}

/// Whoever is disabled or removed is nobody from then on, whatever becomes of their sessions.
fn enabled(api: &Api, who: Who) -> Result<Who, Failure> {
    api.book.enabled(who.agent).map(|_| who).ok_or(NoSession::Unknown.into())
}

impl FromRequest for Caller {
    type Error = Failure;
    type Future = Checking<Self>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let caller = |signed_in: SignedIn| Self(signed_in.who.agent);
        match SignedIn::from_request(request, payload) {
            Either::Left(ready) => Either::Left(self::ready(ready.into_inner().map(caller))),
            Either::Right(later) => Either::Right(Box::pin(async move { later.await.map(caller) })),
        }
    }
}

impl FromRequest for Client {
    type Error = Failure;
    type Future = Ready<Result<Self, Failure>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let api = request.app_data::<web::Data<Api>>().ok_or(Failure::NoAnswer);
        ready(api.map(|api| Self(client::address(request, &api.trusted_proxies))))
    }
}

fn token_of(request: &HttpRequest, api: &Api) -> Result<(SecretString, By), Failure> {
    if let Some(given) = request.headers().get(header::AUTHORIZATION) {
        let token = given.to_str().ok().and_then(bearer).ok_or(NoSession::Unknown)?;
        return Ok((token.into(), By::Bearer));
    }
    let token = cookie(request).ok_or(NoSession::Unknown)?;
    if is_foreign(request, &api.origin) {
        return Err(Failure::ForeignOrigin);
    }
    Ok((token.into(), By::Cookie))
}

pub(super) fn bearer(authorization: &str) -> Option<&str> {
    let (scheme, token) = authorization.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// The cookie's value. Of two with its name somebody else has set one.
fn cookie(request: &HttpRequest) -> Option<&str> {
    let lines = request.headers().get_all(header::COOKIE).filter_map(|value| value.to_str().ok());
    let pairs = lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    let mut own = pairs.filter(|(name, _)| *name == COOKIE).map(|(_, value)| value);
    let first = own.next()?;
    own.next().is_none().then_some(first)
}

/// Whether another site may have made the request.
fn is_foreign(request: &HttpRequest, own: &str) -> bool {
    match request.headers().get(header::ORIGIN) {
        Some(origin) => origin.as_bytes() != own.as_bytes(),
        None => !matches!(*request.method(), Method::GET | Method::HEAD),
    }
}

/// `Set-Cookie` for a session (RFC 6265bis, section 4.1). The browser keeps it for as long as the session can last; whether
/// it still does is for us to say.
pub(super) fn set_cookie(begun: &Begun, now: crate::domain::Timestamp) -> String {
    let age = begun.last_possible.since(now).as_secs();
    format!("{COOKIE}={}; Max-Age={age}; Path=/; Secure; HttpOnly; SameSite=Strict", begun.token.expose_secret())
}

/// `Set-Cookie` that takes the cookie away.
pub(super) fn clear_cookie() -> String {
    format!("{COOKIE}=; Max-Age=0; Path=/; Secure; HttpOnly; SameSite=Strict")
}
