//! Calls and conferences (<https://www.twilio.com/docs/voice/api>).

mod outgoing;

use serde::Deserialize;

pub use outgoing::{NewCall, OutgoingCall};

use super::{
    client::{Call, Product, Twilio, TwilioError},
    wire::Nothing,
};
use crate::domain::{CallSid, ConferenceSid, LegStatus};

/// How a call shall end (<https://www.twilio.com/docs/voice/api/call-resource#update-a-call-resource>).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CallEnd {
    /// Also if it is under way.
    Completed,
    /// Only if it is queued or ringing still.
    Canceled,
}

/// A conference of the account (<https://www.twilio.com/docs/voice/api/conference-resource>).
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Conference {
    pub sid: ConferenceSid,
    pub friendly_name: String,
    pub status: ConferenceStatus,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ConferenceStatus {
    Init,
    InProgress,
    Completed,
}

impl ConferenceStatus {
    const fn wire(self) -> &'static str {
        match self {
            Self::Init => "init",
            Self::InProgress => "in-progress",
            Self::Completed => "completed",
        }
    }
}

#[derive(Deserialize)]
struct Conferences {
    conferences: Vec<Conference>,
}

#[derive(Deserialize)]
struct Leg {
    status: LegStatus,
}

impl Twilio {
    /// Ends a call (<https://www.twilio.com/docs/voice/api/call-resource#update-a-call-resource>).
    ///
    /// # Errors
    /// [`TwilioError`]; a call that is over already is refused as
    /// [`WrongState`](super::Refusal::WrongState) or [`NotFound`](super::Refusal::NotFound). Doing it twice does no harm.
    pub async fn end_call(&self, call: &CallSid, end: CallEnd) -> Result<(), TwilioError> {
        let status = match end {
            CallEnd::Completed => "completed",
            CallEnd::Canceled => "canceled",
        };
        let call = self.post_in_account("update_call", &["Calls", &format!("{call}.json")]).with("Status", status);
        self.send::<Nothing>(call).await.map(|_| ())
    }

    /// What a call is doing (<https://www.twilio.com/docs/voice/api/call-resource#fetch-a-call-resource>).
    ///
    /// # Errors
    /// [`TwilioError`]; nothing is changed by it.
    pub async fn leg_status(&self, call: &CallSid) -> Result<LegStatus, TwilioError> {
        let path = format!("{call}.json");
        let call = self.get(Product::Api, "fetch_call", &self.account_path(&["Calls", &path]));
        let leg: Leg = self.send(call).await?;
        Ok(leg.status)
    }

    /// The latest conferences of a name, of one status or of any; TaskRouter names them by the task's sid
    /// (<https://www.twilio.com/docs/voice/api/conference-resource#read-multiple-conference-resources>).
    ///
    /// # Errors
    /// [`TwilioError`]; nothing is changed by it.
    pub async fn conferences_named(
        &self,
        friendly_name: &str,
        status: Option<ConferenceStatus>,
    ) -> Result<Vec<Conference>, TwilioError> {
        let call = self
            .get(Product::Api, "list_conference", &self.account_path(&["Conferences.json"]))
            .with("FriendlyName", friendly_name)
            .with_some("Status", status.map(ConferenceStatus::wire))
            .with("PageSize", "50");
        Ok(self.send::<Conferences>(call).await?.conferences)
    }

    /// Ends a conference for everybody in it
    /// (<https://www.twilio.com/docs/voice/api/conference-resource#update-a-conference-resource>).
    ///
    /// # Errors
    /// As [`Twilio::end_call`].
    pub async fn end_conference(&self, conference: &ConferenceSid) -> Result<(), TwilioError> {
        let call = self
            .post_in_account("update_conference", &["Conferences", &format!("{conference}.json")])
            .with("Status", "completed");
        self.send::<Nothing>(call).await.map(|_| ())
    }

    fn post_in_account(&self, operation: &'static str, rest: &[&str]) -> Call {
        self.post(Product::Api, operation, &self.account_path(rest))
    }

    fn account_path<'a>(&'a self, rest: &[&'a str]) -> Vec<&'a str> {
        [&["2010-04-01", "Accounts", self.account_sid().as_str()], rest].concat()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::twilio::testing::{ACCOUNT, Fake, Reply};

    const CALL: &str = "CA0123456789abcdef0123456789abcdef";
    const CONFERENCE: &str = "CF0123456789abcdef0123456789abcdef";

    async fn fake(body: &str) -> Fake {
        Fake::replying([Reply::ok(body)]).await
    }

    #[tokio::test]
    async fn a_call_is_ended_by_a_new_status() {
        let fake = fake("{}").await;
        fake.client().end_call(&CALL.parse().unwrap(), CallEnd::Canceled).await.unwrap();
        let request = fake.requests().remove(0);
        assert!(request.starts_with(&format!("POST /2010-04-01/Accounts/{ACCOUNT}/Calls/{CALL}.json ")), "{request}");
        assert!(request.ends_with("\r\n\r\nStatus=canceled"), "{request}");
    }

    #[tokio::test]
    async fn conferences_are_found_by_name_and_status() {
        let body = format!(
            r#"{{"conferences":[{{"sid":"{CONFERENCE}","friendly_name":"WT1","status":"in-progress"}}],"page":0}}"#
        );
        let fake = fake(&body).await;
        let found = fake.client().conferences_named("WT1", Some(ConferenceStatus::InProgress)).await.unwrap();
        assert_eq!(found[0].sid.as_str(), CONFERENCE);
        let line = fake.requests().remove(0);
        let target = "/Conferences.json?FriendlyName=WT1&Status=in-progress&PageSize=50 ";
        assert!(line.starts_with(&format!("GET /2010-04-01/Accounts/{ACCOUNT}{target}")), "{line}");
    }

    #[tokio::test]
    async fn a_conference_is_ended_by_a_new_status() {
        let fake = fake("{}").await;
        fake.client().end_conference(&CONFERENCE.parse().unwrap()).await.unwrap();
        assert!(fake.requests()[0].ends_with("\r\n\r\nStatus=completed"));
    }
}
