//! From a webhook to the last of an agent's five devices: an offer of a chat arrives, and the push service has been told for
//! each. 200 offers a second, evenly spaced, each to another agent.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};
use tokio::sync::mpsc;

use crate::support::daemon::{self, Installation};
use crate::support::figures::{Runs, Targets, millis};
use crate::support::load::{Connection, due, send_evenly};
use crate::support::twilio;
use crate::support::webhook::TaskRouterEvent;

const RATE: u32 = 200;
const SECONDS: usize = 20;
const OFFERS: usize = RATE as usize * SECONDS;
const WARM_UP: usize = 2 * RATE as usize;
const DEVICES: usize = 5;
const PATIENCE: Duration = Duration::from_secs(10);
const TARGET_MS: f64 = 100.0;
/// More than there will be.
const CAPACITY: usize = 500_000;

type Arrival = (usize, usize, Instant);

pub(crate) fn measure(targets: &mut Targets) {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(run(targets));
}

async fn run(targets: &mut Targets) {
    let (twilio, _instructions) = twilio::start();
    let (push_service, mut arrivals) = receiver();
    let installation = Installation::new(twilio);
    installation.allow_pushes_to(push_service);
    installation.import_agents(WARM_UP + OFFERS);
    installation.give_devices(WARM_UP + OFFERS, DEVICES, push_service);
    let server = installation.serve();
    let http = daemon::http(&server);
    offer(http, 0..WARM_UP, &mut arrivals).await;
    let latencies = offer(http, WARM_UP..WARM_UP + OFFERS, &mut arrivals).await;
    let runs = Runs::new(latencies.iter().copied().map(millis), "ms");
    println!("{} of {OFFERS} offers reached all {DEVICES} devices, at {RATE} a second", latencies.len());
    for (name, part) in [("p50", 0.5), ("p90", 0.9), ("p99", 0.99), ("p99.9", 0.999), ("max", 1.0)] {
        println!("  {name:<6} {:8.2} ms", runs.quantile(part));
    }
    targets.at_least("offers that reached all devices", latencies.len() as f64, OFFERS as f64);
    targets.at_most("webhook in to the last of five devices, p99 in ms", runs.quantile(0.99), TARGET_MS);
}

/// Sends the offers at their times, whatever the answers take, and returns how long each took to reach its last device.
async fn offer(
    http: SocketAddr,
    numbers: std::ops::Range<usize>,
    arrivals: &mut mpsc::Receiver<Arrival>,
) -> Vec<Duration> {
    let requests: Vec<_> = numbers.clone().map(|number| TaskRouterEvent::chat(number, number).request()).collect();
    let start = Instant::now() + Duration::from_millis(100);
    let first = numbers.start;
    let sending = tokio::spawn(send_evenly(http, requests, start, RATE));
    let mut seen: HashMap<usize, Vec<usize>> = HashMap::new();
    let mut latencies = Vec::with_capacity(numbers.len());
    while latencies.len() < numbers.len() {
        let Ok(Some((agent, device, at))) = tokio::time::timeout(PATIENCE, arrivals.recv()).await else { break };
        let devices = seen.entry(agent).or_default();
        // An offer is shown again after a while: the first time counts.
        if !numbers.contains(&agent) || devices.contains(&device) {
            continue;
        }
        devices.push(device);
        if devices.len() == DEVICES {
            latencies.push(at - due(start, RATE, agent - first));
        }
    }
    sending.await.unwrap();
    latencies
}

/// A push service that notes which device of which agent was told when: `/push/AGENT/DEVICE`.
fn receiver() -> (SocketAddr, mpsc::Receiver<Arrival>) {
    let (sender, arrivals) = mpsc::channel(CAPACITY);
    let (tell, told) = std::sync::mpsc::sync_channel(1);
    std::thread::spawn(move || {
        let app = move || App::new().app_data(web::Data::new(sender.clone())).default_service(web::to(note));
        actix_web::rt::System::new().block_on(async move {
            let server = HttpServer::new(app).workers(1).disable_signals().bind("127.0.0.1:0").unwrap();
            tell.send(server.addrs()[0]).unwrap();
            server.run().await.unwrap();
        });
    });
    (told.recv().unwrap(), arrivals)
}

async fn note(request: HttpRequest, _body: web::Bytes, sender: web::Data<mpsc::Sender<Arrival>>) -> HttpResponse {
    let at = Instant::now();
    let numbers: Vec<usize> = request.path().split('/').filter_map(|part| part.parse().ok()).collect();
    sender.try_send((numbers[0], numbers[1], at)).unwrap();
    HttpResponse::Created().finish()
}

/// What lies at an address without TLS.
pub(crate) fn get(url: &str) -> String {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let address = url.trim_start_matches("http://").trim_end_matches('/').parse().unwrap();
    runtime.block_on(async {
        let mut connection = Connection::open(address).await;
        assert_eq!(connection.exchange(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").await, 200);
        String::from_utf8(connection.body().to_vec()).unwrap()
    })
}
