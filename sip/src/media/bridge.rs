//! Two legs and what goes from one to the other. Pure: bytes and time in, destinations out.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use super::leg::{Channel, LegReport, LegState, looks_like_rtcp};
use super::remote::Remote;

/// One side of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Leg {
    A,
    B,
}

/// What a session has counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Report {
    pub a: LegReport,
    pub b: LegReport,
}

/// The state of a session.
#[derive(Debug)]
pub(super) struct Bridge {
    legs: [LegState; 2],
}

/// What is to be done with a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Onward {
    /// To be sent from this port of the other leg. None: dropped, and counted where it came from.
    pub(super) to: Option<(Channel, SocketAddr)>,
    /// The leg it came to has locked on its source.
    pub(super) locked: bool,
}

// === impl Leg ===

impl Leg {
    pub const BOTH: [Self; 2] = [Self::A, Self::B];

    pub const fn other(self) -> Self {
        match self {
            Self::A => Self::B,
            Self::B => Self::A,
        }
    }

    /// This leg's part of a pair.
    pub(super) fn of<T>(self, pair: &[T; 2]) -> &T {
        let [a, b] = pair;
        match self {
            Self::A => a,
            Self::B => b,
        }
    }

    /// This leg's part of a pair.
    pub(super) fn of_mut<T>(self, pair: &mut [T; 2]) -> &mut T {
        let [a, b] = pair;
        match self {
            Self::A => a,
            Self::B => b,
        }
    }
}

// === impl Report ===

impl Report {
    pub fn leg(&self, leg: Leg) -> &LegReport {
        match leg {
            Leg::A => &self.a,
            Leg::B => &self.b,
        }
    }
}

// === impl Bridge ===

impl Bridge {
    pub(super) fn new(now: Instant) -> Self {
        Self { legs: [LegState::new(now), LegState::new(now)] }
    }

    pub(super) fn connect(&mut self, leg: Leg, remote: Remote, now: Instant, learning: Duration) {
        leg.of_mut(&mut self.legs).connect(remote, now, learning);
    }

    pub(super) fn leg(&self, leg: Leg) -> &LegState {
        leg.of(&self.legs)
    }

    pub(super) fn leg_mut(&mut self, leg: Leg) -> &mut LegState {
        leg.of_mut(&mut self.legs)
    }

    /// A packet came to a port of `leg`. It goes on as it is, but for the payload type where the two legs number a codec
    /// differently.
    pub(super) fn packet(
        &mut self,
        leg: Leg,
        channel: Channel,
        from: SocketAddr,
        packet: &mut [u8],
        now: Instant,
    ) -> Onward {
        if channel == Channel::Rtcp || looks_like_rtcp(packet) {
            let is_peers = self.leg_mut(leg).take_rtcp(channel, from, packet, now);
            let to = if is_peers { self.leg(leg.other()).rtcp_destination() } else { None };
            return Onward { to, locked: false };
        }
        let Some(taken) = self.leg_mut(leg).take_rtp(from, packet, now) else {
            return Onward { to: None, locked: false };
        };
        let other = self.leg(leg.other());
        let to = other.outgoing(taken.codec).and_then(|payload_type| {
            if let Some(byte) = packet.get_mut(1) {
                *byte = *byte & 0x80 | payload_type;
            }
            Some((Channel::Rtp, other.rtp_destination()?))
        });
        Onward { to, locked: taken.locked }
    }

    pub(super) fn report(&self) -> Report {
        Report { a: self.leg(Leg::A).report(), b: self.leg(Leg::B).report() }
    }
}
