//! Who may come in: the audit log, the agents, the sessions, and signing in.

use tokio::{runtime::Handle, sync::mpsc, task::JoinError};

use super::parts;
use crate::{
    actors::Kit,
    audit::Audit,
    config::Config,
    login::{Login, Means},
    roster::{Book, Told},
    sessions::{Origin, SessionError, Sessions},
    store::StoreError,
};

/// What the API asks who somebody is.
#[derive(Clone)]
pub(super) struct Entrance {
    pub(super) sessions: Sessions,
    pub(super) login: Login,
    pub(super) book: Book,
    pub(super) audit: Audit,
}

/// Opens it all on the `io` runtime, where what it writes and sends goes on.
pub(super) async fn open(
    io: &Handle,
    config: &Config,
    kit: &Kit,
    tell: mpsc::Sender<Told>,
) -> Result<Entrance, StoreError> {
    let (policy, settings) = (parts::sessions(config), parts::login(config));
    let realm = config.sip.as_ref().map(|sip| sip.domain.to_string());
    let (store, clock, twilio) = (kit.store.clone(), kit.clock.clone(), kit.twilio.clone());
    let opening = io.spawn(async move {
        let audit = Audit::open(store.clone(), clock.clone()).await?;
        let sessions = Sessions::open(&store, audit.clone(), clock.clone(), policy).await?;
        let book = Book::open(&store, audit.clone(), clock.clone(), tell, realm).await?;
        end_sessions_of_nobody(&sessions, &book).await?;
        let means = Means { twilio, book: book.clone(), sessions: sessions.clone(), audit: audit.clone(), clock };
        Ok(Entrance { sessions, login: Login::start(settings, means), book, audit })
    });
    opening.await.unwrap_or_else(|error: JoinError| Err(StoreError::Failed(error.to_string())))
}

/// Whoever was disabled or removed as the daemon died has no session from here on.
async fn end_sessions_of_nobody(sessions: &Sessions, book: &Book) -> Result<(), StoreError> {
    for agent in sessions.agents().into_iter().filter(|agent| book.enabled(*agent).is_none()) {
        match sessions.revoke_all(agent, Origin::gateway()).await {
            Err(SessionError::Store(error)) => return Err(error),
            Err(error) => tracing::error!(%agent, %error, "sessions of an agent who is gone could not be ended"),
            Ok(0) => {}
            Ok(count) => tracing::warn!(%agent, count, "sessions of an agent who is gone are ended"),
        }
    }
    Ok(())
}
