//! Where a subscription may point. Its endpoint is a URL that a browser, or whoever claims to be one, made up.

use std::collections::BTreeSet;

use url::{Host, Url};

use crate::config::AllowedHost;

/// The longest endpoint that is taken; real ones stay below 600 characters.
const MAX_ENDPOINT: usize = 2048;

/// Why an endpoint is not taken. It never repeats the endpoint, which is a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EndpointError {
    #[error("the endpoint is no URL")]
    NotUrl,
    #[error("the endpoint is longer than {MAX_ENDPOINT} characters")]
    TooLong,
    #[error("the endpoint has a user, a password or a fragment")]
    Ornate,
    #[error("the endpoint is not at https and port 443")]
    Scheme,
    #[error("the endpoint is at no push service that push.web.allow_hosts names")]
    Host,
}

/// Push services that may be called.
#[derive(Clone, Debug)]
pub(super) struct AllowList(Vec<AllowedHost>);

impl AllowList {
    pub(super) fn new(hosts: Vec<AllowedHost>) -> Self {
        Self(hosts)
    }

    /// The endpoint as the WHATWG URL standard writes it.
    pub(super) fn check(&self, endpoint: &str) -> Result<Url, EndpointError> {
        if endpoint.len() > MAX_ENDPOINT {
            return Err(EndpointError::TooLong);
        }
        let url = Url::parse(endpoint).map_err(|_| EndpointError::NotUrl)?;
        if !url.username().is_empty() || url.password().is_some() || url.fragment().is_some() {
            return Err(EndpointError::Ornate);
        }
        if self.0.iter().any(|allowed| is_origin(allowed, &url)) {
            return Ok(url);
        }
        if url.scheme() != "https" || url.port().is_some() {
            return Err(EndpointError::Scheme);
        }
        // A number is no name: names alone are looked up, and what they resolve to is checked then.
        match url.host() {
            Some(Host::Domain(name)) if self.0.iter().any(|allowed| is_host(allowed, name)) => Ok(url),
            _ => Err(EndpointError::Host),
        }
    }

    /// Names that may resolve to any address.
    pub(super) fn private_names(&self) -> BTreeSet<Box<str>> {
        let origin = |allowed: &AllowedHost| match allowed {
            AllowedHost::Origin(origin) => origin.as_url().domain().map(Into::into),
            AllowedHost::Host(_) | AllowedHost::Under(_) => None,
        };
        self.0.iter().filter_map(origin).collect()
    }
}

fn is_origin(allowed: &AllowedHost, url: &Url) -> bool {
    matches!(allowed, AllowedHost::Origin(origin) if origin.as_url().origin() == url.origin())
}

fn is_host(allowed: &AllowedHost, name: &str) -> bool {
    match allowed {
        AllowedHost::Host(host) => **host == *name,
        AllowedHost::Under(parent) => {
            name.strip_suffix(&**parent).is_some_and(|rest| rest.len() > 1 && rest.ends_with('.'))
        }
        AllowedHost::Origin(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(hosts: &[&str]) -> AllowList {
        AllowList::new(hosts.iter().map(|host| host.parse().unwrap()).collect())
    }

    fn usual() -> AllowList {
        list(&["fcm.googleapis.com", "*.push.services.mozilla.com", "*.push.apple.com", "*.notify.windows.com"])
    }

    #[test]
    fn endpoints_of_the_known_push_services_are_taken() {
        for good in [
            "https://fcm.googleapis.com/fcm/send/abc:def",
            "https://fcm.googleapis.com:443/wp/abc",
            "https://updates.push.services.mozilla.com/wpush/v2/gAAA",
            "https://web.push.apple.com/QABC",
            "https://db5p.notify.windows.com/w/?token=abc%3d",
            "HTTPS://FCM.googleapis.com/x",
        ] {
            assert!(usual().check(good).is_ok(), "{good}");
        }
    }

    #[test]
    fn whatever_only_looks_like_one_is_refused() {
        for hostile in [
            "",
            "fcm.googleapis.com/x",
            "//fcm.googleapis.com/x",
            "http://fcm.googleapis.com/x",
            "ws://fcm.googleapis.com/x",
            "ftp://fcm.googleapis.com/x",
            "file:///etc/passwd",
            "file://fcm.googleapis.com/etc/passwd",
            "gopher://fcm.googleapis.com/x",
            "javascript://fcm.googleapis.com/%0aalert(1)",
            "data:text/plain,x",
            "https://fcm.googleapis.com:8443/x",
            "https://fcm.googleapis.com:80/x",
            "https://fcm.googleapis.com:22/x",
            "https://fcm.googleapis.com./x",
            "https://fcm.googleapis.com.evil.example/x",
            "https://evil.example/fcm.googleapis.com",
            "https://evil.example/?fcm.googleapis.com",
            "https://evil.example#fcm.googleapis.com",
            "https://fcm.googleapis.com#@evil.example/",
            "https://fcm.googleapis.com@evil.example/x",
            "https://fcm.googleapis.com:443@evil.example/x",
            "https://user:password@fcm.googleapis.com/x",
            "https://user@fcm.googleapis.com/x",
            "https://evil.example\\@fcm.googleapis.com/x",
            "https://evil.example\\.push.apple.com/x",
            "https://evilfcm.googleapis.com/x",
            "https://a.fcm.googleapis.com/x",
            "https://googleapis.com/x",
            "https://push.apple.com/x",
            "https://.push.apple.com/x",
            "https://.push.apple.com.evil.example/x",
            "https://evilpush.apple.com/x",
            "https://web.push.apple.com.evil.example/x",
            "https://web.push.apple.com%00.evil.example/x",
            "https://web.push.apple.com%2eevil.example/x",
            "https://fcm.googleapis.cοm/x",
            "https://fcm。googleapis。com。evil.example/x",
            "https://localhost/x",
            "https://127.0.0.1/x",
            "https://127.1/x",
            "https://0x7f.0.0.1/x",
            "https://2130706433/x",
            "https://0177.0.0.1/x",
            "https://169.254.169.254/latest/meta-data",
            "https://[::1]/x",
            "https://[::ffff:127.0.0.1]/x",
            "https://[::ffff:8.8.8.8]/x",
            "https://8.8.8.8/x",
            "https://metadata.google.internal/x",
            "https:///x",
            "https://fcm.googleapis.com\n.evil.example/x",
        ] {
            assert!(usual().check(hostile).is_err(), "{hostile}");
        }
        let long = format!("https://fcm.googleapis.com/{}", "x".repeat(MAX_ENDPOINT));
        assert_eq!(usual().check(&long), Err(EndpointError::TooLong));
    }

    #[test]
    fn an_origin_allows_itself_and_nothing_beside_it() {
        let list = list(&["http://127.0.0.1:9100", "https://push.corp.example:8443"]);
        assert!(list.check("http://127.0.0.1:9100/wpush/v2/x").is_ok());
        assert!(list.check("http://127.1:9100/x").is_ok(), "the same address, written otherwise");
        assert!(list.check("https://push.corp.example:8443/x").is_ok());
        for other in [
            "http://127.0.0.1:9101/x",
            "http://127.0.0.1/x",
            "https://127.0.0.1:9100/x",
            "http://127.0.0.2:9100/x",
            "http://localhost:9100/x",
            "https://push.corp.example/x",
            "https://a.push.corp.example:8443/x",
            "http://user@127.0.0.1:9100/x",
        ] {
            assert!(list.check(other).is_err(), "{other}");
        }
        assert_eq!(list.private_names(), BTreeSet::from(["push.corp.example".into()]));
    }

    #[test]
    fn a_check_answers_the_endpoint_in_its_normal_form() {
        let url = usual().check("HTTPS://FCM.googleapis.com:443/a b").unwrap();
        assert_eq!(url.as_str(), "https://fcm.googleapis.com/a%20b");
    }
}
