//! What a push costs, and how long it takes.
//!
//! The sender alone, CPU time a push: ours against npm's `web-push`, and against undici over HTTP/2 for FCM. All send the same
//! bytes over TLS to the same receiver, with 64 on their way, pinned to one core, in turns: what else the machine does falls on
//! all alike. The ratio decides. Then the same with the outbox in front of it, and the way from a webhook to the last of five
//! devices.

#![allow(clippy::unwrap_used, reason = "a measurement that cannot go on ends")]
#![allow(clippy::disallowed_methods, reason = "the machine's clock is what is measured by")]

#[path = "push/delivery.rs"]
mod delivery;
#[path = "push/sender.rs"]
mod sender;
mod support;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD as BASE64;
use serde_json::{Value, json};
use support::figures::{Runs, Targets, micros_each};
use support::process::Server;
use tempfile::TempDir;

const COUNT: usize = 10_000;
const WARM_UP: usize = 1_000;
const IN_FLIGHT: usize = 64;
const RUNS: usize = 5;
const SUBSCRIBERS: usize = 256;
/// What RFC 8188 adds to a message of one record: its head, the delimiter and the tag.
const ENCRYPTION: usize = 21 + 65 + 1 + 16;

/// Who sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Who {
    WebPush,
    Fcm,
    Outbox,
}

impl Who {
    const ALL: [Self; 3] = [Self::WebPush, Self::Fcm, Self::Outbox];

    const fn argument(self) -> &'static str {
        match self {
            Self::WebPush => "--webpush",
            Self::Fcm => "--fcm",
            Self::Outbox => "--outbox",
        }
    }
}

fn main() -> ExitCode {
    if let Some(who) = Who::ALL.into_iter().find(|who| support::argument(who.argument())) {
        sender::run(who);
        return ExitCode::SUCCESS;
    }
    let mut targets = Targets::default();
    compare(&mut targets);
    delivery::measure(&mut targets);
    targets.exit_code()
}

/// A receiver, and the folder of whoever sends to it.
struct Bench {
    folder: TempDir,
    receiver: Server,
}

impl Bench {
    fn new() -> Self {
        let mut receiver = node("push-receiver.mjs");
        receiver.env("OFFDESK_CERT", tls("cert.pem")).env("OFFDESK_KEY", tls("key.pem"));
        let folder = TempDir::new_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        let bench = Self { folder, receiver: Server::start(receiver) };
        fs::write(bench.plan(), bench.of_subscribers().to_string()).unwrap();
        bench
    }

    fn plan(&self) -> PathBuf {
        self.folder.path().join("plan.json")
    }

    fn url(&self) -> String {
        format!("https://localhost:{}", self.receiver.ready()["port"])
    }

    fn of_subscribers(&self) -> Value {
        let subscription = |number: usize| {
            let (point, _) = key();
            let auth = BASE64.encode(number.to_be_bytes().repeat(2));
            json!({ "endpoint": format!("{}/push/{number}", self.url()), "keys": { "p256dh": point, "auth": auth } })
        };
        let (public, private) = key();
        json!({
            "subscriptions": (0..SUBSCRIBERS).map(subscription).collect::<Vec<_>>(),
            "vapid": { "publicKey": public, "privateKey": private, "subject": "mailto:ops@example.com" },
            "url": format!("{}/v1/projects/bench/messages:send", self.url()),
            "origin": self.url(),
            "warm_up": WARM_UP, "count": COUNT, "in_flight": IN_FLIGHT,
        })
    }

    /// CPU time of a push by our own sender, in microseconds.
    fn ours(&self, who: Who) -> f64 {
        let mut command = pinned(std::env::current_exe().unwrap());
        command.arg(who.argument());
        self.measure(command)
    }

    /// The same by a Node program that sends these bytes.
    fn node(&self, kind: &str, body: &str) -> f64 {
        let mut plan: Value = serde_json::from_slice(&fs::read(self.plan()).unwrap()).unwrap();
        plan["kind"] = kind.into();
        plan["body"] = body.into();
        fs::write(self.plan(), plan.to_string()).unwrap();
        let mut command = pinned(std::env::var_os("OFFDESK_NODE").unwrap().into());
        command
            .arg(script("push-sender.mjs"))
            .env("NODE_EXTRA_CA_CERTS", tls("cert.pem"))
            .env("NODE_ENV", "production");
        self.measure(command)
    }

    fn measure(&self, mut command: Command) -> f64 {
        command.env("OFFDESK_PLAN", self.plan()).env("OFFDESK_CERT", tls("cert.pem")).stderr(Stdio::inherit());
        let said = command.output().unwrap();
        assert!(said.status.success(), "{command:?} has failed");
        let figures: Value = serde_json::from_slice(&said.stdout).unwrap();
        micros_each(std::time::Duration::from_micros(figures["cpu_us"].as_u64().unwrap()), COUNT)
    }

    /// The body of the last push that came.
    fn last_body(&self) -> Vec<u8> {
        let url = format!("http://127.0.0.1:{}/", self.receiver.ready()["control"]);
        let text = delivery::get(&url);
        let state: Value = serde_json::from_str(&text).unwrap();
        BASE64.decode(state["body"].as_str().unwrap()).unwrap()
    }
}

fn compare(targets: &mut Targets) {
    let bench = Bench::new();
    bench.ours(Who::WebPush);
    let payload = "x".repeat(bench.last_body().len() - ENCRYPTION);
    bench.ours(Who::Fcm);
    let request = String::from_utf8(bench.last_body()).unwrap();
    println!("a web push of {} bytes before encryption, a request to FCM of {}", payload.len(), request.len());
    let (mut web, mut npm, mut fcm, mut undici, mut outbox) = (vec![], vec![], vec![], vec![], vec![]);
    for run in 1..=RUNS {
        web.push(bench.ours(Who::WebPush));
        npm.push(bench.node("webpush", &payload));
        fcm.push(bench.ours(Who::Fcm));
        undici.push(bench.node("fcm", &request));
        outbox.push(bench.ours(Who::Outbox));
        eprintln!("run {run} of {RUNS}");
    }
    let ratio = |what: &str, theirs: &[f64], ours: &[f64]| {
        let runs = Runs::new(theirs.iter().zip(ours).map(|(theirs, ours)| theirs / ours), "times");
        println!("{what:<44} {runs}");
        runs.median()
    };
    let row = |what: &str, values: &[f64]| println!("{what:<44} {}", Runs::new(values.iter().copied(), "µs of CPU"));
    row("offdesk, a web push", &web);
    row("npm's web-push", &npm);
    row("offdesk, a push by FCM", &fcm);
    row("undici over HTTP/2, the same request", &undici);
    row("offdesk, a web push through the outbox", &outbox);
    let (over_npm, over_undici) = (ratio("web-push / offdesk", &npm, &web), ratio("undici / offdesk", &undici, &fcm));
    let kept = ratio("offdesk alone / with the outbox", &web, &outbox);
    targets.at_least("CPU economy over npm's web-push (median)", over_npm, 3.5);
    targets.at_least("CPU economy over undici (median)", over_undici, 3.0);
    targets.at_least("what is left of it with the outbox", kept, 0.5);
}

/// A point and its secret number, both in base64url.
fn key() -> (String, String) {
    let der = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new()).unwrap();
    let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, der.as_ref()).unwrap();
    // RFC 5915: an octet string of 32 bytes behind version 1.
    let marker = [0x02, 0x01, 0x01, 0x04, 0x20];
    let at = der.as_ref().windows(5).position(|window| window == marker).unwrap() + marker.len();
    (BASE64.encode(pair.public_key()), BASE64.encode(&der.as_ref()[at..at + 32]))
}

/// On one core, whatever runs there beside it.
fn pinned(program: PathBuf) -> Command {
    let mut command = Command::new("taskset");
    command.args(["--cpu-list", "1"]).arg(program);
    command
}

fn node(name: &str) -> Command {
    let unknown = || panic!("run it by `cargo xtask bench`, which says where Node is");
    let mut command = Command::new(std::env::var_os("OFFDESK_NODE").unwrap_or_else(unknown));
    command.arg(script(name));
    command
}

fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/counterparts/node").join(name)
}

/// The certificate of the tests: for localhost.
fn tls(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/e2e/cli/tls").join(name)
}
