//! `offdesk doctor`: a healthy install, and faults that are planted in it one by one.

use std::{fs, os::unix::fs::PermissionsExt, path::Path, sync::Arc};

use offdesk_sandbox::{Operation, Options, RestFault, Time};
use serde_json::Value;

use super::{
    Ended,
    backups::{damage, is_moved_aside},
    daemon::Process,
    managing::TOKEN,
    setup::Install,
};
use crate::house::{BOB, MOBILE, client};

const SECOND_AGENT: &str = "+4915550101002";

/// An install that nothing is wrong with, and its daemon.
struct Healthy {
    install: Install,
    daemon: Process,
}

impl Healthy {
    fn at(options: Options) -> Self {
        let install = Install::at(options);
        let file = install.machine.path("offdesk.toml");
        let token = install.machine.write("token", TOKEN);
        let text = fs::read_to_string(&file).unwrap();
        fs::write(&file, format!("{text}\n[admin]\nbootstrap_token_file = {token:?}\n")).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
        install.good(&[]);
        install.machine.good(&["agent", "import", "--from-taskrouter"]);
        let daemon = serve(&install, &[]);
        Self { install, daemon }
    }

    fn doctor(&self, env: &[(&str, &str)]) -> Ended {
        let mut command = self.install.machine.command(&["doctor", "--json"]);
        for (key, value) in env {
            command.env(format!("OFFDESK__{key}"), value);
        }
        command.output().unwrap().into()
    }

    /// What is found with these settings changed.
    fn findings(&self, env: &[(&str, &str)]) -> Vec<Value> {
        let ended = self.doctor(env);
        let found: Vec<Value> =
            serde_json::from_str(&ended.out).unwrap_or_else(|_| panic!("{}{}", ended.out, ended.err));
        let failed = found.iter().any(|finding| finding["level"] == "fail");
        assert_eq!(ended.code, i32::from(failed), "{}{}", ended.out, ended.err);
        found
    }

    /// Asserts that a check finds this, and that the cure has these words.
    #[track_caller]
    fn finds(&self, env: &[(&str, &str)], level: &str, check: &str, what: &str, cure: &str) {
        let found = self.findings(env);
        let text = |finding: &Value, key: &str| finding[key].as_str().unwrap_or_default().to_owned();
        let hit = found.iter().any(|finding| {
            text(finding, "level") == level
                && text(finding, "check") == check
                && text(finding, "what").contains(what)
                && text(finding, "cure").contains(cure)
        });
        assert!(hit, "{level} {check}: {what} ({cure}) is not in {found:#?}");
    }

    /// Somebody else changes something at Twilio.
    async fn at_twilio(&self, path: &str, form: &[(&str, &str)]) {
        let facts = self.install.twilio.facts();
        let url = format!("{}/{path}", self.install.twilio.url());
        let sent = client().post(url).basic_auth(&facts.account_sid, Some(&facts.auth_token)).form(form).send().await;
        assert!(sent.unwrap().status().is_success());
    }
}

fn serve(install: &Install, env: &[(&str, String)]) -> Process {
    let mut command = install.machine.command(&["serve"]);
    for (key, value) in env {
        command.env(format!("OFFDESK__{key}"), value);
    }
    let mut daemon = Process::start(&mut command);
    assert!(daemon.line().contains("\"ready\":true"));
    daemon
}

#[test]
fn a_healthy_install_has_a_line_a_check_and_no_failure() {
    for options in [Options::fresh(), Options::owned_by_others()] {
        let healthy = Healthy::at(options);
        let found = healthy.findings(&[]);
        let not_ok: Vec<_> = found.iter().filter(|finding| finding["level"] != "ok").collect();
        // It listens on this machine alone, as tests do.
        assert!(not_ok.len() == 1 && not_ok[0]["check"] == "public url", "{not_ok:#?}");
        let told = healthy.install.machine.good(&["doctor"]);
        assert!(told.contains("ok    events       TaskRouter events come\n"), "{told}");
        assert!(told.contains(" cure: set public_url"), "{told}");
        assert!(!told.contains(&healthy.install.twilio.facts().auth_token), "{told}");
    }
}

#[test]
fn faults_in_the_configuration_are_found_with_their_cure() {
    let healthy =
        Healthy::at(Options { api_key: Some((format!("SK{:032}", 1), "secret".to_owned())), ..Options::fresh() });
    let twilio = healthy.install.twilio.url();
    let other_account = format!("AC{:032}", 9);
    let (key_sid, workspace) = (format!("SK{:032}", 1), format!("WS{:032}", 9));
    let credentials = "auth_token, or the API key, to those of one account";
    for (env, level, check, what, cure) in [
        (vec![("TWILIO__AUTH_TOKEN", "other")], "fail", "account", "HTTP 401", credentials),
        (vec![("TWILIO__ACCOUNT_SID", &*other_account)], "fail", "account", "HTTP 401", credentials),
        (
            vec![("TWILIO__WORKSPACE_SID", &workspace)],
            "fail",
            "workspace",
            "another account's",
            "set twilio.workspace_sid",
        ),
        (
            vec![
                ("TWILIO__AUTH_TOKEN", "other"),
                ("TWILIO__API_KEY_SID", &key_sid),
                ("TWILIO__API_KEY_SECRET", "secret"),
            ],
            "fail",
            "auth token",
            "HTTP 401",
            "without it every webhook is refused",
        ),
        (vec![("PUBLIC_URL", "nonsense")], "fail", "config", "public_url", "set it right in"),
        (
            vec![("PUBLIC_URL", "http://127.0.0.1:1")],
            "fail",
            "public url",
            "cannot be reached",
            "the reverse proxy runs",
        ),
        (vec![("PUBLIC_URL", &twilio)], "fail", "public url", "something else answers there (HTTP 4", "http.listen"),
        (vec![("PUBLIC_URL", "https://gw.example.invalid")], "warn", "config", "count as one", "http.trusted_proxies"),
        (
            vec![("HTTP__ADMIN_LISTEN", "127.0.0.1:1")],
            "fail",
            "daemon",
            "nothing of Offdesk's answers",
            "systemctl start",
        ),
    ] {
        healthy.finds(&env, level, check, what, cure);
    }
}

#[test]
fn faults_in_what_is_asked_of_twilio_are_found_with_their_cure() {
    let healthy = Healthy::at(Options::fresh());
    let sid = format!("VA{:032}", 9);
    let nonsense = healthy.install.machine.write("nonsense.pem", "nonsense");
    let lunch = r#"["Available on Mobile", "Break", "Offline", "Lunch"]"#;
    let swapped = r#"["Unavailable", "Offline"]"#;
    for (env, level, check, what, cure) in [
        (vec![("TWILIO__INTAKE", "event-streams")], "fail", "events", "no Event Streams sink", "offdesk setup"),
        (vec![("SIP__DOMAIN", "10.0.0.5")], "fail", "sip", "which nobody outside can reach", "sip.advertised_address"),
        (
            vec![("SIP__DOMAIN", "sip.example.com"), ("SIP__UDP", "127.0.0.1:0")],
            "fail",
            "sip",
            "nothing listens at UDP",
            "restart the daemon",
        ),
        (
            vec![("SIP__DOMAIN", "sip.example.com"), ("SIP__UDP", "127.0.0.1:0")],
            "fail",
            "sip",
            "told to send audio to 127.0.0.1",
            "sip.advertised_address",
        ),
        (
            vec![("SIP__DOMAIN", "192.0.2.1"), ("SIP__UDP", ""), ("SIP__MEDIA__PORTS", "1024-65535")],
            "warn",
            "sip",
            "other programs of this machine may take ports",
            "ip_local_reserved_ports=1024-65535",
        ),
        (vec![("CALLS__RECORD", "always")], "warn", "recording", "and here each is", "calls.record"),
        (vec![("TWILIO__AGENT_ACTIVITIES", lunch)], "fail", "activities", "none called \"Lunch\"", "offdesk setup"),
        (
            vec![("TWILIO__AGENT_ACTIVITIES", swapped), ("TWILIO__MOBILE_ACTIVITY", "Unavailable")],
            "fail",
            "activities",
            "\"Unavailable\" takes no tasks",
            "another name",
        ),
        (vec![("TWILIO__CALLER_ID", "+15550199")], "fail", "caller id", "no number of the account", "console lists"),
        (vec![("TWILIO__VERIFY_SERVICE_SID", &sid)], "fail", "verify", "nobody can sign in", "and run offdesk setup"),
        (vec![("TWILIO__VERIFY_SERVICE_SID", "")], "fail", "verify", "is empty", "run offdesk setup"),
        (vec![("PUSH__WEB__VAPID_PRIVATE_KEY_FILE", &nonsense)], "fail", "web push", "no P-256", "back from a copy"),
        (
            vec![("PUSH__WEB__VAPID_PRIVATE_KEY_FILE", "/x.pem")],
            "warn",
            "web push",
            "no key at /x.pem",
            "offdesk setup",
        ),
        (vec![("ADMIN__BOOTSTRAP_TOKEN", "wrong")], "warn", "agents", "does not take this", "bootstrap_token_file"),
    ] {
        healthy.finds(&env, level, check, what, cure);
    }
    let file = healthy.install.machine.path("offdesk.toml");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
    healthy.finds(&[], "warn", "config", "everybody may read it", "chmod o-r");
}

#[tokio::test]
async fn faults_at_twilio_are_found_with_their_cure() {
    let healthy = Healthy::at(Options::fresh());
    let twilio = &healthy.install.twilio;
    let workspace = format!("taskrouter/v1/Workspaces/{}", twilio.facts().workspace_sid);
    healthy.at_twilio(&workspace, &[("EventsFilter", "reservation.created")]).await;
    healthy.finds(
        &[],
        "fail",
        "events",
        "TaskRouter events come without reservation.accepted",
        "adds these to the filter",
    );
    healthy.at_twilio(&workspace, &[("EventCallbackUrl", "")]).await;
    healthy.finds(&[], "fail", "events", "TaskRouter events go nowhere", "run offdesk setup");
    healthy.at_twilio(&workspace, &[("EventCallbackUrl", "https://user:hunter2@crm.example.org/x")]).await;
    healthy.finds(&[], "fail", "events", "another system, at crm.example.org, and", "adds an Event Streams sink");
    assert!(!healthy.doctor(&[]).out.contains("hunter2"));
    let service = format!("conversations/v1/Services/{}/Configuration/Webhooks", twilio.facts().chat_service_sid);
    healthy.at_twilio(&service, &[("Filters", "onMessageAdded")]).await;
    healthy.finds(
        &[],
        "fail",
        "events",
        "Conversations events come without onParticipantAdded",
        "adds these to the filter",
    );
    twilio.fault(RestFault::fail(Operation::ListWorkflow, 1, 403, 20403));
    healthy.finds(&[], "fail", "workflows", "HTTP 403", "an API key that may");
    twilio.set_activity(BOB, MOBILE).unwrap();
    healthy.install.machine.good(&["agent", "remove", SECOND_AGENT]);
    healthy.finds(
        &[],
        "fail",
        "agents",
        "1 workers are \"Available on Mobile\" and no agents here",
        "import --from-taskrouter",
    );
    healthy.install.machine.good(&["agent", "add", "--phone", "+4915112345678", "--name", "Anna"]);
    healthy.finds(&[], "warn", "agents", "1 without a worker", "--worker-sid");
}

#[test]
fn an_account_that_does_not_suit_is_told() {
    let activities =
        vec![("Logged out".to_owned(), false), ("Offline".to_owned(), false), ("Available".to_owned(), true)];
    let healthy = Healthy::at(Options { reservation_timeout_s: 20, activities, ..Options::owned_by_others() });
    healthy.finds(&[], "fail", "workflows", "end after 20 s", "30 s or more");
    let asks = [("CALLS__CONFIRM", "press-1")];
    healthy.finds(&asks, "fail", "workflows", "end after 20 s", "45 s or more");
    healthy.finds(&[], "warn", "logout", "Flex's logout activity is \"Logged out\"", "set twilio.offline_activity");
    healthy.install.twilio.fail_sinks();
    healthy.finds(&[], "fail", "events", "a sink that Twilio has given up", "makes a new sink");
    healthy.install.good(&[]);
    let found = healthy.findings(&[]);
    assert!(found.iter().all(|finding| finding["check"] != "events" || finding["level"] == "ok"), "{found:#?}");
}

#[test]
fn a_public_url_that_leads_to_another_daemon_or_is_not_trusted_is_told_apart() {
    let healthy = Healthy::at(Options::fresh());
    let other = Healthy::at(Options::fresh());
    let url = format!("http://{}", other.install.listen);
    healthy.finds(&[("PUBLIC_URL", &url)], "fail", "public url", "another daemon of Offdesk's", "lead to this one");
    let key = other.install.machine.path("data/vapid.pem").display().to_string();
    let env = [("PUSH__WEB__VAPID_PRIVATE_KEY_FILE", &*key)];
    healthy.finds(
        &env,
        "fail",
        "web push",
        "is not the one that browsers have subscribed with",
        "the earlier key back",
    );

    let Healthy { install, daemon } = other;
    daemon.signal("TERM");
    assert_eq!(daemon.end().0, Some(0));
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/e2e/cli/tls");
    let file = |name: &str| folder.join(name).display().to_string();
    let tls = [
        ("HTTP__TLS__MODE", "files".to_owned()),
        ("HTTP__TLS__CERT", file("cert.pem")),
        ("HTTP__TLS__KEY", file("key.pem")),
    ];
    let _daemon = serve(&install, &tls);
    let url = format!("https://{}", install.listen);
    healthy.finds(
        &[("PUBLIC_URL", &url)],
        "fail",
        "public url",
        "certificate is not trusted",
        "the intermediates included",
    );
}

#[test]
fn a_damaged_store_is_a_fault_and_stays_where_it_is() {
    let Healthy { install, daemon } = Healthy::at(Options::fresh());
    daemon.signal("TERM");
    assert_eq!(daemon.end().0, Some(0));
    damage(&install.machine.path("data/store"));
    let ended = install.machine.run(&["doctor", "--json"]);
    let found: Vec<Value> = serde_json::from_str(&ended.out).unwrap();
    let of_agents = found.iter().find(|finding| finding["check"] == "agents").unwrap();
    assert_eq!((ended.code, &of_agents["level"]), (1, &"fail".into()), "{}", ended.out);
    assert!(of_agents["what"].as_str().unwrap().contains("it is damaged"), "{of_agents}");
    assert!(of_agents["cure"].as_str().unwrap().contains("offdesk restore"), "{of_agents}");
    assert!(!is_moved_aside(&install.machine.path("data")));
}

#[test]
fn an_fcm_project_that_takes_nothing_is_told() {
    let healthy = Healthy::at(Options::fresh());
    let endpoint = format!("{}/fcm", healthy.install.twilio.url());
    let account = healthy.install.twilio.service_account().unwrap();
    let good = healthy.install.machine.write("good.json", &account);
    let told = healthy.findings(&[("PUSH__FCM__SERVICE_ACCOUNT_FILE", &good), ("PUSH__FCM__ENDPOINT", &endpoint)]);
    assert!(told.iter().any(|finding| finding["check"] == "fcm" && finding["level"] == "ok"), "{told:#?}");
    let mut other: Value = serde_json::from_str(&account).unwrap();
    other["client_email"] = "somebody@else.example".into();
    let other = healthy.install.machine.write("other.json", &other.to_string());
    let env = [("PUSH__FCM__SERVICE_ACCOUNT_FILE", &*other), ("PUSH__FCM__ENDPOINT", &endpoint)];
    healthy.finds(&env, "fail", "fcm", "does not take a message", "Firebase console");
}

/// Twilio's clock, as a machine sees it that is two minutes late.
struct Ahead;

impl Time for Ahead {
    fn now_ms(&self) -> u64 {
        offdesk_sandbox::SystemTime.now_ms() + 120_000
    }

    fn sleep_until(&self, ms: u64) -> std::pin::Pin<Box<dyn Future<Output = ()> + Send>> {
        offdesk_sandbox::SystemTime.sleep_until(ms - 120_000)
    }
}

#[test]
fn a_clock_that_is_off_is_told() {
    let healthy = Healthy::at(Options { time: Arc::new(Ahead), ..Options::fresh() });
    healthy.finds(&[], "fail", "clock", "s off", "timedatectl set-ntp true");
}

#[tokio::test]
async fn the_self_test_answers_only_to_what_is_signed() {
    let healthy = Healthy::at(Options::fresh());
    let url = format!("http://{}/webhooks/self-test", healthy.install.listen);
    let token = healthy.install.twilio.facts().auth_token.clone();
    let post = |signature: String, body: &'static str| {
        client()
            .post(&url)
            .header("x-twilio-signature", signature)
            .header("content-type", "application/x-www-form-urlencoded")
            .body(body)
            .send()
    };
    let signed = |params: &[(&str, &str)]| {
        let params: Vec<_> = params.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        offdesk_sandbox::sign(&token, &url, &params)
    };
    let answer: Value = post(signed(&[("nonce", "n1")]), "nonce=n1").await.unwrap().json().await.unwrap();
    assert_eq!((&answer["nonce"], answer["instance"].as_str().unwrap().len()), (&"n1".into(), 32));
    for (signature, body, status) in [
        (signed(&[("nonce", "n1")]), "nonce=n2", 403),
        (String::new(), "nonce=n1", 403),
        (signed(&[("nonce", "")]), "nonce=", 400),
        (signed(&[]), "", 400),
    ] {
        assert_eq!(post(signature, body).await.unwrap().status(), status, "{body}");
    }
    assert_eq!(client().get(&url).send().await.unwrap().status(), 405);
    drop(healthy.daemon);
}
