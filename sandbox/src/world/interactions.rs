//! Flex Interactions: what ties a conversation to the tasks that are made for it
//! (<https://www.twilio.com/docs/flex/developer/conversations/interactions-api>).
//!
//! An Interaction has one channel here. The channel ends the work: when it is closed, the conversation is closed, its agents
//! are taken out of it, and their reservations go to `wrapping`, or to `completed` if the routing says so. When one agent's
//! participant is closed, that one leaves, and everything else stays open. A task that is finished by itself takes nothing
//! with it: the conversation stays open, and nobody will be offered it again.

use serde::Serialize;
use serde_json::{Map, Value, json};

use super::{
    Done, World,
    conversations::{By, NewParticipant, StateReason, identity_of},
    routing::NewTask,
    sid::Sid,
    timers::Timer,
    words::{ChannelKind, ChannelStatus, ConversationState, ReservationStatus},
};
use crate::rest::error::Refusal;

const CLOSED: &str = "The conversation was closed";

#[derive(Debug)]
pub(crate) struct Channel {
    /// `UO…`
    pub(crate) sid: Sid,
    /// `KD…`
    pub(crate) interaction: Sid,
    pub(crate) kind: ChannelKind,
    pub(crate) status: ChannelStatus,
    pub(crate) conversation: Sid,
    /// The oldest first; each has a task.
    pub(crate) invites: Vec<Invite>,
    pub(crate) members: Vec<Member>,
    task_channel: String,
    attributes: Map<String, Value>,
    routing_target: Option<String>,
}

#[derive(Clone, Debug)]
pub(crate) struct Invite {
    /// `KG…`
    pub(crate) sid: Sid,
    pub(crate) task: Sid,
}

/// A participant of the channel, which is more than one of the conversation: it knows the agent's work.
#[derive(Clone, Debug)]
pub(crate) struct Member {
    /// `UT…`
    pub(crate) sid: Sid,
    pub(crate) kind: MemberKind,
    /// The conversation's participant.
    pub(crate) participant: Sid,
    /// An agent's.
    pub(crate) work: Option<Work>,
    /// Was taken out through the channel; the work may still have to be completed.
    pub(crate) left: bool,
}

/// `type` of a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum MemberKind {
    Customer,
    Agent,
    Supervisor,
}

/// What becomes of an agent's reservation when the chat is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AfterChat {
    Wrapup,
    Closed,
}

impl AfterChat {
    pub(crate) fn parse(word: &str) -> Option<Self> {
        match word {
            "wrapup" => Some(Self::Wrapup),
            "closed" => Some(Self::Closed),
            _ => None,
        }
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Work {
    pub(crate) task: Sid,
    pub(crate) worker: Sid,
    pub(crate) reservation: Sid,
}

#[derive(Debug)]
pub(crate) struct NewInteraction {
    pub(crate) kind: ChannelKind,
    pub(crate) conversation: Sid,
    pub(crate) task_channel: String,
    /// Of the task, without what Flex adds.
    pub(crate) attributes: Map<String, Value>,
    pub(crate) routing_target: Option<String>,
}

/// A channel remembers so many invites; the oldest are forgotten.
const INVITES_KEPT: usize = 20;

impl Channel {
    /// The task of a new invite.
    fn task(&self, invite: &Sid, account: &Sid) -> NewTask {
        let mut attributes = self.attributes.clone();
        let ties = [
            ("flexInteractionSid", json!(self.interaction)),
            ("flexInteractionChannelSid", json!(self.sid)),
            ("flexChannelInviteSid", json!(invite)),
            ("conversationSid", json!(self.conversation)),
            ("channelType", json!(self.kind)),
            ("accountSid", json!(account)),
        ];
        attributes.extend(ties.map(|(name, value)| (name.to_owned(), value)));
        NewTask {
            channel: self.task_channel.clone(),
            attributes: Value::from(attributes).to_string(),
            routing_target: self.routing_target.clone(),
            conversation: Some(self.conversation.clone()),
            interaction: Some(self.sid.clone()),
            ..NewTask::default()
        }
    }

    pub(crate) fn member(&self, sid: &Sid) -> Option<&Member> {
        self.members.iter().find(|member| member.sid == *sid)
    }
}

impl World {
    /// Interaction, channel and task.
    pub(crate) fn create_interaction(&mut self, new: NewInteraction) -> (Sid, Sid, Sid) {
        let (interaction, sid, invite) = (self.make_sid("KD"), self.make_sid("UO"), self.make_sid("KG"));
        let customers = self.conversations.get_mut(&new.conversation).map(|row| {
            row.channel = Some(sid.clone());
            row.participants.iter().map(|one| one.sid.clone()).collect::<Vec<_>>()
        });
        let mut channel = Channel {
            sid: sid.clone(),
            interaction: interaction.clone(),
            kind: new.kind,
            status: ChannelStatus::Active,
            conversation: new.conversation,
            invites: Vec::new(),
            members: Vec::new(),
            task_channel: new.task_channel,
            attributes: new.attributes,
            routing_target: new.routing_target,
        };
        for participant in customers.unwrap_or_default() {
            channel.members.push(self.member(MemberKind::Customer, participant, None));
        }
        let task = channel.task(&invite, &self.fixed.account);
        self.channels.add(channel);
        let task = self.create_task(task);
        self.remember_invite(&sid, invite, &task);
        (interaction, sid, task)
    }

    /// The customer has written again after the agents had put the conversation aside: somebody else may take it.
    pub(super) fn invite_again(&mut self, conversation: &Sid) {
        let channel = self.conversations.get(conversation).and_then(|row| row.channel.clone());
        let invite = self.make_sid("KG");
        let Some(row) = channel.and_then(|sid| self.channels.get_mut(&sid)) else { return };
        row.status = ChannelStatus::Active;
        let (sid, task) = (row.sid.clone(), row.task(&invite, &self.fixed.account));
        let task = self.create_task(task);
        self.remember_invite(&sid, invite, &task);
    }

    fn remember_invite(&mut self, channel: &Sid, invite: Sid, task: &Sid) {
        let Some(row) = self.channels.get_mut(channel) else { return };
        if row.invites.len() == INVITES_KEPT {
            row.invites.remove(0);
        }
        row.invites.push(Invite { sid: invite, task: task.clone() });
    }

    fn member(&mut self, kind: MemberKind, participant: Sid, work: Option<Work>) -> Member {
        Member { sid: self.make_sid("UT"), kind, participant, work, left: false }
    }

    /// The channel of a task, while it is open.
    pub(crate) fn open_channel_of(&self, task: &Sid) -> Option<&Channel> {
        let channel = self.tasks.get(task)?.interaction.as_ref()?;
        self.channels.get(channel).filter(|row| row.status == ChannelStatus::Active)
    }

    /// An Interaction's reservation is accepted only when the agent is in the conversation: until then it is on hold.
    pub(super) fn start_joining(&mut self, reservation: &Sid) {
        let due = self.now + self.rules.join_ms;
        if let Some(row) = self.reservations.get_mut(reservation) {
            row.joining = true;
        }
        self.timers.set(due, Timer::Join(reservation.clone()));
    }

    pub(super) fn joining_ends(&mut self, reservation: &Sid) {
        let task = self.reservations.get(reservation).filter(|row| row.joining && row.is_on_hold());
        let Some(task) = task.map(|row| row.task.clone()) else { return };
        let fails = self.failing_joins > 0;
        self.failing_joins = self.failing_joins.saturating_sub(1);
        let open = self.open_channel_of(&task).is_some();
        if open && !fails && self.agent_comes_in(reservation).is_ok() {
            self.reservation_is_accepted(reservation);
        } else {
            self.give_back(reservation, ReservationStatus::Canceled);
        }
    }

    /// Flex adds the agent to the conversation, if the task has one. A plain chat's agent comes in so too: there it is Flex's
    /// older orchestration that does it, once the reservation is accepted.
    pub(super) fn agent_comes_in(&mut self, reservation: &Sid) -> Done {
        let row = self.reservations.get(reservation).ok_or_else(Refusal::not_found)?;
        let (task, worker) = (row.task.clone(), row.worker.clone());
        let Some(conversation) = self.tasks.get(&task).and_then(|row| row.conversation.clone()) else { return Ok(()) };
        let name = self.workers.get(&worker).map(|worker| worker.name.clone()).ok_or_else(Refusal::not_found)?;
        let identity = identity_of(&name);
        let there = self.conversation(&conversation)?.participant(&identity).map(|one| one.sid.clone());
        let participant = match there {
            Some(participant) => participant,
            None => self.add_participant(&conversation, NewParticipant::of(&identity), &By::Flex)?,
        };
        let work = Work { task: task.clone(), worker, reservation: reservation.clone() };
        let member = self.member(MemberKind::Agent, participant, Some(work));
        let channel = self.tasks.get(&task).and_then(|row| row.interaction.clone());
        if let Some(channel) = channel.and_then(|sid| self.channels.get_mut(&sid)) {
            channel.members.push(member);
        }
        Ok(())
    }

    pub(super) fn supervisor_is_in(&mut self, conversation: &Sid, participant: &Sid) {
        let member = self.member(MemberKind::Supervisor, participant.clone(), None);
        let channel = self.conversations.get(conversation).and_then(|row| row.channel.clone());
        if let Some(channel) = channel.and_then(|sid| self.channels.get_mut(&sid)) {
            channel.members.push(member);
        }
    }

    /// `Status` of a channel: `closed`, or `inactive` for one that may be taken up again. What is done already stays so.
    pub(crate) fn close_channel(&mut self, sid: &Sid, to: ChannelStatus, after: AfterChat) -> Done {
        let row = self.channels.get_mut(sid).ok_or_else(Refusal::not_found)?;
        let conversation = row.conversation.clone();
        let state = match to {
            ChannelStatus::Closed => ConversationState::Closed,
            ChannelStatus::Inactive => ConversationState::Inactive,
            ChannelStatus::Active => return Err(Refusal::invalid("Invalid Status: active")),
        };
        if row.status == ChannelStatus::Active {
            row.status = to;
            self.agents_go(sid);
            self.change_conversation_state(&conversation, state, StateReason::Api, &By::Flex);
        }
        self.finish_tasks(sid, after);
        Ok(())
    }

    /// The conversation was closed by somebody else: the channel is closed with it.
    pub(super) fn channel_follows(&mut self, conversation: &Sid) {
        let channel = self.conversations.get(conversation).and_then(|row| row.channel.clone());
        let Some(row) = channel.and_then(|sid| self.channels.get_mut(&sid)) else { return };
        if row.status != ChannelStatus::Closed {
            row.status = ChannelStatus::Closed;
            let sid = row.sid.clone();
            self.agents_go(&sid);
            self.finish_tasks(&sid, AfterChat::Wrapup);
        }
    }

    /// `Status` of one participant: that one leaves, the others go on.
    pub(crate) fn close_member(&mut self, channel: &Sid, sid: &Sid, after: AfterChat) -> Done {
        let row = self.channels.get(channel).ok_or_else(Refusal::not_found)?;
        let (conversation, member) = (row.conversation.clone(), row.member(sid).cloned());
        let member = member.ok_or_else(Refusal::not_found)?;
        self.member_goes(channel, &conversation, &member);
        if let Some(work) = member.work {
            self.finish_reservation(&work.reservation, after);
        }
        Ok(())
    }

    fn agents_go(&mut self, channel: &Sid) {
        let Some(row) = self.channels.get(channel) else { return };
        let conversation = row.conversation.clone();
        let agents: Vec<_> = row.members.iter().filter(|one| one.kind != MemberKind::Customer).cloned().collect();
        for member in agents {
            self.member_goes(channel, &conversation, &member);
        }
    }

    fn member_goes(&mut self, channel: &Sid, conversation: &Sid, member: &Member) {
        let row =
            self.channels.get_mut(channel).and_then(|row| row.members.iter_mut().find(|one| one.sid == member.sid));
        let Some(row) = row.filter(|row| !row.left) else { return };
        row.left = true;
        // Whoever was taken out of the conversation before is not there any more.
        let _gone = self.remove_participant(conversation, &member.participant, &By::Flex);
    }

    fn finish_tasks(&mut self, channel: &Sid, after: AfterChat) {
        let Some(row) = self.channels.get(channel) else { return };
        let tasks: Vec<_> = row.invites.iter().map(|invite| invite.task.clone()).collect();
        for task in tasks {
            let reservations: Vec<_> = self.reservations_of(&task).map(|row| row.sid.clone()).collect();
            for reservation in reservations {
                self.finish_reservation(&reservation, after);
            }
            self.cancel_task(&task, CLOSED);
        }
    }

    fn finish_reservation(&mut self, sid: &Sid, after: AfterChat) {
        let status = self.reservations.get(sid).map(|row| row.status);
        let finished = match (status, after) {
            (Some(ReservationStatus::Accepted), AfterChat::Wrapup) => self.wrap_up(sid),
            (Some(ReservationStatus::Accepted | ReservationStatus::Wrapping), AfterChat::Closed) => self.complete(sid),
            _ => Ok(()),
        };
        debug_assert!(finished.is_ok(), "an accepted reservation can be finished");
    }

    /// What a task's end, or its wrap-up, means to its conversation.
    pub(super) fn conversation_follows(&mut self, task: &Sid) {
        let Some(row) = self.tasks.get(task) else { return };
        let (over, interaction) = (row.status.is_final(), row.interaction.clone());
        let Some(conversation) = row.conversation.clone() else { return };
        if interaction.is_none() {
            // A plain chat ends with its task, as Flex's older orchestration has it.
            if over {
                self.change_conversation_state(&conversation, ConversationState::Closed, StateReason::Api, &By::Flex);
            }
            return;
        }
        let through_the_channel = self.open_channel_of(task).is_none_or(|channel| {
            channel.members.iter().any(|one| one.left && one.work.as_ref().is_some_and(|work| work.task == *task))
        });
        if let Some(row) = self.conversations.get_mut(&conversation).filter(|_| !through_the_channel) {
            row.orphaned = true;
        }
    }
}
