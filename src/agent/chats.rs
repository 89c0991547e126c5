//! Conversations: messages, what is read of them, and the comparison with what Twilio counts.

use std::time::Duration;

use super::{
    Agent, Context, Counted, Effect,
    changes::Said,
    chat::{Chat, Count, Heard, Line, Source, Verdict},
    command::Denial,
    offer::Kind,
    request::{Found, Request},
};
use crate::domain::{
    ChatIdentity, ConversationSid, MessageEvent, News, ParticipantChange, ParticipantEvent, ReservationSid,
    ReservationStatus, Timestamp,
};

/// How often Twilio's count is compared with ours: a message whose webhook was lost is found within a minute.
const COMPARE_EVERY: Duration = Duration::from_secs(35);
/// Spread over the agents, so that they do not ask in one instant.
const SPREAD_MILLIS: u64 = 15_000;
/// How long a message is worth a notification.
pub(super) const MESSAGE_FOR: Duration = Duration::from_secs(4 * 3600);
/// Conversations that are looked at, at most.
const VIEWERS: usize = 32;

impl Agent {
    /// Messages that wait to be read, in all conversations.
    pub fn unread(&self) -> u32 {
        self.chats.values().map(Chat::unread).fold(0, u32::saturating_add)
    }

    /// The conversations whose messages are for this agent.
    pub fn conversations(&self) -> impl Iterator<Item = &ConversationSid> {
        let offered = self.reservations.values().filter(|one| one.status == ReservationStatus::Pending);
        self.chats.keys().chain(offered.filter_map(|one| one.about.conversation.as_ref()))
    }

    /// A task's reservation is worked on from now on, or is over: so is the agent's part in its conversation.
    pub(super) fn chat_moved(&mut self, sid: &ReservationSid, to: ReservationStatus, since: Timestamp, now: Timestamp) {
        let Some(conversation) = self.reservations.get(sid).and_then(|one| one.about.conversation.clone()) else {
            return;
        };
        let known = self.chats.get(&conversation).is_some_and(|chat| chat.reservation == *sid);
        match to {
            ReservationStatus::Accepted if !known => {
                self.owe_briefly(Request::ReadMessages(conversation.clone()), now);
                self.chats.insert(conversation, Chat::new(sid.clone(), since));
            }
            status if known && status.is_final() => self.leave(&conversation),
            _ => {}
        }
        self.plan_comparison(now);
    }

    fn leave(&mut self, conversation: &ConversationSid) {
        self.chats.remove(conversation);
        self.viewers.retain(|(_, shown)| shown != conversation);
        let of_it = |request: &Request| match request {
            Request::SetRead { conversation: of, .. } | Request::ReadMessages(of) => of == conversation,
            _ => false,
        };
        self.duties.retain(|duty| !of_it(&duty.request));
    }

    pub(super) fn message_event(&mut self, event: &MessageEvent, context: &Context<'_>) -> Vec<Effect> {
        let conversation = &event.conversation;
        let mine = self.identity.as_str() == event.author;
        let Some(chat) = self.chats.get_mut(conversation) else {
            if !mine {
                self.meet(conversation, context.now);
            }
            return Vec::new();
        };
        let line = Line::of(event);
        let heard = chat.hear(&line, mine, Source::Webhook);
        let mut effects = self.said(conversation, &line, heard, mine);
        match heard {
            Heard::News => effects.extend(self.news(conversation, &line, context)),
            // Whoever writes has read what is above.
            Heard::Own => self.reads_up_to(conversation, line.index, context.now),
            Heard::Late | Heard::Echo | Heard::Old => {}
        }
        effects
    }

    /// Those who look on are told of a message once.
    fn said(&self, conversation: &ConversationSid, line: &Line, heard: Heard, mine: bool) -> Vec<Effect> {
        let chat = self.chats.get(conversation).filter(|_| heard.is_to_be_told());
        let said = chat.map(|chat| Said {
            conversation: conversation.clone(),
            task: chat.reservation.clone(),
            line: line.clone(),
            mine,
        });
        said.map(Effect::Said).into_iter().collect()
    }

    /// A message that the agent has not read, unless it is being looked at.
    fn news(&mut self, conversation: &ConversationSid, line: &Line, context: &Context<'_>) -> Vec<Effect> {
        if self.viewers.iter().any(|(_, shown)| shown == conversation) {
            self.reads_up_to(conversation, line.index, context.now);
            return Vec::new();
        }
        let Some(chat) = self.chats.get(conversation) else { return Vec::new() };
        let reservation = self.reservations.get(&chat.reservation);
        if self.is_at_desk(context) || reservation.is_none_or(|one| one.status != ReservationStatus::Accepted) {
            return Vec::new();
        }
        let news = News::Message {
            task: Some(chat.reservation.clone()),
            conversation: conversation.clone(),
            customer: reservation.map(|one| one.about.customer.clone()).unwrap_or_default(),
            text: line.text.clone(),
            files: line.files,
        };
        if let Some(chat) = self.chats.get_mut(conversation) {
            chat.shown = true;
        }
        vec![self.push(news, context.now + MESSAGE_FOR)]
    }

    /// Somebody came, left or read. What concerns others is not ours.
    pub(super) fn participant_event(&mut self, event: &ParticipantEvent, context: &Context<'_>) {
        if event.identity.as_ref() != Some(&self.identity) {
            return;
        }
        match event.change {
            ParticipantChange::Added if !self.chats.contains_key(&event.conversation) => {
                self.meet(&event.conversation, context.now);
            }
            ParticipantChange::Removed => self.leave(&event.conversation),
            ParticipantChange::Updated { read: Some(index) } => {
                if let Some(chat) = self.chats.get_mut(&event.conversation) {
                    chat.read_up_to(index);
                }
            }
            ParticipantChange::Added | ParticipantChange::Updated { read: None } => {}
        }
    }

    /// The agent may be in a conversation of which we do not know why. A reservation tells; a supervisor who listens has
    /// none.
    fn meet(&mut self, conversation: &ConversationSid, now: Timestamp) {
        let offered = |one: &super::Reservation| {
            one.about.conversation.as_ref() == Some(conversation) && one.status == ReservationStatus::Pending
        };
        if self.reservations.values().any(offered) {
            return;
        }
        if let Some(worker) = self.worker.clone() {
            self.owe_briefly(Request::ReadReservations(worker), now);
        }
    }

    /// All that the worker works on, as a reading found it.
    pub(super) fn found_reservations(&mut self, found: &[Found], context: &Context<'_>) -> Vec<Effect> {
        let mut effects = Vec::new();
        for one in found {
            let sid = &one.offered.reservation;
            if self.reservations.contains_key(sid) {
                effects.extend(self.found(&one.offered, one.status, one.changed_at, context));
                continue;
            }
            let reservation = super::Reservation::found(one, context.now);
            let (kind, conversation) = (reservation.kind, reservation.about.conversation.clone());
            self.reservations.insert(sid.clone(), reservation);
            match (one.status, conversation) {
                // What the agent dials at the desk needs no answer.
                (ReservationStatus::Pending, _) if kind == Kind::CallOut => {}
                (ReservationStatus::Pending, _) => effects.extend(self.consider(sid, context)),
                (ReservationStatus::Accepted, Some(conversation)) => {
                    let since = one.changed_at.unwrap_or(context.now);
                    self.chats.insert(conversation, Chat::new(sid.clone(), since));
                    // What has been read of it comes first.
                    self.compare_at = Some(context.now);
                }
                _ => {}
            }
        }
        effects
    }

    /// The newest messages of a conversation, as a reading found them.
    pub(super) fn found_messages(
        &mut self,
        conversation: &ConversationSid,
        lines: &[Line],
        context: &Context<'_>,
    ) -> Vec<Effect> {
        let Self { chats, identity, .. } = self;
        let Some(chat) = chats.get_mut(conversation) else { return Vec::new() };
        let before = chat.read;
        let is_mine = |line: &Line| line.author == identity.as_str();
        let heard = chat.hear_all(lines, is_mine);
        let own: Vec<_> = heard.iter().map(|(line, _)| is_mine(line)).collect();
        let moved = chat.read.filter(|_| chat.read != before);
        match self.counted.remove(conversation) {
            Some(Counted { count, too_early: false }) => chat.settle(count),
            Some(Counted { count, too_early: true }) => {
                self.counted.insert(conversation.clone(), Counted { count, too_early: false });
                self.owe_briefly(Request::ReadMessages(conversation.clone()), context.now);
            }
            None => {}
        }
        if let Some(index) = moved {
            self.tell_read(conversation, index, context.now);
        }
        let told = heard.iter().zip(own).flat_map(|((line, heard), mine)| self.said(conversation, line, *heard, mine));
        let mut effects: Vec<_> = told.collect();
        // They are collapsed on the device anyway: the newest speaks for all.
        let newest = heard.iter().rev().find(|(_, heard)| *heard == Heard::News);
        effects.extend(newest.map(|(line, _)| self.news(conversation, line, context)).unwrap_or_default());
        effects
    }

    /// What Twilio counts, compared with what is known.
    pub(super) fn found_counts(&mut self, counts: &[(ConversationSid, Count)], context: &Context<'_>) {
        for (conversation, count) in counts {
            let Some(chat) = self.chats.get_mut(conversation) else { continue };
            match chat.judge(*count) {
                Verdict::Complete => {}
                Verdict::Behind(index) => self.tell_read(conversation, index, context.now),
                Verdict::Doubtful => {
                    let reading = Request::ReadMessages(conversation.clone());
                    let too_early = self.duties.iter().any(|duty| duty.request == reading);
                    self.counted.insert(conversation.clone(), Counted { count: *count, too_early });
                    self.owe_briefly(Request::ReadMessages(conversation.clone()), context.now);
                }
            }
        }
    }

    /// Compares once more, if it is time.
    pub(super) fn compare(&mut self, now: Timestamp) {
        if self.compare_at.is_some_and(|at| now >= at) {
            self.compare_at = None;
            self.plan_comparison(now);
            if self.compare_at.is_some() {
                let identity = self.identity.clone();
                self.owe_briefly(Request::ReadCounts(identity), now);
            }
        }
    }

    /// Sets the next comparison, where there is anything to compare.
    fn plan_comparison(&mut self, now: Timestamp) {
        if self.chats.is_empty() {
            self.compare_at = None;
        } else if self.compare_at.is_none() {
            let spread = (self.id.to_bits() ^ now.as_millis()) % SPREAD_MILLIS;
            self.compare_at = Some(now + COMPARE_EVERY + Duration::from_millis(spread));
        }
    }

    /// After a restart messages may have been missed.
    pub(super) fn compare_soon(&mut self, now: Timestamp) {
        if !self.chats.is_empty() {
            self.compare_at = Some(now);
        }
    }

    /// The agent has read, on a device of ours.
    pub(super) fn reads(
        &mut self,
        conversation: &ConversationSid,
        index: u64,
        context: &Context<'_>,
    ) -> Result<(), Denial> {
        if !self.chats.contains_key(conversation) {
            return Err(Denial::NotFound);
        }
        self.reads_up_to(conversation, index, context.now);
        Ok(())
    }

    fn reads_up_to(&mut self, conversation: &ConversationSid, index: u64, now: Timestamp) {
        if self.chats.get_mut(conversation).is_some_and(|chat| chat.read_up_to(index)) {
            self.tell_read(conversation, index, now);
        }
    }

    /// The horizon at Twilio follows; only the newest is worth telling.
    fn tell_read(&mut self, conversation: &ConversationSid, index: u64, now: Timestamp) {
        self.duties.retain(|duty| match &duty.request {
            Request::SetRead { conversation: of, .. } => of != conversation || duty.is_in_flight(),
            _ => true,
        });
        let (identity, conversation) = (self.identity.clone(), conversation.clone());
        self.owe_for_a_day(Request::SetRead { identity, conversation, index }, now);
    }

    /// We wrote for the agent.
    pub(super) fn wrote(
        &mut self,
        conversation: &ConversationSid,
        line: &Line,
        context: &Context<'_>,
    ) -> Result<Vec<Effect>, Denial> {
        let chat = self.chats.get_mut(conversation).ok_or(Denial::NotFound)?;
        let before = chat.last.as_ref().map(|last| last.index);
        let heard = chat.wrote(line);
        // What was there when the agent wrote is read. Of what came in between nobody has heard yet.
        let is_next = line.index == before.map_or(0, |before| before + 1);
        if let Some(index) = if is_next { Some(line.index) } else { before } {
            self.reads_up_to(conversation, index, context.now);
        }
        Ok(self.said(conversation, line, heard, true))
    }

    /// A viewer shows a conversation: what is there is read, and so is what comes.
    pub(super) fn shows(&mut self, viewer: u64, conversation: Option<ConversationSid>, context: &Context<'_>) {
        self.viewers.retain(|(known, _)| *known != viewer);
        let Some(conversation) = conversation.filter(|sid| self.chats.contains_key(sid)) else { return };
        let newest = self.chats.get(&conversation).and_then(|chat| chat.last.as_ref()).map(|last| last.index);
        if let Some(index) = newest {
            self.reads_up_to(&conversation, index, context.now);
        }
        if self.viewers.len() < VIEWERS {
            self.viewers.push((viewer, conversation));
        }
    }

    /// Viewers who are gone show nothing any more.
    pub fn keep_viewers(&mut self, is_there: impl Fn(u64) -> bool) {
        self.viewers.retain(|(viewer, _)| is_there(*viewer));
    }

    /// Events name the worker, and Flex makes the identity of that name.
    pub(super) fn heard_name(&mut self, worker_name: &str) {
        if !worker_name.is_empty() {
            self.identity = ChatIdentity::of_worker(worker_name);
        }
    }
}

impl Line {
    /// A message as a webhook brings it.
    pub fn of(event: &MessageEvent) -> Self {
        Self {
            message: event.message.clone(),
            index: event.index,
            at: event.at,
            author: event.author.clone(),
            text: event.body.clone(),
            files: u32::try_from(event.media.len()).unwrap_or(u32::MAX),
        }
    }
}
