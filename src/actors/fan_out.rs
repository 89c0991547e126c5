//! What happens in a conversation, for all of our agents who are in it.
//!
//! An entry of the inbox is one agent's. One that is for several is split: a batch puts an entry an agent in its place, so
//! that each handles its own, whatever becomes of the others.

use std::{collections::BTreeSet, time::Duration};

use actix::{ActorFutureExt, AsyncContext, Context, WrapFuture};

use super::{Directory, conversations::Whose};
use crate::{
    domain::{AgentId, ConversationSid, Event, ParticipantChange, ParticipantEvent},
    inbox::{Delivery, Entry, Place},
    store::Batch,
    twilio::{TwilioError, conversations::Participant},
};

/// How soon Twilio is asked again who is in a conversation, and how often in all. The entry is on disk meanwhile, and the
/// next start asks once more.
const ASK_AGAIN: Duration = Duration::from_secs(10);
const ASK_TIMES: u32 = 30;

/// Where something happened in a conversation.
pub(super) fn conversation_of(event: &Event) -> Option<&ConversationSid> {
    match event {
        Event::Message(event) => Some(&event.conversation),
        Event::Participant(event) => Some(&event.conversation),
        Event::Reservation(_) | Event::Worker(_) | Event::Leg(_) | Event::Conference(_) => None,
    }
}

impl Directory {
    /// Something happened in a conversation.
    pub(super) fn fan_out(&mut self, delivery: Delivery, conversation: &ConversationSid, ctx: &mut Context<Self>) {
        if let Event::Participant(event) = &delivery.entry.event {
            return match self.participant(event) {
                Some(agent) => self.deliver_to(agent, delivery, ctx),
                None => self.let_go(delivery.sequence, "nobodys"),
            };
        }
        match self.kit.conversations.whose(conversation, self.kit.clock.now()) {
            Whose::Agents(agents) => self.split(delivery, agents, ctx),
            Whose::Nobodys => self.let_go(delivery.sequence, "nobodys"),
            Whose::Unknown => self.ask_who_is_in(delivery, conversation.clone(), 1, ctx),
        }
    }

    /// Whether an entry of the inbox is this agent's, and nobody else's.
    pub(super) fn is_for(&mut self, entry: &Entry, id: AgentId) -> bool {
        if let Some(to) = entry.to {
            return to == id;
        }
        match &entry.event {
            Event::Participant(event) => self.participant(event) == Some(id),
            Event::Message(event) => {
                let whose = self.kit.conversations.whose(&event.conversation, self.kit.clock.now());
                matches!(whose, Whose::Agents(agents) if agents == [id])
            }
            event => self.index.agent_of(event) == Some(id),
        }
    }

    /// What participants do concerns themselves alone.
    fn participant(&self, event: &ParticipantEvent) -> Option<AgentId> {
        let agent = self.index.of_identity(event.identity.as_ref()?)?;
        if event.change == ParticipantChange::Added {
            self.kit.conversations.look_again(&event.conversation);
        }
        Some(agent)
    }

    /// One entry an agent, in one batch with the end of the one that was for all.
    fn split(&mut self, delivery: Delivery, mut agents: Vec<AgentId>, ctx: &mut Context<Self>) {
        agents.retain(|agent| self.index.knows(*agent));
        match agents[..] {
            [] => return self.let_go(delivery.sequence, "nobodys"),
            [only] => return self.deliver_to(only, delivery, ctx),
            _ => {}
        }
        let Delivery { sequence, entry, place } = delivery;
        let address = |agent: &AgentId| (self.sequences.take(), *agent, Entry { to: Some(*agent), ..entry.clone() });
        let copies: Vec<_> = agents.iter().map(address).collect();
        let mut batch = Batch::new();
        batch.delete::<Entry>(&sequence);
        for (sequence, _, copy) in &copies {
            if let Err(error) = batch.put(sequence, copy) {
                // It was small enough without an address; the next start tries again.
                return tracing::error!(%error, "an event cannot be given to several agents");
            }
        }
        let writing = self.kit.store.commit(batch);
        ctx.spawn(writing.into_actor(self).map(move |written, this, ctx| match written {
            Ok(_) => this.deliver_copies(copies, place, ctx),
            Err(error) if error.is_retryable() => {
                let again = Delivery { sequence, entry, place };
                let pause = this.kit.clock.sleep(ASK_AGAIN);
                ctx.spawn(pause.into_actor(this).map(move |(), this, ctx| this.split(again, agents, ctx)));
            }
            Err(error) => tracing::error!(%error, "an event cannot be given to several agents"),
        }));
    }

    fn deliver_copies(
        &mut self,
        copies: Vec<(crate::store::Sequence, AgentId, Entry)>,
        place: Place,
        ctx: &mut Context<Self>,
    ) {
        let mut place = Some(place);
        for (sequence, agent, entry) in copies {
            let place = place.take().unwrap_or_else(Place::none);
            self.deliver_to(agent, Delivery { sequence, entry, place }, ctx);
        }
    }

    /// No agent has claimed the conversation: Twilio knows who is in it.
    fn ask_who_is_in(&self, delivery: Delivery, conversation: ConversationSid, time: u32, ctx: &mut Context<Self>) {
        let (kit, asked) = (self.kit.clone(), conversation.clone());
        let asking = async move {
            let _turn = kit.chat_readings.acquire().await;
            kit.twilio.participants(&asked).await
        };
        ctx.spawn(asking.into_actor(self).map(move |answer, this, ctx| {
            this.told_who_is_in(delivery, conversation, time, answer, ctx);
        }));
    }

    fn told_who_is_in(
        &mut self,
        delivery: Delivery,
        conversation: ConversationSid,
        time: u32,
        answer: Result<Vec<Participant>, TwilioError>,
        ctx: &mut Context<Self>,
    ) {
        let now = self.kit.clock.now();
        // An agent may have claimed it meanwhile.
        if let Whose::Agents(agents) = self.kit.conversations.whose(&conversation, now) {
            return self.split(delivery, agents, ctx);
        }
        match answer {
            Ok(participants) => {
                let identities = participants.iter().filter_map(|one| one.identity.as_ref());
                let agents: BTreeSet<_> = identities.filter_map(|identity| self.index.of_identity(identity)).collect();
                if agents.is_empty() {
                    self.kit.conversations.nobodys(&conversation, now);
                }
                self.split(delivery, agents.into_iter().collect(), ctx);
            }
            Err(error) if error.is_retryable() && time < ASK_TIMES => {
                let pause = self.kit.clock.sleep(ASK_AGAIN);
                ctx.spawn(pause.into_actor(self).map(move |(), this, ctx| {
                    this.ask_who_is_in(delivery, conversation, time + 1, ctx);
                }));
            }
            Err(error) => {
                tracing::warn!(%conversation, %error, "nobody knows whose a conversation is; its message is let go");
                self.let_go(delivery.sequence, "unclaimed");
            }
        }
    }
}
