//! All devices, by the address that a sender has.

use std::sync::Arc;

use aws_lc_rs::error::Unspecified;

use super::{
    Address, DeviceView, Message, PushAnswer, PushSubscription, answer::Answering, device::Device, encryption::Keys,
    fcm::AccessTokens, refused::Refused, unguessable,
};
use crate::rest::error::Refusal;

/// Protects memory: more cannot be made.
const DEVICES: usize = 10_000;

#[derive(Default)]
pub(crate) struct Devices {
    rows: Vec<Device>,
    pub(crate) tokens: AccessTokens,
}

/// What a sender's message goes to.
pub(crate) struct Target {
    /// The device's id.
    pub(crate) id: String,
    /// The answer that this message gets; it is counted.
    pub(crate) answer: PushAnswer,
    /// None: the device has no keys, since FCM reaches it.
    pub(crate) keys: Option<Arc<Keys>>,
}

impl Devices {
    /// A browser subscribes; `base` is what comes before the last part of the endpoint.
    pub(crate) fn subscribe(&mut self, owner: &str, name: &str, base: &str) -> Result<PushSubscription, Refusal> {
        let keys = Keys::generate().map_err(no_random)?;
        let path = unguessable().map_err(no_random)?;
        let subscription =
            PushSubscription { endpoint: format!("{base}/{path}"), p256dh: keys.p256dh(), auth: keys.auth() };
        self.add(owner, name, Address::WebPush { path, keys: Arc::new(keys) })?;
        Ok(subscription)
    }

    /// An app registers with FCM; returns its registration token.
    pub(crate) fn register_fcm(&mut self, owner: &str, name: &str) -> Result<String, Refusal> {
        let token = unguessable().map_err(no_random)?;
        self.add(owner, name, Address::Fcm { token: token.clone() })?;
        Ok(token)
    }

    fn add(&mut self, owner: &str, name: &str, address: Address) -> Result<(), Refusal> {
        if self.rows.len() >= DEVICES {
            return Err(Refusal::invalid(format!("there are {DEVICES} devices already")));
        }
        let id = format!("device-{}", self.rows.len() + 1);
        self.rows.push(Device::new(id, owner, name, address));
        Ok(())
    }

    /// Whom the last part of an endpoint's path leads to.
    pub(crate) fn at_endpoint(&mut self, wanted: &str) -> Option<Target> {
        self.target(|address| matches!(address, Address::WebPush { path, .. } if path == wanted))
    }

    /// Whom a registration token leads to.
    pub(crate) fn at_token(&mut self, wanted: &str) -> Option<Target> {
        self.target(|address| matches!(address, Address::Fcm { token } if token == wanted))
    }

    fn target(&mut self, is_wanted: impl Fn(&Address) -> bool) -> Option<Target> {
        let device = self.rows.iter_mut().find(|device| is_wanted(&device.address))?;
        let keys = match &device.address {
            Address::WebPush { keys, .. } => Some(Arc::clone(keys)),
            Address::Fcm { .. } => None,
        };
        Some(Target { id: device.id.clone(), answer: device.answering.take(), keys })
    }

    /// Takes a Web Push message, unless it comes from another application server than those before it.
    pub(crate) fn accept(&mut self, id: &str, server: Vec<u8>, message: Message, now_ms: u64) -> Result<(), Refused> {
        let device = self.get(id).map_err(|_| Refused::new(404, "no such subscription"))?;
        device.admit(server)?;
        device.deliver(message, now_ms);
        Ok(())
    }

    pub(crate) fn deliver(&mut self, id: &str, message: Message, now_ms: u64) {
        if let Ok(device) = self.get(id) {
            device.deliver(message, now_ms);
        }
    }

    /// How messages to a device are answered; it is called by its id, its endpoint or its registration token.
    pub(crate) fn set_answer(&mut self, name: &str, answer: PushAnswer, times: Option<u32>) -> Result<(), Refusal> {
        self.get(name)?.answering = Answering::new(answer, times);
        Ok(())
    }

    pub(crate) fn set_offline(&mut self, name: &str, offline: bool, now_ms: u64) -> Result<(), Refusal> {
        self.get(name)?.set_offline(offline, now_ms);
        Ok(())
    }

    pub(crate) fn dismiss(&mut self, name: &str, tag: &str) -> Result<(), Refusal> {
        self.get(name)?.screen.dismiss(tag);
        Ok(())
    }

    fn get(&mut self, name: &str) -> Result<&mut Device, Refusal> {
        self.rows.iter_mut().find(|device| device.is_called(name)).ok_or_else(Refusal::not_found)
    }

    /// `last`: so many devices, and so many notifications of each, at most.
    pub(crate) fn view(&self, last: usize) -> Vec<DeviceView> {
        let skipped = self.rows.len().saturating_sub(last);
        self.rows.iter().skip(skipped).map(|device| device.view(last)).collect()
    }
}

fn no_random(_: Unspecified) -> Refusal {
    Refusal::new(500, 20500, "the system has no random numbers")
}
