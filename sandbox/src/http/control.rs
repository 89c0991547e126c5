//! The control API: what the page and tests in other languages do. JSON in and out; see the crate's documentation.

use actix_web::{HttpResponse, web};
use serde::Deserialize;
use serde_json::json;

use super::Shared;
use crate::{
    faults::{Faults, RestFault},
    handle,
    options::Auto,
    rest::error::Refusal,
    world::{sid::Sid, verify::CodeDelivery},
};

pub(super) fn routes(config: &mut web::ServiceConfig) {
    config
        .route("/state", web::get().to(state))
        .route("/log", web::get().to(log))
        .route("/stream", web::get().to(super::page::stream))
        .route("/calls", web::post().to(place_call))
        .route("/calls/{sid}/hang-up", web::post().to(customer_hangs_up))
        .route("/phones/{address}", web::post().to(set_phone))
        .route("/phones/{address}/keys", web::post().to(press))
        .route("/phones/{address}/{act}", web::post().to(act_on_phone))
        .route("/workers/{worker}/activity", web::post().to(set_activity))
        .service(
            web::resource("/faults")
                .route(web::get().to(faults))
                .route(web::post().to(add_fault))
                .route(web::put().to(set_faults))
                .route(web::delete().to(clear_faults)),
        );
}

/// Every POST has a JSON body, if only `{}`: a page of another origin cannot send one without being allowed to.
#[derive(Deserialize)]
pub(super) struct Nothing {}

#[derive(Deserialize)]
struct PlaceCall {
    #[serde(default = "some_customer")]
    from: String,
}

fn some_customer() -> String {
    handle::SOME_CUSTOMER.to_owned()
}

#[derive(Deserialize)]
struct SetPhone {
    reachable: Option<bool>,
    auto: Option<Auto>,
    codes: Option<CodeDelivery>,
}

#[derive(Deserialize)]
struct Press {
    key: char,
}

#[derive(Deserialize)]
struct SetActivity {
    activity: String,
}

#[derive(Deserialize)]
struct After {
    #[serde(default)]
    after: u64,
}

async fn state(shared: web::Data<Shared>) -> HttpResponse {
    HttpResponse::Ok().json(shared.engine.snapshot(usize::MAX))
}

async fn log(shared: web::Data<Shared>, query: web::Query<After>) -> HttpResponse {
    HttpResponse::Ok().json(shared.engine.with(|inner| inner.log.after(query.after)))
}

async fn place_call(shared: web::Data<Shared>, body: web::Json<PlaceCall>) -> HttpResponse {
    let (call_sid, task_sid) = shared.engine.act(|world| world.place_call(&body.from));
    HttpResponse::Created().json(handle::CustomerCall { call_sid, task_sid })
}

async fn customer_hangs_up(shared: web::Data<Shared>, sid: web::Path<String>, _: web::Json<Nothing>) -> HttpResponse {
    done(shared.engine.act(|world| world.customer_hangs_up(&Sid::from(sid.into_inner()))))
}

async fn act_on_phone(
    shared: web::Data<Shared>,
    path: web::Path<(String, String)>,
    _: web::Json<Nothing>,
) -> HttpResponse {
    let (address, act) = path.into_inner();
    done(shared.engine.act(|world| match act.as_str() {
        "answer" => world.phone_answers(&address),
        "decline" => world.phone_declines(&address),
        "no-answer" => world.phone_is_not_answered(&address),
        "hang-up" => world.phone_hangs_up(&address),
        _ => Err(Refusal::not_found()),
    }))
}

async fn press(shared: web::Data<Shared>, address: web::Path<String>, body: web::Json<Press>) -> HttpResponse {
    done(shared.engine.act(|world| world.phone_presses(&address, body.key)))
}

async fn set_phone(shared: web::Data<Shared>, address: web::Path<String>, body: web::Json<SetPhone>) -> HttpResponse {
    shared.engine.act(|world| {
        if let Some(reachable) = body.reachable {
            world.set_reachable(&address, reachable);
        }
        if let Some(auto) = body.auto {
            world.set_auto(&address, auto);
        }
        if let Some(delivery) = body.codes {
            world.set_code_delivery(&address, delivery);
        }
    });
    HttpResponse::NoContent().finish()
}

async fn set_activity(
    shared: web::Data<Shared>,
    worker: web::Path<String>,
    body: web::Json<SetActivity>,
) -> HttpResponse {
    done(shared.engine.act(|world| world.desk_sets_activity(&worker, &body.activity)))
}

async fn faults(shared: web::Data<Shared>) -> HttpResponse {
    HttpResponse::Ok().json(shared.engine.with(|inner| inner.faults.clone()))
}

async fn add_fault(shared: web::Data<Shared>, body: web::Json<RestFault>) -> HttpResponse {
    shared.engine.with(|inner| inner.faults.rest.push(body.into_inner()));
    shared.engine.wake();
    faults(shared).await
}

async fn set_faults(shared: web::Data<Shared>, body: web::Json<Faults>) -> HttpResponse {
    shared.engine.with(|inner| inner.faults = body.into_inner());
    shared.engine.wake();
    faults(shared).await
}

async fn clear_faults(shared: web::Data<Shared>) -> HttpResponse {
    shared.engine.with(|inner| inner.faults = Faults::default());
    shared.engine.wake();
    HttpResponse::NoContent().finish()
}

pub(super) fn done(result: Result<(), Refusal>) -> HttpResponse {
    match result {
        Ok(()) => HttpResponse::NoContent().finish(),
        Err(refusal) => refused(&refusal),
    }
}

pub(super) fn refused(refusal: &Refusal) -> HttpResponse {
    let mut answer = if refusal.status == 404 { HttpResponse::NotFound() } else { HttpResponse::Conflict() };
    answer.json(json!({ "error": refusal.message }))
}
