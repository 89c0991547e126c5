//! Calls that we make, to ask whoever answers (<https://www.twilio.com/docs/voice/api/call-resource#create-a-call-resource>).

use std::time::Duration;

use serde::Deserialize;
use url::Url;

use crate::{
    domain::{CallSid, E164, LegStatus, Timestamp},
    twilio::{
        client::{Product, Twilio, TwilioError},
        wire::optional_rfc_2822,
    },
};

/// More than one agent's phone is called within the time that is looked back.
const LATEST: &str = "20";

/// A call to a phone. What it does once it is answered, `url` says.
#[derive(Clone, Debug)]
pub struct NewCall {
    pub to: E164,
    /// The caller id; one of the account's numbers, or a verified one.
    pub from: E164,
    /// Answers with TwiML.
    pub url: Url,
    /// How long it rings, in whole seconds; Twilio adds five.
    pub timeout: Duration,
    /// Hears of `initiated`, `ringing`, `answered` and `completed`; the last one is any end, answered or not.
    pub status_callback: Url,
}

/// A call of the account (<https://www.twilio.com/docs/voice/api/call-resource#call-properties>).
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct OutgoingCall {
    pub sid: CallSid,
    pub status: LegStatus,
    pub from: String,
    /// In whole seconds.
    #[serde(default, deserialize_with = "optional_rfc_2822")]
    pub date_created: Option<Timestamp>,
}

impl OutgoingCall {
    /// Whether it may be one that was asked for then, and of which nothing was heard since: one that is over is an earlier one,
    /// or has said so by its callback.
    pub fn may_be_of(&self, since: Timestamp) -> bool {
        !self.status.is_final() && self.date_created.is_some_and(|created| created >= since)
    }
}

#[derive(Deserialize)]
struct Calls {
    calls: Vec<OutgoingCall>,
}

#[derive(Deserialize)]
struct Created {
    sid: CallSid,
}

impl Twilio {
    /// Calls a phone; answers as soon as the call is queued.
    ///
    /// # Errors
    /// [`TwilioError`]; after one that may have happened, [`Twilio::calls_to`] shows whether it has.
    pub async fn create_call(&self, new: &NewCall) -> Result<CallSid, TwilioError> {
        let call = self
            .post_in_account("create_call", &["Calls.json"])
            .with("To", new.to.as_str())
            .with("From", new.from.as_str())
            .with("Url", new.url.as_str())
            .with("Method", "POST")
            .with("Timeout", new.timeout.as_secs().to_string())
            .with("StatusCallback", new.status_callback.as_str())
            .with("StatusCallbackMethod", "POST")
            .with_each("StatusCallbackEvent", &["initiated", "ringing", "answered", "completed"]);
        self.send::<Created>(call).await.map(|created| created.sid)
    }

    /// The latest calls to a phone from one of the account's numbers, the newest first
    /// (<https://www.twilio.com/docs/voice/api/call-resource#retrieve-a-list-of-calls>). A call that is still queued has not
    /// started yet, so that the filter by its start would miss it: all are read, and told by their creation.
    ///
    /// # Errors
    /// [`TwilioError`]; nothing is changed by it.
    pub async fn calls_to(&self, to: &E164, from: &E164) -> Result<Vec<OutgoingCall>, TwilioError> {
        let call = self
            .get(Product::Api, "list_call", &self.account_path(&["Calls.json"]))
            .with("To", to.as_str())
            .with("From", from.as_str())
            .with("PageSize", LATEST);
        Ok(self.send::<Calls>(call).await?.calls)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::twilio::testing::{ACCOUNT, Fake, Reply, parts};

    const CALL: &str = "CA0123456789abcdef0123456789abcdef";

    fn new_call() -> NewCall {
        NewCall {
            to: "+15550101".parse().unwrap(),
            from: "+15550100".parse().unwrap(),
            url: "https://gw.example.com/webhooks/voice/confirm?call=1&leg=2".parse().unwrap(),
            timeout: Duration::from_secs(13),
            status_callback: "https://gw.example.com/webhooks/call?call=1&leg=2".parse().unwrap(),
        }
    }

    #[tokio::test]
    async fn a_call_is_made_with_all_that_twilio_needs_to_report_on_it() {
        let fake = Fake::replying([Reply::ok(json!({ "sid": CALL, "status": "queued" }).to_string())]).await;
        assert_eq!(fake.client().create_call(&new_call()).await.unwrap().as_str(), CALL);
        let (line, fields) = parts(&fake.requests()[0]);
        assert_eq!(line, format!("POST /2010-04-01/Accounts/{ACCOUNT}/Calls.json"));
        let fields: Vec<_> = fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let events = ["initiated", "ringing", "answered", "completed"].map(|event| ("StatusCallbackEvent", event));
        let expected = [
            ("To", "+15550101"),
            ("From", "+15550100"),
            ("Url", "https://gw.example.com/webhooks/voice/confirm?call=1&leg=2"),
            ("Method", "POST"),
            ("Timeout", "13"),
            ("StatusCallback", "https://gw.example.com/webhooks/call?call=1&leg=2"),
            ("StatusCallbackMethod", "POST"),
        ];
        assert_eq!(fields, [expected.as_slice(), &events].concat());
    }

    #[test]
    fn only_a_call_that_goes_on_and_is_not_older_may_be_the_one_that_is_looked_for() {
        let since = Timestamp::from_millis(1_700_000_000_000);
        let before = Timestamp::from_millis(1_699_999_999_000);
        for (status, created, may_be) in [
            (LegStatus::Initiated, Some(since), true),
            (LegStatus::Ringing, Some(since), true),
            (LegStatus::InProgress, Some(since), true),
            (LegStatus::Completed, Some(since), false),
            (LegStatus::NoAnswer, Some(since), false),
            (LegStatus::Ringing, Some(before), false),
            (LegStatus::Ringing, None, false),
        ] {
            let call = OutgoingCall { sid: CALL.parse().unwrap(), status, from: String::new(), date_created: created };
            assert_eq!(call.may_be_of(since), may_be, "{call:?}");
        }
    }

    #[tokio::test]
    async fn the_calls_to_a_phone_say_when_they_were_made() {
        let call = |created: &str| json!({ "sid": CALL, "status": "ringing", "from": "+15550100", "to": "+15550101", "date_created": created });
        let calls = [call("Tue, 14 Nov 2023 22:13:20 +0000"), call("yesterday")];
        let fake = Fake::replying([Reply::ok(json!({ "calls": calls, "page": 0 }).to_string())]).await;
        let found = fake.client().calls_to(&new_call().to, &new_call().from).await.unwrap();
        let created = [Some(Timestamp::from_millis(1_700_000_000_000)), None];
        assert_eq!(found.iter().map(|call| call.date_created).collect::<Vec<_>>(), created);
        let (line, _) = parts(&fake.requests()[0]);
        let target = "/Calls.json?To=%2B15550101&From=%2B15550100&PageSize=20";
        assert_eq!(line, format!("GET /2010-04-01/Accounts/{ACCOUNT}{target}"));
    }
}
