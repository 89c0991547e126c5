//! Choices that can be repeated.

use std::{
    env,
    time::{SystemTime, UNIX_EPOCH},
};

/// xorshift64*: enough for choosing moments.
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new() -> Self {
        let now = || SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos() as u64;
        let seed = env::var("OFFDESK_CRASH_SEED").map_or_else(|_| now(), |seed| seed.parse().unwrap());
        // The test runner shows it if the test fails.
        println!("OFFDESK_CRASH_SEED={seed}");
        Self(seed | 1)
    }

    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    /// At least `from`, less than `to`.
    pub(crate) fn between(&mut self, from: u64, to: u64) -> u64 {
        from + (self.next() >> 11) % (to - from)
    }

    pub(crate) fn coin(&mut self) -> bool {
        self.next() >> 63 == 1
    }
}

/// How many rounds the long form runs; none: the short form.
pub(crate) fn rounds(short: usize) -> usize {
    env::var("OFFDESK_CRASH_ROUNDS").map_or(short, |rounds| rounds.parse().unwrap())
}
