//! What a phone sends to keep its way through a NAT open.

use std::net::SocketAddr;

use super::{Transport, stun};

/// A datagram, or the beginning of a stream's bytes, that is no SIP.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeepAlive {
    /// To be swallowed: blank lines, and zero bytes as some phones send them.
    Silent { length: usize },
    /// To be answered with these bytes, over the same flow.
    Answered { length: usize, answer: Vec<u8> },
}

/// Recognises a keep-alive at the beginning of `bytes`: over UDP blank lines and STUN (RFC 5626 §4.4.2), over streams a
/// CRLF CRLF, answered with one CRLF (RFC 5626 §4.4.1), and the blank lines before a message that RFC 3261 §7.5 wants
/// ignored. None: it is something else, or a stream's ping that has not come whole.
pub fn keep_alive(transport: Transport, peer: SocketAddr, bytes: &[u8]) -> Option<KeepAlive> {
    if transport == Transport::Udp { datagram(peer, bytes) } else { stream(bytes) }
}

fn datagram(peer: SocketAddr, bytes: &[u8]) -> Option<KeepAlive> {
    let length = bytes.len();
    match stun::Binding::parse(bytes) {
        Some(request) => Some(KeepAlive::Answered { length, answer: request.answer(peer) }),
        None if bytes.iter().all(|byte| matches!(byte, b'\r' | b'\n' | 0)) => Some(KeepAlive::Silent { length }),
        None => None,
    }
}

fn stream(bytes: &[u8]) -> Option<KeepAlive> {
    match bytes {
        [b'\r', b'\n', b'\r', b'\n', ..] => Some(KeepAlive::Answered { length: 4, answer: b"\r\n".to_vec() }),
        // The pong to a ping of ours, or a blank line before a message.
        [b'\r', b'\n', next, ..] if *next != b'\r' => Some(KeepAlive::Silent { length: 2 }),
        [b'\r', b'\n', b'\r', next, ..] if *next != b'\n' => Some(KeepAlive::Silent { length: 3 }),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(transport: Transport, bytes: &[u8]) -> Option<KeepAlive> {
        keep_alive(transport, "192.0.2.1:5060".parse().unwrap(), bytes)
    }

    #[test]
    fn a_datagram_of_blank_lines_is_swallowed() {
        for bytes in [b"\r\n\r\n".as_slice(), b"\r\n", b"\0\0\0\0", b"\0", b""] {
            assert_eq!(of(Transport::Udp, bytes), Some(KeepAlive::Silent { length: bytes.len() }));
        }
        assert_eq!(of(Transport::Udp, b"\r\nOPTIONS"), None);
    }

    #[test]
    fn a_stream_s_ping_is_answered_with_a_pong() {
        let pong = KeepAlive::Answered { length: 4, answer: b"\r\n".to_vec() };
        assert_eq!(of(Transport::Tcp, b"\r\n\r\n"), Some(pong.clone()));
        assert_eq!(of(Transport::Tls, b"\r\n\r\nREGISTER"), Some(pong));
    }

    #[test]
    fn blank_lines_before_a_message_of_a_stream_are_swallowed() {
        assert_eq!(of(Transport::Tcp, b"\r\nREGISTER"), Some(KeepAlive::Silent { length: 2 }));
    }

    #[test]
    fn a_ping_that_has_not_come_whole_is_waited_for() {
        for bytes in [b"".as_slice(), b"\r", b"\r\n", b"\r\n\r"] {
            assert_eq!(of(Transport::Tcp, bytes), None);
        }
        assert_eq!(of(Transport::Tcp, b"REGISTER"), None);
    }
}
