//! Real softphones, a load generator and an attacker's tools. They are installed by `cargo xtask test`.

pub(super) mod baresip;

use std::{
    fs,
    io::{BufRead, BufReader, Write},
    process::{Child, Command, Stdio},
};

use serde_json::Value;

use super::{SipHouse, text};
use crate::counterparts::setting;

/// A program that is ended with the test.
pub(super) struct Running(pub(super) Child);

impl Running {
    pub(super) fn start(command: &mut Command) -> Self {
        Self(command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap())
    }

    pub(super) fn say(&mut self, line: &str) {
        self.0.stdin.as_mut().unwrap().write_all(format!("{line}\n").as_bytes()).unwrap();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // As when a battery falls out: it unregisters nothing. It may have ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

mod with_softphones {
    use super::*;

    async fn pjsua2_registers_renews_and_ends(transport: &str) {
        let house = SipHouse::build().await;
        let account = house.account().await;
        let mut python = Command::new(setting("OFFDESK_SOFTPHONES"));
        python.arg(format!("{}/tests/counterparts/python/softphone.py", env!("CARGO_MANIFEST_DIR")));
        python.args([text(&account, "username"), text(&account, "password"), &house.at.to_string(), transport]);
        let mut phone = Running::start(&mut python);
        let mut lines = BufReader::new(phone.0.stdout.take().unwrap()).lines();
        let mut told = move || {
            let json = lines.by_ref().map(Result::unwrap).find(|line| line.starts_with("{\"code\"")).unwrap();
            serde_json::from_str::<Value>(&json).unwrap()
        };
        assert_eq!(told()["code"], 200);
        let phones = house.until(|phones| phones.len() == 1).await;
        assert_eq!(phones[0]["transport"], transport);
        phone.say("renew");
        assert_eq!(told()["code"], 200);
        phone.say("end");
        assert_eq!(told()["active"], false);
        house.until(<[Value]>::is_empty).await;
    }

    #[tokio::test]
    async fn pjsua2_registers_renews_and_ends_over_udp() {
        pjsua2_registers_renews_and_ends("udp").await;
    }

    #[tokio::test]
    async fn pjsua2_registers_renews_and_ends_over_tcp() {
        pjsua2_registers_renews_and_ends("tcp").await;
    }

    #[tokio::test]
    async fn linphone_registers_and_unregisters() {
        let house = SipHouse::build().await;
        let account = house.account().await;
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir_all(folder.path().join(".local/share/linphone")).unwrap();
        let config = folder.path().join("linphonerc");
        fs::write(&config, "[sip]\nsip_port=-1\nsip_tcp_port=-1\nsip_tls_port=-1\n").unwrap();
        let mut linphone = Command::new("linphonec");
        linphone.arg("-c").arg(&config).env("HOME", folder.path());
        let mut phone = Running::start(&mut linphone);
        let (user, at) = (text(&account, "username"), house.at);
        phone.say(&format!("register sip:{user}@{} sip:{at};transport=udp {}", at.ip(), text(&account, "password")));
        house.until(|phones| phones.len() == 1).await;
        phone.say("unregister");
        house.until(<[Value]>::is_empty).await;
        phone.say("quit");
    }

    #[tokio::test]
    async fn sipp_registers_a_hundred_times_without_a_failure() {
        let house = SipHouse::build().await;
        let account = house.account().await;
        let (user, password) = (text(&account, "username"), text(&account, "password"));
        let folder = tempfile::tempdir().unwrap();
        let users = folder.path().join("users.csv");
        fs::write(&users, format!("SEQUENTIAL\n{user};[authentication username={user} password={password}]\n"))
            .unwrap();
        let mut sipp = Command::new("sipp");
        sipp.current_dir(folder.path()).arg(house.at.to_string()).args(["-nostdin", "-m", "100", "-r", "100"]);
        sipp.arg("-sf").arg(format!("{}/tests/e2e/sip/register.xml", env!("CARGO_MANIFEST_DIR")));
        sipp.arg("-inf").arg(&users).args(["-recv_timeout", "10000", "-i", "127.0.0.1"]);
        let output = sipp.stdin(Stdio::null()).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
        house.until(|phones| phones.len() == 1).await;
    }

    /// What one of sipvicious's tools says at its end.
    fn attack(house: &SipHouse, tool: &str, arguments: &[&str]) -> String {
        let python = std::path::PathBuf::from(setting("OFFDESK_SOFTPHONES"));
        let mut command = Command::new(python.with_file_name(tool));
        let folder = tempfile::tempdir().unwrap();
        command.current_dir(folder.path()).env("HOME", folder.path());
        command.args(["-p", &house.at.port().to_string()]).args(arguments).arg(house.at.ip().to_string());
        let output = command.stdin(Stdio::null()).output().unwrap();
        String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned()
    }

    #[tokio::test]
    async fn sipvicious_finds_neither_the_gateway_nor_its_users_nor_a_password() {
        let house = SipHouse::build().await;
        let boss = house.house.bootstrap();
        let path = format!("/admin/agents/{}", house.ada().get("/me").await.body["agent"]["id"].as_str().unwrap());
        let account = serde_json::json!({ "sip_username": "101", "sip_password": "000000000103" });
        assert_eq!(boss.patch(&path, account).await.status, 200);
        for (tool, arguments) in [
            ("sipvicious_svmap", &[][..]),
            ("sipvicious_svwar", &["-e", "100-105"]),
            ("sipvicious_svwar", &["-e", "100-105", "-m", "OPTIONS"]),
            ("sipvicious_svcrack", &["-u", "101", "-r", "100-110", "-z", "12"]),
        ] {
            let said = attack(&house, tool, arguments);
            assert!(said.contains("found nothing") || said.contains("no server response"), "{tool}: {said}");
            assert!(!said.contains("reqauth") && !said.contains("noauth"), "{tool}: {said}");
        }
    }
}
