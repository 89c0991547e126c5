//! The only file that speaks HTTP to Twilio: a call becomes requests, and what comes back becomes an answer or an error.

use std::{error::Error, io, time::Duration};

use jiff::fmt::rfc2822;
use metrics::{counter, histogram};
use reqwest::{Certificate, Client, RequestBuilder, Response, header, redirect::Policy};
use secrecy::ExposeSecret;
use tokio::time;

use super::{
    Inner,
    call::{Body, Call, Verb},
    error::{Lost, TwilioError, Unreachable},
    retry,
    settings::{Limits, SettingsError},
};
use crate::domain::Timestamp;

/// The longest answer that is read. A page of a hundred events with large attributes stays far below.
const MAX_ANSWER: usize = 4 * 1024 * 1024;
/// Asks Conversations to raise webhooks over a write.
const WEBHOOK_ENABLED: &str = "x-twilio-webhook-enabled";
/// Shorter than servers keep idle connections, so that a POST seldom meets one that is being closed.
const POOL_IDLE: Duration = Duration::from_secs(30);
/// An HTTP/2 connection that has silently died takes all its requests with it: it is found out before they time out.
const PING_EVERY: Duration = Duration::from_secs(5);
const PING_TIMEOUT: Duration = Duration::from_secs(3);

pub(super) fn client(limits: &Limits, extra_roots_pem: Option<&[u8]>) -> Result<Client, SettingsError> {
    let roots = extra_roots_pem.map(certificates).transpose()?.unwrap_or_default();
    Client::builder()
        .user_agent(concat!("offdesk/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(limits.connect_timeout)
        .pool_idle_timeout(POOL_IDLE)
        .pool_max_idle_per_host(limits.max_in_flight)
        .http2_keep_alive_interval(PING_EVERY)
        .http2_keep_alive_timeout(PING_TIMEOUT)
        .http2_keep_alive_while_idle(true)
        // A redirect would carry credentials to wherever it points.
        .redirect(Policy::none())
        // The environment of a service is no place from which its traffic is rerouted unseen.
        .no_proxy()
        .tls_certs_merge(roots)
        .build()
        .map_err(|error| SettingsError::Client(error.to_string()))
}

fn certificates(pem: &[u8]) -> Result<Vec<Certificate>, SettingsError> {
    match Certificate::from_pem_bundle(pem) {
        Ok(found) if found.is_empty() => Err(SettingsError::ExtraRoots("there is no certificate in it".to_owned())),
        Ok(found) => Ok(found),
        Err(error) => Err(SettingsError::ExtraRoots(error.to_string())),
    }
}

/// Counts a request, or a call that never became one.
pub(super) fn count(call: &Call, outcome: &'static str) {
    let (product, operation) = (call.product.label(), call.operation);
    counter!("offdesk_twilio_requests_total", "product" => product, "operation" => operation, "outcome" => outcome)
        .increment(1);
}

impl Inner {
    /// The body of a 2xx answer, after as many tries as the call may have.
    pub(super) async fn run(&self, call: &Call) -> Result<Vec<u8>, TwilioError> {
        let deadline = self.clock.now() + self.limits.deadline;
        self.budget.earn();
        let mut tries = 0;
        loop {
            let error = match self.attempt(call, deadline).await {
                Ok(body) => return Ok(body),
                Err(error) => error,
            };
            tries += 1;
            let Some(delay) = self.delay_before_repeat(call.verb, &error, tries, deadline) else { return Err(error) };
            tracing::debug!(operation = call.operation, tries, %error, "trying again");
            counter!("offdesk_twilio_retries_total", "reason" => error.label()).increment(1);
            time::sleep(delay).await;
        }
    }

    fn delay_before_repeat(
        &self,
        verb: Verb,
        error: &TwilioError,
        tries: u32,
        deadline: Timestamp,
    ) -> Option<Duration> {
        if tries >= retry::MAX_TRIES || !retry::may_repeat(verb, error) {
            return None;
        }
        let delay = retry::delay(error, tries);
        let in_time = self.clock.now() + delay < deadline;
        (in_time && self.budget.spend()).then_some(delay)
    }

    async fn attempt(&self, call: &Call, deadline: Timestamp) -> Result<Vec<u8>, TwilioError> {
        let remaining = deadline.since(self.clock.now());
        let permit = time::timeout(remaining, self.in_flight.acquire()).await;
        let Ok(Ok(_permit)) = permit else {
            count(call, TwilioError::Busy.label());
            return Err(TwilioError::Busy);
        };
        let begun = self.clock.now();
        let outcome = self.exchange(call, self.limits.timeout.min(deadline.since(begun))).await;
        let now = self.clock.now();
        let (product, operation) = (call.product.label(), call.operation);
        histogram!("offdesk_twilio_request_seconds", "product" => product, "operation" => operation)
            .record(now.since(begun));
        count(call, outcome.as_ref().map_or_else(TwilioError::label, |_| "ok"));
        self.health.record(&outcome, now);
        outcome
    }

    /// One request and its answer.
    async fn exchange(&self, call: &Call, timeout: Duration) -> Result<Vec<u8>, TwilioError> {
        let response = self
            .request(call)
            .basic_auth(&self.user, Some(self.password.expose_secret()))
            .header(header::ACCEPT, "application/json")
            .timeout(timeout)
            .send()
            .await
            .map_err(|error| without_answer(&error))?;
        if let Some(theirs) = response.headers().get(header::DATE).and_then(|date| http_date(date.to_str().ok()?)) {
            self.dates.note(theirs, self.clock.now());
        }
        let status = response.status().as_u16();
        let retry_after = self.retry_after(&response);
        let body = read(response).await;
        match status {
            200..300 => body,
            _ => Err(TwilioError::from_answer(status, retry_after, &body.unwrap_or_default())),
        }
    }

    fn request(&self, call: &Call) -> RequestBuilder {
        let request = match &call.body {
            Body::Nothing if call.verb == Verb::Delete => self.http.delete(call.url.clone()),
            Body::Nothing => self.http.get(call.url.clone()),
            Body::Form(fields) => self.http.post(call.url.clone()).form(fields),
            Body::File { content_type, bytes } => {
                self.http.post(call.url.clone()).header(header::CONTENT_TYPE, content_type).body(bytes.clone())
            }
        };
        if call.raises_webhooks { request.header(WEBHOOK_ENABLED, "true") } else { request }
    }

    /// Seconds, or a date (RFC 9110 §10.2.3).
    fn retry_after(&self, response: &Response) -> Option<Duration> {
        let text = response.headers().get(header::RETRY_AFTER)?.to_str().ok()?.trim();
        if let Ok(seconds) = text.parse() {
            return Some(Duration::from_secs(seconds));
        }
        Some(http_date(text)?.since(self.clock.now()))
    }
}

/// RFC 9110 §5.6.7.
fn http_date(text: &str) -> Option<Timestamp> {
    let at = rfc2822::DateTimeParser::new().parse_timestamp(text).ok()?.as_millisecond();
    at.try_into().ok().map(Timestamp::from_millis)
}

async fn read(mut response: Response) -> Result<Vec<u8>, TwilioError> {
    let lost = |cause| TwilioError::Unknown { cause, retry_after: None };
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| lost(how_lost(&error)))? {
        if body.len() + chunk.len() > MAX_ANSWER {
            return Err(lost(Lost::TooLong));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// The request failed before there was an answer. While there was no connection, nothing was sent.
fn without_answer(error: &reqwest::Error) -> TwilioError {
    if error.is_connect() {
        TwilioError::NotSent(how_unreachable(error))
    } else {
        TwilioError::Unknown { cause: how_lost(error), retry_after: None }
    }
}

fn how_lost(error: &reqwest::Error) -> Lost {
    if error.is_timeout() { Lost::Timeout } else { Lost::Broken }
}

fn how_unreachable(error: &reqwest::Error) -> Unreachable {
    if error.is_timeout() {
        return Unreachable::Timeout;
    }
    let mut source = error.source();
    while let Some(cause) = source {
        if let Some(cause) = cause.downcast_ref::<io::Error>() {
            return why(cause);
        }
        source = cause.source();
    }
    Unreachable::Other
}

/// An I/O error wraps others without giving them as its source.
fn why(error: &io::Error) -> Unreachable {
    match error.get_ref() {
        Some(inner) if inner.is::<rustls::Error>() => Unreachable::Tls,
        Some(inner) => inner.downcast_ref().map_or(Unreachable::Other, why),
        None if error.kind() == io::ErrorKind::ConnectionRefused => Unreachable::Refused,
        None => Unreachable::Other,
    }
}
