//! Whose event is it? Workers by sid and by name, and our own ids.

use std::collections::HashMap;

use crate::domain::{AgentId, Event, Profile, WorkerSid};

/// Finds the agent of an event.
#[derive(Default)]
pub(super) struct Index {
    by_sid: HashMap<WorkerSid, AgentId>,
    by_name: HashMap<Box<str>, AgentId>,
    known: std::collections::HashSet<AgentId>,
}

impl Index {
    pub(super) fn insert(&mut self, profile: &Profile) {
        self.known.insert(profile.id);
        match &profile.worker_sid {
            Some(sid) => drop(self.by_sid.insert(sid.clone(), profile.id)),
            None => drop(self.by_name.insert(profile.worker_name.as_str().into(), profile.id)),
        }
    }

    pub(super) fn knows(&self, id: AgentId) -> bool {
        self.known.contains(&id)
    }

    pub(super) fn len(&self) -> usize {
        self.known.len()
    }

    /// The agent that an event is for. A worker found by name is known by its sid from then on, since names change.
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
            return Some(*id);
        }
        let id = *self.by_name.get(name)?;
        self.by_sid.insert(sid.clone(), id);
        Some(id)
    }
}
