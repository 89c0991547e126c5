//! Delivers webhooks as Twilio does: signed, form-encoded, one after the other to each destination
//! (<https://www.twilio.com/docs/usage/webhooks/webhooks-connection-overrides>).

use std::{
    collections::HashMap,
    hash::{DefaultHasher, Hash, Hasher},
    sync::Arc,
    time::Duration,
};

use tokio::sync::mpsc;

use crate::{
    engine::Engine,
    faults::Reorder,
    log::{FlowDirection, LogEntry},
    signature::{sign, without_fragment},
    world::sid::SidMaker,
};

/// Webhooks that wait for one destination. Past it they are lost: a destination that is so far behind gets no replay.
const LANE: usize = 4_096;
/// How long a reordering waits for more, in real time.
const QUIET: Duration = Duration::from_millis(150);
/// What of an answer the log keeps, in bytes.
pub(crate) const ANSWER_KEPT: usize = 4_096;

/// One webhook to send.
#[derive(Clone, Debug)]
pub(crate) struct Webhook {
    /// With the fragment that overrides how it is sent.
    pub(crate) url: String,
    pub(crate) params: Vec<(String, String)>,
    /// `I-Twilio-Idempotency-Token`.
    pub(crate) token: String,
}

impl Webhook {
    pub(crate) fn log_entry(&self, at_ms: u64, status: Option<u16>, answer: &str, note: Option<&str>) -> LogEntry {
        let find = |name: &str| self.params.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone());
        let name = find("EventType")
            .or_else(|| find("StatusCallbackEvent"))
            .or_else(|| find("CallStatus").map(|status| format!("call {status}")))
            .or_else(|| find("RecordingStatus").map(|status| format!("recording {status}")));
        LogEntry {
            id: 0,
            at_ms,
            direction: FlowDirection::Webhook,
            name: name.unwrap_or_default(),
            method: "POST".to_owned(),
            url: self.url.clone(),
            params: self.params.clone(),
            status,
            answer: answer.to_owned(),
            note: note.map(str::to_owned),
            token: Some(self.token.clone()),
        }
    }

    /// What it must stay in order with: all queries of one path are one destination, which may have several lanes; a
    /// task's webhooks share one.
    fn lane(&self, lanes: usize) -> (String, u64) {
        let url = without_fragment(&self.url);
        let destination = url.split_once('?').map_or(url, |(path, _)| path).to_owned();
        let subjects = ["TaskSid", "FriendlyName", "WorkerSid", "CallSid"];
        let subject = subjects.iter().find_map(|name| self.params.iter().find(|(known, _)| known == name));
        let mut hash = DefaultHasher::new();
        subject.map(|(_, value)| value).hash(&mut hash);
        (destination, hash.finish() % lanes.max(1) as u64)
    }
}

/// What every lane sends with.
#[derive(Clone)]
pub(crate) struct Sender {
    pub(crate) client: reqwest::Client,
    pub(crate) auth_token: String,
    /// Lanes a destination.
    pub(crate) lanes: usize,
}

struct Job {
    webhook: Webhook,
    /// On the sandbox's clock.
    not_before: u64,
}

/// Takes webhooks from the engine, lets the faults have their way, and hands them to their destinations' lanes.
pub(crate) async fn dispatch(engine: Arc<Engine>, mut webhooks: mpsc::Receiver<Webhook>, sender: Sender) {
    let mut lanes: HashMap<_, mpsc::Sender<Job>> = HashMap::new();
    let mut tokens = SidMaker::new(u64::MAX);
    let mut held: Vec<Webhook> = Vec::new();
    loop {
        let next = if held.is_empty() {
            match webhooks.recv().await {
                Some(webhook) => Some(webhook),
                None => return,
            }
        } else {
            tokio::time::timeout(QUIET, webhooks.recv()).await.ok().flatten()
        };
        let quiet = next.is_none();
        held.extend(next.map(|webhook| with_duplicates(&engine, webhook, &mut tokens)).unwrap_or_default());
        let reorder = engine.with(|inner| inner.faults.webhooks.reorder);
        if let Some(order) = reorder.filter(|order| !quiet && held.len() < order.window) {
            tracing::trace!(held = held.len(), window = order.window, "webhooks wait to be reordered");
            continue;
        }
        if let Some(order) = reorder {
            Reorder::apply(order, &mut held);
        }
        for webhook in held.drain(..) {
            let lane = lanes
                .entry(webhook.lane(sender.lanes))
                .or_insert_with(|| open_lane(Arc::clone(&engine), sender.clone()));
            hand_over(&engine, lane, webhook);
        }
    }
}

fn hand_over(engine: &Engine, lane: &mpsc::Sender<Job>, webhook: Webhook) {
    let now = engine.time.now_ms();
    let not_before = now + engine.with(|inner| inner.faults.webhooks.delay_ms);
    if not_before > now {
        engine.hold_back(not_before);
    }
    if let Err(refused) = lane.try_send(Job { webhook, not_before }) {
        engine.let_go(not_before);
        let webhook = refused.into_inner().webhook;
        engine.log(webhook.log_entry(now, None, "", Some("lost: the destination is too far behind")));
        engine.webhook_done();
    }
}

/// The webhook as often as the faults want it: not at all, once, or more.
fn with_duplicates(engine: &Engine, webhook: Webhook, tokens: &mut SidMaker) -> Vec<Webhook> {
    let (lost, faults) = engine.with(|inner| (inner.faults.take_webhook_drop(), inner.faults.webhooks.clone()));
    if lost {
        engine.log(webhook.log_entry(engine.time.now_ms(), None, "", Some("fault: not sent")));
        engine.webhook_done();
        return Vec::new();
    }
    engine.webhooks_added(usize::from(faults.duplicates));
    let mut all = vec![webhook.clone()];
    for _ in 0..faults.duplicates {
        let token = if faults.duplicates_with_new_token { tokens.make("").to_string() } else { webhook.token.clone() };
        all.push(Webhook { token, ..webhook.clone() });
    }
    all
}

fn open_lane(engine: Arc<Engine>, sender: Sender) -> mpsc::Sender<Job> {
    let (lane, mut jobs) = mpsc::channel::<Job>(LANE);
    actix_web::rt::spawn(async move {
        while let Some(job) = jobs.recv().await {
            if job.not_before > engine.time.now_ms() {
                engine.time.sleep_until(job.not_before).await;
            }
            engine.let_go(job.not_before);
            send(&engine, &sender, &job.webhook).await;
            engine.webhook_done();
        }
    });
    lane
}

async fn send(engine: &Engine, sender: &Sender, webhook: &Webhook) {
    let policy = Policy::of(&webhook.url);
    for attempt in 0..=policy.retries {
        let outcome = attempt_once(sender, webhook, &policy).await;
        let last = attempt == policy.retries || !policy.repeats(&outcome);
        let (status, answer, note) = match &outcome {
            Outcome::Answered(status, answer) => (Some(*status), answer.as_str(), None),
            Outcome::NotConnected(cause) | Outcome::NotAnswered(cause) => (None, "", Some(cause.as_str())),
        };
        engine.log(webhook.log_entry(engine.time.now_ms(), status, answer, note));
        if last {
            return;
        }
    }
}

enum Outcome {
    Answered(u16, String),
    NotConnected(String),
    NotAnswered(String),
}

async fn attempt_once(sender: &Sender, webhook: &Webhook, policy: &Policy) -> Outcome {
    let sent = sender
        .client
        .post(without_fragment(&webhook.url))
        .timeout(policy.total)
        .header("X-Twilio-Signature", sign(&sender.auth_token, &webhook.url, &webhook.params))
        .header("I-Twilio-Idempotency-Token", &webhook.token)
        .header("User-Agent", "TwilioProxy/1.1")
        .form(&webhook.params)
        .send()
        .await;
    match sent {
        Ok(response) => {
            let status = response.status().as_u16();
            let mut answer = response.text().await.unwrap_or_default();
            answer.truncate(answer.floor_char_boundary(ANSWER_KEPT));
            Outcome::Answered(status, answer)
        }
        Err(error) if error.is_connect() => Outcome::NotConnected("no connection".to_owned()),
        Err(error) if error.is_timeout() => Outcome::NotAnswered("no answer in time".to_owned()),
        Err(_) => Outcome::NotAnswered("the connection broke".to_owned()),
    }
}

/// How a URL wants to be called: Twilio's defaults, or what its fragment says (`#rc=3&rp=all&rt=5000`).
#[derive(Clone, Debug, PartialEq, Eq)]
struct Policy {
    retries: u8,
    on_connect: bool,
    on_timeout: bool,
    on_4xx: bool,
    on_5xx: bool,
    total: Duration,
}

impl Policy {
    fn of(url: &str) -> Self {
        let fragment = url.split_once('#').map_or("", |(_, fragment)| fragment);
        let all: HashMap<_, _> = form_urlencoded::parse(fragment.as_bytes()).into_owned().collect();
        let number = |name: &str| all.get(name).and_then(|value| value.parse::<u64>().ok());
        let policies = all.get("rp").map_or("ct", String::as_str);
        let on = |name: &str| policies.split(',').any(|one| one == name || one == "all");
        Self {
            retries: u8::try_from(number("rc").unwrap_or(1).min(5)).unwrap_or(1),
            on_connect: on("ct"),
            on_timeout: on("rt"),
            on_4xx: on("4xx"),
            on_5xx: on("5xx"),
            total: Duration::from_millis(number("rt").or_else(|| number("tt")).unwrap_or(15_000).clamp(100, 15_000)),
        }
    }

    fn repeats(&self, outcome: &Outcome) -> bool {
        match outcome {
            Outcome::Answered(status, _) => match status {
                400..=499 => self.on_4xx,
                500..=599 => self.on_5xx,
                _ => false,
            },
            Outcome::NotConnected(_) => self.on_connect,
            Outcome::NotAnswered(_) => self.on_timeout,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn about(task: &str, url: &str) -> Webhook {
        let params = vec![("TaskSid".to_owned(), task.to_owned())];
        Webhook { url: url.to_owned(), params, token: String::new() }
    }

    #[test]
    fn the_webhooks_of_a_task_stay_in_one_lane_whatever_the_query() {
        let lane = |query: &str| about("WT1", &format!("http://gateway/call{query}")).lane(8);
        assert_eq!(lane("?call=1&leg=1"), lane("?call=1&leg=2#rc=2"));
    }

    #[test]
    fn with_one_lane_all_tasks_share_it() {
        let lane = |task: &str| about(task, "http://gateway/events").lane(1);
        assert_eq!(lane("WT1"), lane("WT2"));
    }

    #[test]
    fn without_a_fragment_only_a_failed_connection_is_tried_once_more() {
        let policy = Policy::of("https://gw.example.com/webhooks/call?call=1");
        assert_eq!(policy.retries, 1);
        assert!(policy.repeats(&Outcome::NotConnected(String::new())));
        assert!(!policy.repeats(&Outcome::NotAnswered(String::new())));
        assert!(!policy.repeats(&Outcome::Answered(503, String::new())));
    }

    #[test]
    fn a_fragment_says_how_often_and_when_to_try_again() {
        let policy = Policy::of("https://gw.example.com/webhooks/taskrouter#rc=3&rp=5xx,rt&rt=5000");
        assert_eq!((policy.retries, policy.total), (3, Duration::from_secs(5)));
        assert!(policy.repeats(&Outcome::Answered(503, String::new())));
        assert!(policy.repeats(&Outcome::NotAnswered(String::new())));
        assert!(!policy.repeats(&Outcome::Answered(404, String::new())));
    }
}
