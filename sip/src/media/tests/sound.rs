use std::time::Duration;

use rtp_rs::RtpReader;

use super::super::tone::{PACKET, Player, Sound, Tables, a_law, mu_law};
use super::clock;
use crate::sdp::{Codec, Format};

/// G.711, the other way: from its tables' formula.
fn linear(codec: Codec, byte: u8) -> i32 {
    if codec == Codec::Pcmu {
        let byte = !byte;
        let size = (((i32::from(byte & 0x0f) << 3) + 0x84) << (byte >> 4 & 7)) - 0x84;
        return if byte & 0x80 == 0 { size } else { -size };
    }
    let byte = byte ^ 0x55;
    let (exponent, mantissa) = (byte >> 4 & 7, i32::from(byte & 0x0f) << 4);
    let size = if exponent == 0 { mantissa + 8 } else { (mantissa + 0x108) << (exponent - 1) };
    if byte & 0x80 == 0 { -size } else { size }
}

#[test]
fn the_laws_give_what_g711_says() {
    for (sample, mu, a) in
        [(0, 0xff, 0xd5), (-1, 0x7f, 0x55), (8, 0xfe, 0xd5), (i16::MAX, 0x80, 0xaa), (i16::MIN, 0x00, 0x2a)]
    {
        assert_eq!((mu_law(sample), a_law(sample)), (mu, a), "{sample}");
    }
}

#[test]
fn the_laws_are_true_to_a_sixteenth() {
    for sample in i16::MIN..=i16::MAX {
        for (codec, byte) in [(Codec::Pcmu, mu_law(sample)), (Codec::Pcma, a_law(sample))] {
            let (sample, off) = (i32::from(sample), linear(codec, byte).abs_diff(sample.into()));
            assert!(off <= sample.unsigned_abs() / 16 + 16, "{codec:?} {sample} is off by {off}");
        }
    }
}

/// The bytes of three seconds.
fn played(sound: Sound, format: Format) -> Vec<u8> {
    let (tables, mut now) = (Tables::new(), clock());
    let mut player = Player::new(sound, [7; 8], now);
    let mut bytes = Vec::new();
    for number in 0..150_u16 {
        let mut buffer = [0; PACKET];
        let packet = player.packet(&tables, format, now, &mut buffer).unwrap();
        let header = RtpReader::new(packet).unwrap();
        assert_eq!((header.payload_type(), header.mark()), (format.payload_type, number == 0));
        assert_eq!(u16::from(header.sequence_number()), 0x0707_u16.wrapping_add(number));
        assert_eq!(header.timestamp(), 0x0707_0707 + 160 * u32::from(number));
        bytes.extend_from_slice(header.payload());
        now += Duration::from_millis(20);
        assert_eq!(player.next(), now);
    }
    bytes
}

#[test]
fn the_tone_is_soft_has_440_hertz_and_pauses() {
    for (payload_type, codec) in [(0, Codec::Pcmu), (8, Codec::Pcma)] {
        let samples: Vec<_> =
            played(Sound::Tone, Format { payload_type, codec }).iter().map(|byte| linear(codec, *byte)).collect();
        for second in samples.chunks(8000) {
            let loudest = second.iter().map(|sample| sample.abs()).max().unwrap();
            assert!((1_400..1_800).contains(&loudest), "{loudest}");
            // 0.2 s of 440 Hz cross zero upwards 88 times.
            let rises = second[..1600].windows(2).filter(|pair| pair[0] < 0 && pair[1] >= 0).count();
            assert!((86..=88).contains(&rises), "{rises}");
            assert!(second[1600..].iter().all(|sample| sample.abs() <= 8));
        }
    }
}

#[test]
fn silence_is_silent() {
    for (payload_type, codec) in [(0, Codec::Pcmu), (8, Codec::Pcma)] {
        let bytes = played(Sound::Silence, Format { payload_type, codec });
        assert!(bytes.iter().all(|byte| linear(codec, *byte).abs() <= 8));
    }
}

#[test]
fn what_was_missed_is_left_out() {
    let (tables, start) = (Tables::new(), clock());
    let mut player = Player::new(Sound::Tone, [0; 8], start);
    let late = start + Duration::from_secs(5);
    player.packet(&tables, Format { payload_type: 0, codec: Codec::Pcmu }, late, &mut [0; PACKET]).unwrap();
    assert_eq!(player.next(), late + Duration::from_millis(20));
}
