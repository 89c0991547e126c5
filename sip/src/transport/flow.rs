//! Flows (RFC 5626 §3): the way that a message came, which is the way its answers go, and later requests to that phone.

use std::{fmt, net::SocketAddr, str::FromStr};

/// What carries SIP (RFC 3261 §18, §26.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Transport {
    Udp,
    Tcp,
    Tls,
}

impl Transport {
    pub const ALL: [Self; 3] = [Self::Udp, Self::Tcp, Self::Tls];

    /// As a Via has it (RFC 3261 §25.1, `transport`).
    pub const fn via(self) -> &'static str {
        match self {
            Self::Udp => "UDP",
            Self::Tcp => "TCP",
            Self::Tls => "TLS",
        }
    }

    /// As a URI's `transport` parameter has it, and as `Display` writes it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Udp => "udp",
            Self::Tcp => "tcp",
            Self::Tls => "tls",
        }
    }

    /// Whether it repeats by itself what was lost (RFC 3261 §17: "reliable").
    pub const fn is_reliable(self) -> bool {
        !matches!(self, Self::Udp)
    }
}

impl fmt::Display for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A text that names no transport.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a transport is udp, tcp or tls")]
pub struct NoTransport;

impl FromStr for Transport {
    type Err = NoTransport;

    fn from_str(name: &str) -> Result<Self, NoTransport> {
        Self::ALL.into_iter().find(|transport| name.eq_ignore_ascii_case(transport.name())).ok_or(NoTransport)
    }
}

/// A connection of TCP or TLS; no two of one run of the engine have the same number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConnectionId(pub u64);

/// The way between us and one peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Flow {
    pub transport: Transport,
    /// As we see it: behind a NAT, the NAT's.
    pub peer: SocketAddr,
    /// None for UDP, and for a connection of an earlier run, over which nothing goes any more.
    pub connection: Option<ConnectionId>,
}

impl Flow {
    pub const fn udp(peer: SocketAddr) -> Self {
        Self { transport: Transport::Udp, peer, connection: None }
    }

    /// Whether something can be sent over it without opening a connection.
    pub const fn is_open(&self) -> bool {
        matches!(self.transport, Transport::Udp) || self.connection.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn transports_are_read_in_any_case() {
        for transport in Transport::ALL {
            assert_eq!(transport.via().parse(), Ok(transport));
            assert_eq!(transport.to_string().parse(), Ok(transport));
        }
        assert_eq!("sctp".parse::<Transport>(), Err(NoTransport));
    }

    #[test]
    fn a_connection_of_an_earlier_run_is_not_open() {
        let peer = "192.0.2.1:5060".parse().unwrap();
        assert!(Flow::udp(peer).is_open());
        assert!(!Flow { transport: Transport::Tcp, peer, connection: None }.is_open());
        assert!(Flow { transport: Transport::Tls, peer, connection: Some(ConnectionId(7)) }.is_open());
    }
}
