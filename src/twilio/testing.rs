//! A server that answers as it is told, to try the client with its faults.

use std::{
    fmt::Debug,
    str::FromStr,
    sync::{Arc, Mutex},
    time::Duration,
};

use secrecy::SecretString;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    runtime::Handle,
};
use url::Url;

use super::client::{Credentials, Endpoints, Limits, Settings, Twilio};
use crate::clock::Clock;

pub(super) const ACCOUNT: &str = "AC0123456789abcdef0123456789abcdef";
pub(super) const WORKSPACE: &str = "WS0123456789abcdef0123456789abcdef";
pub(super) const WORKER: &str = "WK0123456789abcdef0123456789abcdef";
pub(super) const TASK: &str = "WT0123456789abcdef0123456789abcdef";
pub(super) const RESERVATION: &str = "WR0123456789abcdef0123456789abcdef";
pub(super) const WORKFLOW: &str = "WW0123456789abcdef0123456789abcdef";

/// What to do with one connection; each serves one request.
#[derive(Clone)]
pub(super) enum Reply {
    Answer {
        status: u16,
        headers: &'static str,
        body: String,
    },
    /// Closes before a byte is read.
    Hangup,
    /// Reads the request and closes.
    HangupAfterReading,
    /// Closes in the middle of a 200.
    HalfAnAnswer,
    /// Reads the request and says nothing.
    Silence,
}

impl Reply {
    pub(super) fn ok(body: impl Into<String>) -> Self {
        Self::Answer { status: 200, headers: "", body: body.into() }
    }

    pub(super) fn status(status: u16) -> Self {
        Self::Answer { status, headers: "", body: "{}".to_owned() }
    }

    pub(super) fn with_header(status: u16, header: &'static str) -> Self {
        Self::Answer { status, headers: header, body: "{}".to_owned() }
    }
}

/// The stand-in: it gives its replies one after the other, the last one for ever.
pub(super) struct Fake {
    pub(super) url: Url,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Fake {
    pub(super) async fn start(replies: impl FnOnce(&Url) -> Vec<Reply>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url: Url = format!("http://{}", listener.local_addr().unwrap()).parse().unwrap();
        let requests: Arc<Mutex<Vec<String>>> = Arc::default();
        tokio::spawn(serve(listener, replies(&url), Arc::clone(&requests)));
        Self { url, requests }
    }

    pub(super) async fn replying(replies: impl Into<Vec<Reply>>) -> Self {
        let replies = replies.into();
        Self::start(|_| replies).await
    }

    /// Every connection that was made, with what was read from it.
    pub(super) fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }

    pub(super) fn client(&self) -> Twilio {
        self.client_with(Limits::default(), Clock::system())
    }

    pub(super) fn client_with(&self, limits: Limits, clock: Clock) -> Twilio {
        Twilio::new(Settings { limits, ..settings(&self.url) }, clock, Handle::current()).unwrap()
    }
}

pub(super) fn settings(url: &Url) -> Settings {
    // Another test of this process may have been first.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    Settings {
        account_sid: ACCOUNT.parse().unwrap(),
        credentials: Credentials::AuthToken(SecretString::from("token")),
        endpoints: Endpoints::all_at(url),
        workspace_sid: Some(WORKSPACE.parse().unwrap()),
        limits: Limits::default(),
        extra_roots_pem: None,
    }
}

/// Limits that do not keep a test waiting.
pub(super) fn impatient() -> Limits {
    Limits { timeout: Duration::from_millis(200), ..Limits::default() }
}

/// A page of a list.
pub(super) fn page(key: &str, items: Vec<Value>, next: Option<String>) -> Reply {
    let mut body = json!({ "meta": { "next_page_url": next, "key": key } });
    body[key] = Value::Array(items);
    Reply::ok(body.to_string())
}

/// Method, path and query, and the fields of the form, decoded.
pub(super) fn parts(request: &str) -> (String, Vec<(String, String)>) {
    let (head, body) = request.split_once("\r\n\r\n").unwrap();
    let line = head.lines().next().unwrap().trim_end_matches(" HTTP/1.1").to_owned();
    (line, form_urlencoded::parse(body.as_bytes()).into_owned().collect())
}

pub(super) fn sid<T: FromStr<Err: Debug>>(text: &str) -> T {
    text.parse().unwrap()
}

async fn serve(listener: TcpListener, replies: Vec<Reply>, requests: Arc<Mutex<Vec<String>>>) {
    let mut served = 0;
    while let Ok((stream, _)) = listener.accept().await {
        let reply = replies[served.min(replies.len() - 1)].clone();
        served += 1;
        tokio::spawn(answer(stream, reply, Arc::clone(&requests)));
    }
}

async fn answer(mut stream: TcpStream, reply: Reply, requests: Arc<Mutex<Vec<String>>>) {
    if matches!(reply, Reply::Hangup) {
        requests.lock().unwrap().push(String::new());
        return;
    }
    let request = read_request(&mut stream).await;
    requests.lock().unwrap().push(request);
    let text = match reply {
        Reply::Hangup | Reply::HangupAfterReading => return,
        Reply::Silence => return std::future::pending().await,
        Reply::HalfAnAnswer => "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{".to_owned(),
        Reply::Answer { status, headers, body } => {
            format!("HTTP/1.1 {status} X\r\nConnection: close\r\nContent-Length: {}\r\n{headers}\r\n{body}", body.len())
        }
    };
    // The client may be gone.
    let _ = stream.write_all(text.as_bytes()).await;
}

async fn read_request(stream: &mut TcpStream) -> String {
    let mut read = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&read);
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head
                .lines()
                .find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length:").map(str::to_owned))
                .map_or(0, |length| length.trim().parse().unwrap());
            if body.len() >= length {
                return text.into_owned();
            }
        }
        let mut chunk = [0; 4096];
        match stream.read(&mut chunk).await {
            Ok(count) if count > 0 => read.extend_from_slice(&chunk[..count]),
            _ => return String::from_utf8_lossy(&read).into_owned(),
        }
    }
}
