//! The push services over HTTP: `/push/…` is Web Push, `/fcm/…` is FCM with Google's token endpoint.

use actix_web::{
    HttpRequest, HttpResponse,
    http::{StatusCode, header},
    web,
};
use serde_json::json;

use super::Shared;
use crate::{
    log::{FlowDirection, LogEntry},
    push::{
        fcm::{self, Failure, TokenRequest},
        refused::Refused,
        webpush,
    },
    rest::request::Params,
};

pub(super) fn routes(config: &mut web::ServiceConfig) {
    config
        .route("/push/{path}", web::post().to(web_push))
        .route("/fcm/token", web::post().to(token))
        .route("/fcm/v1/projects/{project}/messages:send", web::post().to(send));
}

/// What comes before the last part of an endpoint.
pub(crate) fn endpoint_base(url: &str) -> String {
    format!("{url}/push")
}

async fn web_push(
    http: HttpRequest,
    path: web::Path<String>,
    body: web::Bytes,
    shared: web::Data<Shared>,
) -> HttpResponse {
    let taken = take_web_push(&http, &path, &body, &shared).await;
    let status = taken.map_or_else(|refused| refused.status, |_| 201);
    log(&shared, &http, "Web Push", status, taken.err().map(|refused| refused.message));
    match taken {
        Ok(ttl_s) => HttpResponse::Created()
            .insert_header((header::LOCATION, format!("{}/push/m/{path}", shared.url)))
            .insert_header(("TTL", ttl_s))
            .finish(),
        Err(refused) => {
            let mut response = HttpResponse::build(code(refused.status));
            if refused.status == 401 {
                response.insert_header((header::WWW_AUTHENTICATE, "vapid"));
            }
            if let Some(seconds) = refused.retry_after_s {
                response.insert_header((header::RETRY_AFTER, seconds));
            }
            response.json(json!({ "code": refused.status, "message": refused.message }))
        }
    }
}

/// Returns for how long the message is kept, in seconds.
async fn take_web_push(http: &HttpRequest, path: &str, body: &[u8], shared: &Shared) -> Result<u64, Refused> {
    let engine = &shared.engine;
    let now = engine.time.now_ms();
    let target =
        engine.on_devices(|devices, _| devices.at_endpoint(path)).ok_or(Refused::new(404, "no such subscription"))?;
    engine.time.sleep_until(now + target.answer.delay_ms()).await;
    Refused::on_demand(target.answer)?;
    let keys = target.keys.ok_or(Refused::new(404, "no such subscription"))?;
    let request = webpush::Request {
        authorization: text(http, "authorization"),
        ttl: text(http, "ttl"),
        urgency: text(http, "urgency"),
        topic: text(http, "topic"),
        content_encoding: text(http, "content-encoding"),
        body,
    };
    let (message, server) = request.check(&keys, &shared.url, engine.time.now_ms())?;
    let ttl_s = message.ttl_s();
    engine.on_devices(|devices, now| devices.accept(&target.id, server, message, now))?;
    Ok(ttl_s)
}

async fn send(
    http: HttpRequest,
    project: web::Path<String>,
    body: web::Bytes,
    shared: web::Data<Shared>,
) -> HttpResponse {
    let taken = take_fcm(&http, &project, &body, &shared).await;
    let status = taken.as_ref().map_or_else(|failure| failure.status, |_| 200);
    log(&shared, &http, "FCM", status, None);
    match taken {
        Ok(name) => HttpResponse::Ok().json(json!({ "name": name })),
        Err(failure) => {
            let mut response = HttpResponse::build(code(failure.status));
            if let Some(seconds) = failure.retry_after_s {
                response.insert_header((header::RETRY_AFTER, seconds));
            }
            response.json(failure.body())
        }
    }
}

/// Returns the message's name.
async fn take_fcm(http: &HttpRequest, project: &str, body: &[u8], shared: &Shared) -> Result<String, Failure> {
    let engine = &shared.engine;
    let now = engine.time.now_ms();
    if !engine.with(|inner| inner.devices.tokens.admit(text(http, "authorization"), now)) {
        return Err(Failure::unauthenticated());
    }
    if project != fcm::PROJECT {
        return Err(Failure::other_project());
    }
    let sent = fcm::parse(body)?;
    let target = engine.on_devices(|devices, _| devices.at_token(&sent.token)).ok_or_else(Failure::unknown_token)?;
    engine.time.sleep_until(now + target.answer.delay_ms()).await;
    Failure::on_demand(target.answer)?;
    let number = engine.on_devices(|devices, now| {
        if !sent.validate_only {
            devices.deliver(&target.id, sent.message, now);
        }
        now
    });
    Ok(format!("projects/{project}/messages/0:{number}%{}", target.id))
}

/// Google's token endpoint, for service accounts alone.
async fn token(http: HttpRequest, body: web::Bytes, shared: web::Data<Shared>) -> HttpResponse {
    let engine = std::sync::Arc::clone(&shared.engine);
    let url = shared.url.clone();
    let form = Params::parse(&body);
    // Making the account's key, if nobody has asked for it yet, keeps a thread busy.
    let issued = web::block(move || {
        let account = engine.service_account(&url).ok_or_else(|| json!({ "error": "internal_failure" }))?;
        let request = TokenRequest { grant_type: form.get("grant_type"), assertion: form.get("assertion") };
        request.check(account, engine.time.now_ms())?;
        engine.on_devices(|devices, now| devices.tokens.issue(now)).map_err(|_| json!({ "error": "internal_failure" }))
    })
    .await;
    let (status, answer) = match issued {
        Ok(Ok(token)) => (200, token),
        Ok(Err(error)) => (400, error),
        Err(_cancelled) => (503, json!({ "error": "temporarily_unavailable" })),
    };
    log(&shared, &http, "FCM token", status, None);
    HttpResponse::build(code(status)).json(answer)
}

fn text<'a>(http: &'a HttpRequest, name: &str) -> Option<&'a str> {
    http.headers().get(name).and_then(|value| value.to_str().ok())
}

fn code(status: u16) -> StatusCode {
    StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

/// Bodies are not logged: what arrived is shown on the phone.
fn log(shared: &Shared, http: &HttpRequest, name: &str, status: u16, note: Option<&str>) {
    let shown = ["ttl", "urgency", "topic"].iter();
    let params = shown.filter_map(|name| Some(((*name).to_owned(), text(http, name)?.to_owned()))).collect();
    shared.engine.log(LogEntry {
        id: 0,
        at_ms: shared.engine.time.now_ms(),
        direction: FlowDirection::Push,
        name: name.to_owned(),
        method: http.method().as_str().to_owned(),
        url: http.uri().to_string(),
        params,
        status: Some(status),
        answer: String::new(),
        note: note.map(str::to_owned),
        token: None,
    });
}
