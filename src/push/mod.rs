//! Notifications on agents' devices: Web Push (RFC 8030, RFC 8291, RFC 8292) and Firebase Cloud Messaging.
//!
//! The outbox on disk is the queue; `queue` says whose turn it is, `pusher` carries it out, `providers` is the one way to
//! every device. [`Push`] may be called from any thread; everything goes out on the `io` runtime. Nothing here knows of
//! actors or of our own HTTP server, and no type of reqwest or web_push crosses the edge.

mod account;
mod address;
mod backoff;
mod endpoint;
mod failure;
mod fcm;
mod http;
mod mark;
mod oauth;
mod outbox;
mod payload;
mod providers;
mod pusher;
mod queue;
mod settings;
mod target;
mod vapid;
mod webpush;

use std::sync::Arc;

use tokio::{
    runtime::Handle,
    sync::{mpsc, watch},
};

pub use self::{
    account::AccountError,
    endpoint::EndpointError,
    http::Timeouts,
    mark::{KeyMark, check_key, mark_key},
    outbox::{Numbered, OutboxItem},
    settings::{FcmSettings, Limits, PushError, Settings, VapidKeyFile},
    target::TargetError,
    vapid::VapidKeyError,
};
use self::{endpoint::AllowList, outbox::Outbox, pusher::Pusher, vapid::VapidKey};
use crate::{
    clock::Clock,
    domain::{AgentId, Device, DeviceId, Notification, PushTarget},
    store::StoreHandle,
};

/// The public half of the key in a file, which is made first if it is ours to make: what browsers subscribe with.
///
/// # Errors
/// [`VapidKeyError`]
pub fn vapid_public_key(file: &VapidKeyFile) -> Result<String, VapidKeyError> {
    VapidKey::open(file).map(|key| key.public().to_owned())
}

/// Has FCM look at a message that it does not send (`validateOnly`); true, if FCM is set up.
///
/// # Errors
/// In one word what FCM or Google's token endpoint said, or what of the settings is of no use.
pub async fn check_fcm(settings: &Settings, clock: &Clock) -> Result<bool, String> {
    match &settings.fcm {
        Some(fcm) => settings.fcm(fcm, clock).map_err(|error| error.to_string())?.validate().await.map(|()| true),
        None => Ok(false),
    }
}

/// The way to agents' devices. Clones are the same pusher.
#[derive(Clone)]
pub struct Push {
    inner: Arc<Inner>,
}

struct Inner {
    outbox: Outbox,
    clock: Clock,
    allowed: AllowList,
    has_fcm: bool,
    public_key: String,
    stop: watch::Sender<bool>,
    /// Its other end goes with the pusher.
    ended: watch::Receiver<()>,
}

impl Push {
    /// Sets the pusher going on `io`; what the store holds is sent first. Devices that a provider does not know any more are
    /// reported to `gone`, as far as it has room. The process must have installed its TLS provider.
    ///
    /// # Errors
    /// [`PushError`]: a key cannot be read or made, or the store cannot be read.
    pub async fn start(
        settings: Settings,
        store: StoreHandle,
        clock: Clock,
        io: Handle,
        gone: mpsc::Sender<(AgentId, DeviceId)>,
    ) -> Result<Self, PushError> {
        let key = VapidKey::open(&settings.vapid_key).map_err(|source| settings.vapid_key.error(source))?;
        let providers = {
            // Clients belong to the runtime that they are made on.
            let _runtime = io.enter();
            settings.providers(&key, &clock)?
        };
        let (outbox, outlet) = Outbox::open(&store).await?;
        let (stop, stopped) = watch::channel(false);
        let (guard, ended) = watch::channel(());
        let inner = Inner {
            outbox,
            clock: clock.clone(),
            allowed: AllowList::new(settings.allow_hosts),
            has_fcm: providers.fcm.is_some(),
            public_key: key.public().to_owned(),
            stop,
            ended,
        };
        let pusher = Pusher::new(store, clock, outlet, Arc::new(providers), settings.limits.in_flight, gone);
        io.spawn(async move {
            let _guard = guard;
            pusher.run(stopped).await;
        });
        Ok(Self { inner: Arc::new(inner) })
    }

    /// One item a device, to be put into the batch that holds what the notification tells of
    /// (`batch.put(&sequence, &item)`), and to be handed over once that is on disk. An agent's items must be committed in the
    /// order in which they were made.
    pub fn items(&self, agent: AgentId, devices: &[Device], notification: &Notification) -> Vec<Numbered> {
        self.inner.outbox.items(agent, devices, notification, self.inner.clock.now())
    }

    /// Gives items that are on disk to the pusher. It never waits: what finds no room is read from the store later.
    pub fn hand_over(&self, items: Vec<Numbered>) {
        self.inner.outbox.hand_over(items);
    }

    /// The key that browsers subscribe with, `applicationServerKey`: an uncompressed point in base64url.
    pub fn public_key(&self) -> &str {
        &self.inner.public_key
    }

    /// A device's target in the form that it is to be kept in; to be asked before a device is registered.
    ///
    /// # Errors
    /// [`TargetError`]: nothing could be delivered there, or nothing may.
    pub fn check_target(&self, target: &PushTarget) -> Result<PushTarget, TargetError> {
        target::check(target, &self.inner.allowed, self.inner.has_fcm)
    }

    /// Items that wait or are being sent; those that only the store knows of count as one. Zero: all is done with.
    pub fn under_way(&self) -> usize {
        self.inner.outbox.under_way()
    }

    /// Begins nothing more, and waits for what is on its way; the rest stays in the store for the next start.
    pub async fn finish(&self) {
        self.inner.stop.send_replace(true);
        // An error: the pusher has let go of the other end.
        let _ = self.inner.ended.clone().changed().await;
    }
}
