//! What the tests over HTTP share: a sandbox, whoever gets its webhooks, and a clock turned by hand.

#![allow(dead_code, reason = "each test binary uses some of it")]

use std::{
    future::Future,
    io::{Read, Write},
    net::TcpListener,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};

use offdesk_sandbox::{AgentSeed, Handle, Options, Sandbox, Time};
use tokio::sync::Notify;

pub(crate) const ADA: &str = "+4915550101001";
pub(crate) const LIMIT: Duration = Duration::from_secs(10);

pub(crate) fn start(change: impl FnOnce(&mut Options)) -> Handle {
    let mut options = Options { agents: vec![AgentSeed::new("Ada", ADA, "Available on Mobile")], ..Options::default() };
    change(&mut options);
    Sandbox::start(options).expect("the sandbox starts")
}

pub(crate) fn client() -> reqwest::Client {
    reqwest::Client::builder().timeout(LIMIT).build().expect("a client")
}

/// Keeps the head and the body of every request.
pub(crate) struct Receiver {
    pub(crate) url: String,
    pub(crate) requests: std::sync::mpsc::Receiver<String>,
}

/// Answers every request with 204.
pub(crate) fn receiver() -> Receiver {
    receiver_that_refuses(0)
}

const TAKEN: &str = "HTTP/1.1 204 No Content\r\n\r\n";
const REFUSED: &str = "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n";

/// Answers the first requests with 503, and those that follow with 204.
pub(crate) fn receiver_that_refuses(first: usize) -> Receiver {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let url = format!("http://{}/webhooks", listener.local_addr().expect("an address"));
    let (sender, requests) = std::sync::mpsc::sync_channel(1000);
    let left = Arc::new(AtomicUsize::new(first));
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.expect("a connection");
            let (sender, left) = (sender.clone(), Arc::clone(&left));
            std::thread::spawn(move || {
                let mut seen = Vec::new();
                let mut piece = [0; 4096];
                while let Ok(count @ 1..) = stream.read(&mut piece) {
                    seen.extend_from_slice(&piece[..count]);
                    if let Some(request) = whole_request(&seen) {
                        let _ = sender.send(request);
                        seen.clear();
                        let refuses = left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1));
                        let status = if refuses.is_ok() { REFUSED } else { TAKEN };
                        let _ = stream.write_all(status.as_bytes());
                    }
                }
            });
        }
    });
    Receiver { url, requests }
}

fn whole_request(seen: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(seen).into_owned();
    let (head, body) = text.split_once("\r\n\r\n")?;
    (body.len() == header(head, "content-length")?.parse::<usize>().ok()?).then(|| text.clone())
}

pub(crate) fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    let mut lines = head.lines().filter_map(|line| line.split_once(": "));
    lines.find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value)
}

/// A clock that a test turns.
#[derive(Default)]
pub(crate) struct Manual {
    now: AtomicU64,
    turned: Arc<Notify>,
}

impl Manual {
    pub(crate) fn turn(&self, seconds: u64) {
        self.now.fetch_add(seconds * 1000, Ordering::SeqCst);
        self.turned.notify_waiters();
    }
}

pub(crate) struct Shared(pub(crate) Arc<Manual>);

impl Time for Shared {
    fn now_ms(&self) -> u64 {
        self.0.now.load(Ordering::SeqCst)
    }

    fn sleep_until(&self, ms: u64) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        let clock = Arc::clone(&self.0);
        Box::pin(async move {
            loop {
                let turned = clock.turned.notified();
                if clock.now.load(Ordering::SeqCst) >= ms {
                    return;
                }
                turned.await;
            }
        })
    }
}
