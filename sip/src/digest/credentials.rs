//! What a phone answers a challenge with: the header Authorization.

use std::borrow::Cow;
use std::fmt;

use crate::message::scan::{Scanner, is_token};
use crate::message::unquote;

/// `Authorization: Digest …` (RFC 7616 §3.4, RFC 3261 §22.4), with `qop=auth`.
#[derive(Clone)]
pub struct Credentials<'a> {
    pub username: Cow<'a, str>,
    pub realm: Cow<'a, str>,
    pub(crate) nonce: Cow<'a, str>,
    pub(crate) uri: Cow<'a, str>,
    pub(crate) cnonce: Cow<'a, str>,
    /// In hexadecimal digits.
    pub(crate) response: Cow<'a, str>,
    /// None: none is named, which means MD5.
    pub(crate) algorithm: Option<Cow<'a, str>>,
    /// As it is written.
    pub(crate) nc: &'a str,
    pub(crate) count: u32,
}

/// Why a value of Authorization is of no use. It never repeats the value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CredentialsError {
    /// Basic, or one that nobody knows: as good as none.
    #[error("not of the digest scheme")]
    Scheme,
    #[error("malformed, or with a parameter twice")]
    Malformed,
    #[error("without a parameter that digest with qop=auth has")]
    Missing,
    /// `auth-int`, which was not offered.
    #[error("with another quality of protection than auth")]
    Qop,
}

/// The parameters that count, by their place in an array.
const NAMES: [&str; 9] = ["username", "realm", "nonce", "uri", "response", "cnonce", "nc", "qop", "algorithm"];

impl<'a> Credentials<'a> {
    /// Reads a value of Authorization or Proxy-Authorization.
    pub fn parse(text: &'a str) -> Result<Self, CredentialsError> {
        let mut scanner = Scanner::new(text);
        let scheme = scanner.token().unwrap_or_default();
        if !scheme.eq_ignore_ascii_case("Digest") {
            return Err(CredentialsError::Scheme);
        }
        let [username, realm, nonce, uri, response, cnonce, nc, qop, algorithm] = params(&mut scanner)?;
        let text = |value: Option<&'a str>| value.map(unquote).ok_or(CredentialsError::Missing);
        if !text(qop)?.eq_ignore_ascii_case("auth") {
            return Err(CredentialsError::Qop);
        }
        let nc = nc.ok_or(CredentialsError::Missing)?;
        let is_count = nc.len() == 8 && nc.bytes().all(|byte| byte.is_ascii_hexdigit());
        let count = u32::from_str_radix(nc, 16).ok().filter(|count| is_count && *count > 0);
        Ok(Self {
            username: text(username)?,
            realm: text(realm)?,
            nonce: text(nonce)?,
            uri: text(uri)?,
            cnonce: text(cnonce)?,
            response: text(response)?,
            algorithm: algorithm.map(unquote),
            nc,
            count: count.ok_or(CredentialsError::Malformed)?,
        })
    }
}

/// `1*( name EQUAL ( token / quoted-string ) )`, joined by commas; those that do not count are passed over.
fn params<'a>(scanner: &mut Scanner<'a>) -> Result<[Option<&'a str>; 9], CredentialsError> {
    let mut found = [None; 9];
    let is_plain = |byte| is_token(byte) || matches!(byte, b':' | b'/' | b'@' | b'=');
    loop {
        scanner.blanks();
        let name = scanner.token().ok_or(CredentialsError::Malformed)?;
        if !scanner.separator(b'=') {
            return Err(CredentialsError::Malformed);
        }
        let value = match scanner.quoted() {
            Some(quoted) => quoted,
            None => scanner.take_while(is_plain),
        };
        let place = NAMES.iter().position(|known| known.eq_ignore_ascii_case(name));
        let twice = place.and_then(|place| found.get_mut(place)).is_some_and(|slot| slot.replace(value).is_some());
        if twice || value.is_empty() {
            return Err(CredentialsError::Malformed);
        }
        if !scanner.separator(b',') {
            scanner.blanks();
            return if scanner.is_done() { Ok(found) } else { Err(CredentialsError::Malformed) };
        }
    }
}

impl fmt::Debug for Credentials<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Credentials(…)")
    }
}
