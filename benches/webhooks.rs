//! What a durable, signed webhook costs: CPU time up to the 204, against what a Node gateway would be at its least (Express
//! with Twilio's own middleware and an empty handler) and against a bare actix-web handler that checks and keeps nothing.
//!
//! Every run has 64 connections and 30,000 different events, and each server gets the same bytes, in turns: what else the
//! machine does falls on all alike. The ratio decides; the absolute figures orient.

#![allow(clippy::unwrap_used, reason = "a measurement that cannot go on ends")]

mod support;

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::process::{Command, ExitCode};
use std::sync::Arc;

use actix_web::{App, HttpResponse, HttpServer, web};
use serde_json::json;
use support::daemon::{self, Installation};
use support::figures::{Runs, Targets, micros_each};
use support::process::Server;
use support::webhook::TaskRouterEvent;
use support::{AUTH_TOKEN, PUBLIC_URL, load, twilio};

const CONNECTIONS: usize = 64;
const REQUESTS: usize = 30_000;
/// Sent before each measurement: Node compiles what it finds hot, and pools fill.
const WARM_UP: usize = 3_000;
const RUNS: usize = 5;
const AGENTS: usize = 1_000;
const TARGET: f64 = 3.0;

type Requests = Arc<Vec<Vec<u8>>>;

/// The same load for each server.
struct Loads {
    warm_up: Requests,
    measured: Requests,
}

fn main() -> ExitCode {
    if support::argument("--bare") {
        bare();
        return ExitCode::SUCCESS;
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(compare())
}

async fn compare() -> ExitCode {
    let (twilio, _instructions) = twilio::start();
    // Workers whom nobody knows: such an event is checked and kept like any other, and nothing is to be done about it.
    let strangers = loads(|number| TaskRouterEvent::offer(number, AGENTS + number));
    let agents = loads(|number| TaskRouterEvent::activity(number, number % AGENTS));
    let (mut ours, mut express, mut nothing, mut with_work) = (vec![], vec![], vec![], vec![]);
    for run in 1..=RUNS {
        ours.push(measure(&gateway(&Installation::new(twilio)), "http", &strangers).await);
        express.push(measure(&Server::start(express_peer()), "port", &strangers).await);
        nothing.push(measure(&Server::start(bare_peer()), "port", &strangers).await);
        let known = Installation::new(twilio);
        known.import_agents(AGENTS);
        with_work.push(measure(&gateway(&known), "http", &agents).await);
        eprintln!("run {run} of {RUNS}");
    }
    let ratios: Vec<_> = express.iter().zip(&ours).map(|(express, ours)| express / ours).collect();
    let row = |what: &str, values: Vec<f64>| println!("{what:<44} {}", Runs::new(values, "µs of CPU"));
    row("offdesk, up to the 204", ours);
    row("offdesk, with an agent's work after it", with_work);
    row("Express with Twilio's webhook(), only a 204", express);
    row("bare actix-web, only a 204", nothing);
    let ratio = Runs::new(ratios, "times");
    println!("{:<44} {ratio}", "Express / offdesk");
    let mut targets = Targets::default();
    targets.at_least("CPU economy over Express (median)", ratio.median(), TARGET);
    targets.exit_code()
}

fn loads(event: impl Fn(usize) -> TaskRouterEvent) -> Loads {
    let requests = |numbers: std::ops::Range<usize>| Arc::new(numbers.map(|number| event(number).request()).collect());
    Loads { warm_up: requests(0..WARM_UP), measured: requests(WARM_UP..WARM_UP + REQUESTS) }
}

/// CPU time of one request, in microseconds, with all that it leaves to do.
async fn measure(server: &Server, key: &str, loads: &Loads) -> f64 {
    let address = match key {
        "http" => daemon::http(server),
        _ => SocketAddr::from((Ipv4Addr::LOCALHOST, u16::try_from(server.ready()[key].as_u64().unwrap()).unwrap())),
    };
    load::drive(address, &loads.warm_up, CONNECTIONS, 204).await;
    server.settle();
    let before = server.cpu();
    load::drive(address, &loads.measured, CONNECTIONS, 204).await;
    server.settle();
    micros_each(server.cpu() - before, loads.measured.len())
}

fn gateway(installation: &Installation) -> Server {
    installation.serve()
}

fn express_peer() -> Command {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/counterparts/node/express-peer.mjs");
    let unknown = || panic!("run it by `cargo xtask bench`, which says where Node is");
    let node = std::env::var_os("OFFDESK_NODE").unwrap_or_else(unknown);
    let mut command = Command::new(node);
    // As one runs Express for speed.
    command.arg(script).env("NODE_ENV", "production");
    command.env("OFFDESK_TOKEN", AUTH_TOKEN).env("OFFDESK_PUBLIC_URL", PUBLIC_URL);
    command
}

fn bare_peer() -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.arg("--bare");
    command
}

/// Reads the body, and answers.
fn bare() {
    actix_web::rt::System::new().block_on(async {
        let app = || App::new().default_service(web::to(|_: web::Bytes| async { HttpResponse::NoContent().finish() }));
        let server = HttpServer::new(app).bind("127.0.0.1:0").unwrap();
        println!("{}", json!({ "ready": true, "port": server.addrs()[0].port() }));
        server.run().await.unwrap();
    });
}
