//! Nonces that need no memory: what the gateway has to know of one stands in it, under a keyed hash.

use std::net::IpAddr;
use std::time::{Duration, Instant};

use aws_lc_rs::hmac;

use super::algorithm::Hex;
use super::ha1;

/// Bytes of a nonce: when it was made, its number, and the keyed hash of both and of whom it was made for.
const TIME: usize = 4;
const SERIAL: usize = 8;
const HASH: usize = 12;
const BYTES: usize = TIME + SERIAL + HASH;

/// Makes nonces, and knows its own.
pub(crate) struct Nonces {
    key: hmac::Key,
    began: Instant,
    life: Duration,
    serial: u64,
}

/// One of ours, made for whoever presents it, and not too old.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Fresh {
    /// Its number: each nonce has another.
    pub(crate) serial: u64,
}

impl Nonces {
    pub(crate) fn new(key: &[u8; 32], life: Duration, now: Instant) -> Self {
        Self { key: hmac::Key::new(hmac::HMAC_SHA256, key), began: now, life, serial: 0 }
    }

    /// A nonce for whoever is at `source`, as hexadecimal digits.
    pub(crate) fn make(&mut self, source: IpAddr, now: Instant) -> Hex {
        self.serial += 1;
        let (time, serial) = (self.seconds(now), self.serial);
        let mut nonce = [0; BYTES];
        let parts = time.to_be_bytes().into_iter().chain(serial.to_be_bytes()).chain(self.hash(time, serial, source));
        nonce.iter_mut().zip(parts).for_each(|(byte, part)| *byte = part);
        Hex::of(&nonce)
    }

    /// None: it is not ours, was made for another address, or is too old.
    pub(crate) fn recognize(&self, digits: &str, source: IpAddr, now: Instant) -> Option<Fresh> {
        let whole = digits.len() == 2 * BYTES && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
        let nonce: [u8; BYTES] = ha1::bytes(digits.as_bytes());
        let (time, rest) = nonce.split_first_chunk::<TIME>()?;
        let (serial, hash) = rest.split_first_chunk::<SERIAL>()?;
        let (time, serial) = (u32::from_be_bytes(*time), u64::from_be_bytes(*serial));
        let own = aws_lc_rs::constant_time::verify_slices_are_equal(&self.hash(time, serial, source), hash).is_ok();
        let age = u64::from(self.seconds(now).saturating_sub(time));
        (whole && own && age <= self.life.as_secs()).then_some(Fresh { serial })
    }

    fn seconds(&self, now: Instant) -> u32 {
        u32::try_from(now.saturating_duration_since(self.began).as_secs()).unwrap_or(u32::MAX)
    }

    fn hash(&self, time: u32, serial: u64, source: IpAddr) -> [u8; HASH] {
        let address = match source.to_canonical() {
            IpAddr::V4(address) => address.to_ipv6_mapped(),
            IpAddr::V6(address) => address,
        };
        let mut hash = hmac::Context::with_key(&self.key);
        hash.update(&time.to_be_bytes());
        hash.update(&serial.to_be_bytes());
        hash.update(&address.octets());
        let tag = hash.sign();
        tag.as_ref().first_chunk().copied().unwrap_or_default()
    }
}
