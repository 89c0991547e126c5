//! Numbers that nobody can guess: tags, branches, Call-IDs, tickets.

use aws_lc_rs::digest::{Context, SHA256};

use crate::leg::Random;

/// A hash of a secret and a counter.
pub(in crate::engine) struct Dice {
    secret: Context,
    count: u64,
    left: Vec<u64>,
}

impl Dice {
    /// Two of the same key and purpose give the same numbers.
    pub(in crate::engine) fn new(key: &[u8; 32], purpose: &str) -> Self {
        let mut secret = Context::new(&SHA256);
        secret.update(key);
        secret.update(purpose.as_bytes());
        Self { secret, count: 0, left: Vec::new() }
    }
}

impl Random for Dice {
    fn bits(&mut self) -> u64 {
        if self.left.is_empty() {
            self.count += 1;
            let mut hash = self.secret.clone();
            hash.update(&self.count.to_be_bytes());
            let hash = hash.finish();
            let (words, _) = hash.as_ref().as_chunks::<8>();
            self.left.extend(words.iter().map(|word| u64::from_be_bytes(*word)));
        }
        self.left.pop().unwrap_or(self.count)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn numbers_do_not_come_twice_and_purposes_and_keys_have_their_own() {
        let of = |key, purpose: &str| {
            let mut dice = Dice::new(&[key; 32], purpose);
            (0..1000).map(|_| dice.bits()).collect::<Vec<_>>()
        };
        let all: HashSet<_> = [of(1, "a"), of(1, "b"), of(2, "a")].concat().into_iter().collect();
        assert_eq!(all.len(), 3000);
        assert_eq!(of(1, "a"), of(1, "a"));
    }
}
