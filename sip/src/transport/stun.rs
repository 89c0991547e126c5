//! STUN as far as a SIP port speaks it: the binding request that a phone sends as a keep-alive over UDP, and its answer
//! (RFC 5389 §7, RFC 5626 §8). A phone sees from the answer whether its NAT still has the old address for it.

use std::net::{IpAddr, SocketAddr};

const HEADER: usize = 20;
const MAGIC: [u8; 4] = [0x21, 0x12, 0xA4, 0x42];
const BINDING_REQUEST: [u8; 2] = [0x00, 0x01];
const BINDING_SUCCESS: [u8; 2] = [0x01, 0x01];
const XOR_MAPPED_ADDRESS: [u8; 2] = [0x00, 0x20];
const FINGERPRINT: u16 = 0x8028;
/// RFC 5389 §15.5: what the checksum is combined with.
const FINGERPRINT_XOR: u32 = 0x5354_554E;
/// Attributes that a client may send and that need not be understood (RFC 5389 §15: comprehension-optional).
const OPTIONAL: u16 = 0x8000;

/// A binding request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Binding {
    transaction: [u8; 12],
}

impl Binding {
    /// Reads a datagram. None: it is no STUN, not a binding request, or one with an attribute that has to be understood
    /// or a checksum that is wrong. Such a thing is dropped, since an error would tell a phone nothing that it needs.
    pub fn parse(datagram: &[u8]) -> Option<Self> {
        let (header, attributes) = datagram.split_at_checked(HEADER)?;
        let (kind, rest) = header.split_first_chunk::<2>()?;
        let (length, rest) = rest.split_first_chunk::<2>()?;
        let (magic, transaction) = rest.split_first_chunk::<4>()?;
        let whole = usize::from(u16::from_be_bytes(*length)) == attributes.len() && attributes.len() % 4 == 0;
        if *kind != BINDING_REQUEST || *magic != MAGIC || !whole || !understood(datagram, attributes)? {
            return None;
        }
        Some(Self { transaction: *transaction.first_chunk()? })
    }

    /// The success response, with the sender's address as it arrived here. 12 or 24 bytes longer than the shortest
    /// request.
    pub fn answer(&self, peer: SocketAddr) -> Vec<u8> {
        let port = peer.port() ^ u16::from_be_bytes([MAGIC[0], MAGIC[1]]);
        let mut mask = MAGIC.to_vec();
        mask.extend(self.transaction);
        let (family, address): (u8, Vec<u8>) = match peer.ip().to_canonical() {
            IpAddr::V4(address) => (1, address.octets().to_vec()),
            IpAddr::V6(address) => (2, address.octets().to_vec()),
        };
        let length = u8::try_from(4 + address.len()).unwrap_or_default();
        let mut answer = Vec::with_capacity(HEADER + 24);
        answer.extend(BINDING_SUCCESS);
        answer.extend([0, 4 + length]);
        answer.extend(mask.iter());
        answer.extend(XOR_MAPPED_ADDRESS);
        answer.extend([0, length, 0, family]);
        answer.extend(port.to_be_bytes());
        answer.extend(address.iter().zip(&mask).map(|(byte, mask)| byte ^ mask));
        answer
    }
}

/// Whether nothing stands among the attributes that has to be understood and is not. None: they are cut off.
fn understood(datagram: &[u8], mut attributes: &[u8]) -> Option<bool> {
    while let Some((head, rest)) = attributes.split_first_chunk::<4>() {
        let kind = u16::from_be_bytes([head[0], head[1]]);
        let length = usize::from(u16::from_be_bytes([head[2], head[3]]));
        let (value, rest) = rest.split_at_checked(length.next_multiple_of(4))?;
        if kind < OPTIONAL {
            return Some(false);
        }
        if kind == FINGERPRINT {
            let covered = datagram.split_at_checked(datagram.len() - attributes.len())?.0;
            let sum = crc32fast::hash(covered) ^ FINGERPRINT_XOR;
            return Some(rest.is_empty() && value == sum.to_be_bytes());
        }
        attributes = rest;
    }
    Some(true)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ID: [u8; 12] = [0xb7, 0xe7, 0xa7, 0x01, 0xbc, 0x34, 0xd6, 0x86, 0xfa, 0x87, 0xdf, 0xae];

    fn request(attributes: &[u8]) -> Vec<u8> {
        let length = u16::try_from(attributes.len()).unwrap().to_be_bytes();
        [&BINDING_REQUEST[..], &length, &MAGIC, &ID, attributes].concat()
    }

    /// RFC 5769 §2.2 and §2.3: the sample responses' XOR-MAPPED-ADDRESS for 192.0.2.1:32853 and 2001:db8:…:32853.
    #[test]
    fn the_answer_holds_the_mapped_address_as_the_rfc_s_samples_do() {
        let binding = Binding::parse(&request(&[])).unwrap();
        let v4 = binding.answer("192.0.2.1:32853".parse().unwrap());
        assert_eq!(v4[..8], [0x01, 0x01, 0x00, 0x0c, 0x21, 0x12, 0xa4, 0x42]);
        assert_eq!(v4[8..20], ID);
        assert_eq!(v4[20..], [0x00, 0x20, 0x00, 0x08, 0x00, 0x01, 0xa1, 0x47, 0xe1, 0x12, 0xa6, 0x43]);
        let v6 = binding.answer("[2001:db8:1234:5678:11:2233:4455:6677]:32853".parse().unwrap());
        let expected = [
            0x00, 0x20, 0x00, 0x14, 0x00, 0x02, 0xa1, 0x47, 0x01, 0x13, 0xa9, 0xfa, 0xa5, 0xd3, 0xf1, 0x79, 0xbc, 0x25,
            0xf4, 0xb5, 0xbe, 0xd2, 0xb9, 0xd9,
        ];
        assert_eq!(v6[20..], expected);
    }

    #[test]
    fn an_attribute_that_has_to_be_understood_makes_it_none_of_ours() {
        assert!(Binding::parse(&request(&[0x80, 0x22, 0, 3, b'a', b'b', b'c', b' '])).is_some());
        assert!(Binding::parse(&request(&[0x00, 0x06, 0, 3, b'a', b'b', b'c', b' '])).is_none());
    }

    #[test]
    fn a_checksum_is_checked() {
        let mut with_sum = request(&[0x80, 0x28, 0, 4, 0, 0, 0, 0]);
        let sum = (crc32fast::hash(&with_sum[..20]) ^ FINGERPRINT_XOR).to_be_bytes();
        with_sum[24..].copy_from_slice(&sum);
        assert!(Binding::parse(&with_sum).is_some());
        with_sum[27] ^= 1;
        assert!(Binding::parse(&with_sum).is_none());
    }

    #[test]
    fn cut_off_and_foreign_datagrams_are_none() {
        let whole = request(&[0x80, 0x22, 0, 4, 1, 2, 3, 4]);
        for end in 0..whole.len() {
            assert!(Binding::parse(&whole[..end]).is_none(), "{end}");
        }
        let answer = Binding::parse(&whole).unwrap().answer("192.0.2.1:1".parse().unwrap());
        assert!(Binding::parse(&answer).is_none(), "an answer is not answered");
    }

    proptest! {
        #[test]
        fn nothing_makes_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..80), head in any::<bool>()) {
            let bytes = if head { request(&bytes) } else { bytes };
            let _ = Binding::parse(&bytes);
        }
    }
}
