//! Who is in which conversation: what happens there is for all of them.
//!
//! Agents keep it up to date as their tasks come and go, the directory reads it, and no message costs a REST call. Only of
//! a conversation that no agent has claimed is Twilio asked, and then not again for a while.

use std::{
    collections::{BTreeSet, HashMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use crate::domain::{AgentId, ConversationSid, Timestamp};

/// How long Twilio's word that none of our agents is in a conversation is believed.
const NOBODY_FOR: Duration = Duration::from_secs(600);
/// Conversations without an agent of ours that are remembered; the oldest are forgotten. They take 100 bytes each.
const NOBODYS: usize = 20_000;

/// Shared by all agents and the directory. The lock is held for a look-up at a time, never across an await.
#[derive(Clone, Debug, Default)]
pub struct Conversations(Arc<Mutex<Books>>);

#[derive(Debug, Default)]
struct Books {
    agents: HashMap<ConversationSid, Vec<AgentId>>,
    nobodys: HashMap<ConversationSid, Timestamp>,
    /// In the order in which they were found.
    found: VecDeque<(ConversationSid, Timestamp)>,
}

/// Whose a conversation is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Whose {
    Agents(Vec<AgentId>),
    Nobodys,
    /// Twilio is to be asked.
    Unknown,
}

impl Conversations {
    pub(super) fn whose(&self, conversation: &ConversationSid, now: Timestamp) -> Whose {
        let books = self.books();
        if let Some(agents) = books.agents.get(conversation) {
            return Whose::Agents(agents.clone());
        }
        match books.nobodys.get(conversation) {
            Some(since) if now.since(*since) <= NOBODY_FOR => Whose::Nobodys,
            _ => Whose::Unknown,
        }
    }

    /// An agent's conversations have changed.
    pub fn follow<'a>(
        &self,
        agent: AgentId,
        before: impl Iterator<Item = &'a ConversationSid>,
        after: impl Iterator<Item = &'a ConversationSid>,
    ) {
        let (before, after): (BTreeSet<_>, BTreeSet<_>) = (before.collect(), after.collect());
        if before == after {
            return;
        }
        let mut books = self.books();
        for gone in before.difference(&after) {
            books.leave(agent, gone);
        }
        for new in after.difference(&before) {
            books.enter(agent, new);
        }
    }

    /// None of our agents is in it, says Twilio.
    pub(super) fn nobodys(&self, conversation: &ConversationSid, now: Timestamp) {
        let mut books = self.books();
        books.nobodys.insert(conversation.clone(), now);
        books.found.push_back((conversation.clone(), now));
        while books.found.len() > NOBODYS {
            let Some((oldest, since)) = books.found.pop_front() else { break };
            if books.nobodys.get(&oldest) == Some(&since) {
                books.nobodys.remove(&oldest);
            }
        }
    }

    /// Somebody of ours has come in: what Twilio said before holds no more.
    pub(super) fn look_again(&self, conversation: &ConversationSid) {
        self.books().nobodys.remove(conversation);
    }

    fn books(&self) -> MutexGuard<'_, Books> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Books {
    fn enter(&mut self, agent: AgentId, conversation: &ConversationSid) {
        self.nobodys.remove(conversation);
        let agents = self.agents.entry(conversation.clone()).or_insert_with(|| Vec::with_capacity(1));
        if !agents.contains(&agent) {
            agents.push(agent);
        }
    }

    fn leave(&mut self, agent: AgentId, conversation: &ConversationSid) {
        if let Some(agents) = self.agents.get_mut(conversation) {
            agents.retain(|known| *known != agent);
            if agents.is_empty() {
                self.agents.remove(conversation);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOON: Timestamp = Timestamp::from_millis(1_000_000);

    fn conversation(number: usize) -> ConversationSid {
        format!("CH{number:032x}").parse().unwrap()
    }

    fn agent(number: u64) -> AgentId {
        AgentId::from_bits(number)
    }

    #[test]
    fn agents_come_and_go() {
        let (books, one, two) = (Conversations::default(), conversation(1), conversation(2));
        books.follow(agent(1), [].into_iter(), [&one, &two].into_iter());
        books.follow(agent(2), [].into_iter(), [&one].into_iter());
        assert_eq!(books.whose(&one, NOON), Whose::Agents(vec![agent(1), agent(2)]));
        books.follow(agent(1), [&one, &two].into_iter(), [&two].into_iter());
        assert_eq!(books.whose(&one, NOON), Whose::Agents(vec![agent(2)]));
        books.follow(agent(2), [&one].into_iter(), [].into_iter());
        assert_eq!(books.whose(&one, NOON), Whose::Unknown);
    }

    #[test]
    fn nobodys_conversations_are_remembered_for_a_while_and_not_without_bound() {
        let books = Conversations::default();
        for number in 0..NOBODYS + 10 {
            books.nobodys(&conversation(number), NOON);
        }
        assert_eq!(books.books().nobodys.len(), NOBODYS);
        let last = conversation(NOBODYS);
        assert_eq!(books.whose(&last, NOON + NOBODY_FOR), Whose::Nobodys);
        assert_eq!(books.whose(&last, NOON + NOBODY_FOR + Duration::from_secs(1)), Whose::Unknown);
        books.look_again(&last);
        assert_eq!(books.whose(&last, NOON), Whose::Unknown);
    }
}
