//! The ports that media comes to: pairs of an even port for RTP and the odd one above it for RTCP (RFC 3550 §11).

use std::fmt;
use std::str::FromStr;

/// The ports that media may take, such as `20000-29999`, both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PortRange {
    first: u16,
    last: u16,
}

/// Why a text is no range of ports.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PortRangeError {
    #[error("a range of ports is written as in 20000-29999")]
    Syntax,
    #[error("the ports of media lie between 1024 and 65535, the smaller first")]
    Bounds,
    #[error("a call takes two pairs of an even and an odd port: there are fewer in the range")]
    TooFew,
}

/// The even port of a pair.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Pair(u16);

/// The pairs that nobody has. Taking and giving back are O(1).
#[derive(Debug)]
pub(super) struct PortPool {
    free: Vec<Pair>,
}

// === impl PortRange ===

impl PortRange {
    /// 2,500 calls.
    pub const USUAL: Self = Self { first: 20_000, last: 29_999 };

    /// # Errors
    /// [`PortRangeError::Bounds`], and [`PortRangeError::TooFew`] if not even one call fits.
    pub fn new(first: u16, last: u16) -> Result<Self, PortRangeError> {
        if first < 1024 || last < first {
            return Err(PortRangeError::Bounds);
        }
        let range = Self { first, last };
        if range.pairs().count() < 2 { Err(PortRangeError::TooFew) } else { Ok(range) }
    }

    pub const fn all(self) -> std::ops::RangeInclusive<u16> {
        self.first..=self.last
    }

    /// How many calls there are ports for.
    pub fn calls(self) -> usize {
        self.pairs().count() / 2
    }

    fn pairs(self) -> impl Iterator<Item = Pair> {
        let even = self.first.saturating_add(self.first % 2);
        (even..self.last).step_by(2).map(Pair)
    }
}

impl FromStr for PortRange {
    type Err = PortRangeError;

    fn from_str(text: &str) -> Result<Self, PortRangeError> {
        let (first, last) = text.split_once('-').ok_or(PortRangeError::Syntax)?;
        let port = |text: &str| text.trim().parse().map_err(|_| PortRangeError::Syntax);
        Self::new(port(first)?, port(last)?)
    }
}

impl fmt::Display for PortRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.first, self.last)
    }
}

// === impl Pair ===

impl Pair {
    pub(super) const fn rtp(self) -> u16 {
        self.0
    }

    pub(super) const fn rtcp(self) -> u16 {
        self.0.saturating_add(1)
    }
}

// === impl PortPool ===

impl PortPool {
    pub(super) fn new(range: PortRange) -> Self {
        Self { free: range.pairs().collect() }
    }

    /// Takes one of the free pairs. `random` makes the choice: whoever wants to disturb a call shall have to guess, and
    /// what still comes for the call before shall seldom meet another.
    pub(super) fn take(&mut self, random: u32) -> Option<Pair> {
        let among = u32::try_from(self.free.len()).ok().filter(|among| *among > 0)?;
        Some(self.free.swap_remove((random % among) as usize))
    }

    pub(super) fn give_back(&mut self, pair: Pair) {
        self.free.push(pair);
    }

    pub(super) fn free(&self) -> usize {
        self.free.len()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn ranges_are_read_and_written() {
        for (text, expected) in [
            ("20000-29999", Ok(5000)),
            ("20001-20005", Ok(2)),
            (" 20000 - 20003 ", Ok(2)),
            ("65532-65535", Ok(2)),
            ("20000", Err(PortRangeError::Syntax)),
            ("20000-70000", Err(PortRangeError::Syntax)),
            ("a-b", Err(PortRangeError::Syntax)),
            ("30000-20000", Err(PortRangeError::Bounds)),
            ("80-20000", Err(PortRangeError::Bounds)),
            ("20000-20002", Err(PortRangeError::TooFew)),
            ("65535-65535", Err(PortRangeError::TooFew)),
        ] {
            assert_eq!(text.parse().map(|range: PortRange| range.pairs().count()), expected, "{text}");
        }
        assert_eq!("20000-29999".parse::<PortRange>().unwrap().to_string(), "20000-29999");
    }

    proptest! {
        #[test]
        fn no_pair_is_given_twice_and_none_is_lost(steps in prop::collection::vec(any::<Option<u32>>(), 0..200)) {
            let range = PortRange::new(20_001, 20_050).unwrap();
            let (mut pool, mut taken) = (PortPool::new(range), BTreeSet::new());
            let all = pool.free();
            for step in steps {
                match step {
                    Some(random) => match pool.take(random) {
                        Some(pair) => {
                            prop_assert!(pair.rtp() % 2 == 0 && pair.rtp() >= 20_001 && pair.rtcp() <= 20_050);
                            prop_assert!(taken.insert(pair));
                        }
                        None => prop_assert_eq!(taken.len(), all),
                    },
                    None => {
                        if let Some(pair) = taken.pop_first() {
                            pool.give_back(pair);
                        }
                    }
                }
                prop_assert_eq!(pool.free() + taken.len(), all);
            }
        }
    }
}
