use std::sync::Mutex;

use futures_util::FutureExt;
use serde_json::json;
use tokio::sync::oneshot;

use super::*;
use crate::{
    domain::{WorkerEvent, WorkerEventKind},
    store::{MemoryStore, Pending, Rows, Store},
    twilio::events::{self, Ours},
};

const NOON: Timestamp = Timestamp::from_millis(1_760_000_000_000);

/// A store whose commits wait until the test lets them go.
#[derive(Default)]
struct Slow {
    inner: MemoryStore,
    gates: Mutex<Vec<oneshot::Sender<()>>>,
}

impl Slow {
    fn let_go(&self) {
        for gate in self.gates.lock().unwrap().drain(..) {
            let _ = gate.send(());
        }
    }
}

impl Store for Slow {
    fn commit(&self, batch: Batch) -> Pending<Outcome> {
        let (gate, open) = oneshot::channel();
        self.gates.lock().unwrap().push(gate);
        let done = self.inner.commit(batch);
        Box::pin(async move {
            let _ = open.await;
            done.await
        })
    }

    fn commit_soft(&self, batch: Batch) -> Result<(), StoreError> {
        self.inner.commit_soft(batch)
    }

    fn close(&self) -> Pending<()> {
        self.inner.close()
    }

    fn get_bytes(&self, family: Family, key: Vec<u8>) -> Pending<Option<Vec<u8>>> {
        self.inner.get_bytes(family, key)
    }

    fn scan_bytes(&self, family: Family, after: Option<Vec<u8>>, limit: usize) -> Pending<Rows> {
        self.inner.scan_bytes(family, after, limit)
    }
}

fn event(number: u32, at: Timestamp) -> Event {
    Event::Worker(WorkerEvent {
        sid: format!("EV{number:032x}").parse().unwrap(),
        kind: WorkerEventKind::ActivityUpdated,
        worker: format!("WK{:032x}", 1).parse().unwrap(),
        worker_name: "ada".to_owned(),
        activity: Some("Break".to_owned()),
        version: None,
        at,
    })
}

async fn open(store: StoreHandle) -> (Inbox, Outlet) {
    Inbox::open(store, Clock::manual(NOON).0).await.unwrap()
}

fn memory() -> StoreHandle {
    Arc::new(MemoryStore::new())
}

#[tokio::test]
async fn what_is_on_disk_gets_to_its_agent_although_the_sender_has_gone() {
    let store = Arc::new(Slow::default());
    let (inbox, mut outlet) = open(store.clone()).await;
    let mut accepting = Box::pin(inbox.accept(event(1, NOON), None));
    assert!(accepting.as_mut().now_or_never().is_none());
    drop(accepting);
    store.let_go();
    assert_eq!(outlet.deliveries.recv().await.unwrap().entry.event, event(1, NOON));
}

#[tokio::test]
async fn events_are_handed_on_in_the_order_in_which_they_were_given() {
    let store = Arc::new(Slow::default());
    let (inbox, mut outlet) = open(store.clone()).await;
    let accepting: Vec<_> = (0..100).map(|number| inbox.accept(event(number, NOON), None)).collect();
    store.let_go();
    for number in 0..100 {
        assert_eq!(outlet.deliveries.recv().await.unwrap().entry.event, event(number, NOON));
    }
    for accepted in accepting {
        assert_eq!(accepted.await.unwrap(), Accepted::New);
    }
}

#[tokio::test]
async fn a_full_inbox_takes_nothing_until_something_was_handled() {
    let (inbox, mut outlet) = open(memory()).await;
    for number in 0..u32::try_from(CAPACITY).unwrap() {
        inbox.accept(event(number, NOON), None).await.unwrap();
    }
    let one_more = || inbox.accept(event(u32::MAX, NOON), None);
    assert!(matches!(one_more().await, Err(InboxError::Full)));
    drop(outlet.deliveries.recv().await);
    assert_eq!(one_more().await.unwrap(), Accepted::New);
}

#[tokio::test]
async fn what_a_store_refuses_for_now_is_taken_later() {
    let store = Arc::new(MemoryStore::new());
    let (inbox, _outlet) = open(store.clone()).await;
    for error in [StoreError::Busy, StoreError::NoSpace { free_mb: 1, need_mb: 64 }] {
        store.refuse_with(Some(error.clone()));
        let refused = inbox.accept(event(1, NOON), None).await.unwrap_err();
        assert!(matches!(refused, InboxError::Store(found) if found == error));
        assert_eq!(inbox.waiting(), 0);
    }
    store.refuse_with(None);
    assert_eq!(inbox.accept(event(1, NOON), None).await.unwrap(), Accepted::New);
}

#[tokio::test]
async fn what_happened_more_than_a_day_ago_is_not_taken() {
    let (inbox, _outlet) = open(memory()).await;
    let old = NOON - FRESH_FOR - Duration::from_secs(1);
    assert_eq!(inbox.accept(event(1, old), None).await.unwrap(), Accepted::Stale);
    assert_eq!(inbox.accept(event(2, NOON - FRESH_FOR), None).await.unwrap(), Accepted::New);
}

#[tokio::test]
async fn the_order_goes_on_behind_what_waits_at_the_start() {
    let store = memory();
    let (inbox, _outlet) = open(store.clone()).await;
    for number in 0..3 {
        inbox.accept(event(number, NOON), None).await.unwrap();
    }
    let (_inbox, outlet) = open(store.clone()).await;
    let waiting = waiting_entries(&store, outlet.before).await.unwrap();
    assert_eq!(waiting.iter().map(|(sequence, _)| sequence.get()).collect::<Vec<_>>(), [1, 2, 3]);
    assert_eq!(outlet.before.get(), 4);
}

/// What a damaged disk leaves of a record.
#[derive(Serialize, Deserialize)]
struct Rubbish;

impl Record for Rubbish {
    const FAMILY: Family = Family::Inbox;
    const VERSION: u8 = 1;
    type Key = Sequence;

    fn key_bytes(key: &Sequence) -> Vec<u8> {
        key.to_bytes()
    }
}

#[tokio::test]
async fn an_entry_that_cannot_be_read_does_not_hide_the_others() {
    let store = memory();
    let (inbox, _outlet) = open(store.clone()).await;
    inbox.accept(event(1, NOON), None).await.unwrap();
    let mut batch = Batch::new();
    batch.put(&Sequence::new(2), &Rubbish).unwrap();
    store.commit(batch).await.unwrap();
    let (inbox, outlet) = open(store.clone()).await;
    assert_eq!(outlet.before.get(), 3);
    inbox.accept(event(2, NOON), None).await.unwrap();
    assert_eq!(waiting_entries(&store, Sequence::new(u64::MAX)).await.unwrap().len(), 2);
}

/// Each of its characters is six in JSON.
#[tokio::test]
async fn the_largest_event_that_can_be_made_of_a_message_has_its_place() {
    let sid = |prefix: &str| format!("{prefix}0123456789abcdef0123456789abcdef");
    let control = |count| "\u{1}".repeat(count);
    let file = json!({ "MediaSid": sid("ME"), "ContentType": control(99), "Filename": control(199), "Size": u64::MAX });
    let batch = json!([{ "type": "com.twilio.conversations.message.added", "data": {
        "AccountSid": sid("AC"), "ConversationSid": sid("CH"), "MessageSid": sid("IM"), "ParticipantSid": sid("MB"),
        "Index": u64::MAX, "Author": control(512), "MessageBody": control(9_000), "Media": vec![file; 11],
        "DateCreated": "2025-10-09T08:53:20Z",
    } }]);
    let ours = Ours { account: sid("AC").parse().unwrap(), workspace: None };
    let parsed = events::from_batch(batch.to_string().as_bytes(), &ours).unwrap().remove(0).unwrap();
    let Some(Event::Message(largest)) = parsed.into_event() else { panic!("another event") };
    assert_eq!((largest.author.len(), largest.body.len(), largest.media.len()), (512, 8 * 1024, 10));
    assert_eq!((largest.media[0].content_type.len(), largest.media[0].filename.as_ref().unwrap().len()), (64, 100));
    let store = Arc::new(MemoryStore::new());
    let (inbox, _outlet) = Inbox::open(store, Clock::manual(NOON).0).await.unwrap();
    assert_eq!(inbox.accept(Event::Message(largest), None).await.unwrap(), Accepted::New);
}
