//! Thin actix shells round the pure cores: they load and write records, carry out effects, keep the one timer, and
//! start again what has died.

mod agent;
pub mod ask;
mod books;
mod census;
mod conversations;
pub mod devices;
mod directory;
mod fan_out;
mod feed;
mod index;
mod live;
mod load;
mod records;
mod rest;
mod views;

use std::{sync::Arc, time::Duration};

use actix::{Actor, Addr, Arbiter};
use tokio::sync::{Semaphore, mpsc, oneshot};

pub use agent::{AgentActor, SendTurn, Sending};
pub use census::{Census, Overview};
pub use conversations::Conversations;
pub use directory::Directory;
pub use records::{AgentRecord, Sends};
pub use views::Views;

pub use crate::push::Devices;

use crate::{
    agent::Policy,
    clock::Clock,
    config::{BaseUrl, Recording},
    domain::{AgentId, DeviceId, E164, SoftphoneLeg, SoftphoneNews},
    inbox::Outlet,
    push::Push,
    roster::Told,
    sip::Line,
    store::StoreHandle,
    twilio::{Twilio, facts::WorkspaceFacts},
};

/// How long an offer waits for a setting at Twilio that is not cached yet: a customer is waiting too.
const SETTING_PATIENCE: Duration = Duration::from_millis(1500);
/// How long a store that is full or busy is left alone.
const STORE_PAUSE: Duration = Duration::from_millis(200);
/// How long whoever looks in waits for an actor's answer.
const PATIENCE: Duration = Duration::from_secs(1);

/// What every agent's shell works with.
pub struct Kit {
    pub store: StoreHandle,
    pub clock: Clock,
    pub twilio: Twilio,
    pub facts: WorkspaceFacts,
    pub policy: Policy,
    /// What Twilio calls back.
    pub public_url: BaseUrl,
    pub caller_id: E164,
    pub recording: Recording,
    /// To agents' softphones; none: there is no SIP.
    pub line: Option<Line>,
    pub push: Push,
    pub conversations: Conversations,
    pub views: Views,
    /// A permit a reading of how things stand: after a start every busy agent wants one, and calls go first.
    pub readings: Semaphore,
    /// The same for conversations, of which there are many more.
    pub chat_readings: Semaphore,
}

/// Readings of how things stand that are under way at once.
pub const READINGS: usize = 5;

/// What comes to the agents from elsewhere in the house.
pub struct Doors {
    pub inbox: Outlet,
    /// Devices that their push service does not know any more.
    pub gone: mpsc::Receiver<(AgentId, DeviceId)>,
    /// Agents who come, change and go.
    pub told: mpsc::Receiver<Told>,
    /// What softphones tell.
    pub softphones: mpsc::Receiver<(SoftphoneLeg, SoftphoneNews)>,
}

/// Starts the directory, and with it the agents, on threads of their own: never on an HTTP worker. What is answered beside
/// its address resolves when the directory has ended.
pub fn start(kit: Arc<Kit>, doors: Doors, arbiters: &[Arbiter]) -> (Addr<Directory>, oneshot::Receiver<()>) {
    let handles: Vec<_> = arbiters.iter().map(Arbiter::handle).collect();
    let home = handles.first().cloned().unwrap_or_else(Arbiter::current);
    let (pulse, ended) = oneshot::channel();
    (Directory::start_in_arbiter(&home, move |_| Directory::new(kit, doors, handles, pulse)), ended)
}

/// What all agents are doing, for the admin listener and for tests; those who do not answer within a second are left out,
/// and without an answer of the directory there is nothing.
pub async fn overview(directory: &Addr<Directory>) -> Option<Overview> {
    let roll = tokio::time::timeout(PATIENCE, directory.send(Census)).await.ok()?.ok()?;
    Some(roll.gather(PATIENCE).await)
}
