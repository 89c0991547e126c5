//! Which transaction a message belongs to.

use std::{net::IpAddr, sync::Arc};

/// A transaction of this run of the engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TransactionId(pub(super) u64);

/// RFC 3261 §17.2.3: a request belongs to a server transaction by its topmost Via's branch and sent-by and by its method,
/// ACK counting as INVITE; here also by the address that it came from.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ServerKey(Arc<[u8]>);

/// RFC 3261 §17.1.3: a response belongs to a client transaction by its topmost Via's branch, which is ours, and the method
/// in its CSeq.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClientKey(Arc<[u8]>);

/// What tells requests apart that bear no branch of RFC 3261, as sent by implementations of RFC 2543. The To tag, which RFC
/// 3261 §17.2.3 names too, tells an ACK from its INVITE only, which are to match.
#[derive(Clone, Copy, Debug)]
pub struct Earlier<'a> {
    pub request_uri: &'a str,
    pub from_tag: &'a str,
    pub call_id: &'a str,
    /// The number in the CSeq.
    pub cseq: u32,
    /// The topmost Via as it stands there.
    pub via: &'a str,
}

/// Branches of RFC 3261 begin so (§8.1.1.7); the comparison is case-insensitive as for any parameter.
pub(super) const COOKIE: &str = "z9hG4bK";

impl ServerKey {
    /// `sent_by` is the Via's host and port, `source` the address that the request came from: whoever knows only a branch gets
    /// at no answer. None: the branch is not one of RFC 3261.
    pub fn new(branch: &str, sent_by: (&str, Option<u16>), source: IpAddr, method: &str) -> Option<Self> {
        let cookie = branch.get(..COOKIE.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(COOKIE));
        if !cookie || branch.len() == COOKIE.len() {
            return None;
        }
        let (host, port) = sent_by;
        let mut key = Key::of(source);
        key.number(port.map_or(0, u32::from)).part(branch).part(host).part(as_invite(method));
        Some(Self(key.0.into()))
    }

    /// For a request without such a branch.
    pub fn earlier(method: &str, source: IpAddr, of: &Earlier<'_>) -> Self {
        let mut key = Key::of(source);
        key.number(of.cseq).part("").part(of.request_uri).part(of.from_tag).part(of.call_id).part(of.via);
        key.part(as_invite(method));
        Self(key.0.into())
    }
}

impl ClientKey {
    pub fn new(branch: &str, method: &str) -> Self {
        let mut key = Key(Vec::with_capacity(branch.len() + method.len() + 2));
        key.part(branch).part(method);
        Self(key.0.into())
    }
}

fn as_invite(method: &str) -> &str {
    if method == "ACK" { "INVITE" } else { method }
}

/// Numbers of a fixed length, and parts with a byte after each that no part has: no SIP header holds a line feed once it is
/// unfolded. What is compared without regard to case is lowered.
struct Key(Vec<u8>);

impl Key {
    fn of(source: IpAddr) -> Self {
        let mut key = Vec::with_capacity(128);
        match source {
            IpAddr::V4(address) => key.extend(address.to_ipv6_mapped().octets()),
            IpAddr::V6(address) => key.extend(address.octets()),
        }
        Self(key)
    }

    fn number(&mut self, number: u32) -> &mut Self {
        self.0.extend(number.to_be_bytes());
        self
    }

    fn part(&mut self, part: &str) -> &mut Self {
        let from = self.0.len();
        self.0.extend_from_slice(part.as_bytes());
        self.0.get_mut(from..).unwrap_or_default().make_ascii_lowercase();
        self.0.push(b'\n');
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOURCE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1));

    fn key(branch: &str, host: &str, method: &str) -> ServerKey {
        ServerKey::new(branch, (host, Some(5060)), SOURCE, method).unwrap()
    }

    #[test]
    fn requests_match_by_branch_sent_by_source_and_method() {
        let one = key("z9hG4bKabc", "phone.example.com", "INVITE");
        assert_eq!(one, key("Z9HG4BKabc", "Phone.example.com", "INVITE"));
        assert_eq!(one, key("z9hG4bKabc", "phone.example.com", "ACK"), "an ACK belongs to its INVITE");
        assert_ne!(one, key("z9hG4bKabc", "phone.example.com", "CANCEL"), "a CANCEL is a transaction of its own");
        assert_ne!(one, key("z9hG4bKabc", "other.example.com", "INVITE"));
        assert_ne!(one, key("z9hG4bKabd", "phone.example.com", "INVITE"));
        let (port, source) = (("phone.example.com", None), IpAddr::from([192, 0, 2, 2]));
        assert_ne!(Some(&one), ServerKey::new("z9hG4bKabc", port, SOURCE, "INVITE").as_ref());
        let same_port = (port.0, Some(5060));
        assert_ne!(Some(&one), ServerKey::new("z9hG4bKabc", same_port, source, "INVITE").as_ref());
    }

    #[test]
    fn parts_do_not_run_into_each_other() {
        assert_ne!(key("z9hG4bKa", "bc", "X"), key("z9hG4bKab", "c", "X"));
    }

    #[test]
    fn a_branch_of_earlier_days_is_told() {
        for branch in ["", "1", "z9hG4bK", "xz9hG4bKabc", "z9hG4b\u{fc}"] {
            assert_eq!(ServerKey::new(branch, ("h", None), SOURCE, "INVITE"), None, "{branch}");
        }
        let of = Earlier { request_uri: "sip:a@b", from_tag: "1", call_id: "c", cseq: 7, via: "SIP/2.0/UDP h" };
        let invite = ServerKey::earlier("INVITE", SOURCE, &of);
        assert_eq!(invite, ServerKey::earlier("ACK", SOURCE, &of));
        assert_ne!(invite, ServerKey::earlier("INVITE", SOURCE, &Earlier { cseq: 8, ..of }));
    }
}
