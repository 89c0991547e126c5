//! The admin API of the daemon that runs here.

use std::{fs, time::Duration};

pub(super) use reqwest::Method;
use reqwest::{Certificate, Client, Response, StatusCode, redirect::Policy};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use tokio::runtime::Runtime;

use super::{
    Failure,
    failure::{Exit, internal},
};
use crate::config::DaemonAccess;

/// How long a command waits for the daemon: an import of thousands takes a while.
const PATIENCE: Duration = Duration::from_secs(120);

const NO_TOKEN: &str = "another process has the store open, and there is no admin.bootstrap_token to talk to it with";
const NO_TOKEN_CURE: &str = "set admin.bootstrap_token_file and restart the daemon, or stop it: systemctl stop offdesk";

/// A way to the running daemon.
pub(super) struct Remote {
    runtime: Runtime,
    client: Client,
    base: String,
    token: SecretString,
}

/// What goes with a request.
pub(super) enum Body {
    Nothing,
    Json(Value),
    Lines(Vec<u8>),
}

impl Remote {
    pub(super) fn new(access: &DaemonAccess) -> Result<Self, Failure> {
        let Some(token) = access.token.clone() else {
            return Err(Failure::new(Exit::NoStore, NO_TOKEN, NO_TOKEN_CURE));
        };
        if access.address.port() == 0 {
            let cause = "http.listen has port 0: nobody knows where the daemon listens";
            return Err(Failure::usage(cause, "give http.listen a port, or stop the daemon"));
        }
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let (base, client) = {
            let _runtime = runtime.enter();
            match &access.tls_name {
                Some(name) => (format!("https://{name}:{}", access.address.port()), client(access, Some(name))?),
                None => (format!("http://{}", access.address), client(access, None)?),
            }
        };
        Ok(Self { runtime, client, base: format!("{base}/api/v1/admin"), token })
    }

    /// What the daemon answers, or why it does not do as asked. `path` is what follows `/api/v1/admin`.
    pub(super) fn call(&self, method: Method, path: &str, body: Body) -> Result<Value, Failure> {
        let text = self.text(method, path, body)?;
        if text.is_empty() { Ok(Value::Null) } else { serde_json::from_str(&text).map_err(|_| strange()) }
    }

    /// [`Remote::call`], if the answer is not JSON.
    pub(super) fn text(&self, method: Method, path: &str, body: Body) -> Result<String, Failure> {
        self.runtime.block_on(async {
            let response = self.send(method, path, body).await.map_err(|error| self.unreachable(&error))?;
            let status = response.status();
            let text = response.text().await.map_err(|error| self.unreachable(&error))?;
            if status.is_success() { Ok(text) } else { Err(refused(status, &text)) }
        })
    }

    async fn send(&self, method: Method, path: &str, body: Body) -> reqwest::Result<Response> {
        let request =
            self.client.request(method, format!("{}{path}", self.base)).bearer_auth(self.token.expose_secret());
        match body {
            Body::Nothing => request,
            Body::Json(value) => request.json(&value),
            Body::Lines(lines) => request.header("content-type", "application/jsonl").body(lines),
        }
        .send()
        .await
    }

    fn unreachable(&self, error: &reqwest::Error) -> Failure {
        let why = if error.is_connect() { "cannot be reached" } else { "does not answer" };
        let cause = format!("another process has the store open, and the daemon at {} {why}", self.base);
        Failure::new(Exit::Unavailable, cause, "see that it runs with this configuration, or stop it and try again")
    }
}

fn client(access: &DaemonAccess, name: Option<&str>) -> Result<Client, Failure> {
    let mut builder =
        Client::builder().no_proxy().redirect(Policy::none()).timeout(PATIENCE).user_agent("offdesk command line");
    if let Some(name) = name {
        builder = builder.resolve(name, access.address);
    }
    if let Some(file) = &access.extra_ca_file {
        let pem = fs::read(file).map_err(|error| Failure::file(file, "read", &error))?;
        let roots = Certificate::from_pem_bundle(&pem).map_err(|_| {
            Failure::usage("tls.extra_ca_file holds no certificates", "name a file of PEM certificates")
        })?;
        builder = builder.tls_certs_merge(roots);
    }
    builder.build().map_err(|_| internal("no HTTP client can be made"))
}

/// The daemon's own words: a line a part.
fn refused(status: StatusCode, text: &str) -> Failure {
    let problem: Value = serde_json::from_str(text).unwrap_or_default();
    let detail = problem["detail"].as_str().unwrap_or("the daemon refuses this");
    let cause = detail.split("; ").collect::<Vec<_>>().join("\n");
    match status {
        StatusCode::UNAUTHORIZED => Failure::usage(
            "the daemon does not take this bootstrap token",
            "restart the daemon if admin.bootstrap_token has been changed",
        ),
        status if status.is_client_error() => Failure::usage(cause, "set it right and try again; nothing was changed"),
        _ => Failure::new(Exit::Unavailable, cause, "try again; the daemon's log says more"),
    }
}

pub(super) fn strange() -> Failure {
    internal("the daemon's answer is not understood")
}
