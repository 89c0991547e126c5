//! Session descriptions (RFC 8866) in offer and answer (RFC 3264), as far as one audio stream through a relay needs them.
//!
//! A [`Description`] holds what the relay passes: the place of one audio stream, PCMU, PCMA and `telephone-event`
//! (RFC 4733) with their payload types, direction, packet time, RTCP. It is read tolerantly and written from these fields
//! alone: ICE candidates, keys, header extensions and whatever else a phone says never get to the other side, and no
//! byte of a peer is copied but the names of media that are turned down.
//!
//! ```text
//!                  theirs.relayed(place)              answer of B
//!   offer of A  ───────────────────────▶  offer to B ─────────────┐
//!                                                                 ▼
//!   answer to A ◀──────────────────────────────────  offer.answered(&answer.audio, place)
//! ```
//! Where the gateway rings first, [`Description::offer`] is our own offer, and the offer that comes later from the other
//! side is answered in the same way, with what the phone took.
//!
//! Every leg has an [`Origin`] of its own: its version goes up with each description that we send on it (RFC 3264 §8).

mod audio;
mod description;
mod error;
mod parse;
#[cfg(test)]
mod tests;
mod write;

pub use audio::{Audio, Codec, Direction, Format, Profile};
pub use description::{Description, Place, Voice};
pub use error::SdpError;
pub use parse::{MAX_BYTES, MAX_MEDIA};
pub use write::Origin;
