//! The sockets of a leg, and the ports that they hold.

use std::io;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::sync::{Arc, Mutex, PoisonError};

use rustix::net::sockopt;

use super::error::MediaError;
use super::leg::Channel;
use super::ports::{Pair, PortPool};
use crate::transport::{Family, inward};

/// Pairs that another program has are passed over, up to so many in a row.
const TRIES: usize = 32;

/// Expedited forwarding (RFC 3246), as routers know voice by; the lower two bits are not the class's.
const EXPEDITED: u8 = 46 << 2;

/// Two sockets on neighbouring ports.
#[derive(Debug)]
pub(super) struct Sockets {
    // Closed before the lease ends: fields are dropped in order.
    rtp: UdpSocket,
    rtcp: UdpSocket,
    family: Family,
    lease: Lease,
}

/// A pair of ports that goes back into the pool when this is dropped.
#[derive(Debug)]
struct Lease {
    pool: Arc<Mutex<PortPool>>,
    pair: Pair,
}

// === impl Sockets ===

impl Sockets {
    /// Binds a random free pair.
    pub(super) fn bind(pool: &Arc<Mutex<PortPool>>, address: IpAddr) -> Result<Self, MediaError> {
        // What another program has is held until a pair is found, so that it is not drawn again.
        let mut taken = Vec::new();
        for _ in 0..TRIES {
            let lease = Lease::take(pool)?;
            let bound = bind(address, lease.pair.rtp()).and_then(|rtp| Ok((rtp, bind(address, lease.pair.rtcp())?)));
            match bound {
                Ok((rtp, rtcp)) => {
                    let family = Family::of(rtp.local_addr())?;
                    return Ok(Self { rtp, rtcp, family, lease });
                }
                Err(cause) if cause.kind() == io::ErrorKind::AddrInUse => taken.push(lease),
                Err(cause) => return Err(cause.into()),
            }
        }
        Err(MediaError::NoPorts)
    }

    /// The even port.
    pub(super) fn port(&self) -> u16 {
        self.lease.pair.rtp()
    }

    pub(super) fn receive(&self, channel: Channel, buffer: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        self.channel(channel).recv_from(buffer).map(|(length, from)| (length, inward(from)))
    }

    /// Whether the socket took it.
    pub(super) fn send(&self, channel: Channel, packet: &[u8], to: SocketAddr) -> bool {
        self.channel(channel).send_to(packet, self.family.outward(to)).is_ok()
    }

    pub(super) fn channel(&self, channel: Channel) -> &UdpSocket {
        match channel {
            Channel::Rtp => &self.rtp,
            Channel::Rtcp => &self.rtcp,
        }
    }
}

fn bind(address: IpAddr, port: u16) -> io::Result<UdpSocket> {
    let socket = UdpSocket::bind(SocketAddr::new(address, port))?;
    socket.set_nonblocking(true)?;
    // Where a class of traffic may not be chosen, voice goes without.
    let _ = match address {
        IpAddr::V4(_) => sockopt::set_ip_tos(&socket, EXPEDITED),
        // What goes to a peer of IPv4 has the other's mark.
        IpAddr::V6(_) => sockopt::set_ipv6_tclass(&socket, u32::from(EXPEDITED))
            .and_then(|()| sockopt::set_ip_tos(&socket, EXPEDITED)),
    };
    Ok(socket)
}

// === impl Lease ===

impl Lease {
    fn take(pool: &Arc<Mutex<PortPool>>) -> Result<Self, MediaError> {
        let random = u32::from_ne_bytes(random()?);
        let pair = pool.lock().unwrap_or_else(PoisonError::into_inner).take(random);
        Ok(Self { pool: pool.clone(), pair: pair.ok_or(MediaError::NoPorts)? })
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.pool.lock().unwrap_or_else(PoisonError::into_inner).give_back(self.pair);
    }
}

/// Bytes that nobody can guess.
pub(super) fn random<const N: usize>() -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    rustix::rand::getrandom(&mut bytes, rustix::rand::GetRandomFlags::empty())?;
    Ok(bytes)
}
