//! Somebody who looks on: has seen an agent once, and is told the changes from then on.

use std::collections::{BTreeMap, BTreeSet};

use crate::agent::{
    Agent, Effect,
    changes::{CallView, Change, changes},
    chat::LastMessage,
    view::{Progress, TaskView},
};
use crate::domain::{ConversationSid, ReservationSid};

pub(super) struct Mirror {
    before: Agent,
    picture: Picture,
    messages: BTreeSet<(ConversationSid, u64)>,
    changes: Vec<Change>,
}

/// What is seen.
#[derive(Debug, PartialEq, Eq)]
struct Picture {
    tasks: BTreeMap<ReservationSid, TaskView>,
    unread: u32,
    call: Option<CallView>,
    activity: Option<String>,
    changing: bool,
}

impl Picture {
    fn of(agent: &Agent) -> Self {
        Self {
            tasks: agent.tasks().into_iter().map(|task| (task.reservation.clone(), task)).collect(),
            unread: agent.unread(),
            call: agent.call(),
            activity: agent.activity().map(str::to_owned),
            changing: agent.is_changing_activity(),
        }
    }

    fn take(&mut self, change: Change) {
        match change {
            Change::TaskOffered(task) => {
                assert_eq!(task.progress, Progress::Pending);
                assert!(self.tasks.insert(task.reservation.clone(), task).is_none(), "offered twice");
            }
            Change::TaskUpdated(task) => drop(self.tasks.insert(task.reservation.clone(), task)),
            Change::TaskClosed(task, _) => {
                assert!(self.tasks.remove(&task.reservation).is_some(), "closed twice");
            }
            Change::Message(said) => {
                let Some(task) = self.tasks.get_mut(&said.task) else { return };
                if task.last.as_ref().is_none_or(|last| last.index <= said.line.index) {
                    let (line, mine) = (said.line, said.mine);
                    task.last = Some(LastMessage { index: line.index, at: line.at, mine, text: line.text.into() });
                }
            }
            Change::Unread { conversation, unread, total } => {
                let of_it = |task: &&mut TaskView| task.takes_part && task.conversation.as_ref() == Some(&conversation);
                if let Some(task) = self.tasks.values_mut().find(of_it) {
                    task.unread = unread;
                }
                self.unread = total;
            }
            Change::Call(call) => self.call = call,
            Change::Activity { name, changing } => (self.activity, self.changing) = (name, changing),
        }
    }
}

impl Mirror {
    pub(super) fn of(agent: &Agent) -> Self {
        let picture = Picture::of(agent);
        Self { before: agent.clone(), picture, messages: BTreeSet::new(), changes: Vec::new() }
    }

    /// Is told what a turn has changed, and then sees the agent as it is.
    pub(super) fn look(&mut self, agent: &Agent, effects: &[Effect]) {
        let told = changes(&self.before, agent, effects);
        for change in &told {
            if let Change::Message(said) = change {
                let message = (said.conversation.clone(), said.line.index);
                assert!(self.messages.insert(message), "a message was told of twice: {said:?}");
            }
            self.picture.take(change.clone());
        }
        assert_eq!(self.picture, Picture::of(agent), "after {told:?}");
        self.changes.extend(told);
        self.before = agent.clone();
    }

    /// All that was told so far.
    pub(super) fn changes(&self) -> &[Change] {
        &self.changes
    }
}
