//! Agents who come, change and go while the daemon runs.

use std::sync::Arc;

use actix::{ActorFutureExt, AsyncContext, Context, StreamHandler, WrapFuture};
use futures_util::future;

use super::{
    AgentRecord, Devices, Directory,
    agent::{Changed, Retire},
};
use crate::{
    domain::{AgentId, Profile},
    roster::{News, Told},
    store::{Batch, StoreError},
};

impl StreamHandler<Told> for Directory {
    fn handle(&mut self, Told { news, heard }: Told, ctx: &mut Context<Self>) {
        let acting = match news {
            News::Put(profiles) => future::Either::Left(self.put(profiles)),
            News::Removed(id) => future::Either::Right(self.remove(id)),
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
    /// New agents are found from here on. One in memory hears of the change, and one that is disabled in any case, since they
    /// have no devices any more; the others read it when they are started.
    fn put(&mut self, profiles: Vec<Arc<Profile>>) -> impl Future<Output = ()> + use<> {
        let mut hearing = Vec::new();
        for profile in profiles {
            self.index.remove(profile.id);
            self.index.insert(&profile);
            if profile.disabled || self.live.contains_key(&profile.id) {
                hearing.push(self.agent(profile.id).addr.send(Changed(profile)));
            }
        }
        async move {
            // An error: the agent has died, and reads its profile when it is started again.
            future::join_all(hearing).await;
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
    batch.delete::<AgentRecord>(&id).delete::<Devices>(&id);
    loop {
        match kit.store.commit(batch.clone()).await {
            Ok(_) => return Ok(()),
            Err(error) if error.is_retryable() => kit.clock.sleep(super::STORE_PAUSE).await,
            Err(error) => return Err(error),
        }
    }
}
