//! Agents and the audit log by the running daemon, and the same on its store once it has stopped.

use std::{fs, net::SocketAddr, path::Path};

use offdesk::{
    domain::{AgentId, DeviceId, NewsKind, NotificationId, Timestamp},
    push::{Cause, DeadLetter},
    store::{self, Batch, Options, Sequence, wait},
};
use serde_json::{Value, json};

use super::{Ended, Machine, daemon::Process};
use crate::house::{client, free_address};

pub(super) const TOKEN: &str = "0123456789abcdef";

/// A machine whose daemon runs, with these lines in its configuration.
pub(super) struct Running {
    pub(super) machine: Machine,
    daemon: Process,
    listen: SocketAddr,
}

impl Running {
    fn new(token: Option<&str>) -> Self {
        Self::of(Machine::new(), token)
    }

    pub(super) fn of(machine: Machine, token: Option<&str>) -> Self {
        let file = machine.path("offdesk.toml");
        let mut text = fs::read_to_string(&file).unwrap();
        let listen = free_address();
        text = text.replacen("listen = \"127.0.0.1:0\"", &format!("listen = \"{listen}\""), 1);
        if let Some(token) = token {
            text += &format!("\n[admin]\nbootstrap_token_file = \"{}\"\n", machine.write("token", token));
        }
        fs::write(file, text).unwrap();
        let mut daemon = Process::start(&mut machine.command(&["serve"]));
        assert!(daemon.line().contains("\"ready\":true"));
        Self { machine, daemon, listen }
    }

    pub(super) fn stop(self) -> Machine {
        self.daemon.signal("TERM");
        assert_eq!(self.daemon.end().0, Some(0));
        self.machine
    }
}

pub(super) fn audit(machine: &Machine) -> Vec<Value> {
    machine.good(&["audit", "export"]).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn agents_are_managed_by_the_running_daemon_and_then_on_its_store() {
    let running = Running::new(Some(TOKEN));
    let machine = &running.machine;
    let id = machine.good(&["agent", "add", "--phone", "+49 1511 2345678", "--name", "Anna", "--roles", "supervisor"]);
    let id = id.trim().to_owned();
    machine.good(&["agent", "update", "+4915112345678", "--department", "Sales", "--can-manage-agents", "yes"]);
    machine.run(&["agent", "add", "--phone", "+4915112345678", "--name", "B"]).refused(64, "phone: another agent has");
    machine.run(&["agent", "show", "+4915112345679"]).refused(64, "there is no such agent");
    let file = machine.write("agents.jsonl", "{\"phone\":\"+4915112345680\",\"name\":\"Berta\"}\n");
    assert_eq!(machine.good(&["agent", "import", &file]), "1 agent was added\n");
    machine.run(&["agent", "import", &file]).refused(64, "agent 1: phone: another agent has the same");
    let shown = machine.good(&["agent", "show", &id, "--json"]);
    let (listed, verified) = (machine.agents(), machine.good(&["audit", "verify"]));
    assert_eq!(verified, "3 entries, all as they were written\n");
    assert!(machine.good(&["agent", "list", "--search", "BERT"]).contains("+4915112345680"));
    let log = audit(machine);

    let machine = running.stop();
    assert_eq!(machine.good(&["agent", "show", &id, "--json"]), shown, "it looks the same");
    assert_eq!(machine.agents(), listed);
    assert_eq!(audit(&machine), log);
    let shown: Value = serde_json::from_str(&shown).unwrap();
    assert_eq!((&shown["can_manage_agents"], &shown["department"]), (&json!(true), &json!("Sales")));
    machine.run(&["agent", "remove", &id, "--worker"]).refused(64, "--worker: only the running daemon");
    machine.good(&["agent", "remove", &id]);
    let verdict: Value = serde_json::from_str(&machine.good(&["audit", "verify", "--json"])).unwrap();
    assert_eq!((&verdict["ok"], &verdict["entries"]), (&json!(true), &json!(4)));
    let actors: Vec<_> = audit(&machine).iter().map(|entry| entry["actor"]["kind"].clone()).collect();
    assert_eq!(actors, ["bootstrap", "bootstrap", "bootstrap", "operator"]);
}

#[test]
fn without_the_right_token_the_running_daemon_is_left_alone() {
    let running = Running::new(None);
    running.machine.run(&["agent", "list"]).refused(73, "there is no admin.bootstrap_token");
    running.machine.run(&["audit", "verify"]).refused(73, "there is no admin.bootstrap_token");
    let running = Running::new(Some(TOKEN));
    let ended = running.machine.command(&["agent", "list"]).env("OFFDESK__ADMIN__BOOTSTRAP_TOKEN", "wrong").output();
    Ended::from(ended.unwrap()).refused(64, "does not take this bootstrap token");
    let other = free_address().to_string();
    let ended = running.machine.command(&["agent", "list"]).env("OFFDESK__HTTP__LISTEN", other).output();
    Ended::from(ended.unwrap()).refused(69, "cannot be reached");
}

/// A push that was given up, at this place.
fn bury(batch: &mut Batch, place: u64) {
    let letter = DeadLetter {
        id: NotificationId(place),
        agent: AgentId::from_bits(1),
        device: DeviceId::from_bits(2),
        provider: "fcm".into(),
        kind: NewsKind::TaskOffered,
        created: Timestamp::from_millis(1_760_000_000_000),
        died: Timestamp::from_millis(1_760_000_120_000),
        cause: Cause::Expired,
        tries: 3,
        last: Some("unavailable".into()),
    };
    batch.put(&Sequence::new(place), &letter).unwrap();
}

#[test]
fn what_was_never_delivered_is_listed_by_the_running_daemon_and_on_its_store() {
    const LETTERS: u64 = 450;
    let machine = Machine::new();
    assert!(machine.good(&["push", "dead"]).starts_with("none:"));
    let store = store::open(&machine.path("data/store"), &Options::default()).unwrap().store;
    let mut batch = Batch::new();
    (1..=LETTERS).for_each(|place| bury(&mut batch, place));
    wait(store.commit(batch)).unwrap();
    wait(store.close()).unwrap();
    let stopped: Value = serde_json::from_str(&machine.good(&["push", "dead", "--json"])).unwrap();
    let first = json!({
        "id": "0000000000000001", "agent": AgentId::from_bits(1), "device": DeviceId::from_bits(2), "provider": "fcm",
        "type": "task.offered", "created_at": "2025-10-09T08:53:20Z", "given_up_at": "2025-10-09T08:55:20Z",
        "cause": "expired", "tries": 3, "last_failure": "unavailable",
    });
    assert_eq!((stopped.as_array().unwrap().len() as u64, &stopped[0]), (LETTERS, &first));

    let running = Running::of(machine, Some(TOKEN));
    let listed: Value = serde_json::from_str(&running.machine.good(&["push", "dead", "--json"])).unwrap();
    assert_eq!(listed, stopped, "it looks the same");
    let lines = running.machine.good(&["push", "dead"]);
    assert!(
        lines.ends_with("450 were never delivered\n") && lines.contains("3 tries, the last: unavailable"),
        "{lines}"
    );
}

/// How much lies in the store's files.
pub(super) fn stored(machine: &Machine) -> u64 {
    let files = fs::read_dir(machine.path("data/store")).unwrap();
    files.map(|file| file.unwrap().metadata().map_or(0, |file| file.len())).sum()
}

#[tokio::test]
async fn an_import_is_there_as_a_whole_or_not_at_all_although_the_daemon_is_killed() {
    let lines: String =
        (0..5000).map(|number| format!("{{\"phone\":\"+4915112{number:06}\",\"name\":\"A\"}}\n")).collect();
    let client = client();
    let mut counts = Vec::new();
    // The daemon dies once so much was written, or once the import has been answered.
    for written in [0, 1, 100_000, 500_000, u64::MAX] {
        let running = Running::new(Some(TOKEN));
        let url = format!("http://{}/api/v1/admin/agents/import", running.listen);
        let before = stored(&running.machine);
        let import = tokio::spawn(client.post(url).bearer_auth(TOKEN).body(lines.clone()).send());
        while !import.is_finished() && stored(&running.machine).saturating_sub(before) < written {
            tokio::task::yield_now().await;
        }
        running.daemon.signal("KILL");
        let answered = import.await.unwrap().is_ok_and(|answer| answer.status() == 200);
        let Running { machine, daemon, .. } = running;
        assert_eq!(daemon.end().0, None);
        let count = machine.agents().as_array().unwrap().len();
        assert!(count == 5000 || (count == 0 && !answered), "{count} agents, answered: {answered}");
        let verdict: Value = serde_json::from_str(&machine.good(&["audit", "verify", "--json"])).unwrap();
        assert_eq!((&verdict["ok"], &verdict["entries"]), (&json!(true), &json!(count / 5000)));
        counts.push(count);
    }
    assert_eq!((counts.first(), counts.last()), (Some(&0), Some(&5000)), "{counts:?}");
}

#[test]
fn a_daemon_that_ends_tls_itself_is_reached_by_the_name_in_its_certificate() {
    let machine = Machine::new();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/e2e/cli/tls");
    let with_tls = |args: &[&str], listen: &str| {
        let mut command = machine.command(args);
        command.env("OFFDESK__PUBLIC_URL", "https://localhost").env("OFFDESK__HTTP__LISTEN", listen);
        command.env("OFFDESK__HTTP__TLS__MODE", "files").env("OFFDESK__HTTP__TLS__KEY", folder.join("key.pem"));
        command.env("OFFDESK__HTTP__TLS__CERT", folder.join("cert.pem"));
        command.env("OFFDESK__TLS__EXTRA_CA_FILE", folder.join("cert.pem"));
        command.env("OFFDESK__ADMIN__BOOTSTRAP_TOKEN", TOKEN);
        command
    };
    let listen = free_address().to_string();
    let mut daemon = Process::start(&mut with_tls(&["serve"], &listen));
    assert!(daemon.line().contains("\"ready\":true"));
    let ended = Ended::from(with_tls(&["agent", "list", "--json"], &listen).output().unwrap());
    assert_eq!((ended.code, ended.out.as_str()), (0, "[]\n"), "{}", ended.err);
    let mut stranger = with_tls(&["agent", "list"], &listen);
    let ended = Ended::from(stranger.env("OFFDESK__PUBLIC_URL", "https://gw.example.com").output().unwrap());
    assert!(ended.code == 69 && ended.err.contains("cannot be reached"), "{}", ended.err);
}
