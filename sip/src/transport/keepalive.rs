//! What a phone sends over UDP to keep its way through a NAT open. (On streams, framing knows them.)

use std::net::SocketAddr;

use super::stun;

/// A datagram that is no SIP.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeepAlive {
    /// To be swallowed: blank lines, and zero bytes as some phones send them.
    Silent,
    /// STUN, to be answered with these bytes (RFC 5626 §4.4.2).
    Stun { answer: Vec<u8> },
}

/// Recognises a keep-alive; none for what may be SIP.
pub fn keep_alive(peer: SocketAddr, datagram: &[u8]) -> Option<KeepAlive> {
    match datagram.first() {
        None => Some(KeepAlive::Silent),
        // No SIP message begins with a control character. (RFC 5626 §4.4: so the first byte tells STUN.)
        Some(0..=3) if let Some(request) = stun::Binding::parse(datagram) => {
            Some(KeepAlive::Stun { answer: request.answer(peer) })
        }
        Some(0 | b'\r' | b'\n') if datagram.iter().all(|byte| matches!(byte, b'\r' | b'\n' | 0)) => {
            Some(KeepAlive::Silent)
        }
        Some(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blank_lines_and_zeros_are_swallowed_and_sip_is_not() {
        let peer = "192.0.2.1:5060".parse().unwrap();
        for bytes in [b"\r\n\r\n".as_slice(), b"\r\n", b"\0\0\0\0", b"\0", b""] {
            assert_eq!(keep_alive(peer, bytes), Some(KeepAlive::Silent));
        }
        for bytes in [b"\r\nOPTIONS".as_slice(), b"OPTIONS", b"\0\x01"] {
            assert_eq!(keep_alive(peer, bytes), None);
        }
    }

    #[test]
    fn stun_is_answered() {
        let peer = "192.0.2.1:5060".parse().unwrap();
        let request = [&[0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42][..], &[7; 12]].concat();
        let Some(KeepAlive::Stun { answer }) = keep_alive(peer, &request) else { panic!("not recognised") };
        assert_eq!(answer[..2], [1, 1]);
    }
}
