//! Bindings that somebody is still to hear of. They gather for a moment, so that a binding which changes often is told of once.

use std::{
    collections::{HashSet, VecDeque},
    time::{Duration, Instant},
};

use crate::registrar::{Aor, BindingId, Change};

/// How long news gather. Together with the writing it is to be less than 500 ms.
const GATHER: Duration = Duration::from_millis(200);

/// As many as bindings have changed: there is no more to tell than the table holds, and what was removed.
#[derive(Debug, Default)]
pub(super) struct News {
    order: VecDeque<(Aor, BindingId)>,
    waiting: HashSet<BindingId>,
    due: Option<Instant>,
}

impl News {
    pub(super) fn add(&mut self, changes: impl IntoIterator<Item = Change>, now: Instant) {
        changes.into_iter().for_each(|Change { aor, id, .. }| self.note(aor, id, now));
    }

    pub(super) fn note(&mut self, aor: Aor, id: BindingId, now: Instant) {
        if self.waiting.insert(id) {
            self.order.push_back((aor, id));
        }
        self.due.get_or_insert(now + GATHER);
    }

    pub(super) const fn due(&self) -> Option<Instant> {
        self.due
    }

    /// The next one, if it is time.
    pub(super) fn take(&mut self, now: Instant) -> Option<(Aor, BindingId)> {
        if self.due.is_none_or(|due| now < due) {
            return None;
        }
        let next = self.order.pop_front();
        match next {
            Some((_, id)) => drop(self.waiting.remove(&id)),
            None => self.due = None,
        }
        next
    }

    /// Nothing gathers any more.
    pub(super) fn hurry(&mut self, now: Instant) {
        self.due = self.due.map(|due| due.min(now));
    }

    /// Nobody takes more at the moment.
    pub(super) fn put_off(&mut self, now: Instant) {
        if self.due.is_some() {
            self.due = Some(now + GATHER);
        }
    }
}
