//! A server under measurement, with all its processes.

use std::{
    fs,
    io::{BufRead, BufReader},
    net::SocketAddr,
    process::{Child, ChildStdout, Command, Stdio},
    time::Duration,
};

/// The kernel's unit of CPU time in `/proc` (`USER_HZ`).
const TICK: Duration = Duration::from_millis(10);

pub(crate) struct Server {
    name: &'static str,
    child: Child,
    address: SocketAddr,
    _output: Option<BufReader<ChildStdout>>,
}

impl Server {
    /// Starts one that prints its address when it is ready.
    pub(crate) fn announced(name: &'static str, command: &mut Command) -> Self {
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        output.read_line(&mut line).unwrap();
        let address = line.trim().parse().unwrap_or_else(|_| panic!("{name} said {line:?}"));
        Self { name, child, address, _output: Some(output) }
    }

    /// Starts one that listens there before long.
    pub(crate) fn at(name: &'static str, command: &mut Command, address: SocketAddr) -> Self {
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        Self { name, child, address, _output: None }
    }

    pub(crate) fn name(&self) -> &'static str {
        self.name
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// CPU time so far of all its processes, the kernel's for them included.
    pub(crate) fn cpu(&self) -> Duration {
        family(self.child.id()).into_iter().map(cpu).sum()
    }

    /// Memory of all its processes, what they share counted once.
    pub(crate) fn pss_kb(&self) -> f64 {
        family(self.child.id()).into_iter().map(pss_kb).sum()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let children = family(self.child.id());
        // Its children end with it; what does not is ended by name of its number.
        let _ = self.child.kill();
        let _ = self.child.wait();
        for child in children.into_iter().skip(1) {
            let _ = Command::new("kill").args(["-9", &child.to_string()]).stderr(Stdio::null()).status();
        }
    }
}

fn family(process: u32) -> Vec<u32> {
    let mut family = vec![process];
    let tasks = fs::read_dir(format!("/proc/{process}/task")).into_iter().flatten().flatten();
    for task in tasks {
        let children = fs::read_to_string(task.path().join("children")).unwrap_or_default();
        family.extend(children.split_whitespace().filter_map(|child| child.parse().ok()).flat_map(family_of));
    }
    family
}

fn family_of(process: u32) -> Vec<u32> {
    family(process)
}

fn cpu(process: u32) -> Duration {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    // The name, in parentheses, may hold anything; utime and stime are the 12th and 13th field behind it.
    let fields = stat.rsplit_once(')').map(|(_, fields)| fields).unwrap_or_default().split_whitespace();
    TICK * fields.skip(11).take(2).filter_map(|field| field.parse::<u32>().ok()).sum::<u32>()
}

fn pss_kb(process: u32) -> f64 {
    let rollup = fs::read_to_string(format!("/proc/{process}/smaps_rollup")).unwrap_or_default();
    let line = rollup.lines().find_map(|line| line.strip_prefix("Pss:"));
    line.and_then(|line| line.trim().trim_end_matches(" kB").trim().parse().ok()).unwrap_or_default()
}
