//! Hosts and ports, in a URI and in a Via.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::scan::{Scanner, is_host};

/// Where something is (RFC 3261 §25.1, `host`). Two spellings of one IPv6 address are one host (RFC 5954 §4.2).
#[derive(Clone, Copy)]
pub enum Host<'a> {
    V4(Ipv4Addr),
    V6(Ipv6Addr),
    Name(&'a str),
}

impl<'a> Host<'a> {
    /// The whole of `text` as a host; an IPv6 address stands in brackets.
    pub fn parse(text: &'a str) -> Option<Self> {
        let mut scanner = Scanner::new(text);
        let host = Self::read(&mut scanner)?;
        scanner.is_done().then_some(host)
    }

    pub(crate) fn read(scanner: &mut Scanner<'a>) -> Option<Self> {
        if scanner.eat(b'[') {
            let address = scanner.take_while(|byte| byte.is_ascii_hexdigit() || matches!(byte, b':' | b'.'));
            return (scanner.eat(b']')).then(|| address.parse().ok().map(Self::V6))?;
        }
        let name = scanner.take_while(is_host);
        if name.as_bytes().first().is_some_and(u8::is_ascii_digit)
            && let Ok(address) = name.parse()
        {
            return Some(Self::V4(address));
        }
        is_name(name).then_some(Self::Name(name))
    }

    /// The address, unless it is a name.
    pub const fn ip(self) -> Option<IpAddr> {
        match self {
            Self::V4(address) => Some(IpAddr::V4(address)),
            Self::V6(address) => Some(IpAddr::V6(address)),
            Self::Name(_) => None,
        }
    }
}

/// Labels that are not empty and do not begin or end with a hyphen; a dot may end the name.
fn is_name(name: &str) -> bool {
    let name = name.strip_suffix('.').unwrap_or(name);
    name.split('.').all(|label| !(label.is_empty() || label.starts_with('-') || label.ends_with('-')))
}

impl PartialEq for Host<'_> {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::V4(a), Self::V4(b)) => a == b,
            (Self::V6(a), Self::V6(b)) => a == b,
            (Self::Name(a), Self::Name(b)) => a.eq_ignore_ascii_case(b),
            _ => false,
        }
    }
}

impl Eq for Host<'_> {}

impl fmt::Display for Host<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::V4(address) => address.fmt(f),
            Self::V6(address) => write!(f, "[{address}]"),
            Self::Name(name) => f.write_str(name),
        }
    }
}

/// The digits of a port: 1 to 65535.
pub(crate) fn port(scanner: &mut Scanner<'_>) -> Option<u16> {
    let digits = scanner.take_while(|byte| byte.is_ascii_digit());
    digits.parse().ok().filter(|port| *port != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_and_names_are_told_apart() {
        for (text, ip) in [
            ("192.0.2.1", Some("192.0.2.1")),
            ("[2001:db8::1]", Some("2001:db8::1")),
            ("[::ffff:192.0.2.1]", Some("::ffff:192.0.2.1")),
            ("example.com", None),
            ("192.0.2.1.example.com", None),
            ("my_host", None),
            ("example.com.", None),
        ] {
            let host = Host::parse(text).unwrap_or_else(|| panic!("{text}"));
            assert_eq!(host.ip(), ip.map(|ip| ip.parse().unwrap()), "{text}");
        }
        for text in ["", ".", "a..b", "-a", "a-", "[::1", "[1.2.3.4]", "[fe80::1%eth0]", "::1", "a b", "a:b", "[]"] {
            assert_eq!(Host::parse(text), None, "{text}");
        }
    }

    #[test]
    fn spelling_does_not_make_another_host() {
        assert_eq!(Host::parse("[2001:DB8:0::1]"), Host::parse("[2001:db8::0.0.0.1]"));
        assert_eq!(Host::parse("Example.COM"), Host::parse("example.com"));
        assert_ne!(Host::parse("192.0.2.1"), Host::parse("192.0.2.2"));
    }
}
