//! What the API asks of an agent's devices, and of what the agent wishes for them. Each is on disk when it is answered.

use actix::{Addr, Message};

use super::{
    Devices, Directory,
    ask::{NoAnswer, ask},
};
use crate::domain::{AgentId, Device, DeviceId, PushTarget, SessionId, Timestamp, WishChange, Wishes};

/// An agent's devices at most: a phone or two with a browser and an app each, and what was left behind by browsers that were
/// reset.
pub const MOST_DEVICES: usize = 16;

/// A device that asks to be pushed to.
#[derive(Clone, Debug)]
pub struct Registration {
    /// Checked, in the form that it is kept in.
    pub target: PushTarget,
    pub name: Option<String>,
    /// The session that it goes with.
    pub session: SessionId,
}

/// A device that is pushed to from now on.
#[derive(Clone, Debug)]
pub struct Registered {
    pub device: Device,
    /// False: it was known, and keeps its id.
    pub is_new: bool,
}

/// The agent has [`MOST_DEVICES`] already.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an agent has {MOST_DEVICES} devices at most")]
pub struct TooMany;

/// What is to be otherwise of a device.
#[derive(Clone, Debug, Default)]
pub struct DeviceChange {
    /// `Some(None)`: it has no name any more.
    pub name: Option<Option<String>>,
    pub wishes: WishChange,
}

#[derive(Clone, Message)]
#[rtype(result = "Result<Result<Registered, TooMany>, NoAnswer>")]
pub(super) struct Register {
    pub(super) id: DeviceId,
    pub(super) registration: Registration,
}

#[derive(Clone, Message)]
#[rtype(result = "Result<Option<Device>, NoAnswer>")]
pub(super) struct Adjust {
    pub(super) device: DeviceId,
    pub(super) change: DeviceChange,
}

#[derive(Clone, Message)]
#[rtype(result = "Result<bool, NoAnswer>")]
pub(super) struct Unregister(pub(super) DeviceId);

#[derive(Clone, Message)]
#[rtype(result = "Result<Wishes, NoAnswer>")]
pub(super) struct Wish(pub(super) WishChange);

/// Takes a device in, in the books.
pub(super) fn take_in(
    devices: &mut Devices,
    id: DeviceId,
    registration: Registration,
    now: Timestamp,
) -> Result<Registered, TooMany> {
    let Registration { target, name, session } = registration;
    let session = Some(session);
    if let Some(known) = devices.devices.iter_mut().find(|device| device.target.is_same_place(&target)) {
        known.target = target;
        known.session = session;
        known.name = name.or_else(|| known.name.take());
        return Ok(Registered { device: known.clone(), is_new: false });
    }
    if devices.devices.len() >= MOST_DEVICES {
        return Err(TooMany);
    }
    let device = Device { id, name, target, added_at: now, session, wishes: Wishes::default() };
    devices.devices.push(device.clone());
    Ok(Registered { device, is_new: true })
}

/// Takes a device in. One that the agent has already is the same device; it goes with this session from then on.
pub async fn register(
    directory: &Addr<Directory>,
    agent: AgentId,
    registration: Registration,
) -> Result<Result<Registered, TooMany>, NoAnswer> {
    let mut bits = [0; 8];
    aws_lc_rs::rand::fill(&mut bits).map_err(|_| NoAnswer)?;
    let id = DeviceId::from_bits(u64::from_le_bytes(bits));
    ask(directory, agent, 1, || Register { id, registration: registration.clone() }).await?
}

/// Changes a device; none: the agent has no such device.
pub async fn adjust(
    directory: &Addr<Directory>,
    agent: AgentId,
    device: DeviceId,
    change: DeviceChange,
) -> Result<Option<Device>, NoAnswer> {
    ask(directory, agent, 1, || Adjust { device, change: change.clone() }).await?
}

/// Lets go of a device: nothing more reaches it, not even what waits. False: the agent has no such device.
pub async fn unregister(directory: &Addr<Directory>, agent: AgentId, device: DeviceId) -> Result<bool, NoAnswer> {
    ask(directory, agent, 1, || Unregister(device)).await?
}

/// Changes what the agent wishes for all its devices.
pub async fn wish(directory: &Addr<Directory>, agent: AgentId, change: WishChange) -> Result<Wishes, NoAnswer> {
    ask(directory, agent, 1, || Wish(change.clone())).await?
}
