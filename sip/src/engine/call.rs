//! Calls, as the engine's owner speaks of them.

use std::{fmt, net::IpAddr, time::Duration};

use ipnet::IpNet;

use crate::{
    leg,
    media::{Leg, LegReport, PortRange, Report},
    user::User,
};

/// A try at an agent's phones and what comes of it, named by its owner, who never uses a name twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CallId(pub u128);

/// Rings a user's phones for a customer: those that are awake now, those that sleep once they have been woken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ring {
    pub call: CallId,
    pub user: User,
    pub caller: Caller,
    /// For how long, the time for waking included.
    pub ring: Duration,
}

/// Who calls, as phones show it. Without either: anonymous.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Caller {
    /// Any text.
    pub name: Option<String>,
    /// Such as `+15550100`.
    pub number: Option<String>,
}

/// Who ended a call that a phone had answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Ender {
    /// It hung up, or was lost.
    Phone,
    /// It hung up, cancelled its INVITE, was lost, or offered what the phone does not have.
    Twilio,
    /// The owner.
    Us,
    /// Nothing was heard of the sides that should have sent media, for too long.
    Silence,
    /// Twilio's INVITE has not come in time.
    NoInvite,
}

/// How the media of a call came in, each side's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Quality {
    pub phone: LegQuality,
    pub twilio: LegQuality,
}

/// What one side sent, and what of it has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LegQuality {
    /// RTP packets.
    pub received: u64,
    /// Packets that were sent by their numbers, and have not come.
    pub lost: u64,
    /// The mean deviation of the packets' spacing, smoothed (RFC 3550 A.8).
    pub jitter: Duration,
}

/// What wakes a phone up (RFC 8599 §4.1), as it registered. It is a secret.
#[derive(Clone, PartialEq, Eq)]
pub struct PushToken {
    /// `pn-provider`, such as `fcm`.
    pub provider: String,
    /// `pn-param`: for `fcm` the project.
    pub param: String,
    /// `pn-prid`: for `fcm` the registration token.
    pub prid: String,
}

/// What Twilio's INVITE is to prove that it knows, beside its ticket.
#[derive(Clone, PartialEq, Eq)]
pub struct TicketLogin {
    pub username: String,
    pub password: String,
}

/// What calls go by.
#[derive(Clone, Debug)]
pub struct CallSettings {
    /// Where peers find us. A port that is 0 is the one that was bound.
    pub here: leg::Here,
    /// Where INVITEs with tickets may come from; nowhere else.
    pub twilio_networks: Vec<IpNet>,
    /// Whether such an INVITE is challenged, for credentials that are told with its ticket.
    pub twilio_auth: bool,
    pub media: Media,
    /// How long Twilio's INVITE is waited for once a phone has answered.
    pub ticket_life: Duration,
    /// For how long nothing may be heard of both sides, where something should, before the call is ended. One side alone may be
    /// silent ten times as long, as long as it answers when it is asked whether it is there.
    pub call_silence: Duration,
    pub legs: leg::Limits,
}

/// The way that audio takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Media {
    /// Through us.
    Relay {
        ports: PortRange,
        /// The local address of the ports; also one that stands for all.
        listen: IpAddr,
        /// As peers reach it.
        advertised: IpAddr,
    },
    /// From phones to Twilio and back, if their networks let it: descriptions are passed on as they are.
    Direct,
}

impl CallSettings {
    /// Twilio's networks are to be named; without them no customer gets through.
    pub fn new(here: leg::Here, media: Media) -> Self {
        Self {
            here,
            twilio_networks: Vec::new(),
            twilio_auth: false,
            media,
            ticket_life: Duration::from_secs(30),
            call_silence: Duration::from_secs(30),
            legs: leg::Limits::default(),
        }
    }
}

impl Quality {
    /// Of the two legs of a session: the caller's is A.
    pub(super) fn of(report: &Report) -> Self {
        let of = |leg| {
            let LegReport { received, lost, jitter, .. } = *report.leg(leg);
            LegQuality { received, lost, jitter }
        };
        Self { phone: of(Leg::B), twilio: of(Leg::A) }
    }
}

impl fmt::Debug for Caller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Caller(…)")
    }
}

impl fmt::Debug for PushToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PushToken(…)")
    }
}

impl fmt::Debug for TicketLogin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TicketLogin(…)")
    }
}
