//! What others may ask of an agent: the API above all. Every question goes through the directory.

use std::{sync::Arc, time::Duration};

use actix::{Addr, Handler, Message};
use tokio::sync::{mpsc, oneshot};

pub use super::feed::{Event, Told};
use super::{
    AgentActor, Directory, Views,
    agent::{BeginSend, EndSend},
};
pub use super::{SendTurn, Sending};
pub use crate::agent::{
    changes::{CallView, Change, HowClosed, Said},
    chat::{LastMessage, Line},
    command::{Command, Denial},
    request::Closing,
    sends::{Begin, Sent},
    view::{Progress, TaskView},
};
pub use crate::call::{Reply, Stage};
use crate::{
    domain::{
        AgentId, ChatIdentity, Device, DeviceId, Fingerprint, Language, PickUp, ReservationSid, SendId, SessionId,
        Wishes,
    },
    twilio::taskrouter::Recording,
};

/// How long whoever asks waits for an agent, whose store may be busy.
const PATIENCE: Duration = Duration::from_secs(5);
/// How often an agent is asked whose address was closed, and how soon again. The directory looks after the dead in between.
const TIMES: usize = 3;
const PAUSE: Duration = Duration::from_millis(50);

/// The agent did not answer: it is being started again, or has too much to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the agent does not answer")]
pub struct NoAnswer;

/// An agent at one moment.
#[derive(Clone, Debug)]
pub struct View {
    pub tasks: Vec<TaskView>,
    /// The one that rings or talks, or the last one that settles.
    pub call: Option<CallView>,
    pub activity: Option<String>,
    /// An activity is being set, and not there yet.
    pub is_changing_activity: bool,
    pub identity: ChatIdentity,
    pub unread: u32,
    pub devices: Vec<Device>,
    /// What is wished for all of them.
    pub wishes: Wishes,
}

/// Asks the directory for an agent; none: nobody of that id is on the books.
#[derive(Message)]
#[rtype(result = "Option<Addr<AgentActor>>")]
pub(super) struct Find(pub(super) AgentId);

#[derive(Message)]
#[rtype(result = "Result<Result<(), Denial>, NoAnswer>")]
pub(super) struct Order(pub(super) Command);

/// Tells an agent of somebody who has picked up.
#[derive(Message)]
#[rtype(result = "Result<HowToGoOn, NoAnswer>")]
pub(super) struct PickedUp(pub(super) PickUp);

/// How a call goes on for whoever has picked up.
#[derive(Clone, Debug)]
pub struct HowToGoOn {
    pub reply: Reply,
    /// The agent's.
    pub language: Language,
    /// Of the conversation.
    pub recording: Option<Recording>,
}

#[derive(Message)]
#[rtype(result = "Option<Arc<View>>")]
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

/// Asks for a place among those who look on. `after` is the last event that was seen; of an event that is not known any more
/// all is shown anew.
#[derive(Clone, Copy, Message)]
#[rtype(result = "Result<Seat, NoAnswer>")]
pub(super) struct Listen {
    pub(super) viewer: u64,
    pub(super) after: Option<u64>,
}

/// A place among those who look on: where things stand, and what happens from there on.
#[derive(Debug)]
pub struct Seat {
    pub start: Start,
    pub told: mpsc::Receiver<Told>,
}

#[derive(Clone, Debug)]
pub enum Start {
    /// Everything, as it was after this event.
    Snapshot { seq: u64, view: Box<View> },
    /// What was missed.
    Resumed(Vec<Arc<Event>>),
}

/// A push service does not know a device any more.
#[derive(Message)]
#[rtype(result = "()")]
pub(super) struct Gone(pub(super) DeviceId);

/// A session is over: its devices go. Those of one that was superseded are told so first.
#[derive(Clone, Message)]
#[rtype(result = "Result<(), NoAnswer>")]
pub(super) struct LetGo {
    pub(super) session: SessionId,
    pub(super) superseded: bool,
}

/// Asks an agent through the directory; none: nobody of that id is on the books. One that has just left the memory is
/// asked again: it is started anew.
async fn ask_if_any<M>(
    directory: &Addr<Directory>,
    agent: AgentId,
    times: usize,
    question: impl Fn() -> M,
) -> Result<Option<M::Result>, NoAnswer>
where
    M: Message + Send + 'static,
    M::Result: Send,
    AgentActor: Handler<M>,
{
    let asking = async {
        for _ in 0..times {
            let Some(found) = directory.send(Find(agent)).await.map_err(|_| NoAnswer)? else { return Ok(None) };
            if let Ok(answer) = found.send(question()).await {
                return Ok(Some(answer));
            }
            tokio::time::sleep(PAUSE).await;
        }
        Err(NoAnswer)
    };
    tokio::time::timeout(PATIENCE, asking).await.unwrap_or(Err(NoAnswer))
}

pub(super) async fn ask<M>(
    directory: &Addr<Directory>,
    agent: AgentId,
    times: usize,
    question: impl Fn() -> M,
) -> Result<M::Result, NoAnswer>
where
    M: Message + Send + 'static,
    M::Result: Send,
    AgentActor: Handler<M>,
{
    ask_if_any(directory, agent, times, question).await?.ok_or(NoAnswer)
}

/// Has an agent do something; answers when it is on disk.
pub async fn order(
    directory: &Addr<Directory>,
    agent: AgentId,
    command: Command,
) -> Result<Result<(), Denial>, NoAnswer> {
    // Once: an agent that died may have done it.
    ask(directory, agent, 1, || Order(command.clone())).await?
}

/// Asks an agent how a call goes on that somebody has picked up; answers when that is on disk. For nobody of ours nobody waits.
pub async fn pick_up(directory: &Addr<Directory>, pick_up: &PickUp) -> Result<HowToGoOn, NoAnswer> {
    let nobody = HowToGoOn { reply: Reply::NobodyWaits, language: Language::default(), recording: None };
    // As often as need be: the same once more is answered the same.
    let asked = ask_if_any(directory, pick_up.call.agent, TIMES, || PickedUp(pick_up.clone()));
    asked.await?.unwrap_or(Ok(nobody))
}

/// Has an agent let go of the devices of a session that is over; answers when that is on disk. Nobody of that id has none.
pub async fn let_go(
    directory: &Addr<Directory>,
    agent: AgentId,
    session: SessionId,
    superseded: bool,
) -> Result<(), NoAnswer> {
    ask_if_any(directory, agent, TIMES, || LetGo { session, superseded }).await?.unwrap_or(Ok(()))
}

/// Looks on from now: `viewer` is the looker's own number, that nobody else in the house has. It is what [`Command::Show`] is
/// told, and counts until `told` is let go of.
pub async fn listen(
    directory: &Addr<Directory>,
    agent: AgentId,
    viewer: u64,
    after: Option<u64>,
) -> Result<Seat, NoAnswer> {
    ask(directory, agent, TIMES, || Listen { viewer, after }).await?
}

/// Looks at an agent.
pub async fn see(directory: &Addr<Directory>, agent: AgentId) -> Result<Arc<View>, NoAnswer> {
    ask(directory, agent, TIMES, || See).await?.ok_or(NoAnswer)
}

/// Looks at an agent as it was shown last, if nothing has changed since.
pub async fn glance(views: &Views, directory: &Addr<Directory>, agent: AgentId) -> Result<Arc<View>, NoAnswer> {
    match views.get(agent) {
        Some(view) => Ok(view),
        None => see(directory, agent).await,
    }
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
    ask(directory, agent, TIMES, || Await(wait.clone())).await?.await.map_err(|_| NoAnswer)
}

/// Asks for the turn to send a message. It is written down when this is answered.
pub async fn begin_send(
    directory: &Addr<Directory>,
    agent: AgentId,
    id: SendId,
    what: Fingerprint,
) -> Result<Sending, NoAnswer> {
    ask(directory, agent, TIMES, || BeginSend { id, what }).await?
}

/// Tells what became of a send; none: it was certainly not sent.
pub async fn end_send(
    directory: &Addr<Directory>,
    agent: AgentId,
    id: SendId,
    sent: Option<Sent>,
) -> Result<(), NoAnswer> {
    ask(directory, agent, TIMES, || EndSend { id, sent: sent.clone() }).await?
}
