//! The ways that requests take.

use std::fmt::{self, Display};

use crate::message::{NameAddr, Uri};

/// One proxy of a route set, as it stands in Record-Route: every parameter is kept (RFC 3261 §12.1).
#[derive(Clone)]
pub(super) struct Route {
    /// `<sip:192.0.2.1;lr>;x=y`
    text: Box<str>,
    /// Where the URI ends in it; it begins behind `<`.
    end: usize,
}

impl Route {
    pub(super) fn of(address: &NameAddr<'_>) -> Self {
        let text = format!("<{}>{}", address.address, address.params.as_str()).into();
        Self { text, end: 1 + address.address.len() }
    }

    pub(super) fn uri(&self) -> &str {
        self.text.get(1..self.end).unwrap_or_default()
    }

    /// Whether it leaves the Request-URI alone (RFC 3261 §16.12).
    pub(super) fn is_loose(&self) -> bool {
        match Uri::parse(self.uri()) {
            Some(Uri::Sip(uri)) => uri.params.has("lr"),
            Some(Uri::Tel(_) | Uri::Other { .. }) | None => true,
        }
    }
}

impl Display for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// A URI as a Request-URI may have it: without headers. None: it is no `sip` or `sips` URI.
pub(super) fn target_of(uri: &str) -> Option<Box<str>> {
    let headers = Uri::parse(uri)?.sip()?.headers;
    let bare = uri.strip_suffix(headers)?;
    Some(if headers.is_empty() { bare } else { bare.strip_suffix('?')? }.into())
}
