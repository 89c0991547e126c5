//! Agents who call each other: INVITE, challenged, 180, 200, ACK, BYE, as sipp plays both sides; what a call costs beside
//! Kamailio, which passes messages on and keeps no dialog. Here each call also takes its four ports of the media relay and gives
//! them back. Each server runs on the first core, whoever calls and is called on the second.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a measurement that cannot go on ends")]
#![allow(clippy::disallowed_methods, reason = "the machine's clock is what is measured by")]

#[path = "../../../benches/support/figures.rs"]
#[allow(dead_code, reason = "each benchmark uses another part of it")]
mod figures;
mod gateway;
#[path = "../sip/kamailio.rs"]
mod kamailio;
#[path = "../sip/phones.rs"]
#[allow(dead_code, reason = "each benchmark uses another part of it")]
mod phones;
#[path = "../sip/server.rs"]
#[allow(dead_code, reason = "each benchmark uses another part of it")]
mod server;
mod sides;

use std::process::ExitCode;

use figures::{Runs, Targets};
use server::Server;
use sides::{Sides, Talk};

/// The daemon's allocator.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const CALLS: usize = 10_000;
const RATE: usize = 500;
const RUNS: usize = 5;
const MOST_COST: f64 = 1.5;

/// A proxy that stays in the way of requests within calls.
const PROXY: kamailio::Role = kamailio::Role {
    modules: "loadmodule \"tm.so\"\nloadmodule \"tmx.so\"\nloadmodule \"rr.so\"\nmodparam(\"rr\", \"append_fromtag\", 1)",
    route: r#"
    if (is_method("OPTIONS") && uri==myself) { sl_send_reply("200", "OK"); exit; }
    if (is_method("CANCEL")) { if (t_check_trans()) { t_relay(); } exit; }
    if (has_totag()) {
        if (loose_route()) { if (!t_relay()) { sl_reply_error(); } exit; }
        if (is_method("ACK")) { if (t_check_trans()) { t_relay(); } exit; }
        sl_send_reply("404", "Not here"); exit;
    }
    if (!pv_www_authenticate("DOMAIN", "PASSWORD", "0")) { www_challenge("DOMAIN", "1"); exit; }
    if (is_method("REGISTER")) { if (!save("location")) { sl_reply_error(); } exit; }
    if (is_method("INVITE")) { consume_credentials(); record_route(); }
    t_check_trans();
    if (!lookup("location")) { sl_send_reply("404", "Not Found"); exit; }
    if (!t_relay()) { sl_reply_error(); }"#,
};

fn main() -> ExitCode {
    if gateway::is_asked_for() {
        gateway::run();
        return ExitCode::SUCCESS;
    }
    let folder = tempfile::tempdir().unwrap();
    let sides = Sides::new(folder.path(), CALLS);
    let runs = std::env::var("RUNS").ok().and_then(|runs| runs.parse().ok()).unwrap_or(RUNS);
    let mut targets = Targets::default();
    let proxy = || kamailio::start(folder.path(), PROXY);
    compare(&sides, proxy, runs, &mut targets);
    without_pauses(&sides, proxy, &mut targets);
    targets.exit_code()
}

/// Alternating runs: what a call costs the server.
fn compare(sides: &Sides, proxy: impl Fn() -> Server, runs: usize, targets: &mut Targets) {
    let (mut ours, mut theirs, mut ratios, mut failed) = (Vec::new(), Vec::new(), Vec::new(), 0);
    for run in 1..=runs {
        let measure = |server: &Server| {
            let (cost, talk) = cost(sides, server, 100);
            println!("  run {run}: {:<8} {cost:.2} s, {talk}", server.name());
            (cost, talk.failed)
        };
        let (kamailio, _) = measure(&proxy());
        let (engine, lost) = measure(&gateway::start(CALLS));
        failed += lost;
        ours.push(engine);
        theirs.push(kamailio);
        ratios.push(engine / kamailio);
    }
    let ratio = Runs::new(ratios, "of Kamailio's");
    println!("{CALLS} calls at {RATE}/s: Offdesk {}, Kamailio {}", Runs::new(ours, "s"), Runs::new(theirs, "s"));
    println!("CPU time: {ratio}");
    targets.at_most("CPU time of calls beside Kamailio's (median)", ratio.median(), MOST_COST);
    targets.at_most("calls that failed in all runs", f64::from(failed), 0.0);
}

/// No pause between ringing, answer, ACK and BYE: whatever overtakes another shows here.
fn without_pauses(sides: &Sides, proxy: impl Fn() -> Server, targets: &mut Targets) {
    for server in [proxy(), gateway::start(CALLS)] {
        let (cost, talk) = cost(sides, &server, 0);
        println!("  without pauses: {:<8} {cost:.2} s, {talk}", server.name());
        if server.name() == gateway::NAME {
            targets.at_most("calls without pauses that failed", f64::from(talk.failed), 0.0);
        }
    }
}

fn cost(sides: &Sides, server: &Server, pause_ms: usize) -> (f64, Talk) {
    let callee = sides.callee(server.address(), pause_ms);
    let before = server.cpu();
    let talk = sides.call(server.address(), CALLS, RATE, pause_ms);
    let cost = (server.cpu() - before).as_secs_f64();
    drop(callee);
    (cost, talk)
}
