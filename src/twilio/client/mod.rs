//! The client of Twilio's REST API (<https://www.twilio.com/docs/usage/requests-to-twilio>).
//!
//! [`Twilio`] may be called from any thread and runtime; its requests run on the `io` runtime, since a connection dies with
//! the runtime that made it. A caller that goes away does not take its request along: what was begun is finished.

mod call;
mod dates;
mod error;
mod exchange;
mod health;
mod page;
mod retry;
mod settings;
#[cfg(test)]
mod tests;

use std::{sync::Arc, time::Duration};

use secrecy::SecretString;
use serde::de::DeserializeOwned;
use tokio::{
    runtime::Handle,
    sync::{OnceCell, Semaphore},
};

pub(in crate::twilio) use call::Call;
use call::Verb;
pub use error::{Lost, Refusal, TwilioError, Unreachable};
pub use health::Health;
pub use page::Listing;
pub(in crate::twilio) use page::Pages;
pub(in crate::twilio) use settings::Product;
pub use settings::{Credentials, EndpointName, Endpoints, Limits, Settings, SettingsError};

use crate::{
    clock::Clock,
    domain::{AccountSid, WorkspaceSid},
};

/// A handle to Twilio. Clones are the same client.
#[derive(Clone)]
pub struct Twilio {
    inner: Arc<Inner>,
}

struct Inner {
    account: AccountSid,
    endpoints: Endpoints,
    user: String,
    password: SecretString,
    limits: Limits,
    http: reqwest::Client,
    io: Handle,
    clock: Clock,
    /// A permit a call, from its first to its last try: bounds what waits.
    admission: Arc<Semaphore>,
    /// A permit a request: bounds what Twilio sees at once.
    in_flight: Semaphore,
    budget: retry::Budget,
    health: health::Tracker,
    dates: dates::Dates,
    workspace: OnceCell<WorkspaceSid>,
}

impl Twilio {
    /// Makes the client; nothing is sent yet. The process must have installed its TLS provider.
    ///
    /// # Errors
    /// [`SettingsError`], if an endpoint is no URL or the extra certificates are none.
    pub fn new(settings: Settings, clock: Clock, io: Handle) -> Result<Self, SettingsError> {
        settings.check()?;
        let http = {
            let _runtime = io.enter();
            exchange::client(&settings.limits, settings.extra_roots_pem.as_deref())?
        };
        let (user, password) = match settings.credentials {
            Credentials::AuthToken(token) => (settings.account_sid.to_string(), token),
            Credentials::ApiKey { sid, secret } => (sid, secret),
        };
        let limits = settings.limits;
        let inner = Inner {
            account: settings.account_sid,
            endpoints: settings.endpoints,
            user,
            password,
            limits,
            http,
            io,
            clock,
            admission: Arc::new(Semaphore::new(limits.max_in_flight + limits.max_waiting)),
            in_flight: Semaphore::new(limits.max_in_flight),
            budget: retry::Budget::new(),
            health: health::Tracker::default(),
            dates: dates::Dates::default(),
            workspace: OnceCell::new_with(settings.workspace_sid),
        };
        Ok(Self { inner: Arc::new(inner) })
    }

    pub fn account_sid(&self) -> &AccountSid {
        &self.inner.account
    }

    /// Whether Twilio answers, as far as the latest requests tell.
    pub fn health(&self) -> Health {
        self.inner.health.health(self.inner.clock.now())
    }

    /// How far our clock is from Twilio's, either way, by its latest answer; none before the first. Answers are dated to
    /// the second.
    pub fn clock_skew(&self) -> Option<Duration> {
        self.inner.dates.skew()
    }

    /// How many requests Twilio has not answered yet.
    pub fn under_way(&self) -> usize {
        self.inner.limits.max_in_flight.saturating_sub(self.inner.in_flight.available_permits())
    }

    /// The workspace that is worked in: the configured one, or the account's only one, looked up once.
    ///
    /// # Errors
    /// [`TwilioError::Workspace`] if the account has none or several, else what the look-up met with.
    pub async fn workspace_sid(&self) -> Result<&WorkspaceSid, TwilioError> {
        self.inner.workspace.get_or_try_init(|| self.only_workspace()).await
    }

    /// [`Twilio::workspace_sid`], if it is known without asking.
    pub fn known_workspace_sid(&self) -> Option<&WorkspaceSid> {
        self.inner.workspace.get()
    }

    async fn only_workspace(&self) -> Result<WorkspaceSid, TwilioError> {
        let mut found: Vec<_> = self.workspaces().await?.into_iter().map(|workspace| workspace.sid).collect();
        match found.pop() {
            Some(only) if found.is_empty() => Ok(only),
            last => {
                found.extend(last);
                Err(TwilioError::Workspace { found })
            }
        }
    }

    pub(in crate::twilio) fn clock(&self) -> &Clock {
        &self.inner.clock
    }

    pub(in crate::twilio) fn get(&self, product: Product, operation: &'static str, path: &[&str]) -> Call {
        Call::new(Verb::Get, product, operation, self.inner.endpoints.base(product), path)
    }

    pub(in crate::twilio) fn post(&self, product: Product, operation: &'static str, path: &[&str]) -> Call {
        Call::new(Verb::Post, product, operation, self.inner.endpoints.base(product), path)
    }

    pub(in crate::twilio) fn delete(&self, product: Product, operation: &'static str, path: &[&str]) -> Call {
        Call::new(Verb::Delete, product, operation, self.inner.endpoints.base(product), path)
    }

    /// Makes the call, as often as it takes and may, and reads the answer, all on the `io` runtime.
    pub(in crate::twilio) async fn send<T>(&self, call: Call) -> Result<T, TwilioError>
    where
        T: DeserializeOwned + Send + 'static,
    {
        self.send_and_read(call, |operation, body| {
            serde_json::from_slice(&body).map_err(|_| TwilioError::Malformed { operation })
        })
        .await
    }

    /// [`Twilio::send`] where a 2xx says all: 204 has no body.
    pub(in crate::twilio) async fn send_for_nothing(&self, call: Call) -> Result<(), TwilioError> {
        self.send_and_read(call, |_, _| Ok(())).await
    }

    async fn send_and_read<T: Send + 'static>(
        &self,
        call: Call,
        read: fn(&'static str, Vec<u8>) -> Result<T, TwilioError>,
    ) -> Result<T, TwilioError> {
        let Ok(permit) = Arc::clone(&self.inner.admission).try_acquire_owned() else {
            exchange::count(&call, TwilioError::Busy.label());
            return Err(TwilioError::Busy);
        };
        let inner = Arc::clone(&self.inner);
        let task = self.inner.io.spawn(async move {
            let _permit = permit;
            let body = inner.run(&call).await?;
            read(call.operation, body)
        });
        task.await.unwrap_or(Err(TwilioError::Unknown { cause: Lost::Shutdown, retry_after: None }))
    }
}
