//! Whoever calls, and whoever is called: sipp.

use std::{
    fmt, fs,
    net::{SocketAddr, UdpSocket},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Instant,
};

use crate::phones::{self, DOMAIN, PASSWORD};

/// The user that is called.
pub(crate) const CALLEE: &str = "callee";

pub(crate) struct Sides {
    folder: PathBuf,
    callers: PathBuf,
    callee: PathBuf,
}

/// What became of many calls.
pub(crate) struct Talk {
    rate: f64,
    pub(crate) failed: u32,
}

/// sipp as the callee; ended with this.
pub(crate) struct Callee(Child);

impl Sides {
    pub(crate) fn new(folder: &Path, callers: usize) -> Self {
        let callee = folder.join("callee.csv");
        let line = format!("{CALLEE};[authentication username={CALLEE} password={PASSWORD}]\n");
        fs::write(&callee, format!("SEQUENTIAL\n{line}")).unwrap();
        Self { folder: folder.into(), callers: phones::users(folder, callers), callee }
    }

    fn sipp(&self, scenario: &str, at: SocketAddr, port: u16) -> Command {
        let scenario = Path::new(env!("CARGO_MANIFEST_DIR")).join(scenario).canonicalize().unwrap();
        let mut sipp = Command::new("taskset");
        sipp.args(["-c", "1", "sipp"]).arg(at.to_string()).current_dir(&self.folder).arg("-sf").arg(scenario);
        sipp.args(["-i", DOMAIN, "-p", &port.to_string(), "-nostdin", "-buff_size", "4194304"]);
        sipp.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        sipp
    }

    /// A phone that has registered and answers all calls.
    pub(crate) fn callee(&self, at: SocketAddr, pause_ms: usize) -> Callee {
        let port = free_port();
        let mut register = self.sipp("../tests/e2e/sip/register.xml", at, port);
        let registered = register.arg("-inf").arg(&self.callee).args(["-m", "1"]).status().unwrap();
        assert!(registered.success(), "the callee could not register");
        let mut answer = self.sipp("benches/calls/callee.xml", at, port);
        let child = answer.args(["-d", &pause_ms.to_string(), "-l", "8000"]).spawn().unwrap();
        while UdpSocket::bind((DOMAIN, port)).is_ok() {
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
        Callee(child)
    }

    pub(crate) fn call(&self, at: SocketAddr, count: usize, rate: usize, pause_ms: usize) -> Talk {
        let mut call = self.sipp("benches/calls/caller.xml", at, free_port());
        call.arg("-inf").arg(&self.callers).args(["-d", &pause_ms.to_string(), "-recv_timeout", "8000", "-l", "4000"]);
        call.args(["-m", &count.to_string(), "-r", &rate.to_string()]).stdout(Stdio::piped());
        let began = Instant::now();
        let output = call.output().unwrap();
        let rate = count as f64 / began.elapsed().as_secs_f64();
        let text = String::from_utf8_lossy(&output.stdout);
        let line = text.lines().rfind(|line| line.contains("Failed call")).expect("sipp's figures");
        let failed = line.rsplit('|').next().and_then(|number| number.trim().parse().ok());
        Talk { rate, failed: failed.expect("a number of failed calls") }
    }
}

impl fmt::Display for Talk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.0}/s, {} failed", self.rate, self.failed)
    }
}

impl Drop for Callee {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn free_port() -> u16 {
    UdpSocket::bind((DOMAIN, 0)).unwrap().local_addr().unwrap().port()
}
