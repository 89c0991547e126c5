//! What the operator decided, as far as an agent's logic needs it.

use std::time::Duration;

use super::request::Closing;
use crate::domain::RingTarget;

/// Settings that every agent shares.
#[derive(Clone, Debug)]
pub struct Policy {
    /// In this activity calls ring at the agent's phones; in any other the gateway leaves offers to the desk.
    pub mobile_activity: String,
    /// Where an agent goes who does not answer.
    pub offline_activity: String,
    /// The ring plan of agents without one of their own.
    pub plan: Vec<RingTarget>,
    /// How long softphones ring; none: there are no softphones, and plans are followed without them.
    pub sip_ring: Option<Duration>,
    pub pstn_ring: Duration,
    /// Whoever answers a cell phone has the call only after pressing 1.
    pub asks: bool,
    /// After more missed rings in a row than this, the agent goes offline.
    pub missed_keep_activity: u32,
    /// How long a task that comes back to the agent who missed it waits before it rings once more.
    pub reoffer_hold: Duration,
    /// What the reservation is set to when the last leg ends.
    pub closing: Closing,
    /// The activities that agents choose from on their phones. In any other an agent is at the desk.
    pub choices: Vec<String>,
    /// At a chat's end the conversation stays open without the agent.
    pub leave_chats: bool,
}

impl Default for Policy {
    /// The defaults of the configuration.
    fn default() -> Self {
        Self {
            mobile_activity: "Available on Mobile".into(),
            offline_activity: "Offline".into(),
            plan: vec![RingTarget::Sip, RingTarget::Pstn],
            sip_ring: None,
            pstn_ring: Duration::from_secs(18),
            asks: false,
            missed_keep_activity: 2,
            reoffer_hold: Duration::from_secs(15),
            closing: Closing::Wrapup,
            choices: ["Available on Mobile", "Break", "Offline"].map(str::to_owned).to_vec(),
            leave_chats: false,
        }
    }
}
