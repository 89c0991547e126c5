//! One device: how it is reached, what waits for it, what it shows.

use std::{collections::VecDeque, sync::Arc};

use serde::{Deserialize, Serialize};

use super::{
    PushAnswer, answer::Answering, encryption::Keys, notification::Content, refused::Refused, screen::Screen,
    view::DeviceView,
};

/// Messages that wait for a device without a connection. Protects memory: past it the oldest are lost.
const WAITING: usize = 100;

/// Which service reaches a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PushKind {
    WebPush,
    Fcm,
}

/// What a browser's `PushManager.subscribe()` would give.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PushSubscription {
    pub endpoint: String,
    /// Base64url without padding, as `auth`.
    pub p256dh: String,
    pub auth: String,
}

pub(crate) enum Address {
    /// The last part of the endpoint's path, and the browser's keys.
    WebPush {
        path: String,
        keys: Arc<Keys>,
    },
    Fcm {
        token: String,
    },
}

/// A message that a service has taken.
#[derive(Clone, Debug, Default)]
pub(crate) struct Message {
    pub(super) content: Content,
    pub(super) urgency: Option<String>,
    pub(super) ttl_s: u64,
    /// A later one with the same topic takes the place of one that still waits.
    pub(super) topic: Option<String>,
}

impl Message {
    /// How long the service keeps it, in seconds.
    pub(crate) const fn ttl_s(&self) -> u64 {
        self.ttl_s
    }
}

struct Waiting {
    message: Message,
    until_ms: u64,
}

pub(super) struct Device {
    pub(super) id: String,
    pub(super) owner: String,
    pub(super) name: String,
    pub(super) address: Address,
    pub(super) answering: Answering,
    /// The key of the application server that sent the first message; no other may send.
    server: Option<Vec<u8>>,
    offline: bool,
    waiting: VecDeque<Waiting>,
    pub(super) screen: Screen,
}

impl Device {
    pub(super) fn new(id: String, owner: &str, name: &str, address: Address) -> Self {
        Self {
            id,
            owner: owner.to_owned(),
            name: name.to_owned(),
            address,
            answering: Answering::default(),
            server: None,
            offline: false,
            waiting: VecDeque::new(),
            screen: Screen::default(),
        }
    }

    /// RFC 8292, section 4: a subscription is restricted to one application server. A browser is told which one; here
    /// it is the first that sends.
    pub(super) fn admit(&mut self, server: Vec<u8>) -> Result<(), Refused> {
        match &self.server {
            Some(known) if *known != server => Err(Refused::new(403, "the subscription is another server's")),
            Some(_) => Ok(()),
            None => {
                self.server = Some(server);
                Ok(())
            }
        }
    }

    pub(super) fn deliver(&mut self, message: Message, now_ms: u64) {
        if !self.offline {
            return self.screen.receive(message, now_ms);
        }
        if message.topic.is_some() {
            self.waiting.retain(|one| one.message.topic != message.topic);
        }
        if message.ttl_s > 0 {
            let until_ms = now_ms.saturating_add(message.ttl_s.saturating_mul(1000));
            self.waiting.push_back(Waiting { message, until_ms });
        }
        if self.waiting.len() > WAITING {
            self.waiting.pop_front();
        }
    }

    /// What has waited and is still good arrives when the connection comes back.
    pub(super) fn set_offline(&mut self, offline: bool, now_ms: u64) {
        self.offline = offline;
        if offline {
            return;
        }
        for waiting in std::mem::take(&mut self.waiting) {
            if waiting.until_ms > now_ms {
                self.screen.receive(waiting.message, now_ms);
            }
        }
    }

    pub(super) fn is_called(&self, name: &str) -> bool {
        let address = match &self.address {
            Address::WebPush { path, .. } => path,
            Address::Fcm { token } => token,
        };
        // An endpoint is given as the whole URL.
        self.id == name || name.rsplit('/').next() == Some(address)
    }

    /// `last`: so many notifications at most, the latest.
    pub(super) fn view(&self, last: usize) -> DeviceView {
        let (notifications, shown) = self.screen.view(last);
        DeviceView {
            id: self.id.clone(),
            owner: self.owner.clone(),
            name: self.name.clone(),
            kind: match self.address {
                Address::WebPush { .. } => PushKind::WebPush,
                Address::Fcm { .. } => PushKind::Fcm,
            },
            answer: self.answering.next(),
            gone: self.answering.next() == PushAnswer::Gone,
            offline: self.offline,
            waiting: self.waiting.len(),
            notifications,
            badge: self.screen.badge,
            shown,
        }
    }
}
