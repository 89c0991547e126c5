//! Calls: which phones ring for whom, who speaks to whom, and what the owner hears of it.
//!
//! ```text
//! Ring ───────▶ Ringing ── no phone takes it ──▶ Failed
//!                  │ a phone answers
//!                  ▼
//!               Waiting (a ticket) ── Twilio's INVITE ──▶ Joined
//!                  └──────────────────┬─────────────────────┘
//!                                     ▼ somebody hangs up, silence, no INVITE in time
//!                                   Over ── the relay's report ──▶ Ended
//!
//! an agent's INVITE ──▶ Ringing ── a phone answers ──▶ Joined
//! ```
//! A call is its two legs ([`crate::leg`]) and what joins them: a [`ring`](crate::ring) while phones ring, then a
//! [`bridge`](crate::bridge), and the ports of the relay ([`speech`]). Legs are joined with their transactions in `exchange`.

mod agents;
mod caller;
mod dice;
mod ends;
mod exchange;
mod joined;
mod phones;
mod relay;
mod speech;
mod table;
#[cfg(test)]
mod tests;
mod ticketed;
mod tidings;
mod trunks;
mod wake;

use std::time::Instant;

use bytes::Bytes;

pub use self::relay::{MediaNews, MediaRelay, MediaSession};
use self::speech::Speech;
pub(super) use self::{table::Calls, tidings::Tidings};
use super::{CallId, Ender, TicketLogin};
use crate::{
    bridge::{Bridge, Ticket},
    leg::LegId,
    registrar::{Aor, BindingId},
    ring,
    user::User,
};

/// A call of this run; no two have the same number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Number(u64);

/// Whose call it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// Of a customer, named by the owner.
    Customer(CallId),
    /// Of an agent, whose INVITE this leg is.
    Agent { caller: LegId, account: Aor },
}

struct Call {
    kind: Kind,
    stage: Stage,
    speech: Speech,
    /// Whose phones are rung.
    aor: Aor,
    /// Legs of registered phones.
    homes: Vec<(LegId, Home)>,
    /// When its time comes, as it stands in the queue.
    waking: Option<Instant>,
}

/// By what a phone is registered: the way to it is that of its binding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Home {
    aor: Aor,
    binding: BindingId,
}

enum Stage {
    Ringing(Ringing),
    /// A phone has answered; Twilio's INVITE is awaited.
    Waiting(Waiting),
    Joined {
        bridge: Bridge,
        /// The caller has acknowledged our answer.
        confirmed: bool,
    },
    /// All is over; the relay is asked how it was.
    Over {
        by: Ender,
        until: Instant,
    },
}

/// Phones that ring.
struct Ringing {
    ring: ring::Ring<BindingId>,
    user: User,
    /// From, as the phones show it.
    from: Box<str>,
    /// What else they are told: lines by name and value.
    headers: Vec<(Box<str>, Box<str>)>,
    /// What they are offered.
    offer: Bytes,
    until: Instant,
    /// When phones of which nothing was heard are to be woken, if they can be.
    nudge: Option<Instant>,
}

struct Waiting {
    phone: LegId,
    ticket: Ticket,
    login: Option<TicketLogin>,
    until: Instant,
}

impl Call {
    fn wake(&self) -> Option<Instant> {
        match &self.stage {
            Stage::Ringing(ringing) => ringing.ring.next_timeout().into_iter().chain(ringing.nudge).min(),
            Stage::Waiting(waiting) => Some(waiting.until),
            Stage::Joined { .. } => None,
            Stage::Over { until, .. } => Some(*until),
        }
    }
}
