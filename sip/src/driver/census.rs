//! How many connections there are, from each source and in all, and how fast new ones come.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Instant,
};

use ipnet::IpNet;

use crate::abuse::{self, Admitted, Allowance, Gate, Rate, Shed, Source};

/// The most connections, at a time and by and by. The first three protect memory and file descriptors, the others the time
/// that handshakes take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConnectionLimits {
    pub all: usize,
    /// Over which nobody has shown a password yet, from sources where nobody has lately: the rest is kept for phones and
    /// for Twilio.
    pub strangers: usize,
    /// An office of phones behind one address.
    pub per_source: usize,
    /// New ones from a source over whose connections nobody has shown a password lately.
    pub accepts: Rate,
    /// New ones from another: a network that was down comes back all at once.
    pub known_accepts: Rate,
}

impl Default for ConnectionLimits {
    fn default() -> Self {
        Self {
            all: 8192,
            strangers: 4096,
            per_source: 512,
            accepts: Rate { per_second: 20.0, burst: 512 },
            known_accepts: Rate { per_second: 200.0, burst: 2048 },
        }
    }
}

#[derive(Clone, Debug)]
pub(super) struct Census {
    limits: ConnectionLimits,
    counts: Arc<Mutex<Counts>>,
}

#[derive(Debug)]
struct Counts {
    all: usize,
    strangers: usize,
    by_source: HashMap<Source, usize>,
    /// Which sources come too often, are known, or are locked out.
    gate: Gate,
}

/// One connection's place, given back when it is dropped.
#[derive(Debug)]
pub(super) struct Place {
    from: IpAddr,
    /// Whether it is one of the strangers'.
    strange: bool,
    counts: Arc<Mutex<Counts>>,
}

impl Census {
    /// Sources stay known and locked out for as long as `abuse` says; those in `trusted` are always known.
    pub(super) fn new(limits: ConnectionLimits, abuse: abuse::Limits, trusted: &[IpNet]) -> Self {
        let abuse = abuse::Limits {
            unknown: Allowance { messages: limits.accepts, ..abuse.unknown },
            known: Allowance { messages: limits.known_accepts, ..abuse.known },
            ..abuse
        };
        let gate = Gate::new(abuse, trusted);
        let counts = Counts { all: 0, strangers: 0, by_source: HashMap::new(), gate };
        Self { limits, counts: Arc::new(Mutex::new(counts)) }
    }

    /// A place, or why there is none.
    pub(super) fn enter(&self, from: IpAddr, now: Instant) -> Result<Place, Shed> {
        let mut counts = lock(&self.counts);
        if counts.gate.admit(from, now)? == Admitted::Ongoing {
            return Err(Shed::LockedOut);
        }
        let source = Source::of(from);
        let of_source = counts.by_source.get(&source).copied().unwrap_or_default();
        let ConnectionLimits { all, strangers, per_source, .. } = self.limits;
        let strange = !counts.gate.is_known(from, now);
        if counts.all >= all || of_source >= per_source || (strange && counts.strangers >= strangers) {
            return Err(Shed::Full);
        }
        counts.all += 1;
        counts.strangers += usize::from(strange);
        counts.by_source.insert(source, of_source + 1);
        Ok(Place { from, strange, counts: self.counts.clone() })
    }

    /// Whether somebody there is trusted without a password.
    pub(super) fn trusts(&self, from: IpAddr) -> bool {
        lock(&self.counts).gate.trusts(from)
    }

    /// Whoever is there has guessed passwords: no more connections for a while.
    pub(super) fn lock_out(&self, from: IpAddr, now: Instant) {
        lock(&self.counts).gate.lock_out(from, now);
    }
}

impl Place {
    /// Somebody has shown a password over this connection.
    pub(super) fn trust(&mut self, now: Instant) {
        let mut counts = lock(&self.counts);
        counts.gate.succeeded(self.from, now);
        if std::mem::take(&mut self.strange) {
            counts.strangers = counts.strangers.saturating_sub(1);
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let (mut counts, source) = (lock(&self.counts), Source::of(self.from));
        counts.all = counts.all.saturating_sub(1);
        if self.strange {
            counts.strangers = counts.strangers.saturating_sub(1);
        }
        match counts.by_source.get_mut(&source) {
            Some(count) if *count > 1 => *count -= 1,
            _ => drop(counts.by_source.remove(&source)),
        }
    }
}

fn lock(counts: &Mutex<Counts>) -> MutexGuard<'_, Counts> {
    counts.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[allow(clippy::disallowed_methods, reason = "an instant can be had in no other way; the tests move it")]
    fn census(change: impl FnOnce(&mut ConnectionLimits)) -> (Census, Instant) {
        let mut limits = ConnectionLimits::default();
        change(&mut limits);
        let trusted = ["54.172.60.0/30".parse().unwrap()];
        (Census::new(limits, abuse::Limits::default(), &trusted), Instant::now())
    }

    const ONE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1));
    const OTHER: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 2));

    #[test]
    fn a_source_and_all_together_have_a_most_and_places_are_given_back() {
        let (census, now) = census(|limits| (limits.all, limits.per_source) = (3, 2));
        let first = census.enter(ONE, now).unwrap();
        let _second = census.enter(ONE, now).unwrap();
        assert_eq!(census.enter(ONE, now).unwrap_err(), Shed::Full);
        let _third = census.enter(OTHER, now).unwrap();
        assert_eq!(census.enter(OTHER, now).unwrap_err(), Shed::Full);
        drop(first);
        assert!(census.enter(OTHER, now).is_ok());
        assert_eq!(lock(&census.counts).by_source.len(), 2);
    }

    #[test]
    fn strangers_leave_room_for_whoever_has_a_password() {
        let (census, now) = census(|limits| (limits.all, limits.strangers) = (4, 2));
        let (mut phone, stranger) = (census.enter(ONE, now).unwrap(), census.enter(OTHER, now).unwrap());
        assert_eq!(census.enter(OTHER, now).unwrap_err(), Shed::Full);
        phone.trust(now);
        phone.trust(now);
        let next = census.enter(OTHER, now).unwrap();
        assert_eq!(census.enter(OTHER, now).unwrap_err(), Shed::Full);
        let another = census.enter(ONE, now).unwrap();
        assert_eq!(census.enter(ONE, now).unwrap_err(), Shed::Full, "of all");
        drop((phone, stranger, next, another));
        let counts = lock(&census.counts);
        assert_eq!((counts.all, counts.strangers, counts.by_source.len()), (0, 0, 0));
    }

    #[test]
    fn strangers_shut_out_neither_twilio_nor_a_source_that_is_known() {
        let (census, now) = census(|_| {});
        census.enter(ONE, now).unwrap().trust(now);
        let strange = |network: u8| IpAddr::from([203, 0, 113, network]);
        let strangers: Vec<_> = (0..16)
            .flat_map(|network| (0..512).filter_map(|_| census.enter(strange(network), now).ok()).collect::<Vec<_>>())
            .collect();
        assert_eq!(strangers.len(), 4096);
        assert_eq!(census.enter(strange(99), now).unwrap_err(), Shed::Full);
        let mut places: Vec<_> = (0..512).map(|_| census.enter(ONE, now).unwrap()).collect();
        assert_eq!(census.enter(ONE, now).unwrap_err(), Shed::Full);
        places.extend((0..512).map(|_| census.enter(IpAddr::from([54, 172, 60, 1]), now).unwrap()));
        drop((places, strangers));
        let counts = lock(&census.counts);
        assert_eq!((counts.all, counts.strangers, counts.by_source.len()), (0, 0, 0));
    }

    #[test]
    fn connections_that_come_too_fast_are_turned_away_and_known_sources_have_more() {
        let rate = |burst| Rate { per_second: 1.0, burst };
        let (census, now) = census(|limits| (limits.accepts, limits.known_accepts) = (rate(3), rate(30)));
        let accepted = |now| (0..100).filter(|_| census.enter(ONE, now).is_ok()).count();
        assert_eq!(accepted(now), 3);
        assert_eq!(census.enter(ONE, now).unwrap_err(), Shed::Rate);
        assert!(census.enter(OTHER, now).is_ok());
        let later = now + Duration::from_secs(60);
        census.enter(ONE, later).unwrap().trust(later);
        assert_eq!(accepted(later), 29);
    }

    #[test]
    fn whoever_is_locked_out_has_no_connections_for_as_long() {
        let (census, now) = census(|_| {});
        census.lock_out(ONE, now);
        assert_eq!(census.enter(ONE, now).unwrap_err(), Shed::LockedOut);
        assert!(census.enter(OTHER, now).is_ok());
        let later = now + abuse::Limits::default().locked_for;
        census.enter(ONE, later).unwrap().trust(later);
        census.lock_out(ONE, later);
        assert_eq!(census.enter(ONE, later).unwrap_err(), Shed::LockedOut, "also if it is known");
        let twilio = IpAddr::from([54, 172, 60, 1]);
        census.lock_out(twilio, now);
        assert!(census.enter(twilio, now).is_ok(), "its tickets are good");
    }
}
