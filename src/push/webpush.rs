//! Web Push: a message encrypted for one browser (`ece`, RFC 8291), signed by us (RFC 8292), left with its push service
//! (RFC 8030).
//!
//! The only file that names the `web_push` crate, which signs. The crate's own audience has no port, its own subject is
//! somebody else's, and it keeps no signature: all of that is seen to here.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use aws_lc_rs::digest;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use url::Url;
use web_push::{PartialVapidSignatureBuilder, SubscriptionInfo, Urgency, VapidSignatureBuilder, WebPushError};

use super::{
    ece::{self, Unsealed},
    endpoint::AllowList,
    failure::{Failure, Scope, Undelivered},
    http::{Answer, Http, Lost, Post},
    payload::{self, Message},
    providers::patience,
    vapid::VapidKey,
};
use crate::{clock::Clock, config::Subject, domain::Timestamp};

/// How long a signature holds; push services take none of more than a day (RFC 8292 §2).
const SIGNED_FOR: Duration = Duration::from_secs(12 * 3600);
/// When another is made: well before the old one ends, for clocks that differ and messages that are on their way.
const RENEWED_AFTER: Duration = Duration::from_secs(6 * 3600);
/// Audiences whose signature is kept. There are a handful of push services; the bound is for whoever makes names up under
/// a wildcard.
const SIGNATURES: usize = 256;
/// The longest topic (RFC 8030 §5.4).
const TOPIC: usize = 32;

/// A browser's subscription, checked.
#[derive(Clone, Copy)]
pub(super) struct Subscription<'a> {
    pub(super) endpoint: &'a str,
    pub(super) p256dh: &'a str,
    pub(super) auth: &'a str,
}

pub(super) struct WebPush {
    http: Http,
    allowed: AllowList,
    signer: Signer,
    clock: Clock,
}

impl WebPush {
    /// # Errors
    /// The key is none that the crate understands.
    pub(super) fn new(
        http: Http,
        allowed: AllowList,
        key: &VapidKey,
        subject: Subject,
        clock: Clock,
    ) -> Result<Self, WebPushError> {
        Ok(Self { http, allowed, signer: Signer::new(key, subject)?, clock })
    }

    /// Answers with the push service's status.
    pub(super) async fn send(&self, to: Subscription<'_>, message: &Message) -> Result<u16, Undelivered> {
        // The list may have been changed since the device was registered.
        let url = self.allowed.check(to.endpoint).map_err(|_| Failure::Refused { reason: "not_allowed" })?;
        let now = self.clock.now();
        let signature = self.signer.signature(&url, now).map_err(|_| Failure::busy("signature"))?;
        let body = ece::encrypt(to.p256dh, to.auth, &payload::declarative(message)).map_err(refused)?;
        let headers = Terms::of(message, now).headers(&signature);
        let post = Post { patience: patience(message, now), ..Post::new(&url, headers, body) };
        let answer = match self.http.post(post, now).await {
            Ok(answer) => answer,
            Err(lost) => return Err(unanswered(lost).into()),
        };
        verdict(&answer).map(|()| answer.status).map_err(|failure| Undelivered::answered(failure, answer.status))
    }
}

const fn refused(unsealed: Unsealed) -> Failure {
    match unsealed {
        Unsealed::TooLarge => Failure::Refused { reason: "too_large" },
        Unsealed::BadKeys => Failure::Refused { reason: "bad_keys" },
    }
}

/// What a push service is told of a message that it cannot read.
struct Terms {
    ttl: u32,
    urgency: Urgency,
    topic: String,
}

impl Terms {
    fn of(message: &Message, now: Timestamp) -> Self {
        Self {
            ttl: message.seconds_left(now).try_into().unwrap_or(u32::MAX),
            urgency: if message.urgent { Urgency::High } else { Urgency::Normal },
            topic: topic(message.tag()),
        }
    }

    fn headers(self, signature: &str) -> Vec<(&'static str, String)> {
        vec![
            ("ttl", self.ttl.to_string()),
            ("urgency", self.urgency.to_string()),
            ("topic", self.topic),
            ("content-encoding", "aes128gcm".to_owned()),
            ("content-type", "application/octet-stream".to_owned()),
            ("authorization", signature.to_owned()),
        ]
    }
}

/// What a device would replace when it comes, the push service replaces while it waits. The hash tells it nothing.
fn topic(tag: &str) -> String {
    let mut topic = URL_SAFE_NO_PAD.encode(digest::digest(&digest::SHA256, tag.as_bytes()));
    topic.truncate(TOPIC);
    topic
}

/// Signs for push services.
struct Signer {
    key: PartialVapidSignatureBuilder,
    subject: Subject,
    signatures: Mutex<HashMap<String, Signed>>,
}

struct Signed {
    /// As it stands in a request's `Authorization`.
    signature: Arc<str>,
    renewed_at: Timestamp,
}

impl Signer {
    fn new(key: &VapidKey, subject: Subject) -> Result<Self, WebPushError> {
        let key = VapidSignatureBuilder::from_pem_no_sub(key.pem().as_bytes())?;
        Ok(Self { key, subject, signatures: Mutex::default() })
    }

    /// The signature for the push service, made anew when it is half as old as it may get.
    fn signature(&self, url: &Url, now: Timestamp) -> Result<Arc<str>, WebPushError> {
        let audience = url.origin().ascii_serialization();
        let mut signatures = self.signatures.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(signed) = signatures.get(&audience).filter(|signed| now < signed.renewed_at) {
            return Ok(signed.signature.clone());
        }
        let subscription = SubscriptionInfo::new(url.as_str(), "", "");
        let mut builder = self.key.clone().add_sub_info(&subscription);
        builder.add_claim("aud", audience.as_str());
        builder.add_claim("sub", self.subject.as_str());
        builder.add_claim("exp", (now + SIGNED_FOR).as_secs());
        let made = builder.build()?;
        let signature: Arc<str> = format!("vapid t={}, k={}", made.auth_t, URL_SAFE_NO_PAD.encode(&made.auth_k)).into();
        if signatures.len() >= SIGNATURES {
            signatures.clear();
        }
        let signed = Signed { signature: signature.clone(), renewed_at: now + RENEWED_AFTER };
        signatures.insert(audience, signed);
        Ok(signature)
    }
}

const fn unanswered(lost: Lost) -> Failure {
    match lost {
        Lost::NotPublic => Failure::Refused { reason: lost.reason() },
        _ => Failure::later(lost.reason()),
    }
}

/// RFC 8030 §5 and §7.3; a push service may take a message with any 2xx.
fn verdict(answer: &Answer) -> Result<(), Failure> {
    let later = |reason| Err(Failure::Later { reason, retry_after: answer.retry_after, scope: Scope::Service });
    match answer.status {
        200..300 => Ok(()),
        404 => Err(Failure::Gone { reason: "not_found" }),
        410 => Err(Failure::Gone { reason: "gone" }),
        429 => later("throttled"),
        408 | 500.. => later("unavailable"),
        413 => Err(Failure::Refused { reason: "too_large" }),
        // The subscription was made with another key, or the push service does not like our signature.
        401 | 403 => Err(Failure::Refused { reason: "unauthorized" }),
        _ => Err(Failure::Refused { reason: "refused" }),
    }
}

#[cfg(test)]
mod tests;
