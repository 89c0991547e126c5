//! All profiles in memory: found by id, by phone, by a search; in the order of their ids.

use std::{
    collections::BTreeMap,
    ops::Bound::{Excluded, Unbounded},
    sync::Arc,
};

use super::{Clash, Roster, search::Search};
use crate::{
    access::{Access, Caller, Forbidden},
    domain::{AgentId, E164, Profile},
};

#[derive(Debug, Default)]
pub(super) struct Shelf {
    profiles: BTreeMap<AgentId, Arc<Profile>>,
    roster: Roster,
}

/// Some agents, in the order of their ids.
#[derive(Clone, Debug)]
pub struct Page {
    pub items: Vec<Arc<Profile>>,
    /// Behind whom to go on; none: these are the last.
    pub next: Option<AgentId>,
}

impl Shelf {
    pub(super) fn get(&self, id: AgentId) -> Option<Arc<Profile>> {
        self.profiles.get(&id).cloned()
    }

    pub(super) fn all(&self) -> Vec<Arc<Profile>> {
        self.profiles.values().cloned().collect()
    }

    pub(super) fn by_phone(&self, phone: &E164) -> Option<Arc<Profile>> {
        self.get(self.roster.by_phone(phone)?)
    }

    pub(super) fn clashes(&self, profile: &Profile) -> Vec<Clash> {
        self.roster.clashes(profile)
    }

    /// Takes a profile in, in place of the one with its id. What clashes stays whose it was: only a store that was written by
    /// hand has such.
    pub(super) fn put(&mut self, profile: Arc<Profile>) {
        self.remove(profile.id);
        drop(self.roster.add(&profile));
        self.profiles.insert(profile.id, profile);
    }

    pub(super) fn remove(&mut self, id: AgentId) {
        if let Some(profile) = self.profiles.remove(&id) {
            self.roster.remove(&profile);
        }
    }

    /// What somebody may do now.
    pub(super) fn access(&self, caller: Caller) -> Result<Access, Forbidden> {
        match caller {
            Caller::Bootstrap => Ok(Access::bootstrap()),
            Caller::Agent(id) => Access::of(self.profiles.get(&id).ok_or(Forbidden::NoRights)?),
        }
    }

    /// At most `limit` agents behind `after` whom this access sees and whom the search finds.
    pub(super) fn page(&self, access: &Access, search: &Search, after: Option<AgentId>, limit: usize) -> Page {
        let behind = after.map_or(Unbounded, Excluded);
        let all = self.profiles.range((behind, Unbounded)).map(|(_, profile)| profile);
        let mut found = all.filter(|profile| access.sees(profile) && search.finds(profile));
        let items: Vec<_> = found.by_ref().take(limit).cloned().collect();
        let is_more = items.len() == limit && found.next().is_some();
        let next = items.last().filter(|_| is_more).map(|last| last.id);
        Page { items, next }
    }
}
