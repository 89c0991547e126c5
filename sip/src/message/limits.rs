//! How large a message may be.

/// Bounds of one message. They protect the time and memory that one sender can take.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Bytes up to and with the blank line; 65,535 at most.
    pub head: u16,
    /// Bytes after it.
    pub body: usize,
    /// Header lines.
    pub headers: usize,
    /// Values of Via: hops.
    pub vias: usize,
}

impl Default for Limits {
    /// Four times what a large INVITE has, and as many hops as RFC 3261 §8.1.1.6 gives a request.
    fn default() -> Self {
        Self { head: 16 * 1024, body: 32 * 1024, headers: 128, vias: 70 }
    }
}

/// What carried a message: it decides how its end is known (RFC 3261 §18.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Carrier {
    /// UDP: a message a datagram; without Content-Length the body is what is left.
    Datagram,
    /// TCP, TLS: Content-Length is a must.
    Stream,
}
