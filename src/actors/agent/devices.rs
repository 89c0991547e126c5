//! Devices come and go: as their agent says, with their push service, and with the session that registered them.

use std::time::Duration;

use actix::{ActorFutureExt, AsyncContext, Context, Handler, ResponseActFuture, WrapFuture};
use tokio::sync::oneshot;

use super::{
    super::{
        Devices,
        ask::{Gone, LetGo, NoAnswer},
        devices::{Adjust, Register, Unregister, Wish, take_in},
    },
    AgentActor, disk,
};
use crate::{
    domain::{Device, News, Notification},
    push::Numbered,
};

/// So long it is of use to know that another device has taken over.
const NEWS_OF_END: Duration = Duration::from_secs(24 * 3600);

/// Resolves once what was asked for is on disk.
type Written = oneshot::Receiver<()>;

impl AgentActor {
    /// Writes how the devices are from now on, together with what those that go are told.
    pub(super) fn keep(&self, next: Devices, pushes: Vec<Numbered>, ctx: &mut Context<Self>) -> Written {
        let (done, written) = oneshot::channel();
        let (id, kit, devices) = (self.id, self.kit.clone(), next.clone());
        let is_left = |device: &&Device| !next.devices.iter().any(|left| left.id == device.id);
        let gone: Vec<_> = self.devices.devices.iter().filter(is_left).map(|device| device.id).collect();
        let writing = async move { disk::write_devices(&kit, id, &devices, &gone, &pushes).await.map(|()| pushes) };
        ctx.wait(writing.into_actor(self).map(move |written, this, _| match written {
            Ok(pushes) => {
                this.devices = next;
                this.kit.views.forget(this.id);
                this.kit.push.hand_over(pushes);
                // Whoever has gone does not want to know.
                let _ = done.send(());
            }
            Err(error) => tracing::error!(agent = %this.id, %error, "an agent's devices cannot be written"),
        }));
        written
    }

    /// The devices without some, which are answered beside them.
    fn without(&self, goes: impl Fn(&Device) -> bool) -> (Devices, Vec<Device>) {
        let (gone, devices): (Vec<_>, Vec<_>) = self.devices.devices.iter().cloned().partition(goes);
        (Devices { devices, wishes: self.devices.wishes.clone() }, gone)
    }

    fn news_of_end(&self, devices: &[Device]) -> Vec<Numbered> {
        let notification = Notification {
            news: News::SessionSuperseded,
            expires: self.kit.clock.now() + NEWS_OF_END,
            unread: self.agent.as_ref().map_or(0, crate::agent::Agent::unread),
        };
        self.kit.push.items(self.id, devices, &notification)
    }

    /// Answers once it is written.
    fn answer<T: 'static>(&self, written: Written, with: T) -> ResponseActFuture<Self, Result<T, NoAnswer>> {
        Box::pin(async move { written.await.map(|()| with).map_err(|_| NoAnswer) }.into_actor(self))
    }

    fn answer_now<T: 'static>(&self, with: T) -> ResponseActFuture<Self, Result<T, NoAnswer>> {
        Box::pin(std::future::ready(Ok(with)).into_actor(self))
    }
}

impl Handler<Register> for AgentActor {
    type Result = ResponseActFuture<Self, <Register as actix::Message>::Result>;

    fn handle(&mut self, Register { id, registration }: Register, ctx: &mut Context<Self>) -> Self::Result {
        let mut next = self.devices.clone();
        match take_in(&mut next, id, registration, self.kit.clock.now()) {
            Ok(registered) => {
                let written = self.keep(next, Vec::new(), ctx);
                self.answer(written, Ok(registered))
            }
            Err(too_many) => self.answer_now(Err(too_many)),
        }
    }
}

impl Handler<Adjust> for AgentActor {
    type Result = ResponseActFuture<Self, <Adjust as actix::Message>::Result>;

    fn handle(&mut self, Adjust { device, change }: Adjust, ctx: &mut Context<Self>) -> Self::Result {
        let mut next = self.devices.clone();
        let Some(changed) = next.devices.iter_mut().find(|known| known.id == device) else {
            return self.answer_now(None);
        };
        change.wishes.apply(&mut changed.wishes);
        if let Some(name) = change.name {
            changed.name = name;
        }
        let changed = changed.clone();
        let written = self.keep(next, Vec::new(), ctx);
        self.answer(written, Some(changed))
    }
}

impl Handler<Unregister> for AgentActor {
    type Result = ResponseActFuture<Self, <Unregister as actix::Message>::Result>;

    fn handle(&mut self, Unregister(device): Unregister, ctx: &mut Context<Self>) -> Self::Result {
        let (left, gone) = self.without(|known| known.id == device);
        if gone.is_empty() {
            return self.answer_now(false);
        }
        let written = self.keep(left, Vec::new(), ctx);
        self.answer(written, true)
    }
}

impl Handler<Wish> for AgentActor {
    type Result = ResponseActFuture<Self, <Wish as actix::Message>::Result>;

    fn handle(&mut self, Wish(change): Wish, ctx: &mut Context<Self>) -> Self::Result {
        let mut next = self.devices.clone();
        change.apply(&mut next.wishes);
        let wishes = next.wishes.clone();
        if next == self.devices {
            return self.answer_now(wishes);
        }
        let written = self.keep(next, Vec::new(), ctx);
        self.answer(written, wishes)
    }
}

impl Handler<Gone> for AgentActor {
    type Result = ();

    fn handle(&mut self, Gone(device): Gone, ctx: &mut Context<Self>) {
        let (left, gone) = self.without(|known| known.id == device);
        if gone.is_empty() {
            return;
        }
        tracing::info!(agent = %self.id, %device, "a device is gone: its push service does not know it any more");
        let _written = self.keep(left, Vec::new(), ctx);
    }
}

impl Handler<LetGo> for AgentActor {
    type Result = ResponseActFuture<Self, <LetGo as actix::Message>::Result>;

    fn handle(&mut self, LetGo { session, superseded }: LetGo, ctx: &mut Context<Self>) -> Self::Result {
        let (left, gone) = self.without(|device| device.session == Some(session));
        if gone.is_empty() {
            return self.answer_now(());
        }
        let pushes = if superseded { self.news_of_end(&gone) } else { Vec::new() };
        let written = self.keep(left, pushes, ctx);
        self.answer(written, ())
    }
}
