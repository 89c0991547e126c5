//! sipp plays Twilio: it shares no line of code with the gateway, and checks what it is sent.

use std::{
    path::PathBuf,
    process::{Child, Command, Stdio},
};

use tempfile::TempDir;

use super::*;

/// A run of sipp with one of the scenarios in `twilio/`.
struct Sipp {
    /// None: it has ended.
    child: Option<Child>,
    folder: TempDir,
}

impl Sipp {
    /// Calls a ticket's address: `sip:<ticket>@host:port`. What it hears as RTP it sends back.
    fn calls(address: &str, scenario: &str) -> Self {
        let (user, gateway) = address.strip_prefix("sip:").unwrap().split_once('@').unwrap();
        let folder = tempfile::tempdir().unwrap();
        let file: PathBuf = [env!("CARGO_MANIFEST_DIR"), "tests/e2e/sip/calls/twilio", scenario].iter().collect();
        let mut sipp = Command::new("sipp");
        sipp.current_dir(folder.path()).arg(gateway).arg("-sf").arg(file).args(["-s", user, "-m", "1", "-nostdin"]);
        sipp.args([
            "-i",
            "127.0.0.1",
            "-p",
            &free_ports(1).to_string(),
            "-mp",
            &free_ports(4).to_string(),
            "-rtp_echo",
        ]);
        sipp.args(["-recv_timeout", "20000", "-timeout", "60", "-trace_err", "-error_file", "errors"]);
        sipp.args(["-trace_msg", "-message_file", "messages"]);
        let child = sipp.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        Self { child: Some(child), folder }
    }

    /// Waits until the scenario has ended, which it does well only if all that it checks is so.
    async fn ends_well(mut self) {
        // It ends by itself, at the latest when its own time is up.
        let mut child = self.child.take().unwrap();
        let status = tokio::task::spawn_blocking(move || child.wait().unwrap()).await.unwrap();
        let read = |name: &str| std::fs::read_to_string(self.folder.path().join(name)).unwrap_or_default();
        assert!(status.success(), "{status}: {}\n{}", read("errors"), read("messages"));
    }
}

impl Drop for Sipp {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

impl CallHouse {
    /// Waits until Twilio is told to call the gateway; answers the address.
    async fn instructed(&self) -> String {
        let to_gateway = |leg: &&CallView| leg.to.starts_with("sip:") && leg.status == CallStatus::Ringing;
        let state = self.until(|state| state.calls.iter().any(|leg| to_gateway(&leg))).await;
        state.calls.iter().find(to_gateway).unwrap().to.clone()
    }
}

mod with_softphones {
    use super::*;
    use crate::sip::calls::pjsua::Pjsua;

    /// A customer's call up to the agent's answer and Twilio's INVITE, which sipp sends; the stand-in says that its leg is up.
    async fn answered(scenario: &str) -> (CallHouse, Pjsua, CustomerCall, String, Sipp) {
        let house = CallHouse::without_twilios_sip().await;
        let mut phone = Pjsua::registers(&house.0, &house.0.account().await).await;
        let call = house.customer_calls();
        phone.rings().await;
        phone.say("answer");
        let address = house.instructed().await;
        let sipp = Sipp::calls(&address, scenario);
        house.house().answers(&address).await;
        (house, phone, call, address, sipp)
    }

    /// What Twilio says of the leg follows what sipp does.
    async fn ends(house: &CallHouse, call: &CustomerCall, address: &str) {
        house.house().twilio.hang_up(address).unwrap();
        house.until_wrapped_up(call).await;
    }

    #[tokio::test]
    async fn the_agent_hangs_up_by_twilios_routes() {
        let (house, mut phone, call, address, sipp) = answered("agent-hangs-up.xml").await;
        // It hears itself: out by the relay to sipp, and back.
        phone.hears(AGENT).await;
        phone.say("hang-up");
        sipp.ends_well().await;
        ends(&house, &call, &address).await;
    }

    #[tokio::test]
    async fn twilio_holds_resumes_and_hangs_up() {
        let (house, mut phone, call, address, sipp) = answered("twilio-holds.xml").await;
        sipp.ends_well().await;
        assert_eq!(phone.is_over().await, 200);
        ends(&house, &call, &address).await;
    }

    #[tokio::test]
    async fn the_agents_hold_goes_by_twilios_routes() {
        let (house, mut phone, call, address, sipp) = answered("agent-holds.xml").await;
        phone.hears(AGENT).await;
        phone.say("hold");
        sipp.ends_well().await;
        assert_eq!(phone.is_over().await, 200);
        ends(&house, &call, &address).await;
    }

    #[tokio::test]
    async fn a_cancel_that_comes_after_the_answer_changes_nothing() {
        let (house, mut phone, call, address, sipp) = answered("late-cancel.xml").await;
        sipp.ends_well().await;
        assert_eq!(phone.is_over().await, 200);
        ends(&house, &call, &address).await;
    }

    #[tokio::test]
    async fn byes_that_cross_are_both_answered() {
        let (house, mut phone, call, address, sipp) = answered("byes-cross.xml").await;
        phone.hears(AGENT).await;
        phone.say("hang-up");
        sipp.ends_well().await;
        ends(&house, &call, &address).await;
    }

    #[tokio::test]
    async fn a_bye_that_comes_too_late_is_of_no_call() {
        let (house, mut phone, call, address, sipp) = answered("late-bye.xml").await;
        phone.hears(AGENT).await;
        phone.say("hang-up");
        sipp.ends_well().await;
        ends(&house, &call, &address).await;
    }

    #[tokio::test]
    async fn an_invite_without_a_ticket_is_refused() {
        let house = CallHouse::without_twilios_sip().await;
        Sipp::calls(&format!("sip:stranger@{}", house.0.at), "stranger.xml").ends_well().await;
    }
}
