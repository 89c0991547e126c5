//! Agents who come, change and go while the daemon runs.

use std::{pin::Pin, sync::Arc};

use actix::{ActorFutureExt, AsyncContext, Context, StreamHandler, WrapFuture};
use futures_util::future;

use super::{
    AgentRecord, Devices, Directory, Sends,
    agent::{Changed, Retire},
};
use crate::{
    domain::{AgentId, Profile},
    roster::{News, Told},
    store::{Batch, StoreError},
};

impl StreamHandler<Told> for Directory {
    fn handle(&mut self, Told { news, heard }: Told, ctx: &mut Context<Self>) {
        let acting: Pin<Box<dyn Future<Output = ()>>> = match news {
            News::Added(profiles) => {
                profiles.iter().for_each(|profile| self.index.insert(profile));
                Box::pin(future::ready(()))
            }
            News::Changed { profile, other_worker } => Box::pin(self.change(profile, other_worker)),
            News::Removed(id) => Box::pin(self.remove(id)),
        };
        // Whoever has gone does not want to know.
        ctx.spawn(acting.into_actor(self).map(move |(), _, _| {
            let _ = heard.send(());
        }));
    }

    /// The book ends before the directory does.
    fn finished(&mut self, _: &mut Self::Context) {}
}

impl Directory {
    /// An agent in memory hears of the change; one that is not reads it when it is started, unless there is something to be
    /// undone: who is disabled has no devices any more, and of another worker nothing is known.
    fn change(&mut self, profile: Arc<Profile>, other_worker: bool) -> impl Future<Output = ()> + use<> {
        if other_worker {
            self.index.remove(profile.id);
            self.index.insert(&profile);
        }
        let concerns = profile.disabled || other_worker || self.live.contains_key(&profile.id);
        let hearing = concerns.then(|| self.agent(profile.id).addr.send(Changed { profile, other_worker }));
        async move {
            if let Some(hearing) = hearing {
                // An error: the agent has died, and reads its profile when it is started again.
                let _ = hearing.await;
            }
        }
    }

    /// Nothing finds the agent any more. What it had goes once it has stopped, since it writes until then.
    fn remove(&mut self, id: AgentId) -> impl Future<Output = ()> + use<> {
        self.index.remove(id);
        let stopping = self.live.remove(&id).map(|mut live| {
            for sequence in live.give_up() {
                self.let_go(sequence, "removed");
            }
            live.addr.send(Retire)
        });
        let kit = self.kit.clone();
        async move {
            if let Some(stopping) = stopping {
                // An error: it has died already.
                let _ = stopping.await;
            }
            if let Err(error) = forget(&kit, id).await {
                tracing::error!(agent = %id, %error, "a removed agent's records stay until the next start");
            }
        }
    }
}

/// Deletes what the actor of an agent had written.
pub(super) async fn forget(kit: &super::Kit, id: AgentId) -> Result<(), StoreError> {
    let mut batch = Batch::new();
    batch.delete::<AgentRecord>(&id).delete::<Devices>(&id).delete::<Sends>(&id);
    loop {
        match kit.store.commit(batch.clone()).await {
            Ok(_) => return Ok(()),
            Err(error) if error.is_retryable() => kit.clock.sleep(super::STORE_PAUSE).await,
            Err(error) => return Err(error),
        }
    }
}
