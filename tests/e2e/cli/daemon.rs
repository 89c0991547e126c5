//! The daemon's life, as systemd and operators see it.

use std::{
    io::{BufRead, BufReader, Read},
    net::{SocketAddr, TcpListener},
    os::unix::net::UnixDatagram,
    path::Path,
    process::{Child, ChildStdout, Command, Stdio},
    time::Duration,
};

use super::{Ended, Machine};

/// A process that goes on until it is told to stop. It is killed if a test fails half-way.
pub struct Process {
    child: Child,
    out: BufReader<ChildStdout>,
}

impl Process {
    pub fn start(command: &mut Command) -> Self {
        Self::logging(command, Stdio::null())
    }

    /// With its standard error going to a file.
    pub fn logging(command: &mut Command, log: impl Into<Stdio>) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(log).spawn().unwrap();
        let out = BufReader::new(child.stdout.take().unwrap());
        Self { child, out }
    }

    /// The next line on standard output.
    pub fn line(&mut self) -> String {
        let mut line = String::new();
        self.out.read_line(&mut line).unwrap();
        line
    }

    pub fn signal(&self, name: &str) {
        let kill = format!("kill -{name} {}", self.child.id());
        assert!(Command::new("sh").args(["-c", &kill]).status().unwrap().success());
    }

    pub fn runs(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// Waits for the end and answers the exit code, and what else was on standard output.
    pub fn end(mut self) -> (Option<i32>, String) {
        let mut rest = String::new();
        self.out.read_to_string(&mut rest).unwrap();
        (self.child.wait().unwrap().code(), rest)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// A socket as systemd listens on, and a command that is told of it.
fn notified(machine: &Machine) -> (UnixDatagram, Command) {
    let path = machine.path("notify");
    let socket = UnixDatagram::bind(&path).unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    let mut command = machine.command(&["serve"]);
    command.env("NOTIFY_SOCKET", path);
    (socket, command)
}

fn told(socket: &UnixDatagram) -> String {
    let mut buffer = [0; 256];
    let length = socket.recv(&mut buffer).unwrap();
    String::from_utf8_lossy(&buffer[..length]).trim().to_owned()
}

#[test]
fn the_daemon_says_once_where_it_listens_and_ends_well_when_told_to() {
    for signal in ["TERM", "INT"] {
        let machine = Machine::new();
        let mut daemon = Process::start(&mut machine.command(&["serve"]));
        let ready: serde_json::Value = serde_json::from_str(&daemon.line()).unwrap();
        assert_eq!(ready["ready"], true);
        for listener in ["http", "admin"] {
            let address: SocketAddr = ready[listener].as_str().unwrap().parse().unwrap();
            assert_ne!(address.port(), 0);
        }
        daemon.signal(signal);
        assert_eq!(daemon.end(), (Some(0), String::new()));
    }
}

#[test]
fn systemd_hears_when_the_daemon_is_ready_and_when_it_stops() {
    let machine = Machine::new();
    let (socket, mut command) = notified(&machine);
    let daemon = Process::start(&mut command);
    assert_eq!(told(&socket), "READY=1");
    daemon.signal("TERM");
    assert_eq!(told(&socket), "STOPPING=1");
    assert_eq!(daemon.end().0, Some(0));
}

#[test]
fn systemds_watchdog_is_fed() {
    let machine = Machine::new();
    let (socket, mut command) = notified(&machine);
    let _daemon = Process::start(command.env("WATCHDOG_USEC", "200000"));
    assert_eq!(told(&socket), "READY=1");
    for _ in 0..3 {
        assert_eq!(told(&socket), "WATCHDOG=1");
    }
}

#[test]
fn an_address_that_is_taken_ends_with_69() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    let machine = Machine::new();
    let mut command = machine.command(&["serve"]);
    let ended = Ended::from(command.env("OFFDESK__HTTP__LISTEN", address.to_string()).output().unwrap());
    assert_eq!(ended.code, 69, "{}", ended.err);
    assert!(ended.err.contains(&format!("\"{address}\" cannot be listened on")), "{}", ended.err);
}

#[test]
fn a_second_daemon_on_the_same_store_ends_with_73_and_leaves_the_first_alone() {
    let machine = Machine::new();
    let mut first = Process::start(&mut machine.command(&["serve"]));
    assert!(first.line().contains("\"ready\":true"));
    let second = machine.run(&["serve"]);
    assert_eq!(second.code, 73, "{}", second.err);
    assert!(second.err.contains("another process has the store open"), "{}", second.err);
    first.signal("TERM");
    assert_eq!(first.end().0, Some(0));
}

/// A machine whose certificate is made by itself; it is worth nothing elsewhere.
fn with_tls(machine: &Machine, key: &str) -> Command {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/e2e/cli/tls");
    let mut command = machine.command(&["serve"]);
    command.env("OFFDESK__HTTP__TLS__MODE", "files");
    command.env("OFFDESK__HTTP__TLS__CERT", folder.join("cert.pem")).env("OFFDESK__HTTP__TLS__KEY", folder.join(key));
    command
}

#[tokio::test]
async fn the_daemon_ends_tls_itself_where_it_has_a_certificate() {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let machine = Machine::new();
    let mut daemon = Process::start(&mut with_tls(&machine, "key.pem"));
    let ready: serde_json::Value = serde_json::from_str(&daemon.line()).unwrap();
    let address = ready["http"].as_str().unwrap();
    let client = reqwest::Client::builder().no_proxy().tls_danger_accept_invalid_certs(true).build().unwrap();
    let url = format!("{address}/webhooks/taskrouter");
    assert_eq!(client.post(format!("https://{url}")).send().await.unwrap().status(), 403);
    client.post(format!("http://{url}")).send().await.unwrap_err();
}

#[test]
fn a_key_that_is_none_ends_with_64() {
    let machine = Machine::new();
    Ended::from(with_tls(&machine, "cert.pem").output().unwrap()).refused(64, "holds no private key");
}
