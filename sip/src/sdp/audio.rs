//! One audio stream, as one side describes it.

use std::net::{IpAddr, SocketAddr};

/// What the relay passes. All have a clock of 8,000 Hz.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Codec {
    /// G.711 µ-law, static payload type 0 (RFC 3551 §4.5.14).
    Pcmu,
    /// G.711 A-law, static payload type 8.
    Pcma,
    /// Keys pressed, `telephone-event` (RFC 4733), of a dynamic payload type.
    TelephoneEvent,
}

/// A payload type and what it stands for in this description.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Format {
    /// 0 to 127.
    pub payload_type: u8,
    pub codec: Codec,
}

/// Who sends, as seen from whoever wrote the description (RFC 8866 §6.7).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Direction {
    #[default]
    SendRecv,
    SendOnly,
    RecvOnly,
    Inactive,
}

/// The unencrypted profiles. An answer repeats the offer's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Profile {
    /// RFC 3551.
    #[default]
    Avp,
    /// With early feedback (RFC 4585), of which nothing is used.
    Avpf,
}

/// An audio stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Audio {
    /// Where media is taken. An unspecified address: nowhere, the hold of old devices (RFC 3264 §8.4).
    pub address: IpAddr,
    /// The port for RTP; not 0.
    pub port: u16,
    /// Where RTCP is taken if that is not the port above RTP's (`a=rtcp`, RFC 3605).
    pub rtcp: Option<SocketAddr>,
    /// Whether RTCP may come to the RTP port (`a=rtcp-mux`, RFC 5761). In an answer only if the offer has it (RFC 8035).
    pub rtcp_mux: bool,
    pub profile: Profile,
    /// In the order of preference, each codec once, at least one of them a voice.
    pub formats: Vec<Format>,
    pub direction: Direction,
    /// Milliseconds of audio a packet, 1 to 200.
    pub ptime: Option<u8>,
}

// === impl Codec ===

impl Codec {
    /// The encoding's name in `a=rtpmap`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pcmu => "PCMU",
            Self::Pcma => "PCMA",
            Self::TelephoneEvent => "telephone-event",
        }
    }

    pub const fn is_voice(self) -> bool {
        matches!(self, Self::Pcmu | Self::Pcma)
    }
}

// === impl Direction ===

impl Direction {
    pub const fn of(sends: bool, receives: bool) -> Self {
        match (sends, receives) {
            (true, true) => Self::SendRecv,
            (true, false) => Self::SendOnly,
            (false, true) => Self::RecvOnly,
            (false, false) => Self::Inactive,
        }
    }

    pub const fn sends(self) -> bool {
        matches!(self, Self::SendRecv | Self::SendOnly)
    }

    pub const fn receives(self) -> bool {
        matches!(self, Self::SendRecv | Self::RecvOnly)
    }

    /// What an answer may say at most to an offer of `self`, where the answerer would like `wish` (RFC 3264 §6.1).
    pub const fn answered(self, wish: Self) -> Self {
        Self::of(wish.sends() && self.receives(), wish.receives() && self.sends())
    }

    /// The attribute's name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::SendRecv => "sendrecv",
            Self::SendOnly => "sendonly",
            Self::RecvOnly => "recvonly",
            Self::Inactive => "inactive",
        }
    }
}

// === impl Profile ===

impl Profile {
    /// The protocol of the media line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Avp => "RTP/AVP",
            Self::Avpf => "RTP/AVPF",
        }
    }
}

// === impl Audio ===

impl Audio {
    /// Where RTP is to be sent; none during a hold of the old kind.
    pub fn rtp(&self) -> Option<SocketAddr> {
        (!self.address.is_unspecified()).then(|| SocketAddr::new(self.address, self.port))
    }

    /// Where RTCP is to be sent if both sides do not multiplex.
    pub fn rtcp(&self) -> Option<SocketAddr> {
        let above = || SocketAddr::new(self.address, self.port.saturating_add(1));
        let place = self.rtcp.unwrap_or_else(above);
        (!place.ip().is_unspecified()).then_some(place)
    }

    /// The payload type that stands for a codec in this description.
    pub fn payload_type(&self, codec: Codec) -> Option<u8> {
        self.formats.iter().find(|format| format.codec == codec).map(|format| format.payload_type)
    }

    /// The voice that is liked best.
    pub fn voice(&self) -> Option<Format> {
        self.formats.iter().copied().find(|format| format.codec.is_voice())
    }
}
