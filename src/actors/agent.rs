//! The shell of one agent. It takes one input at a time: the new state is on disk before its effects are carried out
//! and before the next input is looked at.

use std::{sync::Arc, time::Duration};

use actix::{
    Actor, ActorContext, ActorFutureExt, AsyncContext, Context, Handler, Message, ResponseActFuture, SpawnHandle,
    WrapFuture, fut,
};

use super::{AgentRecord, Kit, SETTING_PATIENCE, live::Desk, rest};
use crate::{
    agent::{self, Agent, Effect, Input, Notice, Snapshot, duty::Ticket, request::Answer, request::Failure},
    domain::{AgentId, Event, Profile, ReservationEventKind, Timestamp},
    inbox::{Delivery, Entry, Place},
    store::{Batch, Sequence, StoreError},
    twilio::facts,
};

/// Deliveries that wait for one agent, at most; the directory keeps the rest. It protects the other agents' memory from
/// one that is showered with events.
const MAILBOX: usize = 32;
/// How long a store that is full or busy is left alone.
const STORE_PAUSE: Duration = Duration::from_millis(200);

pub struct AgentActor {
    id: AgentId,
    kit: Arc<Kit>,
    desk: Desk,
    /// None until the record is loaded; the mailbox waits meanwhile.
    agent: Option<Agent>,
    timer: Option<(Timestamp, SpawnHandle)>,
}

/// An input that owns what it holds, so that it can wait for its turn.
enum Owned {
    Event(Box<Event>),
    Answer(Ticket, Result<Answer, Failure>),
    Tick,
}

/// The entry that an input comes from; its place is free once this is dropped.
struct Handled {
    sequence: Sequence,
    _place: Place,
}

/// A webhook for this agent.
#[derive(Message)]
#[rtype(result = "()")]
pub(super) struct Deliver(pub(super) Delivery);

#[derive(Message)]
#[rtype(result = "Option<Snapshot>")]
pub(super) struct Look;

/// Stop if nothing would be lost; the answer says whether.
#[derive(Message)]
#[rtype(result = "bool")]
pub(super) struct StopIfIdle;

type Turn<'a> = std::pin::Pin<Box<dyn fut::ActorFuture<AgentActor, Output = ()> + 'a>>;

impl AgentActor {
    pub(super) fn new(id: AgentId, kit: Arc<Kit>, desk: Desk) -> Self {
        Self { id, kit, desk, agent: None, timer: None }
    }

    /// Takes an input: decides, writes, acts.
    fn take(&mut self, input: Owned, handled: Option<Handled>, ctx: &mut Context<Self>) {
        let kit = self.kit.clone();
        let timeout = async move {
            match &input {
                Owned::Event(event) => (reservation_timeout(&kit, event).await, input),
                _ => (facts::DEFAULT_RESERVATION_TIMEOUT, input),
            }
        };
        let turn = timeout.into_actor(self).then(move |(timeout, input), this, _| this.turn(&input, handled, timeout));
        ctx.wait(turn);
    }

    fn turn(&mut self, input: &Owned, handled: Option<Handled>, timeout: Duration) -> Turn<'static> {
        let Some(current) = &self.agent else { return Box::pin(fut::ready(())) };
        #[cfg(test)]
        input.trip();
        let mut next = current.clone();
        let effects = next.handle(input.borrow(), &self.context(timeout));
        let changed = next != *current;
        self.write(next, changed, handled, effects)
    }

    fn context(&self, reservation_timeout: Duration) -> agent::Context<'_> {
        agent::Context { now: self.kit.clock.now(), policy: &self.kit.policy, reservation_timeout }
    }

    /// Puts the new state on disk, together with the mark that its cause is handled, and then acts on it.
    fn write(&mut self, next: Agent, changed: bool, handled: Option<Handled>, effects: Vec<Effect>) -> Turn<'static> {
        let (id, kit) = (self.id, self.kit.clone());
        let writing = async move {
            let record = AgentRecord(next);
            if changed || handled.is_some() {
                commit(&kit, id, changed.then_some(&record), handled.as_ref()).await?;
            }
            Ok::<_, StoreError>(record.0)
        };
        Box::pin(writing.into_actor(self).map(move |written, this, ctx| match written {
            Ok(next) => {
                this.agent = Some(next);
                this.desk.clear();
                this.carry_out(effects, ctx);
                this.set_timer(ctx);
            }
            Err(error) => {
                tracing::error!(agent = %this.id, %error, "an agent's record cannot be written");
                ctx.stop();
            }
        }))
    }

    fn carry_out(&mut self, effects: Vec<Effect>, ctx: &mut Context<Self>) {
        for effect in effects {
            match effect {
                Effect::Tell(notice) => tell(self.id, &notice),
                Effect::Push(_) => {}
                Effect::Rest { ticket, request } => {
                    let kit = self.kit.clone();
                    let call = async move { rest::carry_out(&kit, request).await };
                    ctx.spawn(call.into_actor(self).map(move |result, this, ctx| {
                        this.take(Owned::Answer(ticket, result), None, ctx);
                    }));
                }
            }
        }
    }

    /// One timer an agent, at the moment that the core names.
    fn set_timer(&mut self, ctx: &mut Context<Self>) {
        let due = self.agent.as_ref().and_then(Agent::due);
        if due == self.timer.map(|(at, _)| at) {
            return;
        }
        if let Some((_, timer)) = self.timer.take() {
            ctx.cancel_future(timer);
        }
        if let Some(at) = due {
            let sleep = self.kit.clock.sleep_until(at);
            let timer = ctx.spawn(sleep.into_actor(self).map(|(), this, ctx| {
                this.timer = None;
                this.take(Owned::Tick, None, ctx);
            }));
            self.timer = Some((at, timer));
        }
    }

    fn loaded(&mut self, found: Result<Option<Found>, StoreError>) -> Turn<'static> {
        let (profile, record) = match found {
            Ok(Some(found)) => found,
            Ok(None) => return Box::pin(fut::ready(()).map(|(), _, ctx: &mut Context<Self>| ctx.stop())),
            Err(error) => {
                tracing::error!(agent = %self.id, %error, "an agent's record cannot be read");
                return Box::pin(fut::ready(()).map(|(), _, ctx: &mut Context<Self>| ctx.stop()));
            }
        };
        let context = self.context(facts::DEFAULT_RESERVATION_TIMEOUT);
        let (agent, effects) = match record {
            Some(record) => Agent::restore(record, &profile, &context),
            None => (Agent::new(&profile), Vec::new()),
        };
        let changed = !effects.is_empty();
        self.write(agent, changed, None, effects)
    }
}

impl Owned {
    /// What a test lets an agent die of.
    #[cfg(test)]
    fn trip(&self) {
        let Self::Event(event) = self else { return };
        assert!(!matches!(&**event, Event::Worker(event) if event.activity.as_deref() == Some("poison")), "poison");
    }

    fn borrow(&self) -> Input<'_> {
        match self {
            Self::Event(event) => Input::Event(event),
            Self::Answer(ticket, result) => Input::Answer { ticket: *ticket, result: result.clone() },
            Self::Tick => Input::Tick,
        }
    }
}

/// An agent's profile, and its record if there is one.
type Found = (Profile, Option<Agent>);

/// Reads until the store answers.
async fn load(kit: &Kit, id: AgentId) -> Result<Option<Found>, StoreError> {
    loop {
        match read(kit, id).await {
            Err(error) if error.is_retryable() => kit.clock.sleep(STORE_PAUSE).await,
            read => return read,
        }
    }
}

/// An agent whose record is damaged begins anew: Twilio knows what it had, and its callers must not wait for a repair.
/// One that a newer version wrote is left alone.
async fn read(kit: &Kit, id: AgentId) -> Result<Option<Found>, StoreError> {
    // Both are asked for before either is waited for: a customer is on the line.
    let (profile, record) = (kit.store.get::<Profile>(&id), kit.store.get::<AgentRecord>(&id));
    let Some(profile) = profile.await? else { return Ok(None) };
    match record.await {
        Ok(record) => Ok(Some((profile, record.map(|record| record.0)))),
        Err(error @ StoreError::Unreadable(_)) => {
            tracing::error!(agent = %id, %error, "an agent begins anew");
            Ok(Some((profile, None)))
        }
        Err(error) => Err(error),
    }
}

/// Twilio's timeout for the reservation that an event creates; read before the agent decides.
async fn reservation_timeout(kit: &Kit, event: &Event) -> Duration {
    match event {
        Event::Reservation(event) if event.kind == ReservationEventKind::Created => {
            let reading = kit.facts.reservation_timeout(event.task.workflow.as_ref());
            tokio::time::timeout(SETTING_PATIENCE, reading).await.unwrap_or(facts::DEFAULT_RESERVATION_TIMEOUT)
        }
        _ => facts::DEFAULT_RESERVATION_TIMEOUT,
    }
}

/// Writes until the store takes it. A store that has failed for good ends the daemon, and with it this agent.
async fn commit(
    kit: &Kit,
    id: AgentId,
    record: Option<&AgentRecord>,
    handled: Option<&Handled>,
) -> Result<(), StoreError> {
    loop {
        let mut batch = Batch::new();
        if let Some(record) = record {
            batch.put(&id, record)?;
        }
        if let Some(handled) = handled {
            batch.delete::<Entry>(&handled.sequence);
        }
        match kit.store.commit(batch).await {
            Ok(_) => return Ok(()),
            Err(error) if error.is_retryable() => kit.clock.sleep(STORE_PAUSE).await,
            Err(error) => return Err(error),
        }
    }
}

fn tell(agent: AgentId, notice: &Notice) {
    let what = match notice {
        Notice::CallAnswered => "call_answered",
        Notice::CallMissed => "call_missed",
        Notice::OfferMissed => "offer_missed",
        Notice::RejectedBusy => "rejected_busy",
        Notice::WentOffline => "went_offline",
        Notice::ActivityChanged { .. } => "activity_changed",
    };
    metrics::counter!("offdesk_agent_notices_total", "notice" => what).increment(1);
    match notice {
        Notice::ActivityChanged { to } => tracing::info!(%agent, notice = what, activity = %to),
        _ => tracing::info!(%agent, notice = what),
    }
}

impl Actor for AgentActor {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        ctx.set_mailbox_capacity(MAILBOX);
        let (id, kit) = (self.id, self.kit.clone());
        let loading = async move { load(&kit, id).await };
        ctx.wait(loading.into_actor(self).then(|found, this, _| this.loaded(found)));
    }
}

impl Handler<Deliver> for AgentActor {
    type Result = ();

    fn handle(&mut self, Deliver(delivery): Deliver, ctx: &mut Self::Context) {
        let Delivery { sequence, entry, place } = delivery;
        self.desk.take_up(sequence);
        self.take(Owned::Event(Box::new(entry.event)), Some(Handled { sequence, _place: place }), ctx);
    }
}

impl Handler<Look> for AgentActor {
    type Result = Option<Snapshot>;

    fn handle(&mut self, _: Look, _: &mut Self::Context) -> Self::Result {
        self.agent.as_ref().map(Agent::snapshot)
    }
}

impl Handler<StopIfIdle> for AgentActor {
    type Result = ResponseActFuture<Self, bool>;

    fn handle(&mut self, _: StopIfIdle, _: &mut Self::Context) -> Self::Result {
        let idle = self.agent.as_ref().is_some_and(Agent::is_idle);
        Box::pin(fut::ready(idle).map(|idle, _, ctx: &mut Context<Self>| {
            if idle {
                ctx.stop();
            }
            idle
        }))
    }
}
