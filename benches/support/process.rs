//! Processes under measurement: Linux tells in `/proc` what they cost.

use std::fs;
use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

/// The kernel's unit of CPU time in `/proc`, fixed for user space at 100 a second (`USER_HZ`).
const TICK: Duration = Duration::from_millis(10);

/// A server that prints one line of JSON when it is ready.
#[derive(Debug)]
pub(crate) struct Server {
    child: Child,
    /// Held open: a server that prints more must not die of a closed pipe.
    _output: BufReader<ChildStdout>,
    ready: Value,
    took: Duration,
}

// === impl Server ===

impl Server {
    /// Starts it, and waits until it says that it is ready.
    pub(crate) fn start(mut command: Command) -> Self {
        let started = Instant::now();
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        output.read_line(&mut line).unwrap();
        let took = started.elapsed();
        let ready = serde_json::from_str(&line).unwrap_or_else(|cause| panic!("{command:?} said {line:?}: {cause}"));
        Self { child, _output: output, ready, took }
    }

    /// What it said when it was ready.
    pub(crate) fn ready(&self) -> &Value {
        &self.ready
    }

    /// How long it took to be ready.
    pub(crate) fn took(&self) -> Duration {
        self.took
    }

    /// CPU time so far, its own and the kernel's for it.
    pub(crate) fn cpu(&self) -> Duration {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.child.id())).unwrap();
        // The name, in parentheses, may hold anything; utime and stime are the 12th and 13th field behind it.
        let fields = stat.rsplit_once(')').unwrap().1.split_whitespace();
        let ticks: u32 = fields.skip(11).take(2).map(|field| field.parse::<u32>().unwrap()).sum();
        TICK * ticks
    }

    /// Resident memory in bytes.
    pub(crate) fn resident(&self) -> u64 {
        resident(&self.child.id().to_string())
    }

    /// Waits until it has used no CPU to speak of for a while: what it had to do is done.
    pub(crate) fn settle(&self) {
        let mut before = self.cpu();
        loop {
            std::thread::sleep(Duration::from_millis(300));
            let now = self.cpu();
            if now.saturating_sub(before) <= TICK {
                return;
            }
            before = now;
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Bytes of memory that this process takes.
pub(crate) fn own_resident() -> u64 {
    resident("self")
}

fn resident(process: &str) -> u64 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    let kib: u64 = line.trim().trim_end_matches(" kB").parse().unwrap();
    kib * 1024
}
