//! One message, and what it is answered with.

/// What becomes of a message that comes in a datagram.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// It goes to whoever serves its method; a response, to its transaction.
    Taken,
    /// A REGISTER whose contacts are in the table, once its sender has proven who it is.
    Registered,
    /// Refused with this code.
    Refused(u16),
    /// Dropped without an answer.
    Dropped,
}

/// A message of ours that has the fault, or the oddity, of one in an RFC.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Case {
    /// The RFC's own name for it.
    pub(crate) name: &'static str,
    pub(crate) section: &'static str,
    pub(crate) about: &'static str,
    pub(crate) answer: Answer,
    /// With `\n` for line ends. `{sdp}` stands for an offer, `{length}` for how many bytes that has.
    pub(crate) text: &'static str,
}

const SDP: &str = "v=0\no=- 1 1 IN IP4 192.0.2.5\ns=-\nc=IN IP4 192.0.2.5\nt=0 0\nm=audio 49172 RTP/AVP 0\n";

impl Case {
    pub(crate) fn bytes(&self) -> Vec<u8> {
        let sdp = SDP.replace('\n', "\r\n");
        let text = self.text.replace('\n', "\r\n");
        let bytes = text.replace("{sdp}", &sdp).replace("{length}", &sdp.len().to_string()).into_bytes();
        if self.name == "mpart01" { with_binary_part(bytes) } else { bytes }
    }
}

/// A part of a body that is no text: what stands for it is as long.
fn with_binary_part(mut bytes: Vec<u8>) -> Vec<u8> {
    let place = bytes.windows(8).position(|window| window == b"{binary}").expect("the place of the binary part");
    bytes[place..place + 8].copy_from_slice(&[0x30, 0x82, 0x01, 0x52, 0x00, 0xFF, 0x0D, 0x0A]);
    bytes
}

impl std::fmt::Display for Answer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Taken => f.write_str("taken"),
            Self::Registered => f.write_str("401, then registered"),
            Self::Refused(code) => write!(f, "{code}"),
            Self::Dropped => f.write_str("dropped"),
        }
    }
}
