//! Verify: one-time passwords that Twilio makes, sends and checks (<https://www.twilio.com/docs/verify/api>). We never see
//! one but on its way from the person who types it.

mod services;

use serde::Deserialize;

use super::{
    client::{Product, Refusal, Twilio, TwilioError},
    wire::Nothing,
};
use crate::domain::{E164, VerifyServiceSid};

pub use services::{LIMIT_BY_ADDRESS, LIMIT_BY_PHONE, RateLimit, Service};

/// How a code gets to a phone (<https://www.twilio.com/docs/verify/api/verification#verification-channels>).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum CodeChannel {
    #[default]
    Sms,
    /// A voice that says it.
    Call,
    Whatsapp,
}

impl CodeChannel {
    const fn wire(self) -> &'static str {
        match self {
            Self::Sms => "sms",
            Self::Call => "call",
            Self::Whatsapp => "whatsapp",
        }
    }
}

/// What became of a code that was tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Checked {
    /// It was the right one, and is used up.
    Approved,
    Wrong,
    /// There is nothing to check it against: expired, used up, or never sent.
    Gone,
    /// Wrong ones were tried too often.
    TooMany,
}

#[derive(Deserialize)]
struct Verification {
    status: String,
}

/// `{"unique_name":"value"}`; none of none.
fn in_json(counted_by: &[(&str, String)]) -> Option<String> {
    let pairs = counted_by.iter().map(|(name, value)| ((*name).to_owned(), value.as_str().into()));
    let object: serde_json::Map<String, serde_json::Value> = pairs.collect();
    (!object.is_empty()).then(|| serde_json::Value::Object(object).to_string())
}

impl Twilio {
    /// Has a code sent; while an earlier one is valid, which is ten minutes, Twilio sends that one again. `counted_by` are
    /// rate limits that the service has, and what each counts by.
    ///
    /// # Errors
    /// [`TwilioError`]; refusals of its own are [`Refusal::TooManySends`], [`Refusal::Landline`],
    /// [`Refusal::BlockedPrefix`] and [`Refusal::BadParameter`].
    pub async fn send_code(
        &self,
        service: &VerifyServiceSid,
        to: &E164,
        channel: CodeChannel,
        locale: Option<&str>,
        counted_by: &[(&str, String)],
    ) -> Result<(), TwilioError> {
        let path = ["v2", "Services", service.as_str(), "Verifications"];
        let call = self
            .post(Product::Verify, "create_verification", &path)
            .with("To", to.as_str())
            .with("Channel", channel.wire())
            .with_some("Locale", locale)
            .with_some("RateLimits", in_json(counted_by));
        self.send::<Nothing>(call).await.map(|_| ())
    }

    /// Tries a code.
    ///
    /// # Errors
    /// [`TwilioError`], where Twilio has not said whether the code is right. After a lost answer it may be used up.
    pub async fn check_code(&self, service: &VerifyServiceSid, to: &E164, code: &str) -> Result<Checked, TwilioError> {
        let path = ["v2", "Services", service.as_str(), "VerificationCheck"];
        let call = self.post(Product::Verify, "create_verification_check", &path);
        let call = call.with("To", to.as_str()).with("Code", code);
        match self.send::<Verification>(call).await {
            Ok(checked) if checked.status == "approved" => Ok(Checked::Approved),
            Ok(_) => Ok(Checked::Wrong),
            Err(error) => match error.refusal() {
                Some(Refusal::NotFound) => Ok(Checked::Gone),
                Some(Refusal::TooManyChecks) => Ok(Checked::TooMany),
                Some(Refusal::BadParameter) => Ok(Checked::Wrong),
                _ => Err(error),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::twilio::testing::{Fake, Reply, parts, sid};

    const SERVICE: &str = "VA0123456789abcdef0123456789abcdef";

    fn ada() -> E164 {
        "+4915112345678".parse().unwrap()
    }

    fn refused(status: u16, code: u32) -> Reply {
        Reply::Answer { status, headers: "", body: format!(r#"{{"code":{code},"message":"no","status":{status}}}"#) }
    }

    #[tokio::test]
    async fn a_code_is_asked_for_by_number_channel_and_locale() {
        let fake = Fake::replying([Reply::ok(r#"{"status":"pending"}"#)]).await;
        let service = sid(SERVICE);
        fake.client()
            .send_code(&service, &ada(), CodeChannel::Whatsapp, Some("pt-BR"), &[("a", "b".into())])
            .await
            .unwrap();
        fake.client().send_code(&service, &ada(), CodeChannel::Sms, None, &[]).await.unwrap();
        let sent: Vec<_> = fake.requests().iter().map(|request| parts(request)).collect();
        let form = |pairs: &[(&str, &str)]| {
            pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect::<Vec<_>>()
        };
        assert_eq!(sent[0].0, format!("POST /v2/Services/{SERVICE}/Verifications"));
        assert_eq!(
            sent[0].1,
            form(&[
                ("To", "+4915112345678"),
                ("Channel", "whatsapp"),
                ("Locale", "pt-BR"),
                ("RateLimits", r#"{"a":"b"}"#)
            ])
        );
        assert_eq!(sent[1].1, form(&[("To", "+4915112345678"), ("Channel", "sms")]));
    }

    #[tokio::test]
    async fn what_verify_says_of_a_code_is_told_apart() {
        for (reply, checked) in [
            (Reply::ok(r#"{"status":"approved","valid":true}"#), Checked::Approved),
            (Reply::ok(r#"{"status":"pending","valid":false}"#), Checked::Wrong),
            (refused(404, 20_404), Checked::Gone),
            (refused(429, 60_202), Checked::TooMany),
            (refused(400, 60_200), Checked::Wrong),
        ] {
            let fake = Fake::replying([reply]).await;
            assert_eq!(fake.client().check_code(&sid(SERVICE), &ada(), "123456").await, Ok(checked));
            let (line, _) = parts(&fake.requests()[0]);
            assert_eq!(line, format!("POST /v2/Services/{SERVICE}/VerificationCheck"));
        }
    }

    #[tokio::test]
    async fn a_code_that_nobody_checked_is_neither_right_nor_wrong() {
        for reply in [Reply::status(503), Reply::HangupAfterReading, refused(401, 20_003)] {
            let fake = Fake::replying([reply]).await;
            assert!(fake.client().check_code(&sid(SERVICE), &ada(), "123456").await.is_err());
        }
    }

    #[tokio::test]
    async fn why_a_code_is_not_sent_is_told_apart() {
        for (status, code, kind) in [
            (429, 60_203, Refusal::TooManySends),
            (403, 60_205, Refusal::Landline),
            (403, 60_410, Refusal::BlockedPrefix),
            (400, 60_200, Refusal::BadParameter),
        ] {
            let fake = Fake::replying([refused(status, code)]).await;
            let sent = fake.client().send_code(&sid(SERVICE), &ada(), CodeChannel::Sms, None, &[]).await;
            assert_eq!(sent.unwrap_err().refusal(), Some(kind));
            assert_eq!(fake.requests().len(), 1, "another try is no cure");
        }
    }
}
