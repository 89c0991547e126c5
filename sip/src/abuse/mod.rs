//! What protects a port that the whole world may talk to: a limit a source before anything is parsed, silence for
//! scanners, no answer that would make an attacker's datagram grow, and a lock for sources that guess passwords. Never for
//! an address-of-record: nobody can lock a victim out.
//!
//! A source is *known* while somebody there has shown, not long ago, that answers reach them: by digest credentials that
//! hold a nonce which was sent to that very address. A known source may be an office full of phones behind one address.
//! Twilio's networks are known by their addresses.

mod bucket;
mod scanner;
mod shed;
mod source;
mod trusted;

use std::{
    collections::HashMap,
    net::IpAddr,
    time::{Duration, Instant},
};

use ipnet::IpNet;

pub(crate) use self::bucket::Bucket;
use self::trusted::Trusted;
pub use self::{bucket::Rate, scanner::is_scanner, shed::Shed, source::Source};

/// What of a source's messages is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admitted {
    All,
    /// It is locked out, but known: others there may have calls. What belongs to these goes on.
    Ongoing,
}

/// What a source may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Allowance {
    pub messages: Rate,
    /// Wrong passwords, before the source is locked out.
    pub failures: Rate,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    pub unknown: Allowance,
    pub known: Allowance,
    /// Answers that an unknown source gets over UDP.
    pub replies: Rate,
    /// REGISTERs of one account that are granted, whatever they come from: each may have to be written down. Only whoever has
    /// its password uses it up.
    pub registrations: Rate,
    /// INVITEs of one account that are granted: each keeps a transaction, and may keep legs, for half a minute.
    pub calls: Rate,
    /// How long a source stays known.
    pub known_for: Duration,
    /// How long it stays locked out.
    pub locked_for: Duration,
    /// Sources that are remembered; the rest share one allowance. It protects the memory: about 100 bytes each.
    pub sources: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            unknown: Allowance {
                messages: Rate { per_second: 50.0, burst: 200 },
                failures: Rate { per_second: 0.1, burst: 20 },
            },
            known: Allowance {
                messages: Rate { per_second: 10_000.0, burst: 20_000 },
                failures: Rate { per_second: 2.0, burst: 200 },
            },
            replies: Rate { per_second: 20.0, burst: 100 },
            registrations: Rate { per_second: 2.0, burst: 120 },
            calls: Rate { per_second: 2.0, burst: 30 },
            known_for: Duration::from_secs(3600),
            locked_for: Duration::from_secs(60),
            sources: 65_536,
        }
    }
}

#[derive(Clone, Copy, Debug, Default)]
struct Record {
    messages: Bucket,
    replies: Bucket,
    failures: Bucket,
    known_until: Option<Instant>,
    locked_until: Option<Instant>,
}

impl Record {
    fn is_known(&self, now: Instant) -> bool {
        self.known_until.is_some_and(|until| now < until)
    }

    fn is_locked(&self, now: Instant) -> bool {
        self.locked_until.is_some_and(|until| now < until)
    }

    /// Whether it says no more than a new one would.
    fn is_blank(&self, now: Instant) -> bool {
        let idle = [self.messages, self.replies, self.failures].iter().all(|bucket| bucket.is_full(now));
        idle && !self.is_known(now) && !self.is_locked(now)
    }
}

/// How often room is looked for among the sources once they are as many as may be.
const TIDY_EVERY: Duration = Duration::from_secs(1);

/// What is remembered of each source.
#[derive(Debug)]
pub struct Gate {
    limits: Limits,
    sources: HashMap<Source, Record>,
    trusted: Trusted,
    /// All those for which there is no room. Nobody among them is known or locked out: nobody answers for the others.
    others: Record,
    tidied: Option<Instant>,
    /// When no stranger was found who could make room.
    crowded: Option<Instant>,
}

impl Gate {
    /// Whoever is in `trusted` is always known, and has no part in what others share.
    pub fn new(limits: Limits, trusted: &[IpNet]) -> Self {
        let (sources, trusted) = (HashMap::new(), Trusted::new(trusted));
        Self { limits, sources, trusted, others: Record::default(), tidied: None, crowded: None }
    }

    /// Whether the address is in a network that is trusted.
    pub fn trusts(&self, address: IpAddr) -> bool {
        self.trusted.has(address)
    }

    /// Whether the source has more than a stranger.
    pub fn is_known(&self, address: IpAddr, now: Instant) -> bool {
        self.trusts(address) || self.sources.get(&Source::of(address)).is_some_and(|record| record.is_known(now))
    }

    /// Whether a message from there is to be looked at. It is asked before anything is parsed.
    pub fn admit(&mut self, from: IpAddr, now: Instant) -> Result<Admitted, Shed> {
        let (known, allowance) = (self.is_known(from, now), self.allowance(from, now));
        let record = self.record(from, now);
        let locked = record.is_locked(now);
        if locked && !known {
            return Err(Shed::LockedOut);
        }
        let admitted = if locked { Admitted::Ongoing } else { Admitted::All };
        record.messages.take(allowance.messages, now).then_some(admitted).ok_or(Shed::Rate)
    }

    /// Whether a datagram may be answered with so many bytes. What a connection carries may always be.
    pub fn may_reply(&mut self, to: IpAddr, request: usize, reply: usize, now: Instant) -> Result<(), Shed> {
        let (replies, trusts) = (self.limits.replies, self.trusts(to));
        let record = self.record(to, now);
        if record.is_known(now) {
            return Ok(());
        }
        // Also those that are trusted: whoever forges their addresses shall not drown them.
        if reply > request.saturating_mul(2) {
            return Err(Shed::Amplification);
        }
        if trusts {
            return Ok(());
        }
        record.replies.take(replies, now).then_some(()).ok_or(Shed::Replies)
    }

    /// Somebody there has the right password.
    pub fn succeeded(&mut self, from: IpAddr, now: Instant) {
        let until = now + self.limits.known_for;
        if let Some(record) = self.own(from, now) {
            record.known_until = Some(until);
        }
    }

    /// Somebody there has a wrong password, or a user that there is none of. Answers whether that locked the source out.
    pub fn failed(&mut self, from: IpAddr, now: Instant) -> bool {
        let (allowance, until) = (self.allowance(from, now), now + self.limits.locked_for);
        let Some(record) = self.own(from, now) else { return false };
        let locked = !record.failures.take(allowance.failures, now);
        if locked {
            record.locked_until = Some(until);
        }
        locked
    }

    /// Another gate has locked the source out. One that is trusted is judged there, message by message.
    pub fn lock_out(&mut self, from: IpAddr, now: Instant) {
        if self.trusts(from) {
            return;
        }
        let until = now + self.limits.locked_for;
        if let Some(record) = self.own(from, now) {
            record.locked_until = Some(until);
        }
    }

    /// Sources that are remembered.
    pub fn len(&self) -> usize {
        self.sources.len() + self.trusted.len()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn allowance(&self, from: IpAddr, now: Instant) -> Allowance {
        if self.is_known(from, now) { self.limits.known } else { self.limits.unknown }
    }

    /// What counts for a source: its own record, or that of all for which there is no room.
    fn record(&mut self, address: IpAddr, now: Instant) -> &mut Record {
        let source = Source::of(address);
        if self.trusts(address) {
            return self.trusted.record(source);
        }
        if self.has_room(source, now) { self.sources.entry(source).or_default() } else { &mut self.others }
    }

    /// The source's own record, if need be in a stranger's place. None: all that are remembered are known or locked out.
    fn own(&mut self, address: IpAddr, now: Instant) -> Option<&mut Record> {
        let source = Source::of(address);
        if self.trusts(address) {
            return self.trusted.own(source);
        }
        let room = self.has_room(source, now) || self.evict(now);
        room.then(|| self.sources.entry(source).or_default())
    }

    fn has_room(&mut self, source: Source, now: Instant) -> bool {
        self.sources.len() < self.limits.sources || self.sources.contains_key(&source) || self.tidy(now)
    }

    /// Lets go of a stranger, who loses only what is left of an allowance. Answers whether there was one.
    fn evict(&mut self, now: Instant) -> bool {
        if self.crowded.is_some_and(|at| now < at + TIDY_EVERY) {
            return false;
        }
        let mut strangers = self.sources.iter().filter(|(_, record)| !record.is_known(now) && !record.is_locked(now));
        let stranger = strangers.next().map(|(source, _)| *source);
        self.crowded = stranger.is_none().then_some(now);
        stranger.is_some_and(|stranger| self.sources.remove(&stranger).is_some())
    }

    /// Forgets the sources of which there is nothing to remember. Answers whether there is room again.
    fn tidy(&mut self, now: Instant) -> bool {
        if self.tidied.is_some_and(|at| now < at + TIDY_EVERY) {
            return false;
        }
        self.tidied = Some(now);
        self.sources.retain(|_, record| !record.is_blank(now));
        self.sources.len() < self.limits.sources
    }
}

#[cfg(test)]
mod tests;
