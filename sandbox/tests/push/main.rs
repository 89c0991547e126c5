//! The push services over HTTP, as the gateway meets them, and what the phones show.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod devices;
mod fcm;
mod sender;
mod web_push;

use std::{
    future::Future,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use offdesk_sandbox::{DeviceView, Handle, Options, Sandbox, Time};
use serde_json::{Value, json};
use tokio::sync::Notify;

const ADA: &str = "+4915550101001";
const LIMIT: Duration = Duration::from_secs(10);
const START_MS: u64 = 1_700_000_000_000;

/// A clock that is turned by hand.
#[derive(Default)]
struct Hand {
    now_ms: AtomicU64,
    turned: Notify,
}

impl Hand {
    fn turn(&self, seconds: u64) {
        self.now_ms.fetch_add(seconds * 1000, Ordering::SeqCst);
        self.turned.notify_waiters();
    }

    fn now_s(&self) -> u64 {
        self.now_ms.load(Ordering::SeqCst) / 1000
    }
}

/// The clock that the sandbox has.
struct Turned(Arc<Hand>);

impl Time for Turned {
    fn now_ms(&self) -> u64 {
        self.0.now_ms.load(Ordering::SeqCst)
    }

    fn sleep_until(&self, ms: u64) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        let hand = Arc::clone(&self.0);
        Box::pin(async move {
            loop {
                let turned = hand.turned.notified();
                if hand.now_ms.load(Ordering::SeqCst) >= ms {
                    return;
                }
                turned.await;
            }
        })
    }
}

/// A sandbox, and the clock that it runs on.
fn start() -> (Handle, Arc<Hand>) {
    let hand = Arc::new(Hand { now_ms: AtomicU64::new(START_MS), ..Hand::default() });
    let options = Options { time: Arc::new(Turned(Arc::clone(&hand))), ..Options::default() };
    (Sandbox::start(options).unwrap(), hand)
}

fn client() -> reqwest::Client {
    reqwest::Client::builder().timeout(LIMIT).build().unwrap()
}

/// A payload as the gateway sends it.
fn payload(kind: &str, id: &str, tag: &str) -> Value {
    let data = json!({ "id": id, "type": kind, "task": tag, "exp": START_MS / 1000 + 600 });
    let notification = json!({ "title": "New chat", "body": "from Carol", "tag": tag, "data": data });
    json!({ "web_push": 8030, "notification": notification, "app_badge": 1 })
}

fn only_device(sandbox: &Handle) -> DeviceView {
    let [device] = <[_; 1]>::try_from(sandbox.snapshot().devices).unwrap();
    device
}

fn showing(device: &DeviceView) -> Vec<&str> {
    device.showing().map(|shown| shown.id.as_str()).collect()
}
