//! The sockets: one for UDP, a listener for TCP at the same port, and the connections of TCP.

use std::{
    collections::HashMap,
    io,
    net::{IpAddr, SocketAddr},
    time::Duration,
};

use bytes::{Buf, Bytes, BytesMut};
use offdesk_sip::{
    message::{Frame, Framer, Limits},
    transaction::TransactionId,
    transport::{ConnectionId, Flow, Transport},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream, UdpSocket},
    sync::mpsc,
    time::timeout,
};

/// How many ports are tried for one that both have free.
const TRIES: usize = 64;
/// What waits to be written to a connection, and what has been read from all. A call has a handful of messages.
const WAITING: usize = 256;
const CONNECT: Duration = Duration::from_secs(5);
const DATAGRAM: usize = 65_535;

/// Bound, and of no runtime yet.
#[derive(Debug)]
pub(crate) struct Sockets {
    udp: std::net::UdpSocket,
    tcp: std::net::TcpListener,
    at: SocketAddr,
}

impl Sockets {
    pub(super) fn bind(ip: IpAddr) -> io::Result<Self> {
        for _ in 0..TRIES {
            let tcp = std::net::TcpListener::bind((ip, 0))?;
            let at = tcp.local_addr()?;
            if let Ok(udp) = std::net::UdpSocket::bind(at) {
                udp.set_nonblocking(true)?;
                tcp.set_nonblocking(true)?;
                return Ok(Self { udp, tcp, at });
            }
        }
        Err(io::Error::from(io::ErrorKind::AddrInUse))
    }

    pub(crate) const fn address(&self) -> SocketAddr {
        self.at
    }

    pub(super) fn open(self) -> io::Result<Open> {
        let (heard, hearing) = mpsc::channel(WAITING);
        Ok(Open {
            udp: UdpSocket::from_std(self.udp)?,
            tcp: TcpListener::from_std(self.tcp)?,
            connections: HashMap::new(),
            count: 0,
            heard,
            hearing,
            buffer: vec![0; DATAGRAM],
        })
    }
}

/// What has come.
#[derive(Debug)]
pub(super) enum Came {
    Message(Flow, Bytes),
    /// What a transaction wanted sent was not.
    Unsent(TransactionId),
    /// A connection is over.
    Closed(SocketAddr, ConnectionId),
}

pub(super) struct Open {
    udp: UdpSocket,
    tcp: TcpListener,
    /// By where they lead.
    connections: HashMap<SocketAddr, (ConnectionId, mpsc::Sender<Outgoing>)>,
    count: u64,
    heard: mpsc::Sender<Came>,
    hearing: mpsc::Receiver<Came>,
    buffer: Vec<u8>,
}

/// A message, and whose it is.
struct Outgoing(Option<TransactionId>, Bytes);

impl Open {
    /// What comes next. It may be dropped at any time without losing anything.
    pub(super) async fn next(&mut self) -> Came {
        loop {
            tokio::select! {
                Some(came) = self.hearing.recv() => {
                    if let Came::Closed(peer, id) = &came
                        && self.connections.get(peer).is_some_and(|(known, _)| known == id)
                    {
                        self.connections.remove(peer);
                    }
                    return came;
                }
                Ok((length, peer)) = self.udp.recv_from(&mut self.buffer) => {
                    let bytes = Bytes::copy_from_slice(self.buffer.get(..length).unwrap_or_default());
                    return Came::Message(Flow::udp(peer), bytes);
                }
                Ok((stream, peer)) = self.tcp.accept() => {
                    let (orders, id) = self.register(peer);
                    tokio::spawn(Connection { id, peer, heard: self.heard.clone(), orders }.run(stream));
                }
            }
        }
    }

    /// Answers whether it is on its way; what goes wrong later is told by [`Came::Unsent`].
    pub(super) async fn send(&mut self, id: Option<TransactionId>, flow: Flow, bytes: Bytes) -> bool {
        if flow.transport == Transport::Udp {
            return self.udp.send_to(&bytes, flow.peer).await.is_ok();
        }
        if !self.connections.contains_key(&flow.peer) {
            let (orders, id) = self.register(flow.peer);
            let connection = Connection { id, peer: flow.peer, heard: self.heard.clone(), orders };
            tokio::spawn(connection.connect());
        }
        let known = self.connections.get(&flow.peer);
        known.is_some_and(|(_, orders)| orders.try_send(Outgoing(id, bytes)).is_ok())
    }

    fn register(&mut self, peer: SocketAddr) -> (mpsc::Receiver<Outgoing>, ConnectionId) {
        self.count += 1;
        let id = ConnectionId(self.count);
        let (sender, orders) = mpsc::channel(WAITING);
        self.connections.insert(peer, (id, sender));
        (orders, id)
    }
}

struct Connection {
    id: ConnectionId,
    peer: SocketAddr,
    heard: mpsc::Sender<Came>,
    orders: mpsc::Receiver<Outgoing>,
}

impl Connection {
    async fn connect(mut self) {
        match timeout(CONNECT, TcpStream::connect(self.peer)).await {
            Ok(Ok(stream)) => self.run(stream).await,
            Ok(Err(_)) | Err(_) => {
                self.orders.close();
                while let Some(Outgoing(id, _)) = self.orders.recv().await {
                    self.unsent(id).await;
                }
                let _gone = self.heard.send(Came::Closed(self.peer, self.id)).await;
            }
        }
    }

    async fn run(mut self, mut stream: TcpStream) {
        let flow = Flow { transport: Transport::Tcp, peer: self.peer, connection: Some(self.id) };
        let (mut buffer, mut framer) = (BytesMut::new(), Framer::default());
        loop {
            tokio::select! {
                read = stream.read_buf(&mut buffer) => {
                    if matches!(read, Err(_) | Ok(0)) || !self.take(&mut buffer, &mut framer, flow).await {
                        break;
                    }
                }
                order = self.orders.recv() => {
                    let Some(Outgoing(id, bytes)) = order else { break };
                    if stream.write_all(&bytes).await.is_err() {
                        self.unsent(id).await;
                        break;
                    }
                }
            }
        }
        let _gone = self.heard.send(Came::Closed(self.peer, self.id)).await;
    }

    /// False: the stream can be read no further.
    async fn take(&self, buffer: &mut BytesMut, framer: &mut Framer, flow: Flow) -> bool {
        loop {
            match framer.next(buffer, &Limits::default()) {
                Frame::Idle | Frame::Partial => return true,
                Frame::Ping => buffer.advance(4),
                Frame::LineEnd => buffer.advance(2),
                Frame::Message(length) => {
                    let bytes = buffer.split_to(length).freeze();
                    if self.heard.send(Came::Message(flow, bytes)).await.is_err() {
                        return false;
                    }
                }
                Frame::Last(_) | Frame::Endless => return false,
            }
        }
    }

    async fn unsent(&self, id: Option<TransactionId>) {
        if let Some(id) = id {
            let _gone = self.heard.send(Came::Unsent(id)).await;
        }
    }
}
