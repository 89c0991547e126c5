//! From a webhook in to the INVITE at the agent's softphone.
//!
//! 20 offers a second, evenly spaced, each to another agent, so that every agent is also read from the store and started.

#![allow(clippy::unwrap_used, reason = "a measurement that cannot go on ends")]
#![allow(clippy::disallowed_methods, reason = "the machine's clock is what is measured by")]

mod support;

use std::process::ExitCode;
use std::time::{Duration, Instant};

use support::daemon::{self, Installation};
use support::figures::{Runs, Targets, millis};
use support::load::{due, send_evenly};
use support::phones::{self, Invite};
use support::twilio;
use support::webhook::TaskRouterEvent;
use tokio::sync::mpsc;

const RATE: u32 = 20;
const SECONDS: usize = 30;
const OFFERS: usize = RATE as usize * SECONDS;
/// Before the measurement: connections to Twilio are opened and the workspace's facts are read.
const WARM_UP: usize = RATE as usize;
/// How long the last phone may take to ring.
const PATIENCE: Duration = Duration::from_secs(10);
const TARGET_MS: f64 = 100.0;

fn main() -> ExitCode {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(measure())
}

async fn measure() -> ExitCode {
    let (twilio, _instructions) = twilio::start();
    let installation = Installation::new(twilio);
    installation.listen_for_softphones();
    installation.import_softphones(WARM_UP + OFFERS);
    let server = installation.serve();
    let gateway = server.ready()["sip_udp"].as_str().unwrap().parse().unwrap();
    let mut invites = phones::register(gateway, WARM_UP + OFFERS).await;
    let http = daemon::http(&server);
    offer(http, 0, WARM_UP, &mut invites).await;
    let latencies = offer(http, WARM_UP, OFFERS, &mut invites).await;
    let runs = Runs::new(latencies.iter().copied().map(millis), "ms");
    println!("{} of {OFFERS} offers rang at a softphone, at {RATE} a second", latencies.len());
    for (name, part) in [("p50", 0.5), ("p90", 0.9), ("p99", 0.99), ("max", 1.0)] {
        println!("  {name:<6} {:8.2} ms", runs.quantile(part));
    }
    let mut targets = Targets::default();
    targets.at_least("offers that rang at a softphone", latencies.len() as f64, OFFERS as f64);
    targets.at_most("webhook in to INVITE at the phone, p99 in ms", runs.quantile(0.99), TARGET_MS);
    targets.exit_code()
}

/// Sends the offers at their times, whatever the answers take, and returns how long each took to ring.
async fn offer(
    http: std::net::SocketAddr,
    first: usize,
    count: usize,
    invites: &mut mpsc::Receiver<Invite>,
) -> Vec<Duration> {
    let offer = |number| TaskRouterEvent::offer(number, number).request();
    let requests: Vec<_> = (first..first + count).map(offer).collect();
    let start = Instant::now() + Duration::from_millis(100);
    let sending = tokio::spawn(send_evenly(http, requests, start, RATE));
    let mut latencies = Vec::with_capacity(count);
    while latencies.len() < count {
        let Ok(Some(invite)) = tokio::time::timeout(PATIENCE, invites.recv()).await else { break };
        latencies.push(invite.at - due(start, RATE, invite.agent - first));
    }
    sending.await.unwrap();
    latencies
}
