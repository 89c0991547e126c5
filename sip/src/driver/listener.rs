//! Accepting connections of TCP and TLS.

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use tokio::{
    net::{TcpListener, TcpStream},
    sync::{mpsc, watch},
    task::JoinSet,
    time::{Instant, sleep, timeout},
};
use tokio_rustls::TlsAcceptor;

use super::{
    census::{Census, Place},
    orders::Orders,
    stream::{Connection, Heard, Patience, Peer, now},
    tls::Certificate,
};
use crate::{
    engine::Counters,
    transport::{ConnectionId, Flow, Transport, inward},
};

/// After an error that is the machine's (no file descriptor, no memory) and not the connection's.
const BREATH: Duration = Duration::from_millis(100);
/// The kernel asks a silent peer after this long, and gives up after three times without an answer.
const PROBE_AFTER: Duration = Duration::from_secs(120);

/// A port that takes connections.
pub(super) struct Listener {
    socket: TcpListener,
    /// None: TCP without TLS.
    certificate: Option<watch::Receiver<Certificate>>,
    kit: Kit,
}

/// What every connection gets.
#[derive(Clone)]
pub(super) struct Kit {
    pub(super) census: Census,
    pub(super) patience: Patience,
    pub(super) heard: mpsc::Sender<Heard>,
    pub(super) counters: Arc<Counters>,
}

impl Listener {
    /// Takes over a bound socket. Needs the runtime that it is to be driven by.
    pub(super) fn new(
        socket: std::net::TcpListener,
        certificate: Option<watch::Receiver<Certificate>>,
        kit: Kit,
    ) -> io::Result<Self> {
        socket.set_nonblocking(true)?;
        Ok(Self { socket: TcpListener::from_std(socket)?, certificate, kit })
    }

    /// Numbers connections from `first` in steps of `step`, so that several listeners never give the same number. Ends
    /// with the task, and the connections with it.
    pub(super) async fn run(self, first: u64, step: u64) {
        let mut connections = JoinSet::new();
        let mut number = first;
        loop {
            let accepted = tokio::select! {
                accepted = self.socket.accept() => accepted,
                Some(_) = connections.join_next() => continue,
            };
            let Ok((stream, peer)) = accepted else {
                sleep(BREATH).await;
                continue;
            };
            let (peer, since) = (inward(peer), now());
            match self.kit.census.enter(peer.ip(), since.into_std()) {
                Ok(place) => {
                    let certificate = self.certificate.as_ref().map(|certificate| certificate.borrow().clone());
                    let newcomer = Newcomer { stream, peer, id: ConnectionId(number), certificate, since, place };
                    connections.spawn(newcomer.serve(self.kit.clone()));
                    number += step;
                }
                // One too many is closed without a word.
                Err(why) => self.kit.counters.add_shed(why),
            }
        }
    }
}

struct Newcomer {
    stream: TcpStream,
    peer: SocketAddr,
    id: ConnectionId,
    certificate: Option<Certificate>,
    since: Instant,
    place: Place,
}

impl Newcomer {
    async fn serve(self, kit: Kit) {
        watch_over(&self.stream);
        let (orders, obey) = Orders::new(kit.census.trusts(self.peer.ip()));
        let id = self.id;
        let transport = if self.certificate.is_some() { Transport::Tls } else { Transport::Tcp };
        let flow = Flow { transport, peer: self.peer, connection: Some(id) };
        let peer = Peer { flow, since: self.since, place: self.place };
        let opened = Heard::Opened { id, orders };
        match self.certificate {
            None => {
                if kit.heard.send(opened).await.is_ok() {
                    Connection::new(self.stream, peer, kit.patience, kit.heard.clone(), obey).run().await;
                }
            }
            Some(Certificate(config)) => {
                let handshake = TlsAcceptor::from(config).accept(self.stream);
                let Ok(Ok(stream)) = timeout(kit.patience.handshake, handshake).await else { return };
                if kit.heard.send(opened).await.is_ok() {
                    Connection::new(stream, peer, kit.patience, kit.heard.clone(), obey).run().await;
                }
            }
        }
        let _ = kit.heard.send(Heard::Closed(id)).await;
    }
}

/// SIP's messages are small and wait for answers; a phone that has vanished is to be noticed. A socket that cannot be set
/// so serves all the same.
fn watch_over(stream: &TcpStream) {
    use rustix::net::sockopt::{set_socket_keepalive, set_tcp_keepcnt, set_tcp_keepidle, set_tcp_keepintvl};
    let _ = stream.set_nodelay(true);
    let _ = set_socket_keepalive(stream, true);
    let _ = set_tcp_keepidle(stream, PROBE_AFTER);
    let _ = set_tcp_keepintvl(stream, PROBE_AFTER / 4);
    let _ = set_tcp_keepcnt(stream, 3);
}
