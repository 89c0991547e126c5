//! One connection of TCP or TLS: bytes in, whole messages to the engine; messages of the engine out.

use std::time::Duration;

use bytes::{Buf, Bytes, BytesMut};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    sync::mpsc,
    time::{Instant, sleep_until, timeout},
};

use super::{
    census::Place,
    orders::{Order, Orders},
};
use crate::{
    message::{Frame, Framer, Limits},
    transport::{ConnectionId, Flow},
};

/// How long a connection may take for what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    /// To finish the TLS handshake.
    pub handshake: Duration,
    /// To bring the rest of a message that it has begun.
    pub message: Duration,
    /// To show a password over it, whatever else it says.
    pub stranger: Duration,
    /// To say anything after that: longer than any registration lasts.
    pub idle: Duration,
    /// To take what is sent to it.
    pub write: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            handshake: Duration::from_secs(10),
            message: Duration::from_secs(10),
            stranger: Duration::from_secs(60),
            idle: Duration::from_secs(3900),
            write: Duration::from_secs(10),
        }
    }
}

/// What a connection tells the engine.
#[derive(Debug)]
pub(super) enum Heard {
    Opened { id: ConnectionId, orders: Orders },
    Message { flow: Flow, bytes: Bytes },
    Closed(ConnectionId),
}

/// Bytes that are read at once.
const READ: usize = 4096;

/// Why a connection ended; it is all the same to the engine.
#[derive(Debug)]
struct Ended;

/// Who is at the other end.
pub(super) struct Peer {
    pub(super) flow: Flow,
    /// When it came.
    pub(super) since: Instant,
    pub(super) place: Place,
}

pub(super) struct Connection<S> {
    stream: S,
    peer: Peer,
    patience: Patience,
    heard: mpsc::Sender<Heard>,
    orders: mpsc::Receiver<Order>,
    buffer: BytesMut,
    framer: Framer,
    /// Whether a message has begun and has not ended.
    begun: bool,
    /// Nothing that comes after this is read.
    over: bool,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Connection<S> {
    pub(super) fn new(
        stream: S,
        peer: Peer,
        patience: Patience,
        heard: mpsc::Sender<Heard>,
        orders: mpsc::Receiver<Order>,
    ) -> Self {
        let (buffer, framer) = (BytesMut::new(), Framer::default());
        Self { stream, peer, patience, heard, orders, buffer, framer, begun: false, over: false }
    }

    /// Until either side closes it, says something that is no SIP, or falls silent.
    pub(super) async fn run(mut self) {
        let _ = self.serve().await;
        let _ = timeout(self.patience.write, self.stream.shutdown()).await;
    }

    async fn serve(&mut self) -> Result<(), Ended> {
        // A stranger gains no time by what it says.
        let mut end = Some(self.peer.since + self.patience.stranger);
        let mut until = now() + self.patience.idle;
        loop {
            self.buffer.reserve(READ);
            tokio::select! {
                read = self.stream.read_buf(&mut self.buffer), if !self.over => {
                    if matches!(read, Err(_) | Ok(0)) {
                        return Err(Ended);
                    }
                    let was_begun = std::mem::take(&mut self.begun);
                    let some = self.take().await?;
                    until = match self.begun {
                        false => now() + self.patience.idle,
                        // Whoever sends a message byte by byte gains no time by it.
                        true if was_begun && !some => until,
                        true => now() + self.patience.message,
                    };
                }
                order = self.orders.recv() => match order {
                    Some(Order::Send(bytes)) => self.write(&bytes).await?,
                    Some(Order::Trust) => {
                        self.peer.place.trust(now().into_std());
                        end = None;
                    }
                    None => return Err(Ended),
                },
                () = sleep_until(end.map_or(until, |end| end.min(until))) => return Err(Ended),
            }
        }
    }

    /// Hands over what has come, and answers pings: however many have come at once, by one pong (RFC 5626 §4.4.1 has a
    /// phone wait for it before it pings again). Answers whether there was anything whole.
    async fn take(&mut self) -> Result<bool, Ended> {
        let mut pinged = false;
        let some = self.take_messages(&mut pinged).await?;
        if pinged {
            self.write(b"\r\n").await?;
        }
        Ok(some)
    }

    /// Hands over the messages that are whole. Waits while the engine has its hands full. Answers whether there was anything
    /// whole.
    async fn take_messages(&mut self, pinged: &mut bool) -> Result<bool, Ended> {
        let mut some = false;
        loop {
            match self.framer.next(&self.buffer, &Limits::default()) {
                Frame::Idle => return Ok(some),
                Frame::Partial => {
                    self.begun = true;
                    return Ok(some);
                }
                Frame::Ping => {
                    self.buffer.advance(4);
                    *pinged = true;
                }
                Frame::LineEnd => self.buffer.advance(2),
                Frame::Message(length) => self.hand_over(length).await?,
                Frame::Last(length) => {
                    // The engine answers it and closes the connection.
                    self.hand_over(length).await?;
                    (self.begun, self.over) = (true, true);
                    return Ok(true);
                }
                Frame::Endless => return Err(Ended),
            }
            some = true;
        }
    }

    async fn hand_over(&mut self, length: usize) -> Result<(), Ended> {
        let bytes = self.buffer.split_to(length).freeze();
        self.heard.send(Heard::Message { flow: self.peer.flow, bytes }).await.map_err(|_| Ended)
    }

    async fn write(&mut self, bytes: &[u8]) -> Result<(), Ended> {
        let writing = async {
            self.stream.write_all(bytes).await?;
            self.stream.flush().await
        };
        match timeout(self.patience.write, writing).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) | Err(_) => Err(Ended),
        }
    }
}

#[allow(clippy::disallowed_methods, reason = "the driver is where the engine's time comes from")]
pub(super) fn now() -> Instant {
    Instant::now()
}
