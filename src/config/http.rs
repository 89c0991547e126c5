//! The listeners.

use std::{
    net::{Ipv4Addr, SocketAddr},
    path::PathBuf,
};

use ipnet::IpNet;

use super::{reader::Reader, value::choices};

/// The table `[http]`.
#[derive(Clone, Debug)]
pub struct Http {
    pub listen: SocketAddr,
    /// Where metrics, health and debug state are: never for the world.
    pub admin_listen: SocketAddr,
    /// Whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<IpNet>,
    pub tls: HttpTls,
}

/// Who ends TLS of connections that are made to us.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HttpTls {
    /// A reverse proxy does.
    Off,
    /// We do, with a PEM chain and its PEM key.
    Files { cert: PathBuf, key: PathBuf },
}

choices! {
    TlsMode { Off = "off", Files = "files", }
}

impl Http {
    pub(super) fn read(reader: &mut Reader) -> Option<Self> {
        let listen = reader.or("http.listen", SocketAddr::from((Ipv4Addr::LOCALHOST, 8080)));
        let admin_listen = reader.or("http.admin_listen", SocketAddr::from((Ipv4Addr::LOCALHOST, 8081)));
        if listen == admin_listen && listen.port() != 0 {
            reader.refuse("http.admin_listen", "is the same address as http.listen");
        }
        let trusted_proxies = reader.or("http.trusted_proxies", Vec::new());
        let tls = HttpTls::read(reader);
        Some(Self { listen, admin_listen, trusted_proxies, tls: tls? })
    }
}

impl HttpTls {
    fn read(reader: &mut Reader) -> Option<Self> {
        let mode = reader.or("http.tls.mode", TlsMode::Off);
        let cert = reader.optional("http.tls.cert");
        let key = reader.optional("http.tls.key");
        match (mode, cert, key) {
            (TlsMode::Off, None, None) => Some(Self::Off),
            (TlsMode::Files, Some(cert), Some(key)) => Some(Self::Files { cert, key }),
            (TlsMode::Off, ..) => {
                reader.refuse("http.tls.mode", "is \"off\", but a certificate or a key is named; expected \"files\"");
                None
            }
            (TlsMode::Files, ..) => {
                reader.refuse("http.tls.mode", "is \"files\", which takes both http.tls.cert and http.tls.key");
                None
            }
        }
    }
}
