//! The relays under measurement, each in a process of its own.

use std::env;
use std::fs;
use std::io::{BufRead, BufReader, Write, stdin};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use offdesk_sip::media::{Leg, Reach, Relay, Remote, Settings};
use offdesk_sip::sdp::{Audio, Description, Place, Voice};

use crate::ng::Control;

/// Makes this program the relay.
const ROLE: &str = "OFFDESK_RELAY";
const HOST: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

pub(crate) struct Server {
    child: Child,
    control: Way,
}

/// How calls are ordered.
enum Way {
    /// A line with both peers' addresses in, a line with both ports out.
    Lines(ChildStdin, BufReader<ChildStdout>),
    Ng(Control),
}

pub(crate) fn is_asked_for() -> bool {
    env::var_os(ROLE).is_some()
}

/// The relay, until its input ends.
pub(crate) fn run() {
    let relay = Relay::start(Settings::new("20000-29999".parse().unwrap(), Instant::now), |_| {}).unwrap();
    let mut sessions = Vec::new();
    for line in stdin().lines() {
        let session = relay.open([HOST; 2]).unwrap();
        for (leg, peer) in Leg::BOTH.into_iter().zip(line.unwrap().split(' ')) {
            let ours = audio(SocketAddr::new(HOST, session.port(leg)));
            session.connect(leg, Remote::new(&audio(peer.parse().unwrap()), &ours, Reach::AsDescribed)).unwrap();
        }
        println!("{} {}", session.port(Leg::A), session.port(Leg::B));
        sessions.push(session);
    }
}

fn audio(at: SocketAddr) -> Audio {
    Description::offer(Place::from(at), &[Voice::Pcmu]).audio
}

/// Where rtpengine is installed.
pub(crate) fn rtpengine() -> Option<PathBuf> {
    env::split_paths(&env::var_os("PATH")?).map(|folder| folder.join("rtpengine")).find(|file| file.is_file())
}

/// Servers have the first core, the load the last.
pub(crate) fn pin_load() {
    let last = std::thread::available_parallelism().unwrap().get() - 1;
    let mut cores = rustix::thread::CpuSet::new();
    cores.set(last);
    rustix::thread::sched_setaffinity(None, &cores).unwrap();
}

// === impl Server ===

impl Server {
    pub(crate) fn offdesk() -> Self {
        let mut child = pinned(&env::current_exe().unwrap())
            .env(ROLE, "1")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let control = Way::Lines(child.stdin.take().unwrap(), BufReader::new(child.stdout.take().unwrap()));
        Self { child, control }
    }

    pub(crate) fn rtpengine(program: &Path) -> Self {
        let control = Control::new();
        let child = pinned(program)
            .args(["--table=-1", "--interface=127.0.0.1", "--port-min=30000", "--port-max=39999", "--num-threads=2"])
            .args(["--foreground", "--log-stderr", "--log-level=3"])
            .arg(format!("--listen-ng={}", control.server()))
            .stdin(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let server = Self { child, control: Way::Ng(control) };
        if let Way::Ng(control) = &server.control {
            control.wait();
        }
        server
    }

    /// A call between two peers; where each of them is to send to.
    pub(crate) fn call(&mut self, peers: [SocketAddr; 2]) -> [SocketAddr; 2] {
        match &mut self.control {
            Way::Lines(input, output) => {
                writeln!(input, "{} {}", peers[0], peers[1]).unwrap();
                let mut line = String::new();
                output.read_line(&mut line).unwrap();
                let (a, b) = line.trim().split_once(' ').unwrap();
                [a, b].map(|port| SocketAddr::new(HOST, port.parse().unwrap()))
            }
            Way::Ng(control) => control.call(peers.map(|peer| Description::offer(Place::from(peer), &[Voice::Pcmu]))),
        }
    }

    /// CPU time of all its threads so far, as the scheduler counts it.
    pub(crate) fn cpu(&self) -> Duration {
        let threads = fs::read_dir(format!("/proc/{}/task", self.child.id())).unwrap();
        let nanos = threads.map(|thread| {
            let told = fs::read_to_string(thread.unwrap().path().join("schedstat")).unwrap();
            told.split(' ').next().unwrap().parse::<u64>().unwrap()
        });
        Duration::from_nanos(nanos.sum())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn pinned(program: &Path) -> Command {
    let mut command = Command::new("taskset");
    command.args(["-c", "0"]).arg(program);
    command
}
