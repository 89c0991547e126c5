//! What passes between an agent's call and the softphones that ring for it.

use std::{fmt, time::Duration};

use serde::{Deserialize, Serialize};

use super::{AgentId, CallId, Customer, LegNo};

/// Bits of a name that a leg's number has, and a call's.
const LEG: u32 = 8;
const CALL: u32 = 56;

/// One try at an agent's softphones: the leg of a call. No two have the same name, not even after a restart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SoftphoneLeg {
    pub call: CallId,
    pub leg: LegNo,
}

impl SoftphoneLeg {
    /// The agent's 64 bits, 56 of the call's number, 8 of the leg's.
    pub fn to_bits(self) -> u128 {
        let call = self.call.number & ((1 << CALL) - 1);
        u128::from(self.call.agent.to_bits()) << 64 | u128::from(call) << LEG | u128::from(self.leg.0)
    }

    pub const fn from_bits(bits: u128) -> Self {
        let agent = AgentId::from_bits((bits >> 64) as u64);
        let number = (bits as u64) >> LEG;
        Self { call: CallId { agent, number }, leg: LegNo(bits as u8) }
    }
}

/// What lets one INVITE of Twilio's in: the user part of the URI that Twilio is told to call. A secret while it lives, which
/// is half a minute.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SipTicket(Box<str>);

impl SipTicket {
    pub fn new(text: impl Into<Box<str>>) -> Self {
        Self(text.into())
    }

    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for SipTicket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SipTicket(…)")
    }
}

/// What Twilio answers the challenge to its INVITE with, good for that INVITE alone.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SipLogin {
    pub username: Box<str>,
    pub password: Box<str>,
}

impl fmt::Debug for SipLogin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SipLogin(…)")
    }
}

/// How Twilio comes to a softphone that was answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Admission {
    pub ticket: SipTicket,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub login: Option<SipLogin>,
}

/// What a call wants of the softphones.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SoftphoneOrder {
    /// Ring all phones of the agent for so long, in the name of the customer.
    Ring { leg: SoftphoneLeg, caller: Customer, ring: Duration },
    /// Whatever they are doing for this leg: no more.
    HangUp(SoftphoneLeg),
}

/// What the softphones tell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SoftphoneNews {
    /// One of them rings.
    Rings,
    /// One was taken up; the others are silent.
    Answered(Admission),
    /// Twilio's leg has come: agent and customer hear each other.
    Bridged,
    /// Nobody took one up. Nothing follows.
    Failed(NotReached),
    /// What was answered is over. Nothing follows.
    Ended {
        by: EndedBy,
        /// None: audio did not go through the gateway, or nothing is known of it.
        quality: Option<CallQuality>,
    },
}

/// How a call's audio came in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallQuality {
    /// What the agent's phone sent.
    pub phone: MediaQuality,
    /// What Twilio sent.
    pub twilio: MediaQuality,
}

/// What one side sent, in RTP packets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MediaQuality {
    pub received: u64,
    /// Of those that were sent.
    pub lost: u64,
    /// RFC 3550 A.8.
    pub jitter: Duration,
}

/// Why no softphone was taken up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum NotReached {
    Declined,
    Busy,
    NoAnswer,
    /// It was to be woken, and did not come.
    Asleep,
    /// The gateway could not try, or stops: nobody is to blame.
    NotPossible,
    /// There is none, or it cannot be reached.
    Unreachable,
}

/// Who ended what was answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum EndedBy {
    /// The agent hung up.
    Phone,
    /// The customer's side did.
    Twilio,
    /// It was asked for.
    Us,
    /// No media came for long.
    Silence,
    /// Twilio never called.
    NoInvite,
}

impl EndedBy {
    /// As a metric's label.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Phone => "phone",
            Self::Twilio => "twilio",
            Self::Us => "us",
            Self::Silence => "silence",
            Self::NoInvite => "no_invite",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_comes_back_from_its_bits() {
        for (agent, number, leg) in [(1, 1, 1), (u64::MAX, (1 << CALL) - 1, u8::MAX), (0x00ff_0000_0000_0001, 700, 2)] {
            let call = CallId { agent: AgentId::from_bits(agent), number };
            let name = SoftphoneLeg { call, leg: LegNo(leg) };
            assert_eq!(SoftphoneLeg::from_bits(name.to_bits()), name);
        }
    }

    #[test]
    fn what_lets_a_call_in_is_not_shown() {
        let login = Some(SipLogin { username: "u".into(), password: "p".into() });
        let shown = format!("{:?}", Admission { ticket: SipTicket::new("00ff"), login });
        assert_eq!(shown, "Admission { ticket: SipTicket(…), login: Some(SipLogin(…)) }");
    }
}
