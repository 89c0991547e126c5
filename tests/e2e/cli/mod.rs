//! The command line, as an operator meets it.

mod agents;
mod backups;
pub mod daemon;
mod doctor;
mod managing;
mod sandbox;
mod setup;
mod takeover;
mod usage;

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

use tempfile::TempDir;

const BINARY: &str = env!("CARGO_BIN_EXE_offdesk");

/// A machine with a configuration and no store yet.
struct Machine {
    folder: TempDir,
}

impl Machine {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let text = format!(
            r#"
            public_url = "https://gw.example.com"
            data_dir = {:?}
            [http]
            listen = "127.0.0.1:0"
            admin_listen = "127.0.0.1:0"
            [twilio]
            account_sid = "AC0123456789abcdef0123456789abcdef"
            auth_token = "hunter2"
            caller_id = "+15550100"
            [twilio.endpoints]
            api = "http://127.0.0.1:1"
            taskrouter = "http://127.0.0.1:1"
            conversations = "http://127.0.0.1:1"
            flex = "http://127.0.0.1:1"
            verify = "http://127.0.0.1:1"
            media = "http://127.0.0.1:1"
            events = "http://127.0.0.1:1"
            "#,
            folder.path().join("data"),
        );
        fs::write(folder.path().join("offdesk.toml"), text).unwrap();
        Self { folder }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, text: &str) -> String {
        fs::write(self.path(name), text).unwrap();
        self.path(name).to_str().unwrap().to_owned()
    }

    /// The command with this machine's configuration.
    fn command(&self, args: &[&str]) -> Command {
        let mut command = offdesk(args);
        command.arg("--config").arg(self.path("offdesk.toml"));
        command
    }

    fn run(&self, args: &[&str]) -> Ended {
        self.command(args).output().unwrap().into()
    }

    /// What a command that succeeds prints.
    fn good(&self, args: &[&str]) -> String {
        let ended = self.run(args);
        assert_eq!(ended.code, 0, "{}{}", ended.out, ended.err);
        ended.out
    }

    fn agents(&self) -> serde_json::Value {
        serde_json::from_str(&self.good(&["agent", "list", "--json"])).unwrap()
    }
}

/// The binary in an environment that says nothing.
pub fn offdesk(args: &[&str]) -> Command {
    let mut command = Command::new(BINARY);
    command.args(args).env_clear().stdin(Stdio::null());
    command
}

/// How a command ended.
struct Ended {
    code: i32,
    out: String,
    err: String,
}

impl From<Output> for Ended {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code().unwrap(),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

impl Ended {
    /// Asserts the exit code, and that there is a cause with these words and one line of cure.
    #[track_caller]
    fn refused(&self, code: i32, words: &str) {
        assert_eq!(self.code, code, "{}", self.err);
        let lines: Vec<_> = self.err.lines().collect();
        let (cure, causes) = lines.split_last().unwrap();
        assert!(cure.starts_with(" cure: ") && !causes.is_empty(), "{}", self.err);
        assert!(causes.iter().all(|cause| cause.starts_with("error: ")), "{}", self.err);
        assert!(causes.iter().any(|cause| cause.contains(words)), "{words} is not in {}", self.err);
    }
}

fn exists(path: &Path) -> bool {
    path.try_exists().unwrap()
}
