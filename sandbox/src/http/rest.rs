//! Twilio's REST API over HTTP: authentication, faults, the log, and what closes a connection without an answer.

use actix_web::{
    HttpRequest, HttpResponse,
    body::BodyStream,
    http::{StatusCode, header},
    web,
};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use futures_util::stream;

use super::{Keys, Shared};
use crate::{
    deliver::ANSWER_KEPT,
    faults::RestAct,
    log::{FlowDirection, LogEntry},
    rest::{
        self,
        date::http_date,
        error::Refusal,
        request::{Answer, Params, Request, Upload},
        route::{Operation, find, split_prefix},
    },
};

pub(super) async fn answer(http: HttpRequest, body: web::Bytes, shared: web::Data<Shared>) -> HttpResponse {
    let request = read(&http, &body, &shared.url);
    let found = find(&request.method, &request.path);
    let operation = found.as_ref().ok().map(|(operation, _)| *operation);
    let fault = shared.engine.with(|inner| inner.faults.take(operation));
    if fault == Some(RestAct::DropBefore) {
        log(&shared, &http, &request, operation, None, Some("fault: the connection was closed, nothing was done"));
        return hang_up();
    }
    if let Some(RestAct::Delay { ms }) = fault {
        shared.engine.time.sleep_until(shared.engine.time.now_ms() + ms).await;
    }
    let refused = match fault {
        Some(RestAct::Fail { status, code, ref message, retry_after_s }) => {
            let message = message.clone().unwrap_or_else(|| default_message(code).to_owned());
            Some(Refusal { retry_after_s, ..Refusal::new(status, code, message) })
        }
        _ => authenticate(&http, &shared.keys).err(),
    };
    let answer = match (refused, found) {
        (Some(refusal), _) | (None, Err(refusal)) => refusal.into(),
        (None, Ok((operation, variables))) => {
            shared.engine.act(|world| rest::answer(world, &request, operation, &variables))
        }
    };
    let dropped = fault == Some(RestAct::DropAfter);
    let note = match fault {
        Some(RestAct::Fail { .. }) => Some("fault: refused on demand"),
        Some(RestAct::Delay { .. }) => Some("fault: delayed"),
        Some(RestAct::DropAfter) => Some("fault: acted on, but the connection was closed"),
        _ => None,
    };
    log(&shared, &http, &request, operation, Some(&answer).filter(|_| !dropped), note);
    if dropped { hang_up() } else { respond(answer, shared.engine.time.now_ms()) }
}

fn read(http: &HttpRequest, body: &web::Bytes, url: &str) -> Request {
    let (prefix, path) = split_prefix(http.path());
    let value = |name: &str| http.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
    let content_type = value("content-type").filter(|kind| !kind.starts_with("application/x-www-form-urlencoded"));
    Request {
        method: http.method().as_str().to_owned(),
        path: path.to_owned(),
        query: Params::parse(http.query_string().as_bytes()),
        form: if content_type.is_none() { Params::parse(body) } else { Params::default() },
        if_match: value("if-match"),
        webhooks_enabled: value("x-twilio-webhook-enabled").is_some_and(|value| value.eq_ignore_ascii_case("true")),
        upload: content_type.map(|content_type| Upload { content_type, bytes: body.as_ref().into() }),
        prefix,
        base: format!("{url}{prefix}"),
    }
}

fn respond(answer: Answer, now_ms: u64) -> HttpResponse {
    let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = HttpResponse::build(status);
    response.insert_header(("Twilio-Concurrent-Requests", "1"));
    response.insert_header((header::DATE, http_date(now_ms)));
    if let Some(etag) = answer.etag {
        response.insert_header((header::ETAG, etag));
    }
    if let Some(seconds) = answer.retry_after_s {
        response.insert_header((header::RETRY_AFTER, seconds));
    }
    if status == StatusCode::UNAUTHORIZED {
        response.insert_header((header::WWW_AUTHENTICATE, "Basic realm=\"Twilio API\""));
    }
    match answer.body {
        Some(body) => response.json(body),
        None => response.finish(),
    }
}

/// A body that fails before its first byte: actix closes the connection, and nothing has been sent.
fn hang_up() -> HttpResponse {
    let broken =
        stream::once(async { Err::<web::Bytes, _>(std::io::Error::from(std::io::ErrorKind::ConnectionReset)) });
    HttpResponse::Ok().body(BodyStream::new(broken))
}

fn authenticate(http: &HttpRequest, keys: &Keys) -> Result<(), Refusal> {
    let given = http
        .headers()
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.strip_prefix("Basic "))
        .and_then(|encoded| BASE64_STANDARD.decode(encoded.trim()).ok())
        .and_then(|decoded| String::from_utf8(decoded).ok());
    let (user, password) = given.as_deref().and_then(|pair| pair.split_once(':')).ok_or_else(Refusal::unauthorized)?;
    let account = user == keys.account_sid && password == keys.auth_token;
    let key = keys.api_key.as_ref().is_some_and(|(sid, secret)| user == sid && password == secret);
    if account || key { Ok(()) } else { Err(Refusal::unauthorized()) }
}

const fn default_message(code: u32) -> &'static str {
    match code {
        20429 => "Too Many Requests",
        20500 => "Internal Server Error",
        20503 => "Service Unavailable",
        20412 => "Precondition Failed",
        40136 => "Unable to conference: the reservation is no longer pending",
        _ => "Refused on demand",
    }
}

fn log(
    shared: &Shared,
    http: &HttpRequest,
    request: &Request,
    operation: Option<Operation>,
    answer: Option<&Answer>,
    note: Option<&str>,
) {
    let mut body = answer.and_then(|answer| answer.body.as_ref()).map(ToString::to_string).unwrap_or_default();
    body.truncate(body.floor_char_boundary(ANSWER_KEPT));
    shared.engine.log(LogEntry {
        id: 0,
        at_ms: shared.engine.time.now_ms(),
        direction: FlowDirection::Rest,
        name: operation.map_or_else(|| request.path.clone(), |operation| operation.as_str().to_owned()),
        method: request.method.clone(),
        url: http.uri().to_string(),
        params: request.form.0.clone(),
        status: answer.map(|answer| answer.status),
        answer: body,
        note: note.map(str::to_owned),
        token: None,
    });
}
