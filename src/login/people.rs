//! Whose number it is.
//!
//! Agents are added and changed while the daemon is stopped, so that what was read at the start holds.

use std::{collections::HashMap, sync::Arc};

use crate::{
    domain::{AgentId, E164, Profile},
    store::{Cursor, StoreError, StoreHandle},
};

/// The agents, by number and by id. Clones are the same.
#[derive(Clone)]
pub struct People {
    by_phone: Arc<HashMap<E164, AgentId>>,
    store: StoreHandle,
}

impl People {
    /// Reads all profiles; those that cannot be read sign nobody in.
    ///
    /// # Errors
    /// The store has failed.
    pub async fn open(store: &StoreHandle) -> Result<Self, StoreError> {
        let mut by_phone = HashMap::new();
        let see = |_: Cursor, profile: Result<Profile, StoreError>| match profile {
            Ok(profile) => drop(by_phone.insert(profile.phone, profile.id)),
            Err(error) => tracing::error!(%error, "a profile is left out: its agent cannot sign in"),
        };
        store.visit(see).await?;
        Ok(Self { by_phone: Arc::new(by_phone), store: store.clone() })
    }

    /// The agent who has this number, and may sign in.
    pub fn by_phone(&self, phone: &E164) -> Option<AgentId> {
        self.by_phone.get(phone).copied()
    }

    /// What is known of an agent.
    ///
    /// # Errors
    /// The store has failed.
    pub async fn profile(&self, agent: AgentId) -> Result<Option<Profile>, StoreError> {
        self.store.get::<Profile>(&agent).await
    }
}
