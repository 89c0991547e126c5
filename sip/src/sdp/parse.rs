//! Reading (RFC 8866 §5), one pass over the lines. What is not understood and does not matter is passed over.

use std::net::{IpAddr, SocketAddr};

use super::description::Refused;
use super::{Audio, Codec, Description, Direction, Format, Profile, SdpError};

/// The longest description that is read, in bytes. Those of browsers, the longest that are seen, have some 6,000.
pub const MAX_BYTES: usize = 16 * 1024;

/// The most media lines in one description.
pub const MAX_MEDIA: usize = 16;

/// Payload types are 7 bits.
const PAYLOAD_TYPES: usize = 128;

pub(super) fn parse(text: &[u8]) -> Result<Description, SdpError> {
    if text.len() > MAX_BYTES {
        return Err(SdpError::TooLong);
    }
    let mut lines = text.split(|byte| *byte == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line));
    if lines.next() != Some(b"v=0".as_slice()) {
        return Err(SdpError::Version);
    }
    let mut reader = Reader::default();
    for line in lines.filter(|line| !line.is_empty()) {
        match line {
            [b'm', b'=', value @ ..] => reader.media(text_of(value, SdpError::Media)?)?,
            [b'c', b'=', value @ ..] => reader.connection(text_of(value, SdpError::Connection)?)?,
            [b'a', b'=', value @ ..] => reader.attribute(value),
            [b'a'..=b'z', b'=', ..] => {}
            _ => return Err(SdpError::Line),
        }
    }
    reader.finish()
}

fn text_of(value: &[u8], error: SdpError) -> Result<&str, SdpError> {
    std::str::from_utf8(value).map_err(|_| error)
}

/// What was read so far.
#[derive(Default)]
struct Reader {
    /// What holds for every medium that says nothing else.
    session: Common,
    media: Option<Medium>,
    taken: Option<Audio>,
    before: Vec<Refused>,
    after: Vec<Refused>,
    /// The best reason so far for there being no audio to take.
    lacks: Option<SdpError>,
}

#[derive(Clone, Copy, Default)]
struct Common {
    connection: Option<IpAddr>,
    direction: Direction,
}

/// A media line and what follows it.
struct Medium {
    line: Refused,
    kind: Kind,
    port: u16,
    common: Common,
    payload_types: Vec<u8>,
    /// What `a=rtpmap` says of each payload type.
    maps: [Map; PAYLOAD_TYPES],
    ptime: Option<u8>,
    rtcp: Option<(u16, Option<IpAddr>)>,
    rtcp_mux: bool,
}

enum Kind {
    Audio(Profile),
    SecureAudio,
    Other,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Map {
    Unsaid,
    Codec(Codec),
    Foreign,
}

// === impl Reader ===

impl Reader {
    fn media(&mut self, value: &str) -> Result<(), SdpError> {
        self.close()?;
        if self.before.len() + self.after.len() + usize::from(self.taken.is_some()) == MAX_MEDIA {
            return Err(SdpError::TooManyMedia);
        }
        self.media = Some(Medium::read(value, self.session)?);
        Ok(())
    }

    fn connection(&mut self, value: &str) -> Result<(), SdpError> {
        let address = unicast(value)?;
        let common = self.media.as_mut().map_or(&mut self.session, |medium| &mut medium.common);
        common.connection = Some(address);
        Ok(())
    }

    fn attribute(&mut self, value: &[u8]) {
        let direction = match value {
            b"sendrecv" => Some(Direction::SendRecv),
            b"sendonly" => Some(Direction::SendOnly),
            b"recvonly" => Some(Direction::RecvOnly),
            b"inactive" => Some(Direction::Inactive),
            _ => None,
        };
        match (direction, &mut self.media) {
            (Some(direction), Some(medium)) => medium.common.direction = direction,
            (Some(direction), None) => self.session.direction = direction,
            (None, Some(medium)) if !matches!(medium.kind, Kind::Other) => medium.attribute(value),
            (None, _) => {}
        }
    }

    /// The medium is read to its end: it is taken, or turned down.
    fn close(&mut self) -> Result<(), SdpError> {
        let Some(medium) = self.media.take() else { return Ok(()) };
        if self.taken.is_some() {
            self.after.push(medium.line);
            return Ok(());
        }
        match medium.audio()? {
            Ok(audio) => self.taken = Some(audio),
            Err(why) => {
                self.lacks = Some(self.lacks.map_or(why, |before| worse(before, why)));
                self.before.push(medium.line);
            }
        }
        Ok(())
    }

    fn finish(mut self) -> Result<Description, SdpError> {
        self.close()?;
        let audio = self.taken.ok_or(self.lacks.unwrap_or(SdpError::NoAudio))?;
        Ok(Description { audio, before: self.before, after: self.after })
    }
}

/// The reason that says most: an encrypted stream is told of rather than a medium that is no audio.
fn worse(one: SdpError, other: SdpError) -> SdpError {
    if one == SdpError::NoAudio { other } else { one }
}

// === impl Medium ===

impl Medium {
    /// Reads `audio 49170 RTP/AVP 0 8 101`.
    fn read(value: &str, common: Common) -> Result<Self, SdpError> {
        let mut words = value.split(' ').filter(|word| !word.is_empty());
        let mut word = || words.next().filter(|word| word.bytes().all(|byte| byte.is_ascii_graphic()));
        let (Some(media), Some(port), Some(protocol), Some(format)) = (word(), word(), word(), word()) else {
            return Err(SdpError::Media);
        };
        // Behind a slash stands a number of ports, of which layered encodings make use.
        let port = port.split_once('/').map_or(port, |(first, _)| first);
        let port = port.parse().map_err(|_| SdpError::Media)?;
        let payload_types = std::iter::once(format).chain(words).filter_map(|word| word.parse().ok());
        Ok(Self {
            kind: Kind::of(media, protocol),
            port,
            common,
            payload_types: payload_types.filter(|number| usize::from(*number) < PAYLOAD_TYPES).collect(),
            maps: [Map::Unsaid; PAYLOAD_TYPES],
            ptime: None,
            rtcp: None,
            rtcp_mux: false,
            line: Refused { media: media.into(), protocol: protocol.into(), format: format.into() },
        })
    }

    /// An attribute that is malformed says nothing.
    fn attribute(&mut self, value: &[u8]) {
        let Ok(value) = std::str::from_utf8(value) else { return };
        match value.split_once(':').unwrap_or((value, "")) {
            ("rtcp-mux", _) => self.rtcp_mux = true,
            ("rtcp", value) => self.rtcp = rtcp(value),
            ("ptime", value) => self.ptime = value.trim().parse().ok().filter(|ptime| (1..=200).contains(ptime)),
            ("rtpmap", value) => {
                if let Some((number, map)) = rtpmap(value)
                    && let Some(place) = self.maps.get_mut(usize::from(number))
                {
                    *place = map;
                }
            }
            _ => {}
        }
    }

    /// The audio stream, or why it is none for us.
    fn audio(&self) -> Result<Result<Audio, SdpError>, SdpError> {
        let profile = match self.kind {
            _ if self.port == 0 => return Ok(Err(SdpError::NoAudio)),
            Kind::Audio(profile) => profile,
            Kind::SecureAudio => return Ok(Err(SdpError::OnlySecure)),
            Kind::Other => return Ok(Err(SdpError::NoAudio)),
        };
        let formats = self.formats();
        if !formats.iter().any(|format| format.codec.is_voice()) {
            return Ok(Err(SdpError::NoCodec));
        }
        let address = self.common.connection.ok_or(SdpError::Connection)?;
        Ok(Ok(Audio {
            address,
            port: self.port,
            rtcp: self.rtcp.map(|(port, other)| SocketAddr::new(other.unwrap_or(address), port)),
            rtcp_mux: self.rtcp_mux,
            profile,
            formats,
            direction: self.direction(address),
            ptime: self.ptime,
        }))
    }

    /// The formats that we know, each codec once: under the payload type that is named first.
    fn formats(&self) -> Vec<Format> {
        let mut formats: Vec<Format> = Vec::new();
        for payload_type in self.payload_types.iter().copied() {
            let map = self.maps.get(usize::from(payload_type)).copied().unwrap_or(Map::Unsaid);
            let codec = match (map, payload_type) {
                (Map::Codec(codec), _) => codec,
                (Map::Unsaid, 0) => Codec::Pcmu,
                (Map::Unsaid, 8) => Codec::Pcma,
                (Map::Unsaid | Map::Foreign, _) => continue,
            };
            let is_new = |format: &Format| format.codec != codec && format.payload_type != payload_type;
            if formats.iter().all(is_new) {
                formats.push(Format { payload_type, codec });
            }
        }
        formats
    }

    /// An unspecified address takes nothing, whatever the attribute says.
    fn direction(&self, address: IpAddr) -> Direction {
        let told = self.common.direction;
        Direction::of(told.sends(), told.receives() && !address.is_unspecified())
    }
}

// === impl Kind ===

impl Kind {
    fn of(media: &str, protocol: &str) -> Self {
        match (media, protocol) {
            ("audio", "RTP/AVP") => Self::Audio(Profile::Avp),
            ("audio", "RTP/AVPF") => Self::Audio(Profile::Avpf),
            ("audio", protocol) if protocol.contains("/SAVP") => Self::SecureAudio,
            _ => Self::Other,
        }
    }
}

/// Reads `IN IP4 192.0.2.1`. Names are not looked up, and nothing is sent to many.
fn unicast(value: &str) -> Result<IpAddr, SdpError> {
    let mut words = value.split_whitespace();
    let (network, kind, address) = (words.next(), words.next(), words.next());
    let address: Option<IpAddr> = address.and_then(|address| address.parse().ok());
    let is_kind = |address: &IpAddr| kind == Some(if address.is_ipv4() { "IP4" } else { "IP6" });
    let is_unicast = |address: &IpAddr| match address {
        IpAddr::V4(address) => !address.is_multicast() && !address.is_broadcast(),
        IpAddr::V6(address) => !address.is_multicast(),
    };
    address
        .filter(|address| network == Some("IN") && is_kind(address) && is_unicast(address))
        .ok_or(SdpError::Connection)
}

/// Reads `101 telephone-event/8000`.
fn rtpmap(value: &str) -> Option<(u8, Map)> {
    let (number, encoding) = value.split_once(' ')?;
    let mut parts = encoding.trim().split('/');
    let (name, clock, channels) = (parts.next()?, parts.next()?, parts.next().unwrap_or("1"));
    let codec = [Codec::Pcmu, Codec::Pcma, Codec::TelephoneEvent]
        .into_iter()
        .find(|codec| codec.name().eq_ignore_ascii_case(name) && clock == "8000" && channels == "1");
    Some((number.parse().ok()?, codec.map_or(Map::Foreign, Map::Codec)))
}

/// Reads `53020` or `53020 IN IP4 192.0.2.1` (RFC 3605 §2.1).
fn rtcp(value: &str) -> Option<(u16, Option<IpAddr>)> {
    let (port, address) = value.trim().split_once(' ').map_or((value.trim(), None), |(port, rest)| (port, Some(rest)));
    let port = port.parse().ok().filter(|port| *port != 0)?;
    Some((port, address.map(unicast).transpose().ok()?))
}
