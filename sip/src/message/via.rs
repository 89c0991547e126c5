//! The way a message came: Via.

use std::net::IpAddr;

use super::element::Element;
use super::host::{Host, port};
use super::params::Params;
use super::scan::Scanner;

/// What a branch begins with if its sender makes branches as RFC 3261 §8.1.1.7 says.
pub const MAGIC_COOKIE: &str = "z9hG4bK";

/// One hop (RFC 3261 §20.42).
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Via<'a> {
    /// `UDP`, `TCP`, `TLS`, or any other token, as it is written.
    pub transport: &'a str,
    /// The host of `sent-by`, as it is written; an IPv6 address with its brackets.
    pub host: &'a str,
    /// The port of `sent-by`.
    pub port: Option<u16>,
    pub params: Params<'a>,
}

impl<'a> Element<'a> for Via<'a> {
    fn read(scanner: &mut Scanner<'a>) -> Option<Self> {
        let protocol = scanner.token()?;
        if !(protocol.eq_ignore_ascii_case("SIP") && scanner.separator(b'/')) {
            return None;
        }
        scanner.token()?; // the version: the start line's has been looked at
        if !scanner.separator(b'/') {
            return None;
        }
        let transport = scanner.token()?;
        scanner.blanks();
        let before = scanner.rest();
        Host::read(scanner)?;
        let host = before.get(..before.len() - scanner.rest().len())?;
        let port = if scanner.separator(b':') { Some(port(scanner)?) } else { None };
        let params = Params::of_header(scanner)?;
        Some(Self { transport, host, port, params })
    }
}

impl<'a> Via<'a> {
    /// None only if it was not read from a message.
    pub fn host(&self) -> Option<Host<'a>> {
        Host::parse(self.host)
    }

    /// The branch, whoever made it.
    pub fn branch(&self) -> Option<&'a str> {
        self.params.value("branch")
    }

    /// The branch by which transactions are told apart (RFC 3261 §17.2.3). None: its sender speaks RFC 2543, or gave the magic
    /// cookie alone (RFC 4475 §3.2).
    pub fn unique_branch(&self) -> Option<&'a str> {
        self.branch().filter(|branch| {
            branch.len() > MAGIC_COOKIE.len()
                && branch.get(..MAGIC_COOKIE.len()).is_some_and(|cookie| cookie.eq_ignore_ascii_case(MAGIC_COOKIE))
        })
    }

    /// The address that the message came from, if that hop's receiver wrote it down.
    pub fn received(&self) -> Option<IpAddr> {
        let text = self.params.value("received")?;
        text.parse().ok().or_else(|| Host::parse(text)?.ip())
    }

    /// Whether an answer is to go to the port that the request came from (RFC 3581): `;rport`, with or without a value.
    pub fn wants_rport(&self) -> bool {
        self.params.has("rport")
    }

    /// The port that was written into `;rport=`.
    pub fn rport(&self) -> Option<u16> {
        self.params.value("rport")?.parse().ok().filter(|port| *port != 0)
    }

    /// The port of `sent-by`, or what its transport has by default.
    pub fn port_or_default(&self) -> u16 {
        let default = if self.transport.eq_ignore_ascii_case("TLS") { 5061 } else { 5060 };
        self.port.unwrap_or(default)
    }
}
