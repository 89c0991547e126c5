//! An agent's app: it calls the gateway's API as the agent, and hears what is pushed to the agent's devices.

use std::{net::SocketAddr, time::Duration};

use offdesk_sandbox::{DeviceView, NotificationView, Sid};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use super::{BOOTSTRAP, House};

/// An answer of the API.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    pub status: u16,
    pub body: Value,
}

impl Answer {
    /// A problem's `code`.
    pub fn code(&self) -> &str {
        self.body["code"].as_str().unwrap_or_default()
    }
}

/// The app of one agent.
#[derive(Clone)]
pub struct AgentApp {
    pub client: reqwest::Client,
    pub api: String,
    pub token: String,
    /// What it sends is sent once.
    pub key: Option<String>,
}

impl AgentApp {
    pub async fn call(&self, method: Method, path: &str, body: Option<Value>) -> Answer {
        let request = self.keyed(self.client.request(method, format!("{}{path}", self.api)).bearer_auth(&self.token));
        let request = match body {
            Some(body) => request.json(&body),
            None => request,
        };
        answer(request.send().await.unwrap()).await
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.call(Method::GET, path, None).await
    }

    pub async fn post(&self, path: &str, body: Value) -> Answer {
        self.call(Method::POST, path, Some(body)).await
    }

    pub async fn patch(&self, path: &str, body: Value) -> Answer {
        self.call(Method::PATCH, path, Some(body)).await
    }

    pub async fn delete(&self, path: &str) -> Answer {
        self.call(Method::DELETE, path, None).await
    }

    /// Sends lines of text.
    pub async fn post_lines(&self, path: &str, lines: impl Into<String>) -> Answer {
        let request = self.client.post(format!("{}{path}", self.api)).bearer_auth(&self.token);
        answer(request.header("content-type", "application/jsonl").body(lines.into()).send().await.unwrap()).await
    }

    /// An answer that is not JSON.
    pub async fn lines(&self, path: &str) -> String {
        let request = self.client.get(format!("{}{path}", self.api)).bearer_auth(&self.token);
        request.send().await.unwrap().error_for_status().unwrap().text().await.unwrap()
    }

    pub async fn accept(&self, task: &Sid) -> Answer {
        self.post(&format!("/tasks/{task}/accept"), json!({})).await
    }

    pub async fn decline(&self, task: &Sid) -> Answer {
        self.post(&format!("/tasks/{task}/decline"), json!({})).await
    }

    pub async fn wrap_up(&self, task: &Sid) -> Answer {
        self.post(&format!("/tasks/{task}/wrapup"), json!({})).await
    }

    pub async fn complete(&self, task: &Sid) -> Answer {
        self.post(&format!("/tasks/{task}/complete"), json!({})).await
    }

    pub async fn says(&self, conversation: &Sid, text: &str) -> Answer {
        self.post(&format!("/conversations/{conversation}/messages"), json!({ "body": text })).await
    }

    /// Says it with a key.
    pub async fn says_once(&self, conversation: &Sid, text: &str, key: &str) -> Answer {
        Self { key: Some(key.to_owned()), ..self.clone() }.says(conversation, text).await
    }

    /// The same as a request that somebody else sends.
    pub fn request_once(&self, conversation: &Sid, text: &str, key: &str) -> reqwest::RequestBuilder {
        let url = format!("{}/conversations/{conversation}/messages", self.api);
        let request = self.client.post(url).bearer_auth(&self.token).json(&json!({ "body": text }));
        request.header("Idempotency-Key", key)
    }

    fn keyed(&self, request: reqwest::RequestBuilder) -> reqwest::RequestBuilder {
        match &self.key {
            Some(key) => request.header("Idempotency-Key", key.as_bytes()),
            None => request,
        }
    }

    pub async fn reads(&self, conversation: &Sid, index: u64) -> Answer {
        self.post(&format!("/conversations/{conversation}/read"), json!({ "index": index })).await
    }

    pub async fn history(&self, conversation: &Sid, query: &str) -> Answer {
        self.get(&format!("/conversations/{conversation}/messages{query}")).await
    }

    /// Sends a file, and a text with it.
    pub async fn sends(&self, conversation: &Sid, text: &str, name: &str, kind: &str, bytes: &[u8]) -> Answer {
        const BOUNDARY: &str = "a-boundary-that-is-in-no-file";
        let head = format!(
            "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"body\"\r\n\r\n{text}\r\n--{BOUNDARY}\r\n\
             Content-Disposition: form-data; name=\"media\"; filename=\"{name}\"\r\nContent-Type: {kind}\r\n\r\n"
        );
        let form = [head.as_bytes(), bytes, format!("\r\n--{BOUNDARY}--\r\n").as_bytes()].concat();
        let url = format!("{}/conversations/{conversation}/messages", self.api);
        let request = self.keyed(self.client.post(url).bearer_auth(&self.token).body(form));
        let kind = format!("multipart/form-data; boundary={BOUNDARY}");
        answer(request.header("content-type", kind).send().await.unwrap()).await
    }

    /// What lies at an address.
    pub async fn fetch(&self, url: &str) -> Vec<u8> {
        self.client.get(url).send().await.unwrap().bytes().await.unwrap().to_vec()
    }

    /// Messages that wait to be read in a conversation, as the list of tasks shows them.
    pub async fn unread(&self, conversation: &Sid) -> u64 {
        let tasks = self.get("/tasks").await.body;
        let tasks = tasks["items"].as_array().unwrap();
        let of_it = tasks.iter().find(|task| task["conversation"] == conversation.as_str());
        of_it.map_or(0, |task| task["unread"].as_u64().unwrap())
    }
}

pub(super) async fn answer(response: reqwest::Response) -> Answer {
    let status = response.status();
    let text = response.text().await.unwrap();
    let body = if text.is_empty() { Value::Null } else { serde_json::from_str(&text).unwrap() };
    if status.is_client_error() || status.is_server_error() {
        assert!(body["code"].is_string() && body["detail"].is_string(), "no problem: {status} {body}");
    }
    assert_ne!(status, StatusCode::INTERNAL_SERVER_ERROR, "{body}");
    Answer { status: status.as_u16(), body }
}

impl AgentApp {
    /// The app of whoever has this token, at a daemon that listens there.
    pub fn new(client: reqwest::Client, daemon: SocketAddr, token: &str) -> Self {
        Self { client, api: format!("http://{daemon}/api/v1"), token: token.to_owned(), key: None }
    }
}

/// What the machine needs for a request, as a rule.
const MOMENT: Duration = Duration::from_millis(50);

impl House {
    /// An agent's app, signed in.
    pub fn app(&self, phone: &str) -> AgentApp {
        self.caller(&self.tokens[phone])
    }

    /// Whoever holds the bootstrap token.
    pub fn bootstrap(&self) -> AgentApp {
        self.caller(BOOTSTRAP)
    }

    /// Whoever calls with this token.
    pub fn caller(&self, token: &str) -> AgentApp {
        AgentApp::new(self.client.clone(), self.ready.http, token)
    }

    /// Does something at the API that waits for Twilio, and lets time pass meanwhile. On a busy machine a request is on its way
    /// for long without anybody knowing of it: the house's clock gives it a moment of the machine's at each turn.
    pub async fn meanwhile<T>(&self, doing: impl Future<Output = T>) -> T {
        tokio::pin!(doing);
        loop {
            if let Ok(done) = tokio::time::timeout(MOMENT, &mut doing).await {
                self.quiet().await;
                return done;
            }
            self.pass(super::TURN).await;
        }
    }

    /// An agent's devices, as their owner sees them.
    pub fn devices(&self, phone: &str) -> Vec<DeviceView> {
        self.twilio.snapshot().devices.into_iter().filter(|device| device.owner == phone).collect()
    }

    /// What each of an agent's devices shows now, by type.
    pub fn shows(&self, phone: &str) -> Vec<Vec<String>> {
        let kinds = |device: &DeviceView| device.showing().map(|one| one.kind.clone()).collect();
        self.devices(phone).iter().map(kinds).collect()
    }

    /// All notifications of a type that an agent's first device got, whatever became of them.
    pub fn notified(&self, phone: &str, kind: &str) -> Vec<NotificationView> {
        let device = self.devices(phone).into_iter().next().unwrap();
        device.notifications.into_iter().filter(|one| one.kind == kind).collect()
    }
}
