//! How agents get into the conversation that they have accepted.

use super::{MemberKind, Work};
use crate::{
    rest::error::Refusal,
    world::{
        Done, World,
        conversations::{By, NewParticipant, identity_of},
        sid::Sid,
        timers::Timer,
        words::ReservationStatus,
    },
};

impl World {
    /// An Interaction's reservation is accepted only when the agent is in the conversation: until then it is on hold.
    pub(in crate::world) fn start_joining(&mut self, reservation: &Sid) {
        let due = self.now + self.rules.join_ms;
        if let Some(row) = self.reservations.get_mut(reservation) {
            row.joining = true;
        }
        self.timers.set(due, Timer::Join(reservation.clone()));
    }

    pub(in crate::world) fn joining_ends(&mut self, reservation: &Sid) {
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
    pub(in crate::world) fn agent_comes_in(&mut self, reservation: &Sid) -> Done {
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
            channel.add_member(member);
        }
        Ok(())
    }

    pub(in crate::world) fn supervisor_is_in(&mut self, conversation: &Sid, participant: &Sid) {
        let member = self.member(MemberKind::Supervisor, participant.clone(), None);
        let channel = self.conversations.get(conversation).and_then(|row| row.channel.clone());
        if let Some(channel) = channel.and_then(|sid| self.channels.get_mut(&sid)) {
            channel.add_member(member);
        }
    }
}
