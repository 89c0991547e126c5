//! Which transaction a message belongs to.

use std::sync::Arc;

/// A transaction of this run of the engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TransactionId(pub(super) u64);

/// RFC 3261 §17.2.3: a request belongs to a server transaction by its topmost Via's branch and sent-by and by its method,
/// ACK counting as INVITE.
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
    /// None: the branch is not one of RFC 3261. What is compared without regard to case is lowered here.
    pub fn new(branch: &str, sent_by: &str, method: &str) -> Option<Self> {
        let cookie = branch.get(..COOKIE.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(COOKIE));
        (cookie && branch.len() > COOKIE.len()).then(|| Self(joined([branch, sent_by, as_invite(method)])))
    }

    /// For a request without such a branch.
    pub fn earlier(method: &str, of: &Earlier<'_>) -> Self {
        let cseq = of.cseq.to_string();
        Self(joined(["", of.request_uri, of.from_tag, of.call_id, &cseq, of.via, as_invite(method)]))
    }
}

impl ClientKey {
    pub fn new(branch: &str, method: &str) -> Self {
        Self(joined([branch, method]))
    }
}

fn as_invite(method: &str) -> &str {
    if method == "ACK" { "INVITE" } else { method }
}

/// Parts with a byte between them that no part has: no SIP header holds a line feed once it is unfolded.
fn joined<const N: usize>(parts: [&str; N]) -> Arc<[u8]> {
    let mut key = Vec::with_capacity(parts.iter().map(|part| part.len() + 1).sum());
    for part in parts {
        key.extend(part.bytes().map(|byte| byte.to_ascii_lowercase()));
        key.push(b'\n');
    }
    key.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(branch: &str, sent_by: &str, method: &str) -> ServerKey {
        ServerKey::new(branch, sent_by, method).unwrap()
    }

    #[test]
    fn requests_match_by_branch_sent_by_and_method() {
        let one = key("z9hG4bKabc", "192.0.2.1:5060", "INVITE");
        assert_eq!(one, key("Z9HG4BKabc", "192.0.2.1:5060", "INVITE"));
        assert_eq!(one, key("z9hG4bKabc", "192.0.2.1:5060", "ACK"), "an ACK belongs to its INVITE");
        assert_ne!(one, key("z9hG4bKabc", "192.0.2.1:5060", "CANCEL"), "a CANCEL is a transaction of its own");
        assert_ne!(one, key("z9hG4bKabc", "192.0.2.2:5060", "INVITE"));
        assert_ne!(one, key("z9hG4bKabd", "192.0.2.1:5060", "INVITE"));
    }

    #[test]
    fn parts_do_not_run_into_each_other() {
        assert_ne!(key("z9hG4bKa", "bc", "X"), key("z9hG4bKab", "c", "X"));
    }

    #[test]
    fn a_branch_of_earlier_days_is_told() {
        for branch in ["", "1", "z9hG4bK", "xz9hG4bKabc", "z9hG4b\u{fc}"] {
            assert_eq!(ServerKey::new(branch, "h", "INVITE"), None, "{branch}");
        }
        let of = Earlier { request_uri: "sip:a@b", from_tag: "1", call_id: "c", cseq: 7, via: "SIP/2.0/UDP h" };
        assert_eq!(ServerKey::earlier("INVITE", &of), ServerKey::earlier("ACK", &of));
        assert_ne!(ServerKey::earlier("INVITE", &of), ServerKey::earlier("INVITE", &Earlier { cseq: 8, ..of }));
    }
}
