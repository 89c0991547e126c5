//! Works the outbox off: takes items, sends those whose turn it is, and deletes what is done with.
//!
//! What is in memory is a part of what is on disk: of each share everything up to some item, and nothing behind it. When items
//! found no room on their way here, and at the start, the store is read.

use std::{collections::HashMap, sync::Arc, time::Duration};

use metrics::counter;
use tokio::{
    sync::{mpsc, watch},
    task::{Id, JoinError, JoinSet},
};

use super::{
    Numbered, OutboxItem,
    failure::{End, Failure},
    graveyard::{Graveyard, letter_of},
    outbox::Outlet,
    providers::Providers,
    queue::{Job, Queue},
    records::LastDelivery,
    share::Share,
};
use crate::{
    clock::Clock,
    domain::{AgentId, DeviceId, NewsKind, Timestamp},
    store::{Batch, Page, Sequence, StoreError, StoreHandle},
};

/// Items of one share in memory: some 5 MB. The rest waits on disk.
const ROOM: usize = 2_500;
/// With fewer in memory there is room enough for more to be worth a reading of the store.
const ROOMY: usize = ROOM / 2;
/// Items that are read in one go: what is in memory already, and as many again.
const PAGE: usize = 2 * ROOM;
/// How long a store that does not do as told is left alone.
const PAUSE: Duration = Duration::from_millis(500);

pub(super) struct Pusher {
    store: StoreHandle,
    clock: Clock,
    outlet: Outlet,
    providers: Arc<Providers>,
    gone: mpsc::Sender<(AgentId, DeviceId)>,
    queue: Queue,
    sending: JoinSet<Result<End, Failure>>,
    jobs: HashMap<Id, Job>,
    /// Done with, and not deleted yet.
    done: Vec<(Job, End)>,
    graveyard: Graveyard,
    /// Until then the store is left alone.
    pause_until: Timestamp,
}

type Sent = Result<(Id, Result<End, Failure>), JoinError>;

/// What the pusher works with.
pub(super) struct Tools {
    pub(super) store: StoreHandle,
    pub(super) clock: Clock,
    pub(super) providers: Arc<Providers>,
    pub(super) limits: [usize; 2],
    pub(super) gone: mpsc::Sender<(AgentId, DeviceId)>,
}

impl Pusher {
    pub(super) fn new(tools: Tools, outlet: Outlet, graveyard: Graveyard) -> Self {
        let Tools { store, clock, providers, limits, gone } = tools;
        Self {
            store,
            clock,
            outlet,
            providers,
            gone,
            queue: Queue::new(limits),
            sending: JoinSet::new(),
            jobs: HashMap::new(),
            done: Vec::new(),
            graveyard,
            pause_until: Timestamp::EPOCH,
        }
    }

    /// Runs until it is told to stop, or until nobody can hand anything over any more; what is on its way then is waited for.
    pub(super) async fn run(mut self, mut stop: watch::Receiver<bool>) {
        loop {
            self.catch_up().await;
            self.dispatch();
            self.clear_away();
            let wake = self.wake_at();
            tokio::select! {
                handed_over = self.outlet.handed_over.recv() => match handed_over {
                    Some(item) => self.take(item),
                    None => break,
                },
                Some(sent) = self.sending.join_next_with_id() => self.settle(sent),
                () = sleep(&self.clock, wake) => {}
                _ = stop.wait_for(|stop| *stop) => break,
            }
        }
        while let Some(sent) = self.sending.join_next_with_id().await {
            self.settle(sent);
        }
        self.clear_away();
    }

    /// Reads the store, if it holds items that were not handed over and there is room for them.
    async fn catch_up(&mut self) {
        let is_wanted = |share: &Share| self.outlet.tally.is_behind(*share) && self.queue.held(*share) < ROOMY;
        let wanted: Vec<_> = Share::ALL.into_iter().filter(is_wanted).collect();
        if wanted.is_empty() || self.clock.now() < self.pause_until {
            return;
        }
        if let Err(error) = self.read(wanted).await {
            return self.store_failed(&error);
        }
        // What came by the other way meanwhile is either here already or newer. It must not come only when what is here has
        // been sent and forgotten: it would be sent twice.
        for _ in 0..self.outlet.handed_over.len() {
            if let Ok(item) = self.outlet.handed_over.try_recv() {
                self.take(item);
            }
        }
    }

    /// Takes what the store holds of these shares, as far as each has room, past what it holds of the others.
    async fn read(&mut self, wanted: Vec<Share>) -> Result<(), StoreError> {
        let tally = Arc::clone(&self.outlet.tally);
        let mut reading: Vec<_> = wanted.into_iter().map(|share| (share, tally.missed(share))).collect();
        let (end, mut after) = (tally.end_of_items(), None);
        loop {
            let page: Page<OutboxItem> = self.store.page(after.as_ref(), PAGE).await?;
            let is_last = page.len() < PAGE;
            after = page.last().map(|(key, _)| key.clone());
            for (key, item) in page {
                match (key.sequence().filter(|sequence| *sequence < end), item) {
                    (None, _) => {}
                    (Some(sequence), Err(error)) => self.leave_out(sequence, &error),
                    (Some(sequence), Ok(item)) => {
                        let share = Share::of(&item.target);
                        if self.has_room(share, sequence) {
                            if reading.iter().any(|(read, _)| *read == share) {
                                self.add(sequence, item);
                            }
                        } else {
                            // What comes behind it must not overtake it.
                            reading.retain(|(read, _)| *read != share);
                        }
                    }
                }
            }
            if is_last || reading.is_empty() {
                break;
            }
        }
        reading.into_iter().for_each(|(share, missed)| tally.make_good(share, missed));
        Ok(())
    }

    fn has_room(&self, share: Share, sequence: Sequence) -> bool {
        self.queue.held(share) < ROOM || self.queue.knows(sequence)
    }

    /// Takes an item that was handed over. While the store holds older ones of its share that were not, it is left there too:
    /// it would overtake them.
    fn take(&mut self, (sequence, item): Numbered) {
        let share = Share::of(&item.target);
        if !self.has_room(share, sequence) {
            self.outlet.tally.miss(share);
        }
        if !self.outlet.tally.is_behind(share) {
            self.add(sequence, item);
        }
        self.outlet.tally.end(1);
    }

    fn add(&mut self, sequence: Sequence, item: OutboxItem) {
        if self.queue.add(sequence, item) {
            self.outlet.tally.begin(1);
        }
    }

    /// Tells of a record that cannot be read, once. It stays where it is, for whoever looks into it.
    fn leave_out(&mut self, sequence: Sequence, error: &StoreError) {
        if self.queue.leave_alone(sequence) {
            counter!("offdesk_records_unreadable_total", "family" => "outbox").increment(1);
            tracing::error!(sequence = sequence.get(), %error, "an item of the outbox is left out");
        }
    }

    fn dispatch(&mut self) {
        while let Some(job) = self.queue.next(self.clock.now()) {
            let (providers, item) = (Arc::clone(&self.providers), Arc::clone(&job.item));
            let task = self.sending.spawn(async move { providers.deliver(&item).await });
            self.jobs.insert(task.id(), job);
        }
    }

    fn settle(&mut self, sent: Sent) {
        let (id, outcome) = match sent {
            Ok(sent) => sent,
            // It has panicked, and would again.
            Err(error) => (error.id(), Err(Failure::Refused { reason: "panicked" })),
        };
        let Some(job) = self.jobs.remove(&id) else { return };
        if matches!(outcome, Err(Failure::Gone { .. })) && self.gone.try_send(job.address()).is_err() {
            // The next notification finds it out again.
            tracing::debug!("nobody has room for a device that is gone");
        }
        self.queue.settle(job, outcome, self.clock.now());
    }

    /// Deletes what is done with. Lost deletions are made up for by sending again: at least once.
    fn clear_away(&mut self) {
        for (job, end) in self.queue.take_ended() {
            if let Some(reason) = end.dropped() {
                counter!("offdesk_push_dropped_total", "reason" => reason).increment(1);
            }
            self.done.push((job, end));
        }
        if self.done.is_empty() || self.clock.now() < self.pause_until {
            return;
        }
        match self.write_off().and_then(|batch| self.store.commit_soft(batch)) {
            Ok(()) => {
                self.outlet.tally.end(self.done.len());
                self.done.drain(..).for_each(|(job, _)| self.queue.forget(job.sequence));
            }
            Err(error) => self.store_failed(&error),
        }
    }

    /// What is to be known of pushes that are done with.
    fn write_off(&mut self) -> Result<Batch, StoreError> {
        let (mut batch, now) = (Batch::new(), self.clock.now());
        for (job, end) in &self.done {
            batch.delete::<OutboxItem>(&job.sequence);
            if let Some(letter) = letter_of(job, *end, now) {
                self.graveyard.bury(job.sequence, &letter, &mut batch)?;
            }
            let kind = job.item.notification.news.kind();
            // Whoever is told that its session is over is not there any more.
            if *end == End::Sent && kind != NewsKind::SessionSuperseded {
                batch.put(&job.address(), &LastDelivery { at: now, kind })?;
            }
        }
        Ok(batch)
    }

    fn store_failed(&mut self, error: &StoreError) {
        tracing::warn!(%error, "the outbox waits for the store");
        self.pause_until = self.clock.now() + PAUSE;
    }

    /// When something is due that nobody reports.
    fn wake_at(&self) -> Option<Timestamp> {
        let waits_for_store = !self.done.is_empty() || self.outlet.tally.is_behind_anywhere();
        let store = Some(self.pause_until).filter(|at| waits_for_store && *at > self.clock.now());
        [self.queue.wake_at(self.clock.now()), store].into_iter().flatten().min()
    }
}

async fn sleep(clock: &Clock, until: Option<Timestamp>) {
    match until {
        Some(at) => clock.sleep_until(at).await,
        None => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests;
