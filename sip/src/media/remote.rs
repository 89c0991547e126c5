//! What the two descriptions of a leg agree on, as the relay needs it.

use std::net::SocketAddr;

use super::gate::{Expected, Reach};
use crate::sdp::{Audio, Codec, Format};

/// A leg's peer: where it takes what, and what it may send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remote {
    theirs: Audio,
    ours: Audio,
    reach: Reach,
}

// === impl Remote ===

impl Remote {
    /// Of an offer and its answer, whichever of them is ours. The peer sends with the payload types of our description, and
    /// takes those of its own (RFC 3264 §6.1).
    pub fn new(theirs: &Audio, ours: &Audio, reach: Reach) -> Self {
        Self { theirs: theirs.clone(), ours: ours.clone(), reach }
    }

    pub(super) fn expected(&self) -> Option<Expected> {
        Some(Expected { described: self.theirs.rtp()?, reach: self.reach })
    }

    /// What may come, under the payload types of our description.
    pub(super) fn incoming(&self) -> impl Iterator<Item = Format> {
        self.ours.formats.iter().copied().filter(|format| self.theirs.payload_type(format.codec).is_some())
    }

    /// The payload type for a codec on the way to the peer.
    pub(super) fn outgoing(&self, codec: Codec) -> Option<u8> {
        self.ours.payload_type(codec)?;
        self.theirs.payload_type(codec)
    }

    /// The voice for what we say ourselves.
    pub(super) fn voice(&self) -> Option<Format> {
        let mut voices = self.theirs.formats.iter().filter(|format| format.codec.is_voice());
        voices.find(|format| self.ours.payload_type(format.codec).is_some()).copied()
    }

    pub(super) fn is_rtcp_multiplexed(&self) -> bool {
        self.theirs.rtcp_mux && self.ours.rtcp_mux
    }

    /// Where RTCP goes to if it is not multiplexed.
    pub(super) fn rtcp(&self) -> Option<SocketAddr> {
        self.theirs.rtcp()
    }

    pub(super) fn rtp(&self) -> Option<SocketAddr> {
        self.theirs.rtp()
    }

    /// Whether it takes media: not while it holds the call.
    pub(super) fn takes(&self) -> bool {
        self.theirs.direction.receives()
    }

    /// Whether silence of it is a fault: not during a hold, in which many phones send nothing.
    pub(super) fn must_send(&self) -> bool {
        self.theirs.direction.sends() && self.theirs.direction.receives() && self.ours.direction.receives()
    }
}
