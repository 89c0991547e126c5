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
use support::load::Connection;
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
    let due = |index: usize| start + Duration::from_secs(1) / RATE * u32::try_from(index).unwrap();
    let sent: HashMap<_, _> =
        numbers.clone().enumerate().map(|(index, number)| (sid("WR", number), due(index))).collect();
    let sending = tokio::spawn(send(http, requests, start));
    let mut latencies = Vec::with_capacity(sent.len());
    while latencies.len() < sent.len() {
        let Ok(Some(instruction)) = tokio::time::timeout(PATIENCE, instructions.recv()).await else { break };
        latencies.extend(sent.get(&instruction.reservation).map(|sent| instruction.at - *sent));
    }
    sending.await.unwrap();
    latencies
}

/// An open loop over a few connections: a slow answer delays no later offer.
async fn send(http: std::net::SocketAddr, requests: Vec<Vec<u8>>, start: Instant) {
    const CONNECTIONS: usize = 16;
    let mut lanes: Vec<Vec<(usize, Vec<u8>)>> = vec![Vec::new(); CONNECTIONS];
    for (index, request) in requests.into_iter().enumerate() {
        lanes[index % CONNECTIONS].push((index, request));
    }
    let lanes = lanes.into_iter().map(|lane| async move {
        let mut connection = Connection::open(http).await;
        for (index, request) in lane {
            let due = start + Duration::from_secs(1) / RATE * u32::try_from(index).unwrap();
            tokio::time::sleep_until(due.into()).await;
            assert_eq!(connection.exchange(&request).await, 204);
        }
    });
    futures_util::future::join_all(lanes).await;
}
