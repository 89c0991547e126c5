//! The phones as tests and the page see them. Times are milliseconds since the Unix epoch where they say so.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{PushAnswer, PushKind};

/// A device that notifications are pushed to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeviceView {
    pub id: String,
    /// The agent's phone number.
    pub owner: String,
    pub name: String,
    pub kind: PushKind,
    /// What the next message to it is answered.
    pub answer: PushAnswer,
    /// Its subscription is over: what is sent to it is refused.
    pub gone: bool,
    /// It has no connection: messages wait at the push service until their TTL is over.
    pub offline: bool,
    /// Messages that wait for it.
    pub waiting: usize,
    /// The latest that have arrived, the oldest first.
    pub notifications: Vec<NotificationView>,
    /// `app_badge` of the latest.
    pub badge: Option<u64>,
    /// What its screen shows now: places in `notifications`, the oldest first.
    pub shown: Vec<usize>,
}

impl DeviceView {
    /// What its screen shows now, the oldest first.
    pub fn showing(&self) -> impl Iterator<Item = &NotificationView> {
        self.shown.iter().filter_map(|place| self.notifications.get(*place))
    }
}

/// A message that has arrived at a device.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NotificationView {
    pub at_ms: u64,
    /// What it did on the screen when it arrived.
    pub effect: Effect,
    pub id: String,
    /// `task.offered`, `message`, …
    #[serde(rename = "type")]
    pub kind: String,
    pub title: String,
    pub body: String,
    pub tag: Option<String>,
    pub task: Option<String>,
    pub conversation: Option<String>,
    /// Seconds since the Unix epoch.
    pub exp: Option<u64>,
    pub app_badge: Option<u64>,
    pub actions: Vec<String>,
    pub navigate: Option<String>,
    /// `Urgency`, or FCM's priority.
    pub urgency: Option<String>,
    /// Seconds.
    pub ttl: u64,
    /// `Topic`, or FCM's collapse key.
    pub topic: Option<String>,
    /// The payload, or FCM's message; null if it could not be decrypted or is no JSON.
    pub raw: Value,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Effect {
    /// It is shown, in the place of the one with the same tag.
    Shown,
    /// It took away the one with the same tag, and shows nothing itself.
    Closed,
    /// One with its id was there already.
    Duplicate,
    /// It came after its time.
    Expired,
    /// It could not be decrypted, or says nothing that the app understands.
    Unreadable,
}
