//! What a call of an agent's app costs: `GET /me` with a session, against a bare actix-web handler that returns the same
//! bytes to anybody; and a look at a token alone.
//!
//! Both servers get the same load in turns: what else the machine does falls on both alike. The ratio decides.

#![allow(clippy::unwrap_used, reason = "a measurement that cannot go on ends")]
#![allow(clippy::disallowed_methods, reason = "the machine's clock is what is measured by")]

mod support;

use std::hint::black_box;
use std::net::{Ipv4Addr, SocketAddr};
use std::process::{Command, ExitCode};
use std::sync::Arc;
use std::time::{Duration, Instant};

use actix_web::{App, HttpResponse, HttpServer, http::header::ContentType, web};
use mimalloc::MiMalloc;
use offdesk::{
    audit::Audit,
    clock::Clock,
    domain::AgentId,
    sessions::{Checked, Policy, Sessions},
    store::{self, Batch},
};
use secrecy::ExposeSecret;
use serde_json::json;
use support::daemon::{self, Installation};
use support::figures::{Runs, Targets, micros_each};
use support::load::Connection;
use support::process::Server;
use support::{load, twilio};

/// The daemon's own.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

const AGENTS: usize = 1_000;
const CONNECTIONS: usize = 64;
const REQUESTS: usize = 30_000;
const WARM_UP: usize = 3_000;
const RUNS: usize = 5;
/// The bare handler's CPU time over ours.
const LEAST: f64 = 0.6;
const CHECKS: usize = 1_000_000;
const MOST_CHECK_US: f64 = 20.0;

fn main() -> ExitCode {
    if let Ok(body) = std::env::var("OFFDESK_BARE") {
        bare(body);
        return ExitCode::SUCCESS;
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let mut targets = Targets::default();
        compare(&mut targets).await;
        look_at_tokens(&mut targets).await;
        targets.exit_code()
    })
}

async fn compare(targets: &mut Targets) {
    let (twilio, _instructions) = twilio::start();
    let installation = Installation::new(twilio);
    installation.import_agents(AGENTS);
    let tokens = installation.sign_in().await;
    let requests: Vec<_> = tokens.iter().cycle().take(REQUESTS).map(|token| request(token)).collect();
    let (warm_up, requests) = (Arc::new(requests[..WARM_UP].to_vec()), Arc::new(requests));
    let (mut ours, mut theirs) = (vec![], vec![]);
    for run in 1..=RUNS {
        let server = installation.serve();
        ours.push(measure(&server, daemon::http(&server), &warm_up, &requests).await);
        let body = body(daemon::http(&server), &requests[0]).await;
        drop(server);
        let server = Server::start(peer(&body));
        let port = u16::try_from(server.ready()["port"].as_u64().unwrap()).unwrap();
        theirs.push(measure(&server, (Ipv4Addr::LOCALHOST, port).into(), &warm_up, &requests).await);
        eprintln!("run {run} of {RUNS}");
    }
    let ratio = Runs::new(theirs.iter().zip(&ours).map(|(theirs, ours)| theirs / ours), "times");
    println!("{:<44} {}", "GET /me with a session", Runs::new(ours, "µs of CPU"));
    println!("{:<44} {}", "bare actix-web, the same bytes", Runs::new(theirs, "µs of CPU"));
    println!("{:<44} {ratio}", "bare / offdesk");
    targets.at_least("CPU economy against the bare handler (median)", ratio.median(), LEAST);
}

fn request(token: &str) -> Vec<u8> {
    format!("GET /api/v1/me HTTP/1.1\r\nHost: gw.example.com\r\nAuthorization: Bearer {token}\r\n\r\n").into_bytes()
}

async fn body(server: SocketAddr, request: &[u8]) -> String {
    let mut connection = Connection::open(server).await;
    assert_eq!(connection.exchange(request).await, 200);
    String::from_utf8(connection.body().to_vec()).unwrap()
}

async fn measure(
    server: &Server,
    address: SocketAddr,
    warm_up: &Arc<Vec<Vec<u8>>>,
    requests: &Arc<Vec<Vec<u8>>>,
) -> f64 {
    load::drive(address, warm_up, CONNECTIONS, 200).await;
    server.settle();
    let before = server.cpu();
    load::drive(address, requests, CONNECTIONS, 200).await;
    server.settle();
    micros_each(server.cpu() - before, requests.len())
}

fn peer(body: &str) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.env("OFFDESK_BARE", body);
    command
}

fn bare(body: String) {
    let body = web::Data::new(body);
    let answer = |body: web::Data<String>| async move {
        HttpResponse::Ok().content_type(ContentType::json()).body(body.get_ref().clone())
    };
    actix_web::rt::System::new().block_on(async move {
        let app = move || App::new().app_data(body.clone()).route("/api/v1/me", web::get().to(answer));
        let server = HttpServer::new(app).workers(2).bind("127.0.0.1:0").unwrap();
        println!("{}", json!({ "ready": true, "port": server.addrs()[0].port() }));
        server.run().await.unwrap();
    });
}

/// The look that comes before every call, in this process.
async fn look_at_tokens(targets: &mut Targets) {
    let folder = tempfile::TempDir::new().unwrap();
    let opened = store::open(&folder.path().join("store"), &store::Options::default()).unwrap();
    let (clock, mut batch) = (Clock::system(), Batch::new());
    let begin = |number| offdesk::sessions::begin(&mut batch, AgentId::from_bits(number), clock.now()).unwrap();
    let tokens: Vec<_> = (0..AGENTS as u64).map(begin).map(|(_, token)| token.expose_secret().to_owned()).collect();
    opened.store.commit(batch).await.unwrap();
    let audit = Audit::open(opened.store.clone(), clock.clone()).await.unwrap();
    let week = Duration::from_secs(7 * 24 * 3600);
    let policy = Policy { ttl: week, max_age: 4 * week, max_sessions: 1 };
    let sessions = Sessions::open(&opened.store, audit, clock, policy).await.unwrap();
    let begun = Instant::now();
    for token in tokens.iter().cycle().take(CHECKS) {
        assert!(matches!(black_box(sessions.check(token)), Checked::Good(_)));
    }
    let each = micros_each(begun.elapsed(), CHECKS);
    targets.at_most("a look at a token, in µs", each, MOST_CHECK_US);
}
