//! The one UDP socket: many datagrams a wake-up, in and out.

use std::{
    io::{self, IoSlice},
    net::SocketAddr,
    time::Duration,
};

use bytes::Bytes;
use rustix::net::{
    MMsgHdr, SendAncillaryBuffer, SendFlags, SocketAddrAny,
    addr::SocketAddrArg,
    sendmmsg,
    sockopt::{set_socket_recv_buffer_size, set_socket_recv_buffer_size_force},
};
use tokio::{
    io::Interest,
    net::UdpSocket,
    time::{Instant, sleep_until},
};

use super::stream::now;
use crate::transport::{Family, inward};

/// Read at one wake-up before anybody else has their turn.
const BATCH: usize = 128;
/// What the kernel may hold for us: a burst of some thousand REGISTERs.
const KERNEL_BUFFER: usize = 4 << 20;
/// The longest datagram there is.
const LONGEST: usize = 65_535;
/// Once this many datagrams have come in one wake-up, more are let gather before the next.
const BUSY: usize = 2;
/// How long they gather. It is nothing beside the 500 ms after which a phone repeats itself, and saves most wake-ups.
const GATHER: Duration = Duration::from_millis(1);

/// The socket, with what is to go out by it.
pub(super) struct Udp {
    socket: UdpSocket,
    family: Family,
    buffer: Vec<u8>,
    outgoing: Vec<(SocketAddr, Bytes)>,
    /// Until when datagrams gather.
    gathering: Option<Instant>,
}

impl Udp {
    /// Takes over a bound socket. Needs the runtime that it is to be driven by.
    pub(super) fn new(socket: std::net::UdpSocket) -> io::Result<Self> {
        socket.set_nonblocking(true)?;
        // Beyond the system's limit only root may ask for it; without it a burst is lost and repeated.
        let _ = set_socket_recv_buffer_size(&socket, KERNEL_BUFFER);
        let _ = set_socket_recv_buffer_size_force(&socket, KERNEL_BUFFER);
        let family = Family::of(socket.local_addr())?;
        let socket = UdpSocket::from_std(socket)?;
        Ok(Self { socket, family, buffer: vec![0; LONGEST], outgoing: Vec::new(), gathering: None })
    }

    /// Resolves when there is something to read. It may be given up and called again at any time, and as often as may be:
    /// that puts nothing off.
    pub(super) async fn readable(&self) -> io::Result<()> {
        if let Some(until) = self.gathering.filter(|until| now() < *until) {
            sleep_until(until).await;
        }
        self.socket.readable().await
    }

    /// Hands over what has come, up to a batch.
    pub(super) fn receive(&mut self, mut take: impl FnMut(SocketAddr, &[u8])) {
        let mut count = 0;
        while count < BATCH {
            match self.socket.try_recv_from(&mut self.buffer) {
                Ok((length, from)) => take(inward(from), self.buffer.get(..length).unwrap_or_default()),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                // What an earlier datagram met on its way (ICMP), not this one's.
                Err(_) => {}
            }
            count += 1;
        }
        self.gathering = (count >= BUSY).then(|| now() + GATHER);
    }

    pub(super) fn send(&mut self, to: SocketAddr, bytes: Bytes) {
        self.outgoing.push((self.family.outward(to), bytes));
    }

    /// Sends all that is to go out. What the kernel has no room for is lost, as on any other hop.
    pub(super) fn flush(&mut self) {
        if let [(to, bytes)] = self.outgoing.as_slice() {
            let _ = self.socket.try_send_to(bytes, *to);
        } else if !self.outgoing.is_empty() {
            let _ = self.socket.try_io(Interest::WRITABLE, || send_all(&self.socket, &self.outgoing));
        }
        self.outgoing.clear();
    }
}

fn send_all(socket: &UdpSocket, outgoing: &[(SocketAddr, Bytes)]) -> io::Result<()> {
    let addresses: Vec<SocketAddrAny> = outgoing.iter().map(|(to, _)| to.as_any()).collect();
    let slices: Vec<[IoSlice<'_>; 1]> = outgoing.iter().map(|(_, bytes)| [IoSlice::new(bytes)]).collect();
    let mut controls: Vec<_> = outgoing.iter().map(|_| SendAncillaryBuffer::default()).collect();
    let with_address = addresses.iter().zip(&slices).zip(&mut controls);
    let mut messages: Vec<_> =
        with_address.map(|((address, slice), control)| MMsgHdr::new_with_addr(address, slice, control)).collect();
    let mut rest = messages.as_mut_slice();
    while !rest.is_empty() {
        match sendmmsg(socket, rest, SendFlags::DONTWAIT) {
            Ok(sent) => rest = rest.get_mut(sent.max(1)..).unwrap_or_default(),
            Err(rustix::io::Errno::AGAIN) => return Err(io::ErrorKind::WouldBlock.into()),
            // One that cannot be sent does not hold up the others.
            Err(_) => rest = rest.get_mut(1..).unwrap_or_default(),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn datagrams_get_their_turn_however_much_else_there_is_to_do() {
        let socket = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
        let (at, sender) = (socket.local_addr().unwrap(), std::net::UdpSocket::bind("127.0.0.1:0").unwrap());
        let mut udp = Udp::new(socket).unwrap();
        let mut heard = 0;
        while heard < BUSY {
            sender.send_to(b"x", at).unwrap();
            sender.send_to(b"x", at).unwrap();
            udp.readable().await.unwrap();
            heard = 0;
            udp.receive(|_, _| heard += 1);
        }
        assert!(udp.gathering.is_some());
        sender.send_to(b"x", at).unwrap();
        for _ in 0..1000 {
            tokio::select! {
                biased;
                readable = udp.readable() => return readable.unwrap(),
                () = tokio::time::advance(GATHER / 10) => {}
            }
        }
        panic!("what has come is never read");
    }
}
