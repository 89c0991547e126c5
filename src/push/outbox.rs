//! The outbox: notifications that are not delivered yet, one record a notification and device.
//!
//! Whoever has news puts the items into the batch that holds the change they tell of, and hands them over once that is on
//! disk. What finds no room on the way to the pusher stays on disk, where the pusher looks for it later.

use std::sync::{
    Arc,
    atomic::{AtomicU64, AtomicUsize, Ordering},
};

use aws_lc_rs::rand;
use serde::{Deserialize, Serialize};
use tokio::sync::mpsc;

use super::{payload::text, policy, share::Share};
use crate::{
    domain::{AgentId, Device, DeviceId, News, Notification, NotificationId, PushTarget, Timestamp},
    store::{Cursor, Family, Record, Sequence, StoreError, StoreHandle},
};

/// Items on their way from the agents to the pusher, at most: some 2 MB. What finds it full is read from the store.
const HANDED_OVER: usize = 1024;
/// A text's largest part that is kept, in bytes: more is never shown.
const TEXT: usize = 1024;

/// A notification for one device.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutboxItem {
    /// The same for all devices of the agent.
    pub id: NotificationId,
    pub agent: AgentId,
    pub device: DeviceId,
    pub target: PushTarget,
    pub notification: Notification,
    pub created: Timestamp,
}

impl Record for OutboxItem {
    const FAMILY: Family = Family::Outbox;
    const VERSION: u8 = 1;
    type Key = Sequence;

    fn key_bytes(key: &Sequence) -> Vec<u8> {
        key.to_bytes()
    }
}

/// An item with its place in the order.
pub type Numbered = (Sequence, OutboxItem);

/// Where items are made and handed over.
pub(super) struct Outbox {
    handed_over: mpsc::Sender<Numbered>,
    tally: Arc<Tally>,
}

/// What the pusher is to work off.
pub(super) struct Outlet {
    pub(super) handed_over: mpsc::Receiver<Numbered>,
    pub(super) tally: Arc<Tally>,
}

impl Outbox {
    /// Goes on behind what the store holds, and not before `end`. That itself counts as missed: the pusher begins by
    /// reading the store.
    pub(super) async fn open(store: &StoreHandle, mut end: Sequence) -> Result<(Self, Outlet), StoreError> {
        let last = |key: Cursor, _: Result<OutboxItem, StoreError>| {
            end = key.sequence().map_or(end, |last| end.max(last.next()))
        };
        store.visit(last).await?;
        let (sender, receiver) = mpsc::channel(HANDED_OVER);
        let tally = Arc::new(Tally { next: AtomicU64::new(end.get()), ..Tally::default() });
        Share::ALL.iter().for_each(|share| tally.miss(*share));
        let outbox = Self { handed_over: sender, tally: tally.clone() };
        Ok((outbox, Outlet { handed_over: receiver, tally }))
    }

    /// One item a device, to be put into the batch that holds what they tell of.
    pub(super) fn items(
        &self,
        agent: AgentId,
        devices: &[Device],
        notification: &Notification,
        now: Timestamp,
    ) -> Vec<Numbered> {
        let notification = shortened(notification);
        let kind = notification.news.kind();
        let devices: Vec<_> = devices.iter().filter(|device| policy::concerns(kind, &device.target)).collect();
        let first = self.tally.next.fetch_add(devices.len() as u64, Ordering::AcqRel);
        let id = random_id(first);
        let item = |device: &Device| OutboxItem {
            id,
            agent,
            device: device.id,
            target: device.target.clone(),
            notification: notification.clone(),
            created: now,
        };
        (first..).map(Sequence::new).zip(devices.into_iter().map(item)).collect()
    }

    pub(super) fn under_way(&self) -> usize {
        self.tally.under_way()
    }

    /// Gives items that are on disk to the pusher. It never waits.
    pub(super) fn hand_over(&self, items: Vec<Numbered>) {
        for item in items {
            self.tally.begin(1);
            let share = Share::of(&item.1.target);
            if self.handed_over.try_send(item).is_err() {
                self.tally.miss(share);
                self.tally.end(1);
            }
        }
    }
}

/// A device must tell notifications apart, nothing more: if there is no chance to be had, the place in the order will do.
fn random_id(place: u64) -> NotificationId {
    let mut bytes = [0; 8];
    NotificationId(rand::fill(&mut bytes).map_or(place, |()| u64::from_le_bytes(bytes)))
}

fn shortened(notification: &Notification) -> Notification {
    let mut notification = notification.clone();
    if let News::Message { text, .. } = &mut notification.news {
        text::truncate(text, TEXT);
    }
    notification
}

/// What is still to be done, as far as it is known.
#[derive(Debug, Default)]
pub(super) struct Tally {
    /// The number of the next item.
    next: AtomicU64,
    /// Items on their way to the pusher or in its memory.
    items: AtomicUsize,
    /// How often an item of each share found no room, and up to which of those times the pusher has read the store since.
    missed: [AtomicU64; Share::COUNT],
    made_good: [AtomicU64; Share::COUNT],
}

impl Tally {
    pub(super) fn begin(&self, items: usize) {
        self.items.fetch_add(items, Ordering::Release);
    }

    pub(super) fn end(&self, items: usize) {
        self.items.fetch_sub(items, Ordering::Release);
    }

    /// The number of the next item. An agent makes an item when those before it are on disk: whoever asks this and reads the
    /// store then, up to this number, misses none of an agent's that comes before another that was read, however long the
    /// reading takes.
    pub(super) fn end_of_items(&self) -> Sequence {
        Sequence::new(self.next.load(Ordering::Acquire))
    }

    pub(super) fn miss(&self, share: Share) {
        self.missed[share as usize].fetch_add(1, Ordering::Release);
    }

    /// How often an item was missed; to be asked before the store is read, and told to [`Tally::make_good`] after it.
    pub(super) fn missed(&self, share: Share) -> u64 {
        self.missed[share as usize].load(Ordering::Acquire)
    }

    pub(super) fn make_good(&self, share: Share, missed: u64) {
        self.made_good[share as usize].store(missed, Ordering::Release);
    }

    /// Whether the store holds items of a share that nobody has handed over.
    pub(super) fn is_behind(&self, share: Share) -> bool {
        self.missed(share) != self.made_good[share as usize].load(Ordering::Acquire)
    }

    pub(super) fn is_behind_anywhere(&self) -> bool {
        Share::ALL.iter().any(|share| self.is_behind(*share))
    }

    /// Items that wait or are being sent; what the store alone knows of counts as one.
    pub(super) fn under_way(&self) -> usize {
        // Asked on both sides: in between an item may have gone from here to there.
        let behind = self.is_behind_anywhere();
        let items = self.items.load(Ordering::Acquire);
        items + usize::from(behind || self.is_behind_anywhere())
    }
}
