//! What the page does as an agent's app: a few calls of the gateway's API, with the session of that app. The gateway's
//! status and body are passed through; nothing else is.

use std::time::Duration;

use actix_web::{
    HttpResponse,
    http::{
        StatusCode,
        header::{CONTENT_TYPE, RETRY_AFTER},
    },
    web,
};
use reqwest::Method;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{Shared, control::Nothing};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
/// The gateway may wait for Twilio before it answers.
const TIMEOUT: Duration = Duration::from_secs(20);
/// Protects memory: a longer answer is no answer.
const LONGEST_ANSWER: usize = 1024 * 1024;

pub(super) fn routes(config: &mut web::ServiceConfig) {
    config
        .route("/apps/{phone}/tasks", web::get().to(tasks))
        .route("/apps/{phone}/tasks/{task}/{act}", web::post().to(act_on_task))
        .route("/apps/{phone}/conversations/{conversation}/messages", web::post().to(reply))
        .route("/apps/{phone}/conversations/{conversation}/read", web::post().to(read))
        .route("/apps/{phone}/activity", web::put().to(set_activity));
}

/// The client that all apps share.
pub(crate) fn client() -> reqwest::Result<reqwest::Client> {
    let builder = reqwest::Client::builder().connect_timeout(CONNECT_TIMEOUT).timeout(TIMEOUT).no_proxy();
    builder.redirect(reqwest::redirect::Policy::none()).build()
}

#[derive(Deserialize, Serialize)]
struct Reply {
    body: String,
}

#[derive(Deserialize, Serialize)]
struct Read {
    index: u64,
}

#[derive(Deserialize, Serialize)]
struct Activity {
    activity: String,
}

/// Does what an app does; `body` is JSON.
async fn call(
    shared: &Shared,
    phone: &str,
    method: Method,
    path: &[&str],
    body: Option<impl Serialize>,
) -> HttpResponse {
    let Some(app) = shared.engine.with(|inner| inner.apps.get(phone)) else {
        return trouble(StatusCode::NOT_FOUND, "no app is installed on this phone");
    };
    let mut request = shared.app_client.request(method, app.address(path)).bearer_auth(app.token());
    if let Some(body) = body {
        request = request.json(&body);
    }
    match request.send().await {
        Ok(answer) => pass_on(answer).await,
        Err(error) if error.is_timeout() => trouble(StatusCode::GATEWAY_TIMEOUT, "the gateway takes too long"),
        Err(_) => trouble(StatusCode::BAD_GATEWAY, "the gateway does not answer"),
    }
}

async fn pass_on(mut answer: reqwest::Response) -> HttpResponse {
    let status = StatusCode::from_u16(answer.status().as_u16()).unwrap_or(StatusCode::BAD_GATEWAY);
    let mut response = HttpResponse::build(status);
    for name in [CONTENT_TYPE, RETRY_AFTER] {
        if let Some(value) = answer.headers().get(name.as_str()) {
            response.insert_header((name, value.as_bytes()));
        }
    }
    let mut body = Vec::new();
    loop {
        match answer.chunk().await {
            Ok(Some(chunk)) if body.len() + chunk.len() <= LONGEST_ANSWER => body.extend_from_slice(&chunk),
            Ok(None) => return response.body(body),
            Ok(Some(_)) => return trouble(StatusCode::BAD_GATEWAY, "the gateway's answer is too long"),
            Err(_) => return trouble(StatusCode::BAD_GATEWAY, "the gateway's answer breaks off"),
        }
    }
}

fn trouble(status: StatusCode, why: &str) -> HttpResponse {
    HttpResponse::build(status).json(json!({ "error": why }))
}

async fn tasks(shared: web::Data<Shared>, phone: web::Path<String>) -> HttpResponse {
    call(&shared, &phone, Method::GET, &["tasks"], None::<()>).await
}

async fn act_on_task(
    shared: web::Data<Shared>,
    path: web::Path<(String, String, String)>,
    _: web::Json<Nothing>,
) -> HttpResponse {
    let (phone, task, act) = path.into_inner();
    if !matches!(act.as_str(), "accept" | "decline" | "wrapup" | "complete") {
        return trouble(StatusCode::NOT_FOUND, "the app has no such button");
    }
    call(&shared, &phone, Method::POST, &["tasks", &task, &act], Some(json!({}))).await
}

async fn reply(shared: web::Data<Shared>, path: web::Path<(String, String)>, body: web::Json<Reply>) -> HttpResponse {
    let (phone, conversation) = path.into_inner();
    let path = ["conversations", &conversation, "messages"];
    call(&shared, &phone, Method::POST, &path, Some(body.into_inner())).await
}

async fn read(shared: web::Data<Shared>, path: web::Path<(String, String)>, body: web::Json<Read>) -> HttpResponse {
    let (phone, conversation) = path.into_inner();
    let path = ["conversations", &conversation, "read"];
    call(&shared, &phone, Method::POST, &path, Some(body.into_inner())).await
}

async fn set_activity(shared: web::Data<Shared>, phone: web::Path<String>, body: web::Json<Activity>) -> HttpResponse {
    call(&shared, &phone, Method::PUT, &["me", "activity"], Some(body.into_inner())).await
}
