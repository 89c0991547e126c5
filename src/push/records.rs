//! What is kept of devices and of pushes, beside the outbox.

use serde::{Deserialize, Serialize};

use super::queue::Address;
use crate::{
    domain::{AgentId, Device, DeviceId, NewsKind, NotificationId, Timestamp, Wishes},
    store::{Family, Record, Sequence},
};

/// Where an agent's notifications go, and what the agent wishes for all of them. The agent's actor writes it; a push is held
/// against it when it goes out, so that nothing reaches a device that is gone by then.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Devices {
    pub devices: Vec<Device>,
    #[serde(default, skip_serializing_if = "Wishes::is_none")]
    pub wishes: Wishes,
}

impl Devices {
    /// Devices of an agent without wishes.
    pub fn of(devices: Vec<Device>) -> Self {
        Self { devices, wishes: Wishes::default() }
    }
}

impl Record for Devices {
    const FAMILY: Family = Family::Devices;
    const VERSION: u8 = 2;
    type Key = AgentId;

    fn key_bytes(key: &AgentId) -> Vec<u8> {
        key.to_bits().to_be_bytes().to_vec()
    }

    /// The first version had devices alone.
    fn decode(version: u8, json: &[u8]) -> serde_json::Result<Self> {
        if version < 2 { serde_json::from_slice(json).map(Self::of) } else { serde_json::from_slice(json) }
    }
}

/// What a device's push service last took. The pusher writes it softly.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastDelivery {
    pub at: Timestamp,
    pub kind: NewsKind,
}

impl Record for LastDelivery {
    const FAMILY: Family = Family::Deliveries;
    const VERSION: u8 = 1;
    type Key = (AgentId, DeviceId);

    fn key_bytes((agent, device): &Address) -> Vec<u8> {
        [agent.to_bits().to_be_bytes(), device.to_bits().to_be_bytes()].concat()
    }
}

/// The device whose record has this key.
pub fn owner_of_delivery(key: &[u8]) -> Option<(AgentId, DeviceId)> {
    let (agent, device) = key.split_first_chunk::<8>()?;
    let device = device.try_into().map(u64::from_be_bytes).ok()?;
    Some((AgentId::from_bits(u64::from_be_bytes(*agent)), DeviceId::from_bits(device)))
}

/// A push that was never delivered. It holds nothing of what was said, nor where it would have gone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeadLetter {
    pub id: NotificationId,
    pub agent: AgentId,
    pub device: DeviceId,
    /// `webpush` or `fcm`.
    pub provider: String,
    #[serde(rename = "type")]
    pub kind: NewsKind,
    pub created: Timestamp,
    pub died: Timestamp,
    pub cause: Cause,
    /// How often it was tried, and why the last try failed.
    pub tries: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last: Option<String>,
}

/// Why a push was given up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// The push service will not have it.
    Refused,
    /// It could not be delivered while it was of use.
    Expired,
}

impl Cause {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Refused => "refused",
            Self::Expired => "expired",
        }
    }
}

impl Record for DeadLetter {
    const FAMILY: Family = Family::DeadLetters;
    const VERSION: u8 = 1;
    type Key = Sequence;

    fn key_bytes(key: &Sequence) -> Vec<u8> {
        key.to_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_first_version_wrote_is_read() {
        let old = br#"[{"id":"0000000000000001","target":{"kind":"fcm","token":"t"},"added_at":1}]"#;
        let devices = Devices::decode(1, old).unwrap();
        assert_eq!((devices.devices.len(), devices.wishes.is_none()), (1, true));
        let json = serde_json::to_vec(&devices).unwrap();
        assert_eq!(Devices::decode(2, &json).unwrap(), devices);
    }

    #[test]
    fn the_key_of_a_delivery_names_its_device() {
        let address = (AgentId::from_bits(7), DeviceId::from_bits(u64::MAX));
        assert_eq!(owner_of_delivery(&LastDelivery::key_bytes(&address)), Some(address));
        assert_eq!(owner_of_delivery(b"short"), None);
    }
}
