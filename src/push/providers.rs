//! One way to every device: asks whether the device is still there and wants to be told, puts a notification into words,
//! gives it to the device's provider, and counts.

use std::time::Duration;

use metrics::{counter, histogram};

use super::{
    OutboxItem,
    failure::{End, Failure, Undelivered},
    fcm::Fcm,
    payload::{Message, Recipient, Terms},
    policy,
    records::Devices,
    webpush::{Subscription, WebPush},
};
use crate::{
    clock::Clock,
    config::BaseUrl,
    domain::{AgentId, News, Privacy, PushTarget, Timestamp, Wishes},
    store::{StoreError, StoreHandle},
};

/// How soon a softphone that could not be woken is tried again: somebody is waiting.
const WAKE_AGAIN: Duration = Duration::from_secs(1);

/// What became of waking a softphone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Woken {
    Sent,
    NotSent,
    /// FCM does not know it: nothing will ever wake it.
    Gone,
}

/// Not before the service wants to be asked again.
fn pause(retry_after: Option<Duration>) -> Duration {
    retry_after.unwrap_or_default().max(WAKE_AGAIN)
}

pub(super) struct Providers {
    pub(super) webpush: WebPush,
    pub(super) fcm: Option<Fcm>,
    /// What a lock screen may show where neither device nor agent says otherwise.
    pub(super) privacy: Privacy,
    pub(super) public_url: BaseUrl,
    pub(super) store: StoreHandle,
    pub(super) clock: Clock,
}

/// A device as it is when something goes out to it.
pub(super) struct Destination {
    pub(super) target: PushTarget,
    /// The device's own, over its agent's.
    pub(super) wishes: Wishes,
}

impl Providers {
    pub(super) const fn has_fcm(&self) -> bool {
        self.fcm.is_some()
    }

    /// One try. To be called on the `io` runtime.
    pub(super) async fn deliver(&self, item: &OutboxItem) -> Result<End, Failure> {
        // No service was asked: that says nothing of it.
        let Some(to) = self.find(item).await? else { return Ok(End::Gone) };
        let (notification, now) = (&item.notification, self.clock.now());
        if notification.expires <= now {
            return Ok(End::Expired);
        }
        if let Some(why) = policy::held_back(notification.news.kind(), &to.wishes, now) {
            return Ok(End::HeldBack(why));
        }
        self.send(item, &to).await.map(|_| End::Sent).map_err(|undelivered| undelivered.failure)
    }

    /// Where an item goes by now. None: its device is gone, and its agent perhaps, too.
    async fn find(&self, item: &OutboxItem) -> Result<Option<Destination>, Failure> {
        let devices = match self.store.get::<Devices>(&item.agent).await {
            Ok(devices) => devices,
            // Whoever cannot read it begins anew, without devices.
            Err(StoreError::Unreadable(_)) => None,
            Err(_) => return Err(Failure::busy("store")),
        };
        let Some(Devices { devices, wishes }) = devices else { return Ok(None) };
        let device = devices.into_iter().find(|device| device.id == item.device);
        Ok(match device {
            Some(device) => Some(Destination { wishes: device.wishes.over(&wishes), target: device.target }),
            // A device is let go of together with its session, and is to be told so.
            None if item.notification.news == News::SessionSuperseded => {
                Some(Destination { target: item.target.clone(), wishes })
            }
            None => None,
        })
    }

    /// Wakes a softphone: tries until it is taken, or of no use any more, and no sooner than FCM wants to be asked.
    pub(super) async fn wake(&self, agent: AgentId, token: &str, exp: Timestamp) -> Woken {
        loop {
            let outcome = match &self.fcm {
                Some(fcm) => fcm.wake(token, exp).await.map_err(|undelivered| undelivered.failure),
                None => Err(Failure::Refused { reason: "fcm_off" }),
            };
            let Err(failure) = outcome else {
                counter!("offdesk_sip_wakes_total", "outcome" => "sent").increment(1);
                return Woken::Sent;
            };
            match failure {
                Failure::Later { retry_after, .. } if self.clock.now() + pause(retry_after) < exp => {
                    self.clock.sleep(pause(retry_after)).await;
                }
                _ => {
                    let reason = failure.reason();
                    counter!("offdesk_sip_wakes_total", "outcome" => reason).increment(1);
                    tracing::warn!(%agent, reason, "a sleeping softphone was not woken");
                    return if matches!(failure, Failure::Gone { .. }) { Woken::Gone } else { Woken::NotSent };
                }
            }
        }
    }

    /// Sends, and counts what becomes of it. Answers with the provider's status.
    pub(super) async fn send(&self, item: &OutboxItem, to: &Destination) -> Result<u16, Undelivered> {
        let provider = to.target.label();
        let begun = self.clock.now();
        let outcome = self.hand_over(item, to).await;
        histogram!("offdesk_push_seconds", "provider" => provider).record(self.clock.now().since(begun));
        match &outcome {
            Ok(_) => {
                let kind = item.notification.news.kind().name();
                counter!("offdesk_push_sent_total", "provider" => provider, "type" => kind).increment(1);
                let waited = self.clock.now().since(item.created);
                histogram!("offdesk_push_delivery_seconds", "provider" => provider).record(waited);
            }
            Err(Undelivered { failure, .. }) => {
                let reason = failure.reason();
                counter!("offdesk_push_failed_total", "provider" => provider, "reason" => reason).increment(1);
                tell(item, *failure);
            }
        }
        outcome
    }

    async fn hand_over(&self, item: &OutboxItem, to: &Destination) -> Result<u16, Undelivered> {
        let terms = Terms {
            privacy: to.wishes.privacy.unwrap_or(self.privacy),
            language: to.wishes.language.unwrap_or_default(),
        };
        let message = Message::of(item, terms, &self.public_url);
        match (&to.target, &self.fcm) {
            (PushTarget::WebPush { endpoint, p256dh, auth }, _) => {
                self.webpush.send(Subscription { endpoint, p256dh, auth }, &message).await
            }
            (PushTarget::Fcm { .. }, None) => Err(Failure::Refused { reason: "fcm_off" }.into()),
            (PushTarget::Fcm { token, is_fid: true }, Some(fcm)) => fcm.send(Recipient::Fid(token), &message).await,
            (PushTarget::Fcm { token, is_fid: false }, Some(fcm)) => fcm.send(Recipient::Token(token), &message).await,
        }
    }
}

/// A try does not go on when what it brings is of no use any more: what arrives late is worse than what does not arrive.
pub(super) fn patience(message: &Message, now: crate::domain::Timestamp) -> Duration {
    Duration::from_secs(message.seconds_left(now).max(1))
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
