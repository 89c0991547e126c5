//! Phones, played by sipp.

use std::{
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Instant,
};

/// The address of either server: sipp puts it where the domain belongs.
pub(crate) const DOMAIN: &str = "127.0.0.1";
pub(crate) const PASSWORD: &str = "secret";

pub(crate) fn user(number: usize) -> String {
    format!("u{number:06}")
}

/// sipp's list of users.
pub(crate) fn users(folder: &Path, count: usize) -> PathBuf {
    let file = folder.join("users.csv");
    let line = |number| {
        let user = user(number);
        format!("{user};[authentication username={user} password={PASSWORD}]\n")
    };
    let lines: String = (0..count).map(line).collect();
    fs::write(&file, format!("SEQUENTIAL\n{lines}")).unwrap();
    file
}

/// Registers so many users at this rate; answers the rate that was reached. One failure ends the benchmark.
pub(crate) fn register(at: SocketAddr, users: &Path, folder: &Path, count: usize, rate: usize) -> f64 {
    let scenario = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/e2e/sip/register.xml");
    let mut sipp = Command::new("taskset");
    sipp.args(["-c", "1", "sipp"])
        .arg(at.to_string())
        .current_dir(folder)
        .arg("-sf")
        .arg(scenario.canonicalize().unwrap());
    sipp.arg("-inf").arg(users).args(["-i", DOMAIN, "-nostdin", "-recv_timeout", "8000", "-buff_size", "4194304"]);
    sipp.args(["-l", "4000", "-m", &count.to_string(), "-r", &rate.to_string()]);
    let began = Instant::now();
    let output = sipp.stdin(Stdio::null()).output().unwrap();
    let took = began.elapsed().as_secs_f64();
    assert!(output.status.success(), "registrations failed:\n{}", String::from_utf8_lossy(&output.stdout));
    count as f64 / took
}
