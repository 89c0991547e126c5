//! What the core sees of the media relay, which has sockets and a thread of its own.

use std::net::IpAddr;

use crate::media::{Leg, MediaError, Remote, Report, SessionId, Silence, Sound};

/// Where calls get their ports.
pub trait MediaRelay: Send {
    /// Two legs at these local addresses, leg A's at the first. Dropping what it returns gives the ports back.
    ///
    /// # Errors
    /// [`MediaError`]
    fn open(&mut self, addresses: [IpAddr; 2]) -> Result<Box<dyn MediaSession>, MediaError>;
}

/// The ports of one call. Nothing here waits for the relay.
pub trait MediaSession: Send {
    fn id(&self) -> SessionId;

    /// The even port of a leg.
    fn port(&self, leg: Leg) -> u16;

    /// Tells what a leg's descriptions agreed on.
    ///
    /// # Errors
    /// [`MediaError`]
    fn connect(&self, leg: Leg, remote: Remote) -> Result<(), MediaError>;

    /// Plays to a leg until media of the other one goes to it.
    fn play(&self, leg: Leg, sound: Sound);

    /// Asks what was counted: answered by [`MediaNews::Report`], or not at all.
    fn ask_report(&self);
}

/// What the relay tells. What gets lost on the way does no harm: silence is told again, and a report is not waited for long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MediaNews {
    /// Nothing is heard of a leg that should send, for as long as the relay waits.
    Silent(Silence),
    Report(SessionId, Report),
}
