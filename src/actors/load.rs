//! What the directory reads before the first event is handed over.

use std::{
    collections::{BTreeSet, HashSet},
    sync::Arc,
    time::Duration,
};

use super::{AgentRecord, Devices, Kit, books::forget, index::Index};
use crate::{
    domain::{AgentId, DeviceId, Profile},
    inbox::{self, Entry},
    push::{LastDelivery, owner_of_delivery},
    store::{Batch, Cursor, Family, Sequence, StoreError},
};

/// How long a store that is busy is left alone.
const PAUSE: Duration = Duration::from_millis(200);

/// All that is read before the first event is handed over.
pub(super) struct Loaded {
    pub(super) index: Index,
    pub(super) busy: Vec<AgentId>,
    pub(super) waiting: Vec<(Sequence, Entry)>,
}

/// Reads until the store answers. A record that cannot be read is told of and left out.
///
/// Errors: the store has failed, or is closed.
pub(super) async fn load(kit: Arc<Kit>, before: Sequence) -> Result<Loaded, StoreError> {
    loop {
        match read(&kit, before).await {
            Err(error) if error.is_retryable() => kit.clock.sleep(PAUSE).await,
            read => return read,
        }
    }
}

async fn read(kit: &Kit, before: Sequence) -> Result<Loaded, StoreError> {
    let mut index = Index::default();
    let profile = |key: Cursor, profile: Result<Profile, StoreError>| match profile {
        Ok(profile) => index.insert(&profile),
        Err(error) => unreadable(Family::Profiles, &key, &error),
    };
    kit.store.visit(profile).await?;
    let mut busy = Vec::new();
    // Those whose removal was cut off: their records are there, and their profiles are gone.
    let mut orphans = BTreeSet::new();
    let record = |key: Cursor, record: Result<AgentRecord, StoreError>| {
        orphans.extend(owner(&key).filter(|id| !index.knows(*id)));
        match record {
            Ok(AgentRecord(agent)) if agent.is_idle() => {}
            Ok(AgentRecord(agent)) => {
                // Claimed before the agent is in memory: the first message may come at once.
                kit.conversations.follow(agent.id, [].into_iter(), agent.conversations());
                busy.push(agent.id);
            }
            Err(error) => unreadable(Family::Agents, &key, &error),
        }
    };
    kit.store.visit(record).await?;
    let mut known = HashSet::new();
    let devices = |key: Cursor, devices: Result<Devices, StoreError>| {
        orphans.extend(owner(&key).filter(|id| !index.knows(*id)));
        if let (Some(agent), Ok(devices)) = (owner(&key), devices) {
            known.extend(devices.devices.into_iter().map(|device| (agent, device.id)));
        }
    };
    kit.store.visit(devices).await?;
    forget_all(kit, orphans).await?;
    forget_deliveries(kit, &known).await?;
    busy.retain(|id| index.knows(*id));
    let waiting = inbox::waiting_entries(&kit.store, before).await?;
    Ok(Loaded { index, busy, waiting })
}

/// The agent whose a record is, by its key.
fn owner(key: &Cursor) -> Option<AgentId> {
    key.sequence().map(|bits| AgentId::from_bits(bits.get()))
}

/// A profile that cannot be read is still there: what belongs to it stays.
async fn forget_all(kit: &Kit, orphans: BTreeSet<AgentId>) -> Result<(), StoreError> {
    for id in orphans {
        if !kit.store.holds::<Profile>(&id).await? {
            forget(kit, id).await?;
        }
    }
    Ok(())
}

/// What was delivered to devices that are gone: written behind their removal.
async fn forget_deliveries(kit: &Kit, known: &HashSet<(AgentId, DeviceId)>) -> Result<(), StoreError> {
    let mut batch = Batch::new();
    let delivery = |key: Cursor, _: Result<LastDelivery, StoreError>| {
        if owner_of_delivery(key.as_bytes()).is_none_or(|address| !known.contains(&address)) {
            batch.delete_at::<LastDelivery>(&key);
        }
    };
    kit.store.visit(delivery).await?;
    if batch.is_empty() { Ok(()) } else { kit.store.commit(batch).await.map(drop) }
}

/// Tells of a record that cannot be read. Its key is an id of ours.
fn unreadable(family: Family, key: &Cursor, error: &StoreError) {
    let family = family.name();
    metrics::counter!("offdesk_records_unreadable_total", "family" => family).increment(1);
    let id = owner(key).map(|id| id.to_string()).unwrap_or_default();
    tracing::error!(family, id, %error, "a record is left out");
}
