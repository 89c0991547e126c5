//! The HTTP server: Twilio's REST API, the push services, the control API under `/sandbox`, and the page.

mod apps;
mod chats;
mod control;
mod devices;
mod media;
mod page;
mod push;
mod rest;

use std::{net::TcpListener, sync::Arc};

use actix_web::{App, HttpServer, dev::Server, web};

pub(crate) use self::{apps::client as app_client, push::endpoint_base};
use crate::engine::Engine;

/// The passwords of the REST API.
#[derive(Clone, Debug)]
pub(crate) struct Keys {
    pub(crate) account_sid: String,
    pub(crate) auth_token: String,
    pub(crate) api_key: Option<(String, String)>,
}

/// What every handler has.
pub(crate) struct Shared {
    pub(crate) engine: Arc<Engine>,
    pub(crate) keys: Keys,
    /// What the agents' apps ask their gateways with.
    pub(crate) app_client: reqwest::Client,
    /// Scheme, host and port.
    pub(crate) url: String,
}

/// Twilio refuses larger bodies too.
const BODY_LIMIT: usize = 256 * 1024;

pub(crate) fn serve(listener: TcpListener, shared: Shared) -> std::io::Result<Server> {
    let shared = web::Data::new(shared);
    let server = HttpServer::new(move || {
        App::new()
            .app_data(shared.clone())
            .app_data(web::PayloadConfig::new(BODY_LIMIT))
            .app_data(web::JsonConfig::default().limit(BODY_LIMIT))
            .configure(page::routes)
            .configure(media::routes)
            .configure(push::routes)
            .service(
                web::scope("/sandbox")
                    .configure(control::routes)
                    .configure(chats::routes)
                    .configure(devices::routes)
                    .configure(apps::routes),
            )
            .default_service(web::to(rest::answer))
    })
    .workers(1)
    .disable_signals()
    .shutdown_timeout(0)
    .listen(listener)?;
    Ok(server.run())
}
