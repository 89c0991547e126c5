//! Where what happens in conversations is told: one webhook for the account, and one for each service, which is used in
//! its place.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{
    domain::ChatServiceSid,
    twilio::{
        client::{Call, Product, Twilio, TwilioError},
        wire::or_default,
    },
};

/// Whose webhook.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WebhookScope {
    /// <https://www.twilio.com/docs/conversations/api/configuration-webhook-resource>
    Account,
    /// <https://www.twilio.com/docs/conversations/api/service-configuration-webhook-resource>: its conversations' events go
    /// there, and not to the account's.
    Service(ChatServiceSid),
}

/// A webhook as it is or is to be; what was never set is empty.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Webhook {
    /// Called before something happens; it can forbid it.
    #[serde(default, deserialize_with = "or_default", rename = "pre_webhook_url")]
    pub pre_url: String,
    /// Called afterwards.
    #[serde(default, deserialize_with = "or_default", rename = "post_webhook_url")]
    pub post_url: String,
    /// Which events either hears of; empty: none.
    #[serde(default, deserialize_with = "or_default")]
    pub filters: Vec<String>,
    /// `POST`, if it is empty.
    #[serde(default, deserialize_with = "or_default")]
    pub method: String,
}

/// A URL may hold somebody's password.
impl fmt::Debug for Webhook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Webhook").field("filters", &self.filters).field("method", &self.method).finish_non_exhaustive()
    }
}

impl Twilio {
    /// What is set.
    ///
    /// # Errors
    /// [`TwilioError`]; nothing is changed by it.
    pub async fn conversations_webhook(&self, scope: &WebhookScope) -> Result<Webhook, TwilioError> {
        self.send(match scope {
            WebhookScope::Account => {
                self.get_in_conversations("fetch_configuration_webhook", &["Configuration", "Webhooks"])
            }
            WebhookScope::Service(sid) => self.get_in_conversations(
                "fetch_service_webhook_configuration",
                &["Services", sid.as_str(), "Configuration", "Webhooks"],
            ),
        })
        .await
    }

    /// Sets where events go afterwards, and which. What is called before them stays.
    ///
    /// # Errors
    /// [`TwilioError`]. Doing it twice does no harm.
    pub async fn set_conversations_webhook(&self, scope: &WebhookScope, to: &Webhook) -> Result<Webhook, TwilioError> {
        let call = self.webhook_update(scope).with("PostWebhookUrl", &*to.post_url);
        let call = call.with_some("Method", Some(&*to.method).filter(|method| !method.is_empty()));
        let filters: Vec<_> = to.filters.iter().map(String::as_str).collect();
        self.send(call.with_each("Filters", if filters.is_empty() { &[""] } else { &filters })).await
    }

    fn webhook_update(&self, scope: &WebhookScope) -> Call {
        let post = |operation, path: &[&str]| self.post(Product::Conversations, operation, path);
        match scope {
            WebhookScope::Account => post("update_configuration_webhook", &["v1", "Configuration", "Webhooks"]),
            WebhookScope::Service(sid) => post(
                "update_service_webhook_configuration",
                &["v1", "Services", sid.as_str(), "Configuration", "Webhooks"],
            ),
        }
    }
}
