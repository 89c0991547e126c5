//! The one place where everything is wired: `serve`, the sandbox and the tests build the same [`App`].

mod chores;
mod entrance;
mod io;
mod parts;
mod softphones;

use std::{
    net::{SocketAddr, TcpListener},
    sync::Arc,
    time::Duration,
};

use actix::{Addr, Arbiter};
use actix_web::dev::{Server, ServerHandle};
use serde::Serialize;
use tokio::{
    runtime::Handle,
    sync::{mpsc, oneshot, watch},
};

use self::io::Io;
use crate::{
    actors::{self, Directory, Doors},
    clock::Clock,
    config::{Config, HttpTls},
    http::{self, Connections, Instance, Readiness, TlsError},
    inbox::Inbox,
    login::Login,
    push::{self, Push, PushError, VapidKeyFile},
    roster::Book,
    sessions::Sessions,
    sip::{SipError, Softphones},
    store::{self, Fatal, StoreError, StoreHandle, profiles::take_back_import},
    telemetry::Metrics,
    twilio::{Twilio, client::SettingsError},
};

/// Threads that agents live on.
const AGENT_THREADS: usize = 2;
/// Devices that are reported gone and not removed yet; one that finds no room is reported again with its next notification.
const GONE: usize = 256;
/// Changes of agents that the directory has not heard yet: the book waits for each.
const TOLD: usize = 1;

/// The addresses that were bound: what `serve` prints when it is ready.
#[derive(Clone, Debug, Serialize)]
pub struct Ready {
    pub ready: bool,
    pub http: SocketAddr,
    pub admin: SocketAddr,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sip_udp: Option<SocketAddr>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sip_tcp: Option<SocketAddr>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sip_tls: Option<SocketAddr>,
}

#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error("the store at {path} does not open: {source}")]
    Store { path: String, source: StoreError },
    #[error("{key} = \"{address}\" cannot be listened on: {source}")]
    Bind { key: &'static str, address: SocketAddr, source: std::io::Error },
    #[error("tls: {0}")]
    Tls(#[from] TlsError),
    #[error("{0}")]
    Twilio(#[from] SettingsError),
    #[error("{0}")]
    Push(#[from] PushError),
    #[error("{key} = {path} cannot be read: {source}")]
    KeyFile { key: &'static str, path: String, source: std::io::Error },
    #[error("tls.extra_ca_file cannot be read: {0}")]
    ExtraRoots(std::io::Error),
    #[error("{0}")]
    Sip(#[from] SipError),
    #[error("the runtime cannot be started: {0}")]
    Runtime(std::io::Error),
}

/// What ended a running daemon.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    #[error("the store has failed: {0}")]
    Store(StoreError),
    #[error("a listener has failed: {0}")]
    Listener(std::io::Error),
    #[error("the directory of agents has ended")]
    Directory,
    #[error("the SIP engine has ended")]
    Sip,
}

/// The running daemon.
pub struct App {
    ready: Ready,
    readiness: Arc<Readiness>,
    directory: Addr<Directory>,
    inbox: Inbox,
    store: StoreHandle,
    twilio: Twilio,
    push: Push,
    book: Book,
    sessions: Sessions,
    login: Login,
    connections: Connections,
    softphones: Option<Softphones>,
    drain_timeout: Duration,
    clock: Clock,
    log_readings: watch::Receiver<u64>,
    fatal: Option<Fatal>,
    /// Resolves when the directory has.
    ended: Option<oneshot::Receiver<()>>,
    servers: Vec<ServerHandle>,
    running: tokio::task::JoinSet<std::io::Result<()>>,
    arbiters: Vec<Arbiter>,
    _io: Io,
}

impl App {
    /// Opens the store, binds the ports, and takes webhooks from here on; what is older is worked off behind that. It is
    /// called inside an actix `System`.
    pub async fn start(config: &Config, clock: Clock, metrics: Metrics) -> Result<Self, StartError> {
        let listeners = Listeners::bind(config)?;
        let tls = server_tls(&config.http.tls)?;
        let (store, fatal) = open_store(config, &clock).await?;
        let io = Io::start().map_err(StartError::Runtime)?;
        let twilio = twilio(config, clock.clone(), io.handle())?;
        let (gone, gone_devices) = mpsc::channel(GONE);
        let push = Push::start(parts::push(config)?, store.clone(), clock.clone(), io.handle(), gone).await?;
        warn_of_another_key(config);
        let opened = Inbox::open(store.clone(), clock.clone()).await;
        let (inbox, outlet) = opened.map_err(|source| store_error(config, source))?;
        let arbiters: Vec<_> = (0..AGENT_THREADS).map(|_| Arbiter::new()).collect();
        let softphones::Road { tell, told, line, softphones, detour } = softphones::Road::new(config);
        let kit = Arc::new(parts::kit(config, (&store, &clock), &twilio, &push, line));
        chores::warm(&io.handle(), kit.facts.clone(), config.twilio.activities.offline.clone());
        let doors = Doors { inbox: outlet, gone: gone_devices, told, softphones };
        let (directory, ended) = actors::start(kit.clone(), doors, &arbiters);
        let readiness = Arc::new(Readiness::default());
        let instance = Instance::new().map_err(StartError::Runtime)?;
        let webhooks = parts::webhooks(config, &twilio, &inbox, &instance, &directory);
        let entrance = entrance::open(&io.handle(), config, &kit, tell).await;
        let entrance = entrance.map_err(|source| store_error(config, source))?;
        let softphones = detour.start(config, &kit, &io.handle(), &entrance).await?;
        let ready = softphones::ready(&listeners, softphones.as_ref());
        let admin = parts::admin(&kit, &directory, &inbox, &readiness, metrics, (instance, softphones.clone()));
        let (book, sessions, login) = (entrance.book.clone(), entrance.sessions.clone(), entrance.login.clone());
        chores::look_after(&io.handle(), &clock, &sessions, &directory);
        let api = parts::api(config, &kit, &directory, entrance, softphones.clone());
        let connections = api.events.clone();
        io.handle().spawn(connections.clone().follow(sessions.clone()));
        let servers = servers((listeners.public, tls, webhooks, api), (listeners.operator, admin));
        let servers = servers.map_err(StartError::Runtime)?;
        let log_readings = chores::start(&io.handle(), config, &store, &clock, &inbox, &twilio);
        readiness.set(true);
        Ok(Self {
            ready,
            readiness,
            directory,
            inbox,
            store,
            twilio,
            push,
            book,
            sessions,
            login,
            connections,
            softphones,
            drain_timeout: config.calls.drain_timeout,
            clock,
            log_readings,
            fatal: Some(fatal),
            ended: Some(ended),
            servers: servers.iter().map(Server::handle).collect(),
            running: servers.into_iter().collect(),
            arbiters,
            _io: io,
        })
    }

    pub const fn ready(&self) -> &Ready {
        &self.ready
    }

    /// The agents' directory, for those who look in from the same process.
    pub const fn directory(&self) -> &Addr<Directory> {
        &self.directory
    }

    /// How often Twilio's event log has been read since the start.
    pub const fn log_readings(&self) -> &watch::Receiver<u64> {
        &self.log_readings
    }

    /// The book of agents.
    pub const fn book(&self) -> &Book {
        &self.book
    }

    /// The way to Twilio.
    pub const fn twilio(&self) -> &Twilio {
        &self.twilio
    }

    /// The way to agents' devices.
    pub const fn push(&self) -> &Push {
        &self.push
    }

    /// What is kept.
    pub const fn store(&self) -> &StoreHandle {
        &self.store
    }

    /// Who is signed in.
    pub const fn sessions(&self) -> &Sessions {
        &self.sessions
    }

    /// The way in.
    pub const fn login(&self) -> &Login {
        &self.login
    }

    /// The door for events.
    pub const fn inbox(&self) -> &Inbox {
        &self.inbox
    }

    /// Runs until `shutdown`, or until something fails for good; then lets what is under way finish. Calls may go on for
    /// `calls.drain_timeout`, or until what `shutdown` resolves with does so too.
    pub async fn run_until<H: Future<Output = ()>>(
        mut self,
        shutdown: impl Future<Output = H>,
    ) -> Result<(), RunError> {
        let outcome = tokio::select! {
            hurry = shutdown => {
                self.let_calls_end(hurry).await;
                Ok(())
            }
            error = failure(self.fatal.take()) => Err(RunError::Store(error)),
            ended = self.running.join_next() => Err(RunError::Listener(cause(ended))),
            () = end_of(self.ended.take()) => Err(RunError::Directory),
            () = softphones::end(self.softphones.clone()) => Err(RunError::Sip),
        };
        self.drain().await;
        outcome
    }

    /// Webhooks are taken meanwhile, so that agents hear how their calls end.
    async fn let_calls_end(&self, hurry: impl Future<Output = ()>) {
        self.readiness.set(false);
        self.connections.drain();
        let Some(softphones) = &self.softphones else { return };
        tokio::select! {
            () = softphones.drain() => {}
            () = self.clock.sleep(self.drain_timeout) => tracing::warn!("calls that did not end in time are ended"),
            () = hurry => tracing::warn!("told to stop twice: calls are ended"),
        }
    }

    async fn drain(&mut self) {
        self.readiness.set(false);
        self.connections.drain();
        if let Some(softphones) = &self.softphones {
            softphones.finish().await;
        }
        for server in &self.servers {
            server.stop(true).await;
        }
        for arbiter in std::mem::take(&mut self.arbiters) {
            arbiter.stop();
            // The thread ends once its actors are dropped; what they owed Twilio is in their records.
            let _ = tokio::task::spawn_blocking(move || arbiter.join()).await;
        }
        self.push.finish().await;
        if let Err(error) = self.store.close().await {
            tracing::warn!(%error, "the store was not closed in good order");
        }
    }
}

/// Resolves if the store fails for good.
async fn failure(fatal: Option<Fatal>) -> StoreError {
    if let Some(fatal) = fatal
        && let Some(error) = fatal.wait().await
    {
        return error;
    }
    std::future::pending().await
}

/// Twilio as the configuration has it, for commands that only ask. `io` is where its requests run.
pub fn twilio(config: &Config, clock: Clock, io: Handle) -> Result<Twilio, StartError> {
    Ok(Twilio::new(parts::settings(config)?, clock, io)?)
}

/// How pushes go out, as the configuration has it.
pub fn push_settings(config: &Config) -> Result<push::Settings, StartError> {
    parts::push(config)
}

/// Where the key lies that signs web pushes.
pub fn vapid_key(config: &Config) -> VapidKeyFile {
    parts::vapid_key(config)
}

/// Resolves if the directory ends.
async fn end_of(directory: Option<oneshot::Receiver<()>>) {
    match directory {
        Some(ended) => drop(ended.await),
        None => std::future::pending().await,
    }
}

fn cause(ended: Option<Result<std::io::Result<()>, tokio::task::JoinError>>) -> std::io::Error {
    match ended {
        Some(Ok(Err(error))) => error,
        Some(Err(error)) => std::io::Error::other(error),
        Some(Ok(Ok(()))) | None => std::io::Error::other("it ended by itself"),
    }
}

fn server_tls(tls: &HttpTls) -> Result<Option<rustls::ServerConfig>, TlsError> {
    match tls {
        HttpTls::Off => Ok(None),
        HttpTls::Files { cert, key } => http::server_config(cert, key).map(Some),
    }
}

/// The web's ports.
struct Listeners {
    public: TcpListener,
    public_at: SocketAddr,
    operator: TcpListener,
    operator_at: SocketAddr,
}

impl Listeners {
    fn bind(config: &Config) -> Result<Self, StartError> {
        let public = bind("http.listen", config.http.listen)?;
        let operator = bind("http.admin_listen", config.http.admin_listen)?;
        let (public_at, operator_at) = (local(&public)?, local(&operator)?);
        warn_of_open_door(operator_at);
        Ok(Self { public, public_at, operator, operator_at })
    }
}

fn bind(key: &'static str, address: SocketAddr) -> Result<TcpListener, StartError> {
    TcpListener::bind(address).map_err(|source| StartError::Bind { key, address, source })
}

/// What the public listener is made of.
type Public = (TcpListener, Option<rustls::ServerConfig>, http::Webhooks, http::Api);

fn servers(public: Public, (operator, admin): (TcpListener, http::AdminState)) -> std::io::Result<[Server; 2]> {
    let (listener, tls, webhooks, api) = public;
    Ok([http::public(listener, tls, Arc::new(webhooks), Arc::new(api))?, http::operator(operator, Arc::new(admin))?])
}

/// Browsers' subscriptions are bound to the key that they were made with.
fn warn_of_another_key(config: &Config) {
    if let Ok(push::KeyMark::Another) = push::mark_key(&parts::vapid_key(config), config.data_dir.path()) {
        tracing::error!("the key that signs web pushes is another one than before: browsers must subscribe anew");
    }
}

/// The operator's listener asks nobody who they are.
fn warn_of_open_door(admin: SocketAddr) {
    if !admin.ip().is_loopback() {
        tracing::warn!(%admin, "http.admin_listen is open to other machines, and asks for no password");
    }
}

fn local(listener: &TcpListener) -> Result<SocketAddr, StartError> {
    listener.local_addr().map_err(StartError::Runtime)
}

fn store_error(config: &Config, source: StoreError) -> StartError {
    StartError::Store { path: config.store_path().display().to_string(), source }
}

async fn open_store(config: &Config, clock: &Clock) -> Result<(StoreHandle, Fatal), StartError> {
    let options = store::Options { backups: Some(config.backup_path()), now: clock.now(), ..store::Options::default() };
    let opened = store::open(&config.store_path(), &options).map_err(|source| store_error(config, source))?;
    if opened.quarantined.is_some() {
        metrics::counter!("offdesk_store_quarantined_total").increment(1);
    }
    take_back_import(&*opened.store).await.map_err(|source| store_error(config, source))?;
    Ok((opened.store, opened.fatal))
}
