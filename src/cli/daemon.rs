//! A daemon's life in this process, from its configuration to its end: `serve` and the sandbox share it.

use std::{future::Future, time::Duration};

use sd_notify::NotifyState;

use super::{Failure, failure::Exit, shutdown::Signals};
use crate::{
    app::{App, Ready, RunError, StartError},
    clock::Clock,
    config::Config,
    push::PushError,
    sip::SipError,
    telemetry::Metrics,
};

/// How often histograms are folded: they keep every value until then.
const KEEP_UP_EVERY: Duration = Duration::from_secs(5);

/// Runs the daemon until a signal or a failure ends it. `announce` is called once its ports are bound.
pub(super) fn run(config: &Config, announce: impl FnOnce(&Ready) -> Result<(), Failure>) -> Result<(), Failure> {
    let metrics = Metrics::install()?;
    actix::System::new().block_on(live(config, metrics, announce))
}

async fn live(
    config: &Config,
    metrics: Metrics,
    announce: impl FnOnce(&Ready) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let signals = Signals::catch()?;
    let clock = Clock::system();
    let app = App::start(config, clock.clone(), metrics.clone()).await.map_err(|error| not_started(error, config))?;
    announce(app.ready())?;
    tell_systemd(NotifyState::Ready);
    let chores = [tokio::spawn(keep_up(clock.clone(), metrics)), tokio::spawn(feed_watchdog(clock.clone()))];
    let ended = app.run_until(signals.drain(clock.clone(), || tell_systemd(NotifyState::Stopping))).await;
    chores.iter().for_each(tokio::task::JoinHandle::abort);
    ended.map_err(|error| match error {
        RunError::Store(error) => Failure::from(error),
        RunError::Listener(_) | RunError::Directory | RunError::Sip => {
            Failure::new(Exit::Internal, error.to_string(), "start it again")
        }
    })
}

/// A part of the daemon that cannot be had with this configuration.
pub(super) fn not_started(error: StartError, config: &Config) -> Failure {
    let cause = error.to_string();
    match error {
        StartError::Store { source, .. } => Failure::store(&source, &config.store_path()),
        StartError::Bind { .. } | StartError::Sip(SipError::Engine(_)) => {
            Failure::new(Exit::Unavailable, cause, "stop what listens there, or choose another address")
        }
        StartError::Tls(_)
        | StartError::ExtraRoots(_)
        | StartError::Sip(SipError::File { .. } | SipError::Certificate(_)) => {
            Failure::usage(cause, "name PEM files that the user who runs offdesk may read")
        }
        StartError::KeyFile { .. } | StartError::Push(PushError::VapidKey { .. } | PushError::Account(_)) => {
            Failure::usage(cause, "name a key file that is whole and that the user who runs offdesk may read")
        }
        StartError::Push(PushError::Store(source)) | StartError::Sip(SipError::Store(source)) => {
            Failure::store(&source, &config.store_path())
        }
        StartError::Twilio(_) | StartError::Push(_) => {
            Failure::usage(cause, "offdesk config check shows what is configured")
        }
        StartError::Runtime(_) | StartError::Sip(SipError::NoRandomness) => {
            Failure::new(Exit::Internal, cause, "see that the limits of the service are not too low")
        }
    }
}

/// Nothing happens where systemd does not ask for it (`$NOTIFY_SOCKET`).
fn tell_systemd(state: NotifyState<'_>) {
    if let Err(error) = sd_notify::notify(&[state]) {
        tracing::warn!(%error, "systemd was not told");
    }
}

async fn keep_up(clock: Clock, metrics: Metrics) {
    loop {
        clock.sleep(KEEP_UP_EVERY).await;
        metrics.keep_up();
    }
}

/// Says that this thread still runs, twice in the time after which systemd would kill the process (`WatchdogSec=`).
fn feed_watchdog(clock: Clock) -> impl Future<Output = ()> + Send {
    let interval = sd_notify::watchdog_enabled().map(|limit| limit / 2).filter(|interval| *interval > Duration::ZERO);
    async move {
        while let Some(interval) = interval {
            tell_systemd(NotifyState::Watchdog);
            clock.sleep(interval).await;
        }
    }
}
