//! The one who changes the book.

use std::{
    sync::{Arc, PoisonError, RwLock, RwLockReadGuard},
    time::Duration,
};

use aws_lc_rs::rand;
use tokio::sync::{mpsc, oneshot};

use super::{
    Clash, Draft, Patch, Roster,
    book::{BookError, By, Job, News, Told},
    credentials::{draw_password, put_password},
    draft::changes,
    shelf::Shelf,
};
use crate::{
    access::{Access, Forbidden},
    audit::{Action, Audit, EntryResult, NewEntry},
    clock::Clock,
    domain::{AgentId, Profile, SipPassword},
    store::{Batch, Outcome, StoreError},
};

/// Clashes of an import that are told; the rest would tell nothing new.
const TOLD: usize = 20;

/// How long an agent may take to hear of a change.
const PATIENCE: Duration = Duration::from_secs(5);

pub(super) struct Writer {
    pub(super) shelf: Arc<RwLock<Shelf>>,
    pub(super) audit: Audit,
    pub(super) clock: Clock,
    pub(super) told: mpsc::Sender<Told>,
    /// The SIP domain, if there is SIP.
    pub(super) realm: Option<String>,
}

impl Writer {
    /// One job after the other, until nobody is left to give any. Whoever has gone does not want to know.
    pub(super) async fn run(self, mut jobs: mpsc::Receiver<Job>) {
        while let Some(job) = jobs.recv().await {
            match job {
                Job::Add(by, draft, answer) => drop(answer.send(self.add(&by, *draft).await)),
                Job::Import(by, drafts, answer) => drop(answer.send(self.import(&by, drafts).await)),
                Job::Update(by, id, patch, answer) => drop(answer.send(self.update(&by, id, *patch).await)),
                Job::UpdateOwn(by, id, patch, answer) => drop(answer.send(self.update_own(&by, id, *patch).await)),
                Job::Remove(by, id, answer) => drop(answer.send(self.remove(&by, id).await)),
                Job::EndSessions(by, id, answer) => drop(answer.send(self.end_sessions(&by, id).await)),
                Job::DrawPassword(by, id, answer) => drop(answer.send(self.draw_password(&by, id).await)),
                Job::Export(by, answer) => drop(answer.send(self.export(&by).await)),
            }
        }
    }

    async fn add(&self, by: &By, draft: Draft) -> Result<Arc<Profile>, BookError> {
        let mut profile = self.profile(draft)?;
        let entry = Entry::of(by, Action::AgentAdded);
        let access = self.read().access(by.caller);
        let allowed = access.and_then(|access| {
            access.settle(&mut profile);
            access.may_add(&profile)
        });
        let entry = entry.about(&profile);
        self.permit(allowed, &entry).await?;
        let clashes = self.read().clashes(&profile);
        unclashed(clashes)?;
        let mut batch = Batch::new();
        batch.unless_present::<Profile>(&profile.id).put(&profile.id, &profile)?;
        self.commit(batch, entry.done(None)).await?;
        let profile = self.put(profile);
        self.tell(News::Added(vec![profile.clone()])).await;
        Ok(profile)
    }

    async fn update(&self, by: &By, id: AgentId, mut patch: Patch) -> Result<Arc<Profile>, BookError> {
        let before = self.seen(by, id)?;
        let mut after = Profile::clone(&before);
        let password = patch.sip_password.take();
        patch.apply(&mut after);
        put_password(&mut after, self.realm.as_deref(), password)?;
        let entry = Entry::of(by, Action::AgentChanged).about(&before);
        let allowed = self.read().access(by.caller).and_then(|access| access.may_change(&before, &after));
        self.permit(allowed, &entry).await?;
        self.replace(before, after, entry).await
    }

    async fn update_own(&self, by: &By, id: AgentId, patch: Patch) -> Result<Arc<Profile>, BookError> {
        let before = self.read().get(id).ok_or(BookError::NotFound)?;
        let mut after = Profile::clone(&before);
        patch.apply(&mut after);
        let entry = Entry::of(by, Action::AgentChanged).about(&before);
        self.replace(before, after, entry).await
    }

    async fn replace(&self, before: Arc<Profile>, after: Profile, entry: Entry) -> Result<Arc<Profile>, BookError> {
        if after == *before {
            return Ok(before);
        }
        let clashes = self.read().clashes(&after);
        unclashed(clashes)?;
        let mut batch = Batch::new();
        batch.put(&after.id, &after)?;
        self.commit(batch, entry.done(Some(changes(&before, &after)))).await?;
        let other_worker = before.worker_sid != after.worker_sid || before.worker_name != after.worker_name;
        let profile = self.put(after);
        self.tell(News::Changed { profile: profile.clone(), other_worker }).await;
        Ok(profile)
    }

    fn profile(&self, mut draft: Draft) -> Result<Profile, BookError> {
        let password = draft.take_sip_password();
        let mut profile = draft.into_profile(new_id()?, self.clock.now());
        put_password(&mut profile, self.realm.as_deref(), password)?;
        Ok(profile)
    }

    /// An agent's own wish for another SIP password: it needs no rights over others.
    async fn draw_password(&self, by: &By, id: AgentId) -> Result<(Arc<Profile>, SipPassword), BookError> {
        let before = self.read().get(id).filter(|profile| !profile.disabled).ok_or(BookError::NotFound)?;
        let mut after = Profile::clone(&before);
        let password = draw_password()?;
        put_password(&mut after, self.realm.as_deref(), Some(Some(password.clone())))?;
        let clashes = self.read().clashes(&after);
        unclashed(clashes)?;
        let mut batch = Batch::new();
        batch.put(&id, &after)?;
        let entry = Entry::of(by, Action::AgentChanged).about(&before);
        self.commit(batch, entry.done(Some(changes(&before, &after)))).await?;
        let profile = self.put(after);
        self.tell(News::Changed { profile: profile.clone(), other_worker: false }).await;
        Ok((profile, password))
    }

    async fn remove(&self, by: &By, id: AgentId) -> Result<Arc<Profile>, BookError> {
        let profile = self.seen(by, id)?;
        let entry = Entry::of(by, Action::AgentRemoved).about(&profile);
        let allowed = self.read().access(by.caller).and_then(|access| access.may_remove(&profile));
        self.permit(allowed, &entry).await?;
        let mut batch = Batch::new();
        batch.delete::<Profile>(&id);
        self.commit(batch, entry.done(None)).await?;
        self.shelf.write().unwrap_or_else(PoisonError::into_inner).remove(id);
        self.tell(News::Removed(id)).await;
        Ok(profile)
    }

    /// One batch holds all of them: it is there as a whole, or not at all.
    async fn import(&self, by: &By, drafts: Vec<Draft>) -> Result<usize, BookError> {
        let entry = Entry::of(by, Action::AgentsImported);
        let access = self.read().access(by.caller);
        self.permit(access.as_ref().map(drop).map_err(|why| *why), &entry).await?;
        let access = access?;
        let profiles = match self.drafted(&access, drafts) {
            Err(BookError::Forbidden(why)) => return self.permit(Err(why), &entry).await.map(|()| 0),
            drafted => drafted?,
        };
        let mut batch = Batch::new();
        for profile in &profiles {
            batch.unless_present::<Profile>(&profile.id).put(&profile.id, profile)?;
        }
        let count = profiles.len();
        self.commit(batch, entry.within(access.department()).done(Some(format!("{count} agents")))).await?;
        let profiles: Vec<_> = profiles.into_iter().map(Arc::new).collect();
        {
            let mut shelf = self.shelf.write().unwrap_or_else(PoisonError::into_inner);
            profiles.iter().for_each(|profile| shelf.put(profile.clone()));
        }
        self.tell(News::Added(profiles)).await;
        Ok(count)
    }

    /// The profiles of an import, none of which clashes with another or with what is there.
    fn drafted(&self, access: &Access, drafts: Vec<Draft>) -> Result<Vec<Profile>, BookError> {
        let (mut among, mut profiles, mut clashes) = (Roster::default(), Vec::new(), Vec::new());
        for (place, draft) in drafts.into_iter().enumerate() {
            let mut profile = self.profile(draft)?;
            access.settle(&mut profile);
            access.may_add(&profile)?;
            match self.fits(&mut among, &profile) {
                Ok(()) => profiles.push(profile),
                Err(same) if clashes.len() < TOLD => clashes.push((place, same)),
                Err(_) => {}
            }
        }
        if clashes.is_empty() { Ok(profiles) } else { Err(BookError::ImportClashes(clashes)) }
    }

    async fn end_sessions(&self, by: &By, id: AgentId) -> Result<Arc<Profile>, BookError> {
        let profile = self.seen(by, id)?;
        let entry = Entry::of(by, Action::SessionRevoked).about(&profile);
        let allowed = self.read().access(by.caller).and_then(|access| access.may_touch(&profile));
        self.permit(allowed, &entry).await?;
        Ok(profile)
    }

    async fn export(&self, by: &By) -> Result<(), BookError> {
        let entry = Entry::of(by, Action::AgentsExported);
        let access = self.read().access(by.caller);
        self.permit(access.as_ref().map(drop).map_err(|why| *why), &entry).await?;
        self.audit.note(entry.within(access?.department()).done(None)).await?;
        Ok(())
    }

    /// Whether a profile clashes neither with those that are there nor with those that are to come with it.
    fn fits(&self, among: &mut Roster, profile: &Profile) -> Result<(), Vec<Clash>> {
        let clashes = self.read().clashes(profile);
        if clashes.is_empty() { among.add(profile) } else { Err(clashes) }
    }

    /// The agent, if whoever asks may know of them.
    fn seen(&self, by: &By, id: AgentId) -> Result<Arc<Profile>, BookError> {
        let shelf = self.read();
        let access = shelf.access(by.caller)?;
        shelf.get(id).filter(|profile| access.sees(profile)).ok_or(BookError::NotFound)
    }

    /// What is not allowed is written down.
    async fn permit(&self, allowed: Result<(), Forbidden>, entry: &Entry) -> Result<(), BookError> {
        let Err(why) = allowed else { return Ok(()) };
        self.audit.note(entry.clone().denied(why)).await?;
        Err(why.into())
    }

    async fn commit(&self, batch: Batch, entry: NewEntry) -> Result<(), BookError> {
        match self.audit.commit(batch, entry).await? {
            Outcome::Applied => Ok(()),
            Outcome::Refused => Err(StoreError::Failed("an id was drawn twice".into()).into()),
        }
    }

    fn put(&self, profile: Profile) -> Arc<Profile> {
        let profile = Arc::new(profile);
        self.shelf.write().unwrap_or_else(PoisonError::into_inner).put(profile.clone());
        profile
    }

    /// Tells the directory, and waits until it has heard, and the agent with it: a busy one holds the others' changes up
    /// for a while only. A directory that has ended takes the daemon with it.
    async fn tell(&self, news: News) {
        let (heard, hearing) = oneshot::channel();
        if self.told.send(Told { news, heard }).await.is_err() {
            return;
        }
        tokio::select! {
            _ = hearing => {}
            () = self.clock.sleep(PATIENCE) => tracing::warn!("an agent is slow to hear of a change"),
        }
    }

    fn read(&self) -> RwLockReadGuard<'_, Shelf> {
        self.shelf.read().unwrap_or_else(PoisonError::into_inner)
    }
}

fn unclashed(clashes: Vec<Clash>) -> Result<(), BookError> {
    if clashes.is_empty() { Ok(()) } else { Err(BookError::Clashes(clashes)) }
}

/// An audit entry that is still to hear what came of it.
#[derive(Clone)]
struct Entry(NewEntry);

impl Entry {
    fn of(by: &By, action: Action) -> Self {
        Self(NewEntry {
            actor: by.actor(),
            action,
            subject: None,
            department: None,
            address: by.address,
            device: by.device.clone(),
            outcome: EntryResult::Failed,
            detail: None,
        })
    }

    fn about(mut self, profile: &Profile) -> Self {
        self.0.subject = Some(profile.id);
        self.within(profile.department.as_deref())
    }

    fn within(mut self, department: Option<&str>) -> Self {
        self.0.department = department.map(str::to_owned);
        self
    }

    fn done(self, detail: Option<String>) -> NewEntry {
        NewEntry { outcome: EntryResult::Done, detail, ..self.0 }
    }

    fn denied(self, why: Forbidden) -> NewEntry {
        NewEntry { outcome: EntryResult::Denied, detail: Some(why.to_string()), ..self.0 }
    }
}

/// An id that nobody has had: 64 random bits.
pub fn new_id() -> Result<AgentId, BookError> {
    let mut bytes = [0; 8];
    rand::fill(&mut bytes).map_err(|_| BookError::NoRandomness)?;
    Ok(AgentId::from_bits(u64::from_be_bytes(bytes)))
}
