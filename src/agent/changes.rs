//! What has changed between two states of an agent, for those who look on: whoever has seen the one, and is told the changes,
//! sees the other. The states are compared, so that nothing that may change them has to think of telling it.

use serde::Serialize;

use super::{Agent, Effect, chat::Line, offer::Reservation, view::TaskView};
use crate::{
    call::{Call, Stage},
    domain::{CallId, Closed, ConversationSid, News, ReservationSid, ReservationStatus, RingTarget, Timestamp},
};

/// Numbers that a life of the stream has for its events: 2 million, in bits.
const EVENTS: u32 = 21;

/// One thing that is different.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// A task is on offer that was not there.
    TaskOffered(TaskView),
    /// A task is different, or there without having been on offer.
    TaskUpdated(TaskView),
    /// A task is not the agent's any more. It looks as it did last.
    TaskClosed(TaskView, HowClosed),
    /// Somebody has written.
    Message(Said),
    /// So many messages wait to be read in a conversation, and in all of them.
    Unread { conversation: ConversationSid, unread: u32, total: u32 },
    /// The call that rings or talks, or the last one that settles.
    Call(Option<CallView>),
    /// The activity as Twilio has it; `changing`: another is being set.
    Activity { name: Option<String>, changing: bool },
}

/// Why a task is not the agent's any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum HowClosed {
    Completed,
    Declined,
    Missed,
    /// It was taken back, or somebody else has it.
    Gone,
}

/// A message of a conversation that the agent is in, whoever wrote it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    pub conversation: ConversationSid,
    /// What the agent is in the conversation for.
    pub task: ReservationSid,
    pub line: Line,
    /// By the agent.
    pub mine: bool,
}

/// A call, for the one whom it is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallView {
    pub id: CallId,
    pub task: ReservationSid,
    pub stage: Stage,
    /// Where it rings, or rang last.
    pub target: RingTarget,
}

impl Agent {
    /// Begins a life of the stream of changes: answers the number before that of its first event. Numbers rise from life to
    /// life, also if the record is from yesterday's backup, or the clock goes back. They stay below 2^53 until the year 2106.
    pub fn begin_stream(&mut self, now: Timestamp) -> u64 {
        self.stream = (self.stream + 1).max(now.as_secs());
        self.stream << EVENTS
    }

    /// The call that rings or talks, or the last one that settles.
    pub fn call(&self) -> Option<CallView> {
        let call = self.calls.iter().find(|call| call.is_busy()).or(self.calls.last())?;
        let task = call.offered.reservation.clone();
        Some(CallView { id: call.id, task, stage: Call::stage(call), target: call.target() })
    }
}

/// What is different in `after`, and what of `effects` belongs to it. In this order: who wrote, the tasks, what is unread, the
/// call, the activity.
pub fn changes(before: &Agent, after: &Agent, effects: &[Effect]) -> Vec<Change> {
    let mut changes: Vec<_> = effects.iter().filter_map(said).map(|said| Change::Message(said.clone())).collect();
    tasks(before, after, effects, &mut changes);
    unread(before, after, &mut changes);
    if before.call() != after.call() {
        changes.push(Change::Call(after.call()));
    }
    let activity = |agent: &Agent| (agent.activity().map(str::to_owned), agent.is_changing_activity());
    if activity(before) != activity(after) {
        let (name, changing) = activity(after);
        changes.push(Change::Activity { name, changing });
    }
    changes
}

fn said(effect: &Effect) -> Option<&Said> {
    if let Effect::Said(said) = effect { Some(said) } else { None }
}

fn tasks(before: &Agent, after: &Agent, effects: &[Effect], changes: &mut Vec<Change>) {
    for (sid, reservation) in &after.reservations {
        if before.reservations.get(sid) == Some(reservation) && chat(before, reservation) == chat(after, reservation) {
            continue;
        }
        changes.extend(match (before.open_task(sid), after.open_task(sid)) {
            (None, Some(new)) if new.progress == super::view::Progress::Pending => Some(Change::TaskOffered(new)),
            (None, Some(new)) => Some(Change::TaskUpdated(new)),
            (Some(old), Some(new)) if !told_otherwise(&old, &new, effects) => Some(Change::TaskUpdated(new)),
            (Some(old), None) => Some(Change::TaskClosed(old, how_closed(after, sid, effects))),
            _ => None,
        });
    }
    let forgotten = before.reservations.keys().filter(|sid| !after.reservations.contains_key(sid));
    for old in forgotten.filter_map(|sid| before.open_task(sid)) {
        changes.push(Change::TaskClosed(old, HowClosed::Gone));
    }
}

fn chat<'a>(agent: &'a Agent, reservation: &Reservation) -> Option<&'a super::Chat> {
    agent.chats.get(reservation.about.conversation.as_ref()?)
}

/// Whether a task is different only in what other changes tell: what is unread, and the message that came.
fn told_otherwise(old: &TaskView, new: &TaskView, effects: &[Effect]) -> bool {
    let last = new.last.as_ref().map(|last| last.index);
    let is_it = |said: &Said| said.task == new.reservation && Some(said.line.index) == last;
    let mut expected = TaskView { unread: new.unread, ..old.clone() };
    if effects.iter().filter_map(said).any(is_it) {
        expected.last.clone_from(&new.last);
    }
    expected == *new
}

fn how_closed(after: &Agent, sid: &ReservationSid, effects: &[Effect]) -> HowClosed {
    let told = effects.iter().find_map(|effect| match effect {
        Effect::Push(notification) => match &notification.news {
            News::TaskClosed { task, why } if task == sid => Some(*why),
            _ => None,
        },
        _ => None,
    });
    let Some(reservation) = after.reservations.get(sid) else { return HowClosed::Gone };
    let missed = || after.passed.iter().any(|passed| passed.task == reservation.task && passed.missed > 0);
    match (told, reservation.status) {
        (Some(Closed::Declined), _) => HowClosed::Declined,
        (Some(Closed::Missed), _) | (None, ReservationStatus::Timeout) => HowClosed::Missed,
        (_, ReservationStatus::Completed) => HowClosed::Completed,
        (None, ReservationStatus::Rejected) if missed() => HowClosed::Missed,
        (None, ReservationStatus::Rejected) => HowClosed::Declined,
        _ => HowClosed::Gone,
    }
}

fn unread(before: &Agent, after: &Agent, changes: &mut Vec<Change>) {
    let of = |agent: &Agent, sid: &ConversationSid| agent.chats.get(sid).map_or(0, super::Chat::unread);
    let left = before.chats.keys().filter(|sid| !after.chats.contains_key(sid));
    let total = after.unread();
    for conversation in after.chats.keys().chain(left) {
        let unread = of(after, conversation);
        if of(before, conversation) != unread {
            changes.push(Change::Unread { conversation: conversation.clone(), unread, total });
        }
    }
}
