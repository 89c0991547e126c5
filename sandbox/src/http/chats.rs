//! Chats in the control API: what a customer and the Flex desk do.

use actix_web::{HttpResponse, web};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde::Deserialize;
use serde_json::json;

use super::{
    Shared,
    control::{Nothing, done, refused},
};
use crate::{
    handle::{CustomerChat, SOME_CUSTOMER},
    rest::error::Refusal,
    world::sid::Sid,
};

pub(super) fn routes(config: &mut web::ServiceConfig) {
    config
        .route("/chats", web::post().to(start))
        .route("/chats/{sid}/messages", web::post().to(say))
        .route("/chats/{sid}/files", web::post().to(send_file))
        .route("/chats/{sid}/supervisors", web::post().to(let_in))
        .route("/chats/{sid}/{act}", web::post().to(act))
        .route("/chats/{sid}/desk/messages", web::post().to(say_at_the_desk))
        .route("/chats/{sid}/desk/read", web::post().to(read_at_the_desk))
        .route("/reservations/{sid}/accept", web::post().to(accept_at_the_desk))
        .route("/joins/fail", web::post().to(fail_next_join));
}

#[derive(Deserialize)]
struct Start {
    #[serde(default = "some_customer")]
    from: String,
    #[serde(default = "some_name")]
    name: String,
    text: String,
    /// A task that only names the conversation.
    #[serde(default)]
    plain: bool,
}

fn some_customer() -> String {
    SOME_CUSTOMER.to_owned()
}

fn some_name() -> String {
    "A customer".to_owned()
}

#[derive(Deserialize)]
struct Text {
    text: String,
}

#[derive(Deserialize)]
struct File {
    filename: String,
    content_type: String,
    /// Base64.
    content: String,
}

#[derive(Deserialize)]
struct AtTheDesk {
    worker: String,
    #[serde(default)]
    text: String,
}

#[derive(Deserialize)]
struct Supervisor {
    identity: String,
}

async fn start(shared: web::Data<Shared>, body: web::Json<Start>) -> HttpResponse {
    let Start { from, name, text, plain } = &*body;
    let chat = shared.engine.act(|world| {
        if *plain { world.start_plain_chat(from, name, text) } else { world.start_chat(from, name, text) }
    });
    HttpResponse::Created().json(CustomerChat::from(chat))
}

async fn say(shared: web::Data<Shared>, sid: web::Path<String>, body: web::Json<Text>) -> HttpResponse {
    said(shared.engine.act(|world| world.customer_says(&Sid::from(sid.into_inner()), &body.text)))
}

async fn send_file(shared: web::Data<Shared>, sid: web::Path<String>, body: web::Json<File>) -> HttpResponse {
    let Ok(bytes) = BASE64_STANDARD.decode(&body.content) else {
        return refused(&Refusal::invalid("content must be Base64"));
    };
    let sid = Sid::from(sid.into_inner());
    said(shared.engine.act(|world| world.customer_sends_file(&sid, &body.filename, &body.content_type, &bytes)))
}

async fn act(shared: web::Data<Shared>, path: web::Path<(String, String)>, _: web::Json<Nothing>) -> HttpResponse {
    let (sid, act) = path.into_inner();
    let sid = Sid::from(sid);
    done(shared.engine.act(|world| match act.as_str() {
        "close" => world.customer_closes(&sid),
        "leave" => world.customer_leaves(&sid),
        "time-out" => world.chat_times_out(&sid),
        _ => Err(Refusal::not_found()),
    }))
}

async fn let_in(shared: web::Data<Shared>, sid: web::Path<String>, body: web::Json<Supervisor>) -> HttpResponse {
    let sid = Sid::from(sid.into_inner());
    match shared.engine.act(|world| world.supervisor_joins(&sid, &body.identity)) {
        Ok(participant) => HttpResponse::Created().json(json!({ "participant_sid": participant })),
        Err(refusal) => refused(&refusal),
    }
}

async fn say_at_the_desk(
    shared: web::Data<Shared>,
    sid: web::Path<String>,
    body: web::Json<AtTheDesk>,
) -> HttpResponse {
    said(shared.engine.act(|world| world.desk_says(&Sid::from(sid.into_inner()), &body.worker, &body.text)))
}

async fn read_at_the_desk(
    shared: web::Data<Shared>,
    sid: web::Path<String>,
    body: web::Json<AtTheDesk>,
) -> HttpResponse {
    done(shared.engine.act(|world| world.desk_reads(&Sid::from(sid.into_inner()), &body.worker)))
}

async fn accept_at_the_desk(shared: web::Data<Shared>, sid: web::Path<String>, _: web::Json<Nothing>) -> HttpResponse {
    done(shared.engine.act(|world| world.desk_accepts(&Sid::from(sid.into_inner()))))
}

async fn fail_next_join(shared: web::Data<Shared>, _: web::Json<Nothing>) -> HttpResponse {
    shared.engine.act(|world| world.failing_joins += 1);
    HttpResponse::NoContent().finish()
}

fn said(result: Result<Sid, Refusal>) -> HttpResponse {
    match result {
        Ok(message) => HttpResponse::Created().json(json!({ "message_sid": message })),
        Err(refusal) => refused(&refusal),
    }
}
