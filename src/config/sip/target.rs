//! Where Twilio is told to call.

use std::{fmt, net::Ipv6Addr, str::FromStr};

use super::SipDomain;

/// What follows `sip:<ticket>@`: `host[:port]` and what Twilio understands behind it
/// (<https://www.twilio.com/docs/voice/api/sip-making-calls>).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SipTarget(String);

impl SipTarget {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for SipTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for SipTarget {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (place, params) = text.split_once(';').map_or((text, None), |(place, params)| (place, Some(params)));
        let (host, port) = match place.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            Some((host, rest)) => {
                let is_whole = rest.is_empty() || rest.starts_with(':');
                (is_whole && host.parse::<Ipv6Addr>().is_ok(), rest.strip_prefix(':'))
            }
            None => {
                let (host, port) = place.split_once(':').map_or((place, None), |(host, port)| (host, Some(port)));
                (host.parse::<SipDomain>().is_ok(), port)
            }
        };
        let is_port = port.is_none_or(|port| port.parse::<u16>().is_ok_and(|port| port > 0));
        // `secure=true` would make Twilio speak SRTP alone, which is not understood here.
        let known = ["transport=udp", "transport=tcp", "transport=tls"];
        let are_known = params.is_none_or(|params| params.split(';').all(|param| known.contains(&param)));
        (host && is_port && are_known).then(|| Self(text.to_owned())).ok_or(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_with_what_twilio_understands_behind_it_is_a_target() {
        for good in [
            "gw.example.com",
            "gw.example.com:5070",
            "203.0.113.10:5060",
            "[2001:db8::1]:5060",
            "[2001:db8::1]",
            "gw.example.com;transport=tls",
            "gw.example.com:5061;transport=tls",
        ] {
            assert_eq!(good.parse(), Ok(SipTarget(good.into())), "{good}");
        }
        for bad in [
            "",
            ":5060",
            "gw.example.com:",
            "gw.example.com:0",
            "gw.example.com:70000",
            "sip:gw.example.com",
            "user@gw.example.com",
            "gw.example.com;transport=ws",
            "gw.example.com;transport=tls;secure=true",
            "gw.example.com;",
            "[::1",
            "[::1]x",
            "[gw]:1",
            "a b",
        ] {
            assert_eq!(bad.parse::<SipTarget>(), Err(()), "{bad}");
        }
    }
}
