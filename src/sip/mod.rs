//! Softphones: the adapter between the daemon and the SIP engine, which knows nothing of agents.
//!
//! Accounts go in: those of all agents at the start, and every change of one before whoever made it is answered. Bindings
//! come out: what agents see of them is kept in memory, and each is written down softly, so that a restart brings it back.

mod accounts;
mod calls;
mod certificate;
mod gauges;
mod invitation;
mod keeper;
mod line;
mod quality;
mod record;
mod settings;
mod table;

use std::{
    io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread::JoinHandle,
    time::Duration,
};

use aws_lc_rs::rand;
use offdesk_sip::{
    driver::{self, Bound, CertificateError, Handle},
    engine::{Command, Count},
    transport::Transport,
};
use tokio::{
    runtime,
    sync::{mpsc, watch},
};

pub use self::{
    gauges::State,
    invitation::{Invitation, InvitationError},
    line::{Exchange, Line, line},
    settings::advertised,
    table::{Binding, Standing},
};
use self::{keeper::Keeper, record::Kept, table::Table};
use crate::{
    clock::Clock,
    config::Sip,
    domain::{AgentId, Profile},
    push::Push,
    roster::Told,
    store::{StoreError, StoreHandle},
};

/// Bindings that are restored by one command.
const RESTORED: usize = 1000;

/// How often it is seen whether the last call has ended. The engine goes by the machine's time.
const LOOK: Duration = Duration::from_millis(100);

/// Why there are no softphones.
#[derive(Debug, thiserror::Error)]
pub enum SipError {
    #[error("sip: {0}")]
    Engine(#[from] driver::StartError),
    #[error("{key} = {path} cannot be read: {source}")]
    File { key: &'static str, path: String, source: std::io::Error },
    #[error("sip.tls_cert: {0}")]
    Certificate(#[from] CertificateError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("the system gives no random numbers")]
    NoRandomness,
}

/// The softphones of all agents. Clones are the same.
#[derive(Clone)]
pub struct Softphones(Arc<Inner>);

struct Inner {
    domain: String,
    advertised: Option<std::net::IpAddr>,
    bound: Bound,
    engine: Handle,
    table: Arc<Mutex<Table>>,
    /// The agents' calls.
    calls: Arc<line::Calls>,
    /// True once the engine has ended and all is written.
    ended: watch::Receiver<bool>,
}

/// What the adapter works with.
pub struct Means {
    pub store: StoreHandle,
    pub clock: Clock,
    /// Where it runs.
    pub io: runtime::Handle,
    /// Our own FCM project: whose push tokens are taken.
    pub push_project: Option<String>,
    pub profiles: Vec<Arc<Profile>>,
    /// The way to agents.
    pub exchange: Exchange,
    /// Wakes sleeping phones.
    pub push: Push,
}

impl Softphones {
    /// Binds the ports, and sets all accounts and bindings before anything that comes in is looked at.
    pub async fn start(config: &Sip, means: Means) -> Result<Self, SipError> {
        let Means { store, clock, io, push_project, profiles, exchange, push } = means;
        let domain = config.domain.to_string();
        let mut table = Table::default();
        let mut first: Vec<_> =
            profiles.iter().filter_map(|profile| accounts::set(&mut table, profile, &domain)).collect();
        let kept = record::read(&store, &table).await?;
        for chunk in kept.chunks(RESTORED) {
            first.push(Command::Restore(chunk.iter().map(|kept| (kept.user.clone(), kept.saved.clone())).collect()));
        }
        for Kept { user, account, saved } in kept {
            table.bound(user.as_str(), account, &saved);
        }
        let mut key = [0; 32];
        rand::fill(&mut key).map_err(|_| SipError::NoRandomness)?;
        let tls = config.tls.as_ref().map(certificate::read).transpose()?;
        let (certificate, pem) = tls.unzip();
        let listening = settings::listening(config, certificate);
        let running = driver::start(settings::engine(config, push_project), listening, key, first)?;
        let (table, (end, ended)) = (Arc::new(Mutex::new(table)), watch::channel(false));
        let news = exchange.news.clone();
        let calls = news.calls.clone();
        let (table_of_keeper, engine) = (table.clone(), running.handle.clone());
        let keeper = Keeper { store, clock: clock.clone(), table: table_of_keeper, news, push, engine };
        io.spawn(async move {
            keeper.run(running.events).await;
            tell_why(running.thread).await;
            // Whoever waits for it may have gone.
            let _ = end.send(true);
        });
        if let Some((tls, pem)) = config.tls.clone().zip(pem) {
            io.spawn(certificate::keep_current(tls, pem, running.handle.clone(), clock));
        }
        // Set once, here.
        let _ = exchange.target.set(settings::target(config, running.bound));
        let (bound, engine) = (running.bound, running.handle);
        let inner = Inner { domain, advertised: config.advertised_address, bound, engine, table, calls, ended };
        let softphones = Self(Arc::new(inner));
        let inner = softphones.0.clone();
        io.spawn(async move { inner.carry_out(exchange).await });
        Ok(softphones)
    }

    /// Takes no new calls, and waits until those that are there have ended.
    pub async fn drain(&self) {
        self.0.calls.end();
        let calls = self.0.calls.count();
        tracing::info!(calls, "new calls are refused from now on");
        // It has ended already, and with it the calls.
        if self.0.engine.send(Command::Drain).await.is_err() {
            return;
        }
        self.0.calls.none().await;
        // Those between agents, of which only the engine knows.
        while self.0.engine.counters().get(Count::Calls) > 0 {
            tokio::time::sleep(LOOK).await;
        }
    }

    /// Hears every change of an agent before the directory does; both have heard it when whoever made it is answered.
    pub async fn listen(self, mut told: mpsc::Receiver<Told>, directory: mpsc::Sender<Told>) {
        while let Some(news) = told.recv().await {
            let commands = accounts::changes(&mut self.table(), &news.news, &self.0.domain);
            for command in commands {
                if self.0.engine.send(command).await.is_err() {
                    tracing::error!("the SIP engine did not hear of a change");
                }
            }
            if directory.send(news).await.is_err() {
                return;
            }
        }
    }

    pub fn bound(&self) -> Bound {
        self.0.bound
    }

    /// The ways to register, the safest first, each with its port.
    pub fn transports(&self) -> Vec<(Transport, u16)> {
        invitation::transports(self.0.bound).into_iter().map(|(transport, at)| (transport, at.port())).collect()
    }

    pub fn domain(&self) -> &str {
        &self.0.domain
    }

    /// The agent's bindings, those that last longest first.
    pub fn bindings(&self, agent: AgentId) -> Vec<Binding> {
        self.table().bindings(agent)
    }

    /// How a softphone comes to this account.
    ///
    /// # Errors
    /// [`InvitationError`]
    pub fn invite(&self, username: &str, password: &str) -> Result<Invitation, InvitationError> {
        Invitation::new(username, password, &self.0.domain, self.0.bound, self.0.advertised)
    }

    /// Puts the engine's counters where metrics are read.
    pub fn publish(&self) {
        gauges::publish(self.0.engine.counters());
    }

    pub fn state(&self) -> State {
        State::new(self.0.bound, self.0.engine.counters(), self.0.calls.count())
    }

    /// Resolves if the engine ends.
    pub async fn ended(&self) {
        let mut ended = self.0.ended.clone();
        let _ = ended.wait_for(|ended| *ended).await;
    }

    /// Stops the engine; what has changed until then is written.
    pub async fn finish(&self) {
        // It has ended already.
        let _ = self.0.engine.send(Command::Stop).await;
        self.ended().await;
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        lock(&self.0.table)
    }
}

/// Why the engine has ended, if nobody told it to.
async fn tell_why(thread: JoinHandle<io::Result<()>>) {
    match tokio::task::spawn_blocking(|| thread.join()).await {
        Ok(Ok(Ok(()))) => {}
        Ok(Ok(Err(error))) => tracing::error!(%error, "the SIP engine has ended"),
        Ok(Err(_)) | Err(_) => tracing::error!("the SIP engine has died"),
    }
}

fn lock(table: &Mutex<Table>) -> MutexGuard<'_, Table> {
    table.lock().unwrap_or_else(PoisonError::into_inner)
}
