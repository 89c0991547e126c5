//! Live events: 2,000 WebSocket sessions of 500 agents. How long until what a webhook tells has reached all of its agent's
//! sessions, what a session takes of memory, and what clients that do not read cost the others.

#![allow(clippy::unwrap_used, reason = "a measurement that cannot go on ends")]
#![allow(clippy::disallowed_methods, reason = "the machine's clock is what is measured by")]

mod support;

use std::{
    net::SocketAddr,
    process::ExitCode,
    sync::Arc,
    time::{Duration, Instant},
};

use support::{
    daemon::{self, Installation},
    figures::{Runs, Targets, millis},
    load::Connection,
    process::Server,
    twilio,
    webhook::TaskRouterEvent,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    sync::mpsc,
};

const AGENTS: usize = 500;
/// Of each agent.
const SESSIONS: usize = 4;
const RATE: usize = 500;
const SECONDS: usize = 20;
const TARGET_MS: f64 = 50.0;
const TARGET_WITH_SLOW_MS: f64 = 1000.0;
const TARGET_BYTES: f64 = 20_000.0;
/// How long the last frames may take to come.
const PATIENCE: Duration = Duration::from_secs(5);

/// That a frame has come: which event it tells of.
type Came = (usize, Instant);

fn main() -> ExitCode {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(measure())
}

async fn measure() -> ExitCode {
    let (twilio, _instructions) = twilio::start();
    let installation = Installation::new(twilio);
    installation.import_agents(AGENTS);
    let tokens = Arc::new(installation.sign_in().await);
    let server = installation.serve();
    let http = daemon::http(&server);
    // Every agent is in memory before anybody looks on.
    tell(http, 0..AGENTS).await;
    let before = server.resident();
    let (came, coming) = mpsc::channel(AGENTS * SESSIONS * SECONDS * 4);
    open(http, &tokens, Some(&came)).await;
    let bytes = (server.resident().saturating_sub(before)) as f64 / (AGENTS * SESSIONS) as f64;
    println!("{} sessions: {bytes:.0} bytes each", AGENTS * SESSIONS);
    let (alone, coming) = run(http, AGENTS, coming).await;
    open(http, &tokens, None).await;
    let (with_slow, _) = run(http, AGENTS + RATE * SECONDS, coming).await;
    print(&server, &alone, &with_slow);
    let mut targets = Targets::default();
    targets.at_most("memory a session, in bytes", bytes, TARGET_BYTES);
    for (what, runs, most) in
        [("alone", &alone, TARGET_MS), ("beside 2,000 that do not read", with_slow.as_ref(), TARGET_WITH_SLOW_MS)]
    {
        targets.at_least(&format!("events that reached all sessions, {what}"), runs.0 as f64, (RATE * SECONDS) as f64);
        targets.at_most(
            &format!("webhook to the last of four sessions, p99 in ms, {what}"),
            runs.1.quantile(0.99),
            most,
        );
    }
    targets.exit_code()
}

/// How many events reached all of their agent's sessions, and how long that took.
struct Reached(usize, Runs);

impl AsRef<Self> for Reached {
    fn as_ref(&self) -> &Self {
        self
    }
}

fn print(server: &Server, alone: &Reached, with_slow: &Reached) {
    for (what, Reached(count, runs)) in [("alone", alone), ("beside 2,000 that do not read", with_slow)] {
        println!("{count} events at {RATE} a second, {what}; the daemon has {} MB", server.resident() / 1_000_000);
        for (name, part) in [("p50", 0.5), ("p99", 0.99), ("max", 1.0)] {
            println!("  {name:<4} {:8.2} ms", runs.quantile(part));
        }
    }
}

/// Agents change their activity, evenly spaced; answers how long each change took to its agent's last session.
async fn run(http: SocketAddr, first: usize, mut coming: mpsc::Receiver<Came>) -> (Reached, mpsc::Receiver<Came>) {
    let count = RATE * SECONDS;
    let telling = tokio::spawn(tell(http, first..first + count));
    let (mut left, mut last) = (vec![SESSIONS; count], vec![None; count]);
    let mut complete = 0;
    let end = Instant::now() + Duration::from_secs(SECONDS as u64) + PATIENCE;
    while complete < count {
        let Ok(Some((number, at))) = tokio::time::timeout_at(end.into(), coming.recv()).await else { break };
        let Some(place) = number.checked_sub(first).filter(|place| *place < count) else { continue };
        (left[place], last[place]) = (left[place].saturating_sub(1), Some(at));
        complete += usize::from(left[place] == 0);
    }
    let started = telling.await.unwrap();
    let took = (0..count).filter(|place| left[*place] == 0).map(|place| last[place].unwrap() - started[place]);
    (Reached(complete, Runs::new(took.map(millis), "ms")), coming)
}

/// Tells of changes, each at its time; answers when each was told.
async fn tell(http: SocketAddr, numbers: std::ops::Range<usize>) -> Vec<Instant> {
    const CONNECTIONS: usize = 32;
    let requests: Vec<_> =
        numbers.clone().map(|number| TaskRouterEvent::renamed(number, number % AGENTS).request()).collect();
    let requests = Arc::new(requests);
    let start = Instant::now();
    let tasks: Vec<_> = (0..CONNECTIONS)
        .map(|part| {
            let requests = requests.clone();
            tokio::spawn(async move {
                let mut connection = Connection::open(http).await;
                let mut told = Vec::new();
                for place in (part..requests.len()).step_by(CONNECTIONS) {
                    let at = start + Duration::from_secs(1) * u32::try_from(place).unwrap() / RATE as u32;
                    tokio::time::sleep_until(at.into()).await;
                    told.push((place, Instant::now()));
                    assert_eq!(connection.exchange(&requests[place]).await, 204);
                }
                told
            })
        })
        .collect();
    let mut started = vec![start; requests.len()];
    for task in tasks {
        for (place, at) in task.await.unwrap() {
            started[place] = at;
        }
    }
    started
}

/// Every agent has its sessions; without anybody to tell, they read nothing but the snapshot.
async fn open(http: SocketAddr, tokens: &Arc<Vec<String>>, came: Option<&mpsc::Sender<Came>>) {
    for token in tokens.iter().flat_map(|token| std::iter::repeat_n(token, SESSIONS)) {
        let mut socket = TcpStream::connect(http).await.unwrap();
        let head = format!(
            "GET /api/v1/events HTTP/1.1\r\nHost: gw\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\nAuthorization: Bearer {token}\r\n\r\n"
        );
        socket.write_all(head.as_bytes()).await.unwrap();
        let mut buffer = Vec::with_capacity(1024);
        while !buffer.windows(10).any(|window| window == b"\"snapshot\"") {
            assert_ne!(socket.read_buf(&mut buffer).await.unwrap(), 0, "refused");
        }
        match came {
            Some(came) => drop(tokio::spawn(listen(socket, came.clone()))),
            // It stays open until the process ends, and nobody reads it.
            None => std::mem::forget(socket),
        }
    }
}

/// Reads frames, and answers pings.
async fn listen(socket: TcpStream, came: mpsc::Sender<Came>) {
    const PONG: [u8; 6] = [0x8a, 0x80, 0, 0, 0, 0];
    const NAME: &[u8] = b"\"activity\":\"N";
    let (mut from, mut to) = socket.into_split();
    let mut buffer: Vec<u8> = Vec::with_capacity(2048);
    while from.read_buf(&mut buffer).await.is_ok_and(|read| read > 0) {
        let at = Instant::now();
        while let Some(place) = buffer.windows(NAME.len()).position(|window| window == NAME) {
            let rest = &buffer[place + NAME.len()..];
            let Some(end) = rest.iter().position(|byte| *byte == b'"') else { break };
            let number = std::str::from_utf8(&rest[..end]).unwrap().parse().unwrap();
            came.try_send((number, at)).unwrap();
            buffer.drain(..place + NAME.len() + end);
        }
        if buffer.windows(2).any(|window| window == [0x89, 0]) {
            buffer.clear();
            to.write_all(&PONG).await.unwrap();
        }
        let excess = buffer.len().saturating_sub(512);
        buffer.drain(..excess);
    }
}
