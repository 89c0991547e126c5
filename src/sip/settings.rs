//! What the configuration means to the engine.

use std::{
    net::{IpAddr, Ipv4Addr, UdpSocket},
    time::Duration,
};

use offdesk_sip::{
    digest::Algorithm,
    driver::{Bound, Certificate, ConnectionLimits, Listening, Patience},
    engine::{self, CallSettings, Media},
    leg::Here,
    registrar,
};

use crate::config::{DigestAlgorithm, MediaMode, Sip};

/// The ports that go without saying (RFC 3261 §19.1.2).
const SIP: u16 = 5060;
const SIPS: u16 = 5061;
/// Somewhere on the internet: an address for documents (RFC 5737).
const ELSEWHERE: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 1);
/// Beyond the longest registration, so that a connection outlives the pause between two.
const SLACK: Duration = Duration::from_secs(300);

pub(super) fn engine(config: &Sip, push_project: Option<String>) -> engine::Settings {
    let seconds = |duration: Duration| u32::try_from(duration.as_secs()).unwrap_or(u32::MAX);
    let algorithm = |name: &DigestAlgorithm| match name {
        DigestAlgorithm::Md5 => Algorithm::Md5,
        DigestAlgorithm::Sha256 => Algorithm::Sha256,
    };
    let mut settings = engine::Settings::new(config.domain.as_str(), calls(config));
    settings.advertised = config.advertised_address;
    settings.digest.algorithms = config.digest.iter().map(algorithm).collect();
    settings.registrar = registrar::Policy {
        min: seconds(config.registration.min),
        default: seconds(config.registration.default),
        max: seconds(config.registration.max),
        push_project,
        ..registrar::Policy::default()
    };
    settings
}

/// Phones and Twilio find us where they are told to, or where we listen.
fn calls(config: &Sip) -> CallSettings {
    let (listen, advertised) = (listens_at(config), advertised(config));
    let media = match config.media.mode {
        MediaMode::Relay => Media::Relay { ports: config.media.ports, listen, advertised },
        MediaMode::Direct => Media::Direct,
    };
    CallSettings {
        twilio_networks: config.twilio_networks.clone(),
        twilio_auth: config.twilio_auth,
        ..CallSettings::new(Here { address: advertised, ports: [0; 3] }, media)
    }
}

fn listens_at(config: &Sip) -> IpAddr {
    let listens = [config.udp, config.tcp, config.tls.as_ref().map(|tls| tls.listen)];
    listens.into_iter().flatten().next().map_or(Ipv4Addr::UNSPECIFIED.into(), |at| at.ip())
}

/// Where phones and Twilio are told to send calls and their audio.
pub fn advertised(config: &Sip) -> IpAddr {
    config.advertised_address.unwrap_or_else(|| own_address(config, listens_at(config)))
}

/// Where others find us, if nobody says: where we listen, the domain if it is an address, or where we reach others from.
fn own_address(config: &Sip, listen: IpAddr) -> IpAddr {
    if !listen.is_unspecified() {
        return listen;
    }
    config.domain.as_str().parse().ok().or_else(|| way_out(listen)).unwrap_or(listen)
}

/// No packet goes out for it.
fn way_out(from: IpAddr) -> Option<IpAddr> {
    let to = if from.is_ipv4() { IpAddr::V4(ELSEWHERE) } else { IpAddr::V6(ELSEWHERE.to_ipv6_mapped()) };
    let socket = UdpSocket::bind((from, 0)).ok()?;
    socket.connect((to, 9)).ok()?;
    // As peers know it, also of a socket for both families.
    socket.local_addr().ok().map(|at| at.ip().to_canonical())
}

/// What follows the ticket where Twilio calls: as configured, or the domain with the first port that was bound.
pub(super) fn target(config: &Sip, bound: Bound) -> String {
    if let Some(target) = &config.twilio_target {
        return target.to_string();
    }
    let domain = &config.domain;
    let host = |port: u16, usual: u16| if port == usual { domain.to_string() } else { format!("{domain}:{port}") };
    match bound {
        Bound { udp: Some(udp), .. } => host(udp.port(), SIP),
        Bound { tcp: Some(tcp), .. } => format!("{};transport=tcp", host(tcp.port(), SIP)),
        Bound { tls: Some(tls), .. } => format!("{};transport=tls", host(tls.port(), SIPS)),
        Bound { udp: None, tcp: None, tls: None } => domain.to_string(),
    }
}

/// `certificate` is the one that `config` names, if it names one.
pub(super) fn listening(config: &Sip, certificate: Option<Certificate>) -> Listening {
    Listening {
        udp: config.udp,
        tcp: config.tcp,
        tls: config.tls.as_ref().map(|tls| tls.listen).zip(certificate),
        connections: ConnectionLimits::default(),
        patience: Patience { idle: config.registration.max + SLACK, ..Patience::default() },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    fn sip(lines: &str) -> Sip {
        let text = format!("{}[sip]\ndomain = \"gw.example.com\"\n{lines}\n", crate::config::tests::LEAST);
        Config::parse(&text, std::collections::BTreeMap::new(), None).unwrap().sip.unwrap()
    }

    #[test]
    fn twilio_calls_the_domain_at_the_port_that_is_bound_unless_told_otherwise() {
        let at = |port: u16| Some(std::net::SocketAddr::from(([127, 0, 0, 1], port)));
        for (bound, expected) in [
            (Bound { udp: at(5060), tcp: at(5060), tls: at(5061) }, "gw.example.com"),
            (Bound { udp: at(5070), tcp: at(5060), tls: None }, "gw.example.com:5070"),
            (Bound { udp: None, tcp: at(5060), tls: at(5061) }, "gw.example.com;transport=tcp"),
            (Bound { udp: None, tcp: None, tls: at(5061) }, "gw.example.com;transport=tls"),
            (Bound { udp: None, tcp: None, tls: at(443) }, "gw.example.com:443;transport=tls"),
        ] {
            assert_eq!(target(&sip(""), bound), expected);
            let other = target(&sip("twilio_target = \"sip.example.com;transport=tls\""), bound);
            assert_eq!(other, "sip.example.com;transport=tls");
        }
    }

    #[test]
    fn others_find_us_where_we_listen_or_where_they_are_told_to() {
        let here = |lines: &str| calls(&sip(lines)).here.address;
        assert_eq!(here("udp = \"127.0.0.2:0\""), IpAddr::from([127, 0, 0, 2]));
        assert_eq!(here("advertised_address = \"203.0.113.10\""), IpAddr::from([203, 0, 113, 10]));
        assert_eq!(
            here("udp = \"[::]:0\""),
            here("udp = \"[::]:0\"").to_canonical(),
            "no peer has an address like that"
        );
        assert_eq!(calls(&sip("media = { mode = \"direct\" }")).media, Media::Direct);
    }
}
