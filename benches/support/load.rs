//! Load: prepared requests over keep-alive connections, one at a time on each.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

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

/// Sends requests evenly spaced, so many a second, over a few connections; each must be answered with 204. An open loop: a slow
/// answer delays no request but those of its own connection.
pub(crate) async fn send_evenly(address: SocketAddr, requests: Vec<Vec<u8>>, start: Instant, rate: u32) {
    const CONNECTIONS: usize = 16;
    let mut lanes: Vec<Vec<(usize, Vec<u8>)>> = vec![Vec::new(); CONNECTIONS];
    for (index, request) in requests.into_iter().enumerate() {
        lanes[index % CONNECTIONS].push((index, request));
    }
    let lanes = lanes.into_iter().map(|lane| async move {
        let mut connection = Connection::open(address).await;
        for (index, request) in lane {
            tokio::time::sleep_until(due(start, rate, index).into()).await;
            assert_eq!(connection.exchange(&request).await, 204);
        }
    });
    futures_util::future::join_all(lanes).await;
}

/// When [`send_evenly`] sends a request.
pub(crate) fn due(start: Instant, rate: u32, index: usize) -> Instant {
    start + Duration::from_secs(1) / rate * u32::try_from(index).unwrap()
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
