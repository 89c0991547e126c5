//! Firebase Cloud Messaging, HTTP v1
//! (<https://firebase.google.com/docs/reference/fcm/rest/v1/projects.messages/send>).

use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::sync::Semaphore;

use super::{
    failure::{Failure, Scope, Undelivered},
    http::{Answer, Http, Post},
    oauth::Tokens,
    payload::{Message, Recipient, SendRequest, WakeRequest},
    providers::patience,
};
use crate::{clock::Clock, config::BaseUrl, domain::Timestamp};

use url::Url;

/// What Google asks for where it does not say
/// (<https://firebase.google.com/docs/cloud-messaging/scale-fcm#handling-retries>).
const AFTER_429: Duration = Duration::from_secs(60);
/// Until somebody has set Apple's or the browsers' keys right in the Firebase console.
const AFTER_THIRD_PARTY: Failure =
    Failure::Later { reason: "third_party_auth", retry_after: Some(Duration::from_secs(60)), scope: Scope::Device };

/// How long a message may be looked at.
const VALIDATED_WITHIN: Duration = Duration::from_secs(10);

pub(super) struct Fcm {
    connections: Vec<Connection>,
    tokens: Tokens,
    url: Url,
    clock: Clock,
}

/// A client keeps one HTTP/2 connection a host, on which a server takes a hundred streams: past its budget, the next
/// connection is used.
struct Connection {
    http: Http,
    /// A permit a stream.
    streams: Semaphore,
}

impl Fcm {
    /// A connection a client, each with so many streams at once.
    ///
    /// # Errors
    /// The endpoint and the project make no URL.
    pub(super) fn new(
        clients: Vec<Http>,
        streams: usize,
        tokens: Tokens,
        endpoint: &BaseUrl,
        clock: Clock,
    ) -> Result<Self, url::ParseError> {
        let url = endpoint.join(&format!("/v1/projects/{}/messages:send", tokens.project())).parse()?;
        let connections =
            clients.into_iter().map(|http| Connection { http, streams: Semaphore::new(streams) }).collect();
        Ok(Self { connections, tokens, url, clock })
    }

    /// Answers with FCM's status.
    pub(super) async fn send(&self, to: Recipient<'_>, message: &Message) -> Result<u16, Undelivered> {
        let now = self.clock.now();
        self.send_body(&SendRequest::new(message, to, now), patience(message, now)).await
    }

    /// Wakes a softphone. After `exp` that is of no use.
    pub(super) async fn wake(&self, to: &str, exp: Timestamp) -> Result<u16, Undelivered> {
        let now = self.clock.now();
        self.send_body(&WakeRequest::new(to, exp, now), exp.since(now)).await
    }

    async fn send_body(&self, request: &impl Serialize, patience: Duration) -> Result<u16, Undelivered> {
        let body = serde_json::to_vec(request).map_err(|_| Failure::Refused { reason: "bad_message" })?;
        let token = self.tokens.get().await?;
        let mut answer = self.post(token.bearer(), body.clone(), patience).await?;
        if answer.status == 401 && Told::read(&answer.body).code().is_none() {
            // The token was taken back before its time.
            self.tokens.refused(&token);
            let token = self.tokens.get().await?;
            answer = self.post(token.bearer(), body, patience).await?;
        }
        verdict(&answer).map(|()| answer.status).map_err(|failure| Undelivered::answered(failure, answer.status))
    }

    /// Has a message looked at and not sent. To no device: what FCM says of the token comes after what it says of us.
    pub(super) async fn validate(&self) -> Result<(), String> {
        let message = serde_json::json!({ "token": "offdesk-doctor", "data": { "type": "test" } });
        let body = serde_json::json!({ "validate_only": true, "message": message }).to_string().into_bytes();
        let told = |failure: Failure| failure.reason().to_owned();
        let token = self.tokens.get().await.map_err(told)?;
        let answer = self.post(token.bearer(), body, VALIDATED_WITHIN).await.map_err(told)?;
        match verdict(&answer) {
            Ok(()) | Err(Failure::Gone { .. }) => Ok(()),
            Err(failure) => Err(format!("HTTP {}, {}", answer.status, failure.reason())),
        }
    }

    async fn post(&self, bearer: String, body: Vec<u8>, patience: Duration) -> Result<Answer, Failure> {
        let headers = vec![("authorization", bearer), ("content-type", "application/json; charset=utf-8".to_owned())];
        let post = Post { patience, ..Post::new(&self.url, headers, body) };
        let free = self.connections.iter().find_map(|one| Some((one, one.streams.try_acquire().ok()?)));
        // There are no more pushes under way than streams, tests on demand apart.
        let (connection, _stream) = free.ok_or(Failure::busy("streams"))?;
        connection.http.post(post, self.clock.now()).await.map_err(|lost| Failure::later(lost.reason()))
    }
}

/// The error's body, as far as it is read. Behind a 502 there may be HTML.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Told {
    error: ErrorBody,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct ErrorBody {
    message: String,
    details: Vec<Detail>,
}

/// A `google.firebase.fcm.v1.FcmError`, a `google.rpc.BadRequest`, or something else.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Detail {
    error_code: Option<String>,
    field_violations: Vec<Violation>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Violation {
    field: String,
}

impl Told {
    fn read(body: &[u8]) -> Self {
        serde_json::from_slice(body).unwrap_or_default()
    }

    /// <https://firebase.google.com/docs/reference/fcm/rest/v1/ErrorCode>
    fn code(&self) -> Option<&str> {
        self.error.details.iter().find_map(|detail| detail.error_code.as_deref())
    }

    /// Whether it is the token that is wrong, and not our message.
    fn blames_token(&self) -> bool {
        let violations = self.error.details.iter().flat_map(|detail| &detail.field_violations);
        violations.into_iter().any(|violation| matches!(violation.field.as_str(), "message.token" | "message.fid"))
            || self.error.message.contains("registration token is not a valid")
    }
}

/// <https://firebase.google.com/docs/cloud-messaging/error-codes>
fn verdict(answer: &Answer) -> Result<(), Failure> {
    let told = Told::read(&answer.body);
    let later = |reason, unless: Option<Duration>| {
        Err(Failure::Later { reason, retry_after: answer.retry_after.or(unless), scope: Scope::Service })
    };
    match (answer.status, told.code()) {
        (200..300, _) => Ok(()),
        (_, Some("UNREGISTERED")) => Err(Failure::Gone { reason: "unregistered" }),
        (_, Some("SENDER_ID_MISMATCH")) => Err(Failure::Gone { reason: "sender_id_mismatch" }),
        (400, _) if told.blames_token() => Err(Failure::Gone { reason: "invalid_token" }),
        (_, Some("THIRD_PARTY_AUTH_ERROR")) => Err(AFTER_THIRD_PARTY),
        (429, _) => later("throttled", Some(AFTER_429)),
        (408 | 500.., _) => later("unavailable", None),
        (401, _) => later("unauthorized", None),
        (400, _) => Err(Failure::Refused { reason: "invalid_argument" }),
        (404, _) => Err(Failure::Refused { reason: "not_found" }),
        _ => Err(Failure::Refused { reason: "refused" }),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn answered(status: u16, body: impl Into<Vec<u8>>) -> Option<Failure> {
        verdict(&Answer { status, retry_after: None, body: body.into() }).err()
    }

    /// An error as FCM words it, with its own code among other details.
    fn error(code: u16, status: &str, fcm: &str) -> String {
        let kind = "type.googleapis.com/google.firebase.fcm.v1.FcmError";
        let other = json!({ "@type": "type.googleapis.com/google.rpc.Help", "links": [] });
        let details = json!([other, { "@type": kind, "errorCode": fcm }]);
        json!({ "error": { "code": code, "message": "…", "status": status, "details": details } }).to_string()
    }

    #[test]
    fn fcms_own_code_decides_and_else_the_status() {
        let later = |reason, secs: u64| {
            let retry_after = (secs > 0).then(|| Duration::from_secs(secs));
            Some(Failure::Later { reason, retry_after, scope: Scope::Service })
        };
        let refused = |reason| Some(Failure::Refused { reason });
        let gone = |reason| Some(Failure::Gone { reason });
        for (status, body, expected) in [
            (200, r#"{"name":"projects/p/messages/0:1"}"#.to_owned(), None),
            (404, error(404, "NOT_FOUND", "UNREGISTERED"), gone("unregistered")),
            (404, r#"{"error":{"status":"NOT_FOUND"}}"#.to_owned(), refused("not_found")),
            (403, error(403, "PERMISSION_DENIED", "SENDER_ID_MISMATCH"), gone("sender_id_mismatch")),
            (403, r#"{"error":{"status":"PERMISSION_DENIED"}}"#.to_owned(), refused("refused")),
            (400, error(400, "INVALID_ARGUMENT", "INVALID_ARGUMENT"), refused("invalid_argument")),
            (401, error(401, "UNAUTHENTICATED", "THIRD_PARTY_AUTH_ERROR"), Some(AFTER_THIRD_PARTY)),
            (401, r#"{"error":{"status":"UNAUTHENTICATED"}}"#.to_owned(), later("unauthorized", 0)),
            (429, error(429, "RESOURCE_EXHAUSTED", "QUOTA_EXCEEDED"), later("throttled", 60)),
            (500, error(500, "INTERNAL", "INTERNAL"), later("unavailable", 0)),
            (503, error(503, "UNAVAILABLE", "UNAVAILABLE"), later("unavailable", 0)),
            (502, "<!DOCTYPE html><title>Error 502</title>".to_owned(), later("unavailable", 0)),
            (302, String::new(), refused("refused")),
        ] {
            assert_eq!(answered(status, body.as_str()), expected, "{status} {body}");
        }
    }

    #[test]
    fn a_token_that_was_never_one_is_told_from_a_message_that_is_wrong() {
        let violation = |field: &str| {
            let kind = "type.googleapis.com/google.rpc.BadRequest";
            let violations = json!([{ "field": field, "description": "…" }]);
            json!({ "error": { "details": [{ "@type": kind, "fieldViolations": violations }] } }).to_string()
        };
        let gone = Some(Failure::Gone { reason: "invalid_token" });
        assert_eq!(answered(400, violation("message.token")), gone);
        assert_eq!(answered(400, violation("message.fid")), gone);
        assert_eq!(
            answered(400, violation("message.data[0].value")),
            Some(Failure::Refused { reason: "invalid_argument" })
        );
        let message = "The registration token is not a valid FCM registration token";
        assert_eq!(answered(400, json!({ "error": { "message": message } }).to_string()), gone);
    }
}
