//! One leg of a session: whose packets it takes, where it sends, and what it counts. Pure.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use rtp_rs::RtpReader;

use super::gate::{Gate, Stamp, Verdict};
use super::reception::Reception;
use super::remote::Remote;
use crate::sdp::{Codec, Format};

/// Payload types are 7 bits.
const PAYLOAD_TYPES: usize = 128;

/// Comfort noise (RFC 3389), as its static payload type: what some phones send instead of silence, agreed on or not.
const COMFORT_NOISE: u8 = 13;

/// Which of a leg's two ports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Channel {
    Rtp,
    Rtcp,
}

/// What a leg has counted since its session began. Packets, but where it says otherwise.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LegReport {
    /// RTP of the leg's peer.
    pub received: u64,
    /// RTP that was sent to the peer, our own tone included.
    pub sent: u64,
    /// Expected of the peer by the sequence numbers, and not come.
    pub lost: u64,
    /// The mean deviation of the packets' spacing, smoothed (RFC 3550 A.8).
    pub jitter: Duration,
    /// Keys that the peer pressed.
    pub keys: u64,
    /// RTCP of the peer.
    pub rtcp: u64,
    /// Dropped: they came from somebody else.
    pub foreign: u64,
    /// Dropped: their source was not yet known for the peer's.
    pub unproven: u64,
    /// Dropped: no RTP, or of a payload type that was not agreed on.
    pub unfit: u64,
    /// Dropped: the socket to the peer took no more.
    pub unsent: u64,
}

/// The state of one leg.
#[derive(Debug)]
pub(super) struct LegState {
    gate: Gate,
    remote: Option<Remote>,
    /// What the payload types stand for that may come.
    incoming: [Option<Codec>; PAYLOAD_TYPES],
    reception: Reception,
    /// Where the peer's RTCP comes from.
    rtcp_from: Option<SocketAddr>,
    /// When a key's packets began, in the stream's time: all packets of one key bear it (RFC 4733 §2.2.2).
    key: Option<u32>,
    /// When there was last a sign of life of the peer, or reason to wait for one.
    alive: Instant,
    pub(super) counted: LegReport,
}

/// A packet that the leg's peer sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Taken {
    pub(super) codec: Codec,
    pub(super) locked: bool,
}

// === impl LegState ===

impl LegState {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            gate: Gate::new(),
            remote: None,
            incoming: [None; PAYLOAD_TYPES],
            reception: Reception::default(),
            rtcp_from: None,
            key: None,
            alive: now,
            counted: LegReport::default(),
        }
    }

    /// The peer's description came, or a new one. The same again changes nothing: a session's refresh is no new window.
    pub(super) fn connect(&mut self, remote: Remote, now: Instant, learning: Duration) {
        if self.remote.as_ref() == Some(&remote) {
            return;
        }
        self.incoming = [None; PAYLOAD_TYPES];
        for Format { payload_type, codec } in remote.incoming() {
            if let Some(place) = self.incoming.get_mut(usize::from(payload_type)) {
                *place = Some(codec);
            }
        }
        self.gate.expect(remote.expected(), now + learning);
        self.rtcp_from = None;
        self.alive = now;
        self.remote = Some(remote);
    }

    /// Looks at what came to the RTP port and is no RTCP.
    pub(super) fn take_rtp(&mut self, from: SocketAddr, packet: &[u8], now: Instant) -> Option<Taken> {
        let Ok(header) = RtpReader::new(packet) else {
            self.counted.unfit += 1;
            return None;
        };
        let Some(codec) = self.incoming.get(usize::from(header.payload_type())).copied().flatten() else {
            if !self.take_noise(from, &header, now) {
                self.counted.unfit += 1;
            }
            return None;
        };
        let sequence = header.sequence_number().into();
        let verdict = self.gate.check(Stamp { from, ssrc: header.ssrc(), sequence }, now);
        match verdict {
            Verdict::Pass => {}
            Verdict::Locked => self.reception.restart(),
            Verdict::Unproven => self.counted.unproven += 1,
            Verdict::Foreign => self.counted.foreign += 1,
        }
        if matches!(verdict, Verdict::Unproven | Verdict::Foreign) {
            return None;
        }
        self.alive = now;
        let timestamp = header.timestamp();
        self.reception.packet(sequence, codec.is_voice().then_some(timestamp), now);
        if codec == Codec::TelephoneEvent && self.key.replace(timestamp) != Some(timestamp) {
            self.counted.keys += 1;
        }
        Some(Taken { codec, locked: verdict == Verdict::Locked })
    }

    /// Comfort noise of the stream that is locked on: it shows that the peer is there, and fills its place in the stream.
    /// Nobody has agreed to it, so it goes no further.
    fn take_noise(&mut self, from: SocketAddr, header: &RtpReader<'_>, now: Instant) -> bool {
        let stamp = Stamp { from, ssrc: header.ssrc(), sequence: header.sequence_number().into() };
        if header.payload_type() != COMFORT_NOISE || !self.gate.is_locked_on(stamp) {
            return false;
        }
        self.gate.check(stamp, now);
        self.alive = now;
        self.reception.packet(stamp.sequence, None, now);
        true
    }

    /// Looks at RTCP. Whether it is the peer's is known by its RTP, or by what the peer described.
    pub(super) fn take_rtcp(&mut self, channel: Channel, from: SocketAddr, packet: &[u8], now: Instant) -> bool {
        if !is_rtcp(packet) {
            self.counted.unfit += 1;
            return false;
        }
        let Some(remote) = &self.remote else { return false };
        let locked = self.gate.locked();
        let is_peers = match channel {
            Channel::Rtp => locked == Some(from),
            Channel::Rtcp => match self.rtcp_from {
                Some(known) => known == from,
                None => remote.rtcp() == Some(from) || locked.is_some_and(|locked| locked.ip() == from.ip()),
            },
        };
        if !is_peers {
            self.counted.foreign += 1;
            return false;
        }
        if channel == Channel::Rtcp {
            self.rtcp_from = Some(from);
        }
        self.counted.rtcp += 1;
        // Reports come every few seconds, also of a phone that is muted and sends nothing else.
        self.alive = now;
        true
    }

    /// Where RTP goes to, if the peer takes any.
    pub(super) fn rtp_destination(&self) -> Option<SocketAddr> {
        let takes = self.remote.as_ref().is_some_and(Remote::takes);
        self.gate.destination().filter(|_| takes)
    }

    /// Where RTCP goes to, and by which port of ours. It goes on during a hold (RFC 3264 §5.1).
    pub(super) fn rtcp_destination(&self) -> Option<(Channel, SocketAddr)> {
        let remote = self.remote.as_ref()?;
        let rtp = self.gate.destination()?;
        if remote.is_rtcp_multiplexed() {
            return Some((Channel::Rtp, rtp));
        }
        let above = SocketAddr::new(rtp.ip(), rtp.port().saturating_add(1));
        // Behind a NAT the described port is nobody's.
        let described = if remote.rtp() == Some(rtp) { remote.rtcp() } else { Some(above) };
        Some((Channel::Rtcp, self.rtcp_from.or(described)?))
    }

    /// A packet was sent to the peer, or could not be.
    pub(super) fn count(&mut self, channel: Channel, is_sent: bool) {
        match (channel, is_sent) {
            (_, false) => self.counted.unsent += 1,
            (Channel::Rtp, true) => self.counted.sent += 1,
            (Channel::Rtcp, true) => {}
        }
    }

    /// The payload type for a codec on the way to the peer.
    pub(super) fn outgoing(&self, codec: Codec) -> Option<u8> {
        self.remote.as_ref()?.outgoing(codec)
    }

    /// The voice for what we say ourselves.
    pub(super) fn voice(&self) -> Option<Format> {
        self.remote.as_ref()?.voice()
    }

    /// For how long nothing was heard of a peer that should send.
    pub(super) fn silent_for(&self, now: Instant) -> Duration {
        let must_send = self.remote.as_ref().is_some_and(Remote::must_send);
        if must_send { now.saturating_duration_since(self.alive) } else { Duration::ZERO }
    }

    pub(super) fn report(&self) -> LegReport {
        let reception = &self.reception;
        LegReport { received: reception.received(), lost: reception.lost(), jitter: reception.jitter(), ..self.counted }
    }
}

/// Whether what came to an RTP port is RTCP (RFC 5761 §4): packet types 192 to 223, which as RTP would be 64 to 95.
pub(super) fn looks_like_rtcp(packet: &[u8]) -> bool {
    packet.get(1).is_some_and(|byte| (192..=223).contains(byte))
}

/// Version 2, a known range of types, and whole words (RFC 3550 §6.4).
fn is_rtcp(packet: &[u8]) -> bool {
    looks_like_rtcp(packet)
        && packet.first().is_some_and(|byte| byte >> 6 == 2)
        && packet.len() >= 8
        && packet.len().is_multiple_of(4)
}
