//! Apps that look on.

use std::sync::{Mutex, PoisonError};

use serde_json::{Value, json};

use crate::{
    counterparts::Listener,
    house::{AgentApp, House},
};

/// How long the machine may take for what takes no time on the house's clock, in seconds.
const LIMIT: f64 = 20.0;

/// The client's process, with as many connections as are wanted.
pub struct Ears(Mutex<(Listener, u64)>);

/// One connection.
pub struct Ear<'a> {
    ears: &'a Ears,
    number: u64,
}

/// What comes over a connection.
#[derive(Clone, Debug, PartialEq)]
pub enum Heard {
    Frame(Value),
    Closed(u64, String),
    Nothing,
}

impl Ears {
    pub fn new() -> Self {
        Self(Mutex::new((Listener::start(), 0)))
    }

    fn ask(&self, question: &Value) -> Value {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).0.ask(question)
    }

    fn number(&self) -> u64 {
        let mut own = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        own.1 += 1;
        own.1
    }

    /// Opens a connection, or answers the refusal's status and code.
    pub fn try_open(&self, house: &House, query: &str, headers: &Value) -> Result<Ear<'_>, (u64, String)> {
        let (number, url) = (self.number(), format!("ws://{}/api/v1/events{query}", house.ready.http));
        let answer = self.ask(&json!({ "do": "open", "id": number, "url": url, "headers": headers }));
        match answer["refused"].as_u64() {
            None => Ok(Ear { ears: self, number }),
            Some(status) => {
                let body: Value = serde_json::from_str(answer["body"].as_str().unwrap()).unwrap_or_default();
                Err((status, body["code"].as_str().unwrap_or_default().to_owned()))
            }
        }
    }

    /// An app of this agent looks on, perhaps from where it left off.
    pub fn open(&self, house: &House, app: &AgentApp, after: Option<u64>) -> Ear<'_> {
        let query = after.map(|after| format!("?after={after}")).unwrap_or_default();
        self.try_open(house, &query, &json!({ "Authorization": format!("Bearer {}", app.token) })).unwrap()
    }
}

impl Ear<'_> {
    fn ask(&self, mut question: Value) -> Value {
        question["id"] = json!(self.number);
        self.ears.ask(&question)
    }

    fn wait(&self, within: f64) -> Heard {
        let heard = self.ask(json!({ "do": "next", "within": within }));
        if let Some(text) = heard["text"].as_str() {
            return Heard::Frame(serde_json::from_str(text).unwrap());
        }
        let closed = heard["closed"].as_u64();
        closed.map_or(Heard::Nothing, |code| Heard::Closed(code, heard["reason"].as_str().unwrap().to_owned()))
    }

    /// The next frame.
    pub fn frame(&self) -> Value {
        match self.wait(LIMIT) {
            Heard::Frame(frame) => frame,
            other => panic!("no frame: {other:?}"),
        }
    }

    /// The next frame of this type, whatever comes before it.
    pub fn next(&self, kind: &str) -> Value {
        loop {
            let frame = self.frame();
            if frame["type"] == kind {
                return frame;
            }
        }
    }

    /// What has come by now: a ping is answered behind it.
    pub fn so_far(&self) -> Vec<Value> {
        self.ping();
        let mut frames = Vec::new();
        while let Heard::Frame(frame) = self.wait(0.0) {
            frames.push(frame);
        }
        frames
    }

    /// The types of what has come by now.
    pub fn types(&self) -> Vec<String> {
        self.so_far().iter().map(|frame| frame["type"].as_str().unwrap().to_owned()).collect()
    }

    /// Why it ends, whatever comes before that.
    pub fn end(&self) -> (u64, String) {
        loop {
            match self.wait(LIMIT) {
                Heard::Frame(_) => {}
                Heard::Closed(code, reason) => return (code, reason),
                Heard::Nothing => panic!("it does not end"),
            }
        }
    }

    pub fn says(&self, frame: &Value) {
        self.ask(json!({ "do": "send", "text": frame.to_string() }));
    }

    /// Whether a ping is answered.
    pub fn ping(&self) -> bool {
        self.ask(json!({ "do": "ping", "within": LIMIT }))["pong"] == true
    }

    /// Goes, with a word or without one.
    pub fn close(self) {
        self.ask(json!({ "do": "close" }));
    }

    pub fn drop_off(self) {
        self.ask(json!({ "do": "drop" }));
    }
}
