//! Notifications: what they show, and by whom they are delivered.

use std::{fmt, path::PathBuf, str::FromStr};

use url::{Host, Url};

use super::{BaseUrl, reader::Reader};
use crate::domain::Privacy;

/// The table `[push]`.
#[derive(Clone, Debug)]
pub struct Push {
    pub privacy: Privacy,
    pub web: WebPush,
    pub fcm: Fcm,
}

/// The table `[push.web]`: browsers.
#[derive(Clone, Debug)]
pub struct WebPush {
    /// The key that signs messages, PKCS#8 in PEM; none: one that is made at the first start.
    pub vapid_private_key_file: Option<PathBuf>,
    /// Whom a push service may turn to (RFC 8292 §2.1); none: the public URL.
    pub subject: Option<Subject>,
    pub allow_hosts: Vec<AllowedHost>,
}

/// The table `[push.fcm]`: Firebase Cloud Messaging.
#[derive(Clone, Debug)]
pub struct Fcm {
    /// The key of a service account, JSON as Google hands it out; none: FCM is off.
    pub service_account_file: Option<PathBuf>,
    pub endpoint: BaseUrl,
}

/// A `mailto:` or `https:` address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subject(Box<str>);

impl Subject {
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whom there is to turn to where nobody else is named: the daemon's own address. Plain http, which only loopback has,
    /// is none that a push service takes.
    pub fn of(public_url: &BaseUrl) -> Self {
        if public_url.is_https() {
            return Self(public_url.as_str().into());
        }
        let host = public_url.as_url().host_str().unwrap_or("localhost");
        Self(format!("mailto:offdesk@{host}").into())
    }
}

impl FromStr for Subject {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let url = Url::parse(text).map_err(|_| "not a URL")?;
        match url.scheme() {
            "https" => Ok(Self(text.into())),
            "mailto" if url.path().split_once('@').is_some_and(|(who, host)| !who.is_empty() && !host.is_empty()) => {
                Ok(Self(text.into()))
            }
            _ => Err("neither an e-mail address nor https"),
        }
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Where push services may be. Browsers name the push service themselves, so this is what keeps a subscription from
/// making the daemon call whomever it likes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AllowedHost {
    /// This host, at https and port 443.
    Host(Box<str>),
    /// Every host whose name ends with this one and a point before it: `*.push.apple.com`.
    Under(Box<str>),
    /// This origin, whatever its scheme, port and address: for tests and closed networks.
    Origin(BaseUrl),
}

impl FromStr for AllowedHost {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.contains("://") {
            let origin = text.parse::<BaseUrl>().map_err(|_| "not a URL")?;
            return if origin.as_url().path() == "/" { Ok(Self::Origin(origin)) } else { Err("has a path") };
        }
        let (name, under) = text.strip_prefix("*.").map_or((text, false), |name| (name, true));
        match Host::parse(name) {
            Ok(Host::Domain(host)) if host == name && host.contains('.') && !host.contains('*') => {
                Ok(if under { Self::Under(name.into()) } else { Self::Host(name.into()) })
            }
            _ => Err("not a host's name in lower case"),
        }
    }
}

impl fmt::Display for AllowedHost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Host(host) => f.write_str(host),
            Self::Under(host) => write!(f, "*.{host}"),
            Self::Origin(origin) => write!(f, "{origin}"),
        }
    }
}

/// The push services of Chrome, Firefox, Safari and Edge.
const PUSH_SERVICES: [&str; 4] =
    ["fcm.googleapis.com", "*.push.services.mozilla.com", "*.push.apple.com", "*.notify.windows.com"];

impl Push {
    pub(super) fn read(reader: &mut Reader) -> Option<Self> {
        let privacy = reader.or("push.privacy", Privacy::Sender);
        let web = WebPush::read(reader);
        let fcm = Fcm::read(reader);
        Some(Self { privacy, web, fcm: fcm? })
    }
}

impl WebPush {
    fn read(reader: &mut Reader) -> Self {
        let vapid_private_key_file = reader.secret_file("push.web.vapid_private_key_file");
        let subject = reader.optional("push.web.subject");
        let services = PUSH_SERVICES.iter().filter_map(|host| host.parse().ok()).collect();
        let allow_hosts = reader.or("push.web.allow_hosts", services);
        Self { vapid_private_key_file, subject, allow_hosts }
    }
}

impl Fcm {
    fn read(reader: &mut Reader) -> Option<Self> {
        const ENDPOINT: &str = "push.fcm.endpoint";
        let service_account_file = reader.secret_file("push.fcm.service_account_file");
        let endpoint = reader.or(ENDPOINT, "https://fcm.googleapis.com".parse::<BaseUrl>().ok()?);
        if !endpoint.is_https() && !endpoint.is_private() {
            reader.refuse(ENDPOINT, "expected https:// (plain http only with a loopback or private address)");
        }
        Some(Self { service_account_file, endpoint })
    }
}
