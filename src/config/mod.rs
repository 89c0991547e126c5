//! The configuration: a typed tree, read from a TOML file, the environment and systemd's credentials.
//!
//! [`Config::read`] is a function of its [`Sources`] and of the secret files that they name. A later source overrides an
//! earlier one: defaults, file, environment, credentials. The tree's own code says which keys there are: what it does not
//! ask for is unknown.

mod calls;
mod daemon_access;
mod data_dir;
mod http;
mod login;
mod problem;
mod push;
mod reader;
mod secret;
mod show;
mod sip;
mod source;
mod twilio;
mod unknown;
mod url;
mod value;

#[cfg(test)]
pub(crate) mod tests;

use std::{collections::BTreeMap, path::PathBuf};

use secrecy::SecretString;

use self::reader::Reader;
pub use self::{
    calls::{Calls, Completion, Confirm, Recording},
    daemon_access::DaemonAccess,
    data_dir::DataDir,
    http::{Http, HttpTls},
    login::{Login, Rate},
    problem::{ConfigError, Fault, Problem},
    push::{AllowedHost, Fcm, Push, Subject, WebPush},
    reader::Effective,
    show::show,
    sip::{DigestAlgorithm, MediaMode, Registration, Sip, SipDomain, SipMedia, SipTarget, SipTls},
    source::{ENV_PREFIX, FileText, Origin, Sources},
    twilio::{Activities, ApiKey, EndChat, Endpoints, Intake, Twilio},
    url::BaseUrl,
};

/// All that an operator may set in this version.
#[derive(Clone, Debug)]
pub struct Config {
    /// What Twilio and phones call; webhook signatures are checked against it.
    pub public_url: BaseUrl,
    /// Where the store lies.
    pub data_dir: DataDir,
    pub http: Http,
    pub twilio: Twilio,
    pub tls: Tls,
    pub login: Login,
    pub push: Push,
    /// None: no SIP.
    pub sip: Option<Sip>,
    pub calls: Calls,
    pub admin: Admin,
}

/// TLS of connections that we make.
#[derive(Clone, Debug)]
pub struct Tls {
    /// PEM certificates of authorities to trust besides the system's.
    pub extra_ca_file: Option<PathBuf>,
}

#[derive(Clone, Debug)]
pub struct Admin {
    /// A bearer token that may do everything on the admin API.
    pub bootstrap_token: Option<SecretString>,
}

impl Config {
    /// Where the store lies.
    pub fn store_path(&self) -> PathBuf {
        self.data_dir.store()
    }

    /// Where its automatic copies lie.
    pub fn backup_path(&self) -> PathBuf {
        self.data_dir.backups()
    }

    /// Reads and checks everything; the error holds every problem there is.
    pub fn read(sources: &Sources) -> Result<(Self, Vec<Effective>), ConfigError> {
        let mut reader = Reader::new(sources);
        if !reader.problems.is_empty() {
            return Err(ConfigError { problems: reader.problems });
        }
        let config = Self::tree(&mut reader);
        reader.refuse_unknown();
        match config {
            Some(config) if reader.problems.is_empty() => Ok((config, reader.effective)),
            _ => Err(ConfigError { problems: reader.problems }),
        }
    }

    /// [`Config::read`] for tests and the sandbox, which make their configuration up.
    pub fn parse(text: &str, env: BTreeMap<String, String>, credentials: Option<PathBuf>) -> Result<Self, ConfigError> {
        let file = Some(FileText { path: "offdesk.toml".into(), text: text.to_owned() });
        Self::read(&Sources { file, env, credentials }).map(|(config, _)| config)
    }

    fn tree(reader: &mut Reader) -> Option<Self> {
        let public_url = reader.required("public_url");
        if public_url.as_ref().is_some_and(|url: &BaseUrl| !url.is_https() && !url.is_loopback()) {
            reader.refuse("public_url", "expected https:// (plain http only with a loopback host)");
        }
        let data_dir = DataDir::of(reader);
        let http = Http::read(reader);
        let twilio = Twilio::read(reader);
        let tls = Tls { extra_ca_file: reader.optional("tls.extra_ca_file") };
        let login = Login::read(reader);
        let push = Push::read(reader);
        let sip = Sip::read(reader, http.as_ref());
        let calls = Calls::read(reader, sip.is_some());
        let admin = Admin { bootstrap_token: reader.secret("admin.bootstrap_token") };
        Some(Self {
            public_url: public_url?,
            data_dir,
            http: http?,
            twilio: twilio?,
            tls,
            login,
            push: push?,
            sip,
            calls,
            admin,
        })
    }
}
