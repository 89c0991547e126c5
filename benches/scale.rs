//! A big contact centre: 100,000 agents known, 1,000 of them with a call. How much memory, how long to be ready.

#![allow(clippy::unwrap_used, reason = "a measurement that cannot go on ends")]

mod support;

use std::process::ExitCode;
use std::sync::Arc;

use support::daemon::{self, Installation};
use support::figures::{Runs, Targets, millis};
use support::webhook::TaskRouterEvent;
use support::{load, twilio};

const KNOWN: usize = 100_000;
const ACTIVE: usize = 1_000;
const CONNECTIONS: usize = 16;
const STARTS: usize = 3;
const MAX_MB: f64 = 300.0;
const MAX_READY_MS: f64 = 2_000.0;

fn main() -> ExitCode {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(measure())
}

async fn measure() -> ExitCode {
    let (twilio, mut instructions) = twilio::start();
    let installation = Installation::new(twilio);
    installation.import_agents(KNOWN);
    let ready: Vec<_> = (0..STARTS).map(|_| millis(installation.serve().took())).collect();
    let server = installation.serve();
    server.settle();
    let idle = megabytes(server.resident());
    // Spread over all agents, as calls are.
    let offers = (0..ACTIVE).map(|number| TaskRouterEvent::offer(number, number * (KNOWN / ACTIVE)).request());
    load::drive(daemon::http(&server), &Arc::new(offers.collect()), CONNECTIONS, 204).await;
    for _ in 0..ACTIVE {
        instructions.recv().await.unwrap();
    }
    server.settle();
    let active = megabytes(server.resident());
    let ready = Runs::new(ready, "ms");
    println!("{KNOWN} agents: ready after {ready}, {idle:.0} MB resident; with {ACTIVE} calls {active:.0} MB");
    let mut targets = Targets::default();
    targets.at_most("memory with all of them, in MB", active, MAX_MB);
    targets.at_most("until ready, in ms (median)", ready.median(), MAX_READY_MS);
    targets.exit_code()
}

fn megabytes(bytes: u64) -> f64 {
    bytes as f64 / 1e6
}
