//! baresip, with an instance (RFC 5626) of its own in its folder.

use std::{
    fs,
    io::{BufRead, BufReader},
    net::SocketAddr,
    process::Command,
};

use serde_json::Value;
use tempfile::TempDir;

use super::Running;
use crate::sip::{SipHouse, text};

/// A folder with an account, from which a baresip can be started again.
pub(in crate::sip) struct Baresip(TempDir);

const CONFIG: &str = "\
poll_method epoll
net_interface 127.0.0.1
sip_listen 127.0.0.1:0
module_path /usr/lib/baresip/modules
module stdio.so
module g711.so
module uuid.so
module_tmp account.so
module_app menu.so
";

impl Baresip {
    fn new(account: &Value, at: SocketAddr, transport: &str, expires: u32) -> Self {
        Self::with(account, at, transport, expires, ("", ""))
    }

    /// `more`: parameters of the account, and lines of the configuration. `FOLDER` in them is its own.
    pub(in crate::sip) fn with(
        account: &Value,
        at: SocketAddr,
        transport: &str,
        expires: u32,
        more: (&str, &str),
    ) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (user, password) = (text(account, "username"), text(account, "password"));
        let account = format!(
            "<sip:{user}@{domain};transport={transport}>;outbound=\"sip:{at};transport={transport}\";auth_user={user};\
             auth_pass={password};regint={expires}{}\n",
            more.0,
            domain = at.ip(),
        );
        let config = format!("{CONFIG}{}", more.1.replace("FOLDER", folder.path().to_str().unwrap()));
        fs::write(folder.path().join("config"), config).unwrap();
        fs::write(folder.path().join("accounts"), account).unwrap();
        fs::write(folder.path().join("contacts"), "").unwrap();
        Self(folder)
    }

    pub(in crate::sip) fn path(&self) -> &std::path::Path {
        self.0.path()
    }

    fn start(&self) -> Running {
        self.start_with(|_| {})
    }

    /// `hears`: what it says, line by line, on a thread of its own.
    pub(in crate::sip) fn start_with(&self, hears: impl FnMut(String) + Send + 'static) -> Running {
        let mut phone = Running::start(Command::new("baresip").arg("-f").arg(self.0.path()));
        // Somebody has to read it.
        let said = BufReader::new(phone.0.stdout.take().unwrap());
        std::thread::spawn(move || said.lines().map_while(Result::ok).for_each(hears));
        phone
    }
}

mod with_softphones {
    use super::*;

    async fn baresip_registers_and_unregisters(transport: &str) {
        let house = SipHouse::build().await;
        let at = if transport == "tls" { house.tls } else { house.at };
        let baresip = Baresip::new(&house.account().await, at, transport, 60);
        let mut phone = baresip.start();
        let phones = house.until(|phones| phones.len() == 1).await;
        assert_eq!((&phones[0]["transport"], &phones[0]["state"]), (&transport.into(), &"registered".into()));
        phone.say("/quit");
        house.until(<[Value]>::is_empty).await;
    }

    #[tokio::test]
    async fn baresip_registers_and_unregisters_over_udp() {
        baresip_registers_and_unregisters("udp").await;
    }

    #[tokio::test]
    async fn baresip_registers_and_unregisters_over_tcp() {
        baresip_registers_and_unregisters("tcp").await;
    }

    #[tokio::test]
    async fn baresip_registers_and_unregisters_over_tls() {
        baresip_registers_and_unregisters("tls").await;
    }

    #[tokio::test]
    async fn a_baresip_that_moves_to_another_port_is_the_same_phone() {
        let house = SipHouse::build().await;
        let baresip = Baresip::new(&house.account().await, house.at, "udp", 60);
        let phone = baresip.start();
        let first = house.until(|phones| phones.len() == 1).await;
        drop(phone);
        let _phone = baresip.start();
        let second = house.until(|phones| phones[0]["address"] != first[0]["address"]).await;
        assert_eq!(second.len(), 1, "its old binding is replaced");
    }

    #[tokio::test]
    async fn baresip_goes_on_after_the_gateway_has_started_again() {
        let mut house = SipHouse::build().await;
        let baresip = Baresip::new(&house.account().await, house.at, "udp", 4);
        let _phone = baresip.start();
        let first = house.until(|phones| phones.len() == 1).await;
        house.until(|phones| phones.len() == 1 && phones[0]["expires_at"] != first[0]["expires_at"]).await;
        house.house.restart().await;
        house.until(|phones| phones.len() == 1 && phones[0]["state"] == "registered").await;
    }
}
