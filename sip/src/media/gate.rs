//! Whose packets a leg takes: learned once, then locked. Pure; the time is passed in.
//!
//! A phone behind a NAT describes an address that nothing can come from, so the relay has to learn where its packets do
//! come from ("symmetric RTP", RFC 4961). Whoever sends first could then take over a call ("RTP bleed"). Therefore:
//!
//! | source | taken |
//! |---|---|
//! | the described address and port, or that of the lock before | at once |
//! | the described address, or that of the leg's SIP messages, from another port | after [`NEAR`] packets in sequence |
//! | any other, of a leg behind a NAT, within the window | after [`ANY`] packets in sequence |
//! | any other | never |
//!
//! Within the window a source that stands higher in this list takes the place of a lower one. A source for which nothing
//! speaks keeps its place for as long as no better one is heard: one of the first two lines takes it at any time, and an
//! address that was locked before comes back as what it was. Otherwise, once locked, only the locked address counts, and of
//! it another SSRC only in place of one that has fallen silent, again in sequence.

use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

/// Packets in sequence that a source has to send for which something speaks (RFC 3550 A.1 asks for two).
const NEAR: u8 = 3;

/// Packets in sequence that any other source has to send. Whoever sprays all ports can send only a few to each.
const ANY: u8 = 10;

/// How long a source under probation keeps others of its rank waiting.
const PATIENCE: Duration = Duration::from_millis(100);

/// How long the locked SSRC has to be silent before another takes its place: two packets of the usual 20 ms.
const SILENT: Duration = Duration::from_millis(40);

/// What is known of a leg's peer before it sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Expected {
    /// As described by SDP.
    pub(super) described: SocketAddr,
    pub(super) reach: Reach,
}

/// How a leg's peer can be reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// It sends from the address that it describes, as Twilio does.
    AsDescribed,
    /// It may be behind a NAT, as phones are.
    MaybeNat {
        /// The address that its SIP messages come from, which is most likely its media's too.
        signalled: Option<IpAddr>,
    },
}

/// The parts of an RTP header that say whose packet it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stamp {
    pub(super) from: SocketAddr,
    pub(super) ssrc: u32,
    pub(super) sequence: u16,
}

/// What becomes of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It is the peer's.
    Pass,
    /// It is the peer's, and the first since the lock closed on this address and SSRC.
    Locked,
    /// It may turn out to be the peer's. Dropped.
    Unproven,
    /// Dropped.
    Foreign,
}

/// How much speaks for a source; more is greater.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    Any,
    Near,
    Exact,
}

#[derive(Clone, Copy, Debug)]
struct Lock {
    on: SocketAddr,
    ssrc: u32,
    rank: Rank,
    last: Instant,
}

/// A source under probation.
#[derive(Clone, Copy, Debug)]
struct Candidate {
    stamp: Stamp,
    rank: Rank,
    in_sequence: u8,
    last: Instant,
}

/// The state of one leg.
#[derive(Debug)]
pub(super) struct Gate {
    expected: Option<Expected>,
    /// Until then any source of a leg behind a NAT may be learned, and any better one takes a worse one's place.
    window: Option<Instant>,
    lock: Option<Lock>,
    /// Where the lock was before the last description, if that describes the same address, and what spoke for it.
    before: Option<(SocketAddr, Rank)>,
    candidate: Option<Candidate>,
}

// === impl Rank ===

impl Rank {
    const fn probation(self) -> u8 {
        match self {
            Self::Any => ANY,
            Self::Near | Self::Exact => NEAR,
        }
    }
}

// === impl Gate ===

impl Gate {
    /// Closed: nobody is expected yet.
    pub(super) const fn new() -> Self {
        Self { expected: None, window: None, lock: None, before: None, candidate: None }
    }

    /// A new description came: what was locked has to prove itself anew. Nobody is expected of one without an address.
    pub(super) fn expect(&mut self, expected: Option<Expected>, until: Instant) {
        let same = expected.map(|new| new.described) == self.expected.map(|old| old.described);
        self.before = if same { self.lock.map(|lock| (lock.on, lock.rank)).or(self.before) } else { None };
        *self = Self { expected, window: Some(until), lock: None, before: self.before, candidate: None };
    }

    /// Where the peer takes packets: where it sends from, or, as long as that is not known, where it says.
    pub(super) fn destination(&self) -> Option<SocketAddr> {
        let expected = self.expected?;
        let before = self.before.map(|(on, _)| on);
        Some(self.lock.map(|lock| lock.on).or(before).unwrap_or(expected.described))
    }

    /// The address that is locked on.
    pub(super) fn locked(&self) -> Option<SocketAddr> {
        self.lock.map(|lock| lock.on)
    }

    pub(super) fn is_locked_on(&self, stamp: Stamp) -> bool {
        self.lock.is_some_and(|lock| lock.on == stamp.from && lock.ssrc == stamp.ssrc)
    }

    pub(super) fn check(&mut self, stamp: Stamp, now: Instant) -> Verdict {
        match &mut self.lock {
            Some(lock) if lock.on == stamp.from && lock.ssrc == stamp.ssrc => {
                lock.last = now;
                Verdict::Pass
            }
            _ => self.consider(stamp, now),
        }
    }

    /// A packet that is not of the locked stream.
    fn consider(&mut self, stamp: Stamp, now: Instant) -> Verdict {
        let open = self.window.is_some_and(|until| now < until);
        let Some(rank) = self.rank(stamp.from, open) else { return Verdict::Foreign };
        match self.lock {
            Some(lock) if lock.on == stamp.from => {
                if now.saturating_duration_since(lock.last) < SILENT {
                    self.candidate = None;
                    return Verdict::Unproven;
                }
                self.prove(stamp, rank, now)
            }
            Some(lock) if rank <= lock.rank || !open && lock.rank != Rank::Any => Verdict::Foreign,
            _ if rank == Rank::Exact || self.was_locked_on(stamp.from) => self.close_on(stamp, rank, now),
            _ => self.prove(stamp, rank, now),
        }
    }

    fn rank(&self, from: SocketAddr, open: bool) -> Option<Rank> {
        let Expected { described, reach } = self.expected?;
        let before = self.before.and_then(|(before, rank)| (from == before).then_some(rank));
        let now = match reach {
            _ if from == described => Some(Rank::Exact),
            _ if from.ip() == described.ip() => Some(Rank::Near),
            Reach::MaybeNat { signalled } if signalled == Some(from.ip()) => Some(Rank::Near),
            Reach::MaybeNat { .. } if open => Some(Rank::Any),
            Reach::MaybeNat { .. } | Reach::AsDescribed => None,
        };
        now.max(before)
    }

    fn was_locked_on(&self, from: SocketAddr) -> bool {
        self.before.is_some_and(|(before, _)| before == from)
    }

    /// Counts packets in sequence.
    fn prove(&mut self, stamp: Stamp, rank: Rank, now: Instant) -> Verdict {
        let is_next = |other: Stamp| {
            stamp == Stamp { sequence: stamp.sequence, ..other } && other.sequence.wrapping_add(1) == stamp.sequence
        };
        let in_sequence = match self.candidate {
            Some(other) if is_next(other.stamp) => other.in_sequence.saturating_add(1),
            Some(other)
                if other.stamp.from != stamp.from
                    && rank <= other.rank
                    && now.saturating_duration_since(other.last) < PATIENCE =>
            {
                return Verdict::Unproven;
            }
            _ => 1,
        };
        if in_sequence >= rank.probation() {
            return self.close_on(stamp, rank, now);
        }
        self.candidate = Some(Candidate { stamp, rank, in_sequence, last: now });
        Verdict::Unproven
    }

    fn close_on(&mut self, stamp: Stamp, rank: Rank, now: Instant) -> Verdict {
        self.lock = Some(Lock { on: stamp.from, ssrc: stamp.ssrc, rank, last: now });
        self.candidate = None;
        Verdict::Locked
    }
}
