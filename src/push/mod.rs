//! Notifications on agents' devices: Web Push (RFC 8030, RFC 8291, RFC 8292) and Firebase Cloud Messaging.
//!
//! The outbox on disk is the queue. [`Push`] may be called from any thread; everything goes out on the `io` runtime. Nothing
//! here knows of actors or of our own HTTP server, and no type of reqwest or web_push crosses the edge.

mod outbox;
mod payload;

pub use self::outbox::{Numbered, OutboxItem};

use std::{path::PathBuf, sync::Arc};

use secrecy::SecretString;
use tokio::{runtime::Handle, sync::mpsc};

use self::outbox::Outbox;
use crate::{
    clock::Clock,
    config::{AllowedHost, BaseUrl, Privacy, Subject},
    domain::{AgentId, Device, DeviceId, Notification, PushTarget},
    store::{StoreError, StoreHandle},
};

/// What the pusher must be told.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where a notification leads when it is tapped.
    pub public_url: BaseUrl,
    pub privacy: Privacy,
    pub allow_hosts: Vec<AllowedHost>,
    /// Whom a push service may turn to.
    pub subject: Subject,
    pub vapid_key: VapidKeyFile,
    /// None: FCM is off.
    pub fcm: Option<FcmSettings>,
    /// Certificates in PEM that are trusted beside the system's own.
    pub extra_roots_pem: Option<Vec<u8>>,
}

/// Where the key lies that signs web pushes, PKCS#8 in PEM.
#[derive(Clone, Debug)]
pub enum VapidKeyFile {
    /// The operator made it.
    Given(PathBuf),
    /// We make it if it is not there.
    Own(PathBuf),
}

/// Firebase Cloud Messaging.
#[derive(Clone, Debug)]
pub struct FcmSettings {
    /// The service account's key, JSON as Google hands it out.
    pub service_account: SecretString,
    pub endpoint: BaseUrl,
}

/// Why nothing can be pushed.
#[derive(Debug, thiserror::Error)]
pub enum PushError {
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why a device cannot be pushed to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TargetError {
    #[error("FCM is not configured")]
    FcmOff,
}

/// The way to agents' devices. Clones are the same pusher.
#[derive(Clone)]
pub struct Push {
    inner: Arc<Inner>,
}

struct Inner {
    outbox: Outbox,
    clock: Clock,
}

impl Push {
    /// Sets the pusher going on `io`; whatever the store holds is sent first. Devices that a provider does not know any more
    /// are reported to `gone`, as far as it has room.
    pub async fn start(
        _settings: Settings,
        store: StoreHandle,
        clock: Clock,
        _io: Handle,
        _gone: mpsc::Sender<(AgentId, DeviceId)>,
    ) -> Result<Self, PushError> {
        let (outbox, _outlet) = Outbox::open(&store).await?;
        Ok(Self { inner: Arc::new(Inner { outbox, clock }) })
    }

    /// One item a device, to be put into the batch that holds what the notification tells of:
    /// `batch.put(&sequence, &item)`.
    pub fn items(&self, agent: AgentId, devices: &[Device], notification: &Notification) -> Vec<Numbered> {
        self.inner.outbox.items(agent, devices, notification, self.inner.clock.now())
    }

    /// Gives items to the pusher once their batch is on disk. It never waits: what finds no room is read from the store.
    pub fn hand_over(&self, items: Vec<Numbered>) {
        self.inner.outbox.hand_over(items);
    }

    /// The key that browsers subscribe with: `applicationServerKey`, an uncompressed point in base64url.
    pub fn public_key(&self) -> &str {
        ""
    }

    /// A device's target as it is to be kept; to be asked before it is registered.
    ///
    /// # Errors
    /// [`TargetError`], if nothing could be delivered there or nothing may.
    pub fn check_target(&self, target: &PushTarget) -> Result<PushTarget, TargetError> {
        Ok(target.clone())
    }

    /// Items that wait or are being sent. Zero: everything that was handed over is done with.
    pub fn under_way(&self) -> usize {
        self.inner.outbox.under_way()
    }
}
