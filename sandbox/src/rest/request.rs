//! A request as the pure side sees it, and its answer.

use std::sync::Arc;

use serde_json::Value;

use super::error::Refusal;

#[derive(Clone, Debug, Default)]
pub(crate) struct Request {
    /// `GET`, `POST` or `DELETE`.
    pub(crate) method: String,
    /// Without the product's prefix.
    pub(crate) path: String,
    pub(crate) query: Params,
    pub(crate) form: Params,
    pub(crate) if_match: Option<String>,
    /// `X-Twilio-Webhook-Enabled`: a write is told to Conversations' webhooks, too.
    pub(crate) webhooks_enabled: bool,
    /// A body that is no form.
    pub(crate) upload: Option<Upload>,
    /// The product's, if the path had one.
    pub(crate) prefix: &'static str,
    /// Scheme, host and the product's prefix: what links begin with.
    pub(crate) base: String,
}

/// A file.
#[derive(Clone, Debug)]
pub(crate) struct Upload {
    pub(crate) content_type: String,
    pub(crate) bytes: Arc<[u8]>,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) etag: Option<String>,
    pub(crate) retry_after_s: Option<u32>,
    /// None: no content.
    pub(crate) body: Option<Value>,
}

impl Answer {
    pub(crate) fn ok(body: Value) -> Self {
        Self { status: 200, etag: None, retry_after_s: None, body: Some(body) }
    }

    pub(crate) fn created(body: Value) -> Self {
        Self { status: 201, ..Self::ok(body) }
    }

    pub(crate) const fn no_content() -> Self {
        Self { status: 204, etag: None, retry_after_s: None, body: None }
    }

    /// The version of what is answered: an opaque text in quotes (RFC 9110, section 8.8.3).
    pub(crate) fn version(mut self, version: u64) -> Self {
        self.etag = Some(format!("\"{version}\""));
        self
    }
}

impl From<Refusal> for Answer {
    fn from(refusal: Refusal) -> Self {
        Self { status: refusal.status, etag: None, retry_after_s: refusal.retry_after_s, body: Some(refusal.body()) }
    }
}

/// Names and values in the order in which they came: a query or a form.
#[derive(Clone, Debug, Default)]
pub(crate) struct Params(pub(crate) Vec<(String, String)>);

impl Params {
    pub(crate) fn parse(encoded: &[u8]) -> Self {
        Self(form_urlencoded::parse(encoded).into_owned().collect())
    }

    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// A value that is there and not empty.
    pub(crate) fn text(&self, name: &str) -> Option<String> {
        self.get(name).filter(|value| !value.is_empty()).map(str::to_owned)
    }

    pub(crate) fn required(&self, name: &str) -> Result<String, Refusal> {
        self.text(name).ok_or_else(|| Refusal::invalid(format!("Missing required parameter {name} in the post body")))
    }

    pub(crate) fn flag(&self, name: &str) -> Result<Option<bool>, Refusal> {
        match self.get(name) {
            None => Ok(None),
            Some("true" | "True" | "TRUE" | "1") => Ok(Some(true)),
            Some("false" | "False" | "FALSE" | "0") => Ok(Some(false)),
            Some(_) => Err(Refusal::invalid(format!("Invalid {name}: it must be true or false"))),
        }
    }

    pub(crate) fn number(&self, name: &str) -> Result<Option<u64>, Refusal> {
        let parse =
            |value: &str| value.parse().map_err(|_| Refusal::invalid(format!("Invalid {name}: it must be a number")));
        self.get(name).map(parse).transpose()
    }

    /// A value that one of Twilio's words must be.
    pub(crate) fn word<T>(&self, name: &str, parse: impl Fn(&str) -> Option<T>) -> Result<Option<T>, Refusal> {
        let known = |value: &str| parse(value).ok_or_else(|| Refusal::invalid(format!("Invalid {name}: {value}")));
        self.get(name).map(known).transpose()
    }

    /// The values of a repeated parameter, each of which may hold several, split by blanks or commas.
    pub(crate) fn words(&self, name: &str) -> Vec<String> {
        let values = self.0.iter().filter(|(known, _)| known == name);
        values
            .flat_map(|(_, value)| value.split([' ', ',']))
            .filter(|word| !word.is_empty())
            .map(str::to_owned)
            .collect()
    }

    /// A JSON object, as it was written.
    pub(crate) fn json_object(&self, name: &str) -> Result<Option<String>, Refusal> {
        let Some(text) = self.get(name) else { return Ok(None) };
        let object = serde_json::from_str::<Value>(text).is_ok_and(|value| value.is_object());
        if object {
            Ok(Some(text.to_owned()))
        } else {
            Err(Refusal::invalid(format!("Invalid {name}: it must be a JSON object")))
        }
    }

    pub(crate) fn encode(&self) -> String {
        form_urlencoded::Serializer::new(String::new()).extend_pairs(&self.0).finish()
    }
}
