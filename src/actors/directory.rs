//! The directory: the one address of each agent, and whose event is whose.
//!
//! It hands an agent's entries over strictly in order, also when that agent's mailbox is full, and starts an agent again
//! that has died: actix closes the address of an actor whose handler panicked, and revives nothing.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
    time::Duration,
};

use actix::{
    Actor, ActorFutureExt, Addr, ArbiterHandle, AsyncContext, Context, Handler, Message, MessageResult, StreamHandler,
    WrapFuture, prelude::SendError,
};
use futures_util::{future, stream};
use serde::Serialize;

use super::{
    AgentActor, AgentRecord, Kit,
    agent::{Deliver, Look, StopIfIdle},
    index::Index,
};
use crate::{
    agent::Snapshot,
    domain::{AgentId, Profile, Timestamp},
    inbox::{self, Delivery, Entry, Outlet},
    store::{Batch, Cursor, Row, Sequence, StoreError},
};

/// How soon a full mailbox is tried again.
const RETRY: Duration = Duration::from_millis(20);
/// How often agents are looked after: dead ones are started again, idle ones let go.
const ROUND: Duration = Duration::from_secs(1);
/// An agent that had nothing to do for so long leaves the memory.
const IDLE: Duration = Duration::from_secs(15 * 60);
/// An entry that its agent died of this often is put aside.
const STRIKES: u8 = 3;
/// Records read in one go.
const PAGE: usize = 500;

pub struct Directory {
    kit: Arc<Kit>,
    outlet: Option<Outlet>,
    arbiters: Vec<ArbiterHandle>,
    index: Index,
    live: HashMap<AgentId, Live>,
    strikes: HashMap<Sequence, u8>,
}

/// An agent in memory.
struct Live {
    addr: Addr<AgentActor>,
    /// What its mailbox had no room for, in order.
    backlog: BTreeMap<Sequence, Delivery>,
    last_heard: Timestamp,
}

/// All that is read before the first event is handed over.
struct Loaded {
    index: Index,
    busy: Vec<AgentId>,
    waiting: Vec<(Sequence, Entry)>,
}

impl Directory {
    pub(super) fn new(kit: Arc<Kit>, outlet: Outlet, arbiters: Vec<ArbiterHandle>) -> Self {
        Self {
            kit,
            outlet: Some(outlet),
            arbiters,
            index: Index::default(),
            live: HashMap::new(),
            strikes: HashMap::new(),
        }
    }

    fn loaded(&mut self, loaded: Loaded, ctx: &mut Context<Self>) {
        tracing::info!(
            agents = loaded.index.len(),
            busy = loaded.busy.len(),
            waiting = loaded.waiting.len(),
            "agents are known"
        );
        self.index = loaded.index;
        for id in loaded.busy {
            self.agent(id);
        }
        for (sequence, entry) in loaded.waiting {
            self.deliver(Delivery::again(sequence, entry), ctx);
        }
    }

    fn deliver(&mut self, delivery: Delivery, ctx: &mut Context<Self>) {
        let Some(id) = self.index.agent_of(&delivery.entry.event) else {
            return self.let_go(delivery.sequence, "unclaimed");
        };
        let now = self.kit.clock.now();
        let live = self.agent(id);
        live.last_heard = now;
        live.backlog.insert(delivery.sequence, delivery);
        self.hand_over(id, ctx);
    }

    /// The agent's address; an agent that is not in memory is started.
    fn agent(&mut self, id: AgentId) -> &mut Live {
        let (kit, arbiters) = (&self.kit, &self.arbiters);
        self.live.entry(id).or_insert_with(|| Live {
            addr: start(id, kit, arbiters),
            backlog: BTreeMap::new(),
            last_heard: kit.clock.now(),
        })
    }

    fn hand_over(&mut self, id: AgentId, ctx: &mut Context<Self>) {
        let Some(live) = self.live.get_mut(&id) else { return };
        while let Some((sequence, delivery)) = live.backlog.pop_first() {
            let Err(refused) = live.addr.try_send(Deliver(delivery)) else { continue };
            let closed = matches!(refused, SendError::Closed(_));
            let Deliver(delivery) = refused.into_inner();
            live.backlog.insert(sequence, delivery);
            // A dead agent is noticed at the next round, and gets all of this again from the store.
            if !closed {
                ctx.run_later(RETRY, move |this, ctx| this.hand_over(id, ctx));
            }
            return;
        }
    }

    /// Ends an entry that no agent handles.
    fn let_go(&mut self, sequence: Sequence, why: &'static str) {
        metrics::counter!("offdesk_events_dropped_total", "reason" => why).increment(1);
        self.strikes.remove(&sequence);
        let mut batch = Batch::new();
        batch.delete::<Entry>(&sequence);
        if let Err(error) = self.kit.store.commit_soft(batch) {
            tracing::warn!(%error, "an entry of the inbox stays until the next start");
        }
    }

    fn round(&mut self, ctx: &mut Context<Self>) {
        let now = self.kit.clock.now();
        let dead: Vec<_> = self.live.iter().filter(|(_, live)| !live.addr.connected()).map(|(id, _)| *id).collect();
        for id in dead {
            self.revive(id, ctx);
        }
        let resting = |live: &Live| live.backlog.is_empty() && now.since(live.last_heard) > IDLE;
        let idle: Vec<_> = self.live.iter().filter(|(_, live)| resting(live)).map(|(id, _)| *id).collect();
        for id in idle {
            self.let_rest(id, ctx);
        }
    }

    /// An agent whose address is closed has died of a panic. It starts again from its record, and gets what it has not
    /// handled; an entry that it dies of again and again is put aside.
    fn revive(&mut self, id: AgentId, ctx: &mut Context<Self>) {
        tracing::error!(agent = %id, "an agent has died and is started again");
        metrics::counter!("offdesk_agent_restarts_total").increment(1);
        self.live.remove(&id);
        let store = self.kit.store.clone();
        let reading = async move { inbox::waiting_entries(&store, Sequence::new(u64::MAX)).await };
        // Nothing is handed over meanwhile, so that the order stands.
        ctx.wait(reading.into_actor(self).map(move |entries, this, ctx| match entries {
            Ok(entries) => this.redeliver(id, entries, ctx),
            Err(error) => tracing::error!(agent = %id, %error, "the inbox cannot be read"),
        }));
    }

    fn redeliver(&mut self, id: AgentId, entries: Vec<(Sequence, Entry)>, ctx: &mut Context<Self>) {
        let mut mine: Vec<_> =
            entries.into_iter().filter(|(_, entry)| self.index.agent_of(&entry.event) == Some(id)).collect();
        if let Some((first, _)) = mine.first() {
            let first = *first;
            let strikes = self.strikes.entry(first).or_default();
            *strikes += 1;
            if *strikes >= STRIKES {
                tracing::error!(agent = %id, "an event is put aside: its agent died of it");
                mine.remove(0);
                self.let_go(first, "poisonous");
            }
        }
        self.agent(id);
        for (sequence, entry) in mine {
            self.deliver(Delivery::again(sequence, entry), ctx);
        }
    }

    fn let_rest(&mut self, id: AgentId, ctx: &mut Context<Self>) {
        let Some(live) = self.live.get_mut(&id) else { return };
        live.last_heard = self.kit.clock.now();
        let asking = live.addr.send(StopIfIdle);
        // Nothing is handed over between the question and the answer.
        ctx.wait(asking.into_actor(self).map(move |stopped, this, _| {
            if stopped.unwrap_or(false) {
                this.live.remove(&id);
            }
        }));
    }
}

fn start(id: AgentId, kit: &Arc<Kit>, arbiters: &[ArbiterHandle]) -> Addr<AgentActor> {
    let kit = kit.clone();
    let place = usize::try_from(id.to_bits()).unwrap_or_default() % arbiters.len().max(1);
    match arbiters.get(place) {
        Some(arbiter) => AgentActor::start_in_arbiter(arbiter, move |_| AgentActor::new(id, kit)),
        None => AgentActor::new(id, kit).start(),
    }
}

async fn load(kit: Arc<Kit>, before: Sequence) -> Result<Loaded, StoreError> {
    let mut index = Index::default();
    let mut after: Option<Cursor> = None;
    loop {
        let page: Vec<Row<Profile>> = kit.store.scan(after.as_ref(), PAGE).await?;
        page.iter().for_each(|row| index.insert(&row.record));
        match page.into_iter().next_back() {
            Some(last) => after = Some(last.key),
            None => break,
        }
    }
    let mut busy = Vec::new();
    let mut after: Option<Cursor> = None;
    loop {
        let page: Vec<Row<AgentRecord>> = kit.store.scan(after.as_ref(), PAGE).await?;
        busy.extend(page.iter().filter(|row| !row.record.0.is_idle()).map(|row| row.record.0.id));
        match page.into_iter().next_back() {
            Some(last) => after = Some(last.key),
            None => break,
        }
    }
    busy.retain(|id| index.knows(*id));
    let waiting = inbox::waiting_entries(&kit.store, before).await?;
    Ok(Loaded { index, busy, waiting })
}

impl Actor for Directory {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        let Some(outlet) = self.outlet.take() else { return };
        let loading = load(self.kit.clone(), outlet.before);
        ctx.wait(loading.into_actor(self).map(|loaded, this, ctx| match loaded {
            Ok(loaded) => this.loaded(loaded, ctx),
            Err(error) => tracing::error!(%error, "the agents cannot be read"),
        }));
        let deliveries = stream::unfold(outlet.deliveries, |mut deliveries| async {
            deliveries.recv().await.map(|delivery| (delivery, deliveries))
        });
        ctx.add_stream(deliveries);
        ctx.run_interval(ROUND, Self::round);
    }
}

impl StreamHandler<Delivery> for Directory {
    fn handle(&mut self, delivery: Delivery, ctx: &mut Self::Context) {
        self.deliver(delivery, ctx);
    }

    /// The door is closed: the daemon goes down. The directory stays for those who ask.
    fn finished(&mut self, _: &mut Self::Context) {}
}

/// Asks for a count of all agents.
#[derive(Message)]
#[rtype(result = "Roll")]
pub struct Census;

/// The agents in memory, not asked yet.
pub struct Roll {
    known: usize,
    live: Vec<Addr<AgentActor>>,
}

/// What all agents are doing.
#[derive(Debug, Serialize)]
pub struct Overview {
    /// Agents on the books.
    pub known: usize,
    /// Those in memory.
    pub live: Vec<Snapshot>,
}

impl Roll {
    pub(super) async fn gather(self, limit: Duration) -> Overview {
        let asked = self.live.iter().map(|addr| tokio::time::timeout(limit, addr.send(Look)));
        let answers = future::join_all(asked).await;
        Overview { known: self.known, live: answers.into_iter().filter_map(|answer| answer.ok()?.ok()?).collect() }
    }
}

impl Handler<Census> for Directory {
    type Result = MessageResult<Census>;

    fn handle(&mut self, _: Census, _: &mut Self::Context) -> Self::Result {
        let live = self.live.values().map(|live| live.addr.clone()).collect();
        MessageResult(Roll { known: self.index.len(), live })
    }
}
