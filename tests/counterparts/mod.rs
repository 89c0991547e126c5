//! The real counterparts that the gateway is held against, as child processes that answer JSON lines.
//!
//! `cargo xtask test` installs them and says where they are (`OFFDESK_NODE`, `OFFDESK_NODE_MODULES`, `OFFDESK_PYTHON`); it
//! also leaves a note in the cache folder, so that a test that is run by hand finds them. A test that needs one stands in a
//! module named `with_node` or `with_python`: that is how `--without` finds it.

// Each test binary that includes this module uses another part of it.
#![allow(dead_code, clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::env;
use std::fs::{self, OpenOptions};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde_json::{Value, json};

/// A script that answers each JSON line with one of its own.
#[derive(Debug)]
pub(crate) struct Counterpart {
    child: Child,
    questions: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

/// A webhook as Twilio signs it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Signed {
    /// The address with `bodySHA256` where the body is JSON: what the request goes to.
    pub(crate) url: String,
    /// The value of `X-Twilio-Signature`.
    pub(crate) signature: String,
}

/// Twilio's own library, in one of its languages.
#[derive(Debug)]
pub(crate) struct Signer(Counterpart);

/// Twilio's OpenAPI documents, read by Prism. The exchanges it judges are described in `node/oracle.mjs`.
#[derive(Debug)]
pub(crate) struct Oracle(Counterpart);

/// A browser and its push service: what they make of a web push.
#[derive(Debug)]
pub(crate) struct Browser(Counterpart);

/// Google's description of FCM, and a strict reading of it.
#[derive(Debug)]
pub(crate) struct FcmDocument(Counterpart);

/// Twilio's own library of TwiML.
#[derive(Debug)]
pub(crate) struct Twiml(Counterpart);

/// A WebSocket client; what it does is described in `python/events.py`.
#[derive(Debug)]
pub(crate) struct Listener(Counterpart);

/// What the oracle says of one exchange.
#[derive(Debug)]
pub(crate) struct Verdict {
    /// The `operationId`; none: Twilio has no such operation.
    pub(crate) operation: Option<String>,
    pub(crate) violations: Vec<String>,
}

// === impl Counterpart ===

impl Counterpart {
    fn start(mut command: Command) -> Self {
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let answers = BufReader::new(child.stdout.take().unwrap());
        Self { questions: child.stdin.take(), answers, child }
    }

    fn ask(&mut self, question: &Value) -> Value {
        let line = format!("{question}\n");
        self.questions.as_mut().unwrap().write_all(line.as_bytes()).unwrap();
        let mut answer = String::new();
        self.answers.read_line(&mut answer).unwrap();
        serde_json::from_str(&answer).unwrap_or_else(|cause| panic!("no answer to {question}: {cause}"))
    }
}

impl Drop for Counterpart {
    fn drop(&mut self) {
        // The end of its input is the end of it.
        drop(self.questions.take());
        let _ = self.child.wait();
    }
}

// === impl Signer ===

impl Signer {
    /// npm's `twilio`.
    pub(crate) fn node() -> Self {
        Self(Counterpart::start(node("sign.mjs")))
    }

    /// PyPI's `twilio`.
    pub(crate) fn python() -> Self {
        let mut command = Command::new(setting("OFFDESK_PYTHON"));
        command.arg(folder().join("python/sign.py"));
        Self(Counterpart::start(command))
    }

    /// Signs a form.
    pub(crate) fn form(&mut self, token: &str, url: &str, params: &[(&str, &str)]) -> Signed {
        self.sign(&json!({ "token": token, "url": url, "params": params }))
    }

    /// Signs a JSON body: its hash goes into the address.
    pub(crate) fn json(&mut self, token: &str, url: &str, body: &str) -> Signed {
        self.sign(&json!({ "token": token, "url": url, "body": body }))
    }

    fn sign(&mut self, question: &Value) -> Signed {
        let answer = self.0.ask(question);
        let text = |key: &str| answer[key].as_str().unwrap().to_owned();
        Signed { url: text("url"), signature: text("signature") }
    }
}

// === impl Oracle ===

impl Oracle {
    pub(crate) fn start() -> Self {
        Self(Counterpart::start(node("check-exchanges.mjs")))
    }

    /// What is wrong with a request, and with its answer if that is there: one line each.
    pub(crate) fn violations(&mut self, exchange: &Value) -> Vec<String> {
        self.judge(exchange).violations
    }

    /// The same, with the operation's name.
    pub(crate) fn judge(&mut self, exchange: &Value) -> Verdict {
        let verdict = self.0.ask(exchange);
        let text = |violation: &Value| {
            let field = |key: &str| violation[key].as_str().unwrap_or_default().to_owned();
            format!("{} {}: {}", field("part"), field("at"), field("message"))
        };
        let violations = verdict["violations"].as_array().unwrap().iter().map(text).collect();
        Verdict { operation: verdict["operation"].as_str().map(str::to_owned), violations }
    }
}

// === impl Browser ===

impl Browser {
    pub(crate) fn start() -> Self {
        Self(Counterpart::start(node("webpush.mjs")))
    }

    /// What it reads in a message; the question and the answer are described in `node/webpush.mjs`.
    pub(crate) fn read(&mut self, message: &Value) -> Value {
        self.0.ask(message)
    }
}

// === impl FcmDocument ===

impl FcmDocument {
    pub(crate) fn open() -> Self {
        let mut command = Command::new(setting("OFFDESK_PYTHON"));
        command.arg(folder().join("python/fcm.py"));
        Self(Counterpart::start(command))
    }

    /// What is wrong with the body of a `projects.messages.send`: one line each.
    pub(crate) fn violations(&mut self, body: &Value) -> Vec<String> {
        let violations = self.0.ask(body);
        violations.as_array().unwrap().iter().map(|violation| violation.as_str().unwrap().to_owned()).collect()
    }
}

// === impl Twiml ===

impl Twiml {
    pub(crate) fn start() -> Self {
        let mut command = Command::new(setting("OFFDESK_PYTHON"));
        command.arg(folder().join("python/twiml.py"));
        Self(Counterpart::start(command))
    }

    /// What is wrong with a document: one line each.
    pub(crate) fn violations(&mut self, document: &str) -> Vec<String> {
        let violations = self.0.ask(&json!(document));
        violations.as_array().unwrap().iter().map(|violation| violation.as_str().unwrap().to_owned()).collect()
    }
}

// === impl Listener ===

impl Listener {
    pub(crate) fn start() -> Self {
        let mut command = Command::new(setting("OFFDESK_PYTHON"));
        command.arg(folder().join("python/events.py"));
        Self(Counterpart::start(command))
    }

    /// Has it do something, and answers what came of it.
    pub(crate) fn ask(&mut self, question: &Value) -> Value {
        self.0.ask(question)
    }
}

/// Writes down exchanges, for `cargo xtask test` to judge all of them at once: a test that starts an [`Oracle`] of its own
/// pays a second for it. Does nothing when the test is run by hand.
pub(crate) fn record<'a>(test: &str, exchanges: impl IntoIterator<Item = &'a Value>) {
    let Some(folder) = env::var_os("OFFDESK_EXCHANGES") else { return };
    let name = format!("{}.jsonl", test.replace("::", "."));
    let lines: String = exchanges.into_iter().map(|exchange| format!("{exchange}\n")).collect();
    let mut file = OpenOptions::new().create(true).append(true).open(Path::new(&folder).join(name)).unwrap();
    file.write_all(lines.as_bytes()).unwrap();
}

/// Schemathesis, about to run.
pub(crate) fn schemathesis() -> Command {
    let mut command = Command::new(setting("OFFDESK_SCHEMATHESIS"));
    command.env("SCHEMATHESIS_HOOKS", folder().join("python/schemathesis_hooks.py"));
    command
}

/// A script of `node/`, about to be run.
pub(crate) fn node(script: &str) -> Command {
    let mut command = Command::new(setting("OFFDESK_NODE"));
    command.arg(folder().join("node").join(script)).env("OFFDESK_NODE_MODULES", setting("OFFDESK_NODE_MODULES"));
    command
}

fn folder() -> PathBuf {
    // As cargo says it at this run: what was compiled in may be another checkout's that shares the target folder.
    let root = env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
    Path::new(&root).join("tests/counterparts")
}

/// From the environment, else from what the last `cargo xtask test` noted.
pub(crate) fn setting(name: &str) -> String {
    env::var(name).ok().or_else(|| noted(name)).unwrap_or_else(|| {
        panic!("{name} is not set and no earlier run has noted it: run `cargo xtask test` once, it installs the counterparts")
    })
}

fn noted(name: &str) -> Option<String> {
    let home = || Some(PathBuf::from(env::var_os("HOME")?).join(".cache"));
    let cache = env::var_os("XDG_CACHE_HOME").filter(|value| !value.is_empty()).map(PathBuf::from).or_else(home)?;
    let note = fs::read_to_string(cache.join("offdesk/counterparts/env")).ok()?;
    note.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('=').map(str::to_owned))
}
