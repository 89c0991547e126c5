//! Which binding is to be looked at when.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::{Aor, BindingId};

/// One entry a binding, mostly. An entry that is out of date is dropped, or put in again, when its time comes.
#[derive(Default)]
pub(super) struct Timers {
    heap: BinaryHeap<Reverse<Timer>>,
}

/// The earliest comes first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Timer {
    /// A tick of the table.
    pub(super) at: u32,
    pub(super) aor: Aor,
    pub(super) id: BindingId,
}

impl Timers {
    pub(super) fn add(&mut self, timer: Timer) {
        self.heap.push(Reverse(timer));
    }

    pub(super) fn len(&self) -> usize {
        self.heap.len()
    }

    /// Drops what is out of date.
    pub(super) fn keep(&mut self, is_current: impl Fn(&Timer) -> bool) {
        self.heap.retain(|Reverse(timer)| is_current(timer));
    }

    pub(super) fn next(&self) -> Option<u32> {
        self.heap.peek().map(|Reverse(timer)| timer.at)
    }

    /// The next one whose time was before `tick`.
    pub(super) fn due(&mut self, tick: u32) -> Option<Timer> {
        let is_due = self.heap.peek().is_some_and(|Reverse(timer)| timer.at < tick);
        if is_due { self.heap.pop().map(|Reverse(timer)| timer) } else { None }
    }
}
