//! The content of files: a link that the Media resource has handed out is all that it takes, as at Twilio.

use actix_web::{
    HttpResponse,
    http::header,
    web::{self, Bytes},
};
use serde::Deserialize;

use super::{Shared, rest};
use crate::world::{media::MAX_FILE, sid::Sid};

/// Whatever a customer sends must not act in the name of the sandbox's page, which is at the same origin.
const POLICY: &str = "default-src 'none'; sandbox";

const FILES: [&str; 2] = ["/v1/Services/{service}/Media", "/media/v1/Services/{service}/Media"];
const CONTENT: [&str; 2] =
    ["/v1/Services/{service}/Media/{sid}/Content", "/media/v1/Services/{service}/Media/{sid}/Content"];

pub(super) fn routes(config: &mut web::ServiceConfig) {
    let uploads = web::resource(FILES).app_data(web::PayloadConfig::new(MAX_FILE)).route(web::to(rest::answer));
    config.service(uploads).service(web::resource(CONTENT).route(web::get().to(content)));
}

#[derive(Deserialize)]
struct Link {
    #[serde(rename = "Expires")]
    expires: u64,
    #[serde(rename = "Signature")]
    signature: String,
}

async fn content(shared: web::Data<Shared>, path: web::Path<(String, String)>, link: web::Query<Link>) -> HttpResponse {
    let (_, sid) = path.into_inner();
    let found = shared.engine.act(|world| {
        let file = world.media_by_link(&Sid::from(sid), link.expires, &link.signature)?;
        Some((file.content_type.clone(), file.bytes.clone()))
    });
    let Some((content_type, bytes)) = found else { return HttpResponse::Forbidden().finish() };
    let kind = header::HeaderValue::from_str(&content_type)
        .unwrap_or(header::HeaderValue::from_static("application/octet-stream"));
    HttpResponse::Ok()
        .insert_header((header::CONTENT_TYPE, kind))
        .insert_header((header::CONTENT_SECURITY_POLICY, POLICY))
        .insert_header((header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .insert_header((header::CACHE_CONTROL, "private, no-store"))
        .body(Bytes::from_owner(bytes))
}
