//! Where a call goes, as `To` says it: `sip:user@host[:port][;transport=udp|tcp][?X-Name=value]`
//! (<https://www.twilio.com/docs/voice/api/sip-making-calls>).

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use offdesk_sip::{
    message::SipUri,
    transport::{Flow, Transport},
};
use percent_encoding::percent_decode_str;

/// A `sip:` address that can be called.
#[derive(Debug)]
pub(crate) struct Address {
    /// What stands in the INVITE: without the headers.
    pub(crate) uri: String,
    pub(crate) flow: Flow,
    /// The headers that the INVITE gets.
    pub(crate) headers: Vec<(Box<str>, Box<str>)>,
}

/// Twilio passes headers on whose names begin so.
const PASSED: &str = "X-";

impl Address {
    /// None: it is no address, one that only a name server knows, one of another machine, or wants TLS, which is not played.
    pub(crate) fn parse(to: &str) -> Option<Self> {
        let uri = SipUri::parse(to).filter(|uri| !uri.secure)?;
        let transport = match uri.params.value("transport") {
            None => Transport::Udp,
            Some(name) => name.parse().ok().filter(|transport| *transport != Transport::Tls)?,
        };
        let ip = uri.host.ip().or_else(|| is_localhost(to).then_some(IpAddr::V4(Ipv4Addr::LOCALHOST)))?;
        let peer = SocketAddr::new(ip, uri.port_or_default());
        let headers = uri.headers.split('&').filter_map(header).collect();
        let bare = to.split('?').next().unwrap_or_default();
        ip.is_loopback().then(|| Self {
            uri: bare.to_owned(),
            flow: Flow { transport, peer, connection: None },
            headers,
        })
    }
}

fn is_localhost(to: &str) -> bool {
    let host = to.split_once('@').map(|(_, rest)| rest.split([':', ';', '?']).next().unwrap_or_default());
    host.is_some_and(|host| host.eq_ignore_ascii_case("localhost"))
}

fn header(text: &str) -> Option<(Box<str>, Box<str>)> {
    let (name, value) = text.split_once('=').filter(|(name, _)| name.starts_with(PASSED))?;
    let value = percent_decode_str(value).decode_utf8().ok()?;
    Some((name.into(), value.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_this_machine_can_be_called() {
        for (to, peer, transport) in [
            ("sip:a@127.0.0.1", "127.0.0.1:5060", Transport::Udp),
            ("sip:a@127.0.0.1:5070", "127.0.0.1:5070", Transport::Udp),
            ("sip:a@127.0.0.1:5070;transport=TCP", "127.0.0.1:5070", Transport::Tcp),
            ("sip:a@localhost:5070;transport=udp", "127.0.0.1:5070", Transport::Udp),
            ("sip:a@[::1]:5070", "[::1]:5070", Transport::Udp),
        ] {
            let address = Address::parse(to).expect(to);
            assert_eq!((address.flow.peer.to_string().as_str(), address.flow.transport), (peer, transport));
            assert_eq!(address.uri, to);
        }
    }

    #[test]
    fn nothing_else_can() {
        for to in [
            "sip:",
            "sips:a@127.0.0.1",
            "sip:a@192.0.2.1",
            "sip:a@phones.example.com",
            "tel:+15550123",
            "sip:a@127.0.0.1;transport=tls",
            "sip:a@127.0.0.1;transport=ws",
        ] {
            assert!(Address::parse(to).is_none(), "{to}");
        }
    }

    #[test]
    fn headers_of_the_address_go_into_the_invite() {
        let address = Address::parse("sip:a@127.0.0.1?X-Name=a%20b&Subject=c").expect("an address");
        assert_eq!(address.uri, "sip:a@127.0.0.1");
        assert_eq!(address.headers, [("X-Name".into(), "a b".into())]);
    }
}
