//! The one who changes sessions: one change at a time, on disk and in the audit log before it counts. Because there is one,
//! no two changes of a session can overtake each other on the way to the store.

use std::sync::{Arc, PoisonError, RwLock};

use tokio::sync::{broadcast, mpsc, oneshot};

use super::{
    End, EndedSession, Policy, Session, SessionError,
    change::{Change, Plan},
    table::Table,
};
use crate::{
    audit::Audit,
    clock::Clock,
    store::{Batch, StoreError},
};

/// A change, and whoever waits for it; none: nobody does.
pub(super) struct Job {
    pub(super) change: Change,
    pub(super) done: Option<oneshot::Sender<Result<Done, SessionError>>>,
}

/// What a change came to.
#[derive(Debug, Default)]
pub(super) struct Done {
    /// The session as it is now, where the change was of one.
    pub(super) session: Option<Session>,
    pub(super) ended: usize,
}

pub(super) struct Keeper {
    pub(super) clock: Clock,
    pub(super) audit: Audit,
    pub(super) policy: Policy,
    pub(super) table: Arc<RwLock<Table>>,
    pub(super) ended: broadcast::Sender<EndedSession>,
}

impl Keeper {
    pub(super) async fn run(self, mut jobs: mpsc::Receiver<Job>) {
        while let Some(Job { change, done }) = jobs.recv().await {
            let outcome = self.make(change).await;
            if let Err(error) = &outcome {
                tracing::error!(%error, "a session cannot be written");
            }
            if let Some(done) = done {
                // Whoever has gone does not want to know.
                let _ = done.send(outcome);
            }
        }
    }

    /// Nothing counts before it is on disk, and all of a change is there or nothing.
    async fn make(&self, change: Change) -> Result<Done, SessionError> {
        let plan = {
            let table = self.table.read().unwrap_or_else(PoisonError::into_inner);
            change.plan(&table, self.clock.now(), &self.policy)
        };
        if !plan.put.is_empty() || !plan.remove.is_empty() {
            self.audit.commit_all(batch(&plan)?, plan.entries.clone()).await?;
        }
        Ok(self.apply(plan))
    }

    fn apply(&self, plan: Plan) -> Done {
        let done = Done { session: plan.put.last().cloned(), ended: plan.out.len() };
        {
            let mut table = self.table.write().unwrap_or_else(PoisonError::into_inner);
            plan.put.into_iter().for_each(|session| table.put(session));
            plan.remove.into_iter().for_each(|id| table.remove(id));
        }
        for (who, how) in plan.out {
            tracing::info!(agent = %who.agent, session = %who.session, ?how, "a session is over");
            metrics::counter!("offdesk_sessions_ended_total", "how" => label(how)).increment(1);
            // Nobody may be listening.
            let _ = self.ended.send(EndedSession { agent: who.agent, session: who.session, how });
        }
        done
    }
}

fn batch(plan: &Plan) -> Result<Batch, StoreError> {
    let mut batch = Batch::new();
    for session in &plan.put {
        batch.put(&session.id, session)?;
    }
    for id in &plan.remove {
        batch.delete::<Session>(id);
    }
    Ok(batch)
}

const fn label(how: End) -> &'static str {
    match how {
        End::Superseded => "superseded",
        End::LoggedOut => "logged_out",
        End::Revoked => "revoked",
        End::Reused => "reused",
        End::Expired => "expired",
    }
}
