//! Whether a device can be pushed to at all: asked when it is registered.

use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, ParsedPublicKey};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

use super::endpoint::{AllowList, EndpointError};
use crate::domain::PushTarget;

/// The longest registration token that is taken; real ones have some 160 characters.
const MAX_TOKEN: usize = 2048;
/// The bytes of `auth` (RFC 8291 §3.2).
const AUTH: usize = 16;

/// Why a device cannot be pushed to. It repeats nothing of what it was given.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TargetError {
    #[error(transparent)]
    Endpoint(#[from] EndpointError),
    #[error("p256dh is no uncompressed point of P-256 in base64url")]
    P256dh,
    #[error("auth is not 16 bytes in base64url")]
    Auth,
    #[error("the token is no registration token of Firebase Cloud Messaging")]
    Token,
    #[error("Firebase Cloud Messaging is not configured")]
    FcmOff,
}

/// The target in the form that it is kept in.
pub(super) fn check(target: &PushTarget, allowed: &AllowList, fcm: bool) -> Result<PushTarget, TargetError> {
    match target {
        PushTarget::WebPush { endpoint, p256dh, auth } => {
            let endpoint = allowed.check(endpoint)?.into();
            let point = decoded(p256dh).filter(|point| is_point(point)).ok_or(TargetError::P256dh)?;
            let secret = decoded(auth).filter(|secret| secret.len() == AUTH).ok_or(TargetError::Auth)?;
            let (p256dh, auth) = (URL_SAFE_NO_PAD.encode(point), URL_SAFE_NO_PAD.encode(secret));
            Ok(PushTarget::WebPush { endpoint, p256dh, auth })
        }
        PushTarget::Fcm { .. } if !fcm => Err(TargetError::FcmOff),
        PushTarget::Fcm { token, .. } => {
            let good = (1..=MAX_TOKEN).contains(&token.len()) && token.bytes().all(|byte| byte.is_ascii_graphic());
            if good { Ok(target.clone()) } else { Err(TargetError::Token) }
        }
    }
}

/// Browsers give base64url without padding; others have passed it through libraries that pad, or that know the other
/// alphabet only.
fn decoded(text: &str) -> Option<Vec<u8>> {
    let plain = text.trim_end_matches('=').replace('+', "-").replace('/', "_");
    URL_SAFE_NO_PAD.decode(plain).ok()
}

fn is_point(bytes: &[u8]) -> bool {
    bytes.len() == 65 && bytes[0] == 4 && ParsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, bytes).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ENDPOINT: &str = "https://updates.push.services.mozilla.com/wpush/v2/x";
    /// The example of RFC 8291 §5.
    const P256DH: &str = "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4";
    const AUTH_SECRET: &str = "BTBZMqHH6r4Tts7J_aSIgg";

    fn subscription(endpoint: &str, p256dh: &str, auth: &str) -> PushTarget {
        PushTarget::WebPush { endpoint: endpoint.into(), p256dh: p256dh.into(), auth: auth.into() }
    }

    fn fcm(token: &str) -> PushTarget {
        PushTarget::Fcm { token: token.into(), is_fid: false }
    }

    fn checked(target: &PushTarget) -> Result<PushTarget, TargetError> {
        let allowed = AllowList::new(vec!["*.push.services.mozilla.com".parse().unwrap()]);
        check(target, &allowed, true)
    }

    #[test]
    fn a_subscription_is_kept_without_padding_and_in_one_alphabet() {
        let plain = subscription(ENDPOINT, P256DH, AUTH_SECRET);
        assert_eq!(checked(&plain).unwrap(), plain);
        let other = |text: &str| format!("{}==", text.replace('-', "+").replace('_', "/"));
        assert_eq!(checked(&subscription(ENDPOINT, &other(P256DH), &other(AUTH_SECRET))).unwrap(), plain);
    }

    #[test]
    fn keys_that_nothing_can_be_encrypted_with_are_refused() {
        let point = URL_SAFE_NO_PAD.decode(P256DH).unwrap();
        let compressed = URL_SAFE_NO_PAD.encode([&[2], &point[1..33]].concat());
        let short = URL_SAFE_NO_PAD.encode(&point[..64]);
        let off_the_curve = URL_SAFE_NO_PAD.encode([&point[..64], &[point[64] ^ 1]].concat());
        let hybrid = URL_SAFE_NO_PAD.encode([&[6], &point[1..]].concat());
        for bad in ["", "no base64!", &compressed, &short, &off_the_curve, &hybrid] {
            assert_eq!(checked(&subscription(ENDPOINT, bad, AUTH_SECRET)), Err(TargetError::P256dh), "{bad}");
        }
        for bad in ["", "BTBZMqHH6r4Tts7J_aSI", "BTBZMqHH6r4Tts7J_aSIggAA", "ü"] {
            assert_eq!(checked(&subscription(ENDPOINT, P256DH, bad)), Err(TargetError::Auth), "{bad}");
        }
    }

    #[test]
    fn an_endpoint_elsewhere_is_refused() {
        let elsewhere = subscription("https://example.com/x", P256DH, AUTH_SECRET);
        assert_eq!(checked(&elsewhere), Err(TargetError::Endpoint(EndpointError::Host)));
    }

    #[test]
    fn a_token_is_printable_and_not_endless_and_of_no_use_where_fcm_is_off() {
        assert!(checked(&fcm("cX1:APA91b-_x")).is_ok());
        for bad in ["", "two words", "line\nbreak", "tökén", &"x".repeat(MAX_TOKEN + 1)] {
            assert_eq!(checked(&fcm(bad)), Err(TargetError::Token), "{bad}");
        }
        assert_eq!(check(&fcm("x"), &AllowList::new(Vec::new()), false), Err(TargetError::FcmOff));
    }
}
