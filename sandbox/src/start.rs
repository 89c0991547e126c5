//! Starts a sandbox on a thread of its own.

use std::{
    net::{IpAddr, SocketAddr, TcpListener},
    sync::Arc,
};

use tokio::sync::{mpsc, oneshot};

use crate::{
    deliver::{self, Sender, Webhook},
    engine::{Engine, Taken},
    handle::{Facts, Handle, Running},
    http::{self, Keys, Shared},
    options::Options,
    sip,
};

/// Why a sandbox does not start.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("cannot listen on {0}")]
    Listen(SocketAddr, #[source] std::io::Error),
    #[error("no port of {0} is free for SIP")]
    Sip(IpAddr, #[source] std::io::Error),
    #[error("cannot start the sandbox's thread")]
    Thread(#[source] std::io::Error),
    #[error("cannot make an HTTP client")]
    Client(#[source] reqwest::Error),
}

/// The stand-in for Twilio.
#[derive(Debug)]
pub struct Sandbox;

impl Sandbox {
    /// Starts the server; when this returns it answers.
    pub fn start(options: Options) -> Result<Handle, Error> {
        let listen = |error| Error::Listen(options.listen, error);
        let listener = TcpListener::bind(options.listen).map_err(listen)?;
        let address = listener.local_addr().map_err(listen)?;
        // Whoever starts the process may have chosen a provider already: theirs stays.
        let _already = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let sockets = options.sip.map(|ip| sip::bind(ip).map_err(|error| Error::Sip(ip, error))).transpose()?;
        let (engine, Taken { webhooks, orders }) = Engine::new(&options);
        let facts = engine.with(|inner| Facts {
            account_sid: options.account_sid.clone(),
            auth_token: options.auth_token.clone(),
            workspace_sid: inner.world.fixed.workspace.clone(),
            workflow_sid: inner.world.fixed.workflow.clone(),
            chat_service_sid: crate::world::conversations::chat_service(),
            verify_service_sid: options.verify_service_sid.as_str().into(),
            sync_service_sid: inner.world.sync.service.clone(),
        });
        let keys = Keys { account_sid: options.account_sid, auth_token: options.auth_token, api_key: options.api_key };
        let app_client = http::app_client().map_err(Error::Client)?;
        let shared = Shared { engine: Arc::clone(&engine), keys, app_client, url: format!("http://{address}") };
        let (stop, stopped) = oneshot::channel();
        let thread = std::thread::Builder::new()
            .name("sandbox".to_owned())
            .spawn(move || run(listener, shared, options.webhook_lanes, webhooks, stopped))
            .map_err(Error::Thread)?;
        let from = sockets.as_ref().map(sip::Sockets::address);
        let sip = sockets.map(|sockets| start_sip(Arc::clone(&engine), sockets, orders)).transpose()?;
        Ok(Handle { engine, address, facts, sip: from, running: [Some(Running { stop, thread }), sip] })
    }
}

fn start_sip(engine: Arc<Engine>, sockets: sip::Sockets, orders: mpsc::Receiver<sip::Order>) -> Result<Running, Error> {
    let (stop, stopped) = oneshot::channel();
    let thread = std::thread::Builder::new()
        .name("sandbox-sip".to_owned())
        .spawn(move || sip::run(engine, sockets, orders, stopped))
        .map_err(Error::Thread)?;
    Ok(Running { stop, thread })
}

/// The listener is bound already: connections wait in its backlog until the server takes them.
fn run(
    listener: TcpListener,
    shared: Shared,
    lanes: usize,
    webhooks: mpsc::Receiver<Webhook>,
    stopped: oneshot::Receiver<()>,
) {
    actix_web::rt::System::new().block_on(async move {
        let (engine, auth_token) = (Arc::clone(&shared.engine), shared.keys.auth_token.clone());
        let client = match reqwest::Client::builder().connect_timeout(CONNECT_TIMEOUT).no_proxy().build() {
            Ok(client) => client,
            Err(error) => return tracing::error!(%error, "the sandbox has no HTTP client"),
        };
        actix_web::rt::spawn(Arc::clone(&engine).run_timers());
        actix_web::rt::spawn(deliver::dispatch(engine, webhooks, Sender { client, auth_token, lanes }));
        let server = match http::serve(listener, shared) {
            Ok(server) => server,
            Err(error) => return tracing::error!(%error, "the sandbox cannot serve"),
        };
        let control = server.handle();
        actix_web::rt::spawn(async move {
            let _dropped = stopped.await;
            control.stop(false).await;
        });
        if let Err(error) = server.await {
            tracing::error!(%error, "the sandbox has stopped serving");
        }
    });
}

/// Twilio's (`ct`).
const CONNECT_TIMEOUT: std::time::Duration = std::time::Duration::from_secs(5);
