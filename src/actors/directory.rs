//! The directory: the one address of each agent, and whose event is whose.
//!
//! It hands an agent's entries over strictly in order, also when that agent's mailbox is full, and starts an agent again
//! that has died: actix closes the address of an actor whose handler panicked, and revives nothing. No agent keeps the
//! directory waiting, so that none waits for another.

use std::{collections::HashMap, sync::Arc, time::Duration};

use actix::{
    Actor, ActorContext, ActorFutureExt, Addr, ArbiterHandle, AsyncContext, Context, Handler, MailboxError,
    MessageResult, StreamHandler, WrapFuture,
};
use futures_util::{Stream, stream};
use tokio::sync::{mpsc, oneshot};

use super::{
    AgentActor, Census, Doors, Kit,
    agent::{Heard, StopIfIdle},
    ask::{Find, Gone},
    census::Roll,
    fan_out::conversation_of,
    index::Index,
    live::{Desk, Handed, Live, Standing},
    load::{Loaded, load},
};
use crate::{
    domain::{AgentId, DeviceId, SoftphoneLeg, SoftphoneNews, SoftphoneOrder, Timestamp},
    inbox::{self, Delivery, Entry, FRESH_FOR, Sequences},
    store::{Batch, Sequence, StoreError},
};

/// How soon a full mailbox is tried again.
const RETRY: Duration = Duration::from_millis(20);
/// How long entries gather after some were handed over. To be woken for each takes more than to hand it over, and no
/// customer hears a millisecond.
const GATHER: Duration = Duration::from_millis(1);
/// How many entries are handed over in one go.
const ARRIVALS: usize = 500;
/// How often agents are looked after: dead ones are started again, idle ones let go.
const ROUND: Duration = Duration::from_secs(1);
/// An agent that had nothing to do for so long leaves the memory.
const IDLE: Duration = Duration::from_secs(15 * 60);

pub struct Directory {
    pub(super) kit: Arc<Kit>,
    doors: Option<Doors>,
    arbiters: Vec<ArbiterHandle>,
    pub(super) index: Index,
    pub(super) sequences: Sequences,
    pub(super) live: HashMap<AgentId, Live>,
    /// Let go of when the directory ends, so that the daemon does not live on without one.
    _pulse: oneshot::Sender<()>,
}

impl Directory {
    pub(super) fn new(kit: Arc<Kit>, doors: Doors, arbiters: Vec<ArbiterHandle>, pulse: oneshot::Sender<()>) -> Self {
        let (index, live, sequences) = (Index::default(), HashMap::new(), doors.inbox.sequences.clone());
        Self { kit, doors: Some(doors), arbiters, index, sequences, live, _pulse: pulse }
    }

    fn loaded(&mut self, loaded: Loaded, ctx: &mut Context<Self>) {
        let (agents, busy, waiting) = (loaded.index.len(), loaded.busy.len(), loaded.waiting.len());
        tracing::info!(agents, busy, waiting, "agents are known");
        self.index = loaded.index;
        for id in loaded.busy {
            self.agent(id);
        }
        for (sequence, entry) in loaded.waiting {
            self.deliver(Delivery::again(sequence, entry), ctx);
        }
    }

    fn deliver(&mut self, delivery: Delivery, ctx: &mut Context<Self>) {
        let now = self.kit.clock.now();
        if now.since(delivery.entry.received_at) > FRESH_FOR {
            return self.let_go(delivery.sequence, "expired");
        }
        if let Some(id) = delivery.entry.to.filter(|id| self.index.knows(*id)) {
            return self.deliver_to(id, delivery, ctx);
        }
        if let Some(conversation) = conversation_of(&delivery.entry.event).cloned() {
            return self.fan_out(delivery, &conversation, ctx);
        }
        match self.index.agent_of(&delivery.entry.event) {
            Some(id) => self.deliver_to(id, delivery, ctx),
            None => self.let_go(delivery.sequence, "unclaimed"),
        }
    }

    pub(super) fn deliver_to(&mut self, id: AgentId, delivery: Delivery, ctx: &mut Context<Self>) {
        let now = self.kit.clock.now();
        self.agent(id).put(delivery, now);
        self.hand_over(id, ctx);
    }

    /// The agent; one that is not in memory is started.
    pub(super) fn agent(&mut self, id: AgentId) -> &mut Live {
        let (kit, arbiters) = (&self.kit, &self.arbiters);
        self.live.entry(id).or_insert_with(|| {
            let desk = Desk::default();
            Live::new(start(id, kit, &desk, arbiters), desk, kit.clock.now())
        })
    }

    fn hand_over(&mut self, id: AgentId, ctx: &mut Context<Self>) {
        let Some(live) = self.live.get_mut(&id) else { return };
        match live.hand_over() {
            Handed::Everything | Handed::Later => {}
            Handed::Died => self.died(id, ctx),
            Handed::Full => {
                live.retrying = true;
                ctx.run_later(RETRY, move |this, ctx| {
                    if let Some(live) = this.live.get_mut(&id) {
                        live.retrying = false;
                    }
                    this.hand_over(id, ctx);
                });
            }
        }
    }

    /// Ends an entry that no agent handles. If the end is lost with the power, the next start ends it again.
    pub(super) fn let_go(&mut self, sequence: Sequence, why: &'static str) {
        metrics::counter!("offdesk_events_dropped_total", "reason" => why).increment(1);
        let mut batch = Batch::new();
        batch.delete::<Entry>(&sequence);
        if let Err(error) = self.kit.store.commit_soft(batch) {
            tracing::warn!(%error, "an entry of the inbox stays until the next start");
        }
    }

    fn next_round(&self, ctx: &mut Context<Self>) {
        let pause = self.kit.clock.sleep(ROUND);
        ctx.spawn(pause.into_actor(self).map(|(), this, ctx| {
            this.round(ctx);
            this.next_round(ctx);
        }));
    }

    fn round(&mut self, ctx: &mut Context<Self>) {
        let now = self.kit.clock.now();
        let of = |wanted: fn(&Live, Timestamp) -> bool, live: &HashMap<AgentId, Live>| -> Vec<AgentId> {
            live.iter().filter(|(_, live)| wanted(live, now)).map(|(id, _)| *id).collect()
        };
        for id in of(|live, _| live.standing == Standing::Here && !live.addr.connected(), &self.live) {
            self.died(id, ctx);
        }
        for id in of(|live, now| matches!(live.standing, Standing::Dead(until) if until <= now), &self.live) {
            self.revive(id, ctx);
        }
        for id in of(|live, now| live.is_resting(now, IDLE), &self.live) {
            self.let_rest(id, ctx);
        }
    }

    /// An agent whose address is closed has died of a panic, or of a record that it could not read or write.
    fn died(&mut self, id: AgentId, ctx: &mut Context<Self>) {
        let now = self.kit.clock.now();
        let Some(live) = self.live.get_mut(&id) else { return };
        tracing::error!(agent = %id, "an agent has died and is started again");
        metrics::counter!("offdesk_agent_restarts_total").increment(1);
        let poison = live.died(now);
        let at_once = live.standing == Standing::Dead(now);
        if let Some(sequence) = poison {
            tracing::error!(agent = %id, sequence = sequence.get(), "an event is put aside: its agent died of it");
            self.let_go(sequence, "poisonous");
        }
        if at_once {
            self.revive(id, ctx);
        }
    }

    /// The agent starts again from its record, and gets what it has not handled.
    fn revive(&mut self, id: AgentId, ctx: &mut Context<Self>) {
        let Some(live) = self.live.get_mut(&id) else { return };
        live.standing = Standing::Rising;
        let store = self.kit.store.clone();
        let reading = async move { inbox::waiting_entries(&store, Sequence::new(u64::MAX)).await };
        ctx.spawn(reading.into_actor(self).map(move |entries, this, ctx| this.risen(id, entries, ctx)));
    }

    fn risen(&mut self, id: AgentId, entries: Result<Vec<(Sequence, Entry)>, StoreError>, ctx: &mut Context<Self>) {
        let now = self.kit.clock.now();
        let entries = entries.map(|entries| {
            let own = entries.into_iter().filter(|(_, entry)| self.is_for(entry, id));
            own.collect::<Vec<_>>()
        });
        let Some(live) = self.live.get_mut(&id) else { return };
        let entries = match entries {
            Ok(entries) => entries,
            Err(error) => {
                tracing::error!(agent = %id, %error, "the inbox cannot be read");
                live.standing = Standing::Dead(now + ROUND);
                return;
            }
        };
        for (sequence, entry) in entries {
            live.put_again(Delivery::again(sequence, entry));
        }
        live.risen(start(id, &self.kit, &live.desk, &self.arbiters), now);
        self.hand_over(id, ctx);
    }

    /// Asks an agent to leave the memory; what comes for it meanwhile is kept back.
    fn let_rest(&mut self, id: AgentId, ctx: &mut Context<Self>) {
        let Some(live) = self.live.get_mut(&id) else { return };
        live.standing = Standing::Leaving;
        let asking = live.addr.send(StopIfIdle);
        ctx.spawn(asking.into_actor(self).map(move |stopped, this, ctx| this.rested(id, &stopped, ctx)));
    }

    fn rested(&mut self, id: AgentId, stopped: &Result<bool, MailboxError>, ctx: &mut Context<Self>) {
        let now = self.kit.clock.now();
        let Some(live) = self.live.get_mut(&id) else { return };
        match stopped {
            Ok(true) if live.is_owed_nothing() => {
                self.live.remove(&id);
            }
            Ok(true) => {
                live.risen(start(id, &self.kit, &live.desk, &self.arbiters), now);
                self.hand_over(id, ctx);
            }
            Ok(false) => {
                live.standing = Standing::Here;
                live.last_heard = now;
                self.hand_over(id, ctx);
            }
            Err(_) => self.died(id, ctx),
        }
    }
}

fn start(id: AgentId, kit: &Arc<Kit>, desk: &Desk, arbiters: &[ArbiterHandle]) -> Addr<AgentActor> {
    let (kit, desk) = (kit.clone(), desk.clone());
    let place = usize::try_from(id.to_bits()).unwrap_or_default() % arbiters.len().max(1);
    match arbiters.get(place) {
        Some(arbiter) => AgentActor::start_in_arbiter(arbiter, move |_| AgentActor::new(id, kit, desk)),
        None => AgentActor::new(id, kit, desk).start(),
    }
}

/// What comes in, as much at once as there is; ends when the door is closed.
fn arrivals(door: mpsc::Receiver<Delivery>) -> impl Stream<Item = Vec<Delivery>> {
    stream::unfold((door, Duration::ZERO), |(mut door, pause)| async move {
        tokio::time::sleep(pause).await;
        let mut deliveries = Vec::new();
        let count = door.recv_many(&mut deliveries, ARRIVALS).await;
        (count > 0).then_some((deliveries, (door, GATHER)))
    })
}

impl Actor for Directory {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        let Some(Doors { inbox: outlet, gone, told, softphones }) = self.doors.take() else { return };
        let loading = load(self.kit.clone(), outlet.before);
        ctx.wait(loading.into_actor(self).map(|loaded, this, ctx| match loaded {
            Ok(loaded) => this.loaded(loaded, ctx),
            // To go on would be to let go of every event as nobody's.
            Err(error) => {
                tracing::error!(%error, "the agents cannot be read");
                ctx.stop();
            }
        }));
        ctx.add_stream(arrivals(outlet.deliveries));
        ctx.add_stream(stream::unfold(gone, |mut gone| async move { Some((gone.recv().await?, gone)) }));
        ctx.add_stream(stream::unfold(told, |mut told| async move { Some((told.recv().await?, told)) }));
        ctx.add_stream(stream::unfold(softphones, |mut news| async move { Some((news.recv().await?, news)) }));
        self.next_round(ctx);
    }
}

impl StreamHandler<Vec<Delivery>> for Directory {
    fn handle(&mut self, deliveries: Vec<Delivery>, ctx: &mut Self::Context) {
        for delivery in deliveries {
            self.deliver(delivery, ctx);
        }
    }

    /// The door is closed: the daemon goes down. The directory stays for those who ask.
    fn finished(&mut self, _: &mut Self::Context) {}
}

impl StreamHandler<(AgentId, DeviceId)> for Directory {
    /// One that finds the agent's mailbox full is reported again at the next notification.
    fn handle(&mut self, (id, device): (AgentId, DeviceId), _: &mut Context<Self>) {
        if self.index.knows(id) {
            let _ = self.agent(id).addr.try_send(Gone(device));
        }
    }

    fn finished(&mut self, _: &mut Self::Context) {}
}

impl StreamHandler<(SoftphoneLeg, SoftphoneNews)> for Directory {
    /// In order, and kept if the agent cannot take it now. What is answered for nobody is hung up.
    fn handle(&mut self, (leg, news): (SoftphoneLeg, SoftphoneNews), ctx: &mut Context<Self>) {
        let id = leg.call.agent;
        if self.index.knows(id) {
            let now = self.kit.clock.now();
            self.agent(id).put_news(Heard(leg, news), now);
            return self.hand_over(id, ctx);
        }
        if let (SoftphoneNews::Answered(_), Some(line)) = (news, self.kit.line.clone()) {
            ctx.spawn(async move { line.order(SoftphoneOrder::HangUp(leg)).await }.into_actor(self));
        }
    }

    fn finished(&mut self, _: &mut Self::Context) {}
}

impl Handler<Find> for Directory {
    type Result = Option<Addr<AgentActor>>;

    fn handle(&mut self, Find(id): Find, _: &mut Self::Context) -> Self::Result {
        if !self.index.knows(id) {
            return None;
        }
        let now = self.kit.clock.now();
        let live = self.agent(id);
        live.last_heard = now;
        Some(live.addr.clone())
    }
}

impl Handler<Census> for Directory {
    type Result = MessageResult<Census>;

    fn handle(&mut self, _: Census, _: &mut Self::Context) -> Self::Result {
        let live = self.live.values().map(|live| live.addr.clone()).collect();
        MessageResult(Roll { known: self.index.len(), live })
    }
}

#[cfg(test)]
mod tests;
