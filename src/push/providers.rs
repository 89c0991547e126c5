//! One way to every device: puts a notification into words, gives it to the device's provider, and counts.

use metrics::{counter, histogram};

use super::{
    OutboxItem,
    failure::Failure,
    fcm::Fcm,
    payload::{Message, Recipient},
    webpush::{Subscription, WebPush},
};
use crate::{
    clock::Clock,
    config::{BaseUrl, Privacy},
    domain::PushTarget,
};

pub(super) struct Providers {
    pub(super) webpush: WebPush,
    pub(super) fcm: Option<Fcm>,
    pub(super) privacy: Privacy,
    pub(super) public_url: BaseUrl,
    pub(super) clock: Clock,
}

impl Providers {
    /// One try. To be called on the `io` runtime.
    pub(super) async fn deliver(&self, item: &OutboxItem) -> Result<(), Failure> {
        let provider = item.target.label();
        let begun = self.clock.now();
        let outcome = self.send(item).await;
        histogram!("offdesk_push_seconds", "provider" => provider).record(self.clock.now().since(begun));
        match outcome {
            Ok(()) => {
                let kind = item.notification.news.kind();
                counter!("offdesk_push_sent_total", "provider" => provider, "type" => kind).increment(1);
            }
            Err(failure) => {
                let reason = failure.reason();
                counter!("offdesk_push_failed_total", "provider" => provider, "reason" => reason).increment(1);
                tell(item, failure);
            }
        }
        outcome
    }

    async fn send(&self, item: &OutboxItem) -> Result<(), Failure> {
        let message = Message::of(item, self.privacy, &self.public_url);
        match (&item.target, &self.fcm) {
            (PushTarget::WebPush { endpoint, p256dh, auth }, _) => {
                self.webpush.send(Subscription { endpoint, p256dh, auth }, &message).await
            }
            (PushTarget::Fcm { .. }, None) => Err(Failure::Refused { reason: "fcm_off" }),
            (PushTarget::Fcm { token, is_fid: true }, Some(fcm)) => fcm.send(Recipient::Fid(token), &message).await,
            (PushTarget::Fcm { token, is_fid: false }, Some(fcm)) => fcm.send(Recipient::Token(token), &message).await,
        }
    }
}

/// A refusal is a fault of ours or of the configuration. The rest is the weather.
fn tell(item: &OutboxItem, failure: Failure) {
    let (agent, device, id, provider) = (item.agent, item.device, item.id, item.target.label());
    match failure {
        Failure::Refused { reason } => tracing::error!(%agent, %device, %id, provider, reason, "a push was refused"),
        Failure::Gone { reason } => tracing::info!(%agent, %device, provider, reason, "a device is gone"),
        Failure::Later { reason, .. } => tracing::debug!(%agent, %device, %id, provider, reason, "a push has failed"),
    }
}
