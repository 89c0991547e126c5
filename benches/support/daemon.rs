//! The real daemon, as an operator starts it, with a configuration of its own.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::io::Write;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use offdesk::{
    clock::Clock,
    config::Config,
    domain::{AgentId, Device, DeviceId, Profile, PushTarget, Timestamp, Wishes},
    push::Devices,
    sessions,
    store::{self, Batch, StoreError, StoreHandle},
};
use secrecy::ExposeSecret;
use serde_json::json;
use tempfile::TempDir;

use super::phones;
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
        self.import(count, |_| json!({}));
    }

    /// The same, each with the softphone account of that number, and rung there alone.
    pub(crate) fn import_softphones(&self, count: usize) {
        self.import(count, |number| {
            let (user, password) = phones::account(number);
            json!({ "sip_username": user, "sip_password": password, "ring_plan": ["sip"] })
        });
    }

    /// Takes SIP over UDP.
    pub(crate) fn listen_for_softphones(&self) {
        let mut file = fs::OpenOptions::new().append(true).open(self.config()).unwrap();
        let lines = "domain = \"127.0.0.1\"\nudp = \"127.0.0.1:0\"\ntcp = \"\"\ntls = \"\"";
        writeln!(file, "[sip]\n{lines}").unwrap();
    }

    fn import(&self, count: usize, more: impl Fn(usize) -> serde_json::Value) {
        let mut import =
            self.offdesk(&["agent", "import", "-"]).stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
        let mut lines = std::io::BufWriter::new(import.stdin.take().unwrap());
        for number in 0..count {
            let mut agent = json!({
                "phone": format!("+4915{number:09}"), "name": format!("Agent {number}"), "worker_sid": sid("WK", number),
            });
            agent.as_object_mut().unwrap().extend(more(number).as_object().unwrap().clone());
            writeln!(lines, "{agent}").unwrap();
        }
        lines.flush().unwrap();
        drop(lines);
        assert!(import.wait().unwrap().success(), "the import failed");
    }

    /// Signs every agent in on the stopped store, and answers their tokens.
    pub(crate) async fn sign_in(&self) -> Vec<String> {
        let config = fs::read_to_string(self.config()).unwrap();
        let config = Config::parse(&config, BTreeMap::new(), None).unwrap();
        let opened = store::open(&config.store_path(), &store::Options::default()).unwrap();
        let (mut batch, now) = (Batch::new(), Clock::system().now());
        let mut tokens = Vec::new();
        for row in opened.store.scan::<Profile>(None, usize::MAX).await.unwrap() {
            let (_, token) = sessions::begin(&mut batch, row.record.id, now).unwrap();
            tokens.push(token.expose_secret().to_owned());
        }
        opened.store.commit(batch).await.unwrap();
        opened.store.close().await.unwrap();
        tokens
    }

    /// Lets web pushes go there, without TLS.
    pub(crate) fn allow_pushes_to(&self, address: SocketAddr) {
        let mut file = fs::OpenOptions::new().append(true).open(self.config()).unwrap();
        writeln!(file, "[push.web]\nallow_hosts = [\"http://{address}\"]").unwrap();
    }

    /// Gives each of so many agents so many browsers, whose endpoints are `/push/AGENT/DEVICE` there.
    pub(crate) fn give_devices(&self, agents: usize, devices: usize, address: SocketAddr) {
        let store = store::open(&self.folder.path().join("data/store"), &store::Options::default()).unwrap().store;
        let ids = store::wait(ids_by_phone(&store)).unwrap();
        for chunk in (0..agents).collect::<Vec<_>>().chunks(500) {
            let mut batch = Batch::new();
            for number in chunk {
                let browser = |place: usize| browser(*number, place, address);
                let all = Devices::of((0..devices).map(browser).collect());
                batch.put(&ids[&format!("+4915{number:09}")], &all).unwrap();
            }
            store::wait(store.commit(batch)).unwrap();
        }
        store::wait(store.close()).unwrap();
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

async fn ids_by_phone(store: &StoreHandle) -> Result<HashMap<String, AgentId>, StoreError> {
    let mut ids = HashMap::new();
    let see = |_, profile: Result<Profile, StoreError>| {
        let profile = profile.unwrap();
        ids.insert(profile.phone.to_string(), profile.id);
    };
    store.visit(see).await?;
    Ok(ids)
}

fn browser(agent: usize, place: usize, address: SocketAddr) -> Device {
    // The receiver of RFC 8291 §5: nobody reads what arrives.
    let p256dh = "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4";
    let endpoint = format!("http://{address}/push/{agent}/{place}");
    let target = PushTarget::WebPush { endpoint, p256dh: p256dh.into(), auth: "BTBZMqHH6r4Tts7J_aSIgg".into() };
    let id = DeviceId::from_bits((agent * 100 + place) as u64);
    Device { id, name: None, target, added_at: Timestamp::EPOCH, session: None, wishes: Wishes::default() }
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
