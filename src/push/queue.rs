//! Whose turn it is: pure. Each device has a lane, in which items stay in order and one at a time is on its way; a newer
//! item takes the place of those with its tag. Each push service has a gate, and each provider so many on their way at once.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, VecDeque},
    sync::Arc,
};

use url::Url;

use super::{
    OutboxItem, backoff,
    failure::{End, Failure, Scope},
    gate::Gate,
    share::Share,
};
use crate::{
    domain::{AgentId, DeviceId, NewsKind, PushTarget, Timestamp},
    store::Sequence,
};

/// A device of an agent.
pub(super) type Address = (AgentId, DeviceId);

/// A device's place among those that wait for their service: until when the most urgent of its items is of use, that item's
/// number, and the device.
pub(super) type Turn = (Timestamp, Sequence, Address);

/// Services of one provider that may be at their limit at the same time. Whoever makes names up under a wildcard does not
/// take what the others need.
const SERVICES: usize = 4;
/// Services of which it is known how they are, at most. There are a handful; the bound is for the same one.
const REMEMBERED: usize = 64;

/// Who delivers. Its number is its place in every array here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Provider {
    WebPush,
    Fcm,
}

impl Provider {
    pub(super) const fn of(target: &PushTarget) -> Self {
        match target {
            PushTarget::WebPush { .. } => Self::WebPush,
            PushTarget::Fcm { .. } => Self::Fcm,
        }
    }
}

/// A push service: a provider, and for Web Push the host.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Service(Provider, Box<str>);

impl Service {
    fn of(target: &PushTarget) -> Self {
        let host = match target {
            PushTarget::WebPush { endpoint, .. } => {
                Url::parse(endpoint).ok().and_then(|url| url.host_str().map(Box::from))
            }
            PushTarget::Fcm { .. } => None,
        };
        Self(Provider::of(target), host.unwrap_or_default())
    }
}

/// An item that is to be sent now.
#[derive(Clone, Debug)]
pub(super) struct Job {
    pub(super) sequence: Sequence,
    pub(super) item: Arc<OutboxItem>,
    /// Tries before this one.
    pub(super) tries: u32,
    /// Why the last of them failed.
    pub(super) last: Option<&'static str>,
}

impl Job {
    pub(super) fn address(&self) -> Address {
        (self.item.agent, self.item.device)
    }

    fn has_tag_of(&self, other: &Self) -> bool {
        self.item.notification.news.tag() == other.item.notification.news.tag()
    }
}

/// What waits for one device, oldest first.
#[derive(Debug)]
struct Lane {
    service: Service,
    waiting: VecDeque<Job>,
    state: State,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    /// Nothing waits.
    #[default]
    Idle,
    /// Waits for its turn among the devices of its service.
    Ready(Turn),
    Flying,
    /// A try has failed: the next one is due then. `asked`: its service said so.
    Resting {
        until: Timestamp,
        asked: bool,
    },
}

impl Lane {
    fn to(target: &PushTarget) -> Self {
        Self { service: Service::of(target), waiting: VecDeque::new(), state: State::Idle }
    }

    /// Where it stands among others; none: nothing waits.
    fn turn(&self) -> Option<Turn> {
        self.waiting.iter().map(|job| (job.item.notification.expires, job.sequence, job.address())).min()
    }

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
    fn put_back(&mut self, job: Job, at: Timestamp, reason: &'static str) -> Option<(Job, End)> {
        let job = Job { tries: job.tries + 1, last: Some(reason), ..job };
        if self.waiting.iter().any(|newer| newer.has_tag_of(&job)) {
            return Some((job, End::Replaced));
        }
        if job.item.notification.expires <= at {
            return Some((job, End::Expired));
        }
        self.waiting.push_front(job);
        None
    }
}

#[derive(Debug)]
pub(super) struct Queue {
    lanes: HashMap<Address, Lane>,
    gates: BTreeMap<Service, Gate>,
    resting: BTreeSet<(Timestamp, Address)>,
    flying: [usize; 2],
    /// How many of one service may be on their way at once, by provider.
    limits: [usize; 2],
    /// Everything here, and what is done with until [`Queue::forget`]; none: a record that is no item.
    known: HashMap<Sequence, Option<Share>>,
    /// How many of them each has.
    held: [usize; Share::COUNT],
    ended: Vec<(Job, End)>,
}

impl Queue {
    /// `limits`: how many of a service may be on their way at once, by the number of the [`Provider`].
    pub(super) fn new(limits: [usize; 2]) -> Self {
        Self {
            lanes: HashMap::new(),
            gates: BTreeMap::new(),
            resting: BTreeSet::new(),
            flying: [0; 2],
            limits,
            known: HashMap::new(),
            held: [0; Share::COUNT],
            ended: Vec::new(),
        }
    }

    /// How many items of a share it remembers, those that are done with and not forgotten among them.
    pub(super) const fn held(&self, share: Share) -> usize {
        self.held[share as usize]
    }

    /// Whether it remembers this one.
    pub(super) fn knows(&self, sequence: Sequence) -> bool {
        self.known.contains_key(&sequence)
    }

    /// Takes an item in, in its place in the order; `false`: it is here already.
    pub(super) fn add(&mut self, sequence: Sequence, item: OutboxItem) -> bool {
        if self.knows(sequence) {
            return false;
        }
        let share = Share::of(&item.target);
        self.known.insert(sequence, Some(share));
        self.held[share as usize] += 1;
        let job = Job { sequence, item: Arc::new(item), tries: 0, last: None };
        let address = job.address();
        let is_offer = job.item.notification.news.kind() == NewsKind::TaskOffered;
        let lane = self.lanes.entry(address).or_insert_with(|| Lane::to(&job.item.target));
        // An offer is of use for a short time, and what an older item has failed of may be over: whether its service is down
        // is the gate's to say.
        if let State::Resting { until, asked: false } = lane.state
            && is_offer
        {
            self.resting.remove(&(until, address));
            lane.state = State::Idle;
        }
        self.ended.extend(lane.insert(job).into_iter().map(|replaced| (replaced, End::Replaced)));
        self.settle_lane(address);
        true
    }

    /// The next item that may go out now.
    pub(super) fn next(&mut self, now: Timestamp) -> Option<Job> {
        self.wake(now);
        loop {
            let address = self.next_address(now)?;
            if let Some(job) = self.take_from(address, now) {
                return Some(job);
            }
        }
    }

    /// The next device of a service that may be asked.
    fn next_address(&mut self, now: Timestamp) -> Option<Address> {
        let (flying, limits) = (self.flying, self.limits);
        let has_room = |provider: Provider| flying[provider as usize] < limits[provider as usize] * SERVICES;
        let open = self.gates.iter_mut().filter(|(service, gate)| has_room(service.0) && gate.is_open(now));
        open.map(|(_, gate)| gate).find_map(|gate| gate.ready.pop_first()).map(|(_, _, address)| address)
    }

    fn take_from(&mut self, address: Address, now: Timestamp) -> Option<Job> {
        let lane = self.lanes.get_mut(&address)?;
        lane.state = State::Idle;
        while let Some(job) = lane.waiting.pop_front() {
            if job.item.notification.expires <= now {
                self.ended.push((job, End::Expired));
                continue;
            }
            lane.state = State::Flying;
            self.flying[lane.service.0 as usize] += 1;
            if let Some(gate) = self.gates.get_mut(&lane.service) {
                gate.begin();
            }
            return Some(job);
        }
        self.remove(address);
        None
    }

    /// What became of an item that was on its way. `Ok`: it is done with, and how.
    pub(super) fn settle(&mut self, job: Job, outcome: Result<End, Failure>, now: Timestamp) {
        let address = job.address();
        let Some(lane) = self.lanes.get_mut(&address) else { return };
        self.flying[lane.service.0 as usize] -= 1;
        let gate = self.gates.entry(lane.service.clone()).or_insert_with(|| Gate::new(1));
        gate.end();
        lane.state = State::Idle;
        match outcome {
            Ok(end) => {
                if end == End::Sent {
                    gate.served(address);
                }
                self.ended.push((job, end));
            }
            Err(Failure::Refused { reason }) => {
                let job = Job { tries: job.tries + 1, last: Some(reason), ..job };
                self.ended.push((job, End::Refused));
            }
            Err(Failure::Gone { .. }) => {
                gate.served(address);
                let rest = lane.waiting.drain(..);
                self.ended.extend(rest.chain([job]).map(|job| (job, End::Gone)));
            }
            Err(Failure::Later { reason, retry_after, scope }) => {
                let at = match scope {
                    Scope::Service => gate.failed(address, job.tries + 1, retry_after, now),
                    Scope::Device => now + backoff::delay(job.tries + 1, retry_after),
                };
                lane.state = State::Resting { until: at, asked: retry_after.is_some() };
                self.resting.insert((at, address));
                self.ended.extend(lane.put_back(job, at, reason));
            }
        }
        self.settle_lane(address);
    }

    /// When something is due that is not due yet.
    pub(super) fn wake_at(&self, now: Timestamp) -> Option<Timestamp> {
        let rested = self.resting.first().map(|(at, _)| *at);
        self.gates.values().filter_map(|gate| gate.opens_at(now)).chain(rested).min()
    }

    /// What is done with since the last call; to be deleted, and then to be forgotten.
    pub(super) fn take_ended(&mut self) -> Vec<(Job, End)> {
        std::mem::take(&mut self.ended)
    }

    /// Its record is deleted: nobody will come with it again.
    pub(super) fn forget(&mut self, sequence: Sequence) {
        if let Some(Some(share)) = self.known.remove(&sequence) {
            self.held[share as usize] -= 1;
        }
    }

    /// Remembers a record that is no item, so that it is told of once; `false`: it was already.
    pub(super) fn leave_alone(&mut self, sequence: Sequence) -> bool {
        self.known.insert(sequence, None).is_none()
    }

    fn wake(&mut self, now: Timestamp) {
        while let Some((at, address)) = self.resting.first().copied().filter(|(at, _)| *at <= now) {
            self.resting.remove(&(at, address));
            let has_rested = |lane: &&mut Lane| matches!(lane.state, State::Resting { until, .. } if until == at);
            if let Some(lane) = self.lanes.get_mut(&address).filter(has_rested) {
                lane.state = State::Idle;
                self.settle_lane(address);
            }
        }
    }

    /// Puts a lane where it belongs: among the ready ones, or away.
    fn settle_lane(&mut self, address: Address) {
        let Some(lane) = self.lanes.get_mut(&address) else { return };
        match (lane.state, lane.turn()) {
            (State::Idle | State::Ready(_), Some(turn)) => {
                let limit = self.limits[lane.service.0 as usize];
                let gate = self.gates.entry(lane.service.clone()).or_insert_with(|| Gate::new(limit));
                if let State::Ready(before) = lane.state {
                    gate.ready.remove(&before);
                }
                gate.ready.insert(turn);
                lane.state = State::Ready(turn);
            }
            (State::Idle | State::Resting { .. }, None) => self.remove(address),
            (State::Ready(_) | State::Flying | State::Resting { .. }, _) => {}
        }
    }

    fn remove(&mut self, address: Address) {
        let Some(lane) = self.lanes.remove(&address) else { return };
        let many = self.gates.len() > REMEMBERED;
        if self.gates.get(&lane.service).is_some_and(|gate| gate.has_nobody() && (many || gate.is_untroubled())) {
            self.gates.remove(&lane.service);
        }
    }
}

#[cfg(test)]
mod tests;
