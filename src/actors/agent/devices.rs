//! Devices come and go: with their push service, and with the session that registered them.

use std::time::Duration;

use actix::{ActorFutureExt, AsyncContext, Context, Handler, ResponseActFuture, WrapFuture};
use tokio::sync::oneshot;

use super::{
    super::{
        Devices,
        ask::{Gone, LetGo, NoAnswer},
    },
    AgentActor, disk,
};
use crate::{
    domain::{Device, News, Notification},
    push::Numbered,
};

/// So long it is of use to know that another device has taken over.
const NEWS_OF_END: Duration = Duration::from_secs(24 * 3600);

impl AgentActor {
    /// Writes which devices are left, together with what those that go are told; `done` hears of it.
    pub(super) fn keep(
        &self,
        left: Vec<Device>,
        pushes: Vec<Numbered>,
        done: Option<oneshot::Sender<()>>,
        ctx: &mut Context<Self>,
    ) {
        let (id, kit, devices) = (self.id, self.kit.clone(), Devices(left.clone()));
        let writing = async move { disk::write_devices(&kit, id, &devices, &pushes).await.map(|()| pushes) };
        ctx.wait(writing.into_actor(self).map(move |written, this, _| match written {
            Ok(pushes) => {
                this.devices = left;
                this.kit.push.hand_over(pushes);
                // Whoever has gone does not want to know.
                let _ = done.map(|done| done.send(()));
            }
            Err(error) => tracing::error!(agent = %this.id, %error, "an agent's devices cannot be written"),
        }));
    }
}

impl Handler<Gone> for AgentActor {
    type Result = ();

    fn handle(&mut self, Gone(device): Gone, ctx: &mut Context<Self>) {
        let left: Vec<_> = self.devices.iter().filter(|known| known.id != device).cloned().collect();
        if left.len() == self.devices.len() {
            return;
        }
        tracing::info!(agent = %self.id, %device, "a device is gone: its push service does not know it any more");
        self.keep(left, Vec::new(), None, ctx);
    }
}

impl Handler<LetGo> for AgentActor {
    type Result = ResponseActFuture<Self, <LetGo as actix::Message>::Result>;

    fn handle(&mut self, LetGo { session, superseded }: LetGo, ctx: &mut Context<Self>) -> Self::Result {
        let (done, answer) = oneshot::channel();
        let of_session = |device: &Device| device.session == Some(session);
        let (gone, left): (Vec<_>, Vec<_>) = self.devices.iter().cloned().partition(of_session);
        if gone.is_empty() {
            // Nobody has let go of the other end yet.
            let _ = done.send(());
        } else {
            let pushes = if superseded { self.news_of_end(&gone) } else { Vec::new() };
            self.keep(left, pushes, Some(done), ctx);
        }
        Box::pin(async move { answer.await.map_err(|_| NoAnswer) }.into_actor(self))
    }
}

impl AgentActor {
    fn news_of_end(&self, devices: &[Device]) -> Vec<Numbered> {
        let notification = Notification {
            news: News::SessionSuperseded,
            expires: self.kit.clock.now() + NEWS_OF_END,
            unread: self.agent.as_ref().map_or(0, crate::agent::Agent::unread),
        };
        self.kit.push.items(self.id, devices, &notification)
    }
}
