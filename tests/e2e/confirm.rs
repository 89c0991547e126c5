//! The door where Twilio asks how an answered call goes on: what is not Twilio's is refused as at every door, what is no call of ours is
//! hung up politely, and the same question gets the same answer.

use offdesk_sandbox::{Operation, RestFault, sign};
use reqwest::{Client, RequestBuilder};
use serde_json::{Value, json};

use crate::house::{ADA, House, Plan, client};

const SIGNATURE: &str = "X-Twilio-Signature";
const ACTION: &str = "/webhooks/voice/confirm";
const NOBODY_WAITS: &str = "The customer is not waiting any more. Goodbye.";

/// A house in which Ada's phone rings, and a person at its door.
struct Door {
    house: House,
    http: Client,
    /// `call` and `leg` of Ada's call.
    query: String,
    leg: String,
}

impl Door {
    async fn new() -> Self {
        let house = Plan::default().calls("confirm = \"press-1\"").build().await;
        house.customer_calls().await;
        house.rings(ADA).await;
        let leg = house.twilio.snapshot().call_at(ADA).unwrap().sid.to_string();
        Self { house, http: client(), query: "call=0000000000000001-1&leg=1".to_owned(), leg }
    }

    fn url(&self, query: &str) -> String {
        format!("http://{}{ACTION}?{query}", self.house.ready.http)
    }

    fn form(&self, call: &str, digits: Option<&str>) -> Vec<(String, String)> {
        let account = self.house.twilio.facts().account_sid.clone();
        let fields = [("CallSid", call), ("AccountSid", &account), ("CallStatus", "in-progress"), ("To", ADA)];
        let digits = digits.map(|digits| ("Digits", digits));
        fields.into_iter().chain(digits).map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
    }

    fn signed(&self, query: &str, form: &[(String, String)]) -> RequestBuilder {
        let url = self.url(query);
        let signature = sign(&self.house.twilio.facts().auth_token, &url, form);
        self.http.post(url).form(form).header(SIGNATURE, signature)
    }

    /// The document that Twilio gets.
    async fn asks(&self, query: &str, call: &str, digits: Option<&str>) -> String {
        let answer = self.signed(query, &self.form(call, digits)).send().await.unwrap();
        assert_eq!(answer.status(), 200);
        assert_eq!(answer.headers()["content-type"], "text/xml; charset=utf-8");
        assert_eq!(answer.headers()["cache-control"], "no-store");
        answer.text().await.unwrap()
    }

    async fn own(&self, digits: Option<&str>) -> String {
        self.asks(&self.query, &self.leg, digits).await
    }

    fn connects(&self) -> String {
        let state = self.house.twilio.snapshot();
        let reservation = &state.reservations[0].sid;
        format!("<Dial><Queue reservationSid=\"{reservation}\"></Queue></Dial><Hangup></Hangup></Response>")
    }
}

async fn is_refused(request: RequestBuilder, status: u16, code: &str) {
    let answer = request.send().await.unwrap();
    assert_eq!(answer.status(), status, "{code}");
    let problem: Value = answer.json().await.unwrap();
    assert_eq!(problem["code"], json!(code));
}

#[tokio::test]
async fn what_twilio_did_not_sign_or_what_makes_no_sense_is_refused_and_changes_nothing() {
    let door = Door::new().await;
    let form = door.form(&door.leg, Some("1"));
    let url = door.url(&door.query);
    is_refused(door.http.post(&url).form(&form), 403, "missing_signature").await;
    let other = sign("another token", &url, &form);
    is_refused(door.http.post(&url).form(&form).header(SIGNATURE, other), 403, "bad_signature").await;
    let tampered = door.form(&door.leg, None);
    let signature = sign(&door.house.twilio.facts().auth_token, &url, &form);
    is_refused(door.http.post(&url).form(&tampered).header(SIGNATURE, signature), 403, "bad_signature").await;
    for query in ["", "call=x&leg=1", "call=0000000000000001-1", "call=0000000000000001-1&leg=0"] {
        is_refused(door.signed(query, &form), 400, "malformed").await;
    }
    is_refused(door.signed(&door.query, &door.form("CA..", Some("1"))), 400, "malformed").await;
    let mut foreign = form.clone();
    foreign[1].1 = format!("AC{}", "f".repeat(32));
    is_refused(door.signed(&door.query, &foreign), 403, "foreign_account").await;
    let mut padded = form.clone();
    padded.push(("Padding".to_owned(), "x".repeat(70_000)));
    is_refused(door.signed(&door.query, &padded), 413, "too_large").await;
    assert_eq!(door.http.get(&url).send().await.unwrap().status(), 405);
    let question = door.own(None).await;
    assert!(question.contains("<Gather"), "nothing has changed: {question}");
}

#[tokio::test]
async fn calls_that_are_foreign_old_or_unknown_are_hung_up_politely() {
    let door = Door::new().await;
    let other_call = format!("CA{}", "7".repeat(32));
    for (query, call) in [
        ("call=00000000000000ff-1&leg=1", &door.leg),
        ("call=0000000000000001-2&leg=1", &door.leg),
        ("call=0000000000000001-1&leg=2", &door.leg),
        (door.query.as_str(), &other_call),
    ] {
        for digits in [None, Some("1")] {
            let document = door.asks(query, call, digits).await;
            assert!(
                document.contains(NOBODY_WAITS) && document.ends_with("<Hangup></Hangup></Response>"),
                "{document}"
            );
            assert!(!document.contains("Queue"), "{query} {call}");
        }
    }
    door.house.twilio.decline(ADA).unwrap();
    door.house.quiet().await;
    assert!(door.own(Some("1")).await.contains(NOBODY_WAITS), "the call is over");
}

#[tokio::test]
async fn the_same_question_gets_the_same_answer() {
    let door = Door::new().await;
    let question = door.own(None).await;
    assert_eq!(question.matches("To take the call, press 1.").count(), 2, "{question}");
    assert!(question.contains("numDigits=\"1\""), "{question}");
    assert_eq!(door.own(None).await, question);
    for _ in 0..3 {
        let document = door.own(Some("1")).await;
        assert!(document.ends_with(&door.connects()), "{document}");
    }
    // Twilio does as it was told, once.
    let reservation = door.house.twilio.snapshot().reservations[0].clone();
    assert_eq!(reservation.status, offdesk_sandbox::ReservationStatus::Pending);
}

#[tokio::test]
async fn any_other_key_gets_a_farewell() {
    let door = Door::new().await;
    door.own(None).await;
    for digits in ["2", "0", "*", "#", "11"] {
        let document = door.own(Some(digits)).await;
        assert!(document.contains("The call goes to somebody else."), "{digits}: {document}");
        assert!(!document.contains("Queue"), "{digits}: {document}");
    }
}

#[tokio::test]
async fn an_agent_is_asked_in_their_own_language() {
    let door = Door::new().await;
    let app = door.house.app(ADA);
    assert_eq!(app.patch("/me", json!({ "language": "de" })).await.status, 200);
    let question = door.own(None).await;
    assert!(question.contains("<Say language=\"de-DE\">Ein Kunde ruft an. Drücken Sie die 1"), "{question}");
}

#[tokio::test]
async fn a_setting_of_flexs_that_cannot_be_read_keeps_no_customer_waiting() {
    let door = Door::new().await;
    door.house.twilio.fault(RestFault::fail(Operation::FetchConfiguration, u32::MAX, 500, 20500));
    assert!(door.own(Some("1")).await.ends_with(&door.connects()));
}

mod with_python {
    use super::*;
    use crate::counterparts::Twiml;

    #[tokio::test]
    async fn every_document_is_what_twilios_library_writes() {
        let door = Door::new().await;
        let mut documents = vec![
            door.asks("call=00000000000000ff-1&leg=1", &door.leg, None).await,
            door.own(None).await,
            door.own(Some("2")).await,
        ];
        documents.push(Door::new().await.own(Some("1")).await);
        let mut library = Twiml::start();
        for document in documents {
            assert_eq!(library.violations(&document), Vec::<String>::new(), "{document}");
        }
    }
}
