//! FCM: tokens, messages and errors.

use std::sync::Arc;

use offdesk_sandbox::{Handle, PushAnswer};
use reqwest::{Response, StatusCode};
use serde_json::{Value, json};

use crate::{
    ADA, Hand, START_MS, client, only_device,
    sender::{Google, Server},
    showing, start,
};

const GRANT: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";

struct Bench {
    sandbox: Handle,
    hand: Arc<Hand>,
    google: Google,
    device: String,
}

impl Bench {
    fn new() -> Self {
        let (sandbox, hand) = start();
        let device = sandbox.register_fcm(ADA, "Pixel").unwrap();
        let google = Google::new(&sandbox.service_account().unwrap());
        Self { sandbox, hand, google, device }
    }

    async fn ask_token(&self, grant: &str, assertion: &str) -> Response {
        let form = [("grant_type", grant), ("assertion", assertion)];
        client().post(self.google.account["token_uri"].as_str().unwrap()).form(&form).send().await.unwrap()
    }

    async fn token(&self) -> String {
        let assertion = self.google.assertion(&self.google.claims(self.hand.now_s()));
        let answer: Value = self.ask_token(GRANT, &assertion).await.json().await.unwrap();
        answer["access_token"].as_str().unwrap().to_owned()
    }

    async fn send(&self, project: &str, token: &str, body: &Value) -> (StatusCode, Value) {
        let url = format!("{}/fcm/v1/projects/{project}/messages:send", self.sandbox.url());
        let response = client().post(url).bearer_auth(token).json(body).send().await.unwrap();
        (response.status(), response.json().await.unwrap())
    }

    fn project(&self) -> &str {
        self.google.account["project_id"].as_str().unwrap()
    }

    fn message(&self, id: &str) -> Value {
        let exp = (START_MS / 1000 + 60).to_string();
        json!({ "message": {
            "token": self.device,
            "notification": { "title": "New chat", "body": "from Carol" },
            "data": { "id": id, "type": "task.offered", "task": "WR1", "tag": "WR1", "exp": exp, "app_badge": "2" },
            "android": { "priority": "HIGH", "ttl": "60s", "collapseKey": "offer", "notification": { "tag": "WR1" } },
        } })
    }
}

#[tokio::test]
async fn a_message_arrives_and_is_shown() {
    let bench = Bench::new();
    let (status, answer) = bench.send(bench.project(), &bench.token().await, &bench.message("n1")).await;
    assert_eq!(status, StatusCode::OK, "{answer}");
    let name = answer["name"].as_str().unwrap();
    assert!(name.starts_with(&format!("projects/{}/messages/", bench.project())), "{name}");
    let device = only_device(&bench.sandbox);
    let [shown] = device.showing().collect::<Vec<_>>()[..] else { panic!("one is shown: {device:#?}") };
    assert_eq!((shown.id.as_str(), shown.title.as_str(), shown.ttl), ("n1", "New chat", 60));
    assert_eq!((shown.urgency.as_deref(), shown.topic.as_deref()), (Some("high"), Some("offer")));
    assert_eq!((device.badge, shown.tag.as_deref(), shown.task.as_deref()), (Some(2), Some("WR1"), Some("WR1")));
}

#[tokio::test]
async fn a_token_is_given_for_a_right_assertion_alone() {
    let bench = Bench::new();
    let now_s = bench.hand.now_s();
    for (name, value, error) in [
        ("iss", json!("somebody@else.example"), "invalid_grant"),
        ("aud", json!("https://oauth2.googleapis.com/token"), "invalid_grant"),
        ("scope", json!("https://www.googleapis.com/auth/drive"), "invalid_scope"),
        ("exp", json!(now_s), "invalid_grant"),
        ("exp", json!(now_s + 3601), "invalid_grant"),
        ("iat", json!(now_s + 1000), "invalid_grant"),
    ] {
        let mut claims = bench.google.claims(now_s);
        claims[name] = value;
        let response = bench.ask_token(GRANT, &bench.google.assertion(&claims)).await;
        assert_eq!(response.status(), StatusCode::BAD_REQUEST, "{claims}");
        assert_eq!(response.json::<Value>().await.unwrap()["error"], error, "{claims}");
    }
    let claims = bench.google.claims(now_s);
    let forged = Server::new().token(&claims);
    assert_eq!(bench.ask_token(GRANT, &forged).await.status(), StatusCode::BAD_REQUEST);
    let right = bench.google.assertion(&claims);
    assert_eq!(bench.ask_token("password", &right).await.status(), StatusCode::BAD_REQUEST);
    assert_eq!(bench.ask_token(GRANT, &right).await.status(), StatusCode::OK);
}

#[tokio::test]
async fn only_a_token_that_is_valid_admits() {
    let bench = Bench::new();
    let (message, token) = (bench.message("n1"), bench.token().await);
    assert_eq!(bench.send(bench.project(), "ya29.guessed", &message).await.0, StatusCode::UNAUTHORIZED);
    assert_eq!(bench.send("other", &token, &message).await.0, StatusCode::FORBIDDEN);
    bench.hand.turn(3599);
    assert_eq!(bench.send(bench.project(), &token, &message).await.0, StatusCode::UNAUTHORIZED);
    let token = bench.token().await;
    assert_eq!(bench.send(bench.project(), &token, &message).await.0, StatusCode::OK);
    bench.sandbox.revoke_fcm_tokens();
    assert_eq!(bench.send(bench.project(), &token, &message).await.0, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn errors_bear_fcms_codes() {
    let bench = Bench::new();
    let token = bench.token().await;
    for (answer, status, code) in [
        (PushAnswer::Gone, 404, "UNREGISTERED"),
        (PushAnswer::Invalid, 400, "INVALID_ARGUMENT"),
        (PushAnswer::Forbidden, 403, "SENDER_ID_MISMATCH"),
        (PushAnswer::TooMany { retry_after_s: 7 }, 429, "QUOTA_EXCEEDED"),
        (PushAnswer::Failing, 500, "INTERNAL"),
        (PushAnswer::Unavailable { retry_after_s: Some(3) }, 503, "UNAVAILABLE"),
    ] {
        bench.sandbox.set_push_answer(&bench.device, answer, Some(1)).unwrap();
        let (given, body) = bench.send(bench.project(), &token, &bench.message("n1")).await;
        assert_eq!(given.as_u16(), status, "{answer:?}");
        assert_eq!(body["error"]["details"][0]["errorCode"], code, "{body}");
    }
    let mut unknown = bench.message("n1");
    unknown["message"]["token"] = json!("nobody's");
    let (status, body) = bench.send(bench.project(), &token, &unknown).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert_eq!(body["error"]["details"][1]["fieldViolations"][0]["field"], "message.token");
    assert_eq!(showing(&only_device(&bench.sandbox)), Vec::<&str>::new());
}

#[tokio::test]
async fn what_is_only_checked_is_not_shown() {
    let bench = Bench::new();
    let mut message = bench.message("n1");
    message["validateOnly"] = json!(true);
    assert_eq!(bench.send(bench.project(), &bench.token().await, &message).await.0, StatusCode::OK);
    assert!(only_device(&bench.sandbox).notifications.is_empty());
}
