//! What is wrong with a message, and what RFC 3261 has it answered with.

use super::code::Code;
use super::name::Name;

/// Why a message is not taken. It never repeats what the message says. As text it is the answer's reason phrase.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    #[error("Malformed Start Line")]
    StartLine,
    #[error("Malformed Request-URI")]
    RequestUri,
    /// Well formed, and not 2.0.
    #[error("Version Not Supported")]
    Version,
    /// A line that is no header, or does not end with CR LF.
    #[error("Malformed Header Line")]
    HeaderLine,
    #[error("Header Is Not UTF-8")]
    NotUtf8,
    /// The blank line after the headers is missing.
    #[error("Headers Without An End")]
    Unterminated,
    #[error("Missing {}", .0.as_str())]
    Missing(Name),
    /// More than one of a header that stands once.
    #[error("Repeated {}", .0.as_str())]
    Repeated(Name),
    #[error("Malformed {}", .0.as_str())]
    Malformed(Name),
    #[error("CSeq Names Another Method")]
    CSeqMethod,
    /// Fewer bytes came than Content-Length says.
    #[error("Body Shorter Than Content-Length")]
    BodyShort,
    #[error("Message Too Large")]
    TooLarge,
    #[error("Too Many Headers")]
    TooManyHeaders,
    #[error("Too Many Hops")]
    TooManyVias,
    /// A response that was meant for somebody else (RFC 3261 §8.1.3.3).
    #[error("Several Vias")]
    SeveralVias,
}

impl Problem {
    /// What a request is answered with (RFC 3261 §21.4 and §21.5); a response is dropped.
    pub const fn code(self) -> Code {
        match self {
            Self::Version => Code::VERSION_NOT_SUPPORTED,
            Self::TooLarge => Code::MESSAGE_TOO_LARGE,
            Self::TooManyVias => Code::TOO_MANY_HOPS,
            Self::StartLine
            | Self::RequestUri
            | Self::HeaderLine
            | Self::NotUtf8
            | Self::Unterminated
            | Self::Missing(_)
            | Self::Repeated(_)
            | Self::Malformed(_)
            | Self::CSeqMethod
            | Self::BodyShort
            | Self::TooManyHeaders
            | Self::SeveralVias => Code::BAD_REQUEST,
        }
    }

    /// Whether, on a stream, nobody can say where the next message begins: it is closed once the answer is sent.
    pub const fn ends_stream(self) -> bool {
        matches!(
            self,
            Self::HeaderLine
                | Self::Unterminated
                | Self::BodyShort
                | Self::TooLarge
                | Self::TooManyHeaders
                | Self::Missing(Name::ContentLength)
                | Self::Repeated(Name::ContentLength)
                | Self::Malformed(Name::ContentLength)
        )
    }
}
