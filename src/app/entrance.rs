//! Who may come in: the audit log, the sessions, and signing in.

use tokio::{runtime::Handle, task::JoinError};

use super::parts;
use crate::{
    audit::Audit,
    clock::Clock,
    config::Config,
    login::{Login, Means, People},
    sessions::Sessions,
    store::{StoreError, StoreHandle},
    twilio::Twilio,
};

/// What the API asks who somebody is.
#[derive(Clone)]
pub(super) struct Entrance {
    pub(super) sessions: Sessions,
    pub(super) login: Login,
    pub(super) people: People,
}

/// Opens it all on the `io` runtime, where what it writes and sends goes on.
pub(super) async fn open(
    io: &Handle,
    config: &Config,
    store: &StoreHandle,
    clock: &Clock,
    twilio: &Twilio,
) -> Result<Entrance, StoreError> {
    let (policy, settings) = (parts::sessions(config), parts::login(config));
    let (store, clock, twilio) = (store.clone(), clock.clone(), twilio.clone());
    let opening = io.spawn(async move {
        let audit = Audit::open(store.clone(), clock.clone()).await?;
        let sessions = Sessions::open(&store, audit.clone(), clock.clone(), policy).await?;
        let people = People::open(&store).await?;
        let means = Means { twilio, people: people.clone(), sessions: sessions.clone(), audit, clock };
        Ok(Entrance { sessions, login: Login::start(settings, means), people })
    });
    opening.await.unwrap_or_else(|error: JoinError| Err(StoreError::Failed(error.to_string())))
}
