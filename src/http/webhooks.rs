//! Twilio's webhooks: checked, read, put into the inbox, answered. Nothing else happens before the answer.
//!
//! The order of checks is the order of their cost: size, signature, content. What is refused changes nothing and counts in
//! `offdesk_webhooks_rejected_total`.

use std::time::Duration;

use actix::Addr;
use actix_web::{
    HttpRequest, HttpResponse,
    http::{StatusCode, header},
    web,
};
use futures_util::future;

use super::{
    MAX_BODY, confirm,
    problem::{problem, unavailable},
    selftest::{self, Instance},
};
use crate::{
    actors::Directory,
    config::BaseUrl,
    domain::{AccountSid, Event},
    inbox::{Accepted, Inbox, InboxError},
    twilio::{
        Twilio,
        events::{self, Ours, ParseError},
        form::Form,
        signature::{Body, SIGNATURE, SIGNATURE_SETTINGS, SignatureError, Signed, Validator},
    },
};

/// Equal across the retries of one webhook
/// (<https://www.twilio.com/docs/usage/webhooks/webhooks-connection-overrides>).
const IDEMPOTENCY_TOKEN: &str = "i-twilio-idempotency-token";
/// How long a body may take: who drips it holds a connection, and no more.
const BODY_TIMEOUT: Duration = Duration::from_secs(10);
/// A token is a UUID; anything much longer is none.
const MAX_TOKEN: usize = 128;
/// Seconds that Twilio is asked to wait when the inbox is full.
const RETRY_AFTER: u32 = 2;

/// What the webhook handlers work with.
pub struct Webhooks {
    pub validator: Validator,
    pub account: AccountSid,
    pub twilio: Twilio,
    pub inbox: Inbox,
    pub instance: Instance,
    /// Who is to be asked about a call that was answered.
    pub directory: Addr<Directory>,
    /// What Twilio calls back.
    pub public_url: BaseUrl,
}

/// Which webhook a path is for.
#[derive(Clone, Copy)]
pub(super) enum Door {
    TaskRouter,
    Conversations,
    Call,
    Conference,
    Events,
    Confirm,
    SelfTest,
}

impl Door {
    const fn label(self) -> &'static str {
        match self {
            Self::TaskRouter => "taskrouter",
            Self::Conversations => "conversations",
            Self::Call => "call",
            Self::Conference => "conference",
            Self::Events => "events",
            Self::Confirm => "confirm",
            Self::SelfTest => "self_test",
        }
    }

    /// What Twilio wants to hear: an event callback's answer is 204 and claims to be JSON, a sink's and Conversations' is
    /// 200. Conversations waits 5 s for it and asks once; to a pre-event, which we do not ask for, an empty one is a yes.
    fn thanks(self) -> HttpResponse {
        match self {
            Self::TaskRouter => HttpResponse::NoContent().content_type("application/json").finish(),
            Self::Call | Self::Conference => HttpResponse::NoContent().finish(),
            Self::Conversations | Self::Events | Self::Confirm | Self::SelfTest => HttpResponse::Ok().finish(),
        }
    }
}

pub(super) fn routes(config: &mut web::ServiceConfig) {
    for (path, door) in [
        ("/webhooks/taskrouter", Door::TaskRouter),
        ("/webhooks/conversations", Door::Conversations),
        ("/webhooks/call", Door::Call),
        ("/webhooks/conference", Door::Conference),
        ("/webhooks/events", Door::Events),
    ] {
        let handler = move |request: HttpRequest, body: web::Payload, hooks: web::Data<Webhooks>| async move {
            receive(door, &request, body, &hooks).await
        };
        config.service(web::resource(path).route(web::post().to(handler)).default_service(web::to(wrong_method)));
    }
    let confirm = web::resource("/webhooks/voice/confirm").route(web::post().to(confirm::answer));
    config.service(confirm.default_service(web::to(wrong_method)));
    let self_test = web::resource("/webhooks/self-test").route(web::post().to(selftest::answer));
    config.service(self_test.default_service(web::to(wrong_method)));
}

/// What is read in a form that is signed as Twilio signs; nothing comes of the form else.
pub(super) async fn signed_form<T>(
    request: &HttpRequest,
    body: web::Payload,
    hooks: &Webhooks,
    door: Door,
    read: impl FnOnce(&Form<'_>, &Ours) -> Result<T, ParseError>,
) -> Result<T, HttpResponse> {
    let read = |body: &[u8]| {
        let form = checked_form(request, body, hooks)?;
        read(&form, &hooks.ours()).map_err(Rejection::from)
    };
    whole(body).await.and_then(|body| read(&body)).map_err(|rejection| rejection.answer(door))
}

impl Webhooks {
    fn ours(&self) -> Ours {
        Ours { account: self.account.clone(), workspace: self.twilio.known_workspace_sid().cloned() }
    }
}

async fn wrong_method() -> HttpResponse {
    let mut response = problem(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", "webhooks are POST requests");
    response.headers_mut().insert(header::ALLOW, header::HeaderValue::from_static("POST"));
    response
}

async fn receive(door: Door, request: &HttpRequest, body: web::Payload, hooks: &Webhooks) -> HttpResponse {
    let events = match whole(body).await.and_then(|body| read(door, request, &body, hooks)) {
        Ok(events) => events,
        Err(rejection) => return rejection.answer(door),
    };
    let token = token_of(request, door);
    let accepting = events.into_iter().map(|event| hooks.inbox.accept(event, token));
    match future::try_join_all(accepting).await {
        Ok(accepted) => {
            for accepted in accepted {
                let outcome = match accepted {
                    Accepted::New => "new",
                    Accepted::Known => "known",
                    Accepted::Stale => "stale",
                };
                metrics::counter!("offdesk_webhooks_accepted_total", "door" => door.label(), "outcome" => outcome)
                    .increment(1);
            }
            door.thanks()
        }
        Err(error) => not_now(door, &error),
    }
}

/// The token of one event's request; the events of a batch share theirs, which says nothing about each.
fn token_of(request: &HttpRequest, door: Door) -> Option<&str> {
    match door {
        Door::Events => None,
        _ => header_of(request, IDEMPOTENCY_TOKEN).filter(|token| !token.is_empty() && token.len() <= MAX_TOKEN),
    }
}

/// Checks a request and reads what it tells.
fn read(door: Door, request: &HttpRequest, body: &[u8], hooks: &Webhooks) -> Result<Vec<Event>, Rejection> {
    let ours = hooks.ours();
    let form = checked_form(request, body, hooks)?;
    if let Door::Events = door {
        return read_batch(body, &ours);
    }
    if !is_form(request) {
        return Err(Rejection::Malformed("content-type"));
    }
    let query = Form::parse(request.query_string().as_bytes()).map_err(|_| Rejection::Malformed("query"))?;
    let parsed = match door {
        Door::TaskRouter | Door::Events | Door::Confirm | Door::SelfTest => events::from_form(&form, &ours),
        Door::Conversations => events::from_conversation(&form, &ours),
        Door::Call => events::from_call_status(&form, &query, &ours),
        Door::Conference => events::from_conference_status(&form, &query, &ours),
    };
    Ok(parsed?.into_event().into_iter().collect())
}

/// The form of a request that is Twilio's; empty, if its body is none.
fn checked_form<'a>(request: &HttpRequest, body: &'a [u8], hooks: &Webhooks) -> Result<Form<'a>, Rejection> {
    let target = request.uri().path_and_query().map_or("/", |target| target.as_str());
    let is_form = is_form(request);
    let form = if is_form { Form::parse(body).map_err(|_| Rejection::Malformed("body"))? } else { Form::default() };
    let signed = Signed {
        target,
        signature: only_header_of(request, SIGNATURE)?,
        has_settings: request.headers().contains_key(SIGNATURE_SETTINGS),
        body: if is_form { Body::Form(&form) } else { Body::Raw(body) },
    };
    hooks.validator.check(&signed).map_err(Rejection::Signature)?;
    Ok(form)
}

/// A malformed event among good ones is counted and left: refusing the batch would have Twilio send it for hours.
fn read_batch(body: &[u8], ours: &Ours) -> Result<Vec<Event>, Rejection> {
    let mut good = Vec::new();
    for parsed in events::from_batch(body, ours)? {
        match parsed {
            Ok(parsed) => good.extend(parsed.into_event()),
            Err(error) => Rejection::from(error).count(),
        }
    }
    Ok(good)
}

fn is_form(request: &HttpRequest) -> bool {
    let content_type = header_of(request, header::CONTENT_TYPE.as_str()).unwrap_or_default();
    let essence = content_type.split(';').next().unwrap_or_default().trim();
    essence.eq_ignore_ascii_case("application/x-www-form-urlencoded")
}

fn header_of<'a>(request: &'a HttpRequest, name: &str) -> Option<&'a str> {
    request.headers().get(name)?.to_str().ok()
}

/// A header that must not be there twice: of two it could not be said which one is meant.
fn only_header_of<'a>(request: &'a HttpRequest, name: &str) -> Result<Option<&'a str>, Rejection> {
    let mut all = request.headers().get_all(name);
    let one = all.next().map(|value| value.to_str().map_err(|_| Rejection::Signature(SignatureError::Malformed)));
    if all.next().is_some() { Err(Rejection::Signature(SignatureError::Malformed)) } else { one.transpose() }
}

/// Why a webhook is refused.
enum Rejection {
    TooLarge,
    Broken,
    Signature(SignatureError),
    Malformed(&'static str),
    Foreign,
}

impl From<ParseError> for Rejection {
    fn from(error: ParseError) -> Self {
        match error {
            ParseError::Malformed { field } => Self::Malformed(field),
            ParseError::Foreign => Self::Foreign,
        }
    }
}

impl Rejection {
    fn reason(&self) -> &'static str {
        match self {
            Self::TooLarge => "too_large",
            Self::Broken => "broken_body",
            Self::Signature(error) => error.label(),
            Self::Malformed(_) => "malformed",
            Self::Foreign => "foreign_account",
        }
    }

    fn count(&self) {
        metrics::counter!("offdesk_webhooks_rejected_total", "reason" => self.reason()).increment(1);
    }

    fn answer(&self, door: Door) -> HttpResponse {
        self.count();
        tracing::debug!(door = door.label(), reason = self.reason(), "a webhook was refused");
        match self {
            Self::TooLarge => {
                last(problem(StatusCode::PAYLOAD_TOO_LARGE, "too_large", "the body is larger than 64 KB"))
            }
            Self::Broken => last(problem(StatusCode::BAD_REQUEST, "broken_body", "the body did not arrive whole")),
            Self::Signature(error) => problem(StatusCode::FORBIDDEN, error.label(), &error.to_string()),
            Self::Malformed(field) => {
                problem(StatusCode::BAD_REQUEST, "malformed", &format!("{field} is missing or not of its form"))
            }
            Self::Foreign => {
                problem(StatusCode::FORBIDDEN, "foreign_account", "this is another account's or workspace's event")
            }
        }
    }
}

/// The rest of the body is not read: the connection cannot be used again.
fn last(mut response: HttpResponse) -> HttpResponse {
    response.head_mut().set_connection_type(actix_web::http::ConnectionType::Close);
    response
}

/// The whole body, if it is small enough and comes in time.
async fn whole(body: web::Payload) -> Result<web::Bytes, Rejection> {
    match tokio::time::timeout(BODY_TIMEOUT, body.to_bytes_limited(MAX_BODY)).await {
        Ok(Ok(Ok(body))) => Ok(body),
        Ok(Err(_)) => Err(Rejection::TooLarge),
        Ok(Ok(Err(_))) | Err(_) => Err(Rejection::Broken),
    }
}

/// Not accepted: Twilio, or the reading of its event log, brings it again.
fn not_now(door: Door, error: &InboxError) -> HttpResponse {
    let reason = match error {
        InboxError::Full => "inbox_full",
        InboxError::Store(error) if error.is_retryable() => "store_busy",
        InboxError::Store(_) => "store_failed",
    };
    metrics::counter!("offdesk_webhooks_shed_total", "door" => door.label(), "reason" => reason).increment(1);
    tracing::warn!(door = door.label(), %error, "a webhook was turned away");
    unavailable(reason, "the gateway cannot take this now; send it again", RETRY_AFTER)
}
