//! What came of a stream: loss (RFC 3550 A.3) and jitter (A.8).

use std::time::{Duration, Instant};

/// The clock of PCMU and PCMA.
const HZ: u64 = 8_000;

/// A step forward up to here is loss (A.1, `MAX_DROPOUT`).
const MOST_LOST: u16 = 3_000;

/// A step back up to here is a packet that comes late (A.1, `MAX_MISORDER`).
const MOST_LATE: u16 = 100;

/// One leg's streams, one after the other.
#[derive(Debug, Default)]
pub(super) struct Reception {
    now: Option<Stream>,
    /// Of the streams before.
    lost: u64,
    received: u64,
}

/// From a first packet on, as long as sequence numbers go on from there.
#[derive(Debug)]
struct Stream {
    began: Instant,
    /// The first sequence number.
    first: u64,
    /// The highest, with its cycles.
    highest: u64,
    received: u64,
    transit: Option<u32>,
    /// In units of the clock, times 16.
    jitter: u32,
}

// === impl Reception ===

impl Reception {
    /// Another SSRC begins.
    pub(super) fn restart(&mut self) {
        if let Some(stream) = self.now.take() {
            self.lost += stream.lost();
        }
    }

    /// `timestamp` is that of a voice packet; those of keys stand still while the key is down (RFC 4733 §2.2.2).
    pub(super) fn packet(&mut self, sequence: u16, timestamp: Option<u32>, now: Instant) {
        self.received += 1;
        if !self.now.as_mut().is_some_and(|stream| stream.takes(sequence)) {
            self.restart();
        }
        let stream = self.now.get_or_insert_with(|| Stream::new(sequence, now));
        stream.received += 1;
        if let Some(timestamp) = timestamp {
            stream.arrived(timestamp, now);
        }
    }

    pub(super) fn received(&self) -> u64 {
        self.received
    }

    /// Packets that were expected and have not come.
    pub(super) fn lost(&self) -> u64 {
        self.lost + self.now.as_ref().map_or(0, Stream::lost)
    }

    /// The mean deviation of the spacing of packets, smoothed.
    pub(super) fn jitter(&self) -> Duration {
        let units = self.now.as_ref().map_or(0, |stream| u64::from(stream.jitter >> 4));
        Duration::from_micros(units * 1_000_000 / HZ)
    }
}

// === impl Stream ===

impl Stream {
    fn new(sequence: u16, began: Instant) -> Self {
        let first = u64::from(sequence);
        Self { began, first, highest: first, received: 0, transit: None, jitter: 0 }
    }

    /// Whether the number goes on from those before.
    fn takes(&mut self, sequence: u16) -> bool {
        let step =
            sequence.wrapping_sub(self.highest.to_le_bytes().first_chunk().map_or(0, |low| u16::from_le_bytes(*low)));
        if step < MOST_LOST {
            self.highest += u64::from(step);
            return true;
        }
        step > u16::MAX - MOST_LATE
    }

    fn lost(&self) -> u64 {
        (self.highest - self.first + 1).saturating_sub(self.received)
    }

    fn arrived(&mut self, timestamp: u32, now: Instant) {
        let micros = now.saturating_duration_since(self.began).as_micros();
        let arrival = u64::try_from(micros).unwrap_or(u64::MAX).saturating_mul(HZ) / 1_000_000;
        #[allow(clippy::cast_possible_truncation, reason = "timestamps wrap (RFC 3550 §5.1)")]
        let transit = (arrival as u32).wrapping_sub(timestamp);
        if let Some(before) = self.transit.replace(transit) {
            // A source that starts its clock anew moves by hours: that is no jitter.
            let moved = transit.wrapping_sub(before).cast_signed().unsigned_abs().min(u32::from(MOST_LOST));
            self.jitter = self.jitter + moved - ((self.jitter + 8) >> 4);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[allow(clippy::disallowed_methods, reason = "any instant will do as the beginning of time")]
    fn start() -> Instant {
        Instant::now()
    }

    fn heard(sequences: impl IntoIterator<Item = u16>) -> Reception {
        let (mut reception, start) = (Reception::default(), start());
        sequences.into_iter().for_each(|sequence| reception.packet(sequence, None, start));
        reception
    }

    #[test]
    fn loss_is_what_was_expected_and_has_not_come() {
        for (sequences, lost) in [
            (vec![], 0),
            (vec![7], 0),
            (vec![7, 8, 9], 0),
            (vec![7, 9, 10], 1),
            (vec![7, 9, 8, 10], 0),
            (vec![7, 8, 8, 9], 0),
            (vec![65_534, 65_535, 0, 2], 1),
            (vec![65_535, 1, 0], 0),
            (vec![7, 8, 30_000, 30_002], 1),
            (vec![1, 3, 60_000], 1),
        ] {
            let reception = heard(sequences.clone());
            assert_eq!(reception.lost(), lost, "{sequences:?}");
            assert_eq!(reception.received(), sequences.len() as u64);
        }
    }

    #[test]
    fn another_stream_is_counted_on_its_own() {
        let mut reception = heard([1, 3]);
        reception.restart();
        reception.packet(2, None, start());
        assert_eq!((reception.lost(), reception.received()), (1, 3));
    }

    #[test]
    fn steady_packets_have_no_jitter_and_shaken_ones_have_theirs() {
        let (mut steady, mut shaken, start) = (Reception::default(), Reception::default(), start());
        for number in 0..400_u16 {
            let (at, timestamp) = (start + Duration::from_millis(20) * u32::from(number), u32::from(number) * 160);
            steady.packet(number, Some(timestamp), at);
            // Every other packet 5 ms late: each spacing is off by 5 ms.
            shaken.packet(number, Some(timestamp), at + Duration::from_millis(5) * u32::from(number % 2));
        }
        assert_eq!(steady.jitter(), Duration::ZERO);
        let jitter = shaken.jitter();
        assert!(jitter > Duration::from_micros(4_500) && jitter < Duration::from_micros(5_100), "{jitter:?}");
    }

    proptest! {
        #[test]
        fn what_is_dropped_of_a_long_stream_is_lost(first: u16, kept in prop::collection::vec(any::<bool>(), 1..400)) {
            let kept: Vec<_> = [true].into_iter().chain(kept).chain([true]).collect();
            let numbered = kept.iter().zip(0_u16..).filter(|(kept, _)| **kept);
            let reception = heard(numbered.map(|(_, number)| first.wrapping_add(number)));
            prop_assert_eq!(reception.lost(), kept.iter().filter(|kept| !**kept).count() as u64);
        }

        #[test]
        fn nothing_overflows(packets in prop::collection::vec((any::<u16>(), any::<Option<u32>>(), 0_u64..1 << 40), 0..100)) {
            let (mut reception, start) = (Reception::default(), start());
            for (sequence, timestamp, at) in packets {
                reception.packet(sequence, timestamp, start + Duration::from_micros(at));
            }
            prop_assert!(reception.jitter() <= Duration::from_secs(1));
            let _ = reception.lost();
        }
    }
}
