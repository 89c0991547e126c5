//! The engine in a process of its own, which is this program started again.

use std::{env, net::IpAddr, process::Command};

use offdesk_sip::{
    digest::Ha1s,
    driver::{self, ConnectionLimits, Listening, Patience},
    engine::{self, CallSettings, Media, Settings},
    leg::Here,
    media::PortRange,
};

use crate::{
    phones::{DOMAIN, PASSWORD, user},
    server::Server,
    sides::CALLEE,
};

pub(crate) const NAME: &str = "Offdesk";

const COUNT: &str = "OFFDESK_CALLS_COUNT";
/// Set to anything, the phones are told of each other, and the relay has nothing to do.
const DIRECT: &str = "OFFDESK_CALLS_DIRECT";

pub(crate) fn is_asked_for() -> bool {
    env::var(COUNT).is_ok()
}

/// Accounts for so many callers, and one for who is called.
pub(crate) fn start(callers: usize) -> Server {
    let mut command = Command::new("taskset");
    command.args(["-c", "0"]).arg(env::current_exe().unwrap()).env(COUNT, callers.to_string());
    Server::announced(NAME, &mut command)
}

pub(crate) fn run() {
    let count: usize = env::var(COUNT).unwrap().parse().unwrap();
    let account = |user: &str| engine::Command::SetAccount {
        user: user.parse().unwrap(),
        ha1s: Ha1s::new(user, DOMAIN, PASSWORD),
    };
    let mut first: Vec<_> = (0..count).map(|number| account(&user(number))).collect();
    first.push(account(CALLEE));
    let listening = Listening {
        udp: Some("127.0.0.1:0".parse().unwrap()),
        tcp: None,
        tls: None,
        connections: ConnectionLimits::default(),
        patience: Patience::default(),
    };
    let mut running = driver::start(settings(), listening, [7; 32], first).unwrap();
    println!("{}", running.bound.udp.unwrap());
    // As the daemon does: somebody takes what it tells.
    while running.events.blocking_recv().is_some() {}
}

/// What the daemon has by default.
fn settings() -> Settings {
    let here: IpAddr = DOMAIN.parse().unwrap();
    let media = match env::var(DIRECT) {
        Ok(_) => Media::Direct,
        Err(_) => Media::Relay { ports: PortRange::USUAL, listen: here, advertised: here },
    };
    Settings::new(DOMAIN, CallSettings::new(Here { address: here, ports: [0; 3] }, media))
}
