//! One request, described.

use bytes::Bytes;
use url::Url;

use super::settings::Product;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verb {
    Get,
    /// Every change at Twilio is one, updates included.
    Post,
    Delete,
}

/// What to ask, of whom. `operation` is Twilio's own name for it, and its label in the metrics.
#[derive(Clone)]
pub(in crate::twilio) struct Call {
    pub(super) verb: Verb,
    pub(super) product: Product,
    pub(super) operation: &'static str,
    pub(super) url: Url,
    pub(super) body: Body,
    /// Whether Conversations is to raise the account's webhooks over it, as it does over what an SDK does.
    pub(super) raises_webhooks: bool,
}

#[derive(Clone)]
pub(super) enum Body {
    /// Of a GET or a DELETE.
    Nothing,
    Form(Vec<(&'static str, String)>),
    /// A file as it is. The type holds only visible ASCII.
    File {
        content_type: String,
        bytes: Bytes,
    },
}

impl Call {
    /// `path` are the segments after the product's base URL; what means something in a URL is escaped.
    pub(super) fn new(verb: Verb, product: Product, operation: &'static str, base: &Url, path: &[&str]) -> Self {
        let mut url = base.clone();
        // Only a URL that cannot be a base has no segments, and settings with such a one are refused.
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(path);
        }
        let body = match verb {
            Verb::Get | Verb::Delete => Body::Nothing,
            Verb::Post => Body::Form(Vec::new()),
        };
        Self { verb, product, operation, url, body, raises_webhooks: false }
    }

    /// The same question to another URL: the next page of a list.
    pub(super) fn at(&self, url: Url) -> Self {
        Self { url, ..self.clone() }
    }

    /// Makes a POST one of a file instead of a form. A type that is none is that of any bytes (RFC 2046 §4.5.1).
    pub(in crate::twilio) fn of_file(self, content_type: &str, bytes: Bytes) -> Self {
        let plain = content_type.contains('/') && content_type.bytes().all(|byte| matches!(byte, b' '..=b'~'));
        let content_type = if plain { content_type } else { "application/octet-stream" }.to_owned();
        Self { body: Body::File { content_type, bytes }, ..self }
    }

    /// Has Conversations raise webhooks over a write
    /// (<https://www.twilio.com/docs/conversations/conversations-webhooks#triggering-webhooks-for-rest-api-events>): without
    /// it the account's archives, bots and hooks would miss what agents do through us.
    pub(in crate::twilio) fn raising_webhooks(self) -> Self {
        Self { raises_webhooks: true, ..self }
    }

    /// Adds a parameter: to the form of a POST, to the query where there is no form. A repeated name makes an array.
    pub(in crate::twilio) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        let value = value.into();
        match &mut self.body {
            Body::Form(fields) => fields.push((name, value)),
            Body::Nothing | Body::File { .. } => {
                self.url.query_pairs_mut().append_pair(name, &value);
            }
        }
        self
    }

    /// [`Call::with`], if there is a value.
    pub(in crate::twilio) fn with_some(self, name: &'static str, value: Option<impl Into<String>>) -> Self {
        match value {
            Some(value) => self.with(name, value),
            None => self,
        }
    }

    /// [`Call::with`] for each value.
    pub(in crate::twilio) fn with_each(self, name: &'static str, values: &[&str]) -> Self {
        values.iter().fold(self, |call, value| call.with(name, *value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_base_keeps_its_path_and_loses_its_slash() {
        for base in ["http://127.0.0.1:1/twilio", "http://127.0.0.1:1/twilio/"] {
            let base = base.parse().unwrap();
            let call = Call::new(Verb::Get, Product::Taskrouter, "x", &base, &["v1", "a/b"]).with("Name", "user-+1 ö");
            assert_eq!(call.url.as_str(), "http://127.0.0.1:1/twilio/v1/a%2Fb?Name=user-%2B1+%C3%B6");
        }
    }
}
