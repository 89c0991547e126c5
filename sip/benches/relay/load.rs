//! The peers of all calls, on one thread: each sends a packet every 20 ms, all of them spread evenly.

use std::io::ErrorKind;
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::time::{Duration, Instant};

use crate::server::Server;

const PACKET: Duration = Duration::from_millis(20);
/// Peers are served in so many groups, one a millisecond.
const GROUPS: usize = 20;
/// For what is still on its way at the end.
const GRACE: Duration = Duration::from_millis(500);

/// One side of a call.
struct Peer {
    socket: UdpSocket,
    server: SocketAddr,
    packet: [u8; 172],
}

pub(crate) struct Calls {
    peers: Vec<Peer>,
    sequence: u16,
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct Heard {
    pub(crate) received: usize,
    pub(crate) lost: usize,
    /// Packets sent a second.
    pub(crate) rate: f64,
}

// === impl Calls ===

impl Calls {
    pub(crate) fn start(server: &mut Server, calls: usize) -> Self {
        let socket = || {
            let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
            socket.set_nonblocking(true).unwrap();
            socket
        };
        let mut peers = Vec::new();
        for _ in 0..calls {
            let sockets = [socket(), socket()];
            let places = server.call(sockets.each_ref().map(|socket| socket.local_addr().unwrap()));
            for (socket, server) in sockets.into_iter().zip(places) {
                let ssrc = u32::try_from(peers.len()).unwrap();
                let packet = rtp_rs::RtpPacketBuilder::new().payload_type(0).ssrc(ssrc).payload(&[0xff; 160]);
                peers.push(Peer { socket, server, packet: packet.build().unwrap().try_into().unwrap() });
            }
        }
        Self { peers, sequence: 0 }
    }

    /// Sends so many packets, and counts those that arrive at the other sides.
    pub(crate) fn talk(&mut self, packets: usize) -> Heard {
        let (begun, rounds) = (Instant::now(), packets.div_ceil(self.peers.len()));
        let mut received = 0;
        for round in 0..rounds {
            self.sequence = self.sequence.wrapping_add(1);
            for group in 0..GROUPS {
                let due = PACKET * u32::try_from(round).unwrap() + PACKET / 20 * u32::try_from(group).unwrap();
                std::thread::sleep(due.saturating_sub(begun.elapsed()));
                for peer in self.peers.iter_mut().skip(group).step_by(GROUPS) {
                    received += peer.hear();
                    peer.say(self.sequence);
                }
            }
        }
        let (sent, took) = (rounds * self.peers.len(), begun.elapsed());
        std::thread::sleep(GRACE);
        received += self.peers.iter().map(Peer::hear).sum::<usize>();
        Heard { received, lost: sent - received, rate: sent as f64 / took.as_secs_f64() }
    }
}

// === impl Peer ===

impl Peer {
    fn say(&mut self, sequence: u16) {
        self.packet[2..4].copy_from_slice(&sequence.to_be_bytes());
        self.packet[4..8].copy_from_slice(&(u32::from(sequence) * 160).to_be_bytes());
        self.socket.send_to(&self.packet, self.server).unwrap();
    }

    /// Takes what has come.
    fn hear(&self) -> usize {
        let (mut buffer, mut heard) = ([0; 2000], 0);
        loop {
            match self.socket.recv(&mut buffer) {
                Ok(172) => heard += 1,
                Ok(_) => {}
                Err(cause) if cause.kind() == ErrorKind::WouldBlock => return heard,
                Err(cause) => panic!("{cause}"),
            }
        }
    }
}
