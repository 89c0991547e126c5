//! One queue of all transactions' wishes to be woken.

use std::{cmp::Reverse, collections::BinaryHeap, time::Instant};

use super::TransactionId;

/// A wish stays in the queue until its time, also when the transaction has changed its mind or is gone: whoever takes it
/// out looks whether it still holds.
#[derive(Debug, Default)]
pub(super) struct Timers(BinaryHeap<Reverse<(Instant, TransactionId)>>);

impl Timers {
    pub(super) fn add(&mut self, at: Instant, id: TransactionId) {
        self.0.push(Reverse((at, id)));
    }

    pub(super) fn next(&self) -> Option<Instant> {
        self.0.peek().map(|Reverse((at, _))| *at)
    }

    pub(super) fn take_due(&mut self, now: Instant) -> Option<TransactionId> {
        let Reverse((at, _)) = self.0.peek()?;
        if *at > now {
            return None;
        }
        self.0.pop().map(|Reverse((_, id))| id)
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }
}
