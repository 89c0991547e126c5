//! How a command reaches the daemon that runs with this configuration.

use std::{
    net::{Ipv4Addr, Ipv6Addr, SocketAddr},
    path::PathBuf,
};

use secrecy::SecretString;

use super::{BaseUrl, ConfigError, Reader, Sources};

/// The admin API's address and the token for it.
#[derive(Clone, Debug)]
pub struct DaemonAccess {
    /// Where the daemon listens, as seen from this machine.
    pub address: SocketAddr,
    /// The name in its certificate, if it ends TLS itself.
    pub tls_name: Option<String>,
    pub extra_ca_file: Option<PathBuf>,
    pub token: Option<SecretString>,
}

impl DaemonAccess {
    /// Reads these keys alone, for the reason that [`DataDir::read`](super::DataDir::read) has.
    pub fn read(sources: &Sources) -> Result<Self, ConfigError> {
        let mut reader = Reader::new(sources);
        let access = if reader.problems.is_empty() { Some(Self::of(&mut reader)) } else { None };
        match access {
            Some(access) if reader.problems.is_empty() => Ok(access),
            _ => Err(ConfigError { problems: reader.problems }),
        }
    }

    fn of(reader: &mut Reader) -> Self {
        let listen = reader.or("http.listen", SocketAddr::from((Ipv4Addr::LOCALHOST, 8080)));
        let certificate: Option<PathBuf> = reader.optional("http.tls.cert");
        let public_url: Option<BaseUrl> = reader.optional("public_url");
        let name = public_url.and_then(|url| url.as_url().host_str().map(str::to_owned));
        Self {
            address: from_here(listen),
            tls_name: certificate.and(name),
            extra_ca_file: reader.optional("tls.extra_ca_file"),
            token: reader.secret("admin.bootstrap_token"),
        }
    }
}

/// A daemon that listens everywhere is reached at home.
fn from_here(listen: SocketAddr) -> SocketAddr {
    let home = match listen {
        SocketAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
        SocketAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
    };
    if listen.ip().is_unspecified() { SocketAddr::new(home, listen.port()) } else { listen }
}
