//! Notifications on agents' devices: Web Push (RFC 8030, RFC 8291, RFC 8292) and Firebase Cloud Messaging.
//!
//! The outbox on disk is the queue; `queue` says whose turn it is, `pusher` carries it out, `providers` is the one way to
//! every device. [`Push`] may be called from any thread; everything goes out on the `io` runtime. Nothing here knows of
//! actors or of our own HTTP server, and no type of reqwest or web_push crosses the edge.

mod account;
mod address;
mod backoff;
mod ece;
mod endpoint;
mod failure;
mod fcm;
mod gate;
mod graveyard;
mod http;
mod mark;
mod oauth;
mod outbox;
mod payload;
mod policy;
mod providers;
mod pusher;
mod queue;
mod records;
mod settings;
mod share;
mod target;
mod vapid;
mod webpush;

use std::{sync::Arc, time::Duration};

use tokio::{
    runtime::Handle,
    sync::{Semaphore, mpsc, watch},
};

pub use self::{
    account::AccountError,
    endpoint::EndpointError,
    http::Timeouts,
    mark::{KeyMark, check_key, mark_key},
    outbox::{Numbered, OutboxItem},
    payload::Spoken,
    records::{Cause, DeadLetter, Devices, LastDelivery, owner_of_delivery},
    settings::{FcmSettings, Limits, PushError, Settings, VapidKeyFile},
    target::TargetError,
    vapid::VapidKeyError,
};
use self::{
    endpoint::AllowList,
    graveyard::Graveyard,
    outbox::Outbox,
    providers::{Destination, Providers, Woken},
    pusher::{Pusher, Tools},
    vapid::VapidKey,
};
use crate::{
    clock::Clock,
    domain::{AgentId, Device, DeviceId, News, Notification, PushTarget, Timestamp, Wishes},
    store::{Sequence, StoreError, StoreHandle},
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

/// Tests that agents may have under way at the same time, all together: they go past the queue.
const TESTS: usize = 16;
/// How long a test's notification is of use.
const TEST_LIFE: Duration = Duration::from_secs(60);

/// What came of a test.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tested {
    pub delivered: bool,
    /// `webpush` or `fcm`.
    pub provider: &'static str,
    /// What the provider answered; none: it did not.
    pub status: Option<u16>,
    /// Why it was not delivered, as in `offdesk_push_failed_total`.
    pub reason: Option<&'static str>,
    /// The device is of no use any more, and is let go of.
    pub gone: bool,
    pub took: Duration,
}

/// The way to agents' devices. Clones are the same pusher.
#[derive(Clone)]
pub struct Push {
    inner: Arc<Inner>,
}

struct Inner {
    outbox: Outbox,
    providers: Arc<Providers>,
    io: Handle,
    /// A permit a test that is under way.
    tests: Semaphore,
    store: StoreHandle,
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
            Arc::new(settings.providers(&key, &store, &clock)?)
        };
        let graveyard = Graveyard::open(&store).await?;
        let (outbox, outlet) = Outbox::open(&store, graveyard.end()).await?;
        let (stop, stopped) = watch::channel(false);
        let (guard, ended) = watch::channel(());
        let inner = Inner {
            outbox,
            has_fcm: providers.has_fcm(),
            providers: providers.clone(),
            io: io.clone(),
            tests: Semaphore::new(TESTS),
            store: store.clone(),
            clock: clock.clone(),
            allowed: AllowList::new(settings.allow_hosts),
            public_key: key.public().to_owned(),
            stop,
            ended,
        };
        let tools = Tools { store, clock, providers, limits: settings.limits.in_flight, gone };
        let pusher = Pusher::new(tools, outlet, graveyard);
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

    /// Sends a notification that only says that it arrives, past the queue, and answers when the provider has. None: there are
    /// too many tests under way.
    pub async fn test(&self, agent: AgentId, device: &Device, wishes: &Wishes, unread: u32) -> Option<Tested> {
        let _turn = self.inner.tests.try_acquire().ok()?;
        let notification = Notification { news: News::Test, expires: self.inner.clock.now() + TEST_LIFE, unread };
        self.send_now(agent, device, wishes, &notification).await
    }

    /// Sends a notification past the queue, once, and answers when the provider has. Nobody keeps what is not delivered.
    /// None: the daemon goes down.
    pub async fn send_now(
        &self,
        agent: AgentId,
        device: &Device,
        wishes: &Wishes,
        notification: &Notification,
    ) -> Option<Tested> {
        let begun = self.inner.clock.now();
        let (_, item) = self.items(agent, std::slice::from_ref(device), notification).pop()?;
        let destination = Destination { target: device.target.clone(), wishes: device.wishes.over(wishes) };
        let providers = self.inner.providers.clone();
        let sending = self.inner.io.spawn(async move { providers.send(&item, &destination).await });
        let outcome = sending.await.ok()?;
        let failure = outcome.err();
        Some(Tested {
            delivered: failure.is_none(),
            provider: device.target.label(),
            status: outcome.map_or_else(|undelivered| undelivered.status, Some),
            reason: failure.map(|undelivered| undelivered.failure.reason()),
            gone: failure.is_some_and(|undelivered| undelivered.failure.is_final_for_device()),
            took: self.inner.clock.now().since(begun),
        })
    }

    /// Wakes a softphone by the token that it has registered with (RFC 8599), past the queue; once `exp` has come, it is of no
    /// use any more. What comes of it is counted (`offdesk_sip_wakes_total`), and told in the log if that is nothing. `gone` is
    /// for a token that FCM does not know any more.
    pub fn wake(&self, agent: AgentId, token: String, exp: Timestamp, gone: impl Future<Output = ()> + Send + 'static) {
        let providers = self.inner.providers.clone();
        self.inner.io.spawn(async move {
            if providers.wake(agent, &token, exp).await == Woken::Gone {
                gone.await;
            }
        });
    }

    /// What each device's push service last took, in their order.
    ///
    /// # Errors
    /// The store does not answer.
    pub async fn last_deliveries(
        &self,
        agent: AgentId,
        devices: &[Device],
    ) -> Result<Vec<Option<LastDelivery>>, StoreError> {
        let reading = devices.iter().map(|device| self.inner.store.get::<LastDelivery>(&(agent, device.id)));
        let found = futures_util::future::join_all(reading).await;
        // One that cannot be read is one that nobody knows.
        found
            .into_iter()
            .map(|one| one.or_else(|error| if error.is_unreadable() { Ok(None) } else { Err(error) }))
            .collect()
    }

    /// Pushes that were never delivered, behind a place, the oldest first, with their places.
    ///
    /// # Errors
    /// The store does not answer.
    pub async fn dead_letters(&self, after: u64, limit: usize) -> Result<Vec<(u64, DeadLetter)>, StoreError> {
        dead_letters(&self.inner.store, after, limit).await
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

/// Pushes that were never delivered, as a store has them; see [`Push::dead_letters`].
///
/// # Errors
/// The store does not answer.
pub async fn dead_letters(store: &StoreHandle, after: u64, limit: usize) -> Result<Vec<(u64, DeadLetter)>, StoreError> {
    let letters = graveyard::letters(store, Sequence::new(after), limit).await?;
    Ok(letters.into_iter().map(|(place, letter)| (place.get(), letter)).collect())
}
