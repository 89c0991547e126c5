//! Why the relay does not do something.

use std::io;

#[derive(Debug, thiserror::Error)]
pub enum MediaError {
    /// All are in use by calls, or by other programs.
    #[error("no media port is free")]
    NoPorts,
    /// The queue of commands is full.
    #[error("the media relay is busy")]
    Busy,
    #[error("the media relay has stopped")]
    Stopped,
    #[error("a socket for media cannot be had")]
    Socket(#[from] io::Error),
}

// === impl MediaError ===

impl MediaError {
    /// Whether the same may work a little later.
    pub const fn is_temporary(&self) -> bool {
        matches!(self, Self::NoPorts | Self::Busy)
    }
}
