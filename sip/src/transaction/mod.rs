//! The transaction layer (RFC 3261 §17, with RFC 6026), without I/O.
//!
//! Each of the four machines is a file: [`ServerNonInvite`], [`ServerInvite`], [`ClientNonInvite`], [`ClientInvite`]. A machine
//! takes what happened and the time, and says what is to be sent, what its user is to be told ([`Tell`]), and when it
//! wants to be woken; it starts no timer of its own. [`Transactions`] holds the machines, finds the one that a message
//! belongs to, keeps their timers in one queue and lets go of each that is done.

mod client_invite;
mod client_non_invite;
mod key;
mod server_invite;
mod server_non_invite;
mod table;
#[cfg(test)]
mod tests;
mod timers;

use std::time::{Duration, Instant};

use bytes::Bytes;

pub use self::{
    client_invite::ClientInvite,
    client_non_invite::ClientNonInvite,
    key::{ClientKey, Earlier, ServerKey, TransactionId},
    server_invite::ServerInvite,
    server_non_invite::ServerNonInvite,
    table::{Full, Limits, Machine, Output, Request, Transactions},
};

/// The timers' base values (RFC 3261 §17.1.1.1, table 4). `Default` is what the RFC recommends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timing {
    /// A round trip's estimate: the first repetition.
    pub t1: Duration,
    /// The longest interval between repetitions of what is no INVITE.
    pub t2: Duration,
    /// How long a message may stay in the network.
    pub t4: Duration,
}

impl Default for Timing {
    fn default() -> Self {
        Self { t1: Duration::from_millis(500), t2: Duration::from_secs(4), t4: Duration::from_secs(5) }
    }
}

impl Timing {
    /// After which a transaction is given up: timers B, F, H, J, L and M.
    pub const fn give_up(&self) -> Duration {
        self.t1.saturating_mul(64)
    }

    /// Timer D: how long answers to an INVITE may still be repeated.
    const INVITE_LINGERS: Duration = Duration::from_secs(32);

    /// RFC 3261 §17.2.1: an INVITE whose answer takes longer is told that it has been heard.
    const TRYING_AFTER: Duration = Duration::from_millis(200);
}

/// What a status code means to a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// 100 to 199.
    Provisional,
    /// 200 to 299.
    Success,
    /// 300 to 699.
    Failure,
}

impl Class {
    /// Of a status code; codes above 699 do not get here.
    pub const fn of(code: u16) -> Self {
        match code {
            0..=199 => Self::Provisional,
            200..=299 => Self::Success,
            _ => Self::Failure,
        }
    }
}

/// What the transaction's user is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tell {
    /// The message that was given in is news: a request to be answered, a response to be read, an ACK to a 2xx.
    Pass,
    /// Nobody answered in time (RFC 3261 §17.1.1.2: as if a 408 had come), or no ACK came.
    TimedOut,
    /// The flow could not carry it (as if a 503 had come).
    Unsent,
}

/// What a machine wants done after an input.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Step {
    pub send: Option<Bytes>,
    pub tell: Option<Tell>,
}

impl Step {
    const NOTHING: Self = Self { send: None, tell: None };

    fn send(bytes: Bytes) -> Self {
        Self { send: Some(bytes), tell: None }
    }

    const fn tell(tell: Tell) -> Self {
        Self { send: None, tell: Some(tell) }
    }
}

/// When a machine wants to be woken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wish {
    /// Never again: it is done, and to be let go of.
    Done,
    /// Not before something comes.
    Wait,
    /// At this time at the latest.
    Wake(Instant),
}

/// The repetitions of a message over UDP: at growing intervals.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Repeat {
    at: Instant,
    interval: Duration,
}

impl Repeat {
    /// None over a transport that repeats by itself.
    fn first(now: Instant, timing: &Timing, reliable: bool) -> Option<Self> {
        (!reliable).then(|| Self { at: now + timing.t1, interval: timing.t1 })
    }

    /// The next one, twice as far away, but no farther than `most`.
    fn next(self, now: Instant, most: Option<Duration>) -> Self {
        let doubled = self.interval.saturating_mul(2);
        let interval = most.map_or(doubled, |most| doubled.min(most));
        Self { at: now + interval, interval }
    }
}

fn earliest(end: Instant, repeat: Option<Repeat>) -> Wish {
    Wish::Wake(repeat.map_or(end, |repeat| repeat.at.min(end)))
}
