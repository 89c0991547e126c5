//! Conversations' REST API (<https://www.twilio.com/docs/conversations/api>), as far as it is used.
//!
//! Every path is that of the account's default service, which is Flex's. What is written for an agent raises the account's
//! own webhooks, as if the agent had written it in the browser; what Twilio refuses comes back as
//! [`Refused`](super::TwilioError::Refused) with its kind.

mod messages;
mod participants;
#[cfg(test)]
mod tests;
mod users;
mod webhooks;

use serde::Deserialize;

use super::client::{Call, Product, Twilio, TwilioError};
use crate::domain::ChatServiceSid;

pub use messages::Message;
pub use participants::Participant;
pub use users::{ConversationState, UserConversation};
pub use webhooks::{Webhook, WebhookScope};

/// <https://www.twilio.com/docs/conversations/api/configuration-resource>
#[derive(Deserialize)]
struct Configuration {
    default_chat_service_sid: ChatServiceSid,
}

impl Twilio {
    /// The service that the account's conversations belong to, and their files
    /// (<https://www.twilio.com/docs/conversations/api/configuration-resource#fetch-a-configuration-resource>). It hardly
    /// ever changes: [`WorkspaceFacts`](super::facts::WorkspaceFacts) keeps it.
    ///
    /// # Errors
    /// [`TwilioError`]; nothing is changed by it.
    pub async fn chat_service_sid(&self) -> Result<ChatServiceSid, TwilioError> {
        let call = self.get(Product::Conversations, "fetch_configuration", &["v1", "Configuration"]);
        let configuration: Configuration = self.send(call).await?;
        Ok(configuration.default_chat_service_sid)
    }

    fn get_in_conversations(&self, operation: &'static str, path: &[&str]) -> Call {
        self.get(Product::Conversations, operation, &[&["v1"], path].concat())
    }

    fn post_for_agent(&self, operation: &'static str, path: &[&str]) -> Call {
        self.post(Product::Conversations, operation, &[&["v1"], path].concat()).raising_webhooks()
    }
}
