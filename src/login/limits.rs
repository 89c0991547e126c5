//! How many codes are sent, and how many are tried: by number, by address, and by day. All of it is counted in memory, and
//! begins anew with the daemon.

use std::{
    hash::Hash,
    net::{IpAddr, Ipv6Addr},
    num::NonZeroU32,
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use governor::{
    Quota, RateLimiter,
    clock::{Clock as _, Reference},
    middleware::NoOpMiddleware,
    nanos::Nanos,
    state::keyed::DashMapStateStore,
};

use crate::{
    clock::Clock,
    config::Rate,
    domain::{E164, Timestamp},
};

/// Numbers or addresses that are counted at a time. Beyond them those that are at rest are forgotten; if that makes no room,
/// new ones are not counted: a flood from everywhere shall not keep agents out, for whom the limits by number and by day hold.
const KEYS: usize = 100_000;
/// To look for those at rest takes milliseconds, and is not done more often.
const TIDYING: Duration = Duration::from_secs(60);
/// Each code that an address asks for may be tried as often.
const TRIES: u32 = 5;
const DAY: Duration = Duration::from_secs(24 * 3600);

/// The house's clock as governor reads it.
#[derive(Clone)]
pub(super) struct Time(pub(super) Clock);

impl governor::clock::Clock for Time {
    type Instant = Nanos;

    fn now(&self) -> Nanos {
        Nanos::from(Duration::from_millis(self.0.now().as_millis()))
    }
}

/// So much for each key.
struct PerKey<K: Hash + Eq + Clone> {
    limiter: RateLimiter<K, DashMapStateStore<K>, Time, NoOpMiddleware<Nanos>>,
    time: Time,
    most: usize,
    /// When there was no room the last time, in milliseconds.
    tidied: AtomicU64,
}

impl<K: Hash + Eq + Clone> PerKey<K> {
    /// At most so many keys are counted.
    fn new(rate: Rate, most: usize, clock: &Clock) -> Self {
        // A rate has a period, which is all that could be wrong with it.
        let quota = Quota::with_period(rate.per / rate.times.get());
        let quota = quota.unwrap_or_else(|| Quota::per_hour(rate.times)).allow_burst(rate.times);
        let time = Time(clock.clone());
        Self { limiter: RateLimiter::dashmap_with_clock(quota, time.clone()), time, most, tidied: AtomicU64::new(0) }
    }

    /// Takes one, or says how long to wait for it.
    fn take(&self, key: &K) -> Result<(), Duration> {
        if self.limiter.len() >= self.most && !self.makes_room() {
            metrics::counter!("offdesk_login_uncounted_total").increment(1);
            return Ok(());
        }
        self.limiter.check_key(key).map_err(|not_until| {
            let wait = not_until.earliest_possible().duration_since(self.time.now());
            Duration::from_nanos(wait.as_u64())
        })
    }
}

impl<K: Hash + Eq + Clone> PerKey<K> {
    fn makes_room(&self) -> bool {
        let now = self.time.0.now().as_millis();
        let last = self.tidied.load(Ordering::Relaxed);
        if now < last.saturating_add(TIDYING.as_millis() as u64) {
            return false;
        }
        self.tidied.store(now, Ordering::Relaxed);
        self.limiter.retain_recent();
        self.limiter.len() < self.most
    }
}

/// Why no code is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Limited {
    Phone,
    Address,
}

pub(super) struct Limits {
    agents: PerKey<E164>,
    /// Numbers that nobody has are counted apart: however many somebody makes up, agents' own stay counted.
    strangers: PerKey<E164>,
    per_address: PerKey<IpAddr>,
    guesses: PerKey<IpAddr>,
}

impl Limits {
    pub(super) fn new(per_phone: Rate, per_address: Rate, clock: &Clock) -> Self {
        let guesses =
            Rate { times: per_address.times.saturating_mul(NonZeroU32::MIN.saturating_add(TRIES - 1)), ..per_address };
        Self {
            agents: PerKey::new(per_phone, usize::MAX, clock),
            strangers: PerKey::new(per_phone, KEYS, clock),
            per_address: PerKey::new(per_address, KEYS, clock),
            guesses: PerKey::new(guesses, KEYS, clock),
        }
    }

    /// Whether a code may be sent, as far as number and address go. Both are counted, whoever has the number.
    pub(super) fn code(&self, phone: &E164, is_agents: bool, address: IpAddr) -> Result<(), Limited> {
        self.per_address.take(&network(address)).map_err(|_| Limited::Address)?;
        let numbers = if is_agents { &self.agents } else { &self.strangers };
        numbers.take(phone).map_err(|_| Limited::Phone)
    }

    /// Whether an address may try a code, or how long it waits.
    pub(super) fn guess(&self, address: IpAddr) -> Result<(), Duration> {
        self.guesses.take(&network(address))
    }
}

/// What counts as one client: whoever has an IPv6 address has a network of 64 bits full of them.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & (!0 << 64))),
        v4 => v4,
    }
}

/// Breaks the circuit when a day's codes are used up: whatever goes wrong, it costs so much and no more. A day begins at
/// midnight, UTC.
pub(super) struct Breaker {
    most: u32,
    day: u64,
    sent: u32,
}

impl Breaker {
    pub(super) const fn new(most: u32) -> Self {
        Self { most, day: 0, sent: 0 }
    }

    /// Takes one of the day's codes, if there is one.
    pub(super) fn take(&mut self, now: Timestamp) -> bool {
        let day = now.as_secs() / DAY.as_secs();
        if day != self.day {
            (self.day, self.sent) = (day, 0);
            metrics::gauge!("offdesk_otp_breaker_open").set(0.0);
        }
        if self.sent >= self.most {
            return false;
        }
        self.sent += 1;
        self.warn();
        true
    }

    fn warn(&self) {
        metrics::gauge!("offdesk_otp_sent_today").set(f64::from(self.sent));
        if self.sent == self.most {
            metrics::gauge!("offdesk_otp_breaker_open").set(1.0);
            tracing::error!(
                sent = self.sent,
                "the day's one-time codes are used up: nobody can sign in until midnight UTC"
            );
        } else if self.sent == self.most - self.most / 5 {
            tracing::warn!(sent = self.sent, most = self.most, "most of the day's one-time codes are used up");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOON: Timestamp = Timestamp::from_millis(1_760_000_000_000);

    fn rate(text: &str) -> Rate {
        text.parse().unwrap()
    }

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn a_number_gets_its_codes_and_more_as_time_goes_by() {
        let (clock, hand) = Clock::manual(NOON);
        let limits = Limits::new(rate("2/h"), rate("100/h"), &clock);
        let (ada, bob) = ("+15550100".parse().unwrap(), "+15550101".parse().unwrap());
        let here = address("192.0.2.1");
        let taken: Vec<_> = (0..3).map(|_| limits.code(&ada, true, here)).collect();
        assert_eq!(taken, [Ok(()), Ok(()), Err(Limited::Phone)]);
        assert_eq!(limits.code(&bob, true, here), Ok(()));
        hand.advance(Duration::from_secs(1800));
        assert_eq!(limits.code(&ada, true, here), Ok(()));
        assert_eq!(limits.code(&ada, true, here), Err(Limited::Phone));
    }

    #[test]
    fn an_address_is_counted_with_its_network() {
        let (clock, _hand) = Clock::manual(NOON);
        let limits = Limits::new(rate("100/h"), rate("1/h"), &clock);
        let ada = "+15550100".parse().unwrap();
        for (first, same, other) in [
            ("192.0.2.1", "192.0.2.1", "192.0.2.2"),
            ("2001:db8::1", "2001:db8::ffff:1", "2001:db8:0:1::1"),
            ("::ffff:192.0.2.9", "192.0.2.9", "192.0.2.10"),
        ] {
            assert_eq!(limits.code(&ada, true, address(first)), Ok(()), "{first}");
            assert_eq!(limits.code(&ada, true, address(same)), Err(Limited::Address), "{same}");
            assert_eq!(limits.code(&ada, true, address(other)), Ok(()), "{other}");
        }
    }

    #[test]
    fn guesses_are_counted_by_address_and_the_wait_is_told() {
        let (clock, hand) = Clock::manual(NOON);
        let limits = Limits::new(rate("5/h"), rate("2/h"), &clock);
        let here = address("192.0.2.1");
        assert_eq!((0..11).filter(|_| limits.guess(here).is_ok()).count(), 10);
        let wait = limits.guess(here).unwrap_err();
        assert!(wait > Duration::from_secs(350) && wait <= Duration::from_secs(360), "{wait:?}");
        hand.advance(wait);
        assert_eq!(limits.guess(here), Ok(()));
    }

    #[test]
    fn a_full_table_keeps_nobody_out_and_is_tidied_now_and_then() {
        let (clock, hand) = Clock::manual(NOON);
        let table = PerKey::new(rate("1/h"), 2, &clock);
        assert_eq!((table.take(&1), table.take(&2)), (Ok(()), Ok(())));
        assert_eq!((table.take(&3), table.take(&3)), (Ok(()), Ok(())), "not counted");
        assert!(table.take(&1).is_ok(), "as long as there is no room");
        hand.advance(Duration::from_secs(7200));
        assert_eq!(table.take(&3), Ok(()));
        assert!(table.take(&3).is_err(), "those at rest made room");
    }

    #[test]
    fn a_day_has_so_many_codes_and_the_next_has_as_many() {
        let mut breaker = Breaker::new(3);
        assert_eq!((0..5).filter(|_| breaker.take(NOON)).count(), 3);
        assert!(breaker.take(NOON + DAY));
    }
}
