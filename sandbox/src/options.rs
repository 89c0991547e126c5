//! What a sandbox starts with.

use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    time::{SystemTime, Time},
    world::verify::CodeSent,
};

/// Hears of one-time codes. It is called where they are sent, and should not take long.
pub type OnCode = Arc<dyn Fn(&CodeSent) + Send + Sync>;

/// How a sandbox is set up; [`Options::default`] is a useful one.
#[derive(Clone)]
pub struct Options {
    /// Where to listen; port 0 takes a free one.
    pub listen: SocketAddr,
    /// `AC` and 32 hexadecimal digits.
    pub account_sid: String,
    /// Signs webhooks, and is one of the passwords of the REST API.
    pub auth_token: String,
    /// `(SK…, secret)`: another password of the REST API.
    pub api_key: Option<(String, String)>,
    /// `WS` and 32 hexadecimal digits; none: one that is the same at every start.
    pub workspace_sid: Option<String>,
    /// The workspace's EventCallbackUrl; also [`Handle::set_event_callback`](crate::Handle::set_event_callback).
    pub event_callback: Option<String>,
    pub time: Arc<dyn Time>,
    /// Name and whether a worker in it is available. The first unavailable one is the workspace's timeout activity.
    pub activities: Vec<(String, bool)>,
    pub agents: Vec<AgentSeed>,
    /// Workers beside the agents, of whom no phone is here.
    pub workers: Vec<WorkerSeed>,
    /// `task_reservation_timeout` of the workflow.
    pub reservation_timeout_s: u64,
    /// A task that was offered so often and never accepted is cancelled.
    pub max_assignments: usize,
    /// Open voice reservations that one worker may have.
    pub voice_capacity: usize,
    /// Numbers of the account: valid as `From` and called by customers. Empty: any E.164 number is valid as `From`.
    pub numbers: Vec<String>,
    /// Flex's own setting, `call_recording_enabled`.
    pub recording: bool,
    /// Flex's own setting, `call_recording_webhook_url`.
    pub recording_webhook: Option<String>,
    /// Move an accepted reservation to `wrapping` when its conference ends, as some Flex set-ups do.
    pub auto_wrapup: bool,
    /// How long Flex takes to let an agent who accepts an Interaction into the conversation.
    pub join_ms: u64,
    /// How many webhooks are under way to one destination at a time. 1: strictly in order; more: in order for a task.
    pub webhook_lanes: usize,
    /// `VA` and 32 hexadecimal digits: the Verify service that is there from the start; empty: none is.
    pub verify_service_sid: String,
    /// The workspace's EventsFilter.
    pub events_filter: Option<String>,
    /// The account's webhook of Conversations.
    pub conversations_webhook: Option<WebhookSeed>,
    /// That of the service that Flex uses.
    pub service_webhook: Option<WebhookSeed>,
    /// `IS` and 32 hexadecimal digits: the account's Sync service.
    pub sync_service_sid: String,
    /// What is in it.
    pub sync_documents: Vec<DocumentSeed>,
    /// Hears of each one-time code that is sent.
    pub on_code: Option<OnCode>,
    /// Calls to `sip:` addresses are made from here, by real SIP and RTP, to addresses of this machine. None: they ring at
    /// phones of the page.
    pub sip: Option<IpAddr>,
    /// Sids follow from it.
    pub seed: u64,
}

/// One agent: a worker, and a cell phone.
#[derive(Clone, Debug)]
pub struct AgentSeed {
    pub name: String,
    /// E.164.
    pub phone: String,
    /// Name of one of [`Options::activities`].
    pub activity: String,
}

impl AgentSeed {
    pub fn new(name: &str, phone: &str, activity: &str) -> Self {
        Self { name: name.to_owned(), phone: phone.to_owned(), activity: activity.to_owned() }
    }

    /// The worker's `friendly_name`, as Flex with SSO by phone number has it.
    pub fn worker_name(&self) -> String {
        format!("user-{}", self.phone)
    }

    /// The worker's identity in conversations.
    pub fn identity(&self) -> String {
        crate::world::conversations::identity_of(&self.worker_name())
    }
}

/// A worker as somebody else made it; it is in the workspace's timeout activity.
#[derive(Clone, Debug)]
pub struct WorkerSeed {
    /// `friendly_name`.
    pub name: String,
    /// Twilio keeps any JSON object.
    pub attributes: Value,
}

/// A webhook of Conversations, as somebody has set it.
#[derive(Clone, Debug)]
pub struct WebhookSeed {
    pub post_url: String,
    pub filters: Vec<String>,
}

/// A Sync document: any JSON, of at most 16 KiB at Twilio.
#[derive(Clone, Debug)]
pub struct DocumentSeed {
    pub unique_name: String,
    pub data: Value,
}

/// What a phone does without a person.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "kebab-case")]
pub enum Auto {
    /// It rings until somebody does something, or the caller gives up.
    #[default]
    Nothing,
    /// It answers and presses nothing, as a voicemail does.
    Answer { after_ms: u64 },
    /// It answers, and presses 1 when it is asked for a key.
    Take { after_ms: u64 },
    /// The network says busy.
    Decline { after_ms: u64 },
}

impl Options {
    /// An account as Flex makes it: nobody has set anything up.
    pub fn fresh() -> Self {
        let activities = [("Offline", false), ("Available", true), ("Unavailable", false), ("Break", false)];
        let activities = activities.map(|(name, available)| (name.to_owned(), available)).to_vec();
        Self { activities, verify_service_sid: String::new(), ..Self::default() }
    }

    /// A fresh account whose operator has webhooks of their own, in every slot.
    pub fn owned_by_others() -> Self {
        let webhook = |path: &str, filters: &[&str]| WebhookSeed {
            post_url: format!("https://user:hunter2@crm.example.org/{path}"),
            filters: filters.iter().map(|&filter| filter.to_owned()).collect(),
        };
        Self {
            event_callback: Some("https://crm.example.org/events".to_owned()),
            events_filter: Some("task.created,task.completed".to_owned()),
            conversations_webhook: Some(webhook("account", &["onMessageAdded"])),
            service_webhook: Some(webhook("service", &["onConversationAdded", "onMessageAdded"])),
            ..Self::fresh()
        }
    }
}

impl Default for Options {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            account_sid: "AC00000000000000000000000000000001".into(),
            auth_token: "0123456789abcdef0123456789abcdef".into(),
            api_key: None,
            workspace_sid: None,
            event_callback: None,
            time: Arc::new(SystemTime),
            activities: [("Offline", false), ("Available", true), ("Available on Mobile", true), ("Break", false)]
                .map(|(name, available)| (name.to_owned(), available))
                .to_vec(),
            agents: vec![
                AgentSeed::new("Ada Bergmann", "+4915550101001", "Offline"),
                AgentSeed::new("Bo Lindqvist", "+4915550101002", "Offline"),
            ],
            workers: Vec::new(),
            reservation_timeout_s: 120,
            max_assignments: 10,
            voice_capacity: 1,
            numbers: vec!["+15550100".into()],
            recording: false,
            recording_webhook: None,
            auto_wrapup: false,
            join_ms: 20,
            webhook_lanes: 1,
            verify_service_sid: "VA00000000000000000000000000000001".into(),
            events_filter: None,
            conversations_webhook: None,
            service_webhook: None,
            sync_service_sid: "IS00000000000000000000000000000002".into(),
            sync_documents: Vec::new(),
            on_code: None,
            sip: None,
            seed: 1,
        }
    }
}
