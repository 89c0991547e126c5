//! How agents stood when they were last asked, for apps that ask often: so the agent need not be.

use std::{
    collections::HashMap,
    sync::{Arc, PoisonError, RwLock},
};

use super::ask::View;
use crate::domain::AgentId;

/// What agents in memory have shown. An agent takes its own away in the moment in which it is different, on its own thread,
/// before anybody hears that what was asked for is done: whoever looks here sees at least what was answered before.
#[derive(Clone, Default)]
pub struct Views(Arc<RwLock<HashMap<AgentId, Arc<View>>>>);

impl Views {
    pub fn get(&self, agent: AgentId) -> Option<Arc<View>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).get(&agent).cloned()
    }

    pub(super) fn put(&self, agent: AgentId, view: View) -> Arc<View> {
        let view = Arc::new(view);
        self.0.write().unwrap_or_else(PoisonError::into_inner).insert(agent, view.clone());
        view
    }

    pub(super) fn forget(&self, agent: AgentId) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).remove(&agent);
    }
}
