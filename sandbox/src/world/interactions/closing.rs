//! What ends a conversation, or an agent's part in it, and what does not.

use super::{AfterChat, Member, MemberKind};
use crate::{
    rest::error::Refusal,
    world::{
        Done, World,
        conversations::{By, StateReason},
        sid::Sid,
        words::{ChannelStatus, ConversationState, ReservationStatus},
    },
};

const CLOSED: &str = "The conversation was closed";

impl World {
    /// `Status` of a channel: `closed`, or `inactive` for one that may be taken up again. What is done already stays so.
    pub(crate) fn close_channel(&mut self, sid: &Sid, to: ChannelStatus, after: AfterChat) -> Done {
        let row = self.channels.get_mut(sid).ok_or_else(Refusal::not_found)?;
        let conversation = row.conversation.clone();
        let state = match to {
            ChannelStatus::Closed => ConversationState::Closed,
            ChannelStatus::Inactive => ConversationState::Inactive,
            ChannelStatus::Active => return Err(Refusal::invalid("Invalid Status: active")),
        };
        if row.status != ChannelStatus::Closed && row.status != to {
            row.status = to;
            self.agents_go(sid);
            self.change_conversation_state(&conversation, state, StateReason::Api, &By::Flex);
        }
        self.finish_tasks(sid, after);
        Ok(())
    }

    /// The conversation was closed by somebody else: the channel is closed with it.
    pub(in crate::world) fn channel_follows(&mut self, conversation: &Sid) {
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

    /// Who has left the conversation has left the channel; an agent's work is still to be finished there.
    pub(in crate::world) fn member_is_gone(&mut self, conversation: &Sid, participant: &Sid) {
        let channel = self.conversations.get(conversation).and_then(|row| row.channel.clone());
        let Some(row) = channel.and_then(|sid| self.channels.get_mut(&sid)) else { return };
        let others = row.members.iter_mut().filter(|one| one.kind != MemberKind::Agent);
        others.filter(|one| one.participant == *participant).for_each(|one| one.left = true);
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
    pub(in crate::world) fn conversation_follows(&mut self, task: &Sid) {
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
