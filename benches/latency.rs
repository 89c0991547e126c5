//! From a webhook in to the REST call out: an offer arrives, and the gateway tells Twilio to connect the agent's phone.
//!
//! 200 offers a second, evenly spaced, each to another agent, so that every agent is also read from the store and started.

#![allow(clippy::unwrap_used, reason = "a measurement that cannot go on ends")]
#![allow(clippy::disallowed_methods, reason = "the machine's clock is what is measured by")]

mod support;

use std::collections::HashMap;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use support::daemon::{self, Installation};
use support::figures::{Runs, Targets, millis};
use support::load::{due, send_evenly};
use support::webhook::TaskRouterEvent;
use support::{sid, twilio};
use tokio::sync::mpsc;

const RATE: u32 = 200;
const SECONDS: usize = 30;
const OFFERS: usize = RATE as usize * SECONDS;
/// Before the measurement: connections to Twilio are opened and the workspace's facts are read.
const WARM_UP: usize = RATE as usize;
/// How long the last call out may take to come.
const PATIENCE: Duration = Duration::from_secs(10);
const TARGET_MS: f64 = 50.0;

fn main() -> ExitCode {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(measure())
}

async fn measure() -> ExitCode {
    let (twilio, mut instructions) = twilio::start();
    let installation = Installation::new(twilio);
    installation.import_agents(WARM_UP + OFFERS);
    let server = installation.serve();
    let http = daemon::http(&server);
    offer(http, 0..WARM_UP, &mut instructions).await;
    let latencies = offer(http, WARM_UP..WARM_UP + OFFERS, &mut instructions).await;
    let runs = Runs::new(latencies.iter().copied().map(millis), "ms");
    println!("{} of {OFFERS} offers became a call out, at {RATE} a second", latencies.len());
    for (name, part) in [("p50", 0.5), ("p90", 0.9), ("p99", 0.99), ("p99.9", 0.999), ("max", 1.0)] {
        println!("  {name:<6} {:8.2} ms", runs.quantile(part));
    }
    let mut targets = Targets::default();
    targets.at_least("offers that became a call out", latencies.len() as f64, OFFERS as f64);
    targets.at_most("webhook in to REST call out, p99 in ms", runs.quantile(0.99), TARGET_MS);
    targets.exit_code()
}

/// Sends the offers at their times, whatever the answers take, and returns how long each took to become a call out.
async fn offer(
    http: std::net::SocketAddr,
    numbers: std::ops::Range<usize>,
    instructions: &mut mpsc::Receiver<twilio::Instruction>,
) -> Vec<Duration> {
    let requests: Vec<_> = numbers.clone().map(|number| TaskRouterEvent::offer(number, number).request()).collect();
    let start = Instant::now() + Duration::from_millis(100);
    let sent: HashMap<_, _> =
        numbers.clone().enumerate().map(|(index, number)| (sid("WR", number), due(start, RATE, index))).collect();
    let sending = tokio::spawn(send_evenly(http, requests, start, RATE));
    let mut latencies = Vec::with_capacity(sent.len());
    while latencies.len() < sent.len() {
        let Ok(Some(instruction)) = tokio::time::timeout(PATIENCE, instructions.recv()).await else { break };
        latencies.extend(sent.get(&instruction.reservation).map(|sent| instruction.at - *sent));
    }
    sending.await.unwrap();
    latencies
}
