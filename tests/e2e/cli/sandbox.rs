//! The sandbox, as a newcomer starts it.

use std::time::Duration;

use serde_json::{Value, json};

use super::{daemon::Process, offdesk};
use crate::house::client;

const LIMIT: Duration = Duration::from_secs(60);

/// The address on the next line that begins so.
fn address(process: &mut Process, name: &str) -> String {
    loop {
        let line = process.line();
        assert_ne!(line, "", "the sandbox has ended");
        if line.trim_start().starts_with(name) {
            return line.split_whitespace().find(|word| word.starts_with("http://")).unwrap().to_owned();
        }
    }
}

async fn state(client: &reqwest::Client, twilio: &str) -> Value {
    client.get(format!("{twilio}/sandbox/state")).send().await.unwrap().json().await.unwrap()
}

/// Asks the stand-in until its state is so.
async fn wait_for(client: &reqwest::Client, twilio: &str, so: impl Fn(&Value) -> bool) -> Value {
    let asking = async {
        loop {
            let state = state(client, twilio).await;
            if so(&state) {
                return state;
            }
        }
    };
    tokio::time::timeout(LIMIT, asking).await.unwrap()
}

fn ringing(state: &Value) -> Option<&str> {
    let phones = state["phones"].as_array()?.iter();
    phones.filter(|phone| !phone["call_sid"].is_null()).find_map(|phone| phone["address"].as_str())
}

#[tokio::test]
async fn one_command_rings_an_agent_and_completes_the_task() {
    let client = client();
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let args = ["sandbox", "--port", "0", "--seed-tasks", "1", "--data", data.to_str().unwrap()];
    let mut process = Process::start(&mut offdesk(&args));
    assert!(address(&mut process, "App:").starts_with("http://127.0.0.1:"));
    let twilio = &address(&mut process, "Twilio's stand-in:");

    let state = wait_for(&client, twilio, |state| ringing(state).is_some()).await;
    let phone = ringing(&state).unwrap().replace('+', "%2B");
    for act in ["answer", "hang-up"] {
        let url = format!("{twilio}/sandbox/phones/{phone}/{act}");
        assert!(client.post(url).json(&serde_json::json!({})).send().await.unwrap().status().is_success());
    }
    wait_for(&client, twilio, |state| state["tasks"][0]["status"] == "completed").await;
    process.signal("INT");
    assert_eq!(process.end().0, Some(0));
    assert!(super::exists(&data.join("store")));
}

/// What follows on the next line that begins so, divided at commas.
fn named(process: &mut Process, name: &str) -> Vec<String> {
    loop {
        let line = process.line();
        assert_ne!(line, "", "the sandbox has ended");
        if let Some(rest) = line.trim_start().strip_prefix(name) {
            return rest.trim().split(", ").map(str::to_owned).collect();
        }
    }
}

mod with_softphones {
    use super::{
        super::{daemon::Process, offdesk},
        *,
    };
    use crate::sip::calls::pjsua::{Pjsua, now};

    /// Target: customer and agent hear each other within 1.5 s of the agent's answer, with a Twilio that answers in 1 s. The
    /// machine that tests has other work to do: it is given a second more.
    #[tokio::test]
    async fn a_softphone_with_a_printed_account_rings_and_the_customer_hears_it() {
        let client = client();
        let mut process = Process::start(&mut offdesk(&["sandbox", "--port", "0"]));
        let twilio = address(&mut process, "Twilio's stand-in:");
        let account = named(&mut process, "SIP: ");
        let mut phone = Pjsua::start([&account[0], &account[1], &account[3]], "", 60).await;
        let post = async |path: &str, body: Value| {
            let answer = client.post(format!("{twilio}/sandbox/{path}")).json(&body).send().await.unwrap();
            assert!(answer.status().is_success(), "{path}");
        };
        post("calls", json!({})).await;
        phone.rings().await;
        post("faults", json!({ "act": { "do": "delay", "ms": 1000 } })).await;
        let answered = now();
        phone.say("answer");
        let agent = phone.hears(660).await - answered;
        wait_for(&client, &twilio, |state| sounds(state).any(|sound| sound["hears_hz"] == 880)).await;
        let customer = now() - answered;
        println!("with a Twilio that takes 1 s, the agent hears in {agent:.3} s, the customer in {customer:.3} s");
        assert!(agent < 2.5 && customer < 2.5, "{agent} {customer}");
        phone.say("hang-up");
        phone.is_over().await;
        wait_for(&client, &twilio, |state| state["tasks"][0]["status"] == "completed").await;
        process.signal("INT");
        assert_eq!(process.end().0, Some(0));
    }

    fn sounds(state: &Value) -> impl Iterator<Item = &Value> {
        state["calls"].as_array().into_iter().flatten().map(|leg| &leg["sound"])
    }
}

/// A real browser, and a person's way through the page.
mod with_node {
    mod with_browser {
        use super::super::super::{daemon::Process, offdesk};
        use crate::counterparts;

        #[test]
        fn a_person_chats_and_calls_at_the_page_and_anybody_can_use_it() {
            let mut process = Process::start(&mut offdesk(&["sandbox", "--port", "0"]));
            let twilio = super::super::address(&mut process, "Twilio's stand-in:");
            let options = offdesk_sandbox::Options::default();
            let mut person = counterparts::node("sandbox-page.mjs");
            person.args([&twilio, &options.account_sid, &options.auth_token]);
            person.env("OFFDESK_CHROMIUM", counterparts::setting("OFFDESK_CHROMIUM"));
            let ended = person.output().unwrap();
            assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
            process.signal("INT");
            assert_eq!(process.end().0, Some(0));
        }

        mod with_softphones {
            use super::*;
            use crate::sip::calls::pjsua::Pjsua;

            #[tokio::test]
            async fn a_person_sees_what_the_customer_says_and_hears() {
                let mut process = Process::start(&mut offdesk(&["sandbox", "--port", "0"]));
                let twilio = super::super::super::address(&mut process, "Twilio's stand-in:");
                let account = super::super::super::named(&mut process, "SIP: ");
                let mut phone = Pjsua::start([&account[0], &account[1], &account[3]], "", 60).await;
                let mut person = counterparts::node("sandbox-sound.mjs");
                person.arg(&twilio).env("OFFDESK_CHROMIUM", counterparts::setting("OFFDESK_CHROMIUM"));
                let watching = tokio::task::spawn_blocking(move || person.output().unwrap());
                phone.rings().await;
                phone.say("answer");
                let ended = watching.await.unwrap();
                assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
                phone.is_over().await;
                process.signal("INT");
                assert_eq!(process.end().0, Some(0));
            }
        }

        #[test]
        fn a_person_presses_1_on_the_pages_phone_and_has_the_customer() {
            let mut process = Process::start(&mut offdesk(&["sandbox", "--port", "0", "--press-1"]));
            let twilio = super::super::address(&mut process, "Twilio's stand-in:");
            let options = offdesk_sandbox::Options::default();
            let mut person = counterparts::node("sandbox-page.mjs");
            person.args([&twilio, &options.account_sid, &options.auth_token, "press-1"]);
            person.env("OFFDESK_CHROMIUM", counterparts::setting("OFFDESK_CHROMIUM"));
            let ended = person.output().unwrap();
            assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
            process.signal("INT");
            assert_eq!(process.end().0, Some(0));
        }

        #[test]
        fn a_browser_shows_what_is_pushed_once_and_takes_it_away() {
            let mut process = Process::start(&mut offdesk(&["sandbox", "--port", "0"]));
            let app = super::super::address(&mut process, "App:");
            let twilio = super::super::address(&mut process, "Twilio's stand-in:");
            let mut browser = counterparts::node("app-pushes.mjs");
            browser.args([app.trim_end_matches('/'), &twilio]);
            browser.env("OFFDESK_CHROMIUM", counterparts::setting("OFFDESK_CHROMIUM"));
            let ended = browser.output().unwrap();
            assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
            process.signal("INT");
            assert_eq!(process.end().0, Some(0));
        }
    }
}
