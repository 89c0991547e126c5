//! What is kept of an agent's SIP password.

use std::{fmt, str::FromStr};

use offdesk_sip::digest::Ha1s;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};

/// The shortest password that an administrator may choose, and the longest, in bytes.
const SHORTEST: usize = 12;
const LONGEST: usize = 128;

/// A SIP password as it was written or drawn. It is never kept.
#[derive(Clone)]
pub struct SipPassword(SecretString);

impl SipPassword {
    /// 160 random bits in 32 characters that are told apart on any screen (Crockford's alphabet, in lower case).
    pub fn of_random(bits: [u8; 20]) -> Self {
        const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
        let mut text = String::with_capacity(32);
        for five in bits.chunks_exact(5) {
            let number = five.iter().fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
            let digits = (0..8).rev().map(|place| ALPHABET[usize::from((number >> (5 * place)) as u8 & 31)]);
            text.extend(digits.map(char::from));
        }
        Self(text.into())
    }

    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

impl FromStr for SipPassword {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let fits = (SHORTEST..=LONGEST).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic());
        if fits { Ok(Self(text.into())) } else { Err("expected 12 to 128 characters of ASCII without blanks") }
    }
}

impl PartialEq for SipPassword {
    fn eq(&self, other: &Self) -> bool {
        self.expose() == other.expose()
    }
}

impl Eq for SipPassword {}

impl fmt::Debug for SipPassword {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SipPassword(…)")
    }
}

/// The hashes by which a password is recognized (RFC 7616 §3.4.2). They are of use for one user of one realm, and there as
/// secret as the password.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SipSecret {
    user: String,
    realm: String,
    md5: [u8; 16],
    sha256: [u8; 32],
}

impl SipSecret {
    /// `user` without escapes.
    pub fn new(user: &str, realm: &str, password: &SipPassword) -> Self {
        let ha1s = Ha1s::new(user, realm, password.expose());
        Self { user: user.into(), realm: realm.into(), md5: *ha1s.md5(), sha256: *ha1s.sha256() }
    }

    /// None: it is of another user or of another realm, where it proves nothing.
    pub fn ha1s(&self, user: &str, realm: &str) -> Option<Ha1s> {
        (self.user == user && self.realm == realm).then(|| Ha1s::kept(self.md5, self.sha256))
    }

    pub fn user(&self) -> &str {
        &self.user
    }
}

impl fmt::Debug for SipSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SipSecret(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_drawn_password_has_all_its_bits() {
        assert_eq!(SipPassword::of_random([0; 20]).expose(), "0".repeat(32));
        assert_eq!(SipPassword::of_random([0xff; 20]).expose(), "z".repeat(32));
        let mut bits = [0; 20];
        bits[4] = 1;
        bits[19] = 31;
        assert_eq!(SipPassword::of_random(bits).expose(), format!("{}1{}z", "0".repeat(7), "0".repeat(23)));
    }

    #[test]
    fn a_chosen_password_is_long_and_can_be_typed() {
        assert!("correct-horse".parse::<SipPassword>().is_ok());
        for text in ["short", "has a blank in it", "umlautäumlaut", &"x".repeat(129)] {
            assert!(text.parse::<SipPassword>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_secret_is_of_use_for_its_user_and_realm_alone_and_never_shown() {
        let secret = SipSecret::new("anna", "gw.example.com", &"correct-horse".parse().unwrap());
        assert_eq!(secret.ha1s("anna", "gw.example.com"), Some(Ha1s::new("anna", "gw.example.com", "correct-horse")));
        assert_eq!(secret.ha1s("berta", "gw.example.com"), None);
        assert_eq!(secret.ha1s("anna", "gw.example.org"), None);
        assert_eq!(format!("{secret:?}"), "SipSecret(…)");
        let kept = serde_json::to_string(&secret).unwrap();
        assert!(!kept.contains("horse"));
        assert_eq!(serde_json::from_str::<SipSecret>(&kept).unwrap(), secret);
    }
}
