//! Who is signed in, on which device, and until when.
//!
//! A token is 256 random bits, of which only the SHA-256 is kept: nobody who reads the store can be somebody else. All
//! sessions are in memory, where a token is looked up; a change is made by one task, on disk together with its audit entry
//! before it counts (`keeper`). What a change means is pure (`change`, `table`).
//!
//! Refreshing gives a new token. The old one works until the new one comes, for a minute at most; one that comes after that
//! shows that two have it, and ends the session. A client refreshes from one place at a time.

mod change;
mod keeper;
mod record;
mod table;
#[cfg(test)]
mod tests;
mod token;

use std::sync::{Arc, PoisonError, RwLock};

use secrecy::SecretString;
use tokio::sync::{broadcast, mpsc, oneshot};

use self::{
    change::{Change, Which},
    keeper::{Done, Job, Keeper},
    table::{Table, Worth},
};
pub use self::{
    change::{NewSession, Origin},
    record::{End, Policy, Session},
    token::TokenHash,
};
use crate::{
    audit::Audit,
    clock::Clock,
    domain::{AgentId, SessionId, Timestamp},
    store::{Batch, Cursor, StoreError, StoreHandle},
};

/// Changes that wait, at most. Whoever signs in waits at this door.
const WAITING: usize = 256;
/// Ends that a listener may be behind; one that is further behind looks its session up again.
const ENDS: usize = 256;

/// Whose a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Who {
    pub agent: AgentId,
    pub session: SessionId,
}

/// That a session is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EndedSession {
    pub agent: AgentId,
    pub session: SessionId,
    pub how: End,
}

/// A session that was just begun or refreshed. Its token is told to nobody but its owner.
#[derive(Debug)]
pub struct Begun {
    pub session: SessionId,
    pub token: SecretString,
    /// Unless it is used.
    pub expires_at: Timestamp,
    /// However much it is used.
    pub last_possible: Timestamp,
}

/// Why a token lets nobody in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoSession {
    #[error("there is no such session: sign in")]
    Unknown,
    #[error("the session has expired: sign in again")]
    Expired,
    #[error("another device has taken over: sign in again to use this one")]
    Superseded,
}

#[derive(Clone, Debug, thiserror::Error)]
pub enum SessionError {
    #[error("there are no random bytes to be had")]
    NoRandomness,
    #[error(transparent)]
    NoSession(#[from] NoSession),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What is to be done with a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Checked {
    Good(Who),
    Bad(NoSession),
    /// Something must be on disk before it is known: [`Sessions::settle`].
    Unsettled(Unsettled),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unsettled {
    FirstUse(Who),
    Reused(Who),
}

/// All sessions. Clones are the same.
#[derive(Clone)]
pub struct Sessions {
    clock: Clock,
    policy: Policy,
    table: Arc<RwLock<Table>>,
    jobs: mpsc::Sender<Job>,
    ended: broadcast::Sender<EndedSession>,
}

impl Sessions {
    /// Reads all sessions; one that cannot be read is left out, and its agent signs in again. Changes are made on the
    /// runtime that this is called on.
    ///
    /// # Errors
    /// The store has failed.
    pub async fn open(store: &StoreHandle, audit: Audit, clock: Clock, policy: Policy) -> Result<Self, StoreError> {
        let mut table = Table::default();
        let see = |_: Cursor, session: Result<Session, StoreError>| match session {
            Ok(session) => table.put(session),
            Err(error) => tracing::error!(%error, "a session is left out"),
        };
        store.visit(see).await?;
        let table = Arc::new(RwLock::new(table));
        let (jobs, waiting) = mpsc::channel(WAITING);
        let (ended, _) = broadcast::channel(ENDS);
        let keeper = Keeper { clock: clock.clone(), audit, policy, table: table.clone(), ended: ended.clone() };
        tokio::spawn(keeper.run(waiting));
        Ok(Self { clock, policy, table, jobs, ended })
    }

    /// Whose a token is. It takes microseconds and waits for nothing.
    pub fn check(&self, token: &str) -> Checked {
        let Some(hash) = TokenHash::of(token) else { return Checked::Bad(NoSession::Unknown) };
        match self.read(|table| table.look(hash, self.clock.now(), &self.policy)) {
            Worth::Nothing(none) => Checked::Bad(none),
            Worth::FirstUse(who) => Checked::Unsettled(Unsettled::FirstUse(who)),
            Worth::Reused(who) => Checked::Unsettled(Unsettled::Reused(who)),
            Worth::Good { who, stale } => {
                if stale {
                    // Without room it is written down at a later use.
                    let _ = self.jobs.try_send(Job { change: Change::Renew(who.session), done: None });
                }
                Checked::Good(who)
            }
        }
    }

    /// Has what a token brings with it written down: the end of the token before, or of the whole session.
    ///
    /// # Errors
    /// [`SessionError`]; of a token that had been rotated out always [`NoSession::Unknown`].
    pub async fn settle(&self, unsettled: Unsettled, origin: impl Fn(AgentId) -> Origin) -> Result<Who, SessionError> {
        match unsettled {
            Unsettled::FirstUse(who) => {
                let settled = self.make(Change::Settle(who.session)).await?.session;
                // It may have ended while it waited.
                let is_live = settled.is_some_and(|session| session.is_live(&self.policy, self.clock.now()));
                if is_live { Ok(who) } else { Err(NoSession::Unknown.into()) }
            }
            Unsettled::Reused(Who { agent, session }) => {
                tracing::warn!(%agent, %session, "a token came that had been rotated out: its session ends");
                let which = Which::One(session);
                self.make(Change::End { agent, which, how: End::Reused, origin: origin(agent) }).await?;
                Err(NoSession::Unknown.into())
            }
        }
    }

    /// Begins a session; of more than there may be, the oldest are superseded in the same batch.
    ///
    /// # Errors
    /// [`SessionError`]
    pub async fn begin(&self, new: NewSession) -> Result<Begun, SessionError> {
        let (token, hash) = token::new()?;
        let id = SessionId::from_bits(token::random_bits()?);
        let done = self.make(Change::Begin { id, token: hash, new }).await?;
        self.begun(token, done)
    }

    /// Gives a session a new token.
    ///
    /// # Errors
    /// [`SessionError`]; the session may have ended meanwhile.
    pub async fn refresh(&self, who: Who, origin: Origin) -> Result<Begun, SessionError> {
        let (token, hash) = token::new()?;
        let done = self.make(Change::Rotate { who, token: hash, origin }).await?;
        self.begun(token, done)
    }

    /// Ends one session of an agent's; answers whether there was one.
    ///
    /// # Errors
    /// [`SessionError`]
    pub async fn end(&self, who: Who, how: End, origin: Origin) -> Result<bool, SessionError> {
        let change = Change::End { agent: who.agent, which: Which::One(who.session), how, origin };
        Ok(self.make(change).await?.ended > 0)
    }

    /// Ends all sessions of an agent's; answers how many there were.
    ///
    /// # Errors
    /// [`SessionError`]
    pub async fn revoke_all(&self, agent: AgentId, origin: Origin) -> Result<usize, SessionError> {
        let change = Change::End { agent, which: Which::All, how: End::Revoked, origin };
        Ok(self.make(change).await?.ended)
    }

    /// An agent's sessions, the one used last first.
    pub fn list(&self, agent: AgentId) -> Vec<Session> {
        self.read(|table| table.live(agent, self.clock.now(), &self.policy))
    }

    /// Agents of whose sessions anything is known.
    pub fn agents(&self) -> Vec<AgentId> {
        self.read(Table::agents)
    }

    /// Whether a session lets in.
    pub fn is_live(&self, who: Who) -> bool {
        self.read(|table| table.is_live(who.session, self.clock.now(), &self.policy))
    }

    /// Notes that a session is in use without its token, as over a connection that stays open.
    pub fn note_use(&self, who: Who) {
        let stale = self.read(|table| table.note_use(who.session, self.clock.now(), &self.policy));
        if stale {
            // Without room it is written down at a later use.
            let _ = self.jobs.try_send(Job { change: Change::Renew(who.session), done: None });
        }
    }

    /// How long sessions last, and how many there may be.
    pub const fn policy(&self) -> &Policy {
        &self.policy
    }

    /// Hears of every session that ends, once that is on disk. Whoever lags behind looks its own session up:
    /// [`Sessions::list`].
    pub fn ended(&self) -> broadcast::Receiver<EndedSession> {
        self.ended.subscribe()
    }

    /// Sessions that are over and whose devices are still there.
    pub fn owed(&self) -> Vec<EndedSession> {
        let owed = self.read(Table::owed);
        let ended = |(who, how): (Who, End)| EndedSession { agent: who.agent, session: who.session, how };
        owed.into_iter().map(ended).collect()
    }

    /// Notes that an ended session's devices are gone.
    ///
    /// # Errors
    /// [`SessionError`]
    pub async fn let_go(&self, session: SessionId) -> Result<(), SessionError> {
        self.make(Change::LetGo(session)).await.map(drop)
    }

    /// Ends what has expired, and forgets what has been over for long.
    ///
    /// # Errors
    /// [`SessionError`]
    pub async fn sweep(&self) -> Result<(), SessionError> {
        self.make(Change::Sweep).await.map(drop)
    }

    fn begun(&self, token: SecretString, done: Done) -> Result<Begun, SessionError> {
        let session = done.session.ok_or(NoSession::Unknown)?;
        let (expires_at, last_possible) = (session.expires_at(&self.policy), session.last_possible(&self.policy));
        Ok(Begun { session: session.id, token, expires_at, last_possible })
    }

    async fn make(&self, change: Change) -> Result<Done, SessionError> {
        let (done, made) = oneshot::channel();
        self.jobs.send(Job { change, done: Some(done) }).await.map_err(|_| StoreError::Closed)?;
        made.await.map_err(|_| StoreError::Closed)?
    }

    fn read<T>(&self, look: impl FnOnce(&Table) -> T) -> T {
        look(&self.table.read().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Puts a new session into a batch, for those who sign agents in on the stopped store: the sandbox and the tests. Answers
/// its name and its token.
///
/// # Errors
/// [`SessionError`]
pub fn begin(batch: &mut Batch, agent: AgentId, now: Timestamp) -> Result<(SessionId, SecretString), SessionError> {
    let (token, hash) = token::new()?;
    let session = Session::new(SessionId::from_bits(token::random_bits()?), agent, hash, None, now);
    batch.put(&session.id, &session)?;
    Ok((session.id, token))
}
