//! What is offered and answered.

use std::net::{IpAddr, SocketAddr};

use super::{Audio, Codec, Direction, Format, Profile, SdpError, parse};

/// Where one leg of ours takes media, as its peer reaches it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// An address that the peer can send to, not the one that is bound.
    pub address: IpAddr,
    /// The even port for RTP; RTCP is taken at the one above, and at this one too.
    pub port: u16,
}

/// A session description with an audio stream that the relay can carry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Description {
    /// The audio stream that is used.
    pub audio: Audio,
    /// How many media stand before it, and which: all turned down. Answers have as many media lines as offers.
    pub(super) before: Vec<Refused>,
    pub(super) after: Vec<Refused>,
}

/// A media line that is turned down: written again with port 0 (RFC 3264 §6).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refused {
    pub(super) media: Box<str>,
    pub(super) protocol: Box<str>,
    pub(super) format: Box<str>,
}

// === impl Description ===

impl Description {
    /// Reads a peer's description. Time and memory are linear in its length.
    ///
    /// # Errors
    /// [`SdpError::is_unacceptable`] tells a description that we cannot serve (488) from a broken one (400).
    pub fn parse(text: &[u8]) -> Result<Self, SdpError> {
        parse::parse(text)
    }

    /// An offer of our own: these voices in this order, keys as payload type 101, 20 ms a packet.
    pub fn offer(place: Place, voices: &[Voice]) -> Self {
        let events = Format { payload_type: EVENTS, codec: Codec::TelephoneEvent };
        let audio = Audio {
            address: place.address,
            port: place.port,
            rtcp: None,
            rtcp_mux: false,
            profile: Profile::Avp,
            formats: voices.iter().map(|voice| voice.format()).chain([events]).collect(),
            direction: Direction::SendRecv,
            ptime: Some(20),
        };
        Self { audio, before: Vec::new(), after: Vec::new() }
    }

    /// A peer's offer as it goes on to the other leg, where media is taken at `place`. Payload types, direction and packet
    /// time stay; what the relay does not carry has port 0.
    pub fn relayed(&self, place: Place) -> Self {
        let audio =
            Audio { address: place.address, port: place.port, rtcp: None, profile: Profile::Avp, ..self.audio.clone() };
        Self { audio, before: self.before.clone(), after: self.after.clone() }
    }

    /// The answer to this offer: what `other`, the stream of the other leg, can do too, with this offer's payload types.
    ///
    /// # Errors
    /// [`SdpError::NoCodec`] if the two legs have no voice in common: the relay does not transcode.
    pub fn answered(&self, other: &Audio, place: Place) -> Result<Self, SdpError> {
        let has = |format: &&Format| other.payload_type(format.codec).is_some();
        let audio = Audio {
            address: place.address,
            port: place.port,
            rtcp: None,
            formats: self.audio.formats.iter().filter(has).copied().collect(),
            direction: self.audio.direction.answered(other.direction),
            ptime: other.ptime.or(self.audio.ptime),
            ..self.audio.clone()
        };
        audio.voice().ok_or(SdpError::NoCodec)?;
        Ok(Self { audio, before: self.before.clone(), after: self.after.clone() })
    }
}

/// The payload type that most give to `telephone-event`, Twilio among them.
const EVENTS: u8 = 101;

/// A voice for an offer of our own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Voice {
    Pcmu,
    Pcma,
}

// === impl Voice ===

impl Voice {
    const fn format(self) -> Format {
        match self {
            Self::Pcmu => Format { payload_type: 0, codec: Codec::Pcmu },
            Self::Pcma => Format { payload_type: 8, codec: Codec::Pcma },
        }
    }
}

// === impl Place ===

impl From<SocketAddr> for Place {
    fn from(address: SocketAddr) -> Self {
        Self { address: address.ip(), port: address.port() }
    }
}
