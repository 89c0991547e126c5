//! Whose turn it is: pure. Each device has a lane, in which items stay in order and one at a time is on its way; a newer
//! item takes the place of those with its tag. Each provider has so many on their way at once.

use std::{
    collections::{BTreeSet, HashMap, HashSet, VecDeque},
    sync::Arc,
};

use super::{
    OutboxItem, backoff,
    failure::{End, Failure},
};
use crate::{
    domain::{AgentId, DeviceId, PushTarget, Timestamp},
    store::Sequence,
};

/// A device of an agent.
pub(super) type Address = (AgentId, DeviceId);

/// Who delivers. Its place in [`Provider::ALL`] is its place in every array here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Provider {
    WebPush,
    Fcm,
}

impl Provider {
    pub(super) const ALL: [Self; 2] = [Self::WebPush, Self::Fcm];

    pub(super) const fn of(target: &PushTarget) -> Self {
        match target {
            PushTarget::WebPush { .. } => Self::WebPush,
            PushTarget::Fcm { .. } => Self::Fcm,
        }
    }
}

/// An item that is to be sent now.
#[derive(Clone, Debug)]
pub(super) struct Job {
    pub(super) sequence: Sequence,
    pub(super) item: Arc<OutboxItem>,
    /// Tries before this one.
    tries: u32,
}

impl Job {
    pub(super) fn address(&self) -> Address {
        (self.item.agent, self.item.device)
    }

    fn provider(&self) -> Provider {
        Provider::of(&self.item.target)
    }

    fn has_tag_of(&self, other: &Self) -> bool {
        self.item.notification.news.tag() == other.item.notification.news.tag()
    }
}

/// What waits for one device, oldest first.
#[derive(Debug, Default)]
struct Lane {
    waiting: VecDeque<Job>,
    state: State,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    /// Nothing waits.
    #[default]
    Idle,
    /// Waits for its turn among the devices of its provider.
    Ready,
    Flying,
    /// A try has failed: the next one is due then.
    Resting(Timestamp),
}

impl Lane {
    /// Puts a job into its place in the order, and answers those that it makes pointless: older ones with its tag, or
    /// itself.
    fn insert(&mut self, job: Job) -> VecDeque<Job> {
        let place = self.waiting.partition_point(|waiting| waiting.sequence < job.sequence);
        if self.waiting.range(place..).any(|newer| newer.has_tag_of(&job)) {
            return VecDeque::from([job]);
        }
        self.waiting.insert(place, job.clone());
        let (older, kept) = std::mem::take(&mut self.waiting)
            .into_iter()
            .partition(|waiting| waiting.sequence < job.sequence && waiting.has_tag_of(&job));
        self.waiting = kept;
        older
    }

    /// Puts a job that has failed back to the front, unless nobody wants it any more `at` its next try.
    fn put_back(&mut self, job: Job, at: Timestamp) -> Option<(Sequence, End)> {
        if self.waiting.iter().any(|newer| newer.has_tag_of(&job)) {
            return Some((job.sequence, End::Replaced));
        }
        if job.item.notification.expires <= at {
            return Some((job.sequence, End::Expired));
        }
        self.waiting.push_front(Job { tries: job.tries + 1, ..job });
        None
    }
}

#[derive(Debug)]
pub(super) struct Queue {
    lanes: HashMap<Address, Lane>,
    /// Lanes whose turn it may be, by provider.
    ready: [VecDeque<Address>; 2],
    resting: BTreeSet<(Timestamp, Address)>,
    flying: [usize; 2],
    /// How many may be on their way at once.
    limits: [usize; 2],
    /// Everything here, and what is done with until [`Queue::forget`].
    known: HashSet<Sequence>,
    ended: Vec<(Sequence, End)>,
}

impl Queue {
    /// `limits`: how many may be on their way at once, in the order of [`Provider::ALL`].
    pub(super) fn new(limits: [usize; 2]) -> Self {
        Self {
            lanes: HashMap::new(),
            ready: Default::default(),
            resting: BTreeSet::new(),
            flying: [0; 2],
            limits,
            known: HashSet::new(),
            ended: Vec::new(),
        }
    }

    /// How many items it remembers, those that are done with and not forgotten among them.
    pub(super) fn len(&self) -> usize {
        self.known.len()
    }

    /// Takes an item in, in its place in the order; `false`: it is here already.
    pub(super) fn add(&mut self, sequence: Sequence, item: OutboxItem) -> bool {
        if !self.known.insert(sequence) {
            return false;
        }
        let job = Job { sequence, item: Arc::new(item), tries: 0 };
        let address = job.address();
        let lane = self.lanes.entry(address).or_default();
        self.ended.extend(lane.insert(job).into_iter().map(|replaced| (replaced.sequence, End::Replaced)));
        self.settle_lane(address);
        true
    }

    /// The next item that may go out now.
    pub(super) fn next(&mut self, now: Timestamp) -> Option<Job> {
        self.wake(now);
        Provider::ALL.into_iter().find_map(|provider| self.next_of(provider, now))
    }

    fn next_of(&mut self, provider: Provider, now: Timestamp) -> Option<Job> {
        let place = provider as usize;
        while self.flying[place] < self.limits[place] {
            let address = self.ready[place].pop_front()?;
            let lane = self.lanes.get_mut(&address)?;
            lane.state = State::Idle;
            while let Some(job) = lane.waiting.pop_front() {
                if job.item.notification.expires <= now {
                    self.ended.push((job.sequence, End::Expired));
                    continue;
                }
                lane.state = State::Flying;
                self.flying[job.provider() as usize] += 1;
                return Some(job);
            }
            self.lanes.remove(&address);
        }
        None
    }

    /// What became of an item that was on its way.
    pub(super) fn settle(&mut self, job: Job, outcome: Result<(), Failure>, now: Timestamp) {
        let address = job.address();
        self.flying[job.provider() as usize] -= 1;
        let Some(lane) = self.lanes.get_mut(&address) else { return };
        lane.state = State::Idle;
        match outcome {
            Ok(()) => self.ended.push((job.sequence, End::Sent)),
            Err(Failure::Refused { .. }) => self.ended.push((job.sequence, End::Refused)),
            Err(Failure::Gone { .. }) => {
                let rest = lane.waiting.drain(..).map(|waiting| waiting.sequence);
                self.ended.extend(rest.chain([job.sequence]).map(|sequence| (sequence, End::Gone)));
            }
            Err(Failure::Later { retry_after, .. }) => {
                let at = now + backoff::delay(job.tries + 1, retry_after);
                lane.state = State::Resting(at);
                self.resting.insert((at, address));
                self.ended.extend(lane.put_back(job, at));
            }
        }
        self.settle_lane(address);
    }

    /// When something is due that is not due yet.
    pub(super) fn wake_at(&self) -> Option<Timestamp> {
        self.resting.first().map(|(at, _)| *at)
    }

    /// What is done with since the last call; to be deleted, and then to be forgotten.
    pub(super) fn take_ended(&mut self) -> Vec<(Sequence, End)> {
        std::mem::take(&mut self.ended)
    }

    /// Its record is deleted: nobody will come with it again.
    pub(super) fn forget(&mut self, sequence: Sequence) {
        self.known.remove(&sequence);
    }

    /// Remembers a record that is no item, so that it is told of once; `false`: it was already.
    pub(super) fn leave_alone(&mut self, sequence: Sequence) -> bool {
        self.known.insert(sequence)
    }

    fn wake(&mut self, now: Timestamp) {
        while let Some((at, address)) = self.resting.first().copied().filter(|(at, _)| *at <= now) {
            self.resting.remove(&(at, address));
            if let Some(lane) = self.lanes.get_mut(&address).filter(|lane| lane.state == State::Resting(at)) {
                lane.state = State::Idle;
                self.settle_lane(address);
            }
        }
    }

    /// Puts an idle lane where it belongs: among the ready ones, or away.
    fn settle_lane(&mut self, address: Address) {
        let Some(lane) = self.lanes.get_mut(&address) else { return };
        match (lane.state, lane.waiting.front()) {
            (State::Idle, Some(job)) => {
                self.ready[job.provider() as usize].push_back(address);
                lane.state = State::Ready;
            }
            (State::Idle | State::Resting(_), None) => {
                self.lanes.remove(&address);
            }
            (State::Ready | State::Flying | State::Resting(_), _) => {}
        }
    }
}

#[cfg(test)]
mod tests;
