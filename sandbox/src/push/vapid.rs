//! Voluntary Application Server Identification (RFC 8292).

use aws_lc_rs::signature::ECDSA_P256_SHA256_FIXED;
use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};

use super::{
    jwt::{self, Jwt},
    refused::Refused,
};

/// A token may not be valid for longer (RFC 8292, section 2).
const LONGEST_S: u64 = 24 * 60 * 60;

/// Checks an `Authorization: vapid t=…, k=…`; returns the application server's public key.
///
/// `origin` is the service's own, with its port.
pub(super) fn check(authorization: Option<&str>, origin: &str, now_s: u64) -> Result<Vec<u8>, Refused> {
    let header = authorization.ok_or(Refused::unauthorized("the Authorization header is missing"))?;
    let (token, key) = credentials(header).ok_or(Refused::unauthorized("not the vapid scheme with t and k"))?;
    let key = BASE64_URL_SAFE_NO_PAD.decode(key).map_err(|_| Refused::unauthorized("k is not base64url"))?;
    let jwt = Jwt::parse(token).ok_or(Refused::unauthorized("t is not a token"))?;
    let claims = jwt
        .verified("ES256", &ECDSA_P256_SHA256_FIXED, &key)
        .ok_or(Refused::unauthorized("t is not signed with k by ES256"))?;
    if jwt::text(&claims, "aud") != origin {
        return Err(Refused::unauthorized("aud is not this service's origin"));
    }
    let exp = jwt::seconds(&claims, "exp").ok_or(Refused::unauthorized("exp is missing"))?;
    if exp <= now_s {
        return Err(Refused::unauthorized("exp is past"));
    }
    if exp > now_s.saturating_add(LONGEST_S) {
        return Err(Refused::unauthorized("exp is more than 24 hours ahead"));
    }
    let sub = jwt::text(&claims, "sub");
    let contact = ["mailto:", "https:"].iter().find_map(|scheme| sub.strip_prefix(scheme));
    match contact {
        Some(rest) if !rest.is_empty() => Ok(key),
        _ => Err(Refused::unauthorized("sub is neither mailto: nor https:")),
    }
}

/// `t` and `k`, in any order.
fn credentials(header: &str) -> Option<(&str, &str)> {
    let (scheme, parameters) = header.split_once(' ')?;
    let find = |name: &str| {
        let mut pairs = parameters.split(',').filter_map(|pair| pair.trim().split_once('='));
        pairs.find(|(known, _)| *known == name).map(|(_, value)| value.trim_matches('"'))
    };
    scheme.eq_ignore_ascii_case("vapid").then_some(())?;
    Some((find("t")?, find("k")?))
}
