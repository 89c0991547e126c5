//! How Twilio's events come in: which are needed, and whether what Twilio has set brings them. `setup`, `doctor` and the
//! daemon see it alike. Nothing here asks Twilio but `read`.

mod read;
#[cfg(test)]
mod tests;

use url::Url;

pub use self::read::read;
use crate::{
    config::{BaseUrl, Intake},
    domain::{ChatServiceSid, SinkSid, SubscriptionSid},
    twilio::{
        conversations::{Webhook, WebhookScope},
        taskrouter::EventCallback,
    },
};

/// The types of TaskRouter's events that are needed (`EventsFilter`).
pub const TASKROUTER: [&str; 13] = [
    "reservation.created",
    "reservation.accepted",
    "reservation.rejected",
    "reservation.timeout",
    "reservation.canceled",
    "reservation.rescinded",
    "reservation.completed",
    "reservation.failed",
    "reservation.wrapup",
    "worker.created",
    "worker.activity.update",
    "worker.attributes.update",
    "worker.deleted",
];

/// Conversations' events that are needed, as its webhooks and as Event Streams call them.
pub const CONVERSATIONS: [(&str, &str); 4] = [
    ("onMessageAdded", "message.added"),
    ("onParticipantAdded", "participant.added"),
    ("onParticipantRemoved", "participant.removed"),
    ("onParticipantUpdated", "participant.updated"),
];

/// Has Twilio try again: three times, after any failure, 5 s each
/// (<https://www.twilio.com/docs/usage/webhooks/webhooks-connection-overrides>). Conversations and Event Streams know none.
const RETRIES: &str = "#rc=3&rp=all&rt=5000";

/// Whose events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    TaskRouter,
    Conversations,
}

impl Family {
    pub const ALL: [Self; 2] = [Self::TaskRouter, Self::Conversations];

    pub const fn label(self) -> &'static str {
        match self {
            Self::TaskRouter => "TaskRouter",
            Self::Conversations => "Conversations",
        }
    }

    /// The types as Event Streams calls them (<https://www.twilio.com/docs/events/event-types>).
    pub fn streamed(self) -> Vec<String> {
        match self {
            Self::TaskRouter => TASKROUTER.iter().map(|name| format!("com.twilio.taskrouter.{name}")).collect(),
            Self::Conversations => {
                CONVERSATIONS.iter().map(|(_, name)| format!("com.twilio.conversations.{name}")).collect()
            }
        }
    }
}

/// Where Twilio is to send events to.
#[derive(Clone, Debug)]
pub struct Doors {
    pub taskrouter: String,
    pub conversations: String,
    pub events: String,
}

impl Doors {
    pub fn of(public_url: &BaseUrl) -> Self {
        Self {
            taskrouter: format!("{}{RETRIES}", public_url.join("/webhooks/taskrouter")),
            conversations: public_url.join("/webhooks/conversations"),
            events: public_url.join("/webhooks/events"),
        }
    }
}

/// What Twilio has set.
#[derive(Clone, Debug)]
pub struct Found {
    pub callback: EventCallback,
    /// The Conversations service that is in use.
    pub service: ChatServiceSid,
    pub service_webhook: Webhook,
    pub account_webhook: Webhook,
    /// The sinks that send to us.
    pub sinks: Vec<OurSink>,
}

#[derive(Clone, Debug)]
pub struct OurSink {
    pub sid: SinkSid,
    pub failed: bool,
    pub subscriptions: Vec<(SubscriptionSid, Vec<String>)>,
}

/// A place where one URL can be set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Slot {
    Free,
    Ours,
    /// By another system, at this host.
    Taken {
        by: String,
    },
}

/// The slot for Conversations' events, and whose it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConversationsSlot {
    pub scope: WebhookScope,
    pub slot: Slot,
}

/// How a family's events come, or are to come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    Callback,
    Sink,
}

impl Found {
    /// `earlier`: URLs that we have set before, under another name perhaps.
    pub fn taskrouter_slot(&self, doors: &Doors, earlier: &[String]) -> Slot {
        slot(&self.callback.url, &doors.taskrouter, earlier)
    }

    /// The service's webhook is used in place of the account's: to set it where only the account's is set would silence that.
    pub fn conversations_slot(&self, doors: &Doors, earlier: &[String]) -> ConversationsSlot {
        let service_is_used = !self.service_webhook.pre_url.is_empty() || !self.service_webhook.post_url.is_empty();
        let account_is_used = !self.account_webhook.pre_url.is_empty() || !self.account_webhook.post_url.is_empty();
        let (scope, webhook) = if account_is_used && !service_is_used {
            (WebhookScope::Account, &self.account_webhook)
        } else {
            (WebhookScope::Service(self.service.clone()), &self.service_webhook)
        };
        let slot = match slot(&webhook.post_url, &doors.conversations, earlier) {
            // What is called before shares the method, and a GET says nothing that we read.
            Slot::Free if !webhook.pre_url.is_empty() && webhook.method == "GET" => {
                Slot::Taken { by: host(&webhook.pre_url) }
            }
            slot => slot,
        };
        ConversationsSlot { scope, slot }
    }

    pub const fn webhook(&self, scope: &WebhookScope) -> &Webhook {
        match scope {
            WebhookScope::Account => &self.account_webhook,
            WebhookScope::Service(_) => &self.service_webhook,
        }
    }

    pub const fn webhook_mut(&mut self, scope: &WebhookScope) -> &mut Webhook {
        match scope {
            WebhookScope::Account => &mut self.account_webhook,
            WebhookScope::Service(_) => &mut self.service_webhook,
        }
    }

    pub fn slot(&self, family: Family, doors: &Doors, earlier: &[String]) -> Slot {
        match family {
            Family::TaskRouter => self.taskrouter_slot(doors, earlier),
            Family::Conversations => self.conversations_slot(doors, earlier).slot,
        }
    }

    /// Event types of a family that no sink of ours brings.
    pub fn not_streamed(&self, family: Family) -> Vec<String> {
        let brought = |kind: &String| {
            let sinks = self.sinks.iter().filter(|sink| !sink.failed);
            sinks.flat_map(|sink| &sink.subscriptions).any(|(_, types)| types.contains(kind))
        };
        family.streamed().into_iter().filter(|kind| !brought(kind)).collect()
    }

    /// What is wrong with how a family's events come; none: they come.
    pub fn trouble(&self, family: Family, doors: &Doors, intake: Intake) -> Option<Trouble> {
        let not_streamed = self.not_streamed(family);
        if not_streamed.is_empty() {
            return None;
        }
        let by_callback = self.callback_trouble(family, doors);
        match (intake, by_callback) {
            (Intake::Auto | Intake::Callbacks, None) => None,
            // Some of them are asked for there, so that is where the others belong.
            (_, _) if not_streamed.len() < family.streamed().len() => Some(Trouble::Unsubscribed(not_streamed)),
            (_, _) if self.sinks.iter().any(|sink| sink.failed) => Some(Trouble::SinkFailed),
            (Intake::EventStreams, _) => Some(Trouble::NoSink),
            (_, Some(trouble)) => Some(trouble),
        }
    }

    fn callback_trouble(&self, family: Family, doors: &Doors) -> Option<Trouble> {
        match self.slot(family, doors, &[]) {
            Slot::Free => Some(Trouble::NotSet),
            Slot::Taken { by } => Some(Trouble::Elsewhere { by }),
            Slot::Ours => {
                let missing = match family {
                    Family::TaskRouter => missing_types(&self.callback.filter),
                    Family::Conversations => {
                        missing_filters(&self.webhook(&self.conversations_slot(doors, &[]).scope).filters)
                    }
                };
                let missing: Vec<_> = missing.into_iter().map(str::to_owned).collect();
                (!missing.is_empty()).then_some(Trouble::Filtered(missing))
            }
        }
    }
}

/// Why events do not come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// The slot is empty, and there is no sink.
    NotSet,
    /// The slot is another system's, and there is no sink.
    Elsewhere { by: String },
    /// The slot is ours, and these are left out.
    Filtered(Vec<String>),
    /// Event Streams is asked for, and there is no sink.
    NoSink,
    /// Twilio has given our sink up.
    SinkFailed,
    /// A sink is there, and these are left out.
    Unsubscribed(Vec<String>),
}

/// The needed types that a workspace's filter leaves out; an empty one leaves nothing out.
pub fn missing_types(filter: &str) -> Vec<&'static str> {
    let asked: Vec<_> = filter.split(',').map(str::trim).filter(|kind| !kind.is_empty()).collect();
    let is_missing = |kind: &&&str| !asked.is_empty() && !asked.contains(*kind);
    TASKROUTER.iter().filter(is_missing).copied().collect()
}

/// The needed events that a webhook of Conversations leaves out; an empty list leaves all out.
pub fn missing_filters(filters: &[String]) -> Vec<&'static str> {
    let names = CONVERSATIONS.iter().map(|(name, _)| *name);
    names.filter(|name| !filters.iter().any(|filter| filter == name)).collect()
}

fn slot(url: &str, ours: &str, earlier: &[String]) -> Slot {
    if url.is_empty() {
        Slot::Free
    } else if bare(url) == bare(ours) || earlier.iter().any(|earlier| bare(earlier) == bare(url)) {
        Slot::Ours
    } else {
        Slot::Taken { by: host(url) }
    }
}

/// Without the fragment, which is for Twilio alone.
fn bare(url: &str) -> &str {
    url.split('#').next().unwrap_or_default()
}

/// All that is shown of another's URL, which may hold a password.
fn host(url: &str) -> String {
    let parsed = Url::parse(url).ok();
    parsed.and_then(|url| url.host_str().map(str::to_owned)).unwrap_or_else(|| "an unknown place".to_owned())
}
