//! What a leg hears before anybody is there: a soft tone, or silence.

use std::time::{Duration, Instant};

use rtp_rs::{RtpPacketBuilder, Seq};

use super::seam::Seam;
use crate::sdp::{Codec, Format};

/// Audio in one packet.
const FRAME: Duration = Duration::from_millis(20);

/// Samples in one packet, a byte each.
const SAMPLES: usize = 160;

/// A second of audio, which is repeated.
const FRAMES: usize = 50;

/// Of these frames the tone sounds; the rest of the second is silent.
const SOUNDING: usize = 10;

/// A header without contributing sources, and a frame.
pub(super) const PACKET: usize = 12 + SAMPLES;

/// What is played to a leg.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sound {
    /// 440 Hz at -26 dB for 0.2 s of every second: the call is alive, the other side is on its way.
    Tone,
    /// Keeps a NAT's mapping and the phone's patience alive.
    Silence,
}

/// The tone in both laws.
#[derive(Debug)]
pub(super) struct Tables {
    pcmu: Vec<[u8; SAMPLES]>,
    pcma: Vec<[u8; SAMPLES]>,
}

/// One leg's stream of ours.
#[derive(Debug)]
pub(super) struct Player {
    sound: Sound,
    ssrc: u32,
    sequence: u16,
    timestamp: u32,
    frame: usize,
    next: Instant,
}

// === impl Tables ===

impl Tables {
    pub(super) fn new() -> Self {
        let frames = |law: fn(i16) -> u8| {
            (0..FRAMES).map(|frame| std::array::from_fn(|sample| law(tone(frame * SAMPLES + sample)))).collect()
        };
        Self { pcmu: frames(mu_law), pcma: frames(a_law) }
    }

    fn frame(&self, sound: Sound, codec: Codec, number: usize) -> Option<&[u8; SAMPLES]> {
        // The last frame of the second is silent.
        let number = if sound == Sound::Tone { number % FRAMES } else { FRAMES - 1 };
        match codec {
            Codec::Pcmu => self.pcmu.get(number),
            Codec::Pcma => self.pcma.get(number),
            Codec::TelephoneEvent => None,
        }
    }
}

// === impl Player ===

impl Player {
    /// Plays from now on. `random` begins the numbers of the stream (RFC 3550 §5.1).
    pub(super) fn new(sound: Sound, random: [u8; 8], now: Instant) -> Self {
        let [a, b, c, d, e, f, g, h] = random;
        let ssrc = u32::from_be_bytes([a, b, c, d]);
        let timestamp = u32::from_be_bytes([e, f, g, h]);
        Self { sound, ssrc, sequence: u16::from_be_bytes([d, e]), timestamp, frame: 0, next: now }
    }

    /// Its numbers go on from those of others, if there were any.
    pub(super) fn behind(self, seam: Option<&Seam>) -> Self {
        Self { sequence: seam.map_or(self.sequence, Seam::next), ..self }
    }

    /// Where its numbers go on.
    pub(super) fn seam(&self) -> Seam {
        Seam::new(self.sequence)
    }

    /// When the next packet is due.
    pub(super) fn next(&self) -> Instant {
        self.next
    }

    /// The packet that is due. If the thread was kept from running, what it missed is left out rather than sent at once.
    pub(super) fn packet<'a>(
        &mut self,
        tables: &Tables,
        format: Format,
        now: Instant,
        buffer: &'a mut [u8; PACKET],
    ) -> Option<&'a [u8]> {
        let first = self.frame == 0;
        let payload = tables.frame(self.sound, format.codec, self.frame)?;
        let packet = RtpPacketBuilder::new()
            .payload_type(format.payload_type)
            .marked(first)
            .sequence(Seq::from(self.sequence))
            .timestamp(self.timestamp)
            .ssrc(self.ssrc)
            .payload(payload);
        let length = packet.build_into(buffer).ok()?;
        self.sequence = self.sequence.wrapping_add(1);
        self.timestamp = self.timestamp.wrapping_add(SAMPLES as u32);
        self.frame = self.frame.wrapping_add(1);
        self.put_off(now);
        buffer.get(..length)
    }

    /// Nothing can be sent now: look again when the next packet would be due.
    pub(super) fn put_off(&mut self, now: Instant) {
        let next = self.next + FRAME;
        self.next = if next > now { next } else { now + FRAME };
    }
}

/// The sample of the second, 16 bits linear. The tone swells and ebbs in one frame, so that it does not click.
fn tone(sample: usize) -> i16 {
    const SWELL: f64 = SAMPLES as f64;
    const LENGTH: f64 = (SOUNDING * SAMPLES) as f64;
    const LOUDEST: f64 = 32_767.0 * 0.05;
    let at = sample as f64;
    let swell = (at / SWELL).min((LENGTH - at) / SWELL).clamp(0.0, 1.0);
    let wave = (at * 440.0 / 8_000.0 * std::f64::consts::TAU).sin();
    #[allow(clippy::cast_possible_truncation, reason = "the loudest sample is a twentieth of the range")]
    let sample = (wave * swell * LOUDEST) as i16;
    sample
}

/// G.711 µ-law: 14 bits to 8, inverted.
pub(super) fn mu_law(sample: i16) -> u8 {
    const BIAS: u16 = 0x84;
    let sign = if sample < 0 { 0x80 } else { 0 };
    let size = sample.unsigned_abs().min(32_635) + BIAS;
    // From 0x84 on, the highest bit is the 8th at least.
    let exponent = 8 - size.leading_zeros().min(8);
    let mantissa = (size >> (exponent + 3)) & 0x0f;
    !(sign | low(exponent << 4) | low(u32::from(mantissa)))
}

/// G.711 A-law: 13 bits to 8, every other bit inverted.
pub(super) fn a_law(sample: i16) -> u8 {
    let sign = if sample < 0 { 0 } else { 0x80 };
    let size = if sample < 0 { !sample } else { sample }.unsigned_abs();
    let exponent = 8 - size.leading_zeros().min(8);
    let mantissa = if exponent == 0 { size >> 4 } else { size >> (exponent + 3) } & 0x0f;
    (sign | low(exponent << 4) | low(u32::from(mantissa))) ^ 0x55
}

/// The lowest eight bits.
fn low(value: u32) -> u8 {
    let [low, ..] = value.to_le_bytes();
    low
}
