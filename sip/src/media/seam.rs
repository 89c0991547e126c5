//! Where the other side's packets take the place of our own: their numbers go on from ours. Pure.
//!
//! Another stream begins with numbers of its own (RFC 3550 §5.1), and receivers are to follow it by its SSRC. Some do not: a
//! number that seems to be behind the last one is late to them, and every packet is dropped until the numbers catch up. With
//! numbers that begin at random that happens to every other call. Nothing else of a packet is changed, and RTCP stays true: it
//! speaks of SSRCs and timestamps.

/// RTP's header without its optional parts (RFC 3550 §5.1).
const HEADER: usize = 12;

/// The numbers of what goes to a leg that was played something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Seam {
    /// The stream whose numbers are moved; none before its first packet.
    source: Option<u32>,
    /// By how much they are.
    offset: u16,
    /// Behind the highest that was sent.
    next: u16,
}

impl Seam {
    /// `next`: the number that our own next packet would have had.
    pub(super) const fn new(next: u16) -> Self {
        Self { source: None, offset: 0, next }
    }

    /// Behind the highest number that was sent.
    pub(super) const fn next(&self) -> u16 {
        self.next
    }

    /// Gives a packet of RTP its number. A stream that takes another's place goes on from that one.
    pub(super) fn number(&mut self, packet: &mut [u8]) {
        let Some(&mut [_, _, ref mut high, ref mut low, _, _, _, _, a, b, c, d]) = packet.first_chunk_mut::<HEADER>()
        else {
            return;
        };
        let (source, number) = (Some(u32::from_be_bytes([a, b, c, d])), u16::from_be_bytes([*high, *low]));
        if self.source != source {
            self.source = source;
            self.offset = self.next.wrapping_sub(number);
        }
        let number = number.wrapping_add(self.offset);
        [*high, *low] = number.to_be_bytes();
        // Late ones leave it where it is.
        if number.wrapping_sub(self.next) < u16::MAX / 2 {
            self.next = number.wrapping_add(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packet(number: u16, ssrc: u8) -> Vec<u8> {
        let [high, low] = number.to_be_bytes();
        vec![0x80, 0, high, low, 1, 2, 3, 4, 0, 0, 0, ssrc, 0xff]
    }

    fn numbered(seam: &mut Seam, number: u16, ssrc: u8) -> u16 {
        let (mut bytes, before) = (packet(number, ssrc), packet(number, ssrc));
        seam.number(&mut bytes);
        assert_eq!((&bytes[..2], &bytes[4..]), (&before[..2], &before[4..]), "nothing else is changed");
        u16::from_be_bytes([bytes[2], bytes[3]])
    }

    #[test]
    fn numbers_go_on_from_what_was_played_in_order_or_not() {
        for (next, first) in [(500_u16, 7_u16), (7, 500), (65_534, 0), (0, 65_535), (40_000, 1), (1, 40_000)] {
            let mut seam = Seam::new(next);
            let came = [0_u16, 1, 3, 2, 4].map(|at| numbered(&mut seam, first.wrapping_add(at), 1));
            assert_eq!(came, [0_u16, 1, 3, 2, 4].map(|at| next.wrapping_add(at)), "{first} behind {next}");
        }
    }

    #[test]
    fn a_stream_that_takes_anothers_place_goes_on_from_that_one() {
        let mut seam = Seam::new(100);
        assert_eq!([5, 6, 7].map(|number| numbered(&mut seam, number, 1)), [100, 101, 102]);
        assert_eq!([60_000, 60_001].map(|number| numbered(&mut seam, number, 2)), [103, 104]);
        let mut short = [0x80; 11];
        seam.number(&mut short);
        assert_eq!(short, [0x80; 11]);
    }
}
