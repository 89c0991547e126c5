//! What joins it all, without I/O: messages in, answers and news out.
//!
//! [`Core`] is given datagrams, messages of streams, commands, the relay's news and the time; it puts out what is to be sent
//! ([`Output`]) and what its owner is to hear ([`Event`]). It asks nobody anything while it answers a REGISTER: accounts are
//! pushed in. The unauthenticated make it keep nothing but a source's allowance; a REGISTER that is granted begins a
//! transaction, so that its repetitions get the same answer.
//!
//! An INVITE begins a call (`calls`) by a ticket or by an account's password; requests within calls go to their legs. Whatever
//! else comes is refused without state by [`Core`]'s `refuse`.

mod accounts;
mod call;
mod calls;
mod core;
mod counters;
mod followers;
mod kept;
mod news;
mod probe;
mod register;
mod reply;
#[cfg(test)]
mod tests;

use std::{
    net::{IpAddr, SocketAddr},
    time::{Duration, Instant},
};

use bytes::Bytes;

pub use self::{
    call::{CallId, CallSettings, Caller, Ender, LegQuality, Media, PushToken, Quality, Ring, TicketLogin},
    calls::{MediaNews, MediaRelay, MediaSession},
    core::Core,
    counters::{Count, Counters},
};
use crate::{
    abuse,
    bridge::Ticket,
    digest::{self, Fingerprint, Ha1s},
    registrar::{self, BindingId, State},
    ring::Outcome,
    transaction::{self, TransactionId},
    transport::{ConnectionId, Flow, Transport},
    user::User,
};

/// The time, as the engine's owner has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Now {
    /// By which everything is timed.
    pub instant: Instant,
    /// Since 1970: only for what outlives this run.
    pub unix: Duration,
}

impl Now {
    /// When that is by the wall clock, in seconds since 1970.
    fn wall(&self, at: Instant) -> u64 {
        let ahead = self.unix + at.saturating_duration_since(self.instant);
        ahead.saturating_sub(self.instant.saturating_duration_since(at)).as_secs()
    }

    /// The reverse. What is long past is now.
    fn instant(&self, wall: u64) -> Instant {
        self.instant + Duration::from_secs(wall).saturating_sub(self.unix)
    }
}

/// What the engine goes by.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The host of every address-of-record.
    pub domain: String,
    /// Another host by which phones may know us.
    pub advertised: Option<IpAddr>,
    pub digest: digest::Policy,
    pub registrar: registrar::Policy,
    pub abuse: abuse::Limits,
    pub timing: transaction::Timing,
    pub transactions: transaction::Limits,
    pub calls: CallSettings,
}

impl Settings {
    /// What is usual, and these calls.
    pub fn new(domain: &str, calls: CallSettings) -> Self {
        Self {
            domain: domain.to_owned(),
            advertised: None,
            digest: digest::Policy::new(domain.to_owned()),
            registrar: registrar::Policy::default(),
            abuse: abuse::Limits::default(),
            timing: transaction::Timing::default(),
            transactions: transaction::Limits::default(),
            calls,
        }
    }
}

/// What the engine's owner tells it.
#[derive(Debug)]
pub enum Command {
    /// There is an account, or it has another password. Its bindings stay only if the password does.
    SetAccount { user: User, ha1s: Ha1s },
    /// There is none any more; its bindings are cut.
    RemoveAccount { user: User },
    /// Bindings of an earlier run, after their accounts were set. They are suspect: those of UDP until their phone answers
    /// OPTIONS, the others until it registers anew.
    Restore(Vec<(User, Saved)>),
    /// Nothing wakes the phone that has registered with this token any more: its binding is forgotten, if it is asleep.
    Forget { user: User, token: PushToken },
    /// Rings a user's phones for a customer.
    Ring(Box<Ring>),
    /// Ends a call, whatever it is at. Of one that is over, or that nobody knows, nothing is told.
    Hangup { call: CallId },
    /// Takes no new calls: those that are there go on.
    Drain,
    /// Ends all calls, tells what is still to be told, and ends.
    Stop,
}

/// A binding as it outlives the engine. The contact holds the phone's address, and may hold a push token.
#[derive(Clone, PartialEq, Eq)]
pub struct Saved {
    pub id: BindingId,
    pub state: State,
    pub uri: String,
    pub params: String,
    pub path: String,
    pub call_id: String,
    pub cseq: u32,
    /// In seconds since 1970. Of one that is asleep: when it is forgotten.
    pub expires: u64,
    pub transport: Transport,
    pub peer: SocketAddr,
    /// Whether it is known that the phone can be reached.
    pub reach: Reach,
}

impl std::fmt::Debug for Saved {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Saved").field("id", &self.id).field("state", &self.state).finish_non_exhaustive()
    }
}

/// Whether a binding's flow is known to work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// Something came over it in this run.
    Proven,
    /// It is of an earlier run.
    Suspect,
}

/// What the engine's owner hears. Of bindings it hears each once, however often it changed; of calls everything, in order, at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A binding is new, was renewed, fell asleep, or is reached another way.
    Bound {
        user: User,
        /// By which password: the account may have had another one by the time that its owner hears of this.
        account: Fingerprint,
        binding: Saved,
    },
    Unbound(BindingId),
    /// A phone rings: the first of the call's, once.
    Rings {
        call: CallId,
    },
    /// A sleeping phone is to be woken. Once it has registered it is rung.
    Wake {
        call: CallId,
        user: User,
        token: PushToken,
    },
    /// A phone took the call. Twilio's INVITE to the ticket is awaited from now on.
    Answered {
        call: CallId,
        ticket: Ticket,
        /// What the INVITE is challenged for, if it is.
        login: Option<TicketLogin>,
    },
    /// Twilio's INVITE was answered and acknowledged: customer and agent hear each other.
    Bridged {
        call: CallId,
    },
    /// No phone took the call. The last that is told of it.
    Failed {
        call: CallId,
        outcome: Outcome,
    },
    /// It is over, after a phone had answered. The last that is told of it.
    Ended {
        call: CallId,
        by: Ender,
        /// None: the media did not go through us, or nothing is known of them.
        quality: Option<Quality>,
    },
}

/// The way to a phone that is bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Way {
    flow: Flow,
    reach: Reach,
}

/// What is to be done with the sockets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    Send {
        flow: Flow,
        bytes: Bytes,
        /// Who is to be told if that fails, by [`Core::unsent`].
        of: Option<TransactionId>,
    },
    /// Somebody has shown a password over it: it may be idle for long.
    Trust(ConnectionId),
    /// Once what was sent before has gone out.
    Close(ConnectionId),
    /// Whoever is there has guessed passwords: no more connections from there for a while.
    LockOut(IpAddr),
}
