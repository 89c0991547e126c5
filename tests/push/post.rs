//! A post office: the pusher with everything that it needs, and two devices.

use std::{future::Future, sync::Arc, time::Duration};

use aws_lc_rs::{encoding::AsDer, rsa};
use base64::{Engine, engine::general_purpose::STANDARD};
use offdesk::{
    clock::{Clock, Hand},
    domain::{
        ActivityReason, AgentId, Closed, Customer, Device, DeviceId, News, Notification, Privacy, PushTarget,
        ReservationSid, Timestamp, Wishes,
    },
    push::{Devices, FcmSettings, Limits, Numbered, OutboxItem, Push, Settings, Timeouts, VapidKeyFile},
    store::{Batch, MemoryStore, Row, StoreHandle},
};
use serde_json::json;
use tempfile::TempDir;
use tokio::{runtime::Handle, sync::mpsc};

use crate::provider::{Provider, TOKENS};

pub const START: Timestamp = Timestamp::from_millis(1_790_000_000_000);
pub const AGENT: AgentId = AgentId::from_bits(7);
/// The receiver of RFC 8291 §5.
pub const PRIVATE: &str = "q1dXpw3UpT5VOmu_cf_v6ih07Aems3njxI-JWgLcM94";
pub const P256DH: &str = "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4";
pub const AUTH: &str = "BTBZMqHH6r4Tts7J_aSIgg";
/// Where the browser's push service takes its messages.
pub const ENDPOINT: &str = "/wpush/v2/ada";
pub const LIFE: Duration = Duration::from_secs(120);
/// One turn of the clock's hand.
const TURN: Duration = Duration::from_millis(10);
/// How long the machine may take for what takes no time on the test's clock.
const LIMIT: Duration = Duration::from_secs(20);

pub struct Post {
    pub push: Push,
    pub provider: Provider,
    pub store: Arc<MemoryStore>,
    pub hand: Hand,
    /// How long news is of use.
    pub life: Duration,
    pub gone: mpsc::Receiver<(AgentId, DeviceId)>,
    pub clock: Clock,
    settings: Settings,
    _folder: TempDir,
}

impl Post {
    pub async fn open() -> Self {
        Self::open_with(|_| {}).await
    }

    pub async fn open_with(change: impl FnOnce(&mut Settings)) -> Self {
        // Another test of this process may have been first.
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let provider = Provider::start().await;
        let folder = tempfile::tempdir().unwrap();
        let mut settings = settings(&provider, &folder);
        change(&mut settings);
        let (clock, hand) = Clock::manual(START);
        let store = Arc::new(MemoryStore::new());
        let (push, gone) = start(&settings, &store, &clock).await;
        Self { push, provider, store, hand, life: LIFE, gone, clock, settings, _folder: folder }
    }

    /// Stops the pusher and starts another on the same store.
    pub async fn restart(&mut self) {
        self.push.finish().await;
        (self.push, self.gone) = start(&self.settings, &self.store, &self.clock).await;
    }

    /// What the agent's actor does with news: items and change are one batch, and are handed over once it is on disk.
    pub async fn tell(&self, devices: &[Device], news: News) -> Vec<Numbered> {
        let items = self.put(devices, news).await;
        self.push.hand_over(items.clone());
        items
    }

    /// The same, but for the handing over.
    pub async fn put(&self, devices: &[Device], news: News) -> Vec<Numbered> {
        let now = self.clock.now();
        let notification = Notification { news, expires: now + self.life, unread: 3 };
        let agent = devices.first().map_or(AGENT, owner);
        let items = self.push.items(agent, devices, &notification);
        self.register(agent, devices).await;
        let mut batch = Batch::new();
        for (sequence, item) in &items {
            batch.put(sequence, item).unwrap();
        }
        self.store().commit(batch).await.unwrap();
        items
    }

    /// Has the agent's books say that these are its devices, beside those that it has.
    pub async fn register(&self, agent: AgentId, devices: &[Device]) {
        self.change(agent, |books| {
            books.devices.retain(|known| !devices.iter().any(|device| device.id == known.id));
            books.devices.extend_from_slice(devices);
        })
        .await;
    }

    /// Changes the agent's books.
    pub async fn change(&self, agent: AgentId, change: impl FnOnce(&mut Devices)) {
        let mut books = self.store().get::<Devices>(&agent).await.unwrap().unwrap_or_default();
        change(&mut books);
        let mut batch = Batch::new();
        batch.put(&agent, &books).unwrap();
        self.store().commit(batch).await.unwrap();
    }

    /// Once nothing waits and nothing is on its way.
    pub async fn is_quiet(&self) {
        until(|| self.push.under_way() == 0).await;
    }

    /// Lets the time pass until something has happened. How much of it passes meanwhile is the machine's affair.
    pub async fn passes_until(&self, mut done: impl FnMut() -> bool) {
        until(|| {
            self.hand.advance(TURN);
            done()
        })
        .await;
    }

    /// Lets so much time pass while something holds.
    pub async fn passes_while(&self, duration: Duration, mut holds: impl FnMut() -> bool) {
        let end = self.clock.now() + duration;
        until(|| {
            assert!(holds());
            self.hand.advance(TURN);
            self.clock.now() >= end
        })
        .await;
    }

    /// What lies in the outbox.
    pub async fn outbox(&self) -> Vec<Row<OutboxItem>> {
        self.store().scan(None, 10_000).await.unwrap()
    }

    pub fn store(&self) -> StoreHandle {
        self.store.clone()
    }

    /// A browser; its path at the push service is its own.
    pub fn browser(&self, number: u64, path: &str) -> Device {
        let endpoint = format!("{}{path}", self.provider.url);
        device(number, PushTarget::WebPush { endpoint, p256dh: P256DH.into(), auth: AUTH.into() })
    }

    pub fn phone(&self, number: u64) -> Device {
        device(number, PushTarget::Fcm { token: format!("token-of-{number}"), is_fid: false })
    }
}

/// Whose a device is: nobody has more than some.
fn owner(device: &Device) -> AgentId {
    match device.id.to_bits() / 16 {
        0 => AGENT,
        number => AgentId::from_bits(1_000 + number),
    }
}

fn device(number: u64, target: PushTarget) -> Device {
    Device {
        id: DeviceId::from_bits(number),
        name: None,
        target,
        added_at: START,
        session: None,
        wishes: Wishes::default(),
    }
}

async fn start(
    settings: &Settings,
    store: &Arc<MemoryStore>,
    clock: &Clock,
) -> (Push, mpsc::Receiver<(AgentId, DeviceId)>) {
    let (sender, gone) = mpsc::channel(4);
    let store: StoreHandle = store.clone();
    let push = Push::start(settings.clone(), store, clock.clone(), Handle::current(), sender).await.unwrap();
    (push, gone)
}

fn settings(provider: &Provider, folder: &TempDir) -> Settings {
    Settings {
        public_url: "https://gw.example.com".parse().unwrap(),
        privacy: Privacy::Sender,
        allow_hosts: vec![provider.url.parse().unwrap(), "*.push.services.mozilla.com".parse().unwrap()],
        subject: "mailto:ops@example.com".parse().unwrap(),
        vapid_key: VapidKeyFile::Own(folder.path().join("vapid.pem")),
        fcm: Some(FcmSettings {
            service_account: service_account(provider).into(),
            endpoint: provider.url.parse().unwrap(),
        }),
        extra_roots_pem: None,
        limits: Limits { timeouts: Timeouts { whole: LIMIT, ..Timeouts::default() }, ..Limits::default() },
    }
}

/// As Google hands one out, with a key of this test alone.
fn service_account(provider: &Provider) -> String {
    let key = rsa::KeyPair::generate(rsa::KeySize::Rsa2048).unwrap();
    let der: aws_lc_rs::encoding::Pkcs8V1Der<'_> = key.as_der().unwrap();
    let pem = format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n", STANDARD.encode(der.as_ref()));
    json!({
        "type": "service_account",
        "project_id": "offdesk-test",
        "private_key_id": "1234",
        "private_key": pem,
        "client_email": "push@offdesk-test.iam.gserviceaccount.com",
        "token_uri": format!("{}{TOKENS}", provider.url),
    })
    .to_string()
}

/// Waits for what other tasks bring about.
pub async fn until(mut done: impl FnMut() -> bool) {
    let waiting = async {
        while !done() {
            tokio::task::yield_now().await;
        }
    };
    in_time(waiting).await;
}

pub async fn in_time<T>(waiting: impl Future<Output = T>) -> T {
    tokio::time::timeout(LIMIT, waiting).await.expect("it did not happen in time")
}

pub fn reservation(number: u32) -> ReservationSid {
    format!("WR{number:032x}").parse().unwrap()
}

pub fn ada() -> Customer {
    Customer { name: Some("Ada Okafor".into()), address: Some("+15550123".into()) }
}

pub fn offer(task: u32) -> News {
    News::TaskOffered { task: reservation(task), channel: "sms".into(), customer: ada(), conversation: None }
}

pub fn closed(task: u32) -> News {
    News::TaskClosed { task: reservation(task), why: Closed::Gone }
}

pub fn message(text: &str) -> News {
    News::Message {
        task: Some(reservation(1)),
        conversation: "CH0123456789abcdef0123456789abcdef".parse().unwrap(),
        customer: ada(),
        text: text.into(),
        files: 0,
    }
}

/// One of every kind.
pub fn every_kind() -> Vec<News> {
    let activity = News::Activity { name: "Offline".into(), because: ActivityReason::Missed };
    let read = News::MessagesRead { conversation: "CH0123456789abcdef0123456789abcdef".parse().unwrap() };
    vec![offer(1), closed(1), message("Hello"), read, News::CallMissed { task: reservation(1) }, activity]
}
