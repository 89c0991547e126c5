//! Signed tokens in compact form (RFC 7515, RFC 7519), as far as the push services need them.

use aws_lc_rs::signature::{UnparsedPublicKey, VerificationAlgorithm};
use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use serde_json::Value;

/// A token that is taken apart; its signature is not checked yet.
pub(super) struct Jwt<'a> {
    header: Value,
    claims: Value,
    signed: &'a str,
    signature: Vec<u8>,
}

impl<'a> Jwt<'a> {
    pub(super) fn parse(token: &'a str) -> Option<Self> {
        let (signed, signature) = token.rsplit_once('.')?;
        let (header, claims) = signed.split_once('.')?;
        let decode = |part: &str| BASE64_URL_SAFE_NO_PAD.decode(part).ok();
        let parse = |part: &str| serde_json::from_slice::<Value>(&decode(part)?).ok().filter(Value::is_object);
        Some(Self { header: parse(header)?, claims: parse(claims)?, signed, signature: decode(signature)? })
    }

    /// The claims, if the token is signed with `key` in the way that is wanted.
    pub(super) fn verified(
        self,
        name: &str,
        algorithm: &'static dyn VerificationAlgorithm,
        key: &[u8],
    ) -> Option<Value> {
        if self.header.get("alg").and_then(Value::as_str) != Some(name) {
            return None;
        }
        UnparsedPublicKey::new(algorithm, key).verify(self.signed.as_bytes(), &self.signature).ok()?;
        Some(self.claims)
    }
}

pub(super) fn text<'a>(claims: &'a Value, name: &str) -> &'a str {
    claims.get(name).and_then(Value::as_str).unwrap_or_default()
}

/// A moment in seconds since the Unix epoch; fractions are cut (RFC 7519, section 2, `NumericDate`).
pub(super) fn seconds(claims: &Value, name: &str) -> Option<u64> {
    let claim = claims.get(name)?;
    claim.as_u64().or_else(|| claim.as_f64().filter(|seconds| *seconds >= 0.0).map(|seconds| seconds as u64))
}
