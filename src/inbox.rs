//! The inbox: webhooks that were accepted and are not handled yet.
//!
//! Accepted means on disk. An entry and the mark that its event was seen are one batch, so that the same event acts once
//! whichever door it came by, and however often. The agent's actor deletes the entry in the batch that holds its effect.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use aws_lc_rs::digest;
use serde::{Deserialize, Serialize};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};

use crate::{
    clock::Clock,
    domain::{AgentId, Event, EventKey, Timestamp},
    store::{Batch, Cursor, Family, Outcome, Page, Record, Sequence, StoreError, StoreHandle},
};

/// Events accepted and not handled, at most: what a Twilio that sends faster than agents handle may take of memory
/// (about 1 kB each) and of the time that a replay takes.
pub const CAPACITY: usize = 10_000;
/// An event that happened longer ago is not taken, and an entry that has waited longer is let go: whatever it was about
/// is over.
pub const FRESH_FOR: Duration = Duration::from_secs(24 * 3600);
/// How long a seen event is remembered: as long as it would be taken, and an hour for clocks that differ.
const SEEN_FOR: Duration = Duration::from_secs(25 * 3600);
/// The bytes of a mark's key.
const SEEN_KEY: usize = 16;
/// How many marks are looked at in one go when old ones are swept out.
const SWEEP: usize = 500;

/// A webhook as it is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    pub event: Event,
    pub received_at: Timestamp,
    /// The agent that it is for, where the event itself does not tell: one of several in a conversation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<AgentId>,
}

impl Record for Entry {
    const FAMILY: Family = Family::Inbox;
    const VERSION: u8 = 1;
    type Key = Sequence;

    fn key_bytes(key: &Sequence) -> Vec<u8> {
        key.to_bytes()
    }
}

/// That an event was accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Seen {
    at: Timestamp,
}

impl Record for Seen {
    const FAMILY: Family = Family::Seen;
    const VERSION: u8 = 1;
    type Key = EventKey;

    /// The first half of the key's SHA-256: no two keys share it, and a row so short lies in sled's pages without memory
    /// of its own. Marks are most of what sled is given.
    fn key_bytes(key: &EventKey) -> Vec<u8> {
        digest::digest(&digest::SHA256, key.as_str().as_bytes()).as_ref()[..SEEN_KEY].to_vec()
    }
}

/// An entry on its way to its agent.
#[derive(Debug)]
pub struct Delivery {
    pub sequence: Sequence,
    pub entry: Entry,
    pub place: Place,
}

/// An entry's place among those that wait. Dropping it, once the entry is handled, makes room for another.
#[derive(Debug)]
pub struct Place(#[expect(dead_code, reason = "held, not read")] Option<OwnedSemaphorePermit>);

impl Delivery {
    /// An entry read back from the store: it has its place on disk already.
    pub fn again(sequence: Sequence, entry: Entry) -> Self {
        Self { sequence, entry, place: Place(None) }
    }
}

impl Place {
    /// The place of an entry that takes none: another one's has been counted for it.
    pub const fn none() -> Self {
        Self(None)
    }
}

/// What became of an event at the door.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Accepted {
    New,
    /// It is here already: nothing happens twice.
    Known,
    /// It happened so long ago that nobody could tell whether it was here already.
    Stale,
}

#[derive(Clone, Debug, thiserror::Error)]
pub enum InboxError {
    #[error("{CAPACITY} webhooks wait already")]
    Full,
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The door for events. Clones are the same door.
#[derive(Clone)]
pub struct Inbox {
    store: StoreHandle,
    clock: Clock,
    sequences: Sequences,
    places: Arc<Semaphore>,
    deliveries: mpsc::Sender<Delivery>,
}

/// What lay in the inbox when the daemon started, and what comes in from then on.
pub struct Outlet {
    /// Entries below this were accepted before the start: they are read from the store.
    pub before: Sequence,
    pub deliveries: mpsc::Receiver<Delivery>,
    pub sequences: Sequences,
}

/// Hands out places in the inbox's order. Clones hand out of the same.
#[derive(Clone, Debug)]
pub struct Sequences(Arc<AtomicU64>);

impl Sequences {
    fn starting(at: Sequence) -> Self {
        Self(Arc::new(AtomicU64::new(at.get())))
    }

    pub fn take(&self) -> Sequence {
        Sequence::new(self.0.fetch_add(1, Ordering::Relaxed))
    }
}

impl Inbox {
    /// Opens the door behind what the store holds.
    pub async fn open(store: StoreHandle, clock: Clock) -> Result<(Self, Outlet), StoreError> {
        let before = end_of(&store).await?;
        // As many as there are places: a delivery that has a place always finds room here.
        let (sender, deliveries) = mpsc::channel(CAPACITY);
        let sequences = Sequences::starting(before);
        let inbox = Self {
            store,
            clock,
            sequences: sequences.clone(),
            places: Arc::new(Semaphore::new(CAPACITY)),
            deliveries: sender,
        };
        Ok((inbox, Outlet { before, deliveries, sequences }))
    }

    /// Takes an event in; answers once it is on disk. `token` is Twilio's `I-Twilio-Idempotency-Token`.
    ///
    /// The event has its place in the order from this call on, which needs a tokio runtime. Who stops waiting for the
    /// answer, as a connection that breaks does, does not take the event along: what gets to the disk gets to its agent.
    pub fn accept(
        &self,
        event: Event,
        token: Option<&str>,
    ) -> impl Future<Output = Result<Accepted, InboxError>> + Send + use<> {
        let begun = self.begin(event, token).map(|begun| begun.map(tokio::spawn));
        async move {
            match begun? {
                None => Ok(Accepted::Stale),
                // A task that is gone means that the runtime is: the daemon goes down.
                Some(writing) => writing.await.unwrap_or(Err(InboxError::Store(StoreError::Closed))),
            }
        }
    }

    /// Hands the event to the store; none if it is too old to be taken.
    fn begin(
        &self,
        event: Event,
        token: Option<&str>,
    ) -> Result<Option<impl Future<Output = Result<Accepted, InboxError>> + Send + use<>>, InboxError> {
        let now = self.clock.now();
        if event.at().is_some_and(|at| now.since(at) > FRESH_FOR) {
            return Ok(None);
        }
        let place = self.places.clone().try_acquire_owned().map_err(|_| InboxError::Full)?;
        let sequence = self.sequences.take();
        let entry = Entry { event, received_at: now, to: None };
        let mut batch = Batch::new();
        let keys = [Some(entry.event.key()), token.map(EventKey::of_token)];
        for key in keys.iter().flatten() {
            batch.unless_present::<Seen>(key).put(key, &Seen { at: now })?;
        }
        batch.put(&sequence, &entry)?;
        let (written, deliveries) = (self.store.commit(batch), self.deliveries.clone());
        Ok(Some(async move {
            if written.await? == Outcome::Refused {
                return Ok(Accepted::Known);
            }
            // Closed means that the daemon is going down: the entry is on disk and waits for the next start.
            let _ = deliveries.try_send(Delivery { sequence, entry, place: Place(Some(place)) });
            Ok(Accepted::New)
        }))
    }

    /// Whether an event was accepted before. Spares the batch where most events are known already.
    pub async fn knows(&self, event: &Event) -> Result<bool, StoreError> {
        self.store.holds::<Seen>(&event.key()).await
    }

    /// How many events wait for their agent.
    pub fn waiting(&self) -> usize {
        CAPACITY - self.places.available_permits()
    }

    /// Forgets events that nobody will repeat any more, and marks that cannot be read.
    pub async fn sweep(&self) -> Result<usize, StoreError> {
        let (mut swept, mut after) = (0, None);
        loop {
            let page: Page<Seen> = self.store.page(after.as_ref(), SWEEP).await?;
            let now = self.clock.now();
            let mut batch = Batch::new();
            for (key, seen) in &page {
                if seen.as_ref().is_ok_and(|seen| now.since(seen.at) <= SEEN_FOR) {
                    continue;
                }
                batch.delete_at::<Seen>(key);
                swept += 1;
            }
            if !batch.is_empty() {
                self.store.commit_soft(batch)?;
            }
            match page.into_iter().next_back() {
                Some((last, _)) => after = Some(last),
                None => return Ok(swept),
            }
        }
    }
}

/// The sequence behind the last entry.
async fn end_of(store: &StoreHandle) -> Result<Sequence, StoreError> {
    let mut end = Sequence::new(1);
    let last = |key: Cursor, _: Result<Entry, StoreError>| end = key.sequence().map_or(end, Sequence::next);
    store.visit(last).await?;
    Ok(end)
}

/// Every entry below `before`, in order. One that cannot be read stays where it is, for whoever looks into it.
pub async fn waiting_entries(store: &StoreHandle, before: Sequence) -> Result<Vec<(Sequence, Entry)>, StoreError> {
    let mut entries = Vec::new();
    let see = |key: Cursor, entry: Result<Entry, StoreError>| match (key.sequence(), entry) {
        (Some(sequence), Ok(entry)) if sequence < before => entries.push((sequence, entry)),
        (Some(_), Ok(_)) => {}
        (sequence, Err(error)) => {
            tracing::error!(sequence = sequence.map(Sequence::get), %error, "an entry of the inbox is left out");
        }
        (None, Ok(_)) => tracing::error!("an entry of the inbox has no sequence"),
    };
    store.visit(see).await?;
    Ok(entries)
}

#[cfg(test)]
mod tests;
