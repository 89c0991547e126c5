//! `offdesk setup` at the stand-in for Twilio, which plays accounts of every kind.

use std::{fs, net::SocketAddr, time::Duration};

use offdesk_sandbox::{Handle, Operation, Options, RestAct, RestFault, Sandbox, TaskStatus};
use serde_json::{Value, json};

use super::{Ended, Machine, daemon::Process, offdesk};
use crate::{
    house::{ADA, CUSTOMER, MOBILE, client, free_address},
    record,
};

const LIMIT: Duration = Duration::from_secs(60);

/// A machine with a fresh install, and an account at Twilio.
pub(super) struct Install {
    pub(super) machine: Machine,
    pub(super) twilio: Handle,
    pub(super) listen: SocketAddr,
}

impl Install {
    pub(super) fn at(options: Options) -> Self {
        let (machine, listen) = (Machine::new(), free_address());
        let twilio = Sandbox::start(Options { seed: 7, ..options }).unwrap();
        let install = Self { machine, twilio, listen };
        install.machine.write("offdesk.toml", &install.config(&install.machine.path("data").display().to_string()));
        install
    }

    /// The least that an operator writes.
    fn config(&self, data: &str) -> String {
        let (facts, url, listen) = (self.twilio.facts(), self.twilio.url(), self.listen);
        let endpoints: String = ["api", "taskrouter", "conversations", "flex", "verify", "media", "events", "sync"]
            .map(|name| format!("{name} = \"{url}/{name}\"\n"))
            .concat();
        format!(
            "public_url = \"http://{listen}\"\ndata_dir = {data:?}\n\n[http]\nlisten = \"{listen}\"\nadmin_listen = \
             \"{}\"\n\n[twilio]\naccount_sid = \"{}\"\nauth_token = \"{}\"\ncaller_id = \"+15550100\"\n\n\
             [twilio.endpoints]\n{endpoints}",
            free_address(),
            facts.account_sid,
            facts.auth_token,
        )
    }

    pub(super) fn setup(&self, more: &[&str]) -> Ended {
        self.machine.run(&[&["setup"], more].concat())
    }

    #[track_caller]
    pub(super) fn good(&self, more: &[&str]) -> String {
        self.machine.good(&[&["setup"], more].concat())
    }

    /// What Twilio answers; with a form it is changed.
    fn ask(&self, path: &str, form: Option<&[(&str, &str)]>) -> Value {
        let (facts, url) = (self.twilio.facts(), format!("{}/{path}", self.twilio.url()));
        let request = match form {
            Some(form) => client().post(url).form(form),
            None => client().get(url),
        };
        let request = request.basic_auth(&facts.account_sid, Some(&facts.auth_token));
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async { request.send().await.unwrap().json().await.unwrap() })
        })
        .join()
        .unwrap()
    }

    /// What the account is set up with, as Twilio tells it.
    fn account(&self) -> Value {
        let facts = self.twilio.facts();
        let get = |path: String| self.ask(&path, None);
        let workspace = format!("taskrouter/v1/Workspaces/{}", facts.workspace_sid);
        let service = format!("conversations/v1/Services/{}/Configuration/Webhooks", facts.chat_service_sid);
        let services = get("verify/v2/Services".to_owned())["services"].clone();
        let limits: Vec<_> = services
            .as_array()
            .unwrap()
            .iter()
            .map(|service| {
                get(format!("verify/v2/Services/{}/RateLimits", service["sid"].as_str().unwrap()))["rate_limits"]
                    .clone()
            })
            .collect();
        json!({
            "workspace": get(workspace.clone()),
            "activities": get(format!("{workspace}/Activities"))["activities"],
            "account": get("conversations/v1/Configuration/Webhooks".to_owned()),
            "service": get(service),
            "sinks": get("events/v1/Sinks".to_owned())["sinks"],
            "subscriptions": get("events/v1/Subscriptions".to_owned())["subscriptions"],
            "verify": services,
            "limits": limits,
        })
    }

    fn config_text(&self) -> String {
        fs::read_to_string(self.machine.path("offdesk.toml")).unwrap()
    }

    fn writes(&self) -> usize {
        self.twilio.log().iter().filter(|entry| ["POST", "DELETE"].contains(&entry.method.as_str())).count()
    }

    /// From this operation on nothing works: it goes wrong so, and what follows is not done at all.
    fn breaks_at(&self, all: &[Operation], place: usize, act: RestAct) {
        self.twilio.fault(RestFault::once(all[place], act));
        for operation in &all[place..] {
            self.twilio.fault(RestFault { operation: Some(*operation), times: None, act: RestAct::DropBefore });
        }
    }
}

impl Drop for Install {
    fn drop(&mut self) {
        // A public URL that leads here by mistake brings what is none of Twilio's.
        let log: Vec<_> = self.twilio.log().into_iter().filter(|entry| !entry.url.starts_with("/webhooks")).collect();
        record::exchanges(&log);
    }
}

const FRESH: [Operation; 6] = [
    Operation::CreateActivity,
    Operation::UpdateWorkspace,
    Operation::UpdateServiceWebhookConfiguration,
    Operation::CreateService,
    Operation::CreateRateLimit,
    Operation::CreateBucket,
];
const OWNED: [Operation; 6] = [
    Operation::CreateActivity,
    Operation::CreateSink,
    Operation::CreateSubscription,
    Operation::CreateService,
    Operation::CreateRateLimit,
    Operation::CreateBucket,
];

#[test]
fn a_setup_makes_everything_once_and_undo_puts_it_back_byte_for_byte() {
    for (options, operations) in [(Options::fresh(), FRESH), (Options::owned_by_others(), OWNED)] {
        let install = Install::at(options);
        let (account, text) = (install.account(), install.config_text());
        let told = install.good(&[]);
        assert!(told.contains("made           the activity \"Available on Mobile\"\n"), "{told}");
        assert!(!told.contains("failed"), "{told}");
        let log = install.twilio.log();
        for operation in operations {
            assert!(log.iter().any(|entry| entry.name == operation.as_str()), "{operation:?}");
        }
        let made = install.account();
        assert_ne!(made, account);

        let writes = install.writes();
        let again = install.good(&[]);
        assert!(!again.contains("\nmade") && !again.starts_with("made"), "{again}");
        assert_eq!((install.writes(), install.account()), (writes, made), "a second setup changes nothing");

        install.good(&["--undo"]);
        assert_eq!(install.account(), account);
        assert_eq!(install.config_text(), text);
        assert!(!install.machine.path("data/setup.json").exists());
        assert!(install.machine.path("data/vapid.pem").exists());
    }
}

#[test]
fn what_others_have_set_is_left_alone_and_told() {
    let install = Install::at(Options::owned_by_others());
    let before = install.account();
    let told = install.good(&[]);
    assert!(told.contains("the callback for TaskRouter events stays another system's, at crm.example.org"), "{told}");
    assert!(!told.contains("hunter2"), "{told}");
    let after = install.account();
    for key in ["workspace", "account", "service"] {
        assert_eq!(after[key], before[key], "{key}");
    }
    assert_eq!(
        after["sinks"][0]["sink_configuration"]["destination"],
        format!("http://{}/webhooks/events", install.listen)
    );

    let install = Install::at(Options::owned_by_others());
    let mut command = install.machine.command(&["setup"]);
    let ended = Ended::from(command.env("OFFDESK__TWILIO__INTAKE", "callbacks").output().unwrap());
    ended.refused(64, "2 steps are not done");
    assert!(ended.out.contains("cure: set twilio.intake to \"auto\""), "{}", ended.out);
}

#[test]
fn a_setup_that_was_cut_short_goes_on_and_can_be_undone_wherever_that_was() {
    cut_short_everywhere(Options::fresh, &FRESH);
}

#[test]
fn so_can_one_beside_another_systems() {
    cut_short_everywhere(Options::owned_by_others, &OWNED);
}

fn cut_short_everywhere(options: fn() -> Options, operations: &[Operation]) {
    for (place, act) in
        (0..operations.len()).flat_map(|place| [(place, RestAct::DropBefore), (place, RestAct::DropAfter)])
    {
        let install = Install::at(options());
        let (account, text) = (install.account(), install.config_text());
        install.breaks_at(operations, place, act.clone());
        assert_ne!(install.setup(&[]).code, 0);
        install.twilio.clear_faults();
        if act == RestAct::DropAfter || place % 2 == 0 {
            let told = install.good(&[]);
            let there = install.account();
            assert_eq!(there["verify"].as_array().unwrap().len(), 1, "{told}");
            assert_eq!(there["limits"][0].as_array().unwrap().len(), 2, "{told}");
            assert!(there["sinks"].as_array().unwrap().len() < 2, "{told}");
            let writes = install.writes();
            install.good(&[]);
            assert_eq!(install.writes(), writes, "{place} {act:?}");
        }
        install.good(&["--undo"]);
        assert_eq!(install.account(), account, "{place} {act:?}");
        assert_eq!(install.config_text(), text, "{place} {act:?}");
    }
}

#[tokio::test]
async fn a_setup_or_an_undo_that_is_killed_goes_on_where_it_was() {
    let install = Install::at(Options::owned_by_others());
    let account = install.account();
    for (args, operation) in [
        (&["setup"][..], Operation::CreateSubscription),
        (&["setup"], Operation::CreateRateLimit),
        (&["setup", "--undo"], Operation::DeleteSubscription),
        (&["setup", "--undo"], Operation::DeleteActivity),
    ] {
        // An earlier round has done what this one would be killed at.
        if args.len() > 1 && install.machine.path("data/setup.json").exists() {
            install.good(&[]);
        }
        let forever = RestAct::Delay { ms: 3_600_000 };
        install.twilio.fault(RestFault { operation: Some(operation), times: None, act: forever });
        let mut process = Process::start(&mut install.machine.command(args));
        let name = operation.as_str();
        let before = install.writes();
        while install.twilio.log().iter().filter(|entry| entry.name == name).count() == 0
            && process.runs()
            && !under_way(&install, operation, before)
        {
            tokio::task::yield_now().await;
        }
        drop(process); // which kills it
        install.twilio.clear_faults();
    }
    install.good(&["--undo"]);
    assert_eq!(install.account(), account);
}

/// Whether everything before the operation has been done.
fn under_way(install: &Install, operation: Operation, before: usize) -> bool {
    let last = match operation {
        Operation::CreateSubscription => Operation::CreateSink,
        Operation::CreateRateLimit => Operation::CreateSubscription,
        Operation::DeleteSubscription => Operation::DeleteService,
        _ => Operation::DeleteSink,
    };
    install.writes() > before && install.twilio.log().iter().any(|entry| entry.name == last.as_str())
}

#[test]
fn a_half_set_up_account_gets_what_is_missing_and_its_filters_back() {
    let url = |listen: SocketAddr, path: &str| format!("http://{listen}/webhooks/{path}");
    let install =
        Install::at(Options { events_filter: Some("task.created,reservation.created".into()), ..Options::fresh() });
    install.twilio.set_event_callback(&url(install.listen, "taskrouter"));
    let account = install.account();
    let told = install.good(&[]);
    assert!(told.contains("made           TaskRouter events by callback"), "{told}");
    let filter = install.account()["workspace"]["events_filter"].as_str().unwrap().to_owned();
    assert!(filter.starts_with("task.created,reservation.created,reservation.accepted,"), "{filter}");
    assert_eq!(filter.matches("reservation.created").count(), 1);
    install.good(&["--undo"]);
    assert_eq!(install.account(), account);
}

#[test]
fn what_somebody_has_changed_since_is_left_by_undo() {
    let install = Install::at(Options::fresh());
    install.good(&[]);
    install.twilio.set_event_callback("https://crm.example.org/new");
    let told = install.good(&["--undo"]);
    assert!(told.contains("left           TaskRouter's callback and filter: somebody has changed it since"), "{told}");
    assert_eq!(install.account()["workspace"]["event_callback_url"], "https://crm.example.org/new");
}

/// Whether it was refused or got lost on its way: what the operator then makes by hand is the operator's.
#[test]
fn what_an_operator_made_in_the_place_of_a_failed_step_is_left_by_undo() {
    let refused = RestAct::Fail { status: 403, code: 20403, message: None, retry_after_s: None };
    for (act, operations) in [
        (refused, vec![Operation::CreateActivity, Operation::CreateService]),
        (RestAct::DropBefore, vec![Operation::CreateService]),
    ] {
        let install = Install::at(Options::fresh());
        for operation in &operations {
            install.twilio.fault(RestFault { operation: Some(*operation), times: None, act: act.clone() });
        }
        assert_ne!(install.setup(&[]).code, 0);
        install.twilio.clear_faults();
        let by_hand = operations.contains(&Operation::CreateActivity);
        if by_hand {
            let activities = format!("taskrouter/v1/Workspaces/{}/Activities", install.twilio.facts().workspace_sid);
            install.ask(&activities, Some(&[("FriendlyName", MOBILE), ("Available", "true")]));
        }
        let service = install.ask("verify/v2/Services", Some(&[("FriendlyName", "Our own")]));
        let line = format!("[twilio]\nverify_service_sid = {}\n", service["sid"]);
        install.machine.write("offdesk.toml", &install.config_text().replacen("[twilio]\n", &line, 1));

        install.good(&["--undo"]);
        let left = install.account();
        let has_activity = left["activities"].as_array().unwrap().iter().any(|one| one["friendly_name"] == MOBILE);
        assert_eq!(has_activity, by_hand, "{act:?}");
        assert_eq!(left["verify"][0]["sid"], service["sid"], "{act:?}");
        assert!(!install.machine.path("data/setup.json").exists());
    }
}

fn at_another_url(install: &Install, args: &[&str]) -> Ended {
    let mut command = install.machine.command(args);
    Ended::from(command.env("OFFDESK__PUBLIC_URL", "http://127.0.0.9:9").output().unwrap())
}

#[test]
fn a_slot_that_was_set_twice_goes_back_to_what_it_was_at_first() {
    let install = Install::at(Options::fresh());
    let account = install.account();
    install.good(&[]);
    assert_eq!(at_another_url(&install, &["setup"]).code, 0);
    assert!(install.account()["workspace"]["event_callback_url"].as_str().unwrap().starts_with("http://127.0.0.9:9/"));
    install.good(&["--undo"]);
    assert_eq!(install.account(), account);
}

#[test]
fn a_slot_whose_latest_change_cannot_be_put_back_keeps_the_earlier_one_for_later() {
    let install = Install::at(Options::fresh());
    let account = install.account();
    install.good(&[]);
    assert_eq!(at_another_url(&install, &["setup"]).code, 0);
    install.twilio.fault(RestFault::fail(Operation::UpdateWorkspace, 1, 403, 20403));
    install.setup(&["--undo"]).refused(64, "2 steps are not done");
    install.good(&["--undo"]);
    assert_eq!(install.account(), account);
}

#[test]
fn a_configuration_is_put_back_where_it_is_and_no_other_is_touched() {
    let install = Install::at(Options::fresh());
    let text = install.config_text();
    let command = |args: &[&str], folder: &std::path::Path| {
        let mut command = offdesk(args);
        Ended::from(command.current_dir(folder).output().unwrap())
    };
    let here = install.machine.path("");
    assert_eq!(command(&["setup", "--config", "offdesk.toml"], &here).code, 0);
    let written = install.config_text();
    assert_ne!(written, text);
    let other = install.machine.write("other.toml", &text);
    let elsewhere = tempfile::tempdir().unwrap();

    let file = install.machine.path("offdesk.toml");
    fs::remove_file(&file).unwrap();
    fs::create_dir(&file).unwrap();
    let ended = command(&["setup", "--undo", "--config", &other], elsewhere.path());
    ended.refused(64, "not done");
    fs::remove_dir(&file).unwrap();
    fs::write(&file, written).unwrap();

    let ended = command(&["setup", "--undo", "--config", &other], elsewhere.path());
    assert_eq!(ended.code, 0, "{}{}", ended.out, ended.err);
    assert_eq!(install.config_text(), text);
    assert_eq!(fs::read_to_string(&other).unwrap(), text);
}

#[test]
fn a_dry_run_changes_nothing() {
    let install = Install::at(Options::fresh());
    let (account, text) = (install.account(), install.config_text());
    let told = install.good(&["--dry-run"]);
    assert!(told.contains("would be made  the Verify service\n") && !told.contains("\nmade"), "{told}");
    assert_eq!((install.account(), install.config_text(), install.writes()), (account, text, 0));
    assert!(!install.machine.path("data").exists());
}

#[test]
fn what_cannot_be_done_is_told_with_its_cure_and_the_rest_is_done() {
    let install = Install::at(Options::fresh());
    install.twilio.fault(RestFault::fail(Operation::UpdateWorkspace, 9, 403, 20403));
    let ended = install.setup(&[]);
    ended.refused(64, "1 step is not done");
    assert!(
        ended.out.contains("failed         TaskRouter events by callback: Twilio refused: HTTP 403"),
        "{}",
        ended.out
    );
    assert!(ended.out.contains("cure: these credentials may not do this"), "{}", ended.out);
    assert_eq!(install.account()["verify"].as_array().unwrap().len(), 1);
    install.twilio.fault(RestFault::fail(Operation::ListWorkspace, 1, 403, 20403));
    install.setup(&[]).refused(64, "HTTP 403");

    let activities = vec![("Offline".to_owned(), false), (MOBILE.to_owned(), false)];
    let install = Install::at(Options { activities, ..Options::fresh() });
    let ended = install.setup(&[]);
    ended.refused(64, "1 step is not done");
    assert!(
        ended.out.contains("it takes no tasks, and has to") && ended.out.contains("give it another name"),
        "{}",
        ended.out
    );
}

#[test]
fn a_configuration_that_is_not_there_is_written_of_what_the_environment_says() {
    let install = Install::at(Options::fresh());
    let text = install.config_text();
    let tree: toml::Table = text.parse().unwrap();
    fs::remove_file(install.machine.path("offdesk.toml")).unwrap();
    let command = |args: &[&str]| {
        let mut command = install.machine.command(args);
        let twilio = tree["twilio"].as_table().unwrap();
        for key in ["account_sid", "auth_token", "caller_id"] {
            command.env(format!("OFFDESK__TWILIO__{}", key.to_uppercase()), twilio[key].as_str().unwrap());
        }
        for (name, url) in twilio["endpoints"].as_table().unwrap() {
            command.env(format!("OFFDESK__TWILIO__ENDPOINTS__{}", name.to_uppercase()), url.as_str().unwrap());
        }
        command.env("OFFDESK__PUBLIC_URL", tree["public_url"].as_str().unwrap());
        command.env("OFFDESK__DATA_DIR", tree["data_dir"].as_str().unwrap());
        Ended::from(command.output().unwrap())
    };
    let ended = command(&["setup"]);
    assert_eq!(ended.code, 0, "{} {}", ended.out, ended.err);
    let written = install.config_text();
    assert!(!written.contains(&install.twilio.facts().auth_token), "no secret is written");
    let mut check = install.machine.command(&["config", "check"]);
    let shown = Ended::from(check.env("OFFDESK__TWILIO__AUTH_TOKEN", "x").output().unwrap());
    assert!(
        shown.out.contains("verify_service_sid = \"VA") && shown.out.contains("caller_id = \"+15550100\""),
        "{}",
        shown.err
    );
    assert!(shown.out.contains(tree["data_dir"].as_str().unwrap()));
    assert_eq!(command(&["setup", "--undo"]).code, 0);
    assert!(!install.machine.path("offdesk.toml").exists());
}

#[tokio::test]
async fn after_a_setup_the_daemon_starts_and_a_call_works() {
    for options in [Options::fresh(), Options::owned_by_others()] {
        let install = Install::at(options);
        install.good(&[]);
        install.machine.good(&["agent", "import", "--from-taskrouter"]);
        let mut daemon = Process::start(&mut install.machine.command(&["serve"]));
        assert!(daemon.line().contains("\"ready\":true"));
        install.twilio.set_activity(ADA, MOBILE).unwrap();
        let call = install.twilio.place_call(CUSTOMER);
        install.twilio.wait_until(LIMIT, |state| state.is_ringing(ADA)).await.unwrap();
        install.twilio.answer(ADA).unwrap();
        install.twilio.hang_up(ADA).unwrap();
        let is_over = |status| matches!(status, TaskStatus::Wrapping | TaskStatus::Completed);
        let over =
            |state: &offdesk_sandbox::Snapshot| state.task(&call.task_sid).is_some_and(|task| is_over(task.status));
        install.twilio.wait_until(LIMIT, over).await.unwrap();
        daemon.signal("TERM");
        assert_eq!(daemon.end().0, Some(0));
    }
}
