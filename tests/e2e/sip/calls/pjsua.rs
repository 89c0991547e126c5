//! pjsua2 as the agent's softphone: `tests/counterparts/python/softphone.py`.

use std::{
    io::{BufRead, BufReader},
    process::Command,
    time::Duration,
};

use serde_json::Value;
use tokio::sync::mpsc;

use super::{AGENT, in_time};
use crate::{
    counterparts::setting,
    sip::{SipHouse, softphones::Running, text},
};

/// What it tells is read on a thread of its own; more than this is never told before somebody asks.
const TOLD: usize = 1_000;

pub(crate) struct Pjsua {
    phone: Running,
    told: mpsc::Receiver<Value>,
}

impl Pjsua {
    /// With Ada's account, as `SipHouse::account` gave it; answers once it is registered.
    pub(super) async fn registers(house: &SipHouse, account: &Value) -> Self {
        Self::with_contact(house, account, "", 60).await
    }

    /// `contact`: further parameters of its Contact's address. `expires`: seconds that it registers for.
    pub(super) async fn with_contact(house: &SipHouse, account: &Value, contact: &str, expires: u32) -> Self {
        let (user, password) = (text(account, "username"), text(account, "password"));
        Self::start([user, password, &house.at.to_string()], contact, expires).await
    }

    /// With a user, their password, and the gateway's host and port; answers once it is registered.
    pub(crate) async fn start(account: [&str; 3], contact: &str, expires: u32) -> Self {
        let mut python = Command::new(setting("OFFDESK_SOFTPHONES"));
        python.arg(format!("{}/tests/counterparts/python/softphone.py", env!("CARGO_MANIFEST_DIR")));
        python.args(account).args(["udp", &AGENT.to_string(), contact]).env("SOFTPHONE_EXPIRES", expires.to_string());
        let mut phone = Running::start(&mut python);
        let lines = BufReader::new(phone.0.stdout.take().unwrap()).lines();
        let (tell, told) = mpsc::channel(TOLD);
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok).filter(|line| line.starts_with('{')) {
                if tell.blocking_send(serde_json::from_str(&line).unwrap()).is_err() {
                    return;
                }
            }
        });
        let mut phone = Self { phone, told };
        phone.until(|told| told["code"] == 200).await;
        phone
    }

    pub(crate) fn say(&mut self, line: &str) {
        self.phone.say(line);
    }

    /// Waits until it tells something like this.
    pub(super) async fn until(&mut self, mut so: impl FnMut(&Value) -> bool) -> Value {
        let telling = async {
            loop {
                let told = self.told.recv().await.expect("the softphone runs");
                if so(&told) {
                    return told;
                }
            }
        };
        in_time(telling, "the softphone").await
    }

    pub(crate) async fn rings(&mut self) {
        self.until(|told| told["call"] == "INCOMING").await;
    }

    /// Waits until it hears a pitch; answers when that was, in seconds since 1970.
    pub(crate) async fn hears(&mut self, hz: u32) -> f64 {
        self.until(|told| told["hears"] == hz).await["at"].as_f64().unwrap()
    }

    /// Waits until it hears a pitch from now on.
    pub(super) async fn hears_now(&mut self, hz: u32) {
        while self.told.try_recv().is_ok() {}
        self.say("listen");
        self.hears(hz).await;
    }

    /// Holds its call; answers once the other side has taken that.
    pub(super) async fn holds(&mut self) {
        self.say("hold");
        self.until(|told| told["media"] == "held").await;
    }

    /// Waits until its call is over; answers the last status code of it.
    pub(crate) async fn is_over(&mut self) -> u64 {
        self.until(|told| told["call"] == "DISCONNECTED").await["reason"].as_u64().unwrap()
    }

    /// Whether it has told of no call since somebody last asked.
    pub(super) fn heard_of_no_call(&mut self) -> bool {
        std::iter::from_fn(|| self.told.try_recv().ok()).all(|told| told.get("call").is_none())
    }
}

/// The time by which softphones tell of themselves.
#[allow(clippy::disallowed_methods, reason = "how long it really takes is the question")]
pub(crate) fn now() -> f64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.map_or(0.0, |since: Duration| since.as_secs_f64())
}
