//! The real process while agents sign in: it is killed at any moment, and what it leaves behind is searched for secrets.

use std::{fs, time::Duration};

use offdesk_sandbox::LogEntry;
use reqwest::Client;
use serde_json::{Value, json};

use crate::{
    cli::{daemon::Process, offdesk},
    house::client,
    kill::Place,
};

const LIMIT: Duration = Duration::from_secs(60);

impl Place {
    async fn posts(&self, client: &Client, path: &str, token: Option<&str>, body: &Value) -> reqwest::Result<Value> {
        let request = client.post(format!("http://{}/api/v1{path}", self.listen)).json(body);
        let request = match token {
            Some(token) => request.bearer_auth(token),
            None => request,
        };
        let text = request.send().await?.text().await?;
        Ok(serde_json::from_str(&text).unwrap_or_default())
    }

    /// Asks for a code; answers what is to be posted with it.
    async fn asks(&self, client: &Client, phone: &str) -> Value {
        let before = checks_or_sendings(&self.twilio.log(), "CreateVerification");
        let asked = self.posts(client, "/login/otp", None, &json!({ "phone": phone })).await.unwrap();
        let sent = |log: &[LogEntry]| checks_or_sendings(log, "CreateVerification") > before;
        self.twilio.wait_until_log(LIMIT, sent).await.unwrap();
        let code = self.twilio.last_code(phone).unwrap();
        json!({ "login_id": asked["login_id"], "phone": phone, "code": code, "device_name": "phone" })
    }

    /// What the API says of a token: nothing, if it is good.
    async fn code(&self, client: &Client, token: &str) -> String {
        let request = client.get(format!("http://{}/api/v1/me/sessions", self.listen)).bearer_auth(token);
        let answer: Value = request.send().await.unwrap().json().await.unwrap();
        answer["code"].as_str().unwrap_or_default().to_owned()
    }
}

fn checks_or_sendings(log: &[LogEntry], name: &str) -> usize {
    log.iter().filter(|entry| entry.name == name && entry.status.is_some()).count()
}

fn ends(daemon: Process, signal: &str) {
    daemon.signal(signal);
    daemon.end();
}

#[tokio::test]
async fn a_sign_in_that_is_killed_leaves_one_session_that_works_and_every_token_that_was_answered_known() {
    let place = Place::new(9).await;
    for (round, phone) in place.phones.iter().enumerate() {
        let daemon = place.daemon();
        let client = client();
        let body = place.asks(&client, phone).await;
        let first = place.posts(&client, "/login", None, &body).await.unwrap()["token"].as_str().unwrap().to_owned();
        let body = place.asks(&client, phone).await;
        let before = checks_or_sendings(&place.twilio.log(), "CreateVerificationCheck");
        let mut login = Box::pin(place.posts(&client, "/login", None, &body));
        let mut answered = None;
        if round % 3 == 0 {
            // It is answered first.
            answered = Some(login.as_mut().await);
        } else {
            // The code was right: from here on something may be on disk.
            let checked = |log: &[LogEntry]| checks_or_sendings(log, "CreateVerificationCheck") > before;
            tokio::select! {
                done = &mut login => answered = Some(done),
                checked = place.twilio.wait_until_log(LIMIT, checked) => drop(checked.unwrap()),
            }
        }
        ends(daemon, "KILL");
        let answered = match answered {
            Some(done) => done,
            None => login.await,
        };
        let second = answered.ok().and_then(|answer| answer["token"].as_str().map(str::to_owned));

        let daemon = place.daemon();
        let client = self::client();
        let first = place.code(&client, &first).await;
        match second {
            Some(second) => {
                assert_eq!(place.code(&client, &second).await, "", "round {round}: an answered token is unknown");
                assert_eq!(first, "superseded", "round {round}");
            }
            None => assert!(["", "superseded"].contains(&first.as_str()), "round {round}: {first}"),
        }
        ends(daemon, "KILL");
    }
}

/// Whether a number stands there that is no part of a longer one.
fn holds_number(text: &str, number: &str) -> bool {
    text.match_indices(number).any(|(at, _)| {
        let before = text[..at].chars().next_back();
        let after = text[at + number.len()..].chars().next();
        !before.is_some_and(|letter| letter.is_ascii_alphanumeric())
            && !after.is_some_and(|letter| letter.is_ascii_alphanumeric())
    })
}

#[tokio::test]
async fn neither_the_store_nor_the_log_at_its_finest_holds_a_token_a_code_or_a_number() {
    let place = Place::new(1).await;
    let (daemon, client, phone) = (place.daemon(), client(), &place.phones[0]);
    let mut body = place.asks(&client, phone).await;
    let (login_id, code) = (body["login_id"].as_str().unwrap().to_owned(), body["code"].as_str().unwrap().to_owned());
    // What is written of it is written behind its answer, and before what follows.
    place.posts(&client, "/login/otp", None, &json!({ "phone": "+12025550199" })).await.unwrap();
    body["code"] = json!("987650");
    assert_eq!(place.posts(&client, "/login", None, &body).await.unwrap()["code"], "bad_code");
    body["code"] = json!(code);
    let token = |answer: Value| answer["token"].as_str().unwrap().to_owned();
    let first = token(place.posts(&client, "/login", None, &body).await.unwrap());
    let second = token(place.posts(&client, "/login/refresh", Some(&first), &json!({})).await.unwrap());
    assert_eq!(place.code(&client, &second).await, "");
    assert_eq!(place.code(&client, &first).await, "no_session", "it was rotated out");
    ends(daemon, "TERM");

    let (file, config) = (place.folder.path().join("dump"), place.folder.path().join("offdesk.toml"));
    let backup = ["backup", file.to_str().unwrap(), "--config", config.to_str().unwrap()];
    assert!(offdesk(&backup).output().unwrap().status.success());
    let (dump, log) = (fs::read_to_string(file).unwrap(), place.log());
    assert!(dump.contains("session_refreshed") && log.contains("a session is over"), "{dump}\n{log}");
    for secret in [&first, &second, &login_id] {
        assert!(!dump.contains(secret.as_str()) && !log.contains(secret.as_str()));
    }
    for code in [code.as_str(), "987650"] {
        assert!(!holds_number(&dump, code) && !holds_number(&log, code), "{code}");
    }
    let digits = phone.trim_start_matches('+');
    assert!(!log.contains(digits) && !log.contains("12025550199"));
    let audit = dump.lines().filter(|line| line.contains("code_requested") || line.contains("logged_in"));
    assert!(audit.clone().count() >= 4);
    assert!(audit.clone().all(|line| !line.contains(digits) && !line.contains("12025550199")));
}
