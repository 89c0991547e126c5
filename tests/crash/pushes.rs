//! Pushes under way when the process is killed or the power goes: whatever was acknowledged has been delivered, or waits in the
//! outbox; and what is delivered twice bears the same id, so that the person sees it once.

use std::{
    collections::{BTreeMap, BTreeSet},
    env,
    fs::{self, OpenOptions},
    io::Write,
    path::{Path, PathBuf},
    process::Command,
    sync::Arc,
    thread,
    time::Duration,
};

use aws_lc_rs::{encoding::AsDer, rsa};
use base64::{Engine, engine::general_purpose::STANDARD};
use offdesk::{
    clock::Clock,
    domain::{AgentId, Customer, Device, DeviceId, News, Notification, Privacy, PushTarget, Timestamp, Wishes},
    push::{Devices, FcmSettings, Limits, OutboxItem, Push, Settings, VapidKeyFile},
    store::{self, Batch, Durability, Options, StoreHandle, wait},
};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    runtime::{Builder, Handle},
    sync::mpsc,
};

use crate::{
    child::{Latest, acks_in, command_of, kill, store_in, until_it_acknowledges},
    dice::{Dice, rounds},
    image::Disk,
    power::{self, Finding, Subject},
    verify::{Fault, acks, copy},
};

const WRITERS: u32 = 4;
const DEVICES: u64 = 2;
const LIFE: Duration = Duration::from_secs(24 * 3600);
const DRAIN: &str = "OFFDESK_CRASH_DRAIN";

/// A notification for one device: the cause's writer and number, and the device.
type Copy = (u32, u64, u64);

fn delivered_in(root: &Path) -> PathBuf {
    root.join("delivered")
}

fn command(root: &Path, durability: Durability) -> Command {
    command_of("pushes::pushes_until_killed", root, durability)
}

#[test]
fn every_push_whose_cause_was_acknowledged_is_delivered_however_often_the_process_is_killed() {
    let (mut dice, rounds) = (Dice::new(), rounds(8));
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("root");
    fs::create_dir(&root).unwrap();
    fs::write(root.join("account.pem"), private_key()).unwrap();
    for round in 0..rounds {
        let child = command(&root, Durability::Fsync).spawn().unwrap();
        // Now and then it is at work when it is killed, however slow the machine is to start it.
        if dice.coin() || round == 0 {
            until_it_acknowledges(&root);
        }
        // A process that is killed at a random time is the point of this test; nothing waits on it.
        let longest = if dice.coin() { 300 } else { 1200 };
        thread::sleep(Duration::from_millis(dice.between(50, longest)));
        kill(child);
        if !store_in(&root).exists() {
            continue;
        }
        let copied = dir.path().join("copy");
        copy(&store_in(&root), &copied);
        let fault = missing(&copied, &read(&acks_in(&root)), &read(&delivered_in(&root)));
        assert_eq!(fault, Ok(()), "round {round}");
        fs::remove_dir_all(&copied).unwrap();
    }
    assert!(command(&root, Durability::Fsync).env(DRAIN, "1").status().unwrap().success());
    let (acknowledged, delivered) = (copies(&read(&acks_in(&root))), deliveries(&read(&delivered_in(&root))));
    assert!(acknowledged.iter().all(|copy| delivered.contains_key(copy)), "some were never delivered");
    assert!(delivered.values().all(|ids| ids.len() == 1), "somebody would see something twice");
    println!("{rounds} kills, {} pushes acknowledged, all delivered, none seen twice", acknowledged.len());
    assert!(!acknowledged.is_empty(), "nothing was written between the kills");
}

#[test]
fn no_push_whose_cause_was_acknowledged_is_lost_when_the_power_goes() {
    let subject = Subject { command, check };
    let prepare = |root: &Path| fs::write(root.join("account.pem"), private_key()).unwrap();
    let images = power::images_of(&subject, &prepare, Durability::Fsync, rounds(8));
    for image in &images {
        assert_eq!(image.faults, Ok(()), "power lost at call {}, unsynced writes {:?}", image.at, image.fate);
    }
    let pushes = images.iter().map(|image| image.batches).max().unwrap();
    println!("{} images, up to {pushes} pushes acknowledged, none lost", images.len());
    assert!(pushes > 0, "nothing was acknowledged before the power went");
}

fn check(image: &Path, disk: &Disk, root: &Path) -> Finding {
    let (acknowledged, delivered) = (disk.seen(&acks_in(root)), disk.seen(&delivered_in(root)));
    let count = copies(&acknowledged).len() as u64;
    (missing(&store_in(image), &acknowledged, &delivered), count)
}

fn read(file: &Path) -> Vec<u8> {
    fs::read(file).unwrap_or_default()
}

/// Every push that was acknowledged is in the outbox, or at its device.
fn missing(store: &Path, acknowledged: &[u8], delivered: &[u8]) -> Result<(), Fault> {
    let opened = store::open(store, &Options::default()).map_err(|error| Fault::DoesNotOpen(format!("{error:?}")))?;
    if let Some(aside) = opened.quarantined {
        return Err(Fault::DoesNotOpen(format!("{aside:?}")));
    }
    let page = wait(opened.store.page::<OutboxItem>(None, 1_000_000)).unwrap();
    let waiting: BTreeSet<Copy> = page.into_iter().map(|(_, item)| copy_of(&item.unwrap())).collect();
    wait(opened.store.close()).unwrap();
    let delivered = deliveries(delivered);
    let lost = copies(acknowledged).into_iter().filter(|copy| !waiting.contains(copy) && !delivered.contains_key(copy));
    match lost.count() {
        0 => Ok(()),
        lost => Err(Fault::Lost(lost as u64)),
    }
}

fn copy_of(item: &OutboxItem) -> Copy {
    let (writer, number) = cause_of(item.notification.news.tag());
    (writer, number, item.device.to_bits())
}

fn tag(writer: u32, number: u64) -> String {
    format!("WR{writer:08x}{number:024x}")
}

fn cause_of(tag: &str) -> (u32, u64) {
    let hex = |digits: &str| u64::from_str_radix(digits, 16).unwrap();
    (hex(&tag[2..10]) as u32, hex(&tag[10..]))
}

/// All that was acknowledged: a writer's numbers are without gaps.
fn copies(lines: &[u8]) -> BTreeSet<Copy> {
    let numbers = acks(lines).into_iter().flat_map(|(writer, last)| (0..=last).map(move |number| (writer, number)));
    numbers.flat_map(|(writer, number)| (1..=DEVICES).map(move |device| (writer, number, device))).collect()
}

/// The ids under which each push came; a last line that is cut off counts for nothing.
fn deliveries(lines: &[u8]) -> BTreeMap<Copy, BTreeSet<String>> {
    let mut found: BTreeMap<Copy, BTreeSet<String>> = BTreeMap::new();
    for line in lines.split_inclusive(|byte| *byte == b'\n').filter(|line| line.ends_with(b"\n")) {
        let words: Vec<_> = std::str::from_utf8(line).unwrap().split_whitespace().collect();
        let (writer, number) = cause_of(words[0]);
        found.entry((writer, number, words[1].parse().unwrap())).or_default().insert(words[2].to_owned());
    }
    found
}

#[test]
#[ignore = "runs in a process of its own, which the other tests start and kill"]
fn pushes_until_killed() {
    let Some(root) = env::var_os(crate::child::ROOT).map(PathBuf::from) else { return };
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let options = Options { durability: crate::child::durability(), ..Options::default() };
    let opened = store::open(&store_in(&root), &options).unwrap();
    assert_eq!(opened.quarantined, None);
    let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let push = start(&root, &opened.store).await;
        if env::var_os(DRAIN).is_some() {
            while push.under_way() > 0 {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            return;
        }
        let acks = Arc::new(OpenOptions::new().create(true).append(true).open(acks_in(&root)).unwrap());
        let writers = (0..WRITERS)
            .map(|writer| tokio::spawn(write(writer, opened.store.clone(), push.clone(), acks.clone())))
            .collect::<Vec<_>>();
        for writer in writers {
            writer.await.unwrap();
        }
    });
}

fn owner(writer: u32) -> AgentId {
    AgentId::from_bits(u64::from(writer) + 1)
}

fn devices() -> Vec<Device> {
    let device = |number: u64| {
        let target = PushTarget::Fcm { token: number.to_string(), is_fid: false };
        let (id, added_at, wishes) = (DeviceId::from_bits(number), Timestamp::EPOCH, Wishes::default());
        Device { id, name: None, target, added_at, session: None, wishes }
    };
    (1..=DEVICES).map(device).collect()
}

/// As an agent's actor does it: the change and its pushes are one batch.
async fn write(writer: u32, store: StoreHandle, push: Push, acks: Arc<fs::File>) {
    let latest = store.get::<Latest>(&(writer, 0)).await.unwrap();
    let first = latest.map_or(0, |latest| latest.number + 1);
    let clock = Clock::system();
    for number in first.. {
        // No faster than it can be delivered: the store has a limit.
        while push.under_way() > 500 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        let task = tag(writer, number).parse().unwrap();
        let news =
            News::TaskOffered { task, channel: "chat".into(), customer: Customer::default(), conversation: None };
        let notification = Notification { news, expires: clock.now() + LIFE, unread: 0 };
        let items = push.items(owner(writer), &devices(), &notification);
        let mut batch = Batch::new();
        batch.put(&owner(writer), &Devices::of(devices())).unwrap();
        batch.put(&(writer, 0), &Latest::of(writer, number)).unwrap();
        for (sequence, item) in &items {
            batch.put(sequence, item).unwrap();
        }
        store.commit(batch).await.unwrap();
        push.hand_over(items);
        (&*acks).write_all(format!("{writer} {number}\n").as_bytes()).unwrap();
    }
}

async fn start(root: &Path, store: &StoreHandle) -> Push {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(serve(listener, delivered_in(root)));
    let account = json!({
        "project_id": "crash", "private_key_id": "1", "client_email": "push@crash.example",
        "private_key": fs::read_to_string(root.join("account.pem")).unwrap(), "token_uri": format!("{origin}/token"),
    });
    let settings = Settings {
        public_url: "https://gw.example.com".parse().unwrap(),
        privacy: Privacy::None,
        allow_hosts: Vec::new(),
        subject: "mailto:ops@example.com".parse().unwrap(),
        vapid_key: VapidKeyFile::Own(root.join("vapid.pem")),
        fcm: Some(FcmSettings { service_account: account.to_string().into(), endpoint: origin.parse().unwrap() }),
        extra_roots_pem: None,
        limits: Limits::default(),
    };
    let (gone, _) = mpsc::channel(1);
    Push::start(settings, store.clone(), Clock::system(), Handle::current(), gone).await.unwrap()
}

fn private_key() -> String {
    let key = rsa::KeyPair::generate(rsa::KeySize::Rsa2048).unwrap();
    let der: aws_lc_rs::encoding::Pkcs8V1Der<'_> = key.as_der().unwrap();
    format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n", STANDARD.encode(der.as_ref()))
}

/// FCM, as far as it goes: notes what it takes before it says so.
async fn serve(listener: TcpListener, delivered: PathBuf) {
    let file = Arc::new(OpenOptions::new().create(true).append(true).open(delivered).unwrap());
    while let Ok((stream, _)) = listener.accept().await {
        tokio::spawn(converse(stream, file.clone()));
    }
}

async fn converse(mut stream: TcpStream, delivered: Arc<fs::File>) {
    let mut bytes = Vec::new();
    loop {
        let Some((head, body)) = request(&bytes) else {
            match stream.read_buf(&mut bytes).await {
                Ok(count) if count > 0 => continue,
                _ => return,
            }
        };
        let answer = if head.starts_with("POST /token") {
            json!({ "access_token": "token", "expires_in": 3599, "token_type": "Bearer" })
        } else {
            let message = &serde_json::from_slice::<Value>(body).unwrap()["message"];
            let text = |value: &Value| value.as_str().unwrap().to_owned();
            let (tag, id) = (text(&message["data"]["tag"]), text(&message["data"]["id"]));
            let line = format!("{tag} {} {id}\n", text(&message["token"]));
            (&*delivered).write_all(line.as_bytes()).unwrap();
            json!({ "name": "projects/crash/messages/0:1" })
        }
        .to_string();
        let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{answer}", answer.len());
        if stream.write_all(answer.as_bytes()).await.is_err() {
            return;
        }
        let used = head.len() + body.len();
        bytes.drain(..used);
    }
}

/// Head and body of the first request, once it is whole.
fn request(bytes: &[u8]) -> Option<(&str, &[u8])> {
    let end = bytes.windows(4).position(|window| window == b"\r\n\r\n")? + 4;
    let head = std::str::from_utf8(&bytes[..end]).unwrap();
    let length =
        head.lines().find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length:")?.trim().parse().ok());
    Some((head, bytes.get(end..end + length.unwrap_or(0))?))
}
