//! Legs: one side of a call each (a back-to-back user agent has two a call).
//!
//! ```text
//! commands ─▶ Legs ─▶ Output::Invite, Ask, Send, Respond, Abandon     to the transactions and the transports
//! messages ─▶      └▶ Output::Tell { leg, event }                     to whoever made the call
//! ```
//!
//! A [`Leg`](self) is a dialog with what goes on in it, without I/O and without a clock:
//!
//! - *calling* (`calling.rs`): our INVITE is not answered yet. The first 2xx wins; 2xx of other forks are acknowledged and ended.
//! - *called* (`called.rs`): the peer's INVITE is not answered yet.
//! - *up* (`up.rs`, `theirs.rs`, `mine.rs`): offers both ways, session timers, requests within the dialog.
//! - *ending* (`ending.rs`): over for its user, but not yet for its peer.
//!
//! Every leg tells [`Event::Ended`] exactly once, whoever ended it, and nothing after that. All waiting has a bound.
//!
//! What is sent is told by [`Output`]: transactions repeat requests and failures ([`crate::transaction`]); a leg repeats its 2xx
//! and the ACKs to the peer's. Session descriptions are opaque here.

mod answer;
mod called;
mod calling;
mod common;
mod ending;
mod login;
mod mine;
mod phase;
mod sent;
mod session;
mod table;
#[cfg(test)]
pub(crate) mod tests;
mod theirs;
mod turn;
mod up;

use std::{fmt, net::IpAddr, sync::Arc, time::Instant};

use bytes::Bytes;

pub use self::{
    called::offer_of,
    login::Login,
    sent::acknowledge,
    table::{Legs, Limits, NoLeg},
};
use crate::{
    message::{Capabilities, Code, Message, Method, Tag},
    transaction::{Class, ClientKey, TransactionId},
    transport::{Flow, Transport},
};

/// A leg, and its tag in From or To: 64 bits that nobody can guess.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LegId(u64);

impl LegId {
    const fn tag(self) -> Tag {
        Tag::new(self.0)
    }

    #[cfg(test)]
    pub(crate) const fn of_test(number: u64) -> Self {
        Self(number)
    }

    /// The leg whose tag that is.
    fn of_tag(tag: &str) -> Option<Self> {
        let is_ours = tag.len() == 16 && tag.bytes().all(|byte| byte.is_ascii_hexdigit());
        u64::from_str_radix(tag, 16).ok().filter(|_| is_ours).map(Self)
    }
}

/// A request of a leg that awaits its response. Whoever runs the transaction gives it back with each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Ask {
    pub leg: LegId,
    number: u32,
}

/// Why a request has no response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// Nobody answered within 64 × T1.
    TimedOut,
    /// It could not be sent, or there was no room for its transaction.
    Unsent,
}

/// What is to be done for the legs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// Begin the transaction of an INVITE. A failure of it is acknowledged by [`acknowledge`].
    Invite {
        ask: Ask,
        key: ClientKey,
        flow: Flow,
        bytes: Bytes,
    },
    /// Begin the transaction of another request.
    Ask {
        ask: Ask,
        key: ClientKey,
        flow: Flow,
        bytes: Bytes,
    },
    /// Send an ACK to a 2xx, which has no transaction.
    Send {
        flow: Flow,
        bytes: Bytes,
    },
    /// Answer a request; a 2xx to an INVITE may come several times.
    Respond {
        to: TransactionId,
        class: Class,
        bytes: Bytes,
    },
    /// Let go of an INVITE's transaction: it was cancelled, and no answer came.
    Abandon {
        ask: Ask,
    },
    Tell {
        leg: LegId,
        event: Event,
    },
}

/// What happened to a leg.
#[derive(Clone, PartialEq, Eq)]
pub enum Event {
    /// The peer is being rung, or looked for: 101 to 199. A session description is a preview of the answer.
    Progress {
        code: Code,
        sdp: Option<Bytes>,
    },
    /// The peer took our call; the description answers our offer.
    Answered {
        sdp: Bytes,
    },
    /// The peer has acknowledged our answer. A description is there if our answer was an offer: to an INVITE without one, and
    /// within a call to one that asks for an offer, which gets the description that we gave last (RFC 3261 §14.2).
    Confirmed {
        sdp: Option<Bytes>,
    },
    /// The peer offers another session: answer it by [`Legs::answer`] or [`Legs::refuse`], within 24 s.
    Offer {
        sdp: Bytes,
    },
    /// The peer took the offer that [`Legs::offer`] made.
    Accepted {
        sdp: Bytes,
    },
    /// The session was refreshed: the peer was offered what was agreed before, and says this of itself. It answers no offer of
    /// [`Legs::offer`]'s.
    Refreshed {
        sdp: Bytes,
    },
    /// It did not, or not within 20 s, and the session is as it was.
    Refused {
        code: Code,
    },
    Ended(End),
}

impl fmt::Debug for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Progress { code, .. } => write!(f, "Progress({code})"),
            Self::Answered { .. } => f.write_str("Answered"),
            Self::Confirmed { .. } => f.write_str("Confirmed"),
            Self::Offer { .. } => f.write_str("Offer"),
            Self::Accepted { .. } => f.write_str("Accepted"),
            Self::Refreshed { .. } => f.write_str("Refreshed"),
            Self::Refused { code } => write!(f, "Refused({code})"),
            Self::Ended(end) => write!(f, "Ended({end:?})"),
        }
    }
}

/// Why a leg is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// By us: [`Legs::end`] or [`Legs::refuse`].
    ByUs,
    /// The peer hung up.
    ByPeer,
    /// The peer cancelled its INVITE.
    Cancelled,
    /// The peer did not take our call: 300 to 699.
    Declined(Code),
    /// It was reached, and did not answer in time.
    NoAnswer,
    /// Nobody said anything, or there is no way to it.
    Unreachable,
    /// The peer does not know the call any more, or does not answer within it.
    Lost,
    /// Nobody refreshed the session in time (RFC 4028 §10).
    Expired,
    /// The peer's answer has no description that belongs to our offer.
    NoSession,
}

/// What a peer is told of why a call ends (RFC 3326).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    Plain,
    /// Another phone took the call: this one is to show no missed call.
    AnsweredElsewhere,
}

impl Reason {
    const fn header(self) -> Option<&'static str> {
        match self {
            Self::Plain => None,
            Self::AnsweredElsewhere => Some("SIP;cause=200;text=\"Call completed elsewhere\""),
        }
    }
}

/// Where requests of ours go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// The way that the peer's messages come: for phones, which are behind NATs and firewalls (RFC 5626 §5.3).
    Flow,
    /// Where the route set and the Contact say (RFC 3261 §12.2.1.1): for servers. If that is a name, the way that the peer's
    /// messages come.
    Routes,
}

/// A call that we make. Addresses are name-addr: `"Anna" <sip:anna@example.com>`.
#[derive(Clone)]
pub struct Invite {
    /// The Request-URI.
    pub target: Box<str>,
    /// The ways to take, such as a binding's Path: each an address with its angle brackets.
    pub routes: Vec<Box<str>>,
    pub flow: Flow,
    pub reach: Reach,
    pub from: Box<str>,
    pub to: Box<str>,
    /// Further lines, by name and value. Nothing of another leg's gets here by itself: see [`crate::bridge::CROSSING`].
    pub headers: Vec<(Box<str>, Box<str>)>,
    /// What we offer.
    pub sdp: Bytes,
    /// The call is cancelled if nobody has answered by then.
    pub until: Instant,
    /// Who we are, if the peer challenges us.
    pub login: Option<Arc<Login>>,
}

impl fmt::Debug for Invite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Invite").field("reach", &self.reach).finish_non_exhaustive()
    }
}

/// A request that has come, with its transaction.
#[derive(Clone, Copy, Debug)]
pub struct Incoming<'a> {
    pub to: TransactionId,
    /// The way that it came.
    pub flow: Flow,
    pub message: &'a Message,
}

/// Where peers find us: what our Via and Contact say.
#[derive(Clone, Debug)]
pub struct Here {
    pub address: IpAddr,
    /// The ports of UDP, TCP and TLS, as seen from outside.
    pub ports: [u16; 3],
}

impl Here {
    fn host_port(&self, transport: Transport) -> std::net::SocketAddr {
        let [udp, tcp, tls] = self.ports;
        let port = match transport {
            Transport::Udp => udp,
            Transport::Tcp => tcp,
            Transport::Tls => tls,
        };
        (self.address, port).into()
    }
}

/// Where random numbers come from: tags, branches and Call-IDs must not be guessed.
pub trait Random: Send {
    fn bits(&mut self) -> u64;
}

impl<F: FnMut() -> u64 + Send> Random for F {
    fn bits(&mut self) -> u64 {
        self()
    }
}

/// What is served within a call, and in an INVITE.
pub const SERVED: Capabilities = Capabilities {
    methods: &[Method::Invite, Method::Ack, Method::Cancel, Method::Bye, Method::Options, Method::Update, Method::Info],
    extensions: &["timer"],
    bodies: &["application/sdp", "application/dtmf-relay", "application/dtmf"],
};

const ALLOW: &str = "INVITE, ACK, CANCEL, BYE, OPTIONS, UPDATE, INFO";
const SDP: &str = "application/sdp";
