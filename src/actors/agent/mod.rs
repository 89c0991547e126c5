//! The shell of one agent. It takes one input at a time: the new state is on disk, and with it what is to be pushed, before
//! its effects are carried out and before the next input is looked at.

mod asked;
mod devices;
mod disk;
mod listening;
mod notice;
mod ringing;
mod sending;

use std::{sync::Arc, time::Duration};

use actix::{
    Actor, ActorContext, ActorFutureExt, AsyncContext, Context, Handler, Message, ResponseActFuture, SpawnHandle,
    WrapFuture, fut,
};

use tokio::sync::oneshot;

use self::disk::{Found, Written};
use super::{AgentRecord, Devices, Kit, SETTING_PATIENCE, feed::Feed, live::Desk, rest};
use crate::{
    agent::{
        self, Agent, Effect, Input, Snapshot,
        changes::Change,
        command::{Command, Denial},
        duty::Ticket,
        request::{Answer, Failure},
    },
    call::Reply,
    domain::{AgentId, Event, PickUp, Profile, ReservationEventKind, SoftphoneLeg, SoftphoneNews, Timestamp},
    inbox::{Delivery, Place},
    store::{Sequence, StoreError},
    twilio::facts,
};

/// Deliveries that wait for one agent, at most; the directory keeps the rest. It protects the other agents' memory from
/// one that is showered with events.
const MAILBOX: usize = 32;

pub(super) use asked::{Changed, Retire};
pub(super) use ringing::Heard;
pub(super) use sending::{BeginSend, EndSend};
pub use sending::{SendTurn, Sending};

pub struct AgentActor {
    id: AgentId,
    kit: Arc<Kit>,
    desk: Desk,
    /// None until the record is loaded; the mailbox waits meanwhile.
    agent: Option<Agent>,
    devices: Devices,
    /// Who waits to hear what becomes of an acceptance.
    waiting: Vec<asked::Waiter>,
    /// Who looks on; none: nobody has yet.
    feed: Option<Feed>,
    newcomers: Vec<listening::Newcomer>,
    sending: Vec<sending::UnderWay>,
    timer: Option<(Timestamp, SpawnHandle)>,
}

/// An input that owns what it holds, so that it can wait for its turn.
enum Owned {
    Event(Box<Event>),
    Answer(Ticket, Result<Answer, Failure>),
    Order(Command),
    PickUp(PickUp),
    Profile {
        profile: Arc<Profile>,
        other_worker: bool,
    },
    Softphones(SoftphoneLeg, SoftphoneNews),
    /// Somebody looks on for the first time.
    Stream,
    Tick,
}

/// Where an input comes from: whoever is told when its effect is on disk.
#[derive(Default)]
struct Cause {
    handled: Option<Handled>,
    asked: Option<oneshot::Sender<Outcome>>,
}

/// What whoever asked is told.
enum Outcome {
    Done(Result<(), Denial>),
    PickedUp(Reply),
}

/// What a turn has come to.
struct Turned {
    next: Agent,
    changed: bool,
    outcome: Outcome,
    effects: Vec<Effect>,
    /// For those who look on.
    changes: Vec<Change>,
    /// The number before the first event of a life of the stream that begins.
    stream: Option<u64>,
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
        Self {
            id,
            kit,
            desk,
            agent: None,
            devices: Devices::default(),
            waiting: Vec::new(),
            feed: None,
            newcomers: Vec::new(),
            sending: Vec::new(),
            timer: None,
        }
    }

    /// Takes an input: decides, writes, acts.
    fn take(&mut self, input: Owned, cause: Cause, ctx: &mut Context<Self>) {
        let kit = self.kit.clone();
        let timeout = async move {
            match &input {
                Owned::Event(event) => (reservation_timeout(&kit, event).await, input),
                _ => (facts::DEFAULT_RESERVATION_TIMEOUT, input),
            }
        };
        let turn = timeout.into_actor(self).then(move |(timeout, input), this, _| this.turn(input, cause, timeout));
        ctx.wait(turn);
    }

    fn turn(&mut self, input: Owned, cause: Cause, timeout: Duration) -> Turn<'static> {
        let Some(current) = &self.agent else { return Box::pin(fut::ready(())) };
        #[cfg(test)]
        input.trip();
        let mut next = current.clone();
        next.keep_viewers(|viewer| self.feed.as_ref().is_some_and(|feed| feed.is_listening(viewer)));
        let mut stream = None;
        let unavailable = self.kit.facts.unavailable_activities();
        let context = self.context(timeout, &unavailable);
        let mut outcome = Outcome::Done(Ok(()));
        let mut effects = match input {
            Owned::Event(event) => next.handle(Input::Event(&event), &context),
            Owned::Answer(ticket, result) => next.handle(Input::Answer { ticket, result }, &context),
            Owned::Profile { profile, other_worker } => {
                next.handle(Input::Profile { profile: &profile, other_worker }, &context)
            }
            Owned::Softphones(leg, news) => next.handle(Input::Softphones { leg, news: &news }, &context),
            Owned::Stream => {
                stream = self.feed.is_none().then(|| next.begin_stream(context.now));
                Vec::new()
            }
            Owned::Tick => next.handle(Input::Tick, &context),
            Owned::Order(command) => {
                let (done, effects) = next.command(command, &context);
                outcome = Outcome::Done(done);
                effects
            }
            Owned::PickUp(pick_up) => {
                let (reply, effects) = next.pick_up(&pick_up, &context);
                outcome = Outcome::PickedUp(reply);
                effects
            }
        };
        effects.extend(next.withdrawals(current, context.now).into_iter().map(Effect::Push));
        let (changed, changes) = (!next.is_written_as(current), self.changes(&next, &effects));
        self.write(Turned { next, changed, outcome, effects, changes, stream }, cause)
    }

    fn context<'a>(&'a self, reservation_timeout: Duration, unavailable: &'a [String]) -> agent::Context<'a> {
        agent::Context { now: self.kit.clock.now(), policy: &self.kit.policy, reservation_timeout, unavailable }
    }

    /// Puts the new state on disk, together with what is to be pushed and the mark that its cause is handled, and then acts
    /// on it.
    fn write(&mut self, turned: Turned, cause: Cause) -> Turn<'static> {
        let Turned { next, changed, outcome, effects, changes, stream } = turned;
        let (id, kit) = (self.id, self.kit.clone());
        let news = effects.iter().filter_map(|effect| match effect {
            Effect::Push(notification) => Some(notification),
            _ => None,
        });
        let pushes: Vec<_> =
            news.flat_map(|notification| kit.push.items(id, &self.devices.devices, notification)).collect();
        let tasks: Vec<_> = effects.iter().filter_map(handled).cloned().collect();
        let writing = async move {
            let times = disk::add_handle_times(&kit, id, &tasks).await?;
            let written = Written { record: AgentRecord(next), pushes, times, handled: cause.handled };
            written.commit(&kit, id, changed).await?;
            Ok::<_, StoreError>((written, cause.asked))
        };
        Box::pin(writing.into_actor(self).map(move |written, this, ctx| match written {
            Ok((Written { record: AgentRecord(next), pushes, handled, .. }, asked)) => {
                this.follow_conversations(&next);
                this.agent = Some(next);
                this.kit.views.forget(this.id);
                this.feed = this.feed.take().or(stream.map(Feed::new));
                this.desk.clear();
                drop(handled);
                this.kit.push.hand_over(pushes);
                // Whoever has gone does not want to know.
                let _ = asked.map(|asked| asked.send(outcome));
                this.tell_listeners(changes);
                this.tell_waiting();
                this.carry_out(effects, ctx);
                this.set_timer(ctx);
            }
            Err(error) => {
                tracing::error!(agent = %this.id, %error, "an agent's record cannot be written");
                ctx.stop();
            }
        }))
    }

    fn follow_conversations(&self, next: &Agent) {
        let after = next.conversations();
        match &self.agent {
            Some(before) => self.kit.conversations.follow(self.id, before.conversations(), after),
            None => self.kit.conversations.follow(self.id, [].into_iter(), after),
        }
    }

    fn carry_out(&mut self, effects: Vec<Effect>, ctx: &mut Context<Self>) {
        let mut orders = Vec::new();
        for effect in effects {
            match effect {
                Effect::Tell(notice) => notice::tell(self.id, &notice),
                // They are on disk already; of the last those who look on were told.
                Effect::Push(_) | Effect::Handled(_) | Effect::Said(_) => {}
                Effect::Softphones(order) => orders.push(order),
                Effect::Rest { ticket, request } => {
                    let kit = self.kit.clone();
                    let call = async move { rest::carry_out(&kit, request).await };
                    ctx.spawn(call.into_actor(self).map(move |result, this, ctx| {
                        this.take(Owned::Answer(ticket, result), Cause::default(), ctx);
                    }));
                }
            }
        }
        self.give(orders, ctx);
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
                this.take(Owned::Tick, Cause::default(), ctx);
            }));
            self.timer = Some((at, timer));
        }
    }

    fn loaded(&mut self, found: Result<Option<Found>, StoreError>) -> Turn<'static> {
        let Found { profile, record, devices } = match found {
            Ok(Some(found)) => found,
            Ok(None) => return Box::pin(fut::ready(()).map(|(), _, ctx: &mut Context<Self>| ctx.stop())),
            Err(error) => {
                tracing::error!(agent = %self.id, %error, "an agent's record cannot be read");
                return Box::pin(fut::ready(()).map(|(), _, ctx: &mut Context<Self>| ctx.stop()));
            }
        };
        self.devices = devices;
        let unavailable = self.kit.facts.unavailable_activities();
        let context = self.context(facts::DEFAULT_RESERVATION_TIMEOUT, &unavailable);
        let (agent, effects) = match record {
            Some(record) => Agent::restore(record, &profile, &self.softphones(), &context),
            None => (Agent::new(&profile), Vec::new()),
        };
        let changed = !effects.is_empty();
        let outcome = Outcome::Done(Ok(()));
        let turned = Turned { next: agent, changed, outcome, effects, changes: Vec::new(), stream: None };
        self.write(turned, Cause::default())
    }
}

const fn handled(effect: &Effect) -> Option<&crate::domain::Handled> {
    if let Effect::Handled(task) = effect { Some(task) } else { None }
}

impl Owned {
    /// What a test lets an agent die of.
    #[cfg(test)]
    fn trip(&self) {
        let Self::Event(event) = self else { return };
        assert!(!matches!(&**event, Event::Worker(event) if event.activity.as_deref() == Some("poison")), "poison");
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

impl Actor for AgentActor {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        ctx.set_mailbox_capacity(MAILBOX);
        let (id, kit) = (self.id, self.kit.clone());
        let loading = async move { disk::load(&kit, id).await };
        ctx.wait(loading.into_actor(self).then(|found, this, _| this.loaded(found)));
    }

    fn stopped(&mut self, _: &mut Self::Context) {
        self.kit.views.forget(self.id);
    }
}

impl Handler<Deliver> for AgentActor {
    type Result = ();

    fn handle(&mut self, Deliver(delivery): Deliver, ctx: &mut Self::Context) {
        let Delivery { sequence, entry, place } = delivery;
        self.desk.take_up(sequence);
        let handled = Some(Handled { sequence, _place: place });
        self.take(Owned::Event(Box::new(entry.event)), Cause { handled, asked: None }, ctx);
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
        let is_heard = !self.newcomers.is_empty() || self.feed.as_ref().is_some_and(Feed::has_listeners);
        let idle = !is_heard && self.agent.as_ref().is_some_and(Agent::is_idle);
        Box::pin(fut::ready(idle).map(|idle, _, ctx: &mut Context<Self>| {
            if idle {
                ctx.stop();
            }
            idle
        }))
    }
}
