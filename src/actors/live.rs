//! An agent in memory, as the directory sees it: its address, what waits for it, and how often it died of late.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use actix::{Addr, prelude::SendError};

use super::{
    AgentActor,
    agent::{Deliver, Heard},
};
use crate::{domain::Timestamp, inbox::Delivery, store::Sequence};

/// An entry that its agent died of this often is put aside.
const STRIKES: u8 = 3;
/// An agent that dies again waits so long before it is started, twice as long each time, up to the second.
const BACK_OFF: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(60));
/// An agent that lived so long has got over what it died of.
const HEALTHY: Duration = Duration::from_secs(300);

/// The entry that an agent works at, for whoever finds it dead. Zero: none, since sequences begin at one.
#[derive(Clone, Debug, Default)]
pub(super) struct Desk(Arc<AtomicU64>);

impl Desk {
    pub(super) fn take_up(&self, sequence: Sequence) {
        self.0.store(sequence.get(), Ordering::Release);
    }

    pub(super) fn clear(&self) {
        self.0.store(0, Ordering::Release);
    }

    fn left(&self) -> Option<Sequence> {
        Some(self.0.load(Ordering::Acquire)).filter(|number| *number > 0).map(Sequence::new)
    }
}

/// Whether an agent can be given anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    Here,
    /// It was asked whether it may leave the memory.
    Leaving,
    /// It has died, and is started again at this time.
    Dead(Timestamp),
    /// What it has not handled is being read.
    Rising,
}

/// What came of handing over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Handed {
    Everything,
    /// The mailbox is full: to be tried again.
    Full,
    /// The agent has died.
    Died,
    /// Not now: someone waits for the agent already.
    Later,
}

pub(super) struct Live {
    pub(super) addr: Addr<AgentActor>,
    pub(super) desk: Desk,
    pub(super) standing: Standing,
    pub(super) last_heard: Timestamp,
    /// Whether a timer is set to try the full mailbox again.
    pub(super) retrying: bool,
    /// What it was not given yet, in order.
    backlog: BTreeMap<Sequence, Delivery>,
    /// What its softphones told, and it was not given yet. Bounded: an agent has one call that says a few things.
    news: VecDeque<Heard>,
    /// Entries that were read from the store and may still come from the door.
    again: BTreeSet<Sequence>,
    started: Timestamp,
    deaths: u32,
    /// The entry that it died of last, and how often in a row.
    poison: Option<(Sequence, u8)>,
}

impl Live {
    pub(super) fn new(addr: Addr<AgentActor>, desk: Desk, now: Timestamp) -> Self {
        Self {
            addr,
            desk,
            standing: Standing::Here,
            last_heard: now,
            retrying: false,
            backlog: BTreeMap::new(),
            news: VecDeque::new(),
            again: BTreeSet::new(),
            started: now,
            deaths: 0,
            poison: None,
        }
    }

    /// Takes a delivery in, unless it is here already or was read from the store before it came.
    pub(super) fn put(&mut self, delivery: Delivery, now: Timestamp) {
        self.last_heard = now;
        if !self.again.remove(&delivery.sequence) {
            self.backlog.entry(delivery.sequence).or_insert(delivery);
        }
    }

    /// Takes in what the store held when the agent died.
    pub(super) fn put_again(&mut self, delivery: Delivery) {
        let sequence = delivery.sequence;
        if let std::collections::btree_map::Entry::Vacant(place) = self.backlog.entry(sequence) {
            place.insert(delivery);
            self.again.insert(sequence);
        }
    }

    /// Takes in what the agent's softphones tell.
    pub(super) fn put_news(&mut self, news: Heard, now: Timestamp) {
        self.last_heard = now;
        self.news.push_back(news);
    }

    /// Somebody waits on the phone: news of softphones go first.
    pub(super) fn hand_over(&mut self) -> Handed {
        if self.standing != Standing::Here || self.retrying {
            return Handed::Later;
        }
        while let Some(news) = self.news.pop_front() {
            let Err(refused) = self.addr.try_send(news) else { continue };
            let handed = if matches!(refused, SendError::Closed(_)) { Handed::Died } else { Handed::Full };
            self.news.push_front(refused.into_inner());
            return handed;
        }
        while let Some((sequence, delivery)) = self.backlog.pop_first() {
            let Err(refused) = self.addr.try_send(Deliver(delivery)) else { continue };
            let handed = if matches!(refused, SendError::Closed(_)) { Handed::Died } else { Handed::Full };
            let Deliver(delivery) = refused.into_inner();
            self.backlog.insert(sequence, delivery);
            return handed;
        }
        Handed::Everything
    }

    pub(super) fn is_resting(&self, now: Timestamp, idle: Duration) -> bool {
        self.standing == Standing::Here && self.is_owed_nothing() && now.since(self.last_heard) > idle
    }

    /// Takes everything that it was not given yet.
    pub(super) fn give_up(&mut self) -> Vec<Sequence> {
        std::mem::take(&mut self.backlog).into_keys().collect()
    }

    pub(super) fn is_owed_nothing(&self) -> bool {
        self.backlog.is_empty() && self.news.is_empty()
    }

    /// The agent has died: counts what of, and says which entry is to be put aside, if one is.
    pub(super) fn died(&mut self, now: Timestamp) -> Option<Sequence> {
        self.deaths = if now.since(self.started) > HEALTHY { 1 } else { self.deaths.saturating_add(1) };
        let wait = match self.deaths {
            0 | 1 => Duration::ZERO,
            more => BACK_OFF.0.saturating_mul(1 << (more - 2).min(16)).min(BACK_OFF.1),
        };
        self.standing = Standing::Dead(now + wait);
        let strikes = |sequence| self.poison.filter(|(last, _)| *last == sequence).map_or(0, |(_, strikes)| strikes);
        self.poison = self.desk.left().map(|sequence| (sequence, strikes(sequence) + 1));
        self.desk.clear();
        self.poison.filter(|(_, strikes)| *strikes >= STRIKES).map(|(sequence, _)| sequence)
    }

    /// It lives again, under a new address.
    pub(super) fn risen(&mut self, addr: Addr<AgentActor>, now: Timestamp) {
        self.addr = addr;
        self.standing = Standing::Here;
        self.started = now;
        self.last_heard = now;
    }
}
