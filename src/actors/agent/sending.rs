//! Sends that bear a key: written down before they go out, and one at a time for each key.

use actix::{ActorFutureExt, AsyncContext, Context, Handler, Message, ResponseActFuture, WrapFuture, fut};
use tokio::sync::oneshot;

use super::{
    super::{Sends, ask::NoAnswer},
    AgentActor, disk,
};
use crate::{
    agent::sends::{self, Begin, Sent},
    domain::{Fingerprint, SendId},
    store::StoreError,
};

/// A request for a send; whoever made it holds on to the turn until it has told the end.
#[derive(Clone, Copy, Message)]
#[rtype(result = "Result<Sending, NoAnswer>")]
pub(in crate::actors) struct BeginSend {
    pub(in crate::actors) id: SendId,
    pub(in crate::actors) what: Fingerprint,
}

/// What became of it.
#[derive(Clone, Message)]
#[rtype(result = "Result<(), NoAnswer>")]
pub(in crate::actors) struct EndSend {
    pub(in crate::actors) id: SendId,
    pub(in crate::actors) sent: Option<Sent>,
}

/// Whether it is this request's to go on with.
#[derive(Debug)]
pub enum Sending {
    Yours(Begin, SendTurn),
    /// Another request with the same key is under way.
    UnderWay,
}

/// While it is held, no other request with the same key gets one.
#[derive(Debug)]
pub struct SendTurn(#[expect(dead_code, reason = "held, not read")] oneshot::Receiver<()>);

/// A send that is under way; whoever works at it holds the other end.
pub(super) struct UnderWay {
    id: SendId,
    turn: oneshot::Sender<()>,
}

impl AgentActor {
    /// Reads the sends, changes them, and writes them down again.
    fn change_sends<T: 'static>(
        &self,
        change: impl FnOnce(&mut sends::Sends) -> T + 'static,
        then: impl FnOnce(&mut Self, Result<T, NoAnswer>) + 'static,
        ctx: &mut Context<Self>,
    ) {
        let (id, kit) = (self.id, self.kit.clone());
        let changing = async move {
            let Sends(before) = disk::read_sends(&kit, id).await?;
            let mut after = before.clone();
            let answer = change(&mut after);
            if after != before {
                disk::write_sends(&kit, id, &Sends(after)).await?;
            }
            Ok::<_, StoreError>(answer)
        };
        ctx.wait(changing.into_actor(self).map(move |changed, this, _| {
            let changed = changed.map_err(|error| {
                tracing::error!(agent = %this.id, %error, "what an agent sends cannot be written down");
                NoAnswer
            });
            then(this, changed);
        }));
    }
}

impl Handler<BeginSend> for AgentActor {
    type Result = ResponseActFuture<Self, <BeginSend as Message>::Result>;

    fn handle(&mut self, BeginSend { id, what }: BeginSend, ctx: &mut Context<Self>) -> Self::Result {
        self.sending.retain(|one| !one.turn.is_closed());
        if self.sending.iter().any(|one| one.id == id) {
            return Box::pin(fut::ready(Ok(Sending::UnderWay)));
        }
        let (turn, held) = oneshot::channel();
        self.sending.push(UnderWay { id, turn });
        let (answer, answered) = oneshot::channel();
        let now = self.kit.clock.now();
        let begin = move |sends: &mut sends::Sends| sends.begin(id, what, now);
        let then = move |_: &mut Self, begun: Result<Begin, NoAnswer>| {
            // Whoever has gone lets go of the turn, too.
            let _ = answer.send(begun.map(|begin| Sending::Yours(begin, SendTurn(held))));
        };
        self.change_sends(begin, then, ctx);
        Box::pin(async move { answered.await.unwrap_or(Err(NoAnswer)) }.into_actor(self))
    }
}

impl Handler<EndSend> for AgentActor {
    type Result = ResponseActFuture<Self, <EndSend as Message>::Result>;

    fn handle(&mut self, EndSend { id, sent }: EndSend, ctx: &mut Context<Self>) -> Self::Result {
        let (answer, answered) = oneshot::channel();
        let then = move |_: &mut Self, ended| {
            // Whoever has gone does not want to know.
            let _ = answer.send(ended);
        };
        self.change_sends(move |sends| sends.end(id, sent), then, ctx);
        Box::pin(async move { answered.await.unwrap_or(Err(NoAnswer)) }.into_actor(self))
    }
}
