//! Registrations: what they cost beside Kamailio, how much memory they take, how fast they come back, and what a flood does
//! to them. Each server runs on the first core, whoever asks it on the second.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a measurement that cannot go on ends")]
#![allow(clippy::disallowed_methods, reason = "the machine's clock is what is measured by")]
#![allow(clippy::cast_precision_loss, reason = "figures for people")]

mod engine;
#[path = "../../../benches/support/figures.rs"]
#[allow(dead_code, reason = "each benchmark uses another part of it")]
mod figures;
mod flood;
mod kamailio;
mod phones;
mod server;

use std::process::ExitCode;

use figures::{Runs, Targets};
use server::Server;

/// The daemon's allocator.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Registrations a run, each by another user: 401 and 200.
const REGISTRATIONS: usize = 100_000;
const RATE: usize = 3_000;
const RUNS: usize = 5;
const MOST_COST: f64 = 1.0;
const MOST_KB: f64 = 1.2;
const MOST_RESTORE_MS: f64 = 2_000.0;

/// A registrar and nothing else.
const REGISTRAR: kamailio::Role = kamailio::Role {
    modules: "",
    route: r#"
    if (!is_method("REGISTER")) { sl_send_reply("405", "Method Not Allowed"); exit; }
    if (!pv_www_authenticate("DOMAIN", "PASSWORD", "0")) { www_challenge("DOMAIN", "1"); exit; }
    if (!save("location")) { sl_reply_error(); }
    exit;"#,
};

fn main() -> ExitCode {
    if let Some(how) = engine::asked() {
        engine::run(how);
        return ExitCode::SUCCESS;
    }
    let folder = tempfile::tempdir().unwrap();
    let mut targets = Targets::default();
    let runs = std::env::var("RUNS").ok().and_then(|runs| runs.parse().ok()).unwrap_or(RUNS);
    compare(folder.path(), runs, &mut targets);
    remember(folder.path(), &mut targets);
    flood::measure(&mut targets);
    targets.exit_code()
}

/// Alternating runs: what one registration costs the server.
fn compare(folder: &std::path::Path, runs: usize, targets: &mut Targets) {
    let users = phones::users(folder, REGISTRATIONS);
    let (mut ours, mut theirs, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    for run in 1..=runs {
        let cost = |server: &Server| {
            let before = server.cpu();
            let achieved = phones::register(server.address(), &users, folder, REGISTRATIONS, RATE);
            let cost = (server.cpu() - before).as_secs_f64();
            println!("  run {run}: {:<8} {cost:.2} s at {achieved:.0}/s, no failure", server.name());
            cost
        };
        let kamailio = cost(&kamailio::start(folder, REGISTRAR));
        let engine = cost(&engine::start(REGISTRATIONS));
        ours.push(engine);
        theirs.push(kamailio);
        ratios.push(engine / kamailio);
    }
    let ratio = Runs::new(ratios, "of Kamailio's");
    println!(
        "{REGISTRATIONS} registrations at {RATE}/s: Offdesk {}, Kamailio {}",
        Runs::new(ours, "s"),
        Runs::new(theirs, "s")
    );
    println!("CPU time: {ratio}");
    targets.at_most("CPU time beside Kamailio's (median)", ratio.median(), MOST_COST);
}

/// Memory of registrations, and their way back.
fn remember(folder: &std::path::Path, targets: &mut Targets) {
    let users = phones::users(folder, REGISTRATIONS);
    let server = engine::start(REGISTRATIONS);
    let before = server.pss_kb();
    phones::register(server.address(), &users, folder, REGISTRATIONS, RATE);
    let after = server.pss_kb();
    let each = (after - before) / REGISTRATIONS as f64;
    println!("{REGISTRATIONS} registrations: {before:.0} kB before, {after:.0} kB after");
    targets.at_most("memory a registration, in kB (PSS)", each, MOST_KB);
    drop(server);
    let restored = engine::restore(REGISTRATIONS);
    targets.at_most("until 100,000 bindings are back, in ms", restored, MOST_RESTORE_MS);
}
