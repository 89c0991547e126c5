//! A copy of what an agent is doing.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{Agent, LastCall};
use crate::call::{Call, Stage};
use crate::domain::{AgentId, ConversationSid, ReservationSid, ReservationStatus, WorkerSid};

/// For the admin listener and for tests.
#[derive(Clone, Debug, Serialize)]
pub struct Snapshot {
    pub id: AgentId,
    pub worker: Option<WorkerSid>,
    pub activity: Option<String>,
    pub call: Option<Stage>,
    pub reservations: BTreeMap<ReservationSid, ReservationStatus>,
    pub missed_in_a_row: u32,
    /// Messages that wait to be read, by conversation.
    pub unread: BTreeMap<ConversationSid, u32>,
    pub duties: usize,
    /// Requests that are on their way to Twilio.
    pub in_flight: usize,
    pub last_call: Option<LastCall>,
}

impl Agent {
    pub fn snapshot(&self) -> Snapshot {
        Snapshot {
            id: self.id,
            worker: self.worker.clone(),
            activity: self.activity.as_ref().map(|activity| activity.name.clone()),
            call: self.calls.iter().find(|call| call.is_busy()).or(self.calls.last()).map(Call::stage),
            reservations: self.reservations.iter().map(|(sid, one)| (sid.clone(), one.status)).collect(),
            missed_in_a_row: self.missed_in_a_row,
            unread: self.chats.iter().map(|(sid, chat)| (sid.clone(), chat.unread())).collect(),
            duties: self.duties.len(),
            in_flight: self.duties.iter().filter(|duty| duty.is_in_flight()).count(),
            last_call: self.last_call.clone(),
        }
    }
}
