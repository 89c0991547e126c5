//! What an agent's API shows of an agent: plain data, read from the books.

use serde::Serialize;

use super::{
    Agent,
    chat::LastMessage,
    offer::{Answering, Kind, Reservation},
    request::Request,
};
use crate::domain::{ConversationSid, Customer, ReservationSid, ReservationStatus, TaskSid, Timestamp};

/// How far a task has come, for the one who works on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Progress {
    /// On offer.
    Pending,
    /// Accepted by the agent; Twilio has yet to say so.
    Connecting,
    Accepted,
    Wrapping,
    /// Rejected, taken back, missed or completed.
    Over,
}

/// A task of the agent's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TaskView {
    pub reservation: ReservationSid,
    pub task: TaskSid,
    pub progress: Progress,
    pub is_call: bool,
    pub channel: String,
    pub customer: Customer,
    pub conversation: Option<ConversationSid>,
    /// The agent is in the conversation, and can write.
    pub takes_part: bool,
    pub unread: u32,
    pub last: Option<LastMessage>,
    pub created: Timestamp,
    /// Until when an offer can be answered.
    pub expires: Option<Timestamp>,
}

impl Reservation {
    fn progress(&self) -> Progress {
        match (self.status, self.answering) {
            (ReservationStatus::Pending, Some(Answering::Connecting { .. })) => Progress::Connecting,
            (ReservationStatus::Pending, Some(Answering::Rejecting)) => Progress::Over,
            (ReservationStatus::Pending, _) => Progress::Pending,
            (ReservationStatus::Accepted, _) => Progress::Accepted,
            (ReservationStatus::Wrapping, _) => Progress::Wrapping,
            _ => Progress::Over,
        }
    }
}

impl Agent {
    /// How far a task has come; none: the agent has no such task.
    pub fn progress(&self, sid: &ReservationSid) -> Option<Progress> {
        self.reservations.get(sid).map(Reservation::progress)
    }

    /// The tasks that are not over, the oldest first.
    pub fn tasks(&self) -> Vec<TaskView> {
        let open = self.reservations.iter().filter(|(_, one)| one.progress() != Progress::Over);
        let mut tasks: Vec<_> = open.map(|(sid, one)| self.task(sid, one)).collect();
        tasks.sort_by(|left, right| (left.created, &left.reservation).cmp(&(right.created, &right.reservation)));
        tasks
    }

    /// A task that is not over.
    pub(super) fn open_task(&self, sid: &ReservationSid) -> Option<TaskView> {
        self.reservations.get(sid).filter(|one| one.progress() != Progress::Over).map(|one| self.task(sid, one))
    }

    fn task(&self, sid: &ReservationSid, one: &Reservation) -> TaskView {
        let conversation = one.about.conversation.clone();
        let chat = conversation.as_ref().and_then(|sid| self.chats.get(sid)).filter(|chat| chat.reservation == *sid);
        let is_call = one.kind != Kind::Chat;
        TaskView {
            reservation: sid.clone(),
            task: one.task.clone(),
            progress: one.progress(),
            is_call,
            channel: one.about.channel.to_string(),
            customer: one.about.customer.clone(),
            takes_part: chat.is_some(),
            unread: chat.map_or(0, super::chat::Chat::unread),
            last: chat.and_then(|chat| chat.last.clone()),
            conversation,
            created: one.created,
            expires: (one.progress() == Progress::Pending).then(|| one.give_up_at()),
        }
    }

    /// The activity, as Twilio last said it.
    pub fn activity(&self) -> Option<&str> {
        self.activity.as_ref().map(|activity| activity.name.as_str())
    }

    /// Whether an activity is being set, and not there yet.
    pub fn is_changing_activity(&self) -> bool {
        let sets = |request: &Request| matches!(request, Request::SetActivity { .. });
        self.wish.is_some() || self.duties.iter().any(|duty| sets(&duty.request))
    }

    /// Whether the agent is in a conversation, and who the agent is there.
    pub fn is_in(&self, conversation: &ConversationSid) -> bool {
        self.chats.contains_key(conversation)
    }

    /// Who the agent is in conversations.
    pub const fn identity(&self) -> &crate::domain::ChatIdentity {
        &self.identity
    }
}
