//! Programs that look for SIP servers to abuse, by the names that they give themselves in User-Agent.

/// In lower case. Whoever gives another name is still met by the same 401 for all users.
const NAMES: [&[u8]; 15] = [
    b"friendly-scanner",
    b"friendly-request",
    b"sipvicious",
    b"sundayddr",
    b"sipscan",
    b"sip-scan",
    b"sipcli",
    b"sipptk",
    b"iwar",
    b"vaxsipuseragent",
    b"pplsip",
    b"smap",
    b"siparmyknife",
    b"sivus",
    b"masscan",
];

/// Whether a User-Agent is a scanner's.
pub fn is_scanner(user_agent: &[u8]) -> bool {
    NAMES.iter().any(|name| user_agent.windows(name.len()).any(|window| window.eq_ignore_ascii_case(name)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scanners_are_known_by_name_in_any_case() {
        assert!(is_scanner(b"friendly-scanner"));
        assert!(is_scanner(b"SIPVicious/0.3.3"));
        assert!(is_scanner(b"sipcli/v1.8"));
    }

    #[test]
    fn softphones_are_not_scanners() {
        for phone in ["baresip v1.0.0 (x86_64/linux)", "Linphone Desktop/5.0", "Z 5.6.1 rv2.10.20", "PJSUA v2.15", ""] {
            assert!(!is_scanner(phone.as_bytes()), "{phone}");
        }
    }
}
