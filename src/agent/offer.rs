//! Reservations as an agent remembers them: those offered, those rung, and tasks that came by a moment ago.

use serde::{Deserialize, Serialize};

use super::request::Offered;
use crate::call::Miss;
use crate::domain::{ReservationEvent, ReservationStatus, RingTarget, TaskSid, Timestamp};

/// A reservation of this agent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reservation {
    pub offered: Offered,
    /// `TaskChannelUniqueName`.
    pub channel: String,
    pub status: ReservationStatus,
    pub version: Option<u64>,
    /// Twilio's time of the newest event.
    pub at: Timestamp,
    /// When this agent heard of it last, by our clock: for forgetting.
    pub heard_at: Timestamp,
    /// The last moment for an instruction: 5 s before the reservation's own timeout.
    pub deadline: Timestamp,
    /// The offer waits for its moment to ring.
    pub held: Option<Held>,
}

/// An offer that does not ring yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Held {
    pub why: HeldFor,
    pub until: Timestamp,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HeldFor {
    /// The agent missed this very task a moment ago.
    Reoffer,
    /// The task was turned away a moment ago because the agent was on a call, and is again.
    Call,
    /// The agent's activity is not known yet.
    Activity,
    /// The event is older than the reservation can be: whether it is pending still is read first.
    Reading,
}

impl Reservation {
    /// Whether an event tells something newer than what is known. Versions decide where both have one.
    pub fn is_news(&self, event: &ReservationEvent) -> bool {
        match (self.version, event.version) {
            (Some(known), Some(new)) => new > known,
            _ => event.at >= self.at,
        }
    }

    /// Takes a status unless it would go back; answers whether it stands now.
    pub fn advance(&mut self, status: ReservationStatus) -> bool {
        let forward = status.rank() >= self.status.rank() && !(self.status.is_final() && status != self.status);
        if forward {
            self.status = status;
        }
        forward
    }

    pub fn is_voice(&self) -> bool {
        self.channel == VOICE
    }
}

/// The unique name of TaskRouter's voice channel.
pub const VOICE: &str = "voice";

/// A task that this agent had, and did not take.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Passed {
    pub task: TaskSid,
    pub at: Timestamp,
    pub how: PassedBy,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PassedBy {
    /// It rang: where, and why nobody answered there.
    Missed(Vec<(RingTarget, Miss)>),
    /// The agent was on a call.
    Busy,
}

impl PassedBy {
    /// The targets that rang without an answer: these may ring once more. The unreachable ones may not.
    pub fn may_ring_again(&self, target: RingTarget) -> bool {
        match self {
            Self::Busy => true,
            Self::Missed(tried) => tried.iter().all(|(tried, miss)| *tried != target || *miss == Miss::NoAnswer),
        }
    }
}
