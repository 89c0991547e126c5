//! Twilio's two ways of writing a moment: ISO 8601 in the newer APIs, RFC 2822 in 2010-04-01.

use jiff::Timestamp;

fn timestamp(ms: u64) -> Timestamp {
    i64::try_from(ms).ok().and_then(|ms| Timestamp::from_millisecond(ms).ok()).unwrap_or(Timestamp::UNIX_EPOCH)
}

pub(crate) fn iso8601(ms: u64) -> String {
    timestamp(ms).strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// With milliseconds, as Conversations and Event Streams write it.
pub(crate) fn iso8601_ms(ms: u64) -> String {
    timestamp(ms).strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string()
}

pub(crate) fn rfc2822(ms: u64) -> String {
    timestamp(ms).strftime("%a, %d %b %Y %H:%M:%S +0000").to_string()
}

/// As HTTP's headers have it (RFC 9110 §5.6.7).
pub(crate) fn http_date(ms: u64) -> String {
    timestamp(ms).strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

pub(crate) fn parse_iso8601(text: &str) -> Option<u64> {
    text.parse::<Timestamp>().ok().and_then(|at| u64::try_from(at.as_millisecond()).ok())
}
