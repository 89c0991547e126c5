//! Which agent has which SIP user, and which phones: what the daemon shows without asking the engine.

use std::{
    collections::{BTreeMap, HashMap},
    net::SocketAddr,
};

use offdesk_sip::{
    User,
    engine::{Reach, Saved},
    registrar::{BindingId, State},
    transport::Transport,
};

use crate::domain::AgentId;

/// A softphone that has registered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Binding {
    pub transport: Transport,
    /// As we see it.
    pub address: SocketAddr,
    /// In seconds since 1970. Of one that is asleep: when it is forgotten.
    pub expires: u64,
    pub standing: Standing,
}

/// Whether a softphone can be rung.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It has said something in this run.
    Registered,
    /// It was registered before a restart, and has not said anything since.
    Suspect,
    /// Its time is over, but a push can wake it.
    Asleep,
}

#[derive(Debug, Default)]
pub(super) struct Table {
    users: HashMap<AgentId, User>,
    agents: HashMap<Box<str>, AgentId>,
    bindings: HashMap<AgentId, BTreeMap<BindingId, Binding>>,
    owners: HashMap<BindingId, AgentId>,
}

impl Table {
    pub(super) fn account(&mut self, agent: AgentId, user: User) {
        self.remove_account(agent);
        self.agents.insert(user.as_str().into(), agent);
        self.users.insert(agent, user);
    }

    pub(super) fn user(&self, agent: AgentId) -> Option<&User> {
        self.users.get(&agent)
    }

    pub(super) fn has_user(&self, user: &User) -> bool {
        self.agents.contains_key(user.as_str())
    }

    /// Its bindings go when the engine says so.
    pub(super) fn remove(&mut self, agent: AgentId) -> Option<User> {
        self.remove_account(agent)
    }

    fn remove_account(&mut self, agent: AgentId) -> Option<User> {
        let user = self.users.remove(&agent)?;
        self.agents.remove(user.as_str());
        Some(user)
    }

    pub(super) fn bound(&mut self, user: &str, saved: &Saved) {
        let Some(agent) = self.agents.get(user).copied() else { return };
        let standing = match (saved.state, saved.reach) {
            (State::Asleep, _) => Standing::Asleep,
            (State::Awake, Reach::Suspect) => Standing::Suspect,
            (State::Awake, Reach::Proven) => Standing::Registered,
        };
        let Saved { id, transport, peer, expires, .. } = *saved;
        self.owners.insert(id, agent);
        self.bindings.entry(agent).or_default().insert(id, Binding { transport, address: peer, expires, standing });
    }

    pub(super) fn unbound(&mut self, id: BindingId) {
        let Some(agent) = self.owners.remove(&id) else { return };
        if let Some(bindings) = self.bindings.get_mut(&agent) {
            bindings.remove(&id);
            if bindings.is_empty() {
                self.bindings.remove(&agent);
            }
        }
    }

    pub(super) fn bindings(&self, agent: AgentId) -> Vec<Binding> {
        let mut bindings: Vec<_> = self.bindings.get(&agent).into_iter().flat_map(BTreeMap::values).copied().collect();
        bindings.sort_by_key(|binding| std::cmp::Reverse(binding.expires));
        bindings
    }
}
