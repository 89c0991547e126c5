//! Who is told what of a conversation: the account's post-event webhook, and Event Streams
//! (<https://www.twilio.com/docs/conversations/conversations-webhooks>).

use serde_json::json;

use super::{Message, Participant, StateReason, chat_service, messaging_service};
use crate::{
    deliver::Manner,
    options::WebhookSeed,
    rest::date::iso8601_ms,
    world::{
        World,
        events::{Params, pair},
        sid::{Sid, named},
        words::ConversationState,
    },
};

/// The events that can be asked for: those before an act, and those after it. Only the latter are ever sent.
pub(crate) const FILTERS: [&str; 21] = [
    "onConversationAdd",
    "onConversationAdded",
    "onConversationRemove",
    "onConversationRemoved",
    "onConversationStateUpdated",
    "onConversationUpdate",
    "onConversationUpdated",
    "onDeliveryUpdated",
    "onMessageAdd",
    "onMessageAdded",
    "onMessageRemove",
    "onMessageRemoved",
    "onMessageUpdate",
    "onMessageUpdated",
    "onParticipantAdd",
    "onParticipantAdded",
    "onParticipantRemove",
    "onParticipantRemoved",
    "onParticipantUpdate",
    "onParticipantUpdated",
    "onUserUpdated",
];

/// `/v1/Configuration/Webhooks`, the account's, or `/v1/Services/*/Configuration/Webhooks`, a service's: where
/// conversations' events go to.
#[derive(Clone, Debug)]
pub(crate) struct WebhookTarget {
    pub(crate) method: String,
    /// What is not named here is not sent.
    pub(crate) filters: Vec<String>,
    /// Remembered, and never called.
    pub(crate) pre_url: Option<String>,
    pub(crate) post_url: Option<String>,
    pub(crate) target: String,
}

impl WebhookTarget {
    /// As somebody has set it.
    pub(crate) fn of(seed: &WebhookSeed) -> Self {
        Self { post_url: Some(seed.post_url.clone()), filters: seed.filters.clone(), ..Self::default() }
    }
}

impl Default for WebhookTarget {
    fn default() -> Self {
        let [method, target] = ["POST", "webhook"].map(str::to_owned);
        Self { method, filters: Vec::new(), pre_url: None, post_url: None, target }
    }
}

/// Whose act a change is.
#[derive(Clone, Debug)]
pub(crate) enum By {
    /// A person's client, with its identity; people on SMS or WhatsApp have none.
    Sdk(Option<String>),
    /// A REST request: webhooks only if it asks for them, by `X-Twilio-Webhook-Enabled: true`. Event Streams show its
    /// acts in any case; Twilio's documents do not say that the header concerns them.
    Rest { webhooks: bool },
    /// Flex, which lets agents in and out.
    Flex,
}

impl By {
    const fn raises_webhooks(&self) -> bool {
        !matches!(self, Self::Rest { webhooks: false })
    }

    fn params(&self) -> Params {
        match self {
            Self::Sdk(identity) => {
                let identity = identity.as_ref().map(|identity| pair("ClientIdentity", identity));
                std::iter::once(pair("Source", "SDK")).chain(identity).collect()
            }
            Self::Rest { .. } | Self::Flex => vec![pair("Source", "API")],
        }
    }
}

impl World {
    /// Every event that happens after an act goes to `url`; none is asked for before one.
    pub(crate) fn set_conversations_webhook(&mut self, url: &str) {
        let after = |name: &&str| name.ends_with("ed");
        self.conversations_webhook = WebhookTarget {
            filters: FILTERS.iter().filter(|name| after(name)).map(|name| (*name).to_owned()).collect(),
            post_url: Some(url.to_owned()),
            ..WebhookTarget::default()
        };
    }

    /// The service's stands in for the account's.
    const fn webhook_in_use(&self) -> &WebhookTarget {
        let service = &self.service_webhook;
        if service.pre_url.is_some() || service.post_url.is_some() { service } else { &self.conversations_webhook }
    }

    fn tell(&mut self, conversation: &Sid, event: &str, by: &By, fields: Params) {
        let mut params = vec![
            pair("AccountSid", &self.fixed.account),
            pair("ChatServiceSid", chat_service()),
            pair("ConversationSid", conversation),
            pair("MessagingServiceSid", messaging_service()),
            pair("EventType", event),
        ];
        params.extend(by.params());
        params.extend(fields);
        self.stream_conversation(event, &params);
        let target = self.webhook_in_use();
        let wanted = by.raises_webhooks() && target.filters.iter().any(|filter| filter == event);
        if let Some(url) = target.post_url.clone().filter(|_| wanted) {
            self.send(url, params, Manner::Conversations);
        }
    }

    pub(super) fn tell_state(&mut self, row: &Sid, from: ConversationState, reason: StateReason, by: &By) {
        let Some(to) = self.conversations.get(row).map(|row| row.state) else { return };
        let now = iso8601_ms(self.now);
        let fields = vec![
            pair("StateFrom", from),
            pair("StateTo", to),
            pair("Reason", reason.as_str()),
            pair("StateUpdated", &now),
            pair("DateUpdated", &now),
        ];
        self.tell(row, "onConversationStateUpdated", by, fields);
    }

    /// `event`: `onConversationAdded` or `onConversationUpdated`.
    pub(super) fn tell_conversation(&mut self, sid: &Sid, event: &str, by: &By) {
        let Some(row) = self.conversations.get(sid) else { return };
        let mut fields = vec![
            pair("DateCreated", iso8601_ms(row.created)),
            pair("DateUpdated", iso8601_ms(row.updated)),
            pair("Attributes", &row.attributes),
            pair("State", row.state),
        ];
        fields.extend(row.friendly_name.as_ref().map(|name| pair("FriendlyName", name)));
        self.tell(sid, event, by, fields);
    }

    pub(super) fn tell_message(&mut self, conversation: &Sid, message: &Message, by: &By) {
        let mut fields = vec![
            pair("MessageSid", &message.sid),
            pair("Index", message.index),
            pair("DateCreated", iso8601_ms(message.created)),
            pair("Body", message.body.as_deref().unwrap_or_default()),
            pair("Author", &message.author),
            pair("Attributes", &message.attributes),
        ];
        fields.extend(message.participant.as_ref().map(|sid| pair("ParticipantSid", sid)));
        let files = message.media.iter().filter_map(|sid| self.media.get(sid));
        let media: Vec<_> = files
            .map(|file| {
                json!({
                    "Sid": file.sid, "ContentType": file.content_type, "Filename": file.filename, "Size": file.bytes.len(),
                })
            })
            .collect();
        if !media.is_empty() {
            fields.push(pair("Media", json!(media)));
        }
        self.tell(conversation, "onMessageAdded", by, fields);
    }

    /// `event`: `onParticipantAdded`, `onParticipantUpdated` or `onParticipantRemoved`.
    pub(super) fn tell_participant(&mut self, conversation: &Sid, event: &str, one: &Participant, by: &By) {
        let mut fields = vec![
            pair("ParticipantSid", &one.sid),
            pair("DateCreated", iso8601_ms(one.created)),
            pair("DateUpdated", iso8601_ms(one.updated)),
            pair("Attributes", &one.attributes),
        ];
        if let Some(identity) = &one.identity {
            fields.extend([pair("Identity", identity), pair("RoleSid", role())]);
        }
        if let Some(address) = &one.address {
            fields.push(pair("MessagingBinding.Address", address));
            fields.extend(one.proxy_address.as_ref().map(|proxy| pair("MessagingBinding.ProxyAddress", proxy)));
            fields.push(pair("MessagingBinding.Type", binding_type(address)));
        }
        match event {
            "onParticipantUpdated" => fields.extend(one.last_read.map(|index| pair("LastReadMessageIndex", index))),
            "onParticipantRemoved" => fields.push(pair("DateRemoved", iso8601_ms(self.now))),
            _ => {}
        }
        self.tell(conversation, event, by, fields);
    }
}

/// Everybody has the same role.
pub(crate) fn role() -> Sid {
    named("RL", "channel user")
}

pub(crate) fn binding_type(address: &str) -> &'static str {
    if address.starts_with("whatsapp:") { "whatsapp" } else { "sms" }
}
