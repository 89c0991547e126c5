//! What the media relay costs: CPU time for 100,000 packets, ours and rtpengine's (in userspace), at the same 20,000 a
//! second in alternating runs: what else the machine does falls on both alike. The ratio decides.
//!
//! Two hundred calls of PCMU, 20 ms a packet, both ways. Server and load each have a core where there are two.

#![allow(clippy::unwrap_used, reason = "a measurement that cannot go on ends")]
#![allow(clippy::disallowed_methods, reason = "the machine's clock is what is measured by")]

#[allow(dead_code, reason = "each benchmark uses another part of it")]
#[path = "../../../benches/support/figures.rs"]
mod figures;
mod load;
mod ng;
mod server;

use std::process::ExitCode;

use figures::{Runs, Targets};
use load::{Calls, Heard};
use server::Server;

const CALLS: usize = 200;
const PACKETS: usize = 100_000;
const RUNS: usize = 5;
/// Our CPU time over rtpengine's.
const MOST: f64 = 0.7;
/// Packets a second, at least.
const LEAST_RATE: f64 = 19_000.0;

fn main() -> ExitCode {
    if server::is_asked_for() {
        server::run();
        return ExitCode::SUCCESS;
    }
    let peer = server::rtpengine();
    if peer.is_none() {
        println!("skipped: the comparison with rtpengine, which is not installed (Debian: rtpengine-daemon)");
    }
    server::pin_load();
    let (mut ours, mut theirs, mut lost, mut rates) = (vec![], vec![], vec![], vec![]);
    for run in 1..=RUNS {
        let heard = measure(&mut Server::offdesk(), &mut ours);
        lost.push(heard.lost as f64);
        rates.push(heard.rate);
        if let Some(program) = &peer {
            let heard = measure(&mut Server::rtpengine(program), &mut theirs);
            eprintln!("run {run} of {RUNS}; rtpengine lost {} packets", heard.lost);
        }
    }
    let mut targets = Targets::default();
    println!("{:<44} {}", "offdesk", Runs::new(ours.iter().copied(), "s of CPU for 100,000 packets"));
    if peer.is_some() {
        let ratio = Runs::new(ours.iter().zip(&theirs).map(|(ours, theirs)| ours / theirs), "times");
        println!("{:<44} {}", "rtpengine in userspace", Runs::new(theirs, "s of CPU for 100,000 packets"));
        println!("{:<44} {ratio}", "offdesk / rtpengine");
        targets.at_most("CPU time against rtpengine (median)", ratio.median(), MOST);
    }
    let rate = Runs::new(rates, "packets/s");
    println!("{:<44} {rate}", "load");
    targets.at_least("packets a second in every run", rate.quantile(0.0), LEAST_RATE);
    targets.at_most("packets lost in all runs", lost.iter().sum(), 0.0);
    targets.exit_code()
}

/// Calls through the server, a tenth of the packets to warm up, then all of them.
fn measure(server: &mut Server, cpu: &mut Vec<f64>) -> Heard {
    let mut calls = Calls::start(server, CALLS);
    calls.talk(PACKETS / 10);
    let before = server.cpu();
    let heard = calls.talk(PACKETS);
    let used = server.cpu() - before;
    cpu.push(used.as_secs_f64() * PACKETS as f64 / heard.received as f64);
    heard
}
