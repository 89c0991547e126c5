//! The profiles in the store, for commands that have it to themselves.

use aws_lc_rs::rand;

use super::Name;
use crate::{
    actors::AgentRecord,
    cli::failure::{Exit, Failure},
    domain::{AgentId, Profile, Timestamp},
    roster::{Clash, Roster},
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
}

impl Profiles {
    pub(super) fn new(store: StoreHandle) -> Self {
        Self { store }
    }

    /// Hands every profile to `each`, in order of their ids.
    pub(super) fn each<E: From<StoreError>>(&self, mut each: impl FnMut(Profile) -> Result<(), E>) -> Result<(), E> {
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
        self.each(|profile| {
            // A clash within the store is no reason to refuse somebody else.
            drop(roster.add(&profile));
            Ok::<_, StoreError>(())
        })?;
        Ok(roster)
    }

    pub(super) fn find(&self, name: &Name) -> Result<Profile, Failure> {
        let id = match name {
            Name::Id(id) => Some(*id),
            Name::Phone(phone) => self.roster()?.by_phone(phone),
        };
        let found = id.map(|id| wait(self.store.get::<Profile>(&id))).transpose()?.flatten();
        found.ok_or_else(|| Failure::usage("there is no such agent", "offdesk agent list shows those there are"))
    }

    /// Adds profiles with new ids: all, or none if an error is answered or the process is killed. `progress` hears how many
    /// are in.
    pub(super) fn add(&self, profiles: &[Profile], mut progress: impl FnMut(u64)) -> Result<(), Failure> {
        let import = Import { of: profiles.first().map_or_else(Timestamp::default, |profile| profile.created_at) };
        if profiles.len() > BATCH {
            self.commit(Batch::new().put(&(), &import)?)?;
        }
        let mut added = 0;
        for chunk in profiles.chunks(BATCH) {
            let last = added + chunk.len() == profiles.len();
            if let Err(error) = self.add_batch(chunk, last) {
                self.take_back();
                return Err(error.into());
            }
            added += chunk.len();
            progress(added as u64);
        }
        Ok(())
    }

    fn add_batch(&self, profiles: &[Profile], last: bool) -> Result<(), StoreError> {
        let mut batch = Batch::new();
        for profile in profiles {
            batch.unless_present::<Profile>(&profile.id).put(&profile.id, profile)?;
        }
        if last {
            batch.delete::<Import>(&());
        }
        match self.commit(&batch)? {
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

    fn commit(&self, batch: &Batch) -> Result<Outcome, StoreError> {
        wait(self.store.commit(batch.clone()))
    }

    pub(super) fn replace(&self, profile: &Profile) -> Result<(), Failure> {
        self.commit(Batch::new().put(&profile.id, profile)?)?;
        Ok(())
    }

    /// What its actor knew goes too: nobody would ever read it again.
    pub(super) fn remove(&self, profile: &Profile) -> Result<(), Failure> {
        self.commit(Batch::new().delete::<Profile>(&profile.id).delete::<AgentRecord>(&profile.id))?;
        Ok(())
    }
}

/// An id that nobody has had: 64 random bits.
pub(super) fn new_id() -> Result<AgentId, Failure> {
    let mut bytes = [0; 8];
    rand::fill(&mut bytes).map_err(|_| {
        Failure::new(Exit::Internal, "the system gives no random numbers", "see that getrandom(2) works here")
    })?;
    Ok(AgentId::from_bits(u64::from_be_bytes(bytes)))
}

/// The clashes of one profile as a failure.
pub(super) fn refuse_clashes(clashes: &[Clash]) -> Result<(), Failure> {
    if clashes.is_empty() {
        return Ok(());
    }
    let told: Vec<_> = clashes.iter().map(ToString::to_string).collect();
    Err(Failure::usage(told.join("\n"), "change or remove the other agent, or give this one its own"))
}
