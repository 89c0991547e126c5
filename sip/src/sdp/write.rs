//! Writing (RFC 8866 §5): always the same order, always CRLF.

use std::fmt::{self};
use std::net::IpAddr;

use super::{Audio, Codec, Description, description::Refused};

/// What tells the descriptions of one leg of ours apart (`o=`, RFC 8866 §5.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Origin {
    id: u64,
    version: u64,
}

// === impl Origin ===

impl Origin {
    /// The first description of a leg. `id` is random: it names the session among all of ours. Only 62 bits of it are
    /// used, since some peers read it as a signed number.
    pub const fn new(id: u64) -> Self {
        Self { id: id >> 2, version: 1 }
    }

    /// For the next description that differs from the one before; the version goes up by one (RFC 3264 §8).
    #[must_use]
    pub const fn next(self) -> Self {
        Self { version: self.version.saturating_add(1), ..self }
    }
}

// === impl Description ===

impl Description {
    /// The body of a message, of type `application/sdp`.
    pub fn write(&self, origin: Origin) -> String {
        Written { description: self, origin }.to_string()
    }
}

struct Written<'a> {
    description: &'a Description,
    origin: Origin,
}

impl fmt::Display for Written<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Description { audio, before, after } = self.description;
        let (kind, address) = (kind(audio.address), audio.address);
        let Origin { id, version } = self.origin;
        write!(f, "v=0\r\no=- {id} {version} IN {kind} {address}\r\ns=-\r\nc=IN {kind} {address}\r\nt=0 0\r\n")?;
        before.iter().try_for_each(|refused| write_refused(refused, f))?;
        write_audio(audio, f)?;
        after.iter().try_for_each(|refused| write_refused(refused, f))
    }
}

fn write_refused(refused: &Refused, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    write!(f, "m={} 0 {} {}\r\n", refused.media, refused.protocol, refused.format)
}

fn write_audio(audio: &Audio, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    write!(f, "m=audio {} {}", audio.port, audio.profile.name())?;
    audio.formats.iter().try_for_each(|format| write!(f, " {}", format.payload_type))?;
    f.write_str("\r\n")?;
    for format in &audio.formats {
        write!(f, "a=rtpmap:{} {}/8000\r\n", format.payload_type, format.codec.name())?;
        if format.codec == Codec::TelephoneEvent {
            // 0 to 9, *, #, A to D: what every device understands.
            write!(f, "a=fmtp:{} 0-15\r\n", format.payload_type)?;
        }
    }
    if let Some(ptime) = audio.ptime {
        write!(f, "a=ptime:{ptime}\r\n")?;
    }
    if let Some(rtcp) = audio.rtcp {
        write!(f, "a=rtcp:{} IN {} {}\r\n", rtcp.port(), kind(rtcp.ip()), rtcp.ip())?;
    }
    if audio.rtcp_mux {
        f.write_str("a=rtcp-mux\r\n")?;
    }
    write!(f, "a={}\r\n", audio.direction.name())
}

const fn kind(address: IpAddr) -> &'static str {
    match address {
        IpAddr::V4(_) => "IP4",
        IpAddr::V6(_) => "IP6",
    }
}
