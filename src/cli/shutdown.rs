//! Being told to stop: the first signal drains, the second ends the process at once.

use std::{io, process};

use futures_util::future::{self, Either};
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::failure::Exit;

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

    /// Resolves at the first signal, once `on_first` has run. From then on another one ends the process.
    pub(super) async fn drain(mut self, on_first: impl FnOnce()) {
        self.next().await;
        on_first();
        tokio::spawn(async move {
            self.next().await;
            end_at_once();
        });
    }
}

#[expect(clippy::disallowed_methods, reason = "whoever asks twice wants it over; what was acknowledged is on disk")]
fn end_at_once() {
    tracing::warn!("told to stop twice: ending without waiting for calls");
    process::exit(Exit::Internal as i32);
}
