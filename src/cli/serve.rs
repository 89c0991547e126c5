//! `offdesk serve`: the daemon, from its configuration to its end.

use std::{
    future::Future,
    io::{self, Write},
    time::Duration,
};

use sd_notify::NotifyState;

use super::{Environment, Failure, failure::Exit, setting::ConfigFile, shutdown::Signals};
use crate::{
    app::{App, Ready, RunError, StartError},
    clock::Clock,
    config::Config,
    telemetry::Metrics,
};

pub(super) fn run(file: &ConfigFile, env: &Environment) -> Result<(), Failure> {
    let config = file.load(env)?;
    let metrics = Metrics::install()?;
    actix::System::new().block_on(daemon(config, metrics))
}

async fn daemon(config: Config, metrics: Metrics) -> Result<(), Failure> {
    let signals = Signals::catch()?;
    let clock = Clock::system();
    let app = App::start(&config, clock.clone(), metrics).await.map_err(|error| not_started(error, &config))?;
    announce(app.ready())?;
    tell_systemd(NotifyState::Ready);
    let watchdog = tokio::spawn(feed_watchdog(clock));
    let outcome = app.run_until(signals.drain(|| tell_systemd(NotifyState::Stopping))).await;
    watchdog.abort();
    ended(outcome)
}

pub(super) fn ended(outcome: Result<(), RunError>) -> Result<(), Failure> {
    outcome.map_err(|error| match error {
        RunError::Store(error) => Failure::from(error),
        RunError::Listener(_) => Failure::new(Exit::Internal, error.to_string(), "start it again"),
    })
}

pub(super) fn not_started(error: StartError, config: &Config) -> Failure {
    let cause = error.to_string();
    match error {
        StartError::Store { source, .. } => Failure::store(&source, &config.store_path()),
        StartError::Bind { .. } => {
            Failure::new(Exit::Unavailable, cause, "stop what listens there, or configure another address")
        }
        StartError::Tls(_) | StartError::ExtraRoots(_) => {
            Failure::usage(cause, "name PEM files that the user who runs offdesk may read")
        }
        StartError::Twilio(_) => Failure::usage(cause, "offdesk config check shows what is configured"),
        StartError::Runtime(_) => {
            Failure::new(Exit::Internal, cause, "see that the limits of the service are not too low")
        }
    }
}

/// The one line on standard output, for whoever started us with port 0.
fn announce(ready: &Ready) -> io::Result<()> {
    let line = serde_json::to_string(ready)?;
    let mut out = io::stdout().lock();
    writeln!(out, "{line}")?;
    out.flush()
}

/// Nothing happens where systemd does not ask for it (`$NOTIFY_SOCKET`).
fn tell_systemd(state: NotifyState<'_>) {
    if let Err(error) = sd_notify::notify(&[state]) {
        tracing::warn!(%error, "systemd was not told");
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
