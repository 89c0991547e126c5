//! A message as it comes to the Web Push service (RFC 8030, section 5).

use aws_lc_rs::error::Unspecified;
use serde_json::Value;

use super::{Message, encryption::Keys, notification, refused::Refused, vapid};

/// What a service must take (RFC 8030, section 7.2), and most take no more.
const LONGEST_BODY: usize = 4096;
/// A service keeps no message for longer; it says so in its answer's `TTL`.
const LONGEST_TTL_S: u64 = 28 * 24 * 60 * 60;
/// RFC 8030, section 5.4.
const LONGEST_TOPIC: usize = 32;

/// The headers that matter, and the body.
#[derive(Clone, Debug, Default)]
pub(crate) struct Request<'a> {
    pub(crate) authorization: Option<&'a str>,
    pub(crate) ttl: Option<&'a str>,
    pub(crate) urgency: Option<&'a str>,
    pub(crate) topic: Option<&'a str>,
    pub(crate) content_encoding: Option<&'a str>,
    pub(crate) body: &'a [u8],
}

impl Request<'_> {
    /// Returns the message, and the key of the application server that sends it.
    ///
    /// What only the phone can find wrong, such as a body that was encrypted for somebody else, is no reason to refuse.
    pub(crate) fn check(&self, keys: &Keys, origin: &str, now_ms: u64) -> Result<(Message, Vec<u8>), Refused> {
        if self.body.len() > LONGEST_BODY {
            return Err(Refused::new(413, "the body is longer than 4096 bytes"));
        }
        let server = vapid::check(self.authorization, origin, now_ms / 1000)?;
        let ttl_s = self.ttl.ok_or(Refused::bad("the TTL header is missing"))?;
        let ttl_s: u64 = ttl_s.parse().map_err(|_| Refused::bad("TTL is not a number of seconds"))?;
        if self.urgency.is_some_and(|word| !["very-low", "low", "normal", "high"].contains(&word)) {
            return Err(Refused::bad("Urgency is none of very-low, low, normal, high"));
        }
        if self.topic.is_some_and(|topic| !is_topic(topic)) {
            return Err(Refused::bad("Topic is not up to 32 characters of base64url"));
        }
        if !self.body.is_empty() && self.content_encoding != Some("aes128gcm") {
            return Err(Refused::bad("Content-Encoding is not aes128gcm"));
        }
        let payload = keys.decrypt(self.body).and_then(|text| serde_json::from_slice(&text).map_err(|_| Unspecified));
        let message = Message {
            content: payload.map(|payload: Value| notification::declarative(payload)).unwrap_or_default(),
            urgency: self.urgency.map(str::to_owned),
            ttl_s: ttl_s.min(LONGEST_TTL_S),
            topic: self.topic.map(str::to_owned),
        };
        Ok((message, server))
    }
}

fn is_topic(topic: &str) -> bool {
    (1..=LONGEST_TOPIC).contains(&topic.len())
        && topic.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}
