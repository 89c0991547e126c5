//! A big contact centre: 100,000 agents known, 1,000 of them with a call. How much memory, how long to be ready, how long
//! to list, find, add, change and remove an agent.

#![allow(clippy::unwrap_used, reason = "a measurement that cannot go on ends")]

mod support;

use std::process::ExitCode;
use std::sync::Arc;

use support::admin::Manager;
use support::daemon::{self, Installation};
use support::figures::{Runs, Targets, millis};
use support::process::Server;
use support::webhook::TaskRouterEvent;
use support::{load, twilio};

const KNOWN: usize = 100_000;
const ACTIVE: usize = 1_000;
const CONNECTIONS: usize = 16;
const STARTS: usize = 3;
const MAX_MB: f64 = 300.0;
const MAX_READY_MS: f64 = 2_000.0;
/// Times that each call of the admin API is made.
const CALLS: usize = 50;
/// How long nearly all of them may take.
const MAX_CALL_MS: f64 = 50.0;
const NEARLY_ALL: f64 = 0.95;

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
    manage(&server, &mut targets).await;
    targets.exit_code()
}

/// Calls of the admin API while all are known and 1,000 have a call.
async fn manage(server: &Server, targets: &mut Targets) {
    let mut manager = Manager::at(daemon::http(server)).await;
    let first = manager.pages((0..CALLS).map(|_| String::new())).await;
    // Nobody is found before everybody was looked at.
    let nobody = manager.pages((0..CALLS).map(|number| format!("&search=nobody%20{number}"))).await;
    let number = manager.pages((0..CALLS).map(|number| format!("&search={:09}", number * (KNOWN / CALLS)))).await;
    let [added, changed, removed] = manager.changes(CALLS).await;
    for (what, runs) in [
        ("a page", first),
        ("a search that finds nobody", nobody),
        ("a search for a number", number),
        ("adding", added),
        ("changing the phone", changed),
        ("removing", removed),
    ] {
        println!("{what}: {runs}");
        targets.at_most(&format!("{what}, in ms (95 of 100)"), runs.quantile(NEARLY_ALL), MAX_CALL_MS);
    }
}

fn megabytes(bytes: u64) -> f64 {
    bytes as f64 / 1e6
}
