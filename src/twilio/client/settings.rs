//! What the client must be told.

use std::{fmt, time::Duration};

use secrecy::SecretString;
use url::Url;

use crate::domain::{AccountSid, WorkspaceSid};

/// Which account is spoken to, where, and within which limits.
#[derive(Clone, Debug)]
pub struct Settings {
    pub account_sid: AccountSid,
    pub credentials: Credentials,
    pub endpoints: Endpoints,
    /// `None`: the account's only workspace, looked up at first need.
    pub workspace_sid: Option<WorkspaceSid>,
    pub limits: Limits,
    /// Certificates in PEM that are trusted beside the system's own.
    pub extra_roots_pem: Option<Vec<u8>>,
}

/// How a request proves whose it is (<https://www.twilio.com/docs/usage/requests-to-twilio>).
#[derive(Clone, Debug)]
pub enum Credentials {
    AuthToken(SecretString),
    ApiKey { sid: String, secret: SecretString },
}

/// The base URL of each product; a path in it stands before Twilio's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoints {
    pub api: Url,
    pub taskrouter: Url,
    pub conversations: Url,
    pub flex: Url,
    pub verify: Url,
    pub iam: Url,
    pub media: Url,
    pub events: Url,
    pub sync: Url,
}

impl Endpoints {
    /// The same base for every product, as a stand-in for Twilio has it.
    pub fn all_at(base: &Url) -> Self {
        Self {
            api: base.clone(),
            taskrouter: base.clone(),
            conversations: base.clone(),
            flex: base.clone(),
            verify: base.clone(),
            iam: base.clone(),
            media: base.clone(),
            events: base.clone(),
            sync: base.clone(),
        }
    }

    pub(super) const fn base(&self, product: Product) -> &Url {
        match product {
            Product::Api => &self.api,
            Product::Taskrouter => &self.taskrouter,
            Product::Conversations => &self.conversations,
            Product::Events => &self.events,
            Product::Flex => &self.flex,
            Product::Media => &self.media,
            Product::Sync => &self.sync,
            Product::Verify => &self.verify,
        }
    }
}

/// The products that are called, each with its base URL and its label in the metrics.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::twilio) enum Product {
    Api,
    Taskrouter,
    Conversations,
    /// Event Streams.
    Events,
    Flex,
    /// The Media Content Service.
    Media,
    Sync,
    /// One-time passwords.
    Verify,
}

impl Product {
    const ALL: [Self; 8] = [
        Self::Api,
        Self::Taskrouter,
        Self::Conversations,
        Self::Events,
        Self::Flex,
        Self::Media,
        Self::Sync,
        Self::Verify,
    ];

    pub(super) const fn label(self) -> &'static str {
        match self {
            Self::Api => "api",
            Self::Taskrouter => "taskrouter",
            Self::Conversations => "conversations",
            Self::Events => "events",
            Self::Flex => "flex",
            Self::Media => "media",
            Self::Sync => "sync",
            Self::Verify => "verify",
        }
    }
}

/// How long and how much. The defaults suit one gateway of a few thousand agents.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// To have a connection, TLS included.
    pub connect_timeout: Duration,
    /// For one try, from its first byte to the last one of the answer.
    pub timeout: Duration,
    /// For a call with all its tries and what it waits for between them.
    pub deadline: Duration,
    /// Requests under way at once. Twilio limits an account's concurrency and answers 429 beyond.
    pub max_in_flight: usize,
    /// Calls that wait for their turn; further ones fail as busy at once. Protects the memory of a gateway whose Twilio is
    /// slow: its actors learn that they are too many, and come back.
    pub max_waiting: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connect_timeout: Duration::from_secs(3),
            timeout: Duration::from_secs(10),
            deadline: Duration::from_secs(30),
            max_in_flight: 40,
            max_waiting: 2_000,
        }
    }
}

/// The client cannot be made of these settings.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    #[error("the endpoint of {0} is no http or https URL")]
    Endpoint(EndpointName),
    #[error("the extra certificates are no PEM: {0}")]
    ExtraRoots(String),
    #[error("no HTTP client: {0}")]
    Client(String),
}

/// A product, as the configuration names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EndpointName(&'static str);

impl fmt::Display for EndpointName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl Settings {
    pub(super) fn check(&self) -> Result<(), SettingsError> {
        for product in Product::ALL {
            let url = self.endpoints.base(product);
            if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
                return Err(SettingsError::Endpoint(EndpointName(product.label())));
            }
        }
        Ok(())
    }
}
