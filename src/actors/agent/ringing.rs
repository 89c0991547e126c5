//! An agent's softphones: orders to them, and what they tell.

use actix::{AsyncContext, Context, Handler, Message, WrapFuture};

use super::{AgentActor, Cause, Owned};
use crate::domain::{SoftphoneLeg, SoftphoneNews, SoftphoneOrder};

/// The agent's softphones tell something.
#[derive(Message)]
#[rtype(result = "()")]
pub(in crate::actors) struct Heard(pub(in crate::actors) SoftphoneLeg, pub(in crate::actors) SoftphoneNews);

impl AgentActor {
    /// Gives orders, one after the other. If they find no room, the agent waits until they do.
    pub(super) fn give(&self, orders: Vec<SoftphoneOrder>, ctx: &mut Context<Self>) {
        let Some(line) = self.kit.line.clone() else { return };
        let mut orders = orders.into_iter();
        let Some(refused) = orders.find_map(|order| line.try_order(order).err()) else { return };
        let giving = async move {
            for order in std::iter::once(refused).chain(orders) {
                line.order(order).await;
            }
        };
        ctx.wait(giving.into_actor(self));
    }

    /// What rings or is talked at.
    pub(super) fn softphones(&self) -> Vec<SoftphoneLeg> {
        self.kit.line.as_ref().map(|line| line.calls_of(self.id)).unwrap_or_default()
    }
}

impl Handler<Heard> for AgentActor {
    type Result = ();

    fn handle(&mut self, Heard(leg, news): Heard, ctx: &mut Context<Self>) {
        self.take(Owned::Softphones(leg, news), Cause::default(), ctx);
    }
}
