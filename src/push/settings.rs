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
    config::{AllowedHost, BaseUrl, Privacy, Subject},
    store::StoreError,
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
    /// Requests under way at once, by Web Push and by FCM. A server takes a hundred on an HTTP/2 connection, of which there
    /// is one a host.
    pub in_flight: [usize; 2],
}

impl Default for Limits {
    fn default() -> Self {
        Self { timeouts: Timeouts::default(), in_flight: [64, 90] }
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
    pub(super) fn providers(&self, key: &VapidKey, clock: &Clock) -> Result<Providers, PushError> {
        let allowed = AllowList::new(self.allow_hosts.clone());
        let http = self.client(Reach::Public { but: allowed.private_names() })?;
        let webpush = WebPush::new(http, allowed, key, self.subject.clone(), clock.clone())
            .map_err(|_| self.vapid_key.error(VapidKeyError::NotAKey))?;
        Ok(Providers {
            webpush,
            fcm: self.fcm.as_ref().map(|fcm| self.fcm(fcm, clock)).transpose()?,
            privacy: self.privacy,
            public_url: self.public_url.clone(),
            clock: clock.clone(),
        })
    }

    pub(super) fn fcm(&self, fcm: &FcmSettings, clock: &Clock) -> Result<Fcm, PushError> {
        let account = Account::from_json(fcm.service_account.expose_secret())?;
        let http = self.client(Reach::Anywhere)?;
        let tokens = Tokens::new(account, http.clone(), clock.clone());
        Ok(Fcm::new(http, tokens, &fcm.endpoint, clock.clone())?)
    }

    fn client(&self, reach: Reach) -> Result<Http, PushError> {
        Http::new(self.limits.timeouts, reach, self.extra_roots_pem.as_deref()).map_err(PushError::Client)
    }
}
