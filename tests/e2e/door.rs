//! Twilio's door: what is not Twilio's, or not whole, gets a clear answer and changes nothing; what is comes in once.

use offdesk_sandbox::sign;
use reqwest::{Client, RequestBuilder, Response};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::house::{ADA, House, Plan, client};

type Fields = Vec<(String, String)>;

const TOKEN: &str = "0123456789abcdef0123456789abcdef";
const SIGNATURE: &str = "X-Twilio-Signature";

/// A house whose stand-in sends nothing by itself, and a person at its door.
struct Door {
    house: House,
    http: Client,
}

impl Door {
    async fn new() -> Self {
        let house = Plan::default().build().await;
        house.quiet().await;
        Self { house, http: client() }
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.house.ready.http)
    }

    /// An offer to Ada that the stand-in knows nothing of.
    fn offer(&self, event: u32) -> Fields {
        let state = self.house.twilio.snapshot();
        let facts = self.house.twilio.facts();
        let now = state.now_ms;
        let id = |prefix: &str, number: u32| format!("{prefix}{number:032x}");
        [
            ("EventType", "reservation.created".to_owned()),
            ("Sid", id("EV", event)),
            ("TimestampMs", now.to_string()),
            ("Timestamp", (now / 1000).to_string()),
            ("AccountSid", facts.account_sid.clone()),
            ("WorkspaceSid", facts.workspace_sid.to_string()),
            ("ReservationSid", id("WR", 0xabc)),
            ("ReservationVersion", "0".to_owned()),
            ("TaskSid", id("WT", 0xabc)),
            ("TaskAttributes", json!({"call_sid": id("CA", 1), "from": "+15550123"}).to_string()),
            ("TaskChannelUniqueName", "voice".to_owned()),
            ("WorkflowSid", facts.workflow_sid.to_string()),
            ("WorkerSid", state.agent(ADA).unwrap().worker_sid.to_string()),
            ("WorkerName", format!("user-{ADA}")),
            ("WorkerActivityName", "Available on Mobile".to_owned()),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into()
    }

    /// A message in a conversation that nobody is in.
    fn message(&self) -> Fields {
        let id = |prefix: &str| format!("{prefix}{:032x}", 0xabc);
        let now = i64::try_from(self.house.twilio.snapshot().now_ms).unwrap();
        [
            ("EventType", "onMessageAdded".to_owned()),
            ("AccountSid", self.house.twilio.facts().account_sid.clone()),
            ("ConversationSid", id("CH")),
            ("MessageSid", id("IM")),
            ("Index", "0".to_owned()),
            ("Author", "+15550123".to_owned()),
            ("Body", "Ahoy".to_owned()),
            ("DateCreated", jiff::Timestamp::from_millisecond(now).unwrap().to_string()),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into()
    }

    fn post(&self, path: &str, fields: &Fields) -> RequestBuilder {
        self.http.post(self.url(path)).form(fields)
    }

    fn signed(&self, path: &str, fields: &Fields) -> RequestBuilder {
        self.post(path, fields).header(SIGNATURE, sign(TOKEN, &self.url(path), fields))
    }

    /// A JSON body as Event Streams signs it.
    fn signed_json(&self, path: &str, body: &str) -> RequestBuilder {
        let hash = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, body.as_bytes());
        let hex: String = hash.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
        let url = self.url(&format!("{path}?bodySHA256={hex}"));
        let request = self.http.post(&url).header("Content-Type", "application/json").body(body.to_owned());
        request.header(SIGNATURE, sign(TOKEN, &url, &[]))
    }

    /// How often Twilio was asked to call Ada.
    async fn instructions(&self) -> usize {
        self.house.quiet().await;
        self.house.instructions().len()
    }

    async fn is_refused(&self, request: RequestBuilder, status: u16, code: &str) {
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), status, "{code}");
        assert_eq!(answer.headers()["content-type"], "application/problem+json", "{code}");
        let problem: Value = answer.json().await.unwrap();
        assert_eq!((&problem["status"], &problem["code"]), (&json!(status), &json!(code)));
        assert_eq!(self.instructions().await, 0, "{code}");
        assert!(self.house.overview().await.live.is_empty(), "{code}: an agent has heard of it");
    }
}

async fn status(request: RequestBuilder) -> u16 {
    request.send().await.map(|answer: Response| answer.status().as_u16()).unwrap()
}

#[tokio::test]
async fn what_twilio_did_not_sign_is_refused_and_changes_nothing() {
    let door = Door::new().await;
    let (path, offer) = ("/webhooks/taskrouter", door.offer(1));
    let url = door.url(path);
    let mut tampered = offer.clone();
    tampered[12].1.replace_range(2..4, "ff");
    let good = sign(TOKEN, &url, &offer);

    door.is_refused(door.post(path, &offer), 403, "missing_signature").await;
    door.is_refused(door.post(path, &offer).header(SIGNATURE, "nonsense"), 403, "malformed_signature").await;
    let other = sign("another token", &url, &offer);
    door.is_refused(door.post(path, &offer).header(SIGNATURE, other), 403, "bad_signature").await;
    door.is_refused(door.post(path, &tampered).header(SIGNATURE, &good), 403, "bad_signature").await;
    let elsewhere = door.post("/webhooks/taskrouter?x=1", &offer).header(SIGNATURE, &good);
    door.is_refused(elsewhere, 403, "bad_signature").await;
    let spoofed = sign(TOKEN, "https://evil.example/webhooks/taskrouter", &offer);
    let spoofed = door.post(path, &offer).header(SIGNATURE, spoofed);
    let spoofed = spoofed.header("Host", "evil.example").header("X-Forwarded-Host", "evil.example");
    door.is_refused(spoofed.header("X-Forwarded-Proto", "https"), 403, "bad_signature").await;
    let settings = "key=webhooks_sharedkey_1,algorithm=HMAC_SHA256";
    let settings = door.signed(path, &offer).header("X-Twilio-Webhooks-Signature-Settings", settings);
    door.is_refused(settings, 403, "unknown_settings").await;
    door.is_refused(door.http.post(&url).json(&json!({"EventType": "x"})), 403, "missing_signature").await;
    let twice = door.post(path, &offer).header(SIGNATURE, &good).header(SIGNATURE, "AAAAAAAAAAAAAAAAAAAAAAAAAAA=");
    door.is_refused(twice, 403, "malformed_signature").await;
    let unhashed = door.http.post(&url).json(&json!({})).header(SIGNATURE, sign(TOKEN, &url, &[]));
    door.is_refused(unhashed, 403, "body_hash").await;

    let (path, message) = ("/webhooks/conversations", door.message());
    door.is_refused(door.post(path, &message), 403, "missing_signature").await;
    let for_another_door = door.post(path, &message).header(SIGNATURE, sign(TOKEN, &url, &message));
    door.is_refused(for_another_door, 403, "bad_signature").await;
    door.is_refused(door.http.post(door.url(path)).json(&json!({})), 403, "missing_signature").await;
}

#[tokio::test]
async fn what_is_signed_and_makes_no_sense_is_refused_and_changes_nothing() {
    let door = Door::new().await;
    let path = "/webhooks/taskrouter";
    let with = |name: &str, value: &str| {
        let mut offer = door.offer(1);
        offer.iter_mut().find(|(known, _)| known == name).unwrap().1 = value.to_owned();
        door.signed(path, &offer)
    };
    door.is_refused(with("Sid", "EV1"), 400, "malformed").await;
    door.is_refused(with("ReservationSid", "WR../../Workers"), 400, "malformed").await;
    door.is_refused(with("TimestampMs", "yesterday"), 400, "malformed").await;
    door.is_refused(with("EventType", ""), 400, "malformed").await;
    door.is_refused(with("AccountSid", "ACffffffffffffffffffffffffffffffff"), 403, "foreign_account").await;
    door.is_refused(door.signed("/webhooks/call?call=0000000000000001-1&leg=1", &Vec::new()), 400, "malformed").await;
    door.is_refused(door.signed("/webhooks/conference", &Vec::new()), 400, "malformed").await;
    let with = |name: &str, value: &str| {
        let mut message = door.message();
        message.retain(|(known, _)| known != name);
        message.push((name.to_owned(), value.to_owned()));
        door.signed("/webhooks/conversations", &message)
    };
    door.is_refused(with("MessageSid", "IM1"), 400, "malformed").await;
    door.is_refused(with("DateCreated", "yesterday"), 400, "malformed").await;
    door.is_refused(with("Media", "[{"), 400, "malformed").await;
    door.is_refused(with("AccountSid", "ACffffffffffffffffffffffffffffffff"), 403, "foreign_account").await;
    door.is_refused(door.signed_json("/webhooks/conversations", "{}"), 400, "malformed").await;
    door.is_refused(door.signed_json("/webhooks/events", "{"), 400, "malformed").await;
    let deep = "[".repeat(20_000);
    door.is_refused(door.signed_json("/webhooks/events", &deep), 400, "malformed").await;
}

#[tokio::test]
async fn a_body_of_more_than_64_kb_is_refused_whether_or_not_it_says_so() {
    let door = Door::new().await;
    let mut offer = door.offer(1);
    offer.push(("Padding".to_owned(), "x".repeat(70_000)));
    door.is_refused(door.signed("/webhooks/taskrouter", &offer), 413, "too_large").await;

    let mut unsaid = TcpStream::connect(door.house.ready.http).await.unwrap();
    let head = "POST /webhooks/taskrouter HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n";
    let chunk = format!("400\r\n{}\r\n", "x".repeat(0x400));
    unsaid.write_all(format!("{head}{}", chunk.repeat(65)).as_bytes()).await.unwrap();
    let mut answer = vec![0; 12];
    unsaid.read_exact(&mut answer).await.unwrap();
    assert_eq!(answer, b"HTTP/1.1 413");
}

#[tokio::test]
async fn the_same_event_acts_once_however_often_and_by_whichever_door_it_comes() {
    let door = Door::new().await;
    let (path, offer) = ("/webhooks/taskrouter", door.offer(1));
    let token = |request: RequestBuilder, token: &str| request.header("I-Twilio-Idempotency-Token", token);
    for _ in 0..5 {
        assert_eq!(status(token(door.signed(path, &offer), "first")).await, 204);
    }
    assert_eq!(status(token(door.signed(path, &offer), "second")).await, 204);
    let again_under_another_sid = door.offer(2);
    assert_eq!(status(token(door.signed(path, &again_under_another_sid), "first")).await, 204);
    assert_eq!(status(door.signed_json("/webhooks/events", &cloud_event(&offer).to_string())).await, 200);
    assert_eq!(door.instructions().await, 1);
}

/// The same event as Event Streams brings it.
fn cloud_event(fields: &Fields) -> Value {
    let snake = |name: &str| {
        let mut snake = String::new();
        for letter in name.chars() {
            if letter.is_uppercase() && !snake.is_empty() {
                snake.push('_');
            }
            snake.extend(letter.to_lowercase());
        }
        snake
    };
    let mut payload: serde_json::Map<_, _> = fields.iter().map(|(name, value)| (snake(name), json!(value))).collect();
    payload.insert("eventtype".to_owned(), json!("reservation.created"));
    json!([{
        "specversion": "1.0", "type": "com.twilio.taskrouter.reservation.created", "source": "/x", "id": "ZE1",
        "dataschema": "https://events-schemas.twilio.com/TaskRouter.ReservationCreated/1",
        "datacontenttype": "application/json", "time": "2026-01-01T00:00:00.000Z",
        "data": { "payload": payload, "publisher": "x" },
    }])
}

#[tokio::test]
async fn event_streams_bring_events_in_too() {
    let door = Door::new().await;
    let offer = door.offer(1);
    assert_eq!(status(door.signed_json("/webhooks/events", &cloud_event(&offer).to_string())).await, 200);
    assert_eq!(door.instructions().await, 1);
}

#[tokio::test]
async fn a_message_comes_in_once_by_whichever_door() {
    let door = Door::new().await;
    let (path, message) = ("/webhooks/conversations", door.message());
    assert_eq!(status(door.signed(path, &message)).await, 200);
    assert_eq!(status(door.signed(path, &message)).await, 200);
    let data: serde_json::Map<_, _> = message.iter().map(|(name, value)| (name.clone(), json!(value))).collect();
    let batch = json!([{ "type": "com.twilio.conversations.message.added", "data": data }]);
    assert_eq!(status(door.signed_json("/webhooks/events", &batch.to_string())).await, 200);
    let state = [("EventType", "onConversationStateUpdated"), ("AccountSid", message[1].1.as_str())];
    let state = state.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
    assert_eq!(status(door.signed(path, &state)).await, 200);
    door.house.quiet().await;
    let metrics = door.http.get(format!("http://{}/metrics", door.house.ready.admin)).send().await.unwrap();
    let metrics = metrics.text().await.unwrap();
    for (labels, count) in [
        (r#"door="conversations",outcome="new""#, 1),
        (r#"door="conversations",outcome="known""#, 1),
        (r#"door="events",outcome="known""#, 1),
    ] {
        let line = format!("offdesk_webhooks_accepted_total{{{labels}}} {count}\n");
        assert!(metrics.contains(&line), "{line}{metrics}");
    }
}

#[tokio::test]
async fn other_paths_and_methods_are_told_apart() {
    let door = Door::new().await;
    assert_eq!(status(door.http.get(door.url("/webhooks/taskrouter"))).await, 405);
    for path in ["/nothing", "/webhooks", "/webhooks/", "/metrics", "/readyz", "/webhooks/taskrouter/x"] {
        assert_eq!(status(door.http.get(door.url(path))).await, 404, "{path}");
    }
}

#[tokio::test]
async fn the_operator_sees_readiness_refusals_and_agents() {
    let door = Door::new().await;
    status(door.post("/webhooks/taskrouter", &door.offer(1))).await;
    assert_eq!(status(door.signed("/webhooks/taskrouter", &door.offer(1))).await, 204);
    door.house.quiet().await;
    let operator = |path: &str| door.http.get(format!("http://{}{path}", door.house.ready.admin));
    let ready: Value = operator("/readyz").send().await.unwrap().json().await.unwrap();
    assert_eq!((&ready["ready"], &ready["twilio"]), (&json!(true), &json!("ok")));
    let metrics = operator("/metrics").send().await.unwrap().text().await.unwrap();
    assert!(metrics.contains("offdesk_webhooks_rejected_total{reason=\"missing_signature\"} 1"), "{metrics}");
    assert!(metrics.lines().all(|line| line.is_empty() || line.starts_with('#') || line.starts_with("offdesk_")));
    let state: Value = operator("/debug/state").send().await.unwrap().json().await.unwrap();
    assert_eq!((&state["known"], state["live"].as_array().map(Vec::len)), (&json!(1), Some(1)));
    assert!(!state.to_string().contains(ADA), "a phone number is shown");
}

/// What the daemon says to raw bytes until it closes the connection.
async fn talk(door: &Door, said: &str) -> String {
    let mut stream = TcpStream::connect(door.house.ready.http).await.unwrap();
    // The daemon may have heard enough before all is said.
    let _ = stream.write_all(said.as_bytes()).await;
    let mut heard = Vec::new();
    let listening = stream.read_to_end(&mut heard);
    // A connection that is closed with bytes unread is reset, which may cost the end of the answer.
    let _ = tokio::time::timeout(std::time::Duration::from_secs(30), listening).await.expect("the connection is open");
    String::from_utf8_lossy(&heard).into_owned()
}

#[tokio::test]
async fn a_head_that_does_not_end_and_a_body_of_two_lengths_are_refused() {
    let door = Door::new().await;
    let head = "POST /webhooks/taskrouter HTTP/1.1\r\nHost: x\r\n";
    let endless = format!("{head}{}", "X-Padding: x\r\n".repeat(20_000));
    let answer = talk(&door, &endless).await;
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 4"), "{answer}");
    for two in ["Content-Length: 1\r\nContent-Length: 2\r\n", "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n"] {
        let answer = talk(&door, &format!("{head}{two}\r\nx")).await;
        assert!(answer.starts_with("HTTP/1.1 400"), "{answer}");
    }
    assert_eq!(door.instructions().await, 0);
}

#[tokio::test]
async fn who_drips_a_head_or_a_body_is_cut_off() {
    let door = Door::new().await;
    let head = "POST /webhooks/taskrouter HTTP/1.1\r\nHost: x\r\n";
    let body = format!("{head}Content-Length: 100\r\n\r\nhalf of");
    let (head, body) = tokio::join!(talk(&door, head), talk(&door, &body));
    assert!(head.starts_with("HTTP/1.1 408"), "{head}");
    assert!(body.starts_with("HTTP/1.1 400"), "{body}");
    assert_eq!(door.instructions().await, 0);
}

#[tokio::test]
async fn a_webhook_of_days_ago_is_answered_and_changes_nothing() {
    let door = Door::new().await;
    let mut offer = door.offer(1);
    let then = door.house.twilio.snapshot().now_ms - 25 * 3_600_000;
    for (name, value) in &mut offer {
        match name.as_str() {
            "TimestampMs" => *value = then.to_string(),
            "Timestamp" => *value = (then / 1000).to_string(),
            _ => {}
        }
    }
    assert_eq!(status(door.signed("/webhooks/taskrouter", &offer)).await, 204);
    assert_eq!(door.instructions().await, 0);
    assert!(door.house.overview().await.live.is_empty());
}
