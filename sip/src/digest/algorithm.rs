//! The hashes of digest authentication.

use std::fmt;

use aws_lc_rs::digest;
use md5::{Digest as _, Md5};

/// What a challenge may ask for (RFC 8760 §2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    Md5,
    Sha256,
}

/// The name that [`Algorithm::named`] does not know.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the digest algorithms are MD5 and SHA-256")]
pub struct UnknownAlgorithm;

impl std::str::FromStr for Algorithm {
    type Err = UnknownAlgorithm;

    fn from_str(name: &str) -> Result<Self, UnknownAlgorithm> {
        match name {
            _ if name.eq_ignore_ascii_case("MD5") => Ok(Self::Md5),
            _ if name.eq_ignore_ascii_case("SHA-256") => Ok(Self::Sha256),
            _ => Err(UnknownAlgorithm),
        }
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Md5 => "MD5",
            Self::Sha256 => "SHA-256",
        })
    }
}

/// A hash as digest authentication goes on with it: in lower-case hexadecimal digits.
#[derive(Clone, Copy)]
pub(crate) struct Hex {
    digits: [u8; 64],
    length: usize,
}

impl Hex {
    pub(crate) fn of(bytes: &[u8]) -> Self {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let mut digits = [0; 64];
        let mut length = 0;
        for (pair, byte) in digits.chunks_exact_mut(2).zip(bytes) {
            pair.copy_from_slice(&[DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]]);
            length += 2;
        }
        Self { digits, length }
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        self.digits.get(..self.length).unwrap_or_default()
    }
}

impl Algorithm {
    /// The hash of `parts` with a colon between each two.
    pub(crate) fn hash(self, parts: &[&[u8]]) -> Hex {
        let colons = parts.iter().enumerate().flat_map(|(at, part)| [if at == 0 { &b""[..] } else { b":" }, part]);
        match self {
            Self::Md5 => {
                let mut hash = Md5::new();
                colons.for_each(|part| hash.update(part));
                Hex::of(&hash.finalize())
            }
            Self::Sha256 => {
                let mut hash = digest::Context::new(&digest::SHA256);
                colons.for_each(|part| hash.update(part));
                Hex::of(hash.finish().as_ref())
            }
        }
    }
}
