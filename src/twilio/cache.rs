//! A small cache in front of Twilio: at most one question at a time for a key, and the last good answer while Twilio
//! gives none.

use std::{
    collections::HashMap,
    hash::Hash,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::sync::OnceCell;

use super::client::TwilioError;
use crate::{clock::Clock, domain::Timestamp};

/// How long a failure stands: whoever asks within it gets the same, and Twilio is left alone.
const FAILURE_TTL: Duration = Duration::from_secs(5);

pub(super) struct Cache<K, V> {
    clock: Clock,
    /// More keys than this are forgotten, the oldest first.
    most: usize,
    entries: Mutex<HashMap<K, Arc<Entry<V>>>>,
}

struct Entry<V> {
    /// When the question was asked.
    at: Timestamp,
    answer: OnceCell<Result<V, TwilioError>>,
    /// The good answer before this one.
    previous: Option<V>,
}

impl<K: Clone + Eq + Hash, V: Clone> Cache<K, V> {
    pub(super) fn new(clock: Clock, most: usize) -> Self {
        Self { clock, most, entries: Mutex::default() }
    }

    /// The value of a key, not older than `max_age` unless Twilio fails. Those who ask at once wait for one answer; if the
    /// one who fetches goes away, the next one fetches.
    pub(super) async fn get<F>(&self, key: &K, max_age: Duration, fetch: impl FnOnce() -> F) -> Result<V, TwilioError>
    where
        F: Future<Output = Result<V, TwilioError>>,
    {
        let entry = self.entry(key, max_age);
        match (entry.answer.get_or_init(fetch).await, &entry.previous) {
            (Ok(value), _) | (Err(_), Some(value)) => Ok(value.clone()),
            (Err(error), None) => Err(error.clone()),
        }
    }

    fn entry(&self, key: &K, max_age: Duration) -> Arc<Entry<V>> {
        let now = self.clock.now();
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        let old = entries.get(key);
        if let Some(entry) = old.filter(|entry| entry.holds(now, max_age)) {
            return Arc::clone(entry);
        }
        let previous = old.and_then(|entry| entry.best());
        if old.is_none() && entries.len() >= self.most {
            let oldest = entries.iter().min_by_key(|(_, entry)| entry.at).map(|(key, _)| key.clone());
            oldest.map(|key| entries.remove(&key));
        }
        let entry = Arc::new(Entry { at: now, answer: OnceCell::new(), previous });
        entries.insert(key.clone(), Arc::clone(&entry));
        entry
    }
}

impl<V: Clone> Entry<V> {
    fn holds(&self, now: Timestamp, max_age: Duration) -> bool {
        match self.answer.get() {
            None => true,
            Some(Ok(_)) => now.since(self.at) < max_age,
            Some(Err(_)) => now.since(self.at) < FAILURE_TTL,
        }
    }

    fn best(&self) -> Option<V> {
        match self.answer.get() {
            Some(Ok(value)) => Some(value.clone()),
            _ => self.previous.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    const TTL: Duration = Duration::from_secs(30);
    const FAILED: TwilioError = TwilioError::Throttled { retry_after: None };

    fn cache() -> (Cache<u8, u32>, crate::clock::Hand) {
        let (clock, hand) = Clock::manual(Timestamp::from_millis(1_000_000));
        (Cache::new(clock, 2), hand)
    }

    #[tokio::test]
    async fn a_value_is_fetched_again_only_when_it_is_old() {
        let (cache, hand) = cache();
        let fetched = Cell::new(0);
        let fetch = || async {
            fetched.set(fetched.get() + 1);
            Ok(fetched.get())
        };
        assert_eq!(cache.get(&1, TTL, fetch).await, Ok(1));
        hand.advance(TTL - Duration::from_millis(1));
        assert_eq!(cache.get(&1, TTL, fetch).await, Ok(1));
        hand.advance(Duration::from_millis(1));
        assert_eq!(cache.get(&1, TTL, fetch).await, Ok(2));
    }

    #[tokio::test]
    async fn those_who_ask_at_once_share_one_fetch() {
        let (cache, _hand) = cache();
        let fetched = Cell::new(0);
        let fetch = || async {
            fetched.set(fetched.get() + 1);
            tokio::task::yield_now().await;
            Ok(7)
        };
        let (a, b) = tokio::join!(cache.get(&1, TTL, fetch), cache.get(&1, TTL, fetch));
        assert_eq!((a, b, fetched.get()), (Ok(7), Ok(7), 1));
    }

    #[tokio::test]
    async fn the_last_good_value_outlives_a_failure() {
        let (cache, hand) = cache();
        assert_eq!(cache.get(&1, TTL, || async { Ok(1) }).await, Ok(1));
        hand.advance(TTL);
        assert_eq!(cache.get(&1, TTL, || async { Err(FAILED) }).await, Ok(1));
        hand.advance(FAILURE_TTL);
        assert_eq!(cache.get(&1, TTL, || async { Err(FAILED) }).await, Ok(1));
        hand.advance(FAILURE_TTL);
        assert_eq!(cache.get(&1, TTL, || async { Ok(2) }).await, Ok(2));
    }

    #[tokio::test]
    async fn a_failure_is_not_asked_about_again_at_once() {
        let (cache, hand) = cache();
        assert_eq!(cache.get(&1, TTL, || async { Err(FAILED) }).await, Err(FAILED));
        assert_eq!(cache.get(&1, TTL, || async { Ok(1) }).await, Err(FAILED));
        hand.advance(FAILURE_TTL);
        assert_eq!(cache.get(&1, TTL, || async { Ok(1) }).await, Ok(1));
    }

    #[tokio::test]
    async fn the_oldest_key_makes_room_for_a_new_one() {
        let (cache, hand) = cache();
        for key in 1..=3 {
            assert_eq!(cache.get(&key, TTL, || async { Ok(u32::from(key)) }).await, Ok(u32::from(key)));
            hand.advance(Duration::from_millis(1));
        }
        assert_eq!(cache.get(&3, TTL, || async { Ok(30) }).await, Ok(3));
        assert_eq!(cache.get(&1, TTL, || async { Ok(10) }).await, Ok(10));
    }
}
