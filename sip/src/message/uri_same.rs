//! When two URIs mean the same (RFC 3261 §19.1.4).

use super::params::{Param, Params};
use super::uri::{SipUri, Uri};

/// Parameters that never match where only one of two URIs has them. The section's text names all but `transport`, which its
/// examples do.
const TELLING: [&str; 5] = ["user", "ttl", "method", "maddr", "transport"];

impl Uri<'_> {
    /// Whether both lead to the same. Of a scheme that nothing is known of, only the same text is.
    pub fn is_same(&self, other: &Uri<'_>) -> bool {
        match (self, other) {
            (Self::Sip(one), Uri::Sip(other)) => one.is_same(other),
            (Self::Tel(one), Uri::Tel(other)) => {
                digits(one.number).eq(digits(other.number)) && all_match(one.params, other.params, |_| true)
            }
            (Self::Other { scheme, rest }, Uri::Other { scheme: other_scheme, rest: other_rest }) => {
                scheme.eq_ignore_ascii_case(other_scheme) && rest == other_rest
            }
            _ => false,
        }
    }
}

/// RFC 3966 §4: visual separators do not count, nor does case.
fn digits(number: &str) -> impl Iterator<Item = u8> {
    number.bytes().filter(|byte| !b"-.()".contains(byte)).map(|byte| byte.to_ascii_lowercase())
}

impl SipUri<'_> {
    /// Whether both lead to the same (RFC 3261 §19.1.4): a port that is not written is not the default one, the user's case
    /// counts, and most parameters that only one of them has do not.
    pub fn is_same(&self, other: &SipUri<'_>) -> bool {
        self.is_same_but_params(other) && all_match(self.params, other.params, is_telling)
    }

    /// The same, whatever push service and token they name (RFC 8599): a phone gets a new token now and then.
    pub(crate) fn is_same_contact(&self, other: &SipUri<'_>) -> bool {
        self.is_same_but_params(other) && all_match_but(self.params, other.params, is_telling, |param| param.is_push())
    }

    fn is_same_but_params(&self, other: &SipUri<'_>) -> bool {
        self.secure == other.secure
            && self.host == other.host
            && self.port == other.port
            && same_text(self.user, other.user)
            && same_text(self.password, other.password)
            && same_headers(self.headers, other.headers)
    }
}

fn is_telling(param: &Param<'_>) -> bool {
    TELLING.iter().any(|telling| same_caseless(telling, param.name))
}

/// Parameters that both have are the same; those that `counts` are had by both. Of several with one name the first counts.
fn all_match(one: Params<'_>, other: Params<'_>, counts: impl Fn(&Param<'_>) -> bool) -> bool {
    all_match_but(one, other, counts, |_| false)
}

fn all_match_but(
    one: Params<'_>,
    other: Params<'_>,
    counts: impl Fn(&Param<'_>) -> bool,
    is_left_out: impl Fn(&Param<'_>) -> bool,
) -> bool {
    let matched = |param: Param<'_>| match (named(one, param.name), named(other, param.name)) {
        _ if is_left_out(&param) => true,
        (Some(one), Some(other)) => same_caseless(one, other),
        _ => !counts(&param),
    };
    one.iter().take(MOST).all(matched) && other.iter().take(MOST).all(matched)
}

/// The value of that name, among so many as are compared; nothing if it stands alone.
fn named<'a>(params: Params<'a>, name: &str) -> Option<&'a str> {
    let param = params.iter().take(MOST).find(|param| same_caseless(param.name, name))?;
    Some(param.value.unwrap_or_default())
}

/// Of so many parameters or headers a URI has; comparing more would take the square of them.
const MOST: usize = 32;

/// Headers count wherever they stand, and in any order.
fn same_headers(one: &str, other: &str) -> bool {
    let within = |headers: &str, among: &str| {
        let mut headers = headers.split('&').take(MOST);
        headers.all(|header| among.split('&').take(MOST).any(|there| same_header(header, there)))
    };
    one == other || one.split('&').count() == other.split('&').count() && within(one, other) && within(other, one)
}

fn same_header(one: &str, other: &str) -> bool {
    match (one.split_once('='), other.split_once('=')) {
        (Some((name, value)), Some((other_name, other_value))) => {
            same_caseless(name, other_name) && canonical(value).eq(canonical(other_value))
        }
        _ => one == other,
    }
}

fn same_text(one: Option<&str>, other: Option<&str>) -> bool {
    match (one, other) {
        (Some(one), Some(other)) => one == other || canonical(one).eq(canonical(other)),
        (one, other) => one == other,
    }
}

fn same_caseless(one: &str, other: &str) -> bool {
    one.eq_ignore_ascii_case(other) || canonical(one).map(lower).eq(canonical(other).map(lower))
}

fn lower((byte, escaped): (u8, bool)) -> (u8, bool) {
    (byte.to_ascii_lowercase(), escaped)
}

/// Bytes without their escapes, but for those that divide a URI: `%3B` is not `;`.
fn canonical(text: &str) -> impl Iterator<Item = (u8, bool)> {
    let mut bytes = text.bytes();
    std::iter::from_fn(move || {
        let byte = bytes.next()?;
        let mut ahead = bytes.clone();
        match (byte, ahead.next().and_then(digit), ahead.next().and_then(digit)) {
            (b'%', Some(high), Some(low)) => {
                bytes = ahead;
                let byte = high << 4 | low;
                Some((byte, b";/?:@&=+$,".contains(&byte)))
            }
            _ => Some((byte, false)),
        }
    })
}

fn digit(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}
