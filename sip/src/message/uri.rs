//! URIs: `sip`, `sips`, `tel`, and whatever else stands where a URI may.

use super::host::{Host, port};
use super::params::Params;
use super::scan::{Scanner, escapes_are_whole, is_opaque, is_uri_header, is_user};

/// A URI, borrowed from the text that it stands in.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Uri<'a> {
    Sip(SipUri<'a>),
    Tel(TelUri<'a>),
    /// Another scheme, such as `http`; nothing is known of what follows it.
    Other {
        scheme: &'a str,
        rest: &'a str,
    },
}

/// `sip:` and `sips:` (RFC 3261 §19.1). Parts keep their escapes. `==` compares spellings, [`SipUri::is_same`] meanings.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct SipUri<'a> {
    /// `sips`.
    pub secure: bool,
    /// Never empty.
    pub user: Option<&'a str>,
    pub password: Option<&'a str>,
    pub host: Host<'a>,
    pub port: Option<u16>,
    pub params: Params<'a>,
    /// What follows the `?`, such as `Route=%3Csip:example.com%3E&Subject=x`; empty without one.
    pub headers: &'a str,
}

/// `tel:` (RFC 3966 §3).
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct TelUri<'a> {
    /// With its visual separators: `+1-201-555-0123`.
    pub number: &'a str,
    pub params: Params<'a>,
}

impl<'a> Uri<'a> {
    /// The whole of `text` as a URI. None if it is none.
    pub fn parse(text: &'a str) -> Option<Self> {
        let (scheme, rest) = text.split_once(':')?;
        match scheme {
            _ if scheme.eq_ignore_ascii_case("sip") => SipUri::after_scheme(rest, false).map(Self::Sip),
            _ if scheme.eq_ignore_ascii_case("sips") => SipUri::after_scheme(rest, true).map(Self::Sip),
            _ if scheme.eq_ignore_ascii_case("tel") => TelUri::after_scheme(rest).map(Self::Tel),
            _ if is_scheme(scheme) && is_rest(rest) => Some(Self::Other { scheme, rest }),
            _ => None,
        }
    }

    /// The `sip:` or `sips:` URI that it is.
    pub const fn sip(self) -> Option<SipUri<'a>> {
        match self {
            Self::Sip(uri) => Some(uri),
            Self::Tel(_) | Self::Other { .. } => None,
        }
    }
}

fn is_scheme(scheme: &str) -> bool {
    scheme.starts_with(|first: char| first.is_ascii_alphabetic())
        && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.'))
}

fn is_rest(rest: &str) -> bool {
    !rest.is_empty() && rest.bytes().all(is_opaque) && escapes_are_whole(rest)
}

impl<'a> SipUri<'a> {
    /// The whole of `text` as a `sip:` or `sips:` URI.
    pub fn parse(text: &'a str) -> Option<Self> {
        Uri::parse(text)?.sip()
    }

    fn after_scheme(text: &'a str, secure: bool) -> Option<Self> {
        let (userinfo, rest) = match memchr::memchr(b'@', text.as_bytes()) {
            Some(at) => (Some(text.get(..at)?), text.get(at + 1..)?),
            None => (None, text),
        };
        let (user, password) = match userinfo {
            Some(userinfo) => userinfo_of(userinfo)?,
            None => (None, None),
        };
        let mut scanner = Scanner::new(rest);
        let host = Host::read(&mut scanner)?;
        let port = if scanner.eat(b':') { Some(port(&mut scanner)?) } else { None };
        let params = Params::of_uri(&mut scanner)?;
        let headers = if scanner.eat(b'?') { headers_of(scanner.rest())? } else { "" };
        let whole = !headers.is_empty() || scanner.is_done();
        whole.then_some(Self { secure, user, password, host, port, params, headers })
    }

    /// 5061 for `sips`, else 5060, where the URI has none (RFC 3261 §19.1.2).
    pub fn port_or_default(&self) -> u16 {
        self.port.unwrap_or(if self.secure { 5061 } else { 5060 })
    }
}

/// `userinfo` without its `@`: a user, and a password behind a colon. (`telephone-subscriber` is written with the same
/// characters.)
fn userinfo_of(userinfo: &str) -> Option<(Option<&str>, Option<&str>)> {
    if !escapes_are_whole(userinfo) {
        return None;
    }
    let mut scanner = Scanner::new(userinfo);
    let user = scanner.take_while(is_user);
    let password =
        scanner.eat(b':').then(|| scanner.take_while(|byte| is_user(byte) && !matches!(byte, b';' | b'/' | b'?')));
    (scanner.is_done() && !user.is_empty()).then_some((Some(user), password))
}

/// `hname "=" hvalue *( "&" hname "=" hvalue )`; a value may be empty.
fn headers_of(text: &str) -> Option<&str> {
    let well_formed = |header: &str| match header.split_once('=') {
        Some((name, value)) => !name.is_empty() && name.bytes().chain(value.bytes()).all(is_uri_header),
        None => false,
    };
    (text.split('&').all(well_formed) && escapes_are_whole(text)).then_some(text)
}

impl<'a> TelUri<'a> {
    fn after_scheme(text: &'a str) -> Option<Self> {
        let mut scanner = Scanner::new(text);
        let number = scanner.take_while(|byte| byte.is_ascii_hexdigit() || b"+*#-.()".contains(&byte));
        let params = Params::of_uri(&mut scanner)?;
        let has_digit = number.bytes().any(|byte| byte.is_ascii_hexdigit() || matches!(byte, b'*' | b'#'));
        let one_plus = !number.trim_start_matches('+').contains('+') && !number.starts_with("++");
        (has_digit && one_plus && scanner.is_done()).then_some(Self { number, params })
    }
}

#[cfg(test)]
#[path = "uri_tests.rs"]
mod tests;
