//! What is done at the start and now and then, beside the calls.

use std::{path::PathBuf, time::Duration};

use actix::Addr;
use tokio::{
    runtime::Handle,
    sync::{broadcast::error::RecvError, watch},
};

use crate::{
    actors::{Directory, ask},
    clock::Clock,
    config::{Config, Intake},
    handling::Handling,
    inbox::Inbox,
    intake::{self, Doors, Family},
    reconcile::Reconciler,
    roster::phone,
    sessions::{End, EndedSession, Sessions},
    store::{StoreHandle, backup},
    twilio::{Twilio, facts::WorkspaceFacts},
};

/// How often the store is copied, and how many copies are kept.
const BACKUP_EVERY: Duration = Duration::from_secs(3600);
const BACKUPS: usize = 24;
/// How often events that nobody will repeat are forgotten.
const SWEEP_EVERY: Duration = Duration::from_secs(3600);
/// An agent who did not answer is asked again.
const AGAIN: Duration = Duration::from_secs(5);
/// How long after the start, and how often then, it is seen whether Twilio is set to send its events.
const FIRST_LOOK: Duration = Duration::from_secs(300);
const LOOK_EVERY: Duration = Duration::from_secs(3600);

/// Reads what the first call and the first new agent will need, so that nobody waits for it.
pub(super) fn warm(io: &Handle, facts: WorkspaceFacts, offline: String) {
    io.spawn(async move {
        if let Err(error) = facts.workspace_sid().await {
            tracing::warn!(%error, "the workspace cannot be read yet");
        }
        let _ = facts.flex_recording().await;
        // Which activities take no tasks.
        let _ = facts.activity_sid(&offline).await;
    });
    // The table of countries takes half a second to unfold, which the first agent to be added shall not wait for.
    io.spawn_blocking(|| phone::read("+1"));
}

/// Sets all chores going; they end with the runtime. Answers how often the event log has been read.
pub(super) fn start(
    io: &Handle,
    config: &Config,
    store: &StoreHandle,
    clock: &Clock,
    inbox: &Inbox,
    twilio: &Twilio,
) -> watch::Receiver<u64> {
    let (store, clock, inbox, twilio) = (store.clone(), clock.clone(), inbox.clone(), twilio.clone());
    let (readings, read) = watch::channel(0);
    io.spawn(watch_intake(clock.clone(), twilio.clone(), Doors::of(&config.public_url), config.twilio.intake));
    io.spawn(Reconciler { store: store.clone(), clock: clock.clone(), twilio, inbox: inbox.clone(), readings }.run());
    io.spawn(sweep(clock.clone(), inbox, Handling { store: store.clone(), clock: clock.clone() }));
    io.spawn(back_up(clock, store, config.backup_path()));
    read
}

/// Keeps the sessions in order, and has agents let go of the devices of those that are over. What is owed when the daemon
/// ends is made good at the next start.
pub(super) fn look_after(io: &Handle, clock: &Clock, sessions: &Sessions, directory: &Addr<Directory>) {
    io.spawn(let_go(clock.clone(), sessions.clone(), directory.clone()));
    io.spawn(forget(clock.clone(), sessions.clone()));
}

async fn let_go(clock: Clock, sessions: Sessions, directory: Addr<Directory>) {
    // Before the first look, so that nothing ends unheard.
    let mut ended = sessions.ended();
    loop {
        for EndedSession { agent, session, how } in sessions.owed() {
            let superseded = how == End::Superseded;
            if ask::let_go(&directory, agent, session, superseded).await.is_err() {
                continue;
            }
            if let Err(error) = sessions.let_go(session).await {
                tracing::warn!(%agent, %session, %error, "that a session's devices are gone was not written down");
            }
        }
        let again =
            async { if sessions.owed().is_empty() { std::future::pending().await } else { clock.sleep(AGAIN).await } };
        tokio::select! {
            heard = ended.recv() => if let Err(RecvError::Closed) = heard { return },
            () = again => {}
        }
    }
}

async fn forget(clock: Clock, sessions: Sessions) {
    loop {
        clock.sleep(SWEEP_EVERY).await;
        if let Err(error) = sessions.sweep().await {
            tracing::warn!(%error, "old sessions were not forgotten");
        }
    }
}

/// Says in the log if Twilio is not set to send its events here: the event log alone is slow, and knows no conversations.
async fn watch_intake(clock: Clock, twilio: Twilio, doors: Doors, wanted: Intake) {
    let mut rest = FIRST_LOOK;
    loop {
        clock.sleep(rest).await;
        rest = LOOK_EVERY;
        let found = match intake::read(&twilio, &doors).await {
            Ok(found) => found,
            Err(error) => {
                tracing::info!(%error, "how events come was not looked at");
                continue;
            }
        };
        for family in Family::ALL {
            let comes = found.trouble(family, &doors, wanted).is_none();
            metrics::gauge!("offdesk_intake_ok", "family" => family.label()).set(f64::from(u8::from(comes)));
            if !comes {
                tracing::warn!(family = family.label(), "Twilio's events do not all come; offdesk doctor says why");
            }
        }
    }
}

async fn sweep(clock: Clock, inbox: Inbox, handling: Handling) {
    loop {
        clock.sleep(SWEEP_EVERY).await;
        if let Err(error) = inbox.sweep().await {
            tracing::warn!(%error, "old events were not forgotten");
        }
        if let Err(error) = handling.sweep().await {
            tracing::warn!(%error, "old handle times were not forgotten");
        }
    }
}

async fn back_up(clock: Clock, store: StoreHandle, folder: PathBuf) {
    loop {
        clock.sleep(BACKUP_EVERY).await;
        let (store, now, folder) = (store.clone(), clock.now(), folder.clone());
        let writing = tokio::task::spawn_blocking(move || backup::rotate(&*store, &folder, BACKUPS, now));
        if let Ok(Err(error)) = writing.await {
            tracing::error!(%error, "the store was not backed up");
        }
    }
}
