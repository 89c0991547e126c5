//! What all agents are doing.

use std::time::Duration;

use actix::{Addr, Message};
use futures_util::future;
use serde::Serialize;

use super::{AgentActor, agent::Look};
use crate::agent::Snapshot;

/// Asks for a count of all agents.
#[derive(Message)]
#[rtype(result = "Roll")]
pub struct Census;

/// The agents in memory, not asked yet.
pub struct Roll {
    pub(super) known: usize,
    pub(super) live: Vec<Addr<AgentActor>>,
}

/// What all agents are doing.
#[derive(Debug, Serialize)]
pub struct Overview {
    /// Agents on the books.
    pub known: usize,
    /// Those in memory.
    pub live: Vec<Snapshot>,
}

impl Roll {
    pub(super) async fn gather(self, limit: Duration) -> Overview {
        let asked = self.live.iter().map(|addr| tokio::time::timeout(limit, addr.send(Look)));
        let answers = future::join_all(asked).await;
        Overview { known: self.known, live: answers.into_iter().filter_map(|answer| answer.ok()?.ok()?).collect() }
    }
}
