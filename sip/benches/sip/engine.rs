//! The engine in a process of its own, which is this program started again.

use std::{
    env,
    process::{Command, Stdio},
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use offdesk_sip::{
    digest::Ha1s,
    driver::{self, ConnectionLimits, Listening, Patience},
    engine::{self, CallSettings, Count, Media, Reach, Saved, Settings},
    leg::Here,
    registrar::{BindingId, State},
    transport::Transport,
};

use crate::{
    phones::{DOMAIN, PASSWORD, user},
    server::Server,
};

const HOW: &str = "OFFDESK_SIP_ENGINE";
const COUNT: &str = "OFFDESK_SIP_COUNT";

/// What this process is to be.
#[derive(Clone, Copy)]
pub(crate) enum How {
    /// A registrar that runs until it is ended.
    Serve(usize),
    /// One that restores bindings, and says how long that took.
    Restore(usize),
}

/// None: the benchmark itself.
pub(crate) fn asked() -> Option<How> {
    let count = env::var(COUNT).ok()?.parse().ok()?;
    match env::var(HOW).ok()?.as_str() {
        "serve" => Some(How::Serve(count)),
        _ => Some(How::Restore(count)),
    }
}

fn again(how: &str, count: usize) -> Command {
    let mut command = Command::new("taskset");
    command.args(["-c", "0"]).arg(env::current_exe().unwrap()).env(HOW, how).env(COUNT, count.to_string());
    command
}

pub(crate) fn start(accounts: usize) -> Server {
    Server::announced("Offdesk", &mut again("serve", accounts))
}

/// Milliseconds from the first account to the last binding.
pub(crate) fn restore(count: usize) -> f64 {
    let output = again("restore", count).stdin(Stdio::null()).output().unwrap();
    String::from_utf8(output.stdout).unwrap().trim().parse().unwrap()
}

pub(crate) fn run(how: How) {
    let (count, restored) = match how {
        How::Serve(count) => (count, false),
        How::Restore(count) => (count, true),
    };
    let account = |number| {
        let user = user(number);
        let ha1s = Ha1s::new(&user, DOMAIN, PASSWORD);
        engine::Command::SetAccount { user: user.parse().unwrap(), ha1s }
    };
    let mut first: Vec<_> = (0..count).map(account).collect();
    if restored {
        let bindings: Vec<_> = (0..count).map(|number| (user(number).parse().unwrap(), saved(number))).collect();
        first.push(engine::Command::Restore(bindings));
    }
    let began = Instant::now();
    let mut running = driver::start(settings(), listening(), [7; 32], first).unwrap();
    if restored {
        while running.handle.counters().get(Count::Bindings) < count as u64 {
            std::thread::sleep(Duration::from_millis(1));
        }
        println!("{:.1}", began.elapsed().as_secs_f64() * 1e3);
        return;
    }
    println!("{}", running.bound.udp.unwrap());
    // As the daemon does: somebody takes what it tells.
    while running.events.blocking_recv().is_some() {}
}

fn listening() -> Listening {
    Listening {
        udp: Some("127.0.0.1:0".parse().unwrap()),
        tcp: None,
        tls: None,
        connections: ConnectionLimits::default(),
        patience: Patience::default(),
    }
}

/// What the daemon has by default.
fn settings() -> Settings {
    Settings::new(DOMAIN, CallSettings::new(Here { address: [127, 0, 0, 1].into(), ports: [0; 3] }, Media::Direct))
}

fn saved(number: usize) -> Saved {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let port = 1024 + u16::try_from(number % 60_000).unwrap();
    let user = user(number);
    Saved {
        id: BindingId(number as u64 + 1),
        state: State::Awake,
        uri: format!("sip:{user}@127.0.0.1:{port};transport=tcp"),
        params: String::new(),
        path: String::new(),
        call_id: format!("{number}-12345@127.0.0.1"),
        cseq: 2,
        expires: now + 3600,
        transport: Transport::Tcp,
        peer: ([127, 0, 0, 1], port).into(),
        reach: Reach::Suspect,
    }
}
