//! Bindings that somebody is still to hear of. They gather for a moment, so that a binding which changes often is told of once.

use std::{
    collections::{BTreeMap, HashMap},
    time::{Duration, Instant},
};

use crate::registrar::{Aor, BindingId, Change, Changed};

/// How long news gather. Together with the writing it is to be less than 500 ms.
const GATHER: Duration = Duration::from_millis(200);

/// One each for bindings that there are or that the owner has heard of: however long nobody takes any, there are no more.
#[derive(Debug, Default)]
pub(super) struct News {
    order: BTreeMap<u64, (Aor, BindingId)>,
    waiting: HashMap<BindingId, Waiting>,
    last: u64,
    due: Option<Instant>,
}

#[derive(Clone, Copy, Debug)]
struct Waiting {
    place: u64,
    /// The owner has never heard of it.
    is_new: bool,
}

impl News {
    pub(super) fn add(&mut self, changes: impl IntoIterator<Item = Change>, now: Instant) {
        for Change { aor, id, what } in changes {
            match self.waiting.get(&id) {
                // It came and went: nobody needs to hear of it.
                Some(&Waiting { place, is_new: true }) if what == Changed::Removed => {
                    self.waiting.remove(&id);
                    self.order.remove(&place);
                }
                Some(_) => {}
                None => self.wait(aor, id, what == Changed::New, now),
            }
        }
    }

    /// A binding that the owner knows is reached another way.
    pub(super) fn note(&mut self, aor: Aor, id: BindingId, now: Instant) {
        if !self.waiting.contains_key(&id) {
            self.wait(aor, id, false, now);
        }
    }

    fn wait(&mut self, aor: Aor, id: BindingId, is_new: bool, now: Instant) {
        self.last += 1;
        self.order.insert(self.last, (aor, id));
        self.waiting.insert(id, Waiting { place: self.last, is_new });
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
        let next = self.order.pop_first().map(|(_, next)| next);
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

#[cfg(test)]
mod tests {
    use super::*;

    const AOR: Aor = Aor(1);

    #[allow(clippy::disallowed_methods, reason = "an instant can be had in no other way; the tests move it")]
    fn start() -> Instant {
        Instant::now()
    }

    fn change(id: u64, what: Changed) -> Change {
        Change { aor: AOR, id: BindingId(id), what }
    }

    fn told(news: &mut News, now: Instant) -> Vec<u64> {
        std::iter::from_fn(|| news.take(now + GATHER)).map(|(_, BindingId(id))| id).collect()
    }

    #[test]
    fn what_comes_and_goes_while_nobody_listens_takes_no_room() {
        let (mut news, now) = (News::default(), start());
        news.add([change(1, Changed::New)], now);
        for id in 2..10_000 {
            news.add([change(id, Changed::New), change(id, Changed::Asleep), change(id, Changed::Removed)], now);
            assert!(news.order.len() == 1 && news.waiting.len() == 1);
        }
        assert_eq!(told(&mut news, now), [1]);
    }

    #[test]
    fn the_end_of_what_the_owner_knows_is_told_and_each_once() {
        let (mut news, now) = (News::default(), start());
        news.add([change(1, Changed::New), change(1, Changed::Renewed), change(2, Changed::New)], now);
        assert_eq!(told(&mut news, now), [1, 2]);
        news.note(AOR, BindingId(2), now);
        news.add([change(2, Changed::Removed), change(1, Changed::Renewed), change(1, Changed::Removed)], now);
        assert_eq!(told(&mut news, now), [2, 1]);
        assert_eq!(told(&mut news, now), []);
    }
}
