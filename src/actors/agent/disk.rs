//! An agent's records: read at its start, written at each turn.

use std::time::Duration;

use super::{
    super::{AgentRecord, Devices, Kit, Sends},
    Handled,
};
use crate::{
    agent::Agent,
    domain::{AgentId, Day, DeviceId, Profile},
    handling::HandleTimes,
    inbox::Entry,
    push::{LastDelivery, Numbered},
    store::{Batch, StoreError},
};

/// How long a store that is full or busy is left alone.
const STORE_PAUSE: Duration = Duration::from_millis(200);

/// What is known of an agent at its start.
pub(super) struct Found {
    pub(super) profile: Profile,
    pub(super) record: Option<Agent>,
    pub(super) devices: Devices,
}

/// Reads until the store answers.
pub(super) async fn load(kit: &Kit, id: AgentId) -> Result<Option<Found>, StoreError> {
    loop {
        match read(kit, id).await {
            Err(error) if error.is_retryable() => kit.clock.sleep(STORE_PAUSE).await,
            read => return read,
        }
    }
}

/// An agent whose record is damaged begins anew: Twilio knows what it had, and its callers must not wait for a repair.
/// One that a newer version wrote is left alone.
async fn read(kit: &Kit, id: AgentId) -> Result<Option<Found>, StoreError> {
    // All are asked for before any is waited for: a customer is on the line.
    let (profile, record, devices) =
        (kit.store.get::<Profile>(&id), kit.store.get::<AgentRecord>(&id), kit.store.get::<Devices>(&id));
    let Some(profile) = profile.await? else { return Ok(None) };
    let record = readable(id, record.await)?.map(|record| record.0);
    let devices = readable(id, devices.await)?.unwrap_or_default();
    Ok(Some(Found { profile, record, devices }))
}

fn readable<R>(id: AgentId, record: Result<Option<R>, StoreError>) -> Result<Option<R>, StoreError> {
    match record {
        Err(error @ StoreError::Unreadable(_)) => {
            tracing::error!(agent = %id, %error, "an agent begins anew");
            Ok(None)
        }
        other => other,
    }
}

/// What one turn writes, in one batch.
pub(super) struct Written {
    pub(super) record: AgentRecord,
    pub(super) pushes: Vec<Numbered>,
    /// The days that tasks were completed on.
    pub(super) times: Vec<(Day, HandleTimes)>,
    pub(super) handled: Option<Handled>,
}

impl Written {
    /// Writes until the store takes it. A store that has failed for good ends the daemon, and with it this agent.
    pub(super) async fn commit(&self, kit: &Kit, id: AgentId, changed: bool) -> Result<(), StoreError> {
        if !changed && self.pushes.is_empty() && self.handled.is_none() {
            return Ok(());
        }
        loop {
            match kit.store.commit(self.batch(id, changed)?).await {
                Ok(_) => return Ok(()),
                Err(error) if error.is_retryable() => kit.clock.sleep(STORE_PAUSE).await,
                Err(error) => return Err(error),
            }
        }
    }

    fn batch(&self, id: AgentId, changed: bool) -> Result<Batch, StoreError> {
        let mut batch = Batch::new();
        if changed {
            batch.put(&id, &self.record)?;
        }
        for (sequence, item) in &self.pushes {
            batch.put(sequence, item)?;
        }
        for (day, times) in &self.times {
            batch.put(&(*day, id), times)?;
        }
        if let Some(handled) = &self.handled {
            batch.delete::<Entry>(&handled.sequence);
        }
        Ok(batch)
    }
}

/// Writes where an agent's notifications go, without those that are gone, and what is to be pushed with that.
pub(super) async fn write_devices(
    kit: &Kit,
    id: AgentId,
    devices: &Devices,
    gone: &[DeviceId],
    pushes: &[Numbered],
) -> Result<(), StoreError> {
    loop {
        let mut batch = Batch::new();
        batch.put(&id, devices)?;
        for device in gone {
            batch.delete::<LastDelivery>(&(id, *device));
        }
        for (sequence, item) in pushes {
            batch.put(sequence, item)?;
        }
        match kit.store.commit(batch).await {
            Ok(_) => return Ok(()),
            Err(error) if error.is_retryable() => kit.clock.sleep(STORE_PAUSE).await,
            Err(error) => return Err(error),
        }
    }
}

/// What an agent has sent. A record that cannot be read begins anew: keys that it held may send once more.
pub(super) async fn read_sends(kit: &Kit, id: AgentId) -> Result<Sends, StoreError> {
    loop {
        match readable(id, kit.store.get::<Sends>(&id).await) {
            Err(error) if error.is_retryable() => kit.clock.sleep(STORE_PAUSE).await,
            read => return Ok(read?.unwrap_or_default()),
        }
    }
}

/// Writes what an agent has sent, or is about to send.
pub(super) async fn write_sends(kit: &Kit, id: AgentId, sends: &Sends) -> Result<(), StoreError> {
    loop {
        let mut batch = Batch::new();
        batch.put(&id, sends)?;
        match kit.store.commit(batch).await {
            Ok(_) => return Ok(()),
            Err(error) if error.is_retryable() => kit.clock.sleep(STORE_PAUSE).await,
            Err(error) => return Err(error),
        }
    }
}

/// The agent's days with these tasks added. A day that cannot be read begins anew.
pub(super) async fn add_handle_times(
    kit: &Kit,
    id: AgentId,
    tasks: &[crate::domain::Handled],
) -> Result<Vec<(Day, HandleTimes)>, StoreError> {
    let mut days: Vec<(Day, HandleTimes)> = Vec::new();
    for task in tasks {
        let day = Day::of(task.completed);
        let place = match days.iter().position(|(known, _)| *known == day) {
            Some(place) => place,
            None => {
                days.push((day, read_day(kit, id, day).await?));
                days.len() - 1
            }
        };
        if let Some((_, times)) = days.get_mut(place) {
            times.add(task);
        }
    }
    Ok(days)
}

async fn read_day(kit: &Kit, id: AgentId, day: Day) -> Result<HandleTimes, StoreError> {
    loop {
        match readable(id, kit.store.get::<HandleTimes>(&(day, id)).await) {
            Err(error) if error.is_retryable() => kit.clock.sleep(STORE_PAUSE).await,
            read => return Ok(read?.unwrap_or_default()),
        }
    }
}
