//! The HTTP listeners: Twilio's webhooks and the agents' API on the public one, health and metrics on the operator's.

mod admin;
mod api;
mod app;
mod body;
mod client;
mod confirm;
mod problem;
mod selftest;
mod tls;
mod webhooks;

use std::{net::TcpListener, sync::Arc, time::Duration};

use actix_web::{App, HttpServer, dev::Server, web};
use rustix::net::sockopt::set_tcp_user_timeout;
use rustls::ServerConfig;

pub use admin::{AdminState, Readiness};
pub use api::{Activities, Api, BootstrapToken, Connections, openapi_document as openapi};
pub use selftest::Instance;
pub use tls::{TlsError, server_config};
pub use webhooks::Webhooks;

/// A webhook's largest body, in bytes. Twilio's are a few kilobytes; a task's attributes may be 4.
pub const MAX_BODY: usize = 64 * 1024;
/// How long a client may take to send a request's head.
const HEAD_TIMEOUT: Duration = Duration::from_secs(10);
/// How long an unused connection is kept: a little longer than Twilio's proxies and nginx do.
const KEEP_ALIVE: Duration = Duration::from_secs(75);
/// Connections a worker serves at once: beyond these the kernel's backlog waits.
const CONNECTIONS: usize = 4096;
/// How long what was sent may stay unheard before the connection is given up (RFC 5482), in milliseconds: of clients that are
/// gone, or that do not read.
const UNHEARD_MILLIS: u32 = 30_000;
/// How long requests under way may take at a drain, in seconds.
const DRAIN_SECS: u64 = 5;

/// The public listener.
pub fn public(
    listener: TcpListener,
    tls: Option<ServerConfig>,
    webhooks: Arc<Webhooks>,
    api: Arc<Api>,
) -> std::io::Result<Server> {
    // Connections have it of their listener.
    set_tcp_user_timeout(&listener, UNHEARD_MILLIS)?;
    let (webhooks, api) = (web::Data::from(webhooks), web::Data::from(api));
    let server = HttpServer::new(move || {
        App::new()
            .app_data(webhooks.clone())
            .app_data(api.clone())
            .configure(webhooks::routes)
            .configure(api::routes)
            .configure(app::routes)
            .default_service(web::to(problem::not_found))
    })
    .workers(workers())
    .max_connections(CONNECTIONS)
    .client_request_timeout(HEAD_TIMEOUT)
    .keep_alive(KEEP_ALIVE)
    // An event is a few bytes, and is not to wait for more.
    .tcp_nodelay(true)
    .shutdown_timeout(DRAIN_SECS)
    .disable_signals();
    let server = match tls {
        Some(tls) => server.listen_rustls_0_23(listener, tls)?,
        None => server.listen(listener)?,
    };
    Ok(server.run())
}

/// The operator's listener: one worker, no TLS, on a loopback address by default.
pub fn operator(listener: TcpListener, state: Arc<AdminState>) -> std::io::Result<Server> {
    let state = web::Data::from(state);
    let server = HttpServer::new(move || {
        App::new().app_data(state.clone()).configure(admin::routes).default_service(web::to(problem::not_found))
    });
    Ok(server
        .workers(1)
        .client_request_timeout(HEAD_TIMEOUT)
        .shutdown_timeout(1)
        .disable_signals()
        .listen(listener)?
        .run())
}

/// Event connections that may be open: of all connections there may be, a quarter is left to webhooks and other requests.
pub fn event_connections() -> usize {
    workers() * CONNECTIONS / 4 * 3
}

/// Signatures and forms are cheap: two workers keep up with any Twilio, and leave the cores to the agents.
fn workers() -> usize {
    std::thread::available_parallelism().map_or(1, |cores| cores.get().min(2))
}
