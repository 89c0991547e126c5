//! Reads what Twilio has set.

use super::{Doors, Found, OurSink, bare};
use crate::twilio::{Twilio, TwilioError, conversations::WebhookScope};

/// What Twilio has set for a workspace's and its conversations' events.
///
/// # Errors
/// [`TwilioError`]; nothing is changed by it.
pub async fn read(twilio: &Twilio, doors: &Doors) -> Result<Found, TwilioError> {
    let callback = twilio.workspace().await?.event_callback();
    let service = twilio.chat_service_sid().await?;
    let service_webhook = twilio.conversations_webhook(&WebhookScope::Service(service.clone())).await?;
    let account_webhook = twilio.conversations_webhook(&WebhookScope::Account).await?;
    let mut sinks = Vec::new();
    for sink in twilio.sinks().await? {
        if bare(sink.destination()) != doors.events {
            continue;
        }
        let mut subscriptions = Vec::new();
        for subscription in twilio.subscriptions(&sink.sid).await? {
            let types = twilio.subscribed_types(&subscription.sid).await?;
            subscriptions.push((subscription.sid, types));
        }
        sinks.push(OurSink { failed: sink.has_failed(), sid: sink.sid, subscriptions });
    }
    Ok(Found { callback, service, service_webhook, account_webhook, sinks })
}
