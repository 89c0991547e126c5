//! Those who look on: they take a place between two turns, together with the state from which on they are told everything.

use actix::{Context, Handler, ResponseActFuture, WrapFuture};
use tokio::sync::oneshot;

use super::{
    super::ask::{Listen, NoAnswer, Seat, Start, View},
    AgentActor, Cause, Owned,
};
use crate::agent::{
    Agent, Effect,
    changes::{Change, changes},
};

/// Those who wait for a place at most: a bound on what a flood of them takes while the store is busy.
const WAITING: usize = 64;

/// Somebody who wants a place.
pub(super) struct Newcomer {
    listen: Listen,
    seat: oneshot::Sender<Seat>,
}

impl AgentActor {
    /// What a turn has changed, if anybody may want to know.
    pub(super) fn changes(&self, next: &Agent, effects: &[Effect]) -> Vec<Change> {
        let before = self.agent.as_ref().filter(|_| self.feed.is_some());
        before.map(|before| changes(before, next, effects)).unwrap_or_default()
    }

    /// Tells those who look on, and then shows newcomers to their places.
    pub(super) fn tell_listeners(&mut self, changes: Vec<Change>) {
        let Some(feed) = &mut self.feed else { return };
        feed.tell(changes, self.kit.clock.now());
        for Newcomer { listen, seat } in std::mem::take(&mut self.newcomers) {
            if let Some(place) = self.seat(listen) {
                // Whoever has gone does not want to know.
                let _ = seat.send(place);
            }
        }
    }

    /// The view as others see it, once the agent is loaded.
    pub(super) fn view(&self) -> Option<View> {
        let agent = self.agent.as_ref()?;
        Some(View {
            tasks: agent.tasks(),
            call: agent.call(),
            activity: agent.activity().map(str::to_owned),
            is_changing_activity: agent.is_changing_activity(),
            identity: agent.identity().clone(),
            unread: agent.unread(),
            devices: self.devices.devices.clone(),
            wishes: self.devices.wishes.clone(),
        })
    }

    fn seat(&mut self, Listen { viewer, after }: Listen) -> Option<Seat> {
        let missed = after.and_then(|after| self.feed.as_ref()?.since(after));
        let start = match missed {
            Some(missed) => Start::Resumed(missed),
            None => Start::Snapshot { seq: self.feed.as_ref()?.last(), view: Box::new(self.view()?) },
        };
        Some(Seat { start, told: self.feed.as_mut()?.listen(viewer) })
    }
}

impl Handler<Listen> for AgentActor {
    type Result = ResponseActFuture<Self, <Listen as actix::Message>::Result>;

    /// The first listener begins a life of the stream: that is on disk before anything is told.
    fn handle(&mut self, listen: Listen, ctx: &mut Context<Self>) -> Self::Result {
        let (seat, seated) = oneshot::channel();
        let excess = (self.newcomers.len() + 1).saturating_sub(WAITING);
        self.newcomers.drain(..excess);
        self.newcomers.push(Newcomer { listen, seat });
        if self.feed.is_some() {
            self.tell_listeners(Vec::new());
        } else {
            self.take(Owned::Stream, Cause::default(), ctx);
        }
        Box::pin(async move { seated.await.map_err(|_| NoAnswer) }.into_actor(self))
    }
}
