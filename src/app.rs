//! The one place where everything is wired: `serve`, the sandbox and the tests build the same [`App`].

use std::{
    io,
    net::{SocketAddr, TcpListener},
    sync::Arc,
    time::Duration,
};

use actix::{Addr, Arbiter};
use actix_web::dev::ServerHandle;
use serde::Serialize;
use tokio::runtime::{Handle, Runtime};

use crate::{
    actors::{self, Directory, Kit},
    agent::{Policy, request::Closing},
    clock::Clock,
    config::{self, Completion, Config, HttpTls},
    http::{self, AdminState, Readiness, TlsError, Webhooks},
    inbox::Inbox,
    reconcile::Reconciler,
    store::{self, Fatal, StoreError, StoreHandle, backup},
    telemetry::Metrics,
    twilio::{
        Credentials, Endpoints, Limits, Settings, Twilio, client::SettingsError, facts::WorkspaceFacts,
        signature::Validator,
    },
};

/// Threads that all outgoing HTTP runs on.
const IO_THREADS: usize = 2;
/// Threads that agents live on.
const AGENT_THREADS: usize = 2;
/// How often the store is copied, and how many copies are kept.
const BACKUP_EVERY: Duration = Duration::from_secs(3600);
const BACKUPS: usize = 24;
/// How often events that nobody will repeat are forgotten.
const SWEEP_EVERY: Duration = Duration::from_secs(3600);

/// The addresses that were bound: what `serve` prints when it is ready.
#[derive(Clone, Debug, Serialize)]
pub struct Ready {
    pub ready: bool,
    pub http: SocketAddr,
    pub admin: SocketAddr,
}

#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error("the store at {path} does not open: {source}")]
    Store { path: String, source: StoreError },
    #[error("{key} = \"{address}\" cannot be listened on: {source}")]
    Bind { key: &'static str, address: SocketAddr, source: io::Error },
    #[error("tls: {0}")]
    Tls(#[from] TlsError),
    #[error("{0}")]
    Twilio(#[from] SettingsError),
    #[error("tls.extra_ca_file cannot be read: {0}")]
    ExtraRoots(io::Error),
    #[error("the runtime cannot be started: {0}")]
    Runtime(io::Error),
}

/// What ended a running daemon.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    #[error("the store has failed: {0}")]
    Store(StoreError),
    #[error("a listener has failed: {0}")]
    Listener(io::Error),
}

/// The running daemon.
pub struct App {
    ready: Ready,
    readiness: Arc<Readiness>,
    directory: Addr<Directory>,
    inbox: Inbox,
    store: StoreHandle,
    twilio: Twilio,
    fatal: Option<Fatal>,
    servers: Vec<ServerHandle>,
    running: tokio::task::JoinSet<io::Result<()>>,
    arbiters: Vec<Arbiter>,
    _io: Io,
}

impl App {
    /// Opens the store, binds the ports, and takes webhooks from here on; what is older is worked off behind that. It is
    /// called inside an actix `System`.
    pub async fn start(config: &Config, clock: Clock, metrics: Metrics) -> Result<Self, StartError> {
        let public = bind("http.listen", config.http.listen)?;
        let operator = bind("http.admin_listen", config.http.admin_listen)?;
        let ready = Ready { ready: true, http: local(&public)?, admin: local(&operator)? };
        let tls = match &config.http.tls {
            HttpTls::Off => None,
            HttpTls::Files { cert, key } => Some(http::server_config(cert, key)?),
        };
        let (store, fatal) = open_store(config, &clock)?;
        let io = Io::start().map_err(StartError::Runtime)?;
        let twilio = Twilio::new(settings(config)?, clock.clone(), io.handle())?;
        let opened = Inbox::open(store.clone(), clock.clone()).await;
        let (inbox, outlet) = opened.map_err(|source| store_error(config, source))?;

        let arbiters: Vec<_> = (0..AGENT_THREADS).map(|_| Arbiter::new()).collect();
        let kit = Arc::new(kit(config, &store, &clock, &twilio));
        warm(&io.handle(), kit.facts.clone());
        let directory = actors::start(kit, outlet, &arbiters);
        let readiness = Arc::new(Readiness::default());
        let webhooks = Webhooks {
            validator: Validator::new(
                config.public_url.as_url(),
                &config.twilio.auth_token,
                config.twilio.auth_token_secondary.as_ref(),
            ),
            account: config.twilio.account_sid.clone(),
            twilio: twilio.clone(),
            inbox: inbox.clone(),
        };
        let admin = AdminState {
            readiness: readiness.clone(),
            metrics,
            twilio: twilio.clone(),
            inbox: inbox.clone(),
            directory: directory.clone(),
        };
        let servers = [
            http::public(public, tls, Arc::new(webhooks)).map_err(StartError::Runtime)?,
            http::operator(operator, Arc::new(admin)).map_err(StartError::Runtime)?,
        ];
        chores(&io.handle(), config, &store, &clock, &inbox, &twilio);
        readiness.set(true);
        let handles = servers.iter().map(actix_web::dev::Server::handle).collect();
        let running = servers.into_iter().collect();
        Ok(Self {
            ready,
            readiness,
            directory,
            inbox,
            store,
            twilio,
            fatal: Some(fatal),
            servers: handles,
            running,
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

    /// The way to Twilio.
    pub const fn twilio(&self) -> &Twilio {
        &self.twilio
    }

    /// The door for events.
    pub const fn inbox(&self) -> &Inbox {
        &self.inbox
    }

    /// Runs until `shutdown`, or until something fails for good; then lets what is under way finish.
    pub async fn run_until(mut self, shutdown: impl Future<Output = ()>) -> Result<(), RunError> {
        let outcome = tokio::select! {
            () = shutdown => Ok(()),
            error = failure(self.fatal.take()) => Err(RunError::Store(error)),
            ended = self.running.join_next() => Err(RunError::Listener(cause(ended))),
        };
        self.drain().await;
        outcome
    }

    async fn drain(&mut self) {
        self.readiness.set(false);
        for server in &self.servers {
            server.stop(true).await;
        }
        for arbiter in std::mem::take(&mut self.arbiters) {
            arbiter.stop();
            // The thread ends once its actors are dropped; what they owed Twilio is in their records.
            let _ = tokio::task::spawn_blocking(move || arbiter.join()).await;
        }
        if let Err(error) = self.store.close().await {
            tracing::warn!(%error, "the store was not closed in good order");
        }
    }
}

/// The runtime of all outgoing HTTP. It may be let go of inside another runtime, which is not allowed to wait for it.
struct Io(Option<Runtime>);

impl Io {
    fn start() -> io::Result<Self> {
        let mut builder = tokio::runtime::Builder::new_multi_thread();
        builder.worker_threads(IO_THREADS).thread_name("io").enable_all().build().map(|runtime| Self(Some(runtime)))
    }

    fn handle(&self) -> Handle {
        self.0.as_ref().map_or_else(Handle::current, |runtime| runtime.handle().clone())
    }
}

impl Drop for Io {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
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

fn cause(ended: Option<Result<io::Result<()>, tokio::task::JoinError>>) -> io::Error {
    match ended {
        Some(Ok(Err(error))) => error,
        Some(Err(error)) => io::Error::other(error),
        Some(Ok(Ok(()))) | None => io::Error::other("it ended by itself"),
    }
}

fn bind(key: &'static str, address: SocketAddr) -> Result<TcpListener, StartError> {
    TcpListener::bind(address).map_err(|source| StartError::Bind { key, address, source })
}

fn local(listener: &TcpListener) -> Result<SocketAddr, StartError> {
    listener.local_addr().map_err(StartError::Runtime)
}

fn store_error(config: &Config, source: StoreError) -> StartError {
    StartError::Store { path: config.store_path().display().to_string(), source }
}

fn open_store(config: &Config, clock: &Clock) -> Result<(StoreHandle, Fatal), StartError> {
    let options = store::Options { backups: Some(config.backup_path()), now: clock.now(), ..store::Options::default() };
    let opened = store::open(&config.store_path(), &options).map_err(|source| store_error(config, source))?;
    if opened.quarantined.is_some() {
        metrics::counter!("offdesk_store_quarantined_total").increment(1);
    }
    Ok((opened.store, opened.fatal))
}

fn settings(config: &Config) -> Result<Settings, StartError> {
    let twilio = &config.twilio;
    let credentials = match &twilio.api_key {
        Some(key) => Credentials::ApiKey { sid: key.sid.to_string(), secret: key.secret.clone() },
        None => Credentials::AuthToken(twilio.auth_token.clone()),
    };
    let extra_roots_pem =
        config.tls.extra_ca_file.as_ref().map(std::fs::read).transpose().map_err(StartError::ExtraRoots)?;
    Ok(Settings {
        account_sid: twilio.account_sid.clone(),
        credentials,
        endpoints: endpoints(&twilio.endpoints),
        workspace_sid: twilio.workspace_sid.clone(),
        limits: Limits::default(),
        extra_roots_pem,
    })
}

fn endpoints(from: &config::Endpoints) -> Endpoints {
    let url = |base: &config::BaseUrl| base.as_url().clone();
    Endpoints {
        api: url(&from.api),
        taskrouter: url(&from.taskrouter),
        conversations: url(&from.conversations),
        flex: url(&from.flex),
        verify: url(&from.verify),
        iam: url(&from.iam),
        media: url(&from.media),
        events: url(&from.events),
        sync: url(&from.sync),
    }
}

fn kit(config: &Config, store: &StoreHandle, clock: &Clock, twilio: &Twilio) -> Kit {
    let calls = &config.calls;
    let policy = Policy {
        mobile_activity: config.twilio.activities.mobile.clone(),
        offline_activity: config.twilio.activities.offline.clone(),
        plan: calls.plan.clone(),
        pstn_ring: calls.pstn_ring,
        missed_keep_activity: calls.missed_keep_activity,
        reoffer_hold: calls.reoffer_hold,
        closing: match calls.complete {
            Completion::Wrapup => Closing::Wrapup,
            Completion::Complete => Closing::Complete,
        },
    };
    Kit {
        store: store.clone(),
        clock: clock.clone(),
        facts: WorkspaceFacts::new(twilio.clone()),
        twilio: twilio.clone(),
        policy,
        public_url: config.public_url.clone(),
        caller_id: config.twilio.caller_id.clone(),
        recording: calls.record,
    }
}

/// Reads what the first call will need, so that its customer does not wait for it.
fn warm(io: &Handle, facts: WorkspaceFacts) {
    io.spawn(async move {
        if let Err(error) = facts.workspace_sid().await {
            tracing::warn!(%error, "the workspace cannot be read yet");
        }
        let _ = facts.flex_recording().await;
    });
}

/// What is done now and then beside the calls.
fn chores(io: &Handle, config: &Config, store: &StoreHandle, clock: &Clock, inbox: &Inbox, twilio: &Twilio) {
    let reconciler =
        Reconciler { store: store.clone(), clock: clock.clone(), twilio: twilio.clone(), inbox: inbox.clone() };
    io.spawn(reconciler.run());
    let (sweeping, sweeper) = (clock.clone(), inbox.clone());
    io.spawn(async move {
        loop {
            sweeping.sleep(SWEEP_EVERY).await;
            if let Err(error) = sweeper.sweep().await {
                tracing::warn!(%error, "old events were not forgotten");
            }
        }
    });
    let (store, clock, folder) = (store.clone(), clock.clone(), config.backup_path());
    io.spawn(async move {
        loop {
            clock.sleep(BACKUP_EVERY).await;
            let (store, now, folder) = (store.clone(), clock.now(), folder.clone());
            let writing = tokio::task::spawn_blocking(move || backup::rotate(&*store, &folder, BACKUPS, now));
            if let Ok(Err(error)) = writing.await {
                tracing::error!(%error, "the store was not backed up");
            }
        }
    });
}
