//! The model's conversations: who is in them, what is written, and what is read.

use std::time::Duration;

use super::{
    super::{
        chat::{Count, Line},
        request::{Answer, Ending, Found, Offered, Refusal},
    },
    twilio::{Twilio, sid},
};
use crate::domain::{
    ChatIdentity, ConversationSid, Event, MessageEvent, ParticipantChange, ParticipantEvent, ReservationStatus,
    TaskFacts, Timestamp,
};

pub(super) const CUSTOMER: &str = "Maria";
/// Messages that one reading shows.
const PAGE: usize = 20;

pub(super) fn identity() -> ChatIdentity {
    ChatIdentity::of_worker("user-+15550100")
}

#[derive(Default)]
pub(super) struct Conversation {
    /// When the worker came in; none: not in it.
    pub agent_since: Option<Timestamp>,
    pub read: Option<u64>,
    pub messages: Vec<Line>,
    revision: usize,
}

impl Twilio {
    /// A customer writes for the first time: a task of Flex, or a plain one.
    pub(super) fn new_chat(&mut self, plain: bool) -> usize {
        let number = self.tasks.len();
        let conversation: ConversationSid = sid("CH", number);
        let flex = format!(r#","flexInteractionSid":"KD{number:032x}","flexInteractionChannelSid":"UO{number:032x}""#);
        let flex = if plain { String::new() } else { flex };
        self.conversations.insert(number, Conversation::default());
        self.write(number, CUSTOMER);
        let attributes = format!(r#"{{"customerName":"{CUSTOMER}","conversationSid":"{conversation}"{flex}}}"#);
        self.new_task("chat", &attributes)
    }

    /// Somebody writes; indices rise, and not always by one.
    pub(super) fn write(&mut self, chat: usize, author: &str) -> u64 {
        // Never at a whole second, which would be taken for a date without milliseconds.
        let (at, number) = (self.clock() + Duration::from_millis(1), self.next_event());
        let at = if at.as_millis().is_multiple_of(1000) { at + Duration::from_millis(1) } else { at };
        let Some(conversation) = self.conversations.get_mut(&chat) else { return 0 };
        let index = conversation.messages.last().map_or(0, |last| last.index + 1 + u64::from(number.is_multiple_of(5)));
        let line = Line {
            message: sid("IM", chat * 10_000 + conversation.messages.len()),
            index,
            at,
            author: author.into(),
            text: "hello".into(),
            files: 0,
        };
        conversation.messages.push(line.clone());
        self.sent.push(Event::Message(MessageEvent {
            conversation: sid("CH", chat),
            message: line.message,
            index,
            author: line.author,
            participant: None,
            body: line.text,
            media: Vec::new(),
            at,
        }));
        index
    }

    pub(super) fn enter(&mut self, task: usize) {
        let at = self.clock();
        if let Some(conversation) = self.conversations.get_mut(&task) {
            conversation.agent_since = Some(at);
            self.tell_participant(task, ParticipantChange::Added);
        }
    }

    pub(super) fn tell_participant(&mut self, chat: usize, change: ParticipantChange) {
        let Some(conversation) = self.conversations.get_mut(&chat) else { return };
        conversation.revision += 1;
        self.sent.push(Event::Participant(ParticipantEvent {
            conversation: sid("CH", chat),
            participant: sid("MB", chat),
            identity: Some(identity()),
            change,
            revision: conversation.revision.to_string(),
        }));
    }

    /// The worker has been brought into the conversation, or could not be.
    pub(super) fn joined(&mut self, number: usize) {
        self.reservations[number].joins_at = None;
        let task = self.reservations[number].task;
        if std::mem::take(&mut self.join_fails) {
            self.reservation_is(number, ReservationStatus::Canceled);
            self.requeue(number);
        } else {
            self.enter(task);
            self.reservation_is(number, ReservationStatus::Accepted);
        }
    }

    pub(super) fn accept(&mut self, offered: &Offered) -> Result<Answer, Refusal> {
        let number = self.find(offered)?;
        if !self.reservations[number].is_free() {
            return Err(Refusal::NotPending);
        }
        self.reservations[number].joins_at = Some(self.now + self.join);
        Ok(Answer::Done)
    }

    /// To end a task of Flex by its reservation orphans the conversation.
    pub(super) fn judge_ending(&mut self, number: usize, ending: &Ending) {
        let task = &self.tasks[self.reservations[number].task];
        let flex = task.attributes.contains("flexInteractionChannelSid");
        if flex != matches!(ending, Ending::Interaction { .. }) {
            self.violations.push(format!("{} was ended by the wrong way", task.sid));
        }
    }

    pub(super) fn is_in(&self, conversation: &ConversationSid) -> bool {
        self.place(conversation).is_ok_and(|chat| self.conversations[&chat].agent_since.is_some())
    }

    fn place(&self, conversation: &ConversationSid) -> Result<usize, Refusal> {
        let found = self.conversations.keys().find(|number| sid::<ConversationSid>("CH", **number) == *conversation);
        found.copied().ok_or(Refusal::NotFound)
    }

    pub(super) fn set_read(&mut self, conversation: &ConversationSid, index: u64) -> Result<Answer, Refusal> {
        let chat = self.place(conversation)?;
        self.reads(chat, index);
        Ok(Answer::Done)
    }

    /// The worker reads, here or at the desk.
    pub(super) fn reads(&mut self, chat: usize, index: u64) {
        let Some(conversation) = self.conversations.get_mut(&chat) else { return };
        conversation.read = conversation.read.max(Some(index));
        let read = conversation.read;
        self.tell_participant(chat, ParticipantChange::Updated { read });
    }

    pub(super) fn counts(&self) -> Vec<(ConversationSid, Count)> {
        let in_it = self.conversations.iter().filter(|(_, one)| one.agent_since.is_some());
        let count = |one: &Conversation| {
            let above = |read| one.messages.iter().filter(|line| line.index > read).count() as u64;
            Count { unread: one.read.map(above), read: one.read }
        };
        in_it.map(|(number, one)| (sid("CH", *number), count(one))).collect()
    }

    pub(super) fn newest_messages(&self, conversation: &ConversationSid) -> Result<Answer, Refusal> {
        let messages = &self.conversations[&self.place(conversation)?].messages;
        let newest = messages[messages.len().saturating_sub(PAGE)..].iter().cloned();
        // REST gives whole seconds.
        let coarse = |line: Line| Line { at: Timestamp::from_millis(line.at.as_secs() * 1000), ..line };
        Ok(Answer::Messages(newest.map(coarse).collect()))
    }

    pub(super) fn open_reservations(&self) -> Vec<Found> {
        let open = self.reservations.iter().filter(|one| !one.status.is_final());
        open.map(|one| {
            let task = &self.tasks[one.task];
            let facts = TaskFacts {
                sid: task.sid.clone(),
                channel: task.channel.into(),
                workflow: None,
                attributes: task.attributes.clone(),
            };
            let offered = Offered { reservation: one.sid.clone(), task: task.sid.clone() };
            Found { offered, status: one.status, changed_at: Some(one.changed_at()), task: facts }
        })
        .collect()
    }

    /// Whether it is plain what was written before the worker came. REST knows whole seconds only, and where it is all that
    /// tells of the coming, what was written in that second may count.
    pub(super) fn is_plain(&self, chat: usize) -> bool {
        let conversation = &self.conversations[&chat];
        let Some(since) = conversation.agent_since else { return false };
        conversation.messages.iter().all(|line| line.at.as_secs() != since.as_secs() || line.at > since)
    }

    /// What is unread as people count: written by others since the agent came, and above the horizon.
    pub(super) fn unread(&self, chat: usize) -> usize {
        let conversation = &self.conversations[&chat];
        let Some(since) = conversation.agent_since else { return 0 };
        let mine = identity();
        let above = |line: &&Line| conversation.read.is_none_or(|read| line.index > read);
        let of_others = |line: &&Line| line.author != mine.as_str() && line.at > since;
        conversation.messages.iter().filter(above).filter(of_others).count()
    }
}
