//! Load: prepared requests over keep-alive connections, one at a time on each.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

/// Sends every request once, over so many connections; each must be answered with this status.
pub(crate) async fn drive(address: SocketAddr, requests: &Arc<Vec<Vec<u8>>>, connections: usize, status: u16) {
    let next = Arc::new(AtomicUsize::new(0));
    let mut tasks = JoinSet::new();
    for _ in 0..connections {
        let (requests, next) = (requests.clone(), next.clone());
        tasks.spawn(async move {
            let mut connection = Connection::open(address).await;
            while let Some(request) = requests.get(next.fetch_add(1, Ordering::Relaxed)) {
                assert_eq!(connection.exchange(request).await, status);
            }
        });
    }
    while let Some(ended) = tasks.join_next().await {
        ended.unwrap();
    }
}

/// A connection that is kept alive.
#[derive(Debug)]
pub(crate) struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

// === impl Connection ===

impl Connection {
    pub(crate) async fn open(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).await.unwrap();
        stream.set_nodelay(true).unwrap();
        Self { stream, buffer: Vec::with_capacity(4096) }
    }

    /// Sends a request, reads the whole answer, and returns its status.
    pub(crate) async fn exchange(&mut self, request: &[u8]) -> u16 {
        self.stream.write_all(request).await.unwrap();
        self.buffer.clear();
        loop {
            let read = self.stream.read_buf(&mut self.buffer).await.unwrap();
            assert_ne!(read, 0, "the server has closed the connection");
            if let Some(status) = complete(&self.buffer) {
                return status;
            }
        }
    }
}

impl Connection {
    /// The body of the last answer.
    pub(crate) fn body(&self) -> &[u8] {
        let end = self.buffer.windows(4).position(|window| window == b"\r\n\r\n").unwrap();
        &self.buffer[end + 4..]
    }
}

/// The status, once head and body are there.
fn complete(answer: &[u8]) -> Option<u16> {
    let end = answer.windows(4).position(|window| window == b"\r\n\r\n")?;
    let head = std::str::from_utf8(&answer[..end]).unwrap();
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().unwrap())
    });
    let whole = end + 4 + length.unwrap_or(0);
    (answer.len() >= whole).then(|| head.split(' ').nth(1).unwrap().parse().unwrap())
}
