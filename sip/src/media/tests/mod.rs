//! The pure parts by virtual time, and the relay over real sockets.

mod bridge;
mod gate;
mod relay;
mod sound;

use std::net::SocketAddr;
use std::time::Instant;

use crate::sdp::{Audio, Description, Place, Voice};

#[allow(
    clippy::disallowed_methods,
    reason = "any instant will do as the beginning of virtual time; sockets have the machine's"
)]
fn clock() -> Instant {
    Instant::now()
}

fn address(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

/// PCMU, PCMA and keys as 101 at this address.
fn audio(at: SocketAddr) -> Audio {
    Description::offer(Place::from(at), &[Voice::Pcmu, Voice::Pcma]).audio
}

/// A packet of 20 ms.
fn rtp(payload_type: u8, ssrc: u32, sequence: u16) -> Vec<u8> {
    let packet = rtp_rs::RtpPacketBuilder::new().payload_type(payload_type).ssrc(ssrc).sequence(sequence.into());
    packet.timestamp(u32::from(sequence) * 160).payload(&[0x7f; 160]).build().unwrap()
}

/// An empty receiver report.
fn rtcp(ssrc: u32) -> Vec<u8> {
    [[0x80, 201, 0, 1], ssrc.to_be_bytes()].concat()
}
