//! What an agent tells those who look on: its changes, numbered, and of the latest a few for those who come back.
//!
//! It lives in the agent's actor. Whoever comes gets a place and the agent's state between two turns, so that no change is lost
//! or told twice in between.

use std::{
    collections::VecDeque,
    sync::{Arc, OnceLock},
};

use bytes::Bytes;
use tokio::sync::mpsc;

use crate::{agent::changes::Change, domain::Timestamp};

/// Events that are kept for those who come back, and bytes of text in them, at most: what a phone misses in a tunnel.
const KEPT: usize = 256;
const KEPT_BYTES: usize = 128 * 1024;
/// Events that wait for one listener, at most. It protects the daemon's memory from clients that do not read.
const WAITING: usize = 128;

/// A change, with its number.
#[derive(Debug)]
pub struct Event {
    pub seq: u64,
    pub at: Timestamp,
    pub change: Change,
    wire: OnceLock<Bytes>,
}

impl Event {
    /// How it looks to clients; `write` writes it once for all of them.
    pub fn wire(&self, write: impl FnOnce(&Self) -> Bytes) -> Bytes {
        self.wire.get_or_init(|| write(self)).clone()
    }

    fn bytes(&self) -> usize {
        if let Change::Message(said) = &self.change { said.line.text.len() } else { 0 }
    }
}

/// What comes to a listener. After the end of the line the agent has died, or left.
#[derive(Clone, Debug)]
pub enum Told {
    Event(Arc<Event>),
    /// The listener is too slow; nothing more comes.
    TooSlow,
}

/// Those who listen, and what they may have missed.
#[derive(Debug)]
pub(super) struct Feed {
    last: u64,
    kept: VecDeque<Arc<Event>>,
    bytes: usize,
    listeners: Vec<Listener>,
}

#[derive(Debug)]
struct Listener {
    viewer: u64,
    line: mpsc::Sender<Told>,
}

impl Feed {
    /// `last` is the number before the first event's.
    pub(super) const fn new(last: u64) -> Self {
        Self { last, kept: VecDeque::new(), bytes: 0, listeners: Vec::new() }
    }

    /// The latest event's number.
    pub(super) const fn last(&self) -> u64 {
        self.last
    }

    /// What has happened behind an event; none: not all of it is known any more, or that is no event of this life.
    pub(super) fn since(&self, after: u64) -> Option<Vec<Arc<Event>>> {
        let missed = usize::try_from(self.last.checked_sub(after)?).ok()?;
        let first = self.kept.len().checked_sub(missed)?;
        Some(self.kept.range(first..).cloned().collect())
    }

    pub(super) fn listen(&mut self, viewer: u64) -> mpsc::Receiver<Told> {
        let (line, told) = mpsc::channel(WAITING + 1);
        self.listeners.retain(|listener| listener.viewer != viewer && !listener.line.is_closed());
        self.listeners.push(Listener { viewer, line });
        told
    }

    pub(super) fn is_listening(&self, viewer: u64) -> bool {
        self.listeners.iter().any(|listener| listener.viewer == viewer && !listener.line.is_closed())
    }

    pub(super) fn has_listeners(&self) -> bool {
        self.listeners.iter().any(|listener| !listener.line.is_closed())
    }

    pub(super) fn tell(&mut self, changes: Vec<Change>, at: Timestamp) {
        for change in changes {
            self.last += 1;
            let event = Arc::new(Event { seq: self.last, at, change, wire: OnceLock::new() });
            self.listeners.retain(|listener| listener.tell(&event));
            self.keep(event);
        }
    }

    fn keep(&mut self, event: Arc<Event>) {
        self.bytes += event.bytes();
        self.kept.push_back(event);
        while self.kept.len() > KEPT || self.bytes > KEPT_BYTES {
            let Some(oldest) = self.kept.pop_front() else { return };
            self.bytes -= oldest.bytes();
        }
    }
}

impl Listener {
    /// Answers whether it still listens. The last place is for the word that nothing more comes.
    fn tell(&self, event: &Arc<Event>) -> bool {
        let fits = self.line.capacity() > 1;
        let told = if fits { Told::Event(event.clone()) } else { Told::TooSlow };
        self.line.try_send(told).is_ok() && fits
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn change() -> Change {
        Change::Call(None)
    }

    fn heard(line: &mut mpsc::Receiver<Told>) -> Vec<u64> {
        let told = std::iter::from_fn(|| line.try_recv().ok());
        told.map(|told| if let Told::Event(event) = told { event.seq } else { 0 }).collect()
    }

    #[test]
    fn a_slow_listener_hears_that_it_is_and_holds_nobody_up() {
        let mut feed = Feed::new(100);
        let (mut slow, mut quick) = (feed.listen(1), feed.listen(2));
        let mut numbers = Vec::new();
        for _ in 0..WAITING + 9 {
            feed.tell(vec![change()], Timestamp::EPOCH);
            numbers.extend(heard(&mut quick));
        }
        assert_eq!(numbers, (101..).take(WAITING + 9).collect::<Vec<_>>());
        let at_last: Vec<_> = (101..).take(WAITING).chain([0]).collect();
        assert_eq!((heard(&mut slow), slow.is_closed()), (at_last, true));
        assert!(feed.is_listening(2) && !feed.is_listening(1));
    }

    #[test]
    fn what_is_kept_is_bounded_in_number_and_in_bytes() {
        let mut feed = Feed::new(0);
        feed.tell(vec![change(); KEPT + 5], Timestamp::EPOCH);
        assert_eq!((feed.since(5).map(|events| events.len()), feed.since(4).is_none()), (Some(KEPT), true));
        let long = crate::agent::chat::Line {
            message: "IM0123456789abcdef0123456789abcdef".parse().unwrap(),
            index: 1,
            at: Timestamp::EPOCH,
            author: String::new(),
            text: "x".repeat(KEPT_BYTES / 4),
            files: 0,
        };
        let said = crate::agent::changes::Said {
            conversation: "CH0123456789abcdef0123456789abcdef".parse().unwrap(),
            task: "WR0123456789abcdef0123456789abcdef".parse().unwrap(),
            line: long,
            mine: false,
        };
        feed.tell(vec![Change::Message(said); 9], Timestamp::EPOCH);
        assert_eq!(feed.kept.len(), 4);
    }

    #[test]
    fn numbers_of_another_life_are_unknown() {
        let mut feed = Feed::new(1 << 30);
        feed.tell(vec![change(); 3], Timestamp::EPOCH);
        for after in [0, 5, (1 << 30) - 1, (1 << 30) + 4, u64::MAX] {
            assert!(feed.since(after).is_none(), "{after}");
        }
        assert_eq!(feed.since(1 << 30).map(|events| events.len()), Some(3));
        assert!(feed.since((1 << 30) + 3).is_some_and(|events| events.is_empty()));
    }

    proptest! {
        /// Whoever goes and comes back, whenever, hears each event once, or learns that it cannot.
        #[test]
        fn who_comes_back_misses_nothing(moves in prop::collection::vec((0_u8..4, 0_usize..40), 1..60)) {
            let mut feed = Feed::new(1000);
            let mut line = Some(feed.listen(1));
            let mut seen = 1000;
            for (what, count) in moves {
                match what {
                    0 => line = None,
                    1 if line.is_none() => {
                        let missed = feed.since(seen);
                        let is_lost = feed.last() - seen > KEPT as u64;
                        prop_assert_eq!(missed.is_none(), is_lost);
                        for event in missed.unwrap_or_default() {
                            prop_assert_eq!(event.seq, seen + 1);
                            seen = event.seq;
                        }
                        seen = feed.last();
                        line = Some(feed.listen(1));
                    }
                    _ => feed.tell(vec![change(); count], Timestamp::EPOCH),
                }
                for number in line.as_mut().map(heard).unwrap_or_default() {
                    prop_assert_eq!(number, seen + 1);
                    seen = number;
                }
            }
        }
    }
}
