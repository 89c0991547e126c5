//! Addresses with names and parameters: From, To, Contact, Route, Record-Route, Path.

use std::borrow::Cow;

use super::element::Element;
use super::params::{Params, unquote};
use super::scan::{Scanner, is_blank, is_token, saturating};
use super::uri::Uri;

/// `"Anna" <sip:anna@example.com>;tag=1` (RFC 3261 §20.10).
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct NameAddr<'a> {
    /// As it is written, quotes included; empty without one.
    pub display: &'a str,
    /// The URI's text, without the angle brackets.
    pub address: &'a str,
    /// The header's parameters. (A URI's own are within its angle brackets.)
    pub params: Params<'a>,
}

/// A contact's preference in thousandths, 0 to 1000 (RFC 3261 §20.10, `q`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Q(u16);

impl<'a> Element<'a> for NameAddr<'a> {
    fn read(scanner: &mut Scanner<'a>) -> Option<Self> {
        scanner.blanks();
        let display = display_name(scanner);
        let address = match display {
            Some(_) => {
                scanner.eat(b'<');
                let address = scanner.take_while(|byte| byte != b'>');
                scanner.eat(b'>').then_some(address)?
            }
            None => {
                scanner.take_while(|byte| !(is_blank(byte) || matches!(byte, b';' | b',' | b'?' | b'<' | b'>' | b'"')))
            }
        };
        Uri::parse(address)?;
        let params = Params::of_header(scanner)?;
        Some(Self { display: display.unwrap_or_default(), address, params })
    }
}

/// What stands before `<`, nothing included. None: there is no `<`, and the place is as it was.
fn display_name<'a>(scanner: &mut Scanner<'a>) -> Option<&'a str> {
    let before = *scanner;
    let display = match scanner.quoted() {
        Some(quoted) => quoted,
        // Tokens by the grammar; names beyond ASCII without quotes are common and do no harm.
        None => scanner.take_while(|byte| is_token(byte) || is_blank(byte) || !byte.is_ascii()).trim_ascii_end(),
    };
    scanner.blanks();
    if scanner.peek() == Some(b'<') {
        return Some(display);
    }
    *scanner = before;
    None
}

impl<'a> NameAddr<'a> {
    /// The whole of `text` as one address.
    pub fn parse(text: &'a str) -> Option<Self> {
        let mut scanner = Scanner::new(text);
        let address = Self::read(&mut scanner)?;
        scanner.blanks();
        scanner.is_done().then_some(address)
    }

    /// The whole of `text` as addresses that are joined by commas; none at all of an empty one.
    pub fn parse_list(text: &'a str) -> Option<Vec<Self>> {
        let mut scanner = Scanner::new(text);
        let mut addresses = Vec::new();
        scanner.blanks();
        let mut more = !scanner.is_done();
        while more {
            addresses.push(Self::read(&mut scanner)?);
            scanner.blanks();
            more = !scanner.is_done();
            if more && !scanner.separator(b',') {
                return None;
            }
        }
        Some(addresses)
    }

    /// An address of a URI and parameters that were kept apart. None: they are none.
    pub(crate) fn parse_parts(address: &'a str, params: &'a str) -> Option<Self> {
        Uri::parse(address)?;
        let mut scanner = Scanner::new(params);
        let params = Params::of_header(&mut scanner)?;
        scanner.is_done().then_some(Self { display: "", address, params })
    }

    /// None only if it was not read from a message.
    pub fn uri(&self) -> Option<Uri<'a>> {
        Uri::parse(self.address)
    }

    /// The name to show, without quotes.
    pub fn display_name(&self) -> Cow<'a, str> {
        unquote(self.display)
    }

    pub fn tag(&self) -> Option<&'a str> {
        self.params.value("tag")
    }

    /// A contact's `expires` in seconds. None: it has none, or one that is no number, which RFC 3261 §20.10 treats alike.
    pub fn expires(&self) -> Option<u32> {
        self.params.value("expires").and_then(saturating)
    }

    /// A contact's preference; 1 without one.
    ///
    /// None: it has one that is none.
    pub fn q(&self) -> Option<Q> {
        match self.params.get("q") {
            Some(param) => Q::parse(param.value?),
            None => Some(Q::MAX),
        }
    }

    /// `+sip.instance` without its quotes: `<urn:uuid:…>` (RFC 5626 §4.1).
    pub fn instance(&self) -> Option<Cow<'a, str>> {
        self.params.get("+sip.instance")?.unquoted()
    }

    /// `reg-id`: 1 to 2³¹ − 1 (RFC 5626 §4.2).
    ///
    /// None: there is none, or another.
    pub fn reg_id(&self) -> Option<u32> {
        self.params.value("reg-id").and_then(saturating).filter(|id| (1..1 << 31).contains(id))
    }
}

impl Q {
    pub const MAX: Self = Self(1000);

    /// In thousandths; more than 1000 is 1000.
    pub const fn thousandths(thousandths: u16) -> Self {
        if thousandths > 1000 { Self::MAX } else { Self(thousandths) }
    }

    pub const fn get(self) -> u16 {
        self.0
    }

    /// `0`, `0.5`, `1.000`: at most three decimals (`qvalue` of RFC 3261 §25.1).
    pub fn parse(text: &str) -> Option<Self> {
        let (whole, decimals) = text.split_once('.').unwrap_or((text, ""));
        let fits = decimals.len() <= 3 && decimals.bytes().all(|byte| byte.is_ascii_digit());
        let thousandths = format!("{decimals:0<3}").parse().ok()?;
        match whole {
            "0" if fits => Some(Self(thousandths)),
            "1" if fits && thousandths == 0 => Some(Self::MAX),
            _ => None,
        }
    }
}

impl std::fmt::Display for Q {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let decimals = format!("{:03}", self.0 % 1000);
        match decimals.trim_end_matches('0') {
            "" => write!(f, "{}", self.0 / 1000),
            decimals => write!(f, "{}.{decimals}", self.0 / 1000),
        }
    }
}

#[cfg(test)]
#[path = "addr_tests.rs"]
mod tests;
