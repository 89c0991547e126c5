//! The agents as the running daemon knows them. Everybody reads; one writes.
//!
//! A change is checked against what is there when its turn comes, written together with its audit entry, and then shown to
//! readers and told to the directory. Whoever asked is answered behind all of that: what was answered holds.

use std::{
    net::IpAddr,
    sync::{Arc, PoisonError, RwLock, RwLockReadGuard},
};

use tokio::sync::{mpsc, oneshot};

use super::{Clash, Draft, FieldError, Patch, Search, shelf::Page, shelf::Shelf, writer::Writer};
use crate::{
    access::{Access, Caller, Forbidden},
    audit::{Actor, Audit},
    clock::Clock,
    domain::{AgentId, E164, Profile, SipPassword},
    store::{StoreError, StoreHandle},
};

/// Changes that wait for their turn, at most. It protects memory; who finds it full waits at the door.
const WAITING: usize = 64;

/// All agents. Clones are the same book.
#[derive(Clone)]
pub struct Book {
    shelf: Arc<RwLock<Shelf>>,
    jobs: mpsc::Sender<Job>,
}

/// Who asks for a change, and from where.
#[derive(Clone, Debug)]
pub struct By {
    pub caller: Caller,
    pub address: Option<IpAddr>,
    /// What the device calls itself.
    pub device: Option<String>,
}

impl By {
    /// As the audit log names them.
    pub const fn actor(&self) -> Actor {
        match self.caller {
            Caller::Bootstrap => Actor::Bootstrap,
            Caller::Agent(id) => Actor::Agent { id },
        }
    }
}

/// What has changed, for those who keep something by it.
#[derive(Clone, Debug)]
pub enum News {
    Added(Vec<Arc<Profile>>),
    Changed {
        profile: Arc<Profile>,
        /// It names another worker at Twilio than before.
        other_worker: bool,
    },
    Removed(AgentId),
}

/// News, and whom to tell that they were heard.
#[derive(Debug)]
pub struct Told {
    pub news: News,
    pub heard: oneshot::Sender<()>,
}

/// Why a book is not changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BookError {
    #[error("there is no such agent")]
    NotFound,
    #[error(transparent)]
    Forbidden(#[from] Forbidden),
    #[error("another agent has the same")]
    Clashes(Vec<Clash>),
    /// In an import: which of the drafts, counted from zero.
    #[error("agents of the import are there already")]
    ImportClashes(Vec<(usize, Vec<Clash>)>),
    #[error("the system gives no random numbers")]
    NoRandomness,
    #[error("softphones are not configured")]
    NoSip,
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Of all that can be wrong with a password, what is left once it was read.
impl From<FieldError> for BookError {
    fn from(error: FieldError) -> Self {
        match error {
            FieldError::NoSip => Self::NoSip,
            _ => Self::NoRandomness,
        }
    }
}

pub(super) type Answer<T> = oneshot::Sender<Result<T, BookError>>;

/// A change that waits for its turn.
pub(super) enum Job {
    Add(By, Box<Draft>, Answer<Arc<Profile>>),
    Import(By, Vec<Draft>, Answer<usize>),
    Update(By, AgentId, Box<Patch>, Answer<Arc<Profile>>),
    UpdateOwn(By, AgentId, Box<Patch>, Answer<Arc<Profile>>),
    Remove(By, AgentId, Answer<Arc<Profile>>),
    EndSessions(By, AgentId, Answer<Arc<Profile>>),
    DrawPassword(By, AgentId, Answer<(Arc<Profile>, SipPassword)>),
    Export(By, Answer<()>),
}

impl Book {
    /// Reads all profiles; one that cannot be read is left out. It writes on the runtime that this is called on, and tells of
    /// changes by `told`. `realm` is the SIP domain, if there is SIP.
    ///
    /// # Errors
    /// The store has failed.
    pub async fn open(
        store: &StoreHandle,
        audit: Audit,
        clock: Clock,
        told: mpsc::Sender<Told>,
        realm: Option<String>,
    ) -> Result<Self, StoreError> {
        let mut shelf = Shelf::default();
        store
            .visit::<Profile>(|_, profile| match profile {
                Ok(profile) => shelf.put(Arc::new(profile)),
                // The directory, which reads them too, tells which.
                Err(error) => tracing::error!(%error, "a profile is left out"),
            })
            .await?;
        let shelf = Arc::new(RwLock::new(shelf));
        let (jobs, waiting) = mpsc::channel(WAITING);
        tokio::spawn(Writer { shelf: shelf.clone(), audit, clock, told, realm }.run(waiting));
        Ok(Self { shelf, jobs })
    }

    pub fn get(&self, id: AgentId) -> Option<Arc<Profile>> {
        self.read().get(id)
    }

    pub fn by_phone(&self, phone: &E164) -> Option<Arc<Profile>> {
        self.read().by_phone(phone)
    }

    /// The agent, if somebody may sign in and act as them.
    pub fn enabled(&self, id: AgentId) -> Option<Arc<Profile>> {
        self.get(id).filter(|profile| !profile.disabled)
    }

    /// What somebody may do now.
    ///
    /// # Errors
    /// [`Forbidden::NoRights`]
    pub fn access(&self, caller: Caller) -> Result<Access, Forbidden> {
        self.read().access(caller)
    }

    /// At most `limit` agents behind `after` whom this access sees and whom the search finds.
    pub fn page(&self, access: &Access, search: &Search, after: Option<AgentId>, limit: usize) -> Page {
        self.read().page(access, search, after, limit)
    }

    /// # Errors
    /// [`BookError`]
    pub async fn add(&self, by: By, draft: Draft) -> Result<Arc<Profile>, BookError> {
        self.ask(|answer| Job::Add(by, Box::new(draft), answer)).await
    }

    /// Adds all, or none; answers how many. All of them must find room in one batch of the store.
    ///
    /// # Errors
    /// [`BookError`]
    pub async fn import(&self, by: By, drafts: Vec<Draft>) -> Result<usize, BookError> {
        self.ask(|answer| Job::Import(by, drafts, answer)).await
    }

    /// # Errors
    /// [`BookError`]
    pub async fn update(&self, by: By, id: AgentId, patch: Patch) -> Result<Arc<Profile>, BookError> {
        self.ask(|answer| Job::Update(by, id, Box::new(patch), answer)).await
    }

    /// An agent changes what is the agent's own to decide: the patch holds nothing else.
    ///
    /// # Errors
    /// [`BookError`]
    pub async fn update_own(&self, by: By, id: AgentId, patch: Patch) -> Result<Arc<Profile>, BookError> {
        self.ask(|answer| Job::UpdateOwn(by, id, Box::new(patch), answer)).await
    }

    /// Answers who it was.
    ///
    /// # Errors
    /// [`BookError`]
    pub async fn remove(&self, by: By, id: AgentId) -> Result<Arc<Profile>, BookError> {
        self.ask(|answer| Job::Remove(by, id, answer)).await
    }

    /// Whose sessions somebody is about to end, if they may; if they may not, that is written down. What ends is for the
    /// sessions to write down.
    ///
    /// # Errors
    /// [`BookError`]
    pub async fn ending_sessions(&self, by: &By, id: AgentId) -> Result<Arc<Profile>, BookError> {
        self.ask(|answer| Job::EndSessions(by.clone(), id, answer)).await
    }

    /// Gives an agent a SIP password that was drawn, and a SIP user if it had none. It is answered once, and kept as hashes.
    ///
    /// # Errors
    /// [`BookError::NoSip`], [`BookError::NotFound`] and those of the store.
    pub async fn draw_sip_password(&self, by: By, id: AgentId) -> Result<(Arc<Profile>, SipPassword), BookError> {
        self.ask(|answer| Job::DrawPassword(by, id, answer)).await
    }

    /// All agents, in the order of their ids.
    pub fn all(&self) -> Vec<Arc<Profile>> {
        self.read().all()
    }

    /// Writes down that somebody takes a copy of what they may see.
    ///
    /// # Errors
    /// [`BookError`]
    pub async fn exported(&self, by: &By) -> Result<(), BookError> {
        self.ask(|answer| Job::Export(by.clone(), answer)).await
    }

    async fn ask<T>(&self, job: impl FnOnce(Answer<T>) -> Job) -> Result<T, BookError> {
        let (answer, answered) = oneshot::channel();
        self.jobs.send(job(answer)).await.map_err(|_| StoreError::Closed)?;
        answered.await.unwrap_or(Err(BookError::Store(StoreError::Closed)))
    }

    fn read(&self) -> RwLockReadGuard<'_, Shelf> {
        self.shelf.read().unwrap_or_else(PoisonError::into_inner)
    }
}
