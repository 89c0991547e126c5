//! The real daemon, as an operator starts it, with a configuration of its own.

use std::fs;
use std::io::Write;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use offdesk::{clock::Clock, config::Config, domain::Profile, sessions, store};
use secrecy::ExposeSecret;
use serde_json::json;
use tempfile::TempDir;

use super::process::Server;
use super::{AUTH_TOKEN, BOOTSTRAP, PUBLIC_URL, sid};

/// A folder with a configuration and a store.
#[derive(Debug)]
pub(crate) struct Installation {
    folder: TempDir,
}

// === impl Installation ===

impl Installation {
    /// The store goes where cargo builds, not to `/tmp`: that is a file system in memory on many machines, where an fsync
    /// costs nothing.
    pub(crate) fn new(twilio: SocketAddr) -> Self {
        let folder = TempDir::new_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        let this = Self { folder };
        fs::write(this.config(), configuration(&this.folder.path().join("data"), twilio)).unwrap();
        this
    }

    /// Imports so many agents, each the worker of the same number.
    pub(crate) fn import_agents(&self, count: usize) {
        let mut import =
            self.offdesk(&["agent", "import", "-"]).stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
        let mut lines = std::io::BufWriter::new(import.stdin.take().unwrap());
        for number in 0..count {
            let agent = json!({
                "phone": format!("+4915{number:09}"), "name": format!("Agent {number}"), "worker_sid": sid("WK", number),
            });
            writeln!(lines, "{agent}").unwrap();
        }
        lines.flush().unwrap();
        drop(lines);
        assert!(import.wait().unwrap().success(), "the import failed");
    }

    /// Signs every agent in; answers their tokens.
    pub(crate) fn sign_in(&self) -> Vec<String> {
        let text = fs::read_to_string(self.config()).unwrap();
        let config = Config::parse(&text, Default::default(), None).unwrap();
        let opened = store::open(&config.store_path(), &store::Options::default()).unwrap();
        let (mut batch, mut tokens) = (store::Batch::new(), Vec::new());
        let now = Clock::system().now();
        let reading = opened.store.visit::<Profile>(|_, profile| {
            let (_, token) = sessions::begin(&mut batch, profile.unwrap().id, now).unwrap();
            tokens.push(token.expose_secret().to_owned());
        });
        store::wait(reading).unwrap();
        store::wait(opened.store.commit(batch)).unwrap();
        store::wait(opened.store.close()).unwrap();
        tokens
    }

    /// Starts the daemon, and waits until it is ready.
    pub(crate) fn serve(&self) -> Server {
        Server::start(self.offdesk(&["serve"]))
    }

    fn offdesk(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_offdesk"));
        command.args(arguments).arg("--config").arg(self.config()).env("RUST_LOG", "warn");
        command
    }

    fn config(&self) -> PathBuf {
        self.folder.path().join("offdesk.toml")
    }
}

/// Where the daemon takes webhooks.
pub(crate) fn http(server: &Server) -> SocketAddr {
    server.ready()["http"].as_str().unwrap().parse().unwrap()
}

fn configuration(data: &std::path::Path, twilio: SocketAddr) -> String {
    let products = ["api", "taskrouter", "conversations", "flex", "verify", "iam", "media", "events"];
    let endpoints: String = products.iter().map(|product| format!("{product} = \"http://{twilio}\"\n")).collect();
    let (account, workspace) = (sid("AC", 1), sid("WS", 1));
    format!(
        r#"
public_url = "{PUBLIC_URL}"
data_dir = "{}"
[http]
listen = "127.0.0.1:0"
admin_listen = "127.0.0.1:0"
[twilio]
account_sid = "{account}"
auth_token = "{AUTH_TOKEN}"
workspace_sid = "{workspace}"
caller_id = "+15550100"
[twilio.endpoints]
{endpoints}
[calls]
plan = ["pstn"]
record = "never"
[admin]
bootstrap_token = "{BOOTSTRAP}"
"#,
        data.display()
    )
}
