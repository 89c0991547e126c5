//! What the pusher must be told, and what it makes of it.

use std::path::{Path, PathBuf};

use secrecy::{ExposeSecret, SecretString};

use super::{
    account::{Account, AccountError},
    endpoint::AllowList,
    fcm::Fcm,
    http::{Http, Reach, Timeouts},
    oauth::Tokens,
    providers::Providers,
    vapid::{VapidKey, VapidKeyError},
    webpush::WebPush,
};
use crate::{
    clock::Clock,
    config::{AllowedHost, BaseUrl, Subject},
    domain::Privacy,
    store::{StoreError, StoreHandle},
};

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
    pub limits: Limits,
}

/// Where the key lies that signs web pushes, PKCS#8 in PEM.
#[derive(Clone, Debug)]
pub enum VapidKeyFile {
    /// The operator has made it.
    Given(PathBuf),
    /// We make it, if it is not there.
    Own(PathBuf),
}

/// Firebase Cloud Messaging.
#[derive(Clone, Debug)]
pub struct FcmSettings {
    /// The service account's key, JSON as Google hands it out.
    pub service_account: SecretString,
    pub endpoint: BaseUrl,
}

/// How long and how much.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    pub timeouts: Timeouts,
    /// Requests under way at once, to one push service of browsers and to FCM. A server takes a hundred on an HTTP/2
    /// connection, of which there is one a host for browsers and [`Limits::fcm_connections`] for FCM.
    pub in_flight: [usize; 2],
    pub fcm_connections: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { timeouts: Timeouts::default(), in_flight: [64, 360], fcm_connections: 4 }
    }
}

/// Why nothing can be pushed.
#[derive(Debug, thiserror::Error)]
pub enum PushError {
    #[error("the key that signs web pushes, {path}: {source}")]
    VapidKey { path: String, source: VapidKeyError },
    #[error("push.fcm.service_account_file: {0}")]
    Account(#[from] AccountError),
    #[error("push.fcm.endpoint makes no URL")]
    Endpoint(#[from] url::ParseError),
    #[error("no HTTP client for pushes: {0}")]
    Client(String),
    #[error("the outbox cannot be read: {0}")]
    Store(#[from] StoreError),
}

impl VapidKeyFile {
    pub fn path(&self) -> &Path {
        let (Self::Given(path) | Self::Own(path)) = self;
        path
    }

    pub(super) fn error(&self, source: VapidKeyError) -> PushError {
        let (Self::Given(path) | Self::Own(path)) = self;
        PushError::VapidKey { path: path.display().to_string(), source }
    }
}

impl Settings {
    /// To be called on the runtime that everything is sent on.
    pub(super) fn providers(&self, key: &VapidKey, store: &StoreHandle, clock: &Clock) -> Result<Providers, PushError> {
        let allowed = AllowList::new(self.allow_hosts.clone());
        let http = self.client(Reach::Public { but: allowed.private_names() })?;
        let webpush = WebPush::new(http, allowed, key, self.subject.clone(), clock.clone())
            .map_err(|_| self.vapid_key.error(VapidKeyError::NotAKey))?;
        Ok(Providers {
            webpush,
            fcm: self.fcm.as_ref().map(|fcm| self.fcm(fcm, clock)).transpose()?,
            privacy: self.privacy,
            public_url: self.public_url.clone(),
            store: store.clone(),
            clock: clock.clone(),
        })
    }

    pub(super) fn fcm(&self, fcm: &FcmSettings, clock: &Clock) -> Result<Fcm, PushError> {
        let account = Account::from_json(fcm.service_account.expose_secret())?;
        let tokens = Tokens::new(account, self.client(Reach::Anywhere)?, clock.clone());
        let Limits { in_flight: [_, in_flight], fcm_connections, .. } = self.limits;
        let clients =
            (0..fcm_connections.max(1)).map(|_| self.client(Reach::Anywhere)).collect::<Result<Vec<_>, _>>()?;
        let streams = in_flight.div_ceil(clients.len());
        Ok(Fcm::new(clients, streams, tokens, &fcm.endpoint, clock.clone())?)
    }

    fn client(&self, reach: Reach) -> Result<Http, PushError> {
        Http::new(self.limits.timeouts, reach, self.extra_roots_pem.as_deref()).map_err(PushError::Client)
    }
}
