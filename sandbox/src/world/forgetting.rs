//! Forgets old tasks, so that a sandbox that runs for long does not grow.

use super::{World, conversations::Conversation, sid::Sid, words::ConversationState};

/// Calls that belong to no task are kept as long as there are fewer calls than this.
const CALLS_KEPT: usize = 20_000;

impl World {
    /// Makes room for one more task.
    pub(super) fn forget_the_oldest_task(&mut self) {
        if self.tasks.len() < self.rules.tasks_kept {
            return;
        }
        let over = self.tasks.iter().find(|task| task.status.is_final()).map(|task| task.sid.clone());
        let Some(task) = over.and_then(|sid| self.tasks.remove(&sid)) else { return };
        for sid in task.reservations {
            let leg = self.reservations.remove(&sid).and_then(|row| row.leg);
            self.forget_call(leg);
        }
        self.forget_call(task.call);
    }

    /// Makes room for one more call.
    pub(super) fn forget_the_oldest_call(&mut self) {
        if self.calls.len() < CALLS_KEPT {
            return;
        }
        let over = self.calls.iter().find(|call| !call.is_live() && call.task.is_none()).map(|call| call.sid.clone());
        self.forget_call(over);
    }

    /// Makes room for one more conversation.
    pub(super) fn forget_the_oldest_conversation(&mut self) {
        if self.conversations.len() < self.rules.conversations_kept {
            return;
        }
        let routed = |task: &Sid| self.tasks.get(task).is_some_and(|task| !task.status.is_final());
        let is_over =
            |row: &&Conversation| row.state == ConversationState::Closed || !row.task.as_ref().is_some_and(routed);
        let over = self.conversations.iter().find(is_over).map(|row| row.sid.clone());
        let Some(row) = over.and_then(|sid| self.conversations.remove(&sid)) else { return };
        if let Some(channel) = row.channel {
            self.channels.remove(&channel);
        }
        for media in row.messages.into_iter().flat_map(|message| message.media) {
            self.media.remove(&media);
        }
    }

    fn forget_call(&mut self, call: Option<Sid>) {
        let is_over = |sid: &Sid| self.calls.get(sid).is_some_and(|row| !row.is_live());
        let Some(row) = call.filter(is_over).and_then(|sid| self.calls.remove(&sid)) else { return };
        let Some(seat) = row.seat else { return };
        let empty = self.conferences.get_mut(&seat.conference).is_some_and(|conference| {
            conference.calls.retain(|sid| *sid != row.sid);
            conference.calls.is_empty()
        });
        if empty {
            self.conferences.remove(&seat.conference);
        }
    }
}
