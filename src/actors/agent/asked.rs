//! What others ask of an agent.

use std::{sync::Arc, time::Duration};

use actix::{ActorContext, Context, Handler, Message, MessageResult, ResponseActFuture, WrapFuture};
use tokio::sync::oneshot;

use super::{
    super::{
        Devices, Kit,
        ask::{Await, HowToGoOn, NoAnswer, Order, PickedUp, See, View, Wait},
        rest,
    },
    AgentActor, Cause, Outcome, Owned,
};
use crate::{
    agent::{request::Request, view::Progress},
    call::Reply,
    domain::{AgentId, Profile},
    twilio::facts,
};

/// Those who wait at most: an agent's devices that accept at the same time. Beyond them the first is let go.
const WAITERS: usize = 16;

/// How long Twilio is told what a removed agent leaves behind.
const FAREWELL: Duration = Duration::from_secs(20);

/// An administrator has changed the profile.
#[derive(Message)]
#[rtype(result = "()")]
pub(in crate::actors) struct Changed {
    pub(in crate::actors) profile: Arc<Profile>,
    pub(in crate::actors) other_worker: bool,
}

/// The agent is removed: stop, whatever is under way.
#[derive(Message)]
#[rtype(result = "()")]
pub(in crate::actors) struct Retire;

/// Somebody who waits to hear what Twilio says.
pub(super) struct Waiter {
    wait: Wait,
    answer: oneshot::Sender<()>,
}

impl AgentActor {
    /// Tells those who wait for what has become plain.
    pub(super) fn tell_waiting(&mut self) {
        let Some(agent) = &self.agent else { return };
        let is_plain = |waiter: &Waiter| match &waiter.wait {
            Wait::Task(task) => agent.progress(task) != Some(Progress::Connecting),
            Wait::Activity => !agent.is_changing_activity(),
        };
        let (told, waiting) = std::mem::take(&mut self.waiting).into_iter().partition::<Vec<_>, _>(is_plain);
        self.waiting = waiting;
        for waiter in told {
            // Whoever has gone does not want to know.
            let _ = waiter.answer.send(());
        }
    }
}

impl Handler<Order> for AgentActor {
    type Result = ResponseActFuture<Self, <Order as actix::Message>::Result>;

    fn handle(&mut self, Order(command): Order, ctx: &mut Context<Self>) -> Self::Result {
        let (asked, answer) = oneshot::channel();
        self.take(Owned::Order(command), Cause { handled: None, asked: Some(asked) }, ctx);
        let done = async move {
            match answer.await {
                Ok(Outcome::Done(done)) => Ok(done),
                Ok(Outcome::PickedUp(_)) | Err(_) => Err(NoAnswer),
            }
        };
        Box::pin(done.into_actor(self))
    }
}

impl Handler<PickedUp> for AgentActor {
    type Result = ResponseActFuture<Self, <PickedUp as actix::Message>::Result>;

    fn handle(&mut self, PickedUp(pick_up): PickedUp, ctx: &mut Context<Self>) -> Self::Result {
        let (asked, answer) = oneshot::channel();
        let (kit, language) = (self.kit.clone(), self.devices.wishes.language.unwrap_or_default());
        self.take(Owned::PickUp(pick_up), Cause { handled: None, asked: Some(asked) }, ctx);
        let answering = async move {
            let Ok(Outcome::PickedUp(reply)) = answer.await else { return Err(NoAnswer) };
            let recording = match reply {
                Reply::Connect(_) => rest::recording(&kit).await,
                Reply::Ask | Reply::NotTaken | Reply::NobodyWaits => None,
            };
            Ok(HowToGoOn { reply, language, recording })
        };
        Box::pin(answering.into_actor(self))
    }
}

impl Handler<See> for AgentActor {
    type Result = Option<Arc<View>>;

    fn handle(&mut self, _: See, _: &mut Context<Self>) -> Self::Result {
        self.view().map(|view| self.kit.views.put(self.id, view))
    }
}

impl Handler<Await> for AgentActor {
    type Result = MessageResult<Await>;

    fn handle(&mut self, Await(wait): Await, _: &mut Context<Self>) -> Self::Result {
        let (answer, waiting) = oneshot::channel();
        let excess = (self.waiting.len() + 1).saturating_sub(WAITERS);
        self.waiting.drain(..excess);
        self.waiting.push(Waiter { wait, answer });
        self.tell_waiting();
        MessageResult(waiting)
    }
}

impl Handler<Changed> for AgentActor {
    type Result = ();

    /// Nobody is signed in as a disabled agent, and devices go with their sessions.
    fn handle(&mut self, Changed { profile, other_worker }: Changed, ctx: &mut Context<Self>) {
        if profile.disabled && !self.devices.devices.is_empty() {
            let none = Devices { devices: Vec::new(), wishes: self.devices.wishes.clone() };
            let _written = self.keep(none, Vec::new(), ctx);
        }
        self.take(Owned::Profile { profile, other_worker }, Cause::default(), ctx);
    }
}

impl Handler<Retire> for AgentActor {
    type Result = ();

    /// No turn is under way: nothing is written behind this.
    fn handle(&mut self, _: Retire, ctx: &mut Context<Self>) {
        if let Some(agent) = self.agent.take() {
            self.kit.conversations.follow(self.id, agent.conversations(), [].into_iter());
            let unavailable = self.kit.facts.unavailable_activities();
            let context = self.context(facts::DEFAULT_RESERVATION_TIMEOUT, &unavailable);
            let (orders, requests) = agent.take_leave(&context);
            self.give(orders, ctx);
            actix::spawn(say_farewell(self.id, self.kit.clone(), requests));
        }
        tracing::info!(agent = %self.id, "an agent is removed");
        ctx.stop();
    }
}

/// Tells Twilio once, as far as it hears it: there is no record any more that anything could be owed in.
async fn say_farewell(id: AgentId, kit: Arc<Kit>, requests: Vec<Request>) {
    let telling = async {
        let mut unheard = 0_usize;
        for request in requests {
            unheard += usize::from(rest::carry_out(&kit, request).await.is_err());
        }
        unheard
    };
    match tokio::time::timeout(FAREWELL, telling).await {
        Ok(0) => {}
        Ok(unheard) => tracing::warn!(agent = %id, unheard, "Twilio did not take what a removed agent leaves behind"),
        Err(_) => tracing::warn!(agent = %id, "Twilio was not told in time what a removed agent leaves behind"),
    }
}
