//! Is a webhook from Twilio? Checks `X-Twilio-Signature`
//! (<https://www.twilio.com/docs/usage/security#validating-requests>).
//!
//! What was signed is rebuilt from the configured public URL and the target of the request as it came, never from `Host`
//! or a forwarding header: those are the sender's to choose.

use aws_lc_rs::{constant_time, digest, hmac};
use base64::{Engine, prelude::BASE64_STANDARD};
use secrecy::{ExposeSecret, SecretString};
use url::{Position, Url};

use super::form::Form;

/// The header that holds the signature.
pub const SIGNATURE: &str = "x-twilio-signature";
/// The header that says that something else than the auth token signed. It is not understood, so its requests are refused.
pub const SIGNATURE_SETTINGS: &str = "x-twilio-webhooks-signature-settings";

const SHA1_LEN: usize = 20;

/// Why a request is not taken for Twilio's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    #[error("the request is not signed")]
    Missing,
    #[error("the signature is no base64 of 20 bytes")]
    Malformed,
    #[error("the signature does not fit the request")]
    Wrong,
    #[error("the body does not fit the bodySHA256 of the URL, or the URL has none")]
    BodyHash,
    #[error("the request says that it was signed in a way that is not known here")]
    UnknownSettings,
}

impl SignatureError {
    /// The `reason` of `offdesk_webhooks_rejected_total`.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Missing => "missing_signature",
            Self::Malformed => "malformed_signature",
            Self::Wrong => "bad_signature",
            Self::BodyHash => "body_hash",
            Self::UnknownSettings => "unknown_settings",
        }
    }
}

/// What of a request is signed, as it came in.
pub struct Signed<'a> {
    /// The request's target: path and query, not decoded.
    pub target: &'a str,
    /// The value of [`SIGNATURE`].
    pub signature: Option<&'a str>,
    /// Whether [`SIGNATURE_SETTINGS`] is there, whatever it says.
    pub has_settings: bool,
    pub body: Body<'a>,
}

/// The body, by its content type.
pub enum Body<'a> {
    /// Nothing, as in a GET.
    Empty,
    Form(&'a Form<'a>),
    /// JSON, or anything else that is no form: the URL must bear its hash.
    Raw(&'a [u8]),
}

/// Checks signatures. The keys are prepared once; a check costs one HMAC-SHA1 over URL and fields when it holds.
pub struct Validator {
    keys: Vec<hmac::Key>,
    bases: Vec<String>,
}

impl Validator {
    /// Twilio signs with the primary auth token. During a rotation the other one is accepted too, since promoting it
    /// makes it the primary one at once.
    ///
    /// `public_url` is what Twilio was given, with the path in front of ours, if there is one; query and fragment of it
    /// say nothing.
    pub fn new(public_url: &Url, primary: &SecretString, secondary: Option<&SecretString>) -> Self {
        let key = |token: &SecretString| {
            hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, token.expose_secret().as_bytes())
        };
        Self { keys: [Some(primary), secondary].into_iter().flatten().map(key).collect(), bases: bases(public_url) }
    }

    /// # Errors
    /// Each way in which a request is not Twilio's; none of them depends on secrets in its timing.
    pub fn check(&self, request: &Signed<'_>) -> Result<(), SignatureError> {
        if request.has_settings {
            return Err(SignatureError::UnknownSettings);
        }
        let given = decode(request.signature.ok_or(SignatureError::Missing)?)?;
        // A target in absolute form would let the sender choose the host after all.
        if !request.target.starts_with('/') || !self.is_ours(&signed_text(request), &given) {
            return Err(SignatureError::Wrong);
        }
        match request.body {
            Body::Raw(body) => check_hash(request.target, body),
            Body::Empty | Body::Form(_) => Ok(()),
        }
    }

    fn is_ours(&self, text: &str, given: &[u8; SHA1_LEN]) -> bool {
        self.keys.iter().any(|key| {
            self.bases.iter().any(|base| {
                let mut context = hmac::Context::with_key(key);
                context.update(base.as_bytes());
                context.update(text.as_bytes());
                constant_time::verify_slices_are_equal(context.sign().as_ref(), given).is_ok()
            })
        })
    }
}

/// The public URL without a slash at its end, as it is and with its port added or left out: Twilio's own libraries
/// accept all of these, since what Twilio signs has differed in this.
fn bases(public_url: &Url) -> Vec<String> {
    let before = &public_url[..Position::BeforeHost];
    let host = public_url.host_str().unwrap_or_default();
    let path = public_url.path().trim_end_matches('/');
    let bare = format!("{before}{host}{path}");
    let Some(port) = public_url.port_or_known_default() else { return vec![bare] };
    let full = format!("{before}{host}:{port}{path}");
    if public_url.port().is_some() { vec![full, bare] } else { vec![bare, full] }
}

/// What follows the base: the target, and of a form each name with each of its distinct values, both in byte order.
fn signed_text(request: &Signed<'_>) -> String {
    let Body::Form(form) = request.body else { return request.target.to_owned() };
    let mut fields: Vec<(&str, &str)> = form.iter().collect();
    fields.sort_unstable();
    fields.dedup();
    let length = fields.iter().map(|(name, value)| name.len() + value.len()).sum::<usize>();
    let mut text = String::with_capacity(request.target.len() + length);
    text.push_str(request.target);
    for (name, value) in fields {
        text.push_str(name);
        text.push_str(value);
    }
    text
}

fn decode(signature: &str) -> Result<[u8; SHA1_LEN], SignatureError> {
    // The engine wants room for whole groups of three bytes.
    let mut buffer = [0; SHA1_LEN + 1];
    let length = BASE64_STANDARD.decode_slice(signature, &mut buffer).map_err(|_| SignatureError::Malformed)?;
    buffer[..length].try_into().map_err(|_| SignatureError::Malformed)
}

fn check_hash(target: &str, body: &[u8]) -> Result<(), SignatureError> {
    let query = target.split_once('?').map_or("", |(_, query)| query);
    let claimed = form_urlencoded::parse(query.as_bytes())
        .find(|(name, _)| name == "bodySHA256")
        .ok_or(SignatureError::BodyHash)?
        .1;
    let actual = hex(digest::digest(&digest::SHA256, body).as_ref());
    constant_time::verify_slices_are_equal(actual.as_bytes(), claimed.as_bytes()).map_err(|_| SignatureError::BodyHash)
}

fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]).map(|digit| char::from(DIGITS[usize::from(digit)])).collect()
}

#[cfg(test)]
mod tests;
