//! Access tokens for a signed request (RFC 7523;
//! <https://developers.google.com/identity/protocols/oauth2/service-account#authorizingrequests>).

use std::collections::VecDeque;

use aws_lc_rs::{error::Unspecified, signature::RSA_PKCS1_2048_8192_SHA256};
use serde_json::{Value, json};

use super::ServiceAccount;
use crate::push::{
    jwt::{self, Jwt},
    unguessable,
};

const GRANT: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";
const SCOPES: [&str; 2] =
    ["https://www.googleapis.com/auth/firebase.messaging", "https://www.googleapis.com/auth/cloud-platform"];
/// A request may not be valid for longer.
const LONGEST_S: u64 = 3600;
/// What a clock may be ahead of ours.
const SKEW_S: u64 = 300;
/// Google's tokens are valid for an hour, and are said to be valid for a second less.
const LIFETIME_S: u64 = 3599;
/// Protects memory: the oldest are forgotten, as if they had expired.
const KEPT: usize = 256;

/// The tokens that are valid, and until when, in milliseconds.
#[derive(Default)]
pub(crate) struct AccessTokens(VecDeque<(String, u64)>);

impl AccessTokens {
    pub(crate) fn issue(&mut self, now_ms: u64) -> Result<Value, Unspecified> {
        let token = format!("ya29.{}", unguessable()?);
        if self.0.len() == KEPT {
            self.0.pop_front();
        }
        self.0.push_back((token.clone(), now_ms + LIFETIME_S * 1000));
        Ok(json!({ "access_token": token, "expires_in": LIFETIME_S, "token_type": "Bearer" }))
    }

    /// Whether an `Authorization` bears a token that is valid.
    pub(crate) fn admit(&self, authorization: Option<&str>, now_ms: u64) -> bool {
        let token = authorization.and_then(|header| header.strip_prefix("Bearer "));
        token.is_some_and(|token| self.0.iter().any(|(known, until)| known == token && *until > now_ms))
    }

    /// None is valid any more.
    pub(crate) fn revoke(&mut self) {
        self.0.clear();
    }
}

/// The form that is posted to the token endpoint.
pub(crate) struct TokenRequest<'a> {
    pub(crate) grant_type: Option<&'a str>,
    pub(crate) assertion: Option<&'a str>,
}

impl TokenRequest<'_> {
    /// An error has the form of RFC 6749, section 5.2.
    pub(crate) fn check(&self, account: &ServiceAccount, now_ms: u64) -> Result<(), Value> {
        let invalid = |why: &str| json!({ "error": "invalid_grant", "error_description": why });
        if self.grant_type != Some(GRANT) {
            let error = json!({ "error": "unsupported_grant_type", "error_description": "Invalid grant_type" });
            return Err(error);
        }
        let claims = self
            .assertion
            .and_then(Jwt::parse)
            .and_then(|jwt| jwt.verified("RS256", &RSA_PKCS1_2048_8192_SHA256, account.public_key()))
            .ok_or_else(|| invalid("Invalid JWT Signature."))?;
        if jwt::text(&claims, "iss") != ServiceAccount::email() {
            return Err(invalid("Invalid grant: account not found"));
        }
        if jwt::text(&claims, "aud") != account.token_uri() {
            return Err(invalid("Invalid JWT: Failed audience check."));
        }
        if !is_in_time(&claims, now_ms / 1000) {
            let why = "Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe.";
            return Err(invalid(why));
        }
        if !jwt::text(&claims, "scope").split(' ').any(|scope| SCOPES.contains(&scope)) {
            let error = json!({ "error": "invalid_scope", "error_description": "Invalid OAuth scope provided." });
            return Err(error);
        }
        Ok(())
    }
}

fn is_in_time(claims: &Value, now_s: u64) -> bool {
    let (Some(iat), Some(exp)) = (jwt::seconds(claims, "iat"), jwt::seconds(claims, "exp")) else { return false };
    iat <= now_s + SKEW_S && exp > now_s && exp > iat && exp - iat <= LONGEST_S
}
