//! The sandbox, as a newcomer starts it.

use std::time::Duration;

use serde_json::Value;

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
