//! Our own sender, in a process of its own: reads the plan, sends, and prints what it cost.

use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::rsa;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use offdesk::clock::Clock;
use offdesk::domain::{
    AgentId, Customer, Device, DeviceId, News, Notification, Privacy, PushTarget, Timestamp, Wishes,
};
use offdesk::push::{Devices, FcmSettings, Limits, Push, Settings, VapidKeyFile};
use offdesk::store::{self, Batch, MemoryStore, Options, StoreHandle};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::runtime::{Builder, Handle};
use tokio::sync::mpsc;

use super::Who;

const LIFE: Duration = Duration::from_secs(3600);
/// With the name, it makes a payload of some 400 bytes.
const TEXT: &str = "Hello, where is my parcel? It was to be here on Monday, and it is Friday.";

pub(crate) fn run(who: Who) {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let plan: Value = serde_json::from_slice(&fs::read(std::env::var_os("OFFDESK_PLAN").unwrap()).unwrap()).unwrap();
    // As the daemon's `io`.
    let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let sender = Arc::new(Sender::new(who, &plan).await);
        let number = |key: &str| usize::try_from(plan[key].as_u64().unwrap()).unwrap();
        sender.clone().send(number("warm_up"), number("in_flight")).await;
        let (cpu, wall) = (cpu(), Instant::now());
        sender.send(number("count"), number("in_flight")).await;
        let cpu = (self::cpu() - cpu).as_micros();
        println!("{}", json!({ "cpu_us": u64::try_from(cpu).unwrap(), "wall_us": u64::try_from(wall.elapsed().as_micros()).unwrap() }));
    });
}

struct Sender {
    who: Who,
    push: Push,
    store: StoreHandle,
    devices: Vec<Device>,
    now: Timestamp,
    _folder: TempDir,
}

impl Sender {
    async fn new(who: Who, plan: &Value) -> Self {
        let folder = TempDir::new_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        let store: StoreHandle = match who {
            Who::Outbox => store::open(&folder.path().join("store"), &Options::default()).unwrap().store,
            Who::WebPush | Who::Fcm => Arc::new(MemoryStore::new()),
        };
        let clock = Clock::system();
        let devices = devices(who, plan);
        let mut batch = Batch::new();
        for device in &devices {
            batch.put(&owner(device), &Devices::of(vec![device.clone()])).unwrap();
        }
        store.commit(batch).await.unwrap();
        let (gone, _) = mpsc::channel(1);
        let (settings, now) = (settings(plan, &folder), clock.now());
        let push = Push::start(settings, store.clone(), clock, Handle::current(), gone).await.unwrap();
        Self { who, push, store, devices, now, _folder: folder }
    }

    async fn send(self: Arc<Self>, count: usize, in_flight: usize) {
        let next = Arc::new(AtomicUsize::new(0));
        let lanes = (0..in_flight).map(|_| {
            let (this, next) = (self.clone(), next.clone());
            tokio::spawn(async move {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= count {
                        return;
                    }
                    this.send_one(number).await;
                }
            })
        });
        for lane in lanes.collect::<Vec<_>>() {
            lane.await.unwrap();
        }
        while self.push.under_way() > 0 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }

    async fn send_one(&self, number: usize) {
        let device = &self.devices[number % self.devices.len()];
        let notification = Notification { news: news(number), expires: self.now + LIFE, unread: 3 };
        if self.who != Who::Outbox {
            let sent = self.push.send_now(owner(device), device, &Wishes::default(), &notification).await.unwrap();
            assert!(sent.delivered, "{sent:?}");
            return;
        }
        // As an agent's actor does it.
        let items = self.push.items(owner(device), std::slice::from_ref(device), &notification);
        let mut batch = Batch::new();
        for (sequence, item) in &items {
            batch.put(sequence, item).unwrap();
        }
        self.store.commit(batch).await.unwrap();
        self.push.hand_over(items);
    }
}

fn owner(device: &Device) -> AgentId {
    AgentId::from_bits(device.id.to_bits())
}

fn news(number: usize) -> News {
    News::Message {
        task: None,
        conversation: format!("CH{number:032x}").parse().unwrap(),
        customer: Customer { name: Some("Ada".into()), address: None },
        text: TEXT.into(),
        files: 0,
    }
}

fn devices(who: Who, plan: &Value) -> Vec<Device> {
    let device = |(number, subscription): (u64, &Value)| {
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let keys = &subscription["keys"];
        let target = match who {
            Who::Fcm => PushTarget::Fcm { token: format!("token-of-{number}"), is_fid: false },
            Who::WebPush | Who::Outbox => PushTarget::WebPush {
                endpoint: text(&subscription["endpoint"]),
                p256dh: text(&keys["p256dh"]),
                auth: text(&keys["auth"]),
            },
        };
        let (id, added_at, wishes) = (DeviceId::from_bits(number), Timestamp::EPOCH, Wishes::default());
        Device { id, name: None, target, added_at, session: None, wishes }
    };
    (1..).zip(plan["subscriptions"].as_array().unwrap()).map(device).collect()
}

fn settings(plan: &Value, folder: &TempDir) -> Settings {
    let origin = plan["origin"].as_str().unwrap();
    Settings {
        public_url: "https://gw.test".parse().unwrap(),
        privacy: Privacy::Full,
        allow_hosts: vec![origin.parse().unwrap()],
        subject: "mailto:ops@example.com".parse().unwrap(),
        vapid_key: VapidKeyFile::Own(folder.path().join("vapid.pem")),
        fcm: Some(FcmSettings { service_account: account(origin).into(), endpoint: origin.parse().unwrap() }),
        extra_roots_pem: Some(fs::read(std::env::var_os("OFFDESK_CERT").unwrap()).unwrap()),
        limits: Limits::default(),
    }
}

fn account(origin: &str) -> String {
    let key = rsa::KeyPair::generate(rsa::KeySize::Rsa2048).unwrap();
    let der: aws_lc_rs::encoding::Pkcs8V1Der<'_> = key.as_der().unwrap();
    let pem =
        format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n", BASE64_STANDARD.encode(der.as_ref()));
    json!({
        "project_id": "bench", "private_key_id": "1", "private_key": pem, "client_email": "push@bench.example",
        "token_uri": format!("{origin}/token"),
    })
    .to_string()
}

/// CPU time of this process so far, the kernel's for it included.
fn cpu() -> Duration {
    let stat = fs::read_to_string("/proc/self/stat").unwrap();
    let fields = stat.rsplit_once(')').unwrap().1.split_whitespace();
    let ticks: u32 = fields.skip(11).take(2).map(|field| field.parse::<u32>().unwrap()).sum();
    Duration::from_millis(10) * ticks
}
