//! The agents on the store of a stopped daemon, for commands that have it to themselves.

use std::{cell::RefCell, io::BufRead, path::Path};

use super::{Agents, Each, Name, Removal, fields::Fields, fields::refusal, import::read};
use crate::{
    actors::{AgentRecord, Devices},
    audit::{Action, Actor, Chain, EntryResult, NewEntry},
    cli::{
        failure::{Exit, Failure},
        progress::Progress,
    },
    clock::Clock,
    domain::{AgentId, Profile, Timestamp},
    roster::{self, Clash, Draft, Roster, Search, changes, ends_sessions, put_password},
    sessions::Session,
    store::{
        Batch, Cursor, Outcome, StoreError, StoreHandle,
        profiles::{Import, take_back_import},
        wait,
    },
};

/// Profiles a page.
const PAGE: usize = 1000;

/// Profiles a batch: few enough for the store's queue, enough that an fsync does not count.
const BATCH: usize = 500;

pub(super) struct Profiles {
    store: StoreHandle,
    clock: Clock,
    /// The SIP domain, if there is SIP.
    realm: Option<String>,
    /// The audit log: nobody else writes it now.
    chain: RefCell<Chain>,
}

impl Profiles {
    pub(super) fn new(store: StoreHandle, clock: Clock, realm: Option<String>) -> Result<Self, Failure> {
        let chain = RefCell::new(wait(Chain::open(&store))?);
        Ok(Self { store, clock, realm, chain })
    }

    /// Hands every profile to `each`, in order of their ids.
    fn all<E: From<StoreError>>(&self, mut each: impl FnMut(Profile) -> Result<(), E>) -> Result<(), E> {
        let mut after: Option<Cursor> = None;
        loop {
            let page = wait(self.store.scan::<Profile>(after.as_ref(), PAGE))?;
            let last = page.len() < PAGE;
            after = page.last().map(|row| row.key.clone());
            page.into_iter().try_for_each(|row| each(row.record))?;
            if last {
                return Ok(());
            }
        }
    }

    pub(super) fn roster(&self) -> Result<Roster, Failure> {
        let mut roster = Roster::default();
        self.all(|profile| {
            // A clash within the store is no reason to refuse somebody else.
            drop(roster.add(&profile));
            Ok::<_, StoreError>(())
        })?;
        Ok(roster)
    }

    /// Adds profiles with new ids: all, or none if an error is answered or the process is killed. `progress` hears how many
    /// are in.
    fn add_all(&self, profiles: &[Profile], entry: &NewEntry, mut progress: impl FnMut(u64)) -> Result<(), Failure> {
        let import = Import { of: profiles.first().map_or_else(Timestamp::default, |profile| profile.created_at) };
        if profiles.len() > BATCH {
            wait(self.store.commit(Batch::new().put(&(), &import)?.clone()))?;
        }
        let mut added = 0;
        for chunk in profiles.chunks(BATCH) {
            let last = added + chunk.len() == profiles.len();
            if let Err(error) = self.add_batch(chunk, last.then_some(entry)) {
                self.take_back();
                return Err(error.into());
            }
            added += chunk.len();
            progress(added as u64);
        }
        Ok(())
    }

    /// The last one ends the import, with its audit entry.
    fn add_batch(&self, profiles: &[Profile], last: Option<&NewEntry>) -> Result<(), StoreError> {
        let mut batch = Batch::new();
        for profile in profiles {
            batch.unless_present::<Profile>(&profile.id).put(&profile.id, profile)?;
        }
        let written = match last {
            Some(entry) => {
                batch.delete::<Import>(&());
                self.commit(batch, entry.clone())?
            }
            None => wait(self.store.commit(batch))?,
        };
        match written {
            Outcome::Applied => Ok(()),
            Outcome::Refused => Err(StoreError::Failed("an id was drawn twice".into())),
        }
    }

    /// As far as the store lets it: it has just failed. What stays is taken back when the store is next opened.
    fn take_back(&self) {
        if let Err(error) = wait(take_back_import(&*self.store)) {
            tracing::error!(%error, "a failed import is taken back when the store is next opened");
        }
    }

    /// Sessions and devices go.
    fn sign_out(&self, batch: &mut Batch, agent: AgentId) -> Result<(), StoreError> {
        batch.delete::<Devices>(&agent);
        wait(self.store.visit::<Session>(|_, session| {
            // One that cannot be read lets nobody in.
            if let Some(session) = session.ok().filter(|session| session.agent == agent) {
                batch.delete::<Session>(&session.id);
            }
        }))
    }

    /// A change and the entry that tells of it.
    fn commit(&self, mut batch: Batch, entry: NewEntry) -> Result<Outcome, StoreError> {
        let further = self.chain.borrow().put(&mut batch, self.clock.now(), entry)?;
        let outcome = wait(self.store.commit(batch))?;
        if outcome == Outcome::Applied {
            self.chain.replace(further);
        }
        Ok(outcome)
    }
}

impl Agents for Profiles {
    fn each(&self, search: &str, each: &mut Each<'_>) -> Result<(), Failure> {
        let search = Search::new(search);
        self.all(|profile| if search.finds(&profile) { each(profile) } else { Ok(()) })
    }

    fn find(&self, name: &Name) -> Result<Profile, Failure> {
        let id = match name {
            Name::Id(id) => Some(*id),
            Name::Phone(phone) => self.roster()?.by_phone(phone),
        };
        let found = id.map(|id| wait(self.store.get::<Profile>(&id))).transpose()?.flatten();
        found.ok_or_else(|| Failure::usage("there is no such agent", "offdesk agent list shows those there are"))
    }

    fn add(&self, fields: &Fields) -> Result<AgentId, Failure> {
        let mut draft = Draft::from_patch(fields.read()?.1).map_err(|errors| refusal(&errors))?;
        let password = draft.take_sip_password();
        let mut profile = draft.into_profile(new_id()?, self.clock.now());
        put_password(&mut profile, self.realm.as_deref(), password).map_err(|error| refusal(&[error]))?;
        refuse_clashes(&self.roster()?.clashes(&profile))?;
        self.add_all(std::slice::from_ref(&profile), &about(Action::AgentAdded, &profile), |_| {})?;
        Ok(profile.id)
    }

    fn update(&self, name: &Name, fields: &Fields) -> Result<(), Failure> {
        let (_, mut patch) = fields.read()?;
        let before = self.find(name)?;
        let mut after = before.clone();
        let password = patch.sip_password.take();
        patch.apply(&mut after);
        put_password(&mut after, self.realm.as_deref(), password).map_err(|error| refusal(&[error]))?;
        if after == before {
            return Ok(());
        }
        refuse_clashes(&self.roster()?.clashes(&after))?;
        let entry = NewEntry { detail: Some(changes(&before, &after)), ..about(Action::AgentChanged, &before) };
        let mut batch = Batch::new();
        batch.put(&after.id, &after)?;
        if ends_sessions(&before, &after) {
            self.sign_out(&mut batch, after.id)?;
        }
        self.commit(batch, entry)?;
        Ok(())
    }

    /// What its actor knew goes too: nobody would ever read it again.
    fn remove(&self, name: &Name, worker: bool) -> Result<Removal, Failure> {
        if worker {
            let cure = "start the daemon, or delete the worker in Twilio's console";
            return Err(Failure::usage("--worker: only the running daemon talks to Twilio", cure));
        }
        let profile = self.find(name)?;
        let mut batch = Batch::new();
        batch.delete::<Profile>(&profile.id).delete::<AgentRecord>(&profile.id);
        self.sign_out(&mut batch, profile.id)?;
        self.commit(batch, about(Action::AgentRemoved, &profile))?;
        Ok(Removal::default())
    }

    fn import(&self, lines: &mut dyn BufRead, file: &Path) -> Result<usize, Failure> {
        let agents = read(lines, file, self.roster()?, self.clock.now(), self.realm.as_deref())?;
        let entry = NewEntry { detail: Some(format!("{} agents", agents.len())), ..operators(Action::AgentsImported) };
        let mut progress = Progress::new("agents added");
        let added = self.add_all(&agents, &entry, |count| progress.at(count));
        progress.done();
        added.map(|()| agents.len())
    }
}

/// What the operator does.
fn operators(action: Action) -> NewEntry {
    NewEntry {
        actor: Actor::Operator,
        action,
        subject: None,
        department: None,
        address: None,
        device: None,
        outcome: EntryResult::Done,
        detail: None,
    }
}

fn about(action: Action, profile: &Profile) -> NewEntry {
    NewEntry { subject: Some(profile.id), department: profile.department.clone(), ..operators(action) }
}

/// An id that nobody has had: 64 random bits.
pub(super) fn new_id() -> Result<AgentId, Failure> {
    roster::new_id()
        .map_err(|error| Failure::new(Exit::Internal, error.to_string(), "see that getrandom(2) works here"))
}

/// The clashes of one profile as a failure.
pub(super) fn refuse_clashes(clashes: &[Clash]) -> Result<(), Failure> {
    if clashes.is_empty() {
        return Ok(());
    }
    let told: Vec<_> = clashes.iter().map(ToString::to_string).collect();
    Err(Failure::usage(told.join("\n"), "change or remove the other agent, or give this one its own"))
}
