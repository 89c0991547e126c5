//! Tasks that were worked on to their end, and for how long.

use serde::{Deserialize, Serialize};

use super::Timestamp;

/// Where a task was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Place {
    /// On a phone, by us.
    Mobile,
    /// In Flex.
    Desktop,
}

/// One task, from its acceptance to its completion, by Twilio's clock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Handled {
    /// TaskRouter's channel.
    pub channel: Box<str>,
    pub place: Place,
    pub accepted: Timestamp,
    /// When the talk was over; what came then is the work after it.
    pub wrapped: Timestamp,
    pub completed: Timestamp,
}

/// A day of the calendar, in UTC: so many after 1970-01-01.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Day(pub u32);

impl Day {
    pub fn of(at: Timestamp) -> Self {
        Self(u32::try_from(at.as_secs() / 86_400).unwrap_or(u32::MAX))
    }
}
