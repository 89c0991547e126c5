//! The media relay: audio of two legs, packet by packet, on one thread of its own.
//!
//! ```text
//!   peer of leg A ──▶ [port a, RTP] ──┐ whose is it? (gate)  ┌──▶ [port b, RTP] ──▶ peer of leg B
//!   peer of leg A ──▶ [a+1,   RTCP] ──┴ what is it? (leg)  ──┴──▶ [b+1,   RTCP] ──▶ peer of leg B
//! ```
//! [`Relay::open`] takes two pairs of ports; [`Session::connect`] tells what a leg's descriptions agreed on, as often as
//! they change; dropping the [`Session`] ends it and frees the ports. A leg takes packets of its peer alone, wherever that
//! turns out to be (`gate`), and sends to where the peer's packets come from.
//!
//! Packets are looked at in place and sent on as they are: neither copied, nor rebuilt, nor allocated for. RTP goes by
//! RFC 3550 and RFC 3551, RTCP beside it or multiplexed with it (RFC 5761), keys by RFC 4733. Nothing is transcoded,
//! encrypted or mixed.
//!
//! The thread waits for all sockets at once and takes one packet of each that is ready. Under load it lets packets gather
//! for two milliseconds rather than wake up for each of them.

mod bridge;
mod error;
mod gate;
mod leg;
mod ports;
mod reception;
mod relay;
mod remote;
mod seam;
mod sessions;
mod socket;
mod thread;
mod tone;

#[cfg(test)]
mod tests;

pub use bridge::{Leg, Report};
pub use error::MediaError;
pub use gate::Reach;
pub use leg::LegReport;
pub use ports::{PortRange, PortRangeError};
pub use relay::{Event, Relay, Session, SessionId, Settings, Silence};
pub use remote::Remote;
pub use tone::Sound;
