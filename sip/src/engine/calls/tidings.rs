//! What the owner is still to hear of calls: all of it, in order.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use crate::engine::Event;

/// After which an owner that took no more is asked again.
const AGAIN: Duration = Duration::from_millis(20);

/// While so many wait, no command is taken: a call that goes on adds a few at most, so that there is a bound.
const MOST: usize = 8192;

#[derive(Debug, Default)]
pub(in crate::engine) struct Tidings {
    waiting: VecDeque<Event>,
    put_off: Option<Instant>,
}

impl Tidings {
    pub(in crate::engine) fn tell(&mut self, event: Event) {
        self.waiting.push_back(event);
    }

    pub(in crate::engine) fn take(&mut self) -> Option<Event> {
        self.put_off = None;
        self.waiting.pop_front()
    }

    pub(in crate::engine) fn put_off(&mut self, now: Instant) {
        self.put_off = Some(now + AGAIN);
    }

    /// When there is something to take, as seen from `now`.
    pub(in crate::engine) fn due(&self, now: Instant) -> Option<Instant> {
        (!self.waiting.is_empty()).then(|| self.put_off.unwrap_or(now))
    }

    pub(in crate::engine) fn is_full(&self) -> bool {
        self.waiting.len() >= MOST
    }
}
