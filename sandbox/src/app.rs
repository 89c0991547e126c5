//! The agents' app, on the phones of the page: where each one's gateway is, and whose session it has.

use std::collections::BTreeMap;

use url::{Host, Url};

use crate::{Handle, rest::error::Refusal};

/// Protects memory: more cannot be installed.
const APPS: usize = 1_000;

/// An app in which somebody has logged in.
#[derive(Clone)]
pub(crate) struct App {
    api: Url,
    token: String,
}

impl App {
    /// An address of the gateway's API, below `/api/v1`.
    pub(crate) fn address(&self, path: &[&str]) -> Url {
        let mut url = self.api.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(["api", "v1"]).extend(path);
        }
        url
    }

    pub(crate) fn token(&self) -> &str {
        &self.token
    }
}

#[derive(Default)]
pub(crate) struct Apps(BTreeMap<String, App>);

impl Apps {
    fn install(&mut self, owner: &str, api: &str, token: &str) -> Result<(), Refusal> {
        let api = Url::parse(api).ok().filter(is_loopback);
        let api =
            api.ok_or_else(|| Refusal::invalid("the gateway's URL must begin with http:// and a loopback address"))?;
        if self.0.len() >= APPS && !self.0.contains_key(owner) {
            return Err(Refusal::invalid(format!("there are {APPS} apps already")));
        }
        self.0.insert(owner.to_owned(), App { api, token: token.to_owned() });
        Ok(())
    }

    pub(crate) fn get(&self, owner: &str) -> Option<App> {
        self.0.get(owner).cloned()
    }

    pub(crate) fn phones(&self) -> Vec<String> {
        self.0.keys().cloned().collect()
    }
}

impl Handle {
    /// An agent's phone gets the app, and a session's token with it: the page then acts as that agent's app.
    ///
    /// `api` is the gateway's base URL, without `/api/v1`; it must be on this machine.
    pub fn install_app(&self, owner: &str, api: &str, token: &str) -> Result<(), Refusal> {
        let installed = self.engine.with(|inner| inner.apps.install(owner, api, token));
        self.engine.wake();
        installed
    }
}

fn is_loopback(url: &Url) -> bool {
    let loopback = match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        // A name may lead anywhere.
        Some(Host::Domain(_)) | None => false,
    };
    loopback && url.scheme() == "http" && url.username().is_empty() && url.password().is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gateway_is_on_this_machine() {
        for (url, expected) in [
            ("http://127.0.0.1:8080", true),
            ("http://127.3.2.1:8080/", true),
            ("http://[::1]:8080", true),
            ("http://localhost:8080", false),
            ("http://192.0.2.1:8080", false),
            ("https://127.0.0.1:8080", false),
            ("http://user@127.0.0.1:8080", false),
            ("127.0.0.1:8080", false),
        ] {
            let mut apps = Apps::default();
            assert_eq!(apps.install("+1", url, "token").is_ok(), expected, "{url}");
        }
    }

    #[test]
    fn addresses_are_below_the_api_and_stay_there() {
        let app = App { api: Url::parse("http://127.0.0.1:8080/").unwrap(), token: String::new() };
        assert_eq!(app.address(&["tasks"]).as_str(), "http://127.0.0.1:8080/api/v1/tasks");
        assert_eq!(app.address(&["tasks", "a/b?c"]).as_str(), "http://127.0.0.1:8080/api/v1/tasks/a%2Fb%3Fc");
        assert_eq!(app.address(&["tasks", "..", ".."]).as_str(), "http://127.0.0.1:8080/api/v1/tasks");
    }
}
