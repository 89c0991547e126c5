//! Whose event is it? Workers by sid and by name, and our own ids.

use std::collections::HashMap;

use crate::domain::{AgentId, ChatIdentity, Event, Profile, WorkerSid};

/// Finds the agent of an event.
#[derive(Default)]
pub(super) struct Index {
    by_sid: HashMap<WorkerSid, AgentId>,
    by_name: HashMap<Box<str>, AgentId>,
    by_identity: HashMap<ChatIdentity, AgentId>,
    known: std::collections::HashSet<AgentId>,
}

impl Index {
    pub(super) fn insert(&mut self, profile: &Profile) {
        self.known.insert(profile.id);
        self.by_identity.insert(ChatIdentity::of_worker(&profile.worker_name), profile.id);
        match &profile.worker_sid {
            Some(sid) => drop(self.by_sid.insert(sid.clone(), profile.id)),
            None => drop(self.by_name.insert(profile.worker_name.as_str().into(), profile.id)),
        }
    }

    /// Forgets an agent, and by what else they were found since. It looks at all there are, which takes a millisecond.
    pub(super) fn remove(&mut self, id: AgentId) {
        if self.known.remove(&id) {
            self.by_sid.retain(|_, known| *known != id);
            self.by_name.retain(|_, known| *known != id);
            self.by_identity.retain(|_, known| *known != id);
        }
    }

    pub(super) fn knows(&self, id: AgentId) -> bool {
        self.known.contains(&id)
    }

    pub(super) fn len(&self) -> usize {
        self.known.len()
    }

    /// Who this is in conversations; none: nobody of ours.
    pub(super) fn of_identity(&self, identity: &ChatIdentity) -> Option<AgentId> {
        self.by_identity.get(identity).copied()
    }

    /// The one agent that an event is for; what happens in conversations is for all who are in them. A worker found by name
    /// is known by its sid from then on, since names change.
    pub(super) fn agent_of(&mut self, event: &Event) -> Option<AgentId> {
        match event {
            Event::Reservation(event) => self.of_worker(&event.worker, &event.worker_name),
            Event::Worker(event) => self.of_worker(&event.worker, &event.worker_name),
            Event::Leg(event) => Some(event.call.agent).filter(|id| self.knows(*id)),
            Event::Conference(event) => Some(event.call.agent).filter(|id| self.knows(*id)),
            Event::Message(_) | Event::Participant(_) => None,
        }
    }

    fn of_worker(&mut self, sid: &WorkerSid, name: &str) -> Option<AgentId> {
        if let Some(id) = self.by_sid.get(sid) {
            let id = *id;
            self.learn_identity(name, id);
            return Some(id);
        }
        let id = *self.by_name.get(name)?;
        self.by_sid.insert(sid.clone(), id);
        Some(id)
    }

    /// An agent whose profile names the worker by its sid alone goes by another identity than the profile's.
    fn learn_identity(&mut self, name: &str, id: AgentId) {
        let identity = ChatIdentity::of_worker(name);
        if !name.is_empty() && !self.by_identity.contains_key(&identity) {
            self.by_identity.insert(identity, id);
        }
    }
}
