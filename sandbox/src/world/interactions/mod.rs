//! Flex Interactions: what ties a conversation to the tasks that are made for it
//! (<https://www.twilio.com/docs/flex/developer/conversations/interactions-api>).
//!
//! An Interaction has one channel here. The channel ends the work: when it is closed, the conversation is closed, its agents
//! are taken out of it, and their reservations go to `wrapping`, or to `completed` if the routing says so. When one agent's
//! participant is closed, that one leaves, and everything else stays open. A task that is finished by itself takes nothing
//! with it: the conversation stays open, and nobody will be offered it again.

mod closing;
mod joining;

use serde::Serialize;
use serde_json::{Map, Value, json};

use super::{
    World,
    routing::NewTask,
    sid::Sid,
    words::{ChannelKind, ChannelStatus},
};

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

/// A channel remembers so many invites, and so many members; the oldest are forgotten.
const INVITES_KEPT: usize = 20;
const MEMBERS_KEPT: usize = 200;

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

    fn add_member(&mut self, member: Member) {
        if self.members.len() == MEMBERS_KEPT {
            self.members.remove(0);
        }
        self.members.push(member);
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
            channel.add_member(self.member(MemberKind::Customer, participant, None));
        }
        let task = channel.task(&invite, &self.fixed.account);
        self.channels.add(channel);
        let task = self.create_task(task);
        self.remember_invite(&sid, invite, &task);
        (interaction, sid, task)
    }

    /// The customer has written again after the agents had put the conversation aside: somebody else may take it.
    pub(in crate::world) fn invite_again(&mut self, conversation: &Sid) {
        let channel = self.conversations.get(conversation).and_then(|row| row.channel.clone());
        let invite = self.make_sid("KG");
        let row = channel.and_then(|sid| self.channels.get_mut(&sid));
        let Some(row) = row.filter(|row| row.status == ChannelStatus::Inactive) else { return };
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
}
