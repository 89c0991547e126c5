//! Softphones.

mod target;

use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::PathBuf,
    str::FromStr,
    time::Duration,
};

use ipnet::IpNet;
use offdesk_sip::media::PortRange;

pub use self::target::SipTarget;
use super::{
    http::{Http, HttpTls},
    problem::{Fault, Problem},
    reader::Reader,
    value::{Setting, choices},
};

/// The table `[sip]`.
#[derive(Clone, Debug)]
pub struct Sip {
    /// What follows the `@` in every agent's address, and the realm of their passwords.
    pub domain: SipDomain,
    pub udp: Option<SocketAddr>,
    pub tcp: Option<SocketAddr>,
    pub tls: Option<SipTls>,
    /// What phones know us by where the domain will not do.
    pub advertised_address: Option<IpAddr>,
    /// The challenges of a 401, in this order.
    pub digest: Vec<DigestAlgorithm>,
    pub registration: Registration,
    /// Where Twilio calls a softphone that was answered; none: at the domain.
    pub twilio_target: Option<SipTarget>,
    /// Twilio's INVITE is challenged too.
    pub twilio_auth: bool,
    /// Where an INVITE with a ticket may come from.
    pub twilio_networks: Vec<IpNet>,
    pub media: SipMedia,
}

/// The way that audio takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SipMedia {
    pub mode: MediaMode,
    /// What the relay may take.
    pub ports: PortRange,
}

/// The TLS port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SipTls {
    pub listen: SocketAddr,
    /// PEM files.
    pub cert: PathBuf,
    pub key: PathBuf,
}

/// How long a registration holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Registration {
    /// A phone that asks for less is told so (423).
    pub min: Duration,
    /// For phones that do not say.
    pub default: Duration,
    /// A phone that asks for more gets this.
    pub max: Duration,
}

choices! {
    /// How a password is proved.
    pub DigestAlgorithm {
        Md5 = "MD5",
        Sha256 = "SHA-256",
    }
    /// Which way audio takes.
    pub MediaMode {
        /// Through the gateway.
        Relay = "relay",
        /// From phones to Twilio and back.
        Direct = "direct",
    }
}

/// Twilio's signalling addresses in all regions (<https://www.twilio.com/docs/sip-trunking/ip-addresses>).
const TWILIO: [[u8; 4]; 8] = [
    [54, 172, 60, 0],
    [54, 244, 51, 0],
    [54, 171, 127, 192],
    [35, 156, 191, 128],
    [54, 65, 63, 192],
    [54, 169, 127, 128],
    [54, 252, 254, 64],
    [177, 71, 206, 192],
];
/// Each is a network of four.
const TWILIO_PREFIX: u8 = 30;

/// A host name or IPv4 address, in lower case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SipDomain(String);

impl SipDomain {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for SipDomain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for SipDomain {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let is_label = |label: &str| {
            let inner = label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
            inner && !label.is_empty() && label.len() < 64 && !label.starts_with('-') && !label.ends_with('-')
        };
        let fits = text.len() < 254 && text.split('.').all(is_label);
        fits.then(|| Self(text.to_ascii_lowercase())).ok_or(())
    }
}

/// Where to listen; an empty text is nowhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Listen(Option<SocketAddr>);

impl Setting for Listen {
    fn read(value: &toml::Value) -> Result<Self, String> {
        if value.as_str() == Some("") { Ok(Self(None)) } else { SocketAddr::read(value).map(|at| Self(Some(at))) }
    }

    fn show(&self) -> toml::Value {
        self.0.map_or_else(|| "".into(), |at| at.show())
    }
}

const DAY: Duration = Duration::from_secs(24 * 3600);

const fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

impl Sip {
    /// None: the table is left out, and so is SIP.
    pub(super) fn read(reader: &mut Reader, http: Option<&Http>) -> Option<Self> {
        let problems = reader.problems.len();
        let domain = reader.optional("sip.domain");
        let Listen(udp) = reader.or("sip.udp", port(5060));
        let Listen(tcp) = reader.or("sip.tcp", port(5060));
        let tls = read_tls(reader, http);
        let advertised_address = reader.optional("sip.advertised_address");
        let digest = reader.or("sip.digest", vec![DigestAlgorithm::Md5]);
        let twice = (1..digest.len()).any(|place| digest[..place].contains(&digest[place]));
        if digest.is_empty() || twice {
            reader.refuse("sip.digest", "expected \"MD5\", \"SHA-256\", or both, each once");
        }
        let twilio_target = reader.optional("sip.twilio_target");
        let twilio_auth = reader.or("sip.twilio_auth", false);
        let twilio_networks = reader.or("sip.twilio_networks", twilio());
        if twilio_networks.is_empty() {
            reader.refuse("sip.twilio_networks", "is empty: no customer would get through to a softphone");
        }
        let registration = Registration::read(reader);
        let media = SipMedia {
            mode: reader.or("sip.media.mode", MediaMode::Relay),
            ports: reader.or("sip.media.ports", PortRange::USUAL),
        };
        if domain.is_some() && udp.is_none() && tcp.is_none() && tls.is_none() {
            reader.refuse("sip.udp", "is off, and so are sip.tcp and sip.tls: leave the table out for no SIP");
        }
        // What is said of SIP is said in vain without it; defaults that are written out say nothing.
        let wanted = reader.effective.iter().any(|row| row.path.starts_with("sip.") && row.origin.is_some());
        if domain.is_none() && wanted && reader.problems.len() == problems {
            reader.problems.push(Problem {
                path: "sip.domain".into(),
                origin: None,
                fault: Fault::missing("sip.domain", false),
            });
        }
        Some(Self {
            domain: domain?,
            udp,
            tcp,
            tls,
            advertised_address,
            digest,
            registration,
            twilio_target,
            twilio_auth,
            twilio_networks,
            media,
        })
    }
}

fn twilio() -> Vec<IpNet> {
    TWILIO.iter().filter_map(|network| IpNet::new(IpAddr::from(*network), TWILIO_PREFIX).ok()).collect()
}

const fn port(port: u16) -> Listen {
    Listen(Some(SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), port)))
}

/// Without a certificate there is no TLS, which matters to whoever has asked for it.
fn read_tls(reader: &mut Reader, http: Option<&Http>) -> Option<SipTls> {
    let Listen(listen) = reader.or("sip.tls", port(5061));
    let asked_for = reader.effective.last().is_some_and(|row| row.origin.is_some());
    let own = (reader.optional("sip.tls_cert"), reader.optional("sip.tls_key"));
    let of_http = match http.map(|http| &http.tls) {
        Some(HttpTls::Files { cert, key }) => Some((cert.clone(), key.clone())),
        Some(HttpTls::Off) | None => None,
    };
    let files = match own {
        (Some(cert), Some(key)) => Some((cert, key)),
        (None, None) => of_http,
        _ => {
            reader.refuse("sip.tls_cert", "goes with sip.tls_key: name both, or none for the HTTP listener's");
            return None;
        }
    };
    let listen = listen?;
    if files.is_none() && asked_for {
        let why = "needs sip.tls_cert and sip.tls_key, since the HTTP listener has no certificate; \"\" turns it off";
        reader.refuse("sip.tls", why);
    }
    files.map(|(cert, key)| SipTls { listen, cert, key })
}

impl Registration {
    fn read(reader: &mut Reader) -> Self {
        let min = reader.duration("sip.registration.min", secs(60), secs(1)..=DAY);
        let default = reader.duration("sip.registration.default", secs(300), secs(1)..=DAY);
        let max = reader.duration("sip.registration.max", secs(3600), secs(1)..=DAY);
        if !(min <= default && default <= max) {
            reader.refuse("sip.registration.default", "expected min ≤ default ≤ max");
        }
        Self { min, default, max }
    }
}
