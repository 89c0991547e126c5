//! How many connections there are, from each source and in all.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Arc, Mutex, PoisonError},
};

use crate::abuse::Source;

/// The most connections at a time. Both protect memory and file descriptors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConnectionLimits {
    pub all: usize,
    /// An office of phones behind one address.
    pub per_source: usize,
}

impl Default for ConnectionLimits {
    fn default() -> Self {
        Self { all: 8192, per_source: 512 }
    }
}

#[derive(Clone, Debug)]
pub(super) struct Census {
    limits: ConnectionLimits,
    counts: Arc<Mutex<Counts>>,
}

#[derive(Debug, Default)]
struct Counts {
    all: usize,
    by_source: HashMap<Source, usize>,
}

/// One connection's place, given back when it is dropped.
#[derive(Debug)]
pub(super) struct Place {
    source: Source,
    counts: Arc<Mutex<Counts>>,
}

impl Census {
    pub(super) fn new(limits: ConnectionLimits) -> Self {
        Self { limits, counts: Arc::default() }
    }

    /// None: there are enough.
    pub(super) fn enter(&self, from: IpAddr) -> Option<Place> {
        let source = Source::of(from);
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let of_source = counts.by_source.get(&source).copied().unwrap_or_default();
        if counts.all >= self.limits.all || of_source >= self.limits.per_source {
            return None;
        }
        counts.all += 1;
        counts.by_source.insert(source, of_source + 1);
        Some(Place { source, counts: self.counts.clone() })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        counts.all = counts.all.saturating_sub(1);
        match counts.by_source.get_mut(&self.source) {
            Some(count) if *count > 1 => *count -= 1,
            _ => drop(counts.by_source.remove(&self.source)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_and_all_together_have_a_most_and_places_are_given_back() {
        let census = Census::new(ConnectionLimits { all: 3, per_source: 2 });
        let (one, other) = (IpAddr::from([192, 0, 2, 1]), IpAddr::from([192, 0, 2, 2]));
        let first = census.enter(one).unwrap();
        let _second = census.enter(one).unwrap();
        assert!(census.enter(one).is_none());
        let _third = census.enter(other).unwrap();
        assert!(census.enter(other).is_none());
        drop(first);
        assert!(census.enter(other).is_some());
        assert_eq!(census.counts.lock().unwrap().by_source.len(), 2);
    }
}
