//! What is kept of a password.

use std::fmt;

use aws_lc_rs::digest;

use super::algorithm::{Algorithm, Hex};

/// Both hashes of `user:realm:password` (RFC 7616 §3.4.2). Who has them can sign in: they are as secret as the password, but
/// for one realm.
#[derive(Clone, PartialEq, Eq)]
pub struct Ha1s {
    md5: [u8; 16],
    sha256: [u8; 32],
}

impl Ha1s {
    pub fn new(user: &str, realm: &str, password: &str) -> Self {
        let parts = [user.as_bytes(), realm.as_bytes(), password.as_bytes()];
        let (md5, sha256) = (Algorithm::Md5.hash(&parts), Algorithm::Sha256.hash(&parts));
        Self { md5: bytes(md5.as_bytes()), sha256: bytes(sha256.as_bytes()) }
    }

    /// As they were kept.
    pub const fn kept(md5: [u8; 16], sha256: [u8; 32]) -> Self {
        Self { md5, sha256 }
    }

    /// To be kept.
    pub const fn md5(&self) -> &[u8; 16] {
        &self.md5
    }

    /// To be kept.
    pub const fn sha256(&self) -> &[u8; 32] {
        &self.sha256
    }

    /// By what a password is told from another one, without either: what was done with it can be kept beside it.
    pub fn fingerprint(&self) -> Fingerprint {
        let mut hash = digest::Context::new(&digest::SHA256);
        hash.update(&self.md5);
        hash.update(&self.sha256);
        Fingerprint(hash.finish().as_ref().first_chunk().copied().unwrap_or_default())
    }

    pub(crate) fn hex(&self, algorithm: Algorithm) -> Hex {
        match algorithm {
            Algorithm::Md5 => Hex::of(&self.md5),
            Algorithm::Sha256 => Hex::of(&self.sha256),
        }
    }
}

/// A hash of [`Ha1s`]. Nobody can sign in with it, but whoever has it can try passwords.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Fingerprint(pub [u8; 16]);

/// Pairs of hexadecimal digits as bytes; what is missing or is no digit is 0.
pub(crate) fn bytes<const N: usize>(digits: &[u8]) -> [u8; N] {
    let digit =
        |byte: &u8| char::from(*byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok()).unwrap_or_default();
    let mut bytes = [0; N];
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        *byte = pair.iter().map(digit).fold(0, |byte, digit| byte << 4 | digit);
    }
    bytes
}

impl fmt::Debug for Ha1s {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Ha1s(…)")
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Fingerprint(…)")
    }
}
