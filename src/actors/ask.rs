//! What others may ask of an agent: the API above all. Every question goes through the directory.

use std::time::Duration;

use actix::{Addr, Message};
use tokio::sync::oneshot;

use super::{AgentActor, Directory};
pub use crate::agent::{
    chat::{LastMessage, Line},
    command::{Command, Denial},
    request::Closing,
    view::{Progress, TaskView},
};
use crate::domain::{AgentId, ChatIdentity, Device, DeviceId, ReservationSid, SessionId};

/// How long whoever asks waits for an agent, whose store may be busy.
const PATIENCE: Duration = Duration::from_secs(5);

/// The agent did not answer: it is being started again, or has too much to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the agent does not answer")]
pub struct NoAnswer;

/// An agent at one moment.
#[derive(Clone, Debug)]
pub struct View {
    pub tasks: Vec<TaskView>,
    pub activity: Option<String>,
    /// An activity is being set, and not there yet.
    pub is_changing_activity: bool,
    pub identity: ChatIdentity,
    pub unread: u32,
    pub devices: Vec<Device>,
}

/// Asks the directory for an agent; none: nobody of that id is on the books.
#[derive(Message)]
#[rtype(result = "Option<Addr<AgentActor>>")]
pub(super) struct Find(pub(super) AgentId);

#[derive(Message)]
#[rtype(result = "Result<Result<(), Denial>, NoAnswer>")]
pub(super) struct Order(pub(super) Command);

#[derive(Message)]
#[rtype(result = "Option<View>")]
pub(super) struct See;

/// What may be waited for.
#[derive(Clone, Debug)]
pub enum Wait {
    /// Twilio has said what became of an acceptance.
    Task(ReservationSid),
    /// The activity that was asked for is there, or will not be.
    Activity,
}

/// Asks to be told when that is so.
#[derive(Message)]
#[rtype(result = "oneshot::Receiver<()>")]
pub(super) struct Await(pub(super) Wait);

/// A push service does not know a device any more.
#[derive(Message)]
#[rtype(result = "()")]
pub(super) struct Gone(pub(super) DeviceId);

/// A session is over: its devices go. Those of one that was superseded are told so first.
#[derive(Message)]
#[rtype(result = "Result<(), NoAnswer>")]
pub(super) struct LetGo {
    pub(super) session: SessionId,
    pub(super) superseded: bool,
}

async fn find(directory: &Addr<Directory>, agent: AgentId) -> Result<Addr<AgentActor>, NoAnswer> {
    let found = tokio::time::timeout(PATIENCE, directory.send(Find(agent))).await;
    found.map_err(|_| NoAnswer)?.map_err(|_| NoAnswer)?.ok_or(NoAnswer)
}

/// Has an agent do something; answers when it is on disk.
pub async fn order(
    directory: &Addr<Directory>,
    agent: AgentId,
    command: Command,
) -> Result<Result<(), Denial>, NoAnswer> {
    let agent = find(directory, agent).await?;
    let done = tokio::time::timeout(PATIENCE, agent.send(Order(command))).await;
    done.map_err(|_| NoAnswer)?.map_err(|_| NoAnswer)?
}

/// Has an agent let go of the devices of a session that is over; answers when that is on disk. Nobody of that id has none.
pub async fn let_go(
    directory: &Addr<Directory>,
    agent: AgentId,
    session: SessionId,
    superseded: bool,
) -> Result<(), NoAnswer> {
    let found = tokio::time::timeout(PATIENCE, directory.send(Find(agent))).await;
    let Some(agent) = found.map_err(|_| NoAnswer)?.map_err(|_| NoAnswer)? else { return Ok(()) };
    let done = tokio::time::timeout(PATIENCE, agent.send(LetGo { session, superseded })).await;
    done.map_err(|_| NoAnswer)?.map_err(|_| NoAnswer)?
}

/// Looks at an agent.
pub async fn see(directory: &Addr<Directory>, agent: AgentId) -> Result<View, NoAnswer> {
    let agent = find(directory, agent).await?;
    let view = tokio::time::timeout(PATIENCE, agent.send(See)).await;
    view.map_err(|_| NoAnswer)?.map_err(|_| NoAnswer)?.ok_or(NoAnswer)
}

/// How far a task has come; over, if the agent has no such task.
pub async fn progress(
    directory: &Addr<Directory>,
    agent: AgentId,
    task: &ReservationSid,
) -> Result<Progress, NoAnswer> {
    let view = see(directory, agent).await?;
    Ok(view.tasks.iter().find(|one| one.reservation == *task).map_or(Progress::Over, |one| one.progress))
}

/// Resolves when that is so; the caller says how long it is worth waiting for.
pub async fn settled(directory: &Addr<Directory>, agent: AgentId, wait: Wait) -> Result<(), NoAnswer> {
    let agent = find(directory, agent).await?;
    let waiting = tokio::time::timeout(PATIENCE, agent.send(Await(wait))).await;
    waiting.map_err(|_| NoAnswer)?.map_err(|_| NoAnswer)?.await.map_err(|_| NoAnswer)
}
