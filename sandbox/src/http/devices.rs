//! The control API of the agents' devices.

use actix_web::{HttpResponse, web};
use serde::Deserialize;
use serde_json::json;

use super::{Shared, control::done, push::endpoint_base};
use crate::push::{PushAnswer, PushKind};

pub(super) fn routes(config: &mut web::ServiceConfig) {
    config
        .service(web::resource("/devices").route(web::get().to(list)).route(web::post().to(add)))
        .route("/devices/{device}", web::post().to(change));
}

#[derive(Deserialize)]
struct Add {
    /// The agent's phone number.
    owner: String,
    kind: PushKind,
    #[serde(default)]
    name: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Change {
    answer: Option<PushAnswer>,
    /// So many messages get the answer; none: all.
    times: Option<u32>,
    offline: Option<bool>,
    /// What bears this tag is wiped away.
    dismiss: Option<String>,
}

async fn list(shared: web::Data<Shared>) -> HttpResponse {
    HttpResponse::Ok().json(shared.engine.snapshot(usize::MAX).devices)
}

async fn add(shared: web::Data<Shared>, body: web::Json<Add>) -> HttpResponse {
    let Add { owner, kind, name } = body.into_inner();
    let made = shared.engine.on_devices(|devices, _| match kind {
        PushKind::WebPush => {
            let subscription = devices.subscribe(&owner, &name, &endpoint_base(&shared.url))?;
            let keys = json!({ "p256dh": subscription.p256dh, "auth": subscription.auth });
            Ok(json!({ "subscription": { "endpoint": subscription.endpoint, "keys": keys } }))
        }
        PushKind::Fcm => Ok(json!({ "token": devices.register_fcm(&owner, &name)? })),
    });
    match made {
        Ok(answer) => HttpResponse::Created().json(answer),
        Err(refusal) => done(Err(refusal)),
    }
}

async fn change(shared: web::Data<Shared>, device: web::Path<String>, body: web::Json<Change>) -> HttpResponse {
    let Change { answer, times, offline, dismiss } = body.into_inner();
    done(shared.engine.on_devices(|devices, now| {
        if let Some(answer) = answer {
            devices.set_answer(&device, answer, times)?;
        }
        if let Some(offline) = offline {
            devices.set_offline(&device, offline, now)?;
        }
        if let Some(tag) = dismiss {
            devices.dismiss(&device, &tag)?;
        }
        Ok(())
    }))
}
