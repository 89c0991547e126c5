//! Flex's own settings (<https://www.twilio.com/docs/flex/developer/config/flex-configuration-rest-api>).

use serde::Deserialize;

use super::{
    client::{Product, Twilio, TwilioError},
    wire::or_default,
};
use crate::domain::{ActivitySid, ChatServiceSid, WorkspaceSid};

/// What of Flex's configuration matters here.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct Configuration {
    /// Flex records calls. Its own recording is set up by the browser that accepts; who accepts elsewhere must do it.
    #[serde(default, deserialize_with = "or_default")]
    pub call_recording_enabled: bool,
    /// Where Flex wants to hear of finished recordings.
    #[serde(default, deserialize_with = "or_default")]
    pub call_recording_webhook_url: Option<String>,
    /// The workspace that Flex works in.
    #[serde(default)]
    pub taskrouter_workspace_sid: Option<WorkspaceSid>,
    /// The logout activity: where Flex puts agents whose browser is gone, and what is not billed by the hour
    /// (<https://www.twilio.com/docs/flex/admin-guide/setup/logout-settings>).
    #[serde(default)]
    pub taskrouter_offline_activity_sid: Option<ActivitySid>,
    /// The service that its conversations are in.
    #[serde(default)]
    pub chat_service_instance_sid: Option<ChatServiceSid>,
}

impl Twilio {
    /// <https://www.twilio.com/docs/flex/developer/config/flex-configuration-rest-api#fetch-a-configuration-resource>
    ///
    /// # Errors
    /// [`TwilioError`]; an account without Flex is refused as not found. Nothing is changed by it.
    pub async fn configuration(&self) -> Result<Configuration, TwilioError> {
        self.send(self.get(Product::Flex, "fetch_configuration", &["v1", "Configuration"])).await
    }
}
