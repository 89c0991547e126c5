//! What the engine counts, for whoever shows it. They are written by its threads and read by others.

use std::{
    array,
    sync::atomic::{AtomicU64, Ordering},
};

use crate::abuse::Shed;

/// What is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Count {
    /// Messages that were looked at.
    Messages,
    /// REGISTERs that were granted.
    Registered,
    /// 401s for want of credentials, or of fresh ones.
    Challenged,
    /// 401s for wrong credentials.
    Wrong,
    /// Sources that were locked out.
    LockedOut,
    /// Requests that were refused for another reason.
    Refused,
    /// How many there are: bindings, accounts, transactions, sources that are remembered.
    Bindings,
    Accounts,
    Transactions,
    Sources,
    Connections,
    /// Customers' calls that began to ring.
    Rings,
    /// Agents' calls that did.
    AgentCalls,
    /// Calls that there are, and legs, those included that only their peers have not let go of.
    Calls,
    Legs,
}

impl Count {
    pub const ALL: [Self; 15] = [
        Self::Messages,
        Self::Registered,
        Self::Challenged,
        Self::Wrong,
        Self::LockedOut,
        Self::Refused,
        Self::Bindings,
        Self::Accounts,
        Self::Transactions,
        Self::Sources,
        Self::Connections,
        Self::Rings,
        Self::AgentCalls,
        Self::Calls,
        Self::Legs,
    ];

    /// Whether it can fall again.
    pub const fn is_gauge(self) -> bool {
        matches!(
            self,
            Self::Bindings
                | Self::Accounts
                | Self::Transactions
                | Self::Sources
                | Self::Connections
                | Self::Calls
                | Self::Legs
        )
    }
}

/// The counters of one engine.
#[derive(Debug)]
pub struct Counters {
    counts: [AtomicU64; Count::ALL.len()],
    sheds: [AtomicU64; Shed::ALL.len()],
}

impl Default for Counters {
    fn default() -> Self {
        Self { counts: array::from_fn(|_| AtomicU64::new(0)), sheds: array::from_fn(|_| AtomicU64::new(0)) }
    }
}

impl Counters {
    pub fn get(&self, count: Count) -> u64 {
        self.counts.get(count as usize).map_or(0, |counter| counter.load(Ordering::Relaxed))
    }

    pub fn shed(&self, why: Shed) -> u64 {
        self.sheds.get(why as usize).map_or(0, |counter| counter.load(Ordering::Relaxed))
    }

    pub(crate) fn add(&self, count: Count) {
        if let Some(counter) = self.counts.get(count as usize) {
            // Only the engine's thread writes, so there is nothing to be torn between reading and writing.
            counter.store(counter.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
        }
    }

    pub(crate) fn set(&self, count: Count, value: usize) {
        if let Some(counter) = self.counts.get(count as usize) {
            counter.store(u64::try_from(value).unwrap_or(u64::MAX), Ordering::Relaxed);
        }
    }

    pub(crate) fn add_shed(&self, why: Shed) {
        if let Some(counter) = self.sheds.get(why as usize) {
            counter.fetch_add(1, Ordering::Relaxed);
        }
    }
}
