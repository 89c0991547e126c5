//! Addresses that paths are appended to.

use std::{fmt, net::IpAddr, str::FromStr};

use url::{Host, Url};

/// An http or https URL without query, fragment, user or password, kept without a slash at its end, so that a path that
/// starts with one can follow. Case and default ports are as the WHATWG URL standard writes them.
#[derive(Clone, PartialEq, Eq)]
pub struct BaseUrl {
    url: Url,
    text: Box<str>,
}

impl BaseUrl {
    /// The address without a slash at its end, such as `https://gw.example.com` or `https://example.com/offdesk`.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The address followed by a path, which starts with a slash and may have a query. Both are taken as they are.
    pub fn join(&self, path_and_query: &str) -> String {
        format!("{}{path_and_query}", self.text)
    }

    pub const fn as_url(&self) -> &Url {
        &self.url
    }

    pub fn is_https(&self) -> bool {
        self.url.scheme() == "https"
    }

    /// Whether its host is this machine by name or number.
    pub fn is_loopback(&self) -> bool {
        match self.url.host() {
            Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.to_canonical().is_loopback(),
            None => false,
        }
    }

    /// Whether its host is an address of this machine or of a private network (RFC 1918, RFC 4193).
    pub fn is_private(&self) -> bool {
        let private = match self.url.host() {
            Some(Host::Ipv4(address)) => address.is_private(),
            Some(Host::Ipv6(address)) => match address.to_canonical() {
                IpAddr::V4(address) => address.is_private(),
                IpAddr::V6(address) => address.is_unique_local(),
            },
            Some(Host::Domain(_)) | None => false,
        };
        private || self.is_loopback()
    }
}

impl FromStr for BaseUrl {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let url = Url::parse(text).map_err(|reason| format!("expected a URL, but: {reason}"))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err("expected a URL that begins with https://".into());
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err("expected a URL without query and fragment".into());
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err("expected a URL without user and password".into());
        }
        let text = url.as_str().trim_end_matches('/').into();
        Ok(Self { url, text })
    }
}

impl fmt::Display for BaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for BaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "BaseUrl({})", self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn base(text: &str) -> BaseUrl {
        text.parse().unwrap()
    }

    #[test]
    fn a_path_follows_with_one_slash_between() {
        for text in ["https://gw.example.com", "https://gw.example.com/", "https://GW.example.com:443//"] {
            assert_eq!(base(text).join("/webhooks/call?leg=1"), "https://gw.example.com/webhooks/call?leg=1");
        }
        assert_eq!(base("http://127.0.0.1:8080/x/").join("/y"), "http://127.0.0.1:8080/x/y");
    }

    #[test]
    fn only_plain_http_and_https_addresses_are_taken() {
        for bad in ["", "gw.example.com", "ftp://a", "https://a?b", "https://a#b", "https://u@a", "https://u:p@a"] {
            assert!(bad.parse::<BaseUrl>().is_err(), "{bad}");
        }
    }

    #[test]
    fn loopback_and_private_hosts_are_told_from_others() {
        for loopback in ["http://localhost", "http://127.9.9.9", "http://[::1]:8", "http://[::ffff:127.0.0.1]"] {
            assert!(base(loopback).is_loopback() && base(loopback).is_private(), "{loopback}");
        }
        for private in ["http://10.1.2.3", "http://192.168.0.1", "http://[fd00::1]"] {
            assert!(!base(private).is_loopback() && base(private).is_private(), "{private}");
        }
        for public in ["http://example.com", "http://8.8.8.8", "http://127.0.0.1.example.com"] {
            assert!(!base(public).is_private(), "{public}");
        }
    }
}
