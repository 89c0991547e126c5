//! Web Push: what is taken, and what is refused.

use std::sync::Arc;

use offdesk_sandbox::{Effect, Handle, PushAnswer, PushSubscription, Snapshot};
use reqwest::{Response, StatusCode, header::HeaderMap};
use serde_json::json;

use crate::{
    ADA, Hand, LIMIT, START_MS, client, only_device, payload,
    sender::{Server, encrypt},
    showing, start,
};

struct Bench {
    sandbox: Handle,
    hand: Arc<Hand>,
    server: Server,
    subscription: PushSubscription,
}

impl Bench {
    fn new() -> Self {
        let (sandbox, hand) = start();
        let subscription = sandbox.subscribe(ADA, "Firefox").unwrap();
        Self { sandbox, hand, server: Server::new(), subscription }
    }

    /// The headers of a message that nothing is wrong with.
    fn headers(&self) -> Vec<(&'static str, String)> {
        vec![
            ("Authorization", self.server.authorization(&self.sandbox.url(), self.hand.now_s())),
            ("TTL", "60".to_owned()),
            ("Content-Encoding", "aes128gcm".to_owned()),
        ]
    }

    async fn post(&self, headers: &[(&str, String)], body: Vec<u8>) -> Response {
        let mut request = client().post(&self.subscription.endpoint).body(body);
        for (name, value) in headers {
            request = request.header(*name, value);
        }
        request.send().await.unwrap()
    }

    /// A good message with one header changed; an empty value takes it out.
    async fn with(&self, name: &'static str, value: &str) -> StatusCode {
        let mut headers = self.headers();
        headers.retain(|(known, _)| *known != name);
        if !value.is_empty() {
            headers.push((name, value.to_owned()));
        }
        self.post(&headers, encrypt(&self.subscription, b"{}")).await.status()
    }

    async fn push(&self, kind: &str, id: &str, tag: &str, more: &[(&'static str, String)]) -> StatusCode {
        let mut headers = self.headers();
        headers.retain(|(name, _)| more.iter().all(|(other, _)| other != name));
        headers.extend_from_slice(more);
        let body = encrypt(&self.subscription, payload(kind, id, tag).to_string().as_bytes());
        self.post(&headers, body).await.status()
    }
}

#[tokio::test]
async fn a_message_arrives_decrypted_and_is_shown() {
    let bench = Bench::new();
    let mut headers = bench.headers();
    headers.extend([("Urgency", "high".to_owned()), ("Topic", "WR1".to_owned())]);
    let body = encrypt(&bench.subscription, payload("task.offered", "n1", "WR1").to_string().as_bytes());
    let response = bench.post(&headers, body).await;
    assert_eq!(response.status(), StatusCode::CREATED);
    let header = |headers: &HeaderMap, name: &str| headers[name].to_str().unwrap().to_owned();
    assert!(header(response.headers(), "location").starts_with(&bench.sandbox.url()));
    assert_eq!(header(response.headers(), "ttl"), "60");
    let device = only_device(&bench.sandbox);
    assert_eq!((device.owner.as_str(), device.name.as_str(), device.badge), (ADA, "Firefox", Some(1)));
    let [shown] = device.showing().collect::<Vec<_>>()[..] else { panic!("one is shown: {device:#?}") };
    assert_eq!((shown.title.as_str(), shown.body.as_str(), shown.ttl), ("New chat", "from Carol", 60));
    assert_eq!((shown.urgency.as_deref(), shown.topic.as_deref()), (Some("high"), Some("WR1")));
    assert_eq!(shown.raw, payload("task.offered", "n1", "WR1"));
}

#[tokio::test]
async fn what_the_rfcs_forbid_is_refused() {
    let bench = Bench::new();
    for (name, value, status) in [
        ("TTL", "", 400),
        ("TTL", "soon", 400),
        ("TTL", "0", 201),
        ("Urgency", "urgent", 400),
        ("Urgency", "very-low", 201),
        ("Topic", "no topic", 400),
        ("Topic", "a-topic-of-no-more-than-32-letter", 400),
        ("Content-Encoding", "aesgcm", 400),
        ("Content-Encoding", "", 400),
        ("Authorization", "", 401),
        ("Authorization", "WebPush abc", 401),
    ] {
        assert_eq!(bench.with(name, value).await.as_u16(), status, "{name}: {value}");
    }
    let longest = bench.post(&bench.headers(), vec![0; 4096]).await;
    assert_eq!(longest.status(), StatusCode::CREATED);
    let longer = bench.post(&bench.headers(), vec![0; 4097]).await;
    assert_eq!(longer.status(), StatusCode::PAYLOAD_TOO_LARGE);
    let elsewhere = client().post(format!("{}/push/nobody", bench.sandbox.url())).send().await.unwrap();
    assert_eq!(elsewhere.status(), StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_server_must_say_who_it_is() {
    let bench = Bench::new();
    let (origin, now_s) = (bench.sandbox.url(), bench.hand.now_s());
    let (good, sub) = (now_s + 60, "mailto:ops@example.com");
    for (aud, exp, sub, status) in [
        (origin.as_str(), good, sub, 201),
        (origin.as_str(), now_s + 86_400, "https://example.com/contact", 201),
        ("http://127.0.0.1", good, sub, 401),
        ("", good, sub, 401),
        (origin.as_str(), now_s, sub, 401),
        (origin.as_str(), now_s + 86_401, sub, 401),
        (origin.as_str(), good, "ops@example.com", 401),
        (origin.as_str(), good, "mailto:", 401),
    ] {
        let token = bench.server.token(&json!({ "aud": aud, "exp": exp, "sub": sub }));
        let header = format!("vapid t={token}, k={}", bench.server.key());
        assert_eq!(bench.with("Authorization", &header).await.as_u16(), status, "{aud} {exp} {sub}");
    }
    let claims = json!({ "aud": origin, "exp": good, "sub": sub });
    let signed_by_another = format!("vapid t={}, k={}", Server::new().token(&claims), bench.server.key());
    assert_eq!(bench.with("Authorization", &signed_by_another).await, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_subscription_belongs_to_the_server_that_first_sent_to_it() {
    let bench = Bench::new();
    assert_eq!(bench.push("message", "a", "CH1", &[]).await, StatusCode::CREATED);
    let other = Server::new().authorization(&bench.sandbox.url(), bench.hand.now_s());
    assert_eq!(bench.with("Authorization", &other).await, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn what_was_encrypted_for_somebody_else_is_taken_but_not_read() {
    let bench = Bench::new();
    let other = bench.sandbox.subscribe(ADA, "another").unwrap();
    let body = encrypt(&other, payload("message", "a", "CH1").to_string().as_bytes());
    assert_eq!(bench.post(&bench.headers(), body).await.status(), StatusCode::CREATED);
    let device = &bench.sandbox.snapshot().devices[0];
    assert_eq!((device.notifications[0].effect, device.shown.len()), (Effect::Unreadable, 0));
}

#[tokio::test]
async fn a_device_answers_as_a_test_wants() {
    let bench = Bench::new();
    let endpoint = &bench.subscription.endpoint;
    for (answer, status, retry_after) in [
        (PushAnswer::Gone, 410, None),
        (PushAnswer::NotFound, 404, None),
        (PushAnswer::Unauthorized, 401, None),
        (PushAnswer::TooMany { retry_after_s: 7 }, 429, Some("7")),
        (PushAnswer::Failing, 500, None),
        (PushAnswer::Unavailable { retry_after_s: None }, 503, None),
    ] {
        bench.sandbox.set_push_answer(endpoint, answer, Some(1)).unwrap();
        let response = bench.post(&bench.headers(), encrypt(&bench.subscription, b"{}")).await;
        let wait = response.headers().get("retry-after").map(|value| value.to_str().unwrap());
        assert_eq!((response.status().as_u16(), wait), (status, retry_after), "{answer:?}");
    }
    assert_eq!(bench.push("message", "a", "CH1", &[]).await, StatusCode::CREATED);
    bench.sandbox.set_push_answer(endpoint, PushAnswer::Gone, None).unwrap();
    assert_eq!(bench.push("message", "b", "CH1", &[]).await, StatusCode::GONE);
    let device = only_device(&bench.sandbox);
    assert_eq!((device.gone, showing(&device)), (true, vec!["a"]));
}

#[tokio::test]
async fn a_slow_service_takes_its_time_by_the_sandboxs_clock() {
    let bench = Bench::new();
    bench.sandbox.set_push_answer(&bench.subscription.endpoint, PushAnswer::Slow { ms: 5000 }, Some(1)).unwrap();
    let pushed = bench.push("message", "a", "CH1", &[]);
    let turned = async {
        let came = |state: &Snapshot| state.devices[0].answer == PushAnswer::Accept;
        bench.sandbox.wait_until(LIMIT, came).await.unwrap();
        bench.hand.turn(4);
        assert!(only_device(&bench.sandbox).notifications.is_empty());
        bench.hand.turn(1);
    };
    let (status, ()) = tokio::join!(pushed, turned);
    assert_eq!(status, StatusCode::CREATED);
    assert_eq!(only_device(&bench.sandbox).notifications[0].at_ms, START_MS + 5000);
}

#[tokio::test]
async fn what_waits_for_a_device_is_replaced_by_its_topic_and_dropped_past_its_ttl() {
    let bench = Bench::new();
    bench.sandbox.set_device_offline(&bench.subscription.endpoint, true).unwrap();
    let topic = |topic: &str| ("Topic", topic.to_owned());
    let ttl = |seconds: u64| ("TTL", seconds.to_string());
    for (id, more) in [
        ("at once or never", vec![ttl(0)]),
        ("short", vec![ttl(10)]),
        ("old", vec![ttl(100), topic("WR1")]),
        ("plain", vec![ttl(100)]),
        ("new", vec![ttl(100), topic("WR1")]),
    ] {
        assert_eq!(bench.push("task.offered", id, id, &more).await, StatusCode::CREATED, "{id}");
    }
    assert_eq!(only_device(&bench.sandbox).waiting, 3);
    bench.hand.turn(10);
    bench.sandbox.set_device_offline(&bench.subscription.endpoint, false).unwrap();
    assert_eq!(showing(&only_device(&bench.sandbox)), ["plain", "new"]);
}
