//! A stand-in for every provider: it notes what it is sent, and answers as it is told.

use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    sync::{Arc, Mutex},
    time::Duration,
};

use serde_json::Value;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::watch,
};

/// How long the machine may take for what takes no time on the test's clock.
const LIMIT: Duration = Duration::from_secs(20);
/// Where access tokens are.
pub const TOKENS: &str = "/token";
/// Where FCM takes messages.
pub const FCM: &str = "/v1/projects/offdesk-test/messages:send";

/// A POST as it came.
#[derive(Clone, Debug)]
pub struct Request {
    pub path: String,
    pub headers: BTreeMap<String, String>,
    pub body: Vec<u8>,
}

impl Request {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    pub fn header(&self, name: &str) -> &str {
        &self.headers[name]
    }
}

/// How a request is answered.
#[derive(Clone, Debug)]
pub enum Reply {
    Status(u16),
    /// With a header line or none, and a body.
    Full(u16, &'static str, String),
    /// Not at all.
    Silence,
}

#[derive(Clone)]
pub struct Provider {
    pub url: String,
    state: Arc<Mutex<State>>,
    count: Arc<watch::Sender<usize>>,
}

#[derive(Default)]
struct State {
    requests: Vec<Request>,
    replies: HashMap<String, VecDeque<Reply>>,
    tokens: usize,
}

impl Provider {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let this = Self { url, state: Arc::default(), count: Arc::new(watch::channel(0).0) };
        let server = this.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(server.clone().serve(stream));
            }
        });
        this
    }

    /// How requests to this path are answered, one after the other; further ones are taken.
    pub fn answer(&self, path: &str, replies: impl IntoIterator<Item = Reply>) {
        self.state.lock().unwrap().replies.entry(path.to_owned()).or_default().extend(replies);
    }

    /// What came to this path so far.
    pub fn requests(&self, path: &str) -> Vec<Request> {
        self.state.lock().unwrap().requests.iter().filter(|request| request.path == path).cloned().collect()
    }

    /// Everything that came, access tokens apart, once there are so many.
    pub async fn received(&self, count: usize) -> Vec<Request> {
        let mut received = self.count.subscribe();
        let enough = received.wait_for(|received| *received >= count);
        tokio::time::timeout(LIMIT, enough).await.expect("too little was sent").unwrap();
        let state = self.state.lock().unwrap();
        state.requests.iter().filter(|request| request.path != TOKENS).cloned().collect()
    }

    async fn serve(self, mut stream: TcpStream) {
        let Some(request) = read(&mut stream).await else { return };
        let reply = self.take(request);
        let (status, header, body) = match reply {
            Reply::Silence => return std::future::pending().await,
            Reply::Status(status) => (status, "", String::new()),
            Reply::Full(status, header, body) => (status, header, body),
        };
        let length = body.len();
        let answer =
            format!("HTTP/1.1 {status} X\r\nConnection: close\r\nContent-Length: {length}\r\n{header}\r\n{body}");
        // Who asked may be gone.
        let _ = stream.write_all(answer.as_bytes()).await;
    }

    fn take(&self, request: Request) -> Reply {
        let mut state = self.state.lock().unwrap();
        let told = state.replies.get_mut(&request.path).and_then(VecDeque::pop_front);
        let is_token = request.path == TOKENS;
        state.requests.push(request);
        if is_token {
            state.tokens += 1;
            let token =
                format!(r#"{{"access_token":"token-{}","expires_in":3599,"token_type":"Bearer"}}"#, state.tokens);
            return told.unwrap_or(Reply::Full(200, "", token));
        }
        self.count.send_modify(|count| *count += 1);
        told.unwrap_or(Reply::Full(200, "", r#"{"name":"projects/offdesk-test/messages/0:1"}"#.to_owned()))
    }
}

async fn read(stream: &mut TcpStream) -> Option<Request> {
    let mut bytes = Vec::new();
    loop {
        if let Some(request) = parsed(&bytes) {
            return Some(request);
        }
        let mut chunk = [0; 4096];
        match stream.read(&mut chunk).await {
            Ok(count) if count > 0 => bytes.extend_from_slice(&chunk[..count]),
            _ => return None,
        }
    }
}

/// The request, once it is whole.
fn parsed(bytes: &[u8]) -> Option<Request> {
    let end = bytes.windows(4).position(|window| window == b"\r\n\r\n")?;
    let head = std::str::from_utf8(&bytes[..end]).unwrap();
    let (line, rest) = head.split_once("\r\n").unwrap();
    let headers: BTreeMap<_, _> = rest
        .lines()
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
        .collect();
    let body = &bytes[end + 4..];
    let length: usize = headers.get("content-length").map_or(0, |length| length.parse().unwrap());
    let path = line.split(' ').nth(1).unwrap().to_owned();
    (body.len() >= length).then(|| Request { path, headers, body: body[..length].to_vec() })
}
