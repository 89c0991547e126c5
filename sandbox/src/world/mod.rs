//! The world: Twilio's state and rules, without any input or output.
//!
//! Commands come in with the time; webhooks to send come out of [`World::take_webhooks`], the next moment at which
//! something happens by itself out of [`World::next_due`].

mod callbacks;
mod calls;
mod conferences;
pub(crate) mod conversations;
mod events;
mod forgetting;
mod instruction;
pub(crate) mod interactions;
pub(crate) mod media;
pub(crate) mod model;
mod phones;
mod reservations;
mod routing;
mod script;
pub(crate) mod sid;
pub(crate) mod sip;
pub(crate) mod snapshot;
pub(crate) mod streams;
pub(crate) mod sync;
pub(crate) mod table;
mod timers;
pub(crate) mod verify;
pub(crate) mod words;
mod workers;

#[cfg(test)]
mod tests;

use std::collections::VecDeque;

use aws_lc_rs::hmac;

pub(crate) use self::{
    calls::NewLeg,
    conferences::NewConference,
    events::{Event, QUEUE_NAME, WORKFLOW_NAME, WORKSPACE_NAME},
    instruction::ConferenceInstruction,
    routing::{NewTask, channel_sid},
};
use self::{
    conversations::{Conversation, WebhookTarget},
    interactions::Channel,
    media::MediaFile,
    model::{Activity, Call, Conference, Phone, Reservation, Task, Worker},
    sid::{Sid, SidMaker},
    streams::{Sink, Subscription},
    sync::Sync,
    table::Table,
    timers::Timers,
    verify::Verify,
};
use crate::{deliver::Webhook, options::Options, rest::error::Refusal, sip::Order};

/// The Events resource keeps so many; the oldest are forgotten.
const EVENTS_KEPT: usize = 20_000;

const TASKS_KEPT: usize = 5_000;

const CONVERSATIONS_KEPT: usize = 2_000;

/// The sids of what there is one of.
#[derive(Debug)]
pub(crate) struct Fixed {
    pub(crate) account: Sid,
    pub(crate) workspace: Sid,
    pub(crate) workflow: Sid,
    pub(crate) queue: Sid,
    pub(crate) timeout_activity: Sid,
}

/// What the options say about the rules.
#[derive(Debug)]
pub(crate) struct Rules {
    pub(crate) reservation_timeout_s: u64,
    pub(crate) max_assignments: usize,
    pub(crate) voice_capacity: usize,
    pub(crate) numbers: Vec<String>,
    pub(crate) recording: bool,
    pub(crate) recording_webhook: Option<String>,
    pub(crate) auto_wrapup: bool,
    /// Calls to `sip:` addresses go over the wire.
    pub(crate) sip: bool,
    /// How long Flex takes to let an agent into a conversation.
    pub(crate) join_ms: u64,
    /// So many tasks are kept, with all that belongs to them; more only while they are not over.
    pub(crate) tasks_kept: usize,
    /// So many conversations are kept; more only while they are not closed and have a task that is not over.
    pub(crate) conversations_kept: usize,
}

fn activity_sid(name: &str) -> Sid {
    sid::named("WA", name)
}

impl Fixed {
    fn of(options: &Options) -> Self {
        let timeout = options.activities.iter().find(|(_, available)| !available).map_or("Offline", |(name, _)| name);
        Self {
            account: options.account_sid.as_str().into(),
            workspace: options.workspace_sid.as_deref().map_or_else(|| sid::named("WS", "workspace"), Sid::from),
            workflow: sid::named("WW", "workflow"),
            queue: sid::named("WQ", "queue"),
            timeout_activity: activity_sid(timeout),
        }
    }
}

impl Rules {
    fn of(options: &Options) -> Self {
        Self {
            reservation_timeout_s: options.reservation_timeout_s,
            max_assignments: options.max_assignments.max(1),
            voice_capacity: options.voice_capacity,
            numbers: options.numbers.clone(),
            recording: options.recording,
            recording_webhook: options.recording_webhook.clone(),
            auto_wrapup: options.auto_wrapup,
            sip: options.sip.is_some(),
            join_ms: options.join_ms,
            tasks_kept: TASKS_KEPT,
            conversations_kept: CONVERSATIONS_KEPT,
        }
    }
}

pub(crate) struct World {
    pub(crate) now: u64,
    pub(crate) born: u64,
    pub(crate) fixed: Fixed,
    pub(crate) rules: Rules,
    pub(crate) event_callback: Option<String>,
    pub(crate) events_filter: Option<String>,
    pub(crate) activities: Table<Activity>,
    pub(crate) workers: Table<Worker>,
    pub(crate) tasks: Table<Task>,
    pub(crate) reservations: Table<Reservation>,
    pub(crate) calls: Table<Call>,
    pub(crate) conferences: Table<Conference>,
    pub(crate) conversations: Table<Conversation>,
    pub(crate) channels: Table<Channel>,
    pub(crate) media: Table<MediaFile>,
    pub(crate) conversations_webhook: WebhookTarget,
    /// Of the only service.
    pub(crate) service_webhook: WebhookTarget,
    pub(crate) sinks: Table<Sink>,
    pub(crate) subscriptions: Table<Subscription>,
    /// So many of the next agents who accept do not get into their conversation.
    pub(crate) failing_joins: u32,
    pub(crate) phones: Vec<Phone>,
    pub(crate) events: VecDeque<Event>,
    /// Numbers that Twilio refuses to call.
    pub(crate) unroutable: Vec<String>,
    /// Proves links to the content of files.
    media_key: hmac::Key,
    pub(crate) verify: Verify,
    pub(crate) sync: Sync,
    waiting: Vec<Sid>,
    timers: Timers,
    sids: SidMaker,
    webhooks: Vec<Webhook>,
    /// What is to be done over SIP.
    orders: Vec<Order>,
    /// Events for sinks, which go out together.
    streamed: Vec<(Sid, serde_json::Value)>,
}

impl World {
    pub(crate) fn new(options: &Options, now: u64) -> Self {
        let mut world = Self {
            now,
            born: now,
            fixed: Fixed::of(options),
            rules: Rules::of(options),
            event_callback: options.event_callback.clone(),
            events_filter: options.events_filter.clone(),
            activities: Table::default(),
            workers: Table::default(),
            tasks: Table::default(),
            reservations: Table::default(),
            calls: Table::default(),
            conferences: Table::default(),
            conversations: Table::default(),
            channels: Table::default(),
            media: Table::default(),
            conversations_webhook: options.conversations_webhook.as_ref().map(WebhookTarget::of).unwrap_or_default(),
            service_webhook: options.service_webhook.as_ref().map(WebhookTarget::of).unwrap_or_default(),
            sinks: Table::default(),
            subscriptions: Table::default(),
            failing_joins: 0,
            phones: Vec::new(),
            events: VecDeque::new(),
            unroutable: Vec::new(),
            media_key: hmac::Key::new(hmac::HMAC_SHA256, options.auth_token.as_bytes()),
            verify: Verify::default(),
            sync: Sync::seeded(options, now),
            waiting: Vec::new(),
            timers: Timers::default(),
            sids: SidMaker::new(options.seed),
            webhooks: Vec::new(),
            orders: Vec::new(),
            streamed: Vec::new(),
        };
        for (name, available) in &options.activities {
            world.activities.add(Activity {
                sid: activity_sid(name),
                name: name.clone(),
                available: *available,
                created: now,
            });
        }
        if !options.verify_service_sid.is_empty() {
            world.seed_verify_service(&options.verify_service_sid);
        }
        for agent in &options.agents {
            world.seed_agent(agent);
        }
        for worker in &options.workers {
            world.seed_worker(worker);
        }
        world
    }

    /// Moves the clock, and does what has fallen due on the way, each thing at its own moment.
    pub(crate) fn advance(&mut self, now: u64) {
        while let Some((due, timer)) = self.timers.pop_due(now) {
            self.now = self.now.max(due);
            self.fire(timer);
        }
        self.now = self.now.max(now);
    }

    /// When something happens by itself next.
    pub(crate) fn next_due(&self) -> Option<u64> {
        self.timers.next_due()
    }

    /// The webhooks that are to be sent since the last call, in order.
    pub(crate) fn take_webhooks(&mut self) -> Vec<Webhook> {
        let mut webhooks = std::mem::take(&mut self.webhooks);
        webhooks.extend(self.take_batches());
        webhooks
    }

    pub(crate) fn make_sid(&mut self, prefix: &str) -> Sid {
        self.sids.make(prefix)
    }
}

/// What a command answers.
pub(crate) type Done<T = ()> = Result<T, Refusal>;
