//! The devices in a test's hands.

use super::{PushAnswer, PushSubscription};
use crate::{Handle, http::endpoint_base, rest::error::Refusal};

impl Handle {
    /// A browser of an agent's (by phone number) subscribes. Its endpoint is at the stand-in, and each message to it is
    /// held against the RFCs; what arrives is in [`Snapshot::devices`](crate::Snapshot).
    pub fn subscribe(&self, owner: &str, name: &str) -> Result<PushSubscription, Refusal> {
        self.engine.on_devices(|devices, _| devices.subscribe(owner, name, &endpoint_base(&self.url())))
    }

    /// An agent's app registers with FCM, whose base URL is the stand-in's with `/fcm`; returns the registration token.
    pub fn register_fcm(&self, owner: &str, name: &str) -> Result<String, Refusal> {
        self.engine.on_devices(|devices, _| devices.register_fcm(owner, name))
    }

    /// The service account's JSON, as the Google Cloud console gives it out. Its key is made at the first call.
    pub fn service_account(&self) -> Result<String, Refusal> {
        let account = self.engine.service_account(&self.url()).and_then(|account| account.json().ok());
        account.ok_or_else(|| Refusal::new(500, 20500, "the system has no random numbers"))
    }

    /// No access token that was given out for FCM is valid any more.
    pub fn revoke_fcm_tokens(&self) {
        self.engine.on_devices(|devices, _| devices.tokens.revoke());
    }

    /// How the next `times` messages to a device are answered; none: all from now on. A device is called by its id, its
    /// endpoint or its registration token.
    pub fn set_push_answer(&self, device: &str, answer: PushAnswer, times: Option<u32>) -> Result<(), Refusal> {
        self.engine.on_devices(|devices, _| devices.set_answer(device, answer, times))
    }

    /// A device loses its connection, or has it again: then what waited for it arrives, if its TTL is not over.
    pub fn set_device_offline(&self, device: &str, offline: bool) -> Result<(), Refusal> {
        self.engine.on_devices(|devices, now| devices.set_offline(device, offline, now))
    }

    /// Whoever holds the device wipes away what bears a tag.
    pub fn dismiss(&self, device: &str, tag: &str) -> Result<(), Refusal> {
        self.engine.on_devices(|devices, _| devices.dismiss(device, tag))
    }
}
