//! Why a description is of no use. No text of the description is repeated: it holds addresses.

/// Why a session description cannot be used. None is worth a second try with the same description.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SdpError {
    #[error("the session description is longer than {} bytes", super::MAX_BYTES)]
    TooLong,
    #[error("the session description has more than {} media", super::MAX_MEDIA)]
    TooManyMedia,
    #[error("the session description does not begin with v=0")]
    Version,
    #[error("a line of the session description is no type=value")]
    Line,
    #[error("a media line is malformed")]
    Media,
    #[error("a connection line is malformed, missing, or holds no unicast address")]
    Connection,
    #[error("no audio stream over RTP is offered")]
    NoAudio,
    #[error("audio is offered encrypted only")]
    OnlySecure,
    #[error("neither PCMU nor PCMA is offered, or none that both sides have")]
    NoCodec,
}

// === impl SdpError ===

impl SdpError {
    /// Whether the description is understood, but asks for what we do not have: SIP's 488. Otherwise it is broken: 400.
    pub const fn is_unacceptable(self) -> bool {
        matches!(self, Self::NoAudio | Self::OnlySecure | Self::NoCodec)
    }
}
