//! Calls: which phones ring for whom, and what their owner hears of it.

mod tidings;

pub(super) use self::tidings::Tidings;
use super::{Core, Event, Ring};
use crate::ring::Outcome;

impl Core {
    /// Rings a user's phones.
    pub(super) fn ring(&mut self, ring: &Ring) {
        let Ring { call, .. } = *ring;
        self.tidings.tell(Event::Failed { call, outcome: Outcome::Unreachable });
    }
}
