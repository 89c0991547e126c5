//! Reservations as an agent remembers them: those offered, those rung, and tasks that came by a moment ago.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{
    about::About,
    request::{Found, Offered},
    worked::Worked,
};
use crate::call::Miss;
use crate::domain::{ReservationEvent, ReservationSid, ReservationStatus, RingTarget, TaskFacts, TaskSid, Timestamp};

/// What a pending reservation is given beyond its time before its fate is asked for.
const OVERDUE: Duration = Duration::from_secs(120);
/// What an offer is given that was found pending, nobody knows for how long.
const FOUND: Duration = Duration::from_secs(10);
/// A call's instruction needs five seconds before the reservation's own timeout, a rejection three.
const GIVE_UP_BEHIND_DEADLINE: Duration = Duration::from_secs(2);
/// How often a reservation that is being worked on is looked after, in case the event of its end was lost.
const CHECK: Duration = Duration::from_secs(6 * 3600);

/// A reservation of this agent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reservation {
    pub task: TaskSid,
    pub kind: Kind,
    pub status: ReservationStatus,
    pub version: Option<u64>,
    /// Twilio's time of the newest event.
    pub at: Timestamp,
    /// When this agent heard of it, or asked about it, last. By our clock: for forgetting.
    pub heard_at: Timestamp,
    /// The last moment for an instruction, a little before the reservation's own timeout.
    pub deadline: Timestamp,
    /// The offer waits for its moment to ring.
    pub held: Option<Held>,
    /// How it stands with the agent; none for calls, and once it is taken or over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answering: Option<Answering>,
    #[serde(default)]
    pub about: Box<About>,
    /// When it was created, by Twilio's clock.
    #[serde(default)]
    pub created: Timestamp,
    /// Since when and where it is worked on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub worked: Option<Worked>,
}

/// An offer that the agent answers with a tap.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answering {
    /// The agent's devices show it.
    Shown {
        /// When they show it once more.
        again_at: Timestamp,
        /// If nobody answers, the agent goes offline.
        last: bool,
        /// The agent is being taken offline already.
        given_up: bool,
    },
    /// The agent has said yes; Twilio has yet to.
    Connecting { ask_at: Timestamp },
    /// It is being rejected.
    Rejecting,
}

/// What comes with a reservation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A customer calls: this rings.
    Call,
    /// A call that the agent places at the desk comes as a task too. It does not ring, but the agent is on a call.
    CallOut,
    /// Anything else, chats above all: the agent answers it with a tap.
    #[serde(alias = "other")]
    Chat,
}

impl Kind {
    pub fn of(task: &TaskFacts) -> Self {
        let outbound = || {
            serde_json::from_str::<serde_json::Value>(&task.attributes)
                .is_ok_and(|attributes| attributes.get("direction").is_some_and(|direction| direction == "outbound"))
        };
        match task.channel.as_str() {
            "voice" if outbound() => Self::CallOut,
            "voice" => Self::Call,
            _ => Self::Chat,
        }
    }
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
    /// The task was passed on a moment ago, came back, and the agent is on a call.
    Call,
    /// The agent is not known to be on mobile. At the desk Flex rings, unless the agent leaves it in time.
    Mobile,
    /// The event is older than the reservation can be: whether it is pending still is read first.
    Reading,
}

impl Reservation {
    pub fn offered(&self, sid: &ReservationSid) -> Offered {
        Offered { reservation: sid.clone(), task: self.task.clone() }
    }

    /// One of which only a reading tells.
    pub fn found(found: &Found, now: Timestamp) -> Self {
        Self {
            task: found.offered.task.clone(),
            kind: Kind::of(&found.task),
            status: found.status,
            version: None,
            at: Timestamp::EPOCH,
            heard_at: now,
            deadline: now + FOUND,
            held: None,
            answering: None,
            about: Box::new(About::of(&found.task)),
            created: found.changed_at.unwrap_or(now),
            worked: None,
        }
    }

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

    /// When it is overdue to be heard of.
    pub fn overdue_at(&self) -> Option<Timestamp> {
        match self.status {
            ReservationStatus::Pending => Some(self.deadline.max(self.heard_at) + OVERDUE),
            ReservationStatus::Accepted | ReservationStatus::Wrapping => Some(self.heard_at + CHECK),
            _ => None,
        }
    }

    /// The last moment to give an unanswered offer back, so that Twilio's own timeout does not act.
    pub fn give_up_at(&self) -> Timestamp {
        self.deadline + GIVE_UP_BEHIND_DEADLINE
    }

    /// When the offer wants to be looked after.
    pub fn answering_due(&self) -> Option<Timestamp> {
        match self.answering? {
            Answering::Shown { again_at, last, given_up } => {
                let end = if last && !given_up { self.deadline } else { self.give_up_at() };
                Some(again_at.min(end))
            }
            Answering::Connecting { ask_at } => Some(ask_at),
            Answering::Rejecting => None,
        }
    }

    /// Whether the agent talks at the desk, or just has.
    pub fn is_call_at_desk(&self) -> bool {
        matches!(self.kind, Kind::Call | Kind::CallOut) && self.status == ReservationStatus::Accepted
    }
}

/// A task that this agent had, and did not take.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Passed {
    pub task: TaskSid,
    pub at: Timestamp,
    /// How often it rang in vain. Not at all if the agent was on a call.
    pub missed: u32,
    /// Of late it was the gateway that did not reach the agent.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub faulted: bool,
    /// Where it rang of late, and why nobody answered there.
    pub tried: Vec<(RingTarget, Miss)>,
}

impl Passed {
    pub const fn new(task: TaskSid, at: Timestamp) -> Self {
        Self { task, at, missed: 0, faulted: false, tried: Vec::new() }
    }

    /// The targets that rang without an answer may ring once more, the unreachable ones not.
    pub fn may_ring_again(&self, target: RingTarget) -> bool {
        self.tried.iter().all(|(tried, miss)| *tried != target || *miss == Miss::NoAnswer)
    }
}
