//! Sound: a tone to be heard, and what there is in what is heard. G.711 µ-law, 8,000 samples a second.

use std::f32::consts::TAU;

/// Samples a second.
const RATE: u16 = 8_000;
/// Samples of 20 ms, which is what a packet holds.
pub(crate) const PACKET: usize = 160;
/// What is listened to at a time: a tenth of a second.
const WINDOW: usize = 800;
/// Pitches are told apart over so many samples: each answers to 20 Hz.
const BLOCK: usize = 400;
/// The pitches that are looked for, in steps of 20 Hz: what a telephone carries.
const PITCHES: std::ops::RangeInclusive<u16> = 10..=170;
/// Below this it is silence: µ-law's own noise, of samples up to 32,767.
const SILENCE: f32 = 60.0;

/// A sine at a quarter of the full scale.
#[derive(Debug)]
pub(crate) struct Tone {
    hz: u16,
    /// Samples that were made, in one second's.
    at: u16,
}

impl Tone {
    pub(crate) const fn new(hz: u16) -> Self {
        Self { hz, at: 0 }
    }

    pub(crate) const fn hz(&self) -> u16 {
        self.hz
    }

    /// The next 20 ms.
    pub(crate) fn packet(&mut self) -> [u8; PACKET] {
        std::array::from_fn(|_| {
            let phase = TAU * f32::from(self.hz) * f32::from(self.at) / f32::from(RATE);
            // A whole number of hertz begins anew each second.
            self.at = (self.at + 1) % RATE;
            #[expect(clippy::cast_possible_truncation, reason = "a quarter of what fits")]
            mu_law((phase.sin() * 8_191.0) as i16)
        })
    }
}

/// What a tenth of a second sounded like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Heard {
    /// To the nearest 20. None: silence, or nothing with one pitch.
    pub(crate) hz: Option<u16>,
    /// 0 is silence, 100 the full scale; a step is 0.6 dB.
    pub(crate) level: u8,
}

/// Listens to samples as they come.
#[derive(Debug, Default)]
pub(crate) struct Ear(Vec<f32>);

impl Ear {
    /// Answers when there is a tenth of a second together.
    pub(crate) fn hear(&mut self, payload: &[u8]) -> Option<Heard> {
        self.0.extend(payload.iter().map(|byte| linear(*byte)));
        if self.0.len() < WINDOW {
            return None;
        }
        let heard = listen(&self.0);
        self.0.clear();
        Some(heard)
    }
}

fn listen(samples: &[f32]) -> Heard {
    let count = f32::from(u16::try_from(samples.len()).unwrap_or(u16::MAX));
    let energy = samples.iter().map(|sample| sample * sample).sum::<f32>();
    let loudness = (energy / count).sqrt();
    if loudness < SILENCE {
        return Heard { hz: None, level: 0 };
    }
    let power = |hz: u16| samples.chunks_exact(BLOCK).map(|block| goertzel(block, hz)).sum::<f32>();
    let strongest = PITCHES.map(|step| (step * 20, power(step * 20))).max_by(|one, other| one.1.total_cmp(&other.1));
    // One pitch: it has most of what there is. (A sine half a step beside a pitch leaves it 40 %.)
    let hz = strongest.filter(|(_, power)| *power > 0.35 * energy).map(|(hz, _)| hz);
    let decibels = 20.0 * (loudness * std::f32::consts::SQRT_2 / 32_767.0).log10();
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 100")]
    let level = (100.0 + decibels / 0.6).clamp(1.0, 100.0) as u8;
    Heard { hz, level }
}

/// The energy of one pitch in a block: that of a sine of that pitch is the block's own
/// (<https://en.wikipedia.org/wiki/Goertzel_algorithm>).
fn goertzel(block: &[f32], hz: u16) -> f32 {
    let turn = 2.0 * (TAU * f32::from(hz) / f32::from(RATE)).cos();
    let (one, two) = block.iter().fold((0.0, 0.0), |(one, two), sample| (sample + turn * one - two, one));
    let square = one * one + two * two - turn * one * two;
    square * 2.0 / f32::from(u16::try_from(block.len()).unwrap_or(u16::MAX))
}

/// A sample in G.711 µ-law (ITU-T G.711, table 2a).
fn mu_law(sample: i16) -> u8 {
    let size = (i32::from(sample).abs() + 132).min(32_767);
    let exponent = (size.ilog2().saturating_sub(7)).min(7);
    let mantissa = size >> (exponent + 3) & 0x0f;
    let sign = if sample < 0 { 0x80 } else { 0 };
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "7 bits and 4 bits")]
    let byte = !(sign | (exponent << 4) as u8 | mantissa as u8);
    byte
}

fn linear(byte: u8) -> f32 {
    let byte = !byte;
    let size = (((u16::from(byte & 0x0f) << 3) + 132) << (byte >> 4 & 7)) - 132;
    if byte & 0x80 == 0 { f32::from(size) } else { -f32::from(size) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heard(mut next: impl FnMut() -> [u8; PACKET]) -> Heard {
        let mut ear = Ear::default();
        (0..5).find_map(|_| ear.hear(&next())).expect("a tenth of a second")
    }

    #[test]
    fn every_tone_is_heard_as_what_it_is() {
        for hz in [200, 440, 660, 880, 1_000, 1_700, 3_400] {
            let mut tone = Tone::new(hz);
            let heard = heard(|| tone.packet());
            assert_eq!(heard.hz, Some(hz));
            assert!((78..=82).contains(&heard.level), "a quarter of the full scale is 12 dB below it: {heard:?}");
        }
    }

    #[test]
    fn a_tone_between_two_pitches_is_heard_as_one_of_them() {
        let mut tone = Tone::new(450);
        let hz = heard(|| tone.packet()).hz.expect("a pitch");
        assert!(hz == 440 || hz == 460, "{hz}");
    }

    #[test]
    fn silence_and_noise_have_no_pitch() {
        assert_eq!(heard(|| [0xff; PACKET]), Heard { hz: None, level: 0 });
        let mut state = 1_u32;
        let noise = heard(|| {
            std::array::from_fn(|_| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                state.to_be_bytes()[0]
            })
        });
        assert!(noise.hz.is_none() && noise.level > 50, "{noise:?}");
    }

    #[test]
    fn the_law_is_true_to_a_sixteenth() {
        for sample in (i16::MIN..=i16::MAX).step_by(7) {
            let off = (linear(mu_law(sample)) - f32::from(sample)).abs();
            assert!(off <= f32::from(sample.unsigned_abs()) / 16.0 + 16.0, "{sample} is off by {off}");
        }
    }
}
