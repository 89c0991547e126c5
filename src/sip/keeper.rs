//! Writes down what the engine tells, and shows it to agents.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use offdesk_sip::{
    User,
    driver::Handle,
    engine::{Command, Event, PushToken},
};
use tokio::sync::mpsc;

use super::{
    calls::{self, Told},
    line::News,
    lock, quality,
    record::BindingRecord,
    table::Table,
};
use crate::{
    clock::Clock,
    domain::SoftphoneLeg,
    push::Push,
    store::{Batch, StoreError, StoreHandle},
};

/// How long a store that has its hands full is left alone. Meanwhile the engine holds what is still to be told.
const PAUSE: Duration = Duration::from_millis(100);
/// How long waking a phone is worth trying: it has to register before the ringing ends.
const AWAKE_BY: Duration = Duration::from_secs(15);

pub(super) struct Keeper {
    pub(super) store: StoreHandle,
    pub(super) clock: Clock,
    pub(super) table: Arc<Mutex<Table>>,
    pub(super) news: News,
    pub(super) push: Push,
    pub(super) engine: Handle,
}

impl Keeper {
    /// Until the engine has ended.
    pub(super) async fn run(self, mut events: mpsc::Receiver<Vec<Event>>) {
        while let Some(events) = events.recv().await {
            let mut bindings = Vec::new();
            for event in events {
                match calls::told(event) {
                    Told::Binding(event) => bindings.push(event),
                    Told::Wake(leg, user, token) => self.wake(leg, user, token),
                    Told::News(leg, news) => {
                        quality::note(leg, &news);
                        self.news.tell(leg, news).await;
                    }
                }
            }
            let batch = self.note(bindings);
            self.write(batch).await;
        }
    }

    /// A phone whose token is not known any more would keep every caller waiting: the engine forgets it.
    fn wake(&self, leg: SoftphoneLeg, user: User, token: PushToken) {
        let (exp, prid, engine) = (self.clock.now() + AWAKE_BY, token.prid.clone(), self.engine.clone());
        let forget = async move {
            // An engine that has ended has forgotten it.
            let _ = engine.send(Command::Forget { user, token }).await;
        };
        self.push.wake(leg.call.agent, prid, exp, forget);
    }

    fn note(&self, events: Vec<Event>) -> Batch {
        let (mut batch, mut table) = (Batch::new(), lock(&self.table));
        for event in events {
            match event {
                Event::Bound { user, account, binding } => {
                    // One with an earlier password: its end is on its way.
                    let Some(agent) = table.bound(user.as_str(), account, &binding) else { continue };
                    let id = binding.id;
                    if let Err(error) = batch.put(&id, &BindingRecord::new(agent, &user, account, binding)) {
                        tracing::warn!(%error, "a binding is not kept");
                    }
                }
                Event::Unbound(id) => {
                    table.unbound(id);
                    batch.delete::<BindingRecord>(&id);
                }
                // Of calls nothing is written.
                _ => {}
            }
        }
        batch
    }

    /// Softly: what is lost with the power comes again with the phone's next REGISTER.
    async fn write(&self, batch: Batch) {
        loop {
            match self.store.commit_soft(batch.clone()) {
                Ok(()) => return,
                Err(StoreError::Busy) => self.clock.sleep(PAUSE).await,
                Err(error) => return tracing::warn!(%error, "bindings are not kept"),
            }
        }
    }
}
