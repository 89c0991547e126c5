//! Which agent has which SIP user, and which phones: what the daemon shows without asking the engine.

use std::{
    collections::{BTreeMap, HashMap},
    net::SocketAddr,
};

use offdesk_sip::{
    User,
    digest::Fingerprint,
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
    /// Its time is over, but a push can wake it; or it lost its connection in a call, and may come back.
    Asleep,
}

/// What an agent's softphones register with.
#[derive(Debug)]
struct Account {
    user: User,
    password: Fingerprint,
}

#[derive(Debug, Default)]
pub(super) struct Table {
    accounts: HashMap<AgentId, Account>,
    agents: HashMap<Box<str>, AgentId>,
    bindings: HashMap<AgentId, BTreeMap<BindingId, Binding>>,
    owners: HashMap<BindingId, AgentId>,
}

impl Table {
    /// With another user or password, what was bound with those before is gone at once.
    pub(super) fn account(&mut self, agent: AgentId, user: User, password: Fingerprint) {
        if self.accounts.get(&agent).is_some_and(|known| known.user == user && known.password == password) {
            return;
        }
        self.remove(agent);
        self.agents.insert(user.as_str().into(), agent);
        self.accounts.insert(agent, Account { user, password });
    }

    pub(super) fn user(&self, agent: AgentId) -> Option<&User> {
        self.accounts.get(&agent).map(|account| &account.user)
    }

    /// Whose the account is, if it has that password.
    pub(super) fn owner(&self, user: &str, password: Fingerprint) -> Option<AgentId> {
        let agent = self.agents.get(user)?;
        self.accounts.get(agent).is_some_and(|account| account.password == password).then_some(*agent)
    }

    /// Its bindings go with it; the engine forgets them too.
    pub(super) fn remove(&mut self, agent: AgentId) -> Option<User> {
        let Account { user, .. } = self.accounts.remove(&agent)?;
        self.agents.remove(user.as_str());
        for id in self.bindings.remove(&agent).unwrap_or_default().into_keys() {
            self.owners.remove(&id);
        }
        Some(user)
    }

    /// Answers whose it is now. None: the account has another password since, or is gone, and so is the binding.
    pub(super) fn bound(&mut self, user: &str, password: Fingerprint, saved: &Saved) -> Option<AgentId> {
        let agent = self.owner(user, password)?;
        let standing = match (saved.state, saved.reach) {
            (State::Asleep, _) => Standing::Asleep,
            (State::Awake, Reach::Suspect) => Standing::Suspect,
            (State::Awake, Reach::Proven) => Standing::Registered,
        };
        let Saved { id, transport, peer, expires, .. } = *saved;
        self.owners.insert(id, agent);
        self.bindings.entry(agent).or_default().insert(id, Binding { transport, address: peer, expires, standing });
        Some(agent)
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

#[cfg(test)]
mod tests {
    use offdesk_sip::digest::Ha1s;

    use super::*;
    use crate::sip::record::tests::saved;

    fn password(text: &str) -> Fingerprint {
        Ha1s::new("anna", "gw.example.com", text).fingerprint()
    }

    #[test]
    fn what_was_bound_with_an_earlier_password_is_gone_at_once_and_does_not_come_back() {
        let (agent, user) = (AgentId::from_bits(1), "anna".parse::<User>().unwrap());
        let mut table = Table::default();
        table.account(agent, user.clone(), password("one"));
        assert_eq!(table.bound("anna", password("one"), &saved(1)), Some(agent));
        table.account(agent, user.clone(), password("one"));
        assert_eq!(table.bindings(agent).len(), 1, "the same account again changes nothing");
        table.account(agent, user, password("two"));
        assert!(table.bindings(agent).is_empty());
        assert_eq!(table.bound("anna", password("one"), &saved(2)), None, "it was on its way");
        assert_eq!(table.bound("anna", password("two"), &saved(3)), Some(agent));
        table.remove(agent);
        assert!(table.bindings(agent).is_empty());
        assert_eq!(table.bound("anna", password("two"), &saved(4)), None);
        assert!(table.owners.is_empty());
    }
}
