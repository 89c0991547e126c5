//! Being told to stop: the first signal drains, the second ends the calls that are left, and soon the process.

use std::{io, process, time::Duration};

use futures_util::future::{self, Either};
use tokio::{
    signal::unix::{Signal, SignalKind, signal},
    sync::oneshot,
};

use super::failure::Exit;
use crate::clock::Clock;

/// SIGTERM and SIGINT, caught from the moment this is made.
pub(super) struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    /// Needs a tokio runtime where it is called.
    pub(super) fn catch() -> io::Result<Self> {
        Ok(Self { terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())? })
    }

    async fn next(&mut self) {
        let (terminate, interrupt) = (Box::pin(self.terminate.recv()), Box::pin(self.interrupt.recv()));
        match future::select(terminate, interrupt).await {
            Either::Left(_) | Either::Right(_) => {}
        }
    }

    /// Resolves at the first signal, once `on_first` has run, with what resolves at the second. The process does not outlive
    /// that one for long.
    pub(super) async fn drain(mut self, clock: Clock, on_first: impl FnOnce()) -> impl Future<Output = ()> {
        self.next().await;
        on_first();
        let (hurry, hurried) = oneshot::channel();
        tokio::spawn(async move {
            self.next().await;
            // Nobody waits for calls any more.
            let _ = hurry.send(());
            clock.sleep(LAST_WORDS).await;
            end_at_once();
        });
        async move {
            if hurried.await.is_err() {
                future::pending().await
            }
        }
    }
}

/// What the daemon is given after the second signal: time to tell phones and Twilio, and to write.
const LAST_WORDS: Duration = Duration::from_secs(5);

#[expect(clippy::disallowed_methods, reason = "whoever asks twice wants it over; what was acknowledged is on disk")]
fn end_at_once() {
    tracing::warn!("told to stop twice: ending without waiting for anything");
    process::exit(Exit::Internal as i32);
}
