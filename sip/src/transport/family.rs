//! IPv4 on sockets of IPv6: one that is bound to `[::]` sees 192.0.2.1 as `::ffff:192.0.2.1` (RFC 4291 §2.5.5.2). Everything else
//! knows a peer by the address that it has itself, so it is turned where packets and connections come in and go out.

use std::{
    io,
    net::{IpAddr, SocketAddr},
};

/// What a socket is bound to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Family {
    V4,
    V6,
}

impl Family {
    /// Of the socket with this local address.
    pub(crate) fn of(local: io::Result<SocketAddr>) -> io::Result<Self> {
        Ok(if local?.is_ipv4() { Self::V4 } else { Self::V6 })
    }

    /// An address as the socket takes it.
    pub(crate) const fn outward(self, to: SocketAddr) -> SocketAddr {
        match (self, to.ip()) {
            (Self::V6, IpAddr::V4(address)) => SocketAddr::new(IpAddr::V6(address.to_ipv6_mapped()), to.port()),
            _ => to,
        }
    }
}

/// An address that a socket gives, as the peer has it.
pub(crate) const fn inward(from: SocketAddr) -> SocketAddr {
    match from.ip().to_canonical() {
        IpAddr::V4(address) => SocketAddr::new(IpAddr::V4(address), from.port()),
        // With its zone.
        IpAddr::V6(_) => from,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ipv4_address_is_turned_for_a_socket_of_ipv6_and_back() {
        for (address, of_v6) in [
            ("192.0.2.1:5060", "[::ffff:192.0.2.1]:5060"),
            ("[2001:db8::1]:5060", "[2001:db8::1]:5060"),
            ("[fe80::1%2]:5060", "[fe80::1%2]:5060"),
        ] {
            let (address, of_v6): (SocketAddr, SocketAddr) = (address.parse().unwrap(), of_v6.parse().unwrap());
            assert_eq!((Family::V4.outward(address), Family::V6.outward(address)), (address, of_v6));
            assert_eq!((inward(of_v6), inward(address)), (address, address));
        }
    }
}
