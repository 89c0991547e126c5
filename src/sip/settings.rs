//! What the configuration means to the engine.

use std::{net::Ipv4Addr, time::Duration};

use offdesk_sip::{
    abuse,
    digest::{self, Algorithm},
    driver::{Certificate, ConnectionLimits, Listening, Patience},
    engine::{self, CallSettings, Media},
    leg::Here,
    media::PortRange,
    registrar, transaction,
};

use crate::config::{DigestAlgorithm, Sip};

/// How long a nonce may be used: a phone that registers every few minutes is challenged about once an hour.
const NONCE_LIFE: Duration = Duration::from_secs(3600);
/// Phones of one agent.
const MOST_BINDINGS: usize = 10;
/// How long a phone that a push can wake is kept once its time is over, in seconds: 30 days, as long as a sign-in may last.
const ASLEEP: u32 = 30 * 24 * 3600;
/// Beyond the longest registration, so that a connection outlives the pause between two.
const SLACK: Duration = Duration::from_secs(300);

pub(super) fn engine(config: &Sip, push_project: Option<String>) -> engine::Settings {
    let seconds = |duration: Duration| u32::try_from(duration.as_secs()).unwrap_or(u32::MAX);
    let algorithm = |name: &DigestAlgorithm| match name {
        DigestAlgorithm::Md5 => Algorithm::Md5,
        DigestAlgorithm::Sha256 => Algorithm::Sha256,
    };
    let domain = config.domain.to_string();
    engine::Settings {
        digest: digest::Policy {
            realm: domain.clone(),
            algorithms: config.digest.iter().map(algorithm).collect(),
            nonce_life: NONCE_LIFE,
        },
        domain,
        advertised: config.advertised_address,
        registrar: registrar::Policy {
            min: seconds(config.registration.min),
            default: seconds(config.registration.default),
            max: seconds(config.registration.max),
            most_bindings: MOST_BINDINGS,
            push_project,
            asleep: ASLEEP,
        },
        abuse: abuse::Limits::default(),
        timing: transaction::Timing::default(),
        transactions: transaction::Limits::default(),
        calls: calls(config),
    }
}

/// Phones find us where they are told to, or where we listen.
fn calls(config: &Sip) -> CallSettings {
    let listens = [config.udp, config.tcp, config.tls.as_ref().map(|tls| tls.listen)];
    let listen = listens.into_iter().flatten().next().map_or(Ipv4Addr::UNSPECIFIED.into(), |at| at.ip());
    let advertised = config.advertised_address.unwrap_or(listen);
    let here = Here { address: advertised, ports: [0; 3] };
    CallSettings::new(here, Media::Relay { ports: PortRange::USUAL, listen, advertised })
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
