//! Devices: where an agent's notifications go.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use super::{IdError, SessionId, Timestamp, Wishes};

/// One device of an agent: 64 random bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct DeviceId(u64);

impl DeviceId {
    pub const fn from_bits(bits: u64) -> Self {
        Self(bits)
    }

    pub const fn to_bits(self) -> u64 {
        self.0
    }
}

impl fmt::Display for DeviceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl FromStr for DeviceId {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        super::ids::hexadecimal(text, "a device id").map(Self)
    }
}

impl TryFrom<String> for DeviceId {
    type Error = IdError;

    fn try_from(text: String) -> Result<Self, IdError> {
        text.parse()
    }
}

impl From<DeviceId> for String {
    fn from(id: DeviceId) -> Self {
        id.to_string()
    }
}

/// A device that notifications are pushed to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Device {
    pub id: DeviceId,
    /// What its owner calls it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    pub target: PushTarget,
    pub added_at: Timestamp,
    /// The session that registered it, and that it goes with; none: it belongs to no session.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<SessionId>,
    /// What is wished for it alone.
    #[serde(default, skip_serializing_if = "Wishes::is_none")]
    pub wishes: Wishes,
}

/// How a device is reached. `Debug` shows the kind alone: whoever knows the rest can write to the device.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum PushTarget {
    /// A subscription of the Push API (<https://www.w3.org/TR/push-api/#pushsubscription-interface>); the keys are
    /// base64url without padding.
    WebPush { endpoint: String, p256dh: String, auth: String },
    /// A registration token of Firebase Cloud Messaging, or an installation's id.
    Fcm {
        token: String,
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        is_fid: bool,
    },
}

impl PushTarget {
    /// Whether both reach the same browser or installation, whatever the keys.
    pub fn is_same_place(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::WebPush { endpoint, .. }, Self::WebPush { endpoint: other, .. }) => endpoint == other,
            (Self::Fcm { token, .. }, Self::Fcm { token: other, .. }) => token == other,
            _ => false,
        }
    }

    /// The provider's name in metrics and logs.
    pub const fn label(&self) -> &'static str {
        match self {
            Self::WebPush { .. } => "webpush",
            Self::Fcm { .. } => "fcm",
        }
    }
}

impl fmt::Debug for PushTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.label())
    }
}
