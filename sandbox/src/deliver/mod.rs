//! Delivers webhooks as Twilio does: signed, one after the other to each destination
//! (<https://www.twilio.com/docs/usage/webhooks/webhooks-connection-overrides>).

mod policy;
mod webhook;

use std::{collections::HashMap, sync::Arc, time::Duration};

use tokio::sync::mpsc;

use self::policy::Policy;
pub(crate) use self::webhook::{Manner, Webhook};
use crate::{
    engine::Engine,
    faults::Reorder,
    signature::{sign, with_body_hash, without_fragment},
    world::sid::SidMaker,
};

/// Webhooks that wait for one destination. Past it they are lost: a destination that is so far behind gets no replay.
const LANE: usize = 4_096;
/// How long a reordering waits for more, in real time.
const QUIET: Duration = Duration::from_millis(150);
/// What of an answer the log keeps, in bytes.
pub(crate) const ANSWER_KEPT: usize = 4_096;

const SIGNATURE: &str = "X-Twilio-Signature";

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
        give_up(engine, &webhook);
        engine.webhook_done();
    }
}

/// The webhook as often as the faults want it: not at all, once, or more.
fn with_duplicates(engine: &Engine, webhook: Webhook, tokens: &mut SidMaker) -> Vec<Webhook> {
    let (lost, faults) = engine.with(|inner| (inner.faults.take_webhook_drop(), inner.faults.webhooks.clone()));
    if lost {
        engine.log(webhook.log_entry(engine.time.now_ms(), None, "", Some("fault: not sent")));
        give_up(engine, &webhook);
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
    let policy = Policy::of(webhook);
    let first = engine.time.now_ms();
    for attempt in 0.. {
        let outcome = attempt_once(sender, webhook, &policy).await;
        let (status, answer, note) = match &outcome {
            Outcome::Answered(status, answer) => {
                (Some(*status), &answer[..answer.floor_char_boundary(ANSWER_KEPT)], None)
            }
            Outcome::NotConnected(cause) | Outcome::NotAnswered(cause) => (None, "", Some(cause.as_str())),
        };
        let now = engine.time.now_ms();
        engine.log(webhook.log_entry(now, status, answer, note));
        match policy.pause_ms(&outcome, attempt, now.saturating_sub(first)) {
            None => return answered(engine, webhook, &outcome),
            Some(0) => {}
            Some(pause) => {
                engine.hold_back(now + pause);
                engine.time.sleep_until(now + pause).await;
                engine.let_go(now + pause);
            }
        }
    }
}

/// Whoever has asked for a document gets it; anything but a good answer is none.
fn answered(engine: &Engine, webhook: &Webhook, outcome: &Outcome) {
    if let (Manner::Twiml { call, step }, Outcome::Answered(200..=299, document)) = (&webhook.manner, outcome) {
        return engine.act(|world| world.document_came(call, *step, Some(document)));
    }
    give_up(engine, webhook);
}

/// It has come to nothing, which whoever waits for an answer hears.
fn give_up(engine: &Engine, webhook: &Webhook) {
    if let Manner::Twiml { call, step } = &webhook.manner {
        engine.act(|world| world.document_came(call, *step, None));
    }
}

enum Outcome {
    Answered(u16, String),
    NotConnected(String),
    NotAnswered(String),
}

async fn attempt_once(sender: &Sender, webhook: &Webhook, policy: &Policy) -> Outcome {
    let token = &sender.auth_token;
    let request = match &webhook.manner {
        Manner::Callback | Manner::Conversations | Manner::Twiml { .. } => {
            let signature = sign(token, &webhook.url, &webhook.params);
            let request = sender.client.post(without_fragment(&webhook.url)).form(&webhook.params);
            request.header(SIGNATURE, signature)
        }
        Manner::Stream(body) => {
            let url = with_body_hash(&webhook.url, body);
            let request = sender.client.post(&url).header("Content-Type", "application/json").body(body.clone());
            request.header(SIGNATURE, sign(token, &url, &[]))
        }
    };
    let sent = request
        .timeout(policy.total)
        .header("I-Twilio-Idempotency-Token", &webhook.token)
        .header("User-Agent", "TwilioProxy/1.1")
        .send()
        .await;
    match sent {
        Ok(response) => {
            let status = response.status().as_u16();
            Outcome::Answered(status, response.text().await.unwrap_or_default())
        }
        Err(error) if error.is_connect() => Outcome::NotConnected("no connection".to_owned()),
        Err(error) if error.is_timeout() => Outcome::NotAnswered("no answer in time".to_owned()),
        Err(_) => Outcome::NotAnswered("the connection broke".to_owned()),
    }
}
