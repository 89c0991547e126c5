use super::*;
use crate::{
    domain::{Device, News, Notification, Privacy, PushTarget, Wishes},
    push::{Devices, Settings, VapidKeyFile, outbox::Outbox, vapid::VapidKey},
    store::MemoryStore,
};

const NOW: Timestamp = Timestamp::from_millis(1_790_000_000_000);

/// Items in memory.
fn held(pusher: &Pusher) -> usize {
    Share::ALL.iter().map(|share| pusher.queue.held(*share)).sum()
}

/// A pusher whose every push is refused at once, since it has no FCM.
async fn pusher() -> (Pusher, Outbox) {
    // Another test of this process may have been first.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let folder = tempfile::tempdir().unwrap();
    let settings = Settings {
        public_url: "https://gw.example.com".parse().unwrap(),
        privacy: Privacy::None,
        allow_hosts: Vec::new(),
        subject: "mailto:ops@example.com".parse().unwrap(),
        vapid_key: VapidKeyFile::Own(folder.path().join("vapid.pem")),
        fcm: None,
        extra_roots_pem: None,
        limits: crate::push::Limits::default(),
    };
    let (clock, _) = Clock::manual(NOW);
    let store: StoreHandle = Arc::new(MemoryStore::new());
    let key = VapidKey::open(&settings.vapid_key).unwrap();
    let providers = Arc::new(settings.providers(&key, &store, &clock).unwrap());
    let (outbox, outlet) = Outbox::open(&store, Sequence::new(1)).await.unwrap();
    let (gone, _) = mpsc::channel(1);
    let tools = Tools { store, clock, providers, limits: settings.limits.in_flight, gone };
    (Pusher::new(tools, outlet, Graveyard::default()), outbox)
}

async fn put(pusher: &Pusher, outbox: &Outbox, device: u64) -> Vec<Numbered> {
    put_to(pusher, outbox, device, PushTarget::Fcm { token: "token".into(), is_fid: false }).await
}

async fn put_to(pusher: &Pusher, outbox: &Outbox, device: u64, target: PushTarget) -> Vec<Numbered> {
    let news = News::CallMissed { task: "WR0123456789abcdef0123456789abcdef".parse().unwrap() };
    let notification = Notification { news, expires: NOW + Duration::from_secs(60), unread: 0 };
    let device = Device {
        id: DeviceId::from_bits(device),
        name: None,
        target,
        added_at: NOW,
        session: None,
        wishes: Wishes::default(),
    };
    let items = outbox.items(AgentId::from_bits(1), std::slice::from_ref(&device), &notification, NOW);
    let mut batch = Batch::new();
    batch.put(&AgentId::from_bits(1), &Devices::of(vec![device])).unwrap();
    for (sequence, item) in &items {
        batch.put(sequence, item).unwrap();
    }
    pusher.store.commit(batch).await.unwrap();
    items
}

#[tokio::test]
async fn what_came_both_ways_is_taken_once_and_before_it_can_be_forgotten() {
    let (mut pusher, outbox) = pusher().await;
    for device in 1..=3 {
        let items = put(&pusher, &outbox, device).await;
        outbox.hand_over(items);
    }
    put(&pusher, &outbox, 4).await;
    pusher.catch_up().await;
    assert_eq!(pusher.outlet.handed_over.len(), 0);
    assert_eq!((held(&pusher), outbox.under_way()), (4, 4));
}

#[tokio::test]
async fn nothing_is_remembered_of_what_is_done_with() {
    let (mut pusher, outbox) = pusher().await;
    put(&pusher, &outbox, 1).await;
    pusher.catch_up().await;
    pusher.dispatch();
    let sent = pusher.sending.join_next_with_id().await.unwrap();
    pusher.settle(sent);
    pusher.clear_away();
    assert_eq!((held(&pusher), outbox.under_way()), (0, 0));
    assert!(pusher.jobs.is_empty() && pusher.done.is_empty());
    assert!(pusher.store.page::<OutboxItem>(None, 9).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_push_that_panics_is_given_up_and_takes_nothing_along() {
    let (mut pusher, outbox) = pusher().await;
    put(&pusher, &outbox, 1).await;
    pusher.catch_up().await;
    let job = pusher.queue.next(NOW).unwrap();
    let task = pusher.sending.spawn(async { panic!("as a bug would") });
    pusher.jobs.insert(task.id(), job);
    let sent = pusher.sending.join_next_with_id().await.unwrap();
    pusher.settle(sent);
    pusher.clear_away();
    assert_eq!((held(&pusher), outbox.under_way()), (0, 0));
}

#[tokio::test]
async fn what_is_for_a_device_that_was_removed_meanwhile_ends_without_its_service() {
    let (mut pusher, outbox) = pusher().await;
    put(&pusher, &outbox, 1).await;
    let mut batch = Batch::new();
    batch.put(&AgentId::from_bits(1), &Devices::of(Vec::new())).unwrap();
    pusher.store.commit(batch).await.unwrap();
    pusher.catch_up().await;
    let job = pusher.queue.next(NOW).unwrap();
    assert_eq!(pusher.providers.deliver(&job.item).await, Ok(End::Gone));
}

/// More waits for one service than there is room for: on disk, and without keeping the others from being read.
#[tokio::test]
async fn a_service_that_is_down_takes_nobody_elses_room() {
    let (mut pusher, outbox) = pusher().await;
    let browser = PushTarget::WebPush {
        endpoint: "https://updates.push.services.mozilla.com/wpush/v2/x".into(),
        p256dh: String::new(),
        auth: String::new(),
    };
    let many = PAGE as u64 + 50;
    for device in 1..=many {
        put_to(&pusher, &outbox, device, browser.clone()).await;
    }
    put(&pusher, &outbox, many + 1).await;
    pusher.catch_up().await;
    assert_eq!((pusher.queue.held(Share::Mozilla), pusher.queue.held(Share::Fcm)), (ROOM, 1));
    assert!(pusher.outlet.tally.is_behind(Share::Mozilla) && !pusher.outlet.tally.is_behind(Share::Fcm));

    // What is handed over goes on coming, but for what would overtake what waits on disk.
    let items = put(&pusher, &outbox, many + 2).await;
    let [item] = items.try_into().unwrap();
    pusher.outlet.tally.begin(1);
    pusher.take(item);
    let [item] = put_to(&pusher, &outbox, many + 3, browser).await.try_into().unwrap();
    pusher.outlet.tally.begin(1);
    pusher.take(item);
    assert_eq!((pusher.queue.held(Share::Mozilla), pusher.queue.held(Share::Fcm)), (ROOM, 2));

    // What is done with makes room for what comes next.
    let mut batch = Batch::new();
    for sequence in (1..=ROOM as u64).map(Sequence::new) {
        batch.delete::<OutboxItem>(&sequence);
        pusher.queue.forget(sequence);
    }
    pusher.store.commit(batch).await.unwrap();
    pusher.catch_up().await;
    assert_eq!(pusher.queue.held(Share::Mozilla), ROOM);
    assert!(pusher.queue.knows(Sequence::new(ROOM as u64 + 1)) && !pusher.queue.knows(Sequence::new(many)));
}
