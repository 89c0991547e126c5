//! Access tokens for FCM (<https://developers.google.com/identity/protocols/oauth2/service-account#httprest>): one for
//! everybody, fetched once however many wait for it, and again some minutes before it ends.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use futures_util::{
    FutureExt,
    future::{BoxFuture, Shared},
};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use super::{
    account::Account,
    failure::{Failure, Scope},
    http::{Http, Post},
};
use crate::{clock::Clock, domain::Timestamp};

/// How long before its end a token is renewed, while everybody goes on with the old one.
const RENEWED_BEFORE: Duration = Duration::from_secs(300);
/// How long Google is left alone after it gave none.
const REST: Duration = Duration::from_secs(5);

#[derive(Clone)]
pub(super) struct Token {
    value: SecretString,
    expires: Timestamp,
}

impl Token {
    /// As it stands in a request's `Authorization`.
    pub(super) fn bearer(&self) -> String {
        format!("Bearer {}", self.value.expose_secret())
    }
}

type Fetch = Shared<BoxFuture<'static, Result<Token, Failure>>>;

/// Clones are the same.
#[derive(Clone)]
pub(super) struct Tokens(Arc<Inner>);

struct Inner {
    account: Account,
    http: Http,
    clock: Clock,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    token: Option<Token>,
    /// The latest fetch, under way or over.
    fetch: Option<Fetch>,
    rest_until: Timestamp,
}

impl Tokens {
    pub(super) fn new(account: Account, http: Http, clock: Clock) -> Self {
        Self(Arc::new(Inner { account, http, clock, state: Mutex::default() }))
    }

    pub(super) fn project(&self) -> &str {
        self.0.account.project()
    }

    /// The token to go with. To be called on the runtime of the client.
    pub(super) async fn get(&self) -> Result<Token, Failure> {
        let fetch = {
            let now = self.0.clock.now();
            let mut state = self.0.lock();
            match state.token.clone() {
                Some(token) if now + RENEWED_BEFORE < token.expires => return Ok(token),
                Some(token) if now < token.expires => {
                    // Whether it can be renewed shows when it has ended.
                    let _ = self.fetch(&mut state, now);
                    return Ok(token);
                }
                _ => self.fetch(&mut state, now)?,
            }
        };
        fetch.await
    }

    /// FCM did not take this token: the next one to ask fetches another.
    pub(super) fn refused(&self, token: &Token) {
        let mut state = self.0.lock();
        let is_it = |current: &Token| current.value.expose_secret() == token.value.expose_secret();
        if state.token.as_ref().is_some_and(is_it) {
            state.token = None;
        }
    }

    /// The fetch that is under way, or a new one.
    fn fetch(&self, state: &mut State, now: Timestamp) -> Result<Fetch, Failure> {
        if let Some(fetch) = state.fetch.as_ref().filter(|fetch| fetch.peek().is_none()) {
            return Ok(fetch.clone());
        }
        if now < state.rest_until {
            return Err(Failure::Later {
                reason: "oauth",
                retry_after: Some(state.rest_until.since(now)),
                scope: Scope::Service,
            });
        }
        // It goes on though nobody waits for it any more.
        let fetching = tokio::spawn(Arc::clone(&self.0).renew());
        let fetch = fetching.map(|token| token.unwrap_or(Err(Failure::later("oauth")))).boxed().shared();
        state.fetch = Some(fetch.clone());
        Ok(fetch)
    }
}

#[derive(Deserialize)]
struct Granted {
    access_token: String,
    /// In seconds.
    expires_in: u64,
}

impl Inner {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn renew(self: Arc<Self>) -> Result<Token, Failure> {
        let renewed = self.request().await;
        let mut state = self.lock();
        match &renewed {
            Ok(token) => state.token = Some(token.clone()),
            Err(_) => state.rest_until = self.clock.now() + REST,
        }
        renewed
    }

    async fn request(&self) -> Result<Token, Failure> {
        let now = self.clock.now();
        let assertion = self.account.assertion(now).ok_or(Failure::later("oauth"))?;
        let form = form_urlencoded::Serializer::new(String::new())
            .append_pair("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer")
            .append_pair("assertion", &assertion)
            .finish();
        let headers = vec![("content-type", "application/x-www-form-urlencoded".to_owned())];
        let post = Post::new(self.account.token_uri().as_url(), headers, form.into_bytes());
        let answer = self.http.post(post, now).await.map_err(|lost| {
            tracing::warn!(%lost, "no access token for FCM");
            Failure::later("oauth")
        })?;
        let granted = serde_json::from_slice::<Granted>(&answer.body).ok().filter(|_| answer.status == 200);
        let Some(granted) = granted else {
            tracing::error!(
                status = answer.status,
                "no access token for FCM; is the service account's key still good?"
            );
            return Err(Failure::Later { reason: "oauth", retry_after: answer.retry_after, scope: Scope::Service });
        };
        Ok(Token { value: granted.access_token.into(), expires: now + Duration::from_secs(granted.expires_in) })
    }
}
