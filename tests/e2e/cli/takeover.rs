//! Agents from TaskRouter and from a Flex Mobile proof of concept, both at the stand-in for Twilio.

use std::{fs, time::Duration};

use offdesk_sandbox::{AgentSeed, DocumentSeed, Handle, Operation, Options, RestAct, RestFault, Sandbox, WorkerSeed};
use serde_json::{Value, json};

use super::{
    Ended, Machine,
    daemon::Process,
    managing::{Running, TOKEN, audit, stored},
};

const LIMIT: Duration = Duration::from_secs(60);
const FROM_TASKROUTER: [&str; 3] = ["agent", "import", "--from-taskrouter"];
/// What must never be seen again.
const SECRET: &str = "6ad2f1f0-long-term-token";

/// A machine whose account is at a stand-in.
fn machine_at(options: Options) -> (Machine, Handle) {
    let account_sid = "AC0123456789abcdef0123456789abcdef".to_owned();
    let twilio = Sandbox::start(Options { account_sid, auth_token: "hunter2".to_owned(), ..options }).unwrap();
    let machine = Machine::new();
    let file = machine.path("offdesk.toml");
    let text = fs::read_to_string(&file).unwrap().replace("\"http://127.0.0.1:1\"", &format!("{:?}", twilio.url()));
    fs::write(file, format!("{}\nsync = {:?}\n", text.trim_end(), twilio.url())).unwrap();
    (machine, twilio)
}

fn workers() -> (Machine, Handle) {
    let worker = |name: &str, attributes: Value| WorkerSeed { name: name.to_owned(), attributes };
    machine_at(Options {
        agents: vec![AgentSeed::new("Ada <b>", "+4915550101001", "Offline")],
        workers: vec![
            worker("boss", json!({ "full_name": "Bo", "phone": "+49 1555 0101002", "roles": ["admin", "supervisor"] })),
            worker("desk", json!({ "full_name": "Di", "cell": "+4915550101003" })),
            worker("twin-1", json!({ "mobile": "+4915550101004" })),
            worker("twin-2", json!({ "mobile": "+4915550101004" })),
        ],
        ..Options::default()
    })
}

fn flex_mobile(documents: impl IntoIterator<Item = (String, Value)>) -> (Machine, Handle) {
    let seeds = documents.into_iter().map(|(unique_name, data)| DocumentSeed { unique_name, data });
    machine_at(Options { sync_documents: seeds.collect(), ..Options::default() })
}

fn agent_number(number: usize) -> (String, Value) {
    (format!("user-+4915112{number:06}"), json!({ "name": "A", "role": "agent", "longTermToken": SECRET }))
}

fn migrate<'a>(twilio: &'a Handle, more: &[&'a str]) -> Vec<&'a str> {
    [&["migrate", "flex-mobile", "--sync-service-sid", twilio.facts().sync_service_sid.as_str()], more].concat()
}

fn names(agents: &Value) -> Vec<&str> {
    let mut names: Vec<_> = agents.as_array().unwrap().iter().map(|agent| agent["name"].as_str().unwrap()).collect();
    names.sort_unstable();
    names
}

fn count(machine: &Machine) -> usize {
    machine.agents().as_array().unwrap().len()
}

#[test]
fn a_dry_run_tells_everything_and_changes_nothing() {
    let (machine, _twilio) = workers();
    let told = machine.good(&[&FROM_TASKROUTER[..], &["--dry-run"]].concat());
    assert!(told.contains("would be added  WK") && !told.contains("\nadded"), "{told}");
    assert!(told.ends_with("2 to add (dry run, nothing was changed), 0 already there, 3 left out\n"), "{told}");
    assert_eq!(machine.agents(), json!([]));
    assert_eq!(audit(&machine), Vec::<Value>::new());
}

#[test]
fn the_workers_become_agents_once_and_who_cannot_is_told() {
    let (machine, _twilio) = workers();
    let told: Value = serde_json::from_str(&machine.good(&[&FROM_TASKROUTER[..], &["--json"]].concat())).unwrap();
    let agents = machine.agents();
    assert_eq!(names(&agents), ["Ada <b>", "Bo"]);
    let bo = agents.as_array().unwrap().iter().find(|agent| agent["name"] == "Bo").unwrap();
    assert_eq!((&bo["phone"], &bo["roles"]), (&json!("+4915550101002"), &json!(["supervisor"])));
    assert_eq!((&bo["worker_sid"], &bo["worker_name"]), (&told["added"][1]["from"]["sid"], &json!("boss")));
    assert_eq!(told["added"][1]["remarks"], json!(["roles: admin not taken over"]));
    let why: Vec<_> = told["left_out"].as_array().unwrap().iter().map(|one| one["why"][0].as_str().unwrap()).collect();
    assert_eq!(why[0], "no phone number");
    assert!(why[1..].iter().all(|why| why.starts_with("phone: WK") && why.ends_with(" has the same")), "{why:?}");

    machine.good(&["agent", "update", "+4915550101002", "--name", "Bo the Second"]);
    let again = machine.good(&FROM_TASKROUTER);
    assert!(again.ends_with("0 added, 2 already there, 3 left out\n"), "{again}");
    assert_eq!(names(&machine.agents()), ["Ada <b>", "Bo the Second"], "nobody is changed");

    let cells = machine.good(&[&FROM_TASKROUTER[..], &["--phone-attribute", "cell"]].concat());
    assert!(cells.ends_with("1 added, 0 already there, 4 left out\n"), "{cells}");
    assert_eq!(names(&machine.agents()), ["Ada <b>", "Bo the Second", "Di"]);
}

#[test]
fn flex_mobiles_agents_are_taken_over_without_their_tokens() {
    let (machine, twilio) = flex_mobile([
        (
            "user-+4915550101001".into(),
            json!({ "name": "Ada", "department": "Sales", "role": "supervisor,wfo.team_leader",
            "canAddAgents": true, "longTermToken": SECRET }),
        ),
        ("user-+4915550101002".into(), json!({ "name": "Mallory", "role": "supervisor,admin", "token": SECRET })),
        ("user-+4915550101003".into(), json!({ "role": "agent", "longTermToken": SECRET })),
        ("user-x".into(), json!({ "name": SECRET })),
        ("settings".into(), json!({ "longTermToken": SECRET })),
    ]);
    let logged = machine.command(&migrate(&twilio, &["--dry-run"])).env("RUST_LOG", "trace").output().unwrap();
    let logged = Ended::from(logged);
    let told = machine.good(&migrate(&twilio, &[]));
    assert!(told.ends_with("2 added, 0 already there, 2 left out\n"), "{told}");
    assert!(told.contains("1 other documents are no agents\n") && told.contains("Flex Mobile gives no such"), "{told}");
    let again = machine.good(&migrate(&twilio, &["--json"]));
    let list = machine.good(&["agent", "list", "--json"]);
    machine.good(&["backup", machine.path("all.jsonl").to_str().unwrap()]);
    let backup = fs::read_to_string(machine.path("all.jsonl")).unwrap();
    for text in [&logged.out, &logged.err, &told, &again, &list, &backup] {
        assert!(!text.contains(SECRET), "{text}");
    }
    let again: Value = serde_json::from_str(&again).unwrap();
    assert_eq!((&again["added"], again["already_there"].as_array().unwrap().len()), (&json!([]), 2));

    let agents: Value = serde_json::from_str(&list).unwrap();
    let by_name = |name: &str| agents.as_array().unwrap().iter().find(|agent| agent["name"] == name).unwrap();
    let ada = by_name("Ada");
    assert_eq!(ada["roles"], json!(["supervisor", "wfo.team_leader"]));
    assert_eq!((&ada["department"], &ada["can_manage_agents"]), (&json!("Sales"), &json!(true)));
    assert_eq!(by_name("Mallory")["roles"], json!(["agent"]));
}

#[test]
fn the_running_daemon_takes_the_agents_in_itself() {
    let (machine, twilio) = flex_mobile((0..250).map(agent_number));
    let running = Running::of(machine, Some(TOKEN));
    let told = running.machine.good(&migrate(&twilio, &[]));
    assert!(told.ends_with("250 added, 0 already there, 0 left out\n"), "{told}");
    let told = running.machine.good(&FROM_TASKROUTER);
    assert!(told.ends_with("2 added, 0 already there, 0 left out\n"), "{told}");
    let machine = running.stop();
    assert_eq!(count(&machine), 252);
    assert_eq!(audit(&machine).len(), 2);
}

#[test]
fn a_takeover_that_is_killed_has_added_all_or_none_and_the_next_one_goes_on() {
    const ALL: usize = 1200;
    let (machine, twilio) = flex_mobile((0..ALL).map(agent_number));
    machine.good(&["agent", "add", "--phone", "+4915112000007", "--name", "There before"]);
    let mut counts = Vec::new();
    // It dies once so much was written.
    for written in [1, 60_000, 120_000] {
        let before = stored(&machine);
        let mut process = Process::start(&mut machine.command(&migrate(&twilio, &[])));
        while stored(&machine).saturating_sub(before) < written && process.runs() {}
        drop(process); // which kills it
        counts.push(count(&machine));
    }
    assert!(counts.iter().all(|count| [1, ALL].contains(count)), "{counts:?}");
    let told = machine.good(&migrate(&twilio, &[]));
    let (there, added) = (counts[2], ALL - counts[2]);
    assert!(told.ends_with(&format!("{added} added, {there} already there, 0 left out\n")), "{counts:?}");
    assert_eq!(count(&machine), ALL);
    let verdict = machine.good(&["audit", "verify"]);
    assert_eq!(verdict, "2 entries, all as they were written\n");
}

#[tokio::test]
async fn a_takeover_that_is_killed_while_it_reads_has_done_nothing() {
    let (machine, twilio) = workers();
    let forever = RestAct::Delay { ms: 3_600_000 };
    twilio.fault(RestFault { operation: Some(Operation::FetchWorker), times: None, act: forever });
    let process = Process::start(&mut machine.command(&FROM_TASKROUTER));
    twilio.wait_until_log(LIMIT, |log| log.iter().any(|entry| entry.name == "ListWorker")).await.unwrap();
    process.signal("KILL");
    assert_eq!(process.end(), (None, String::new()));
    twilio.clear_faults();
    assert_eq!(count(&machine), 0);
    assert!(machine.good(&FROM_TASKROUTER).ends_with("2 added, 0 already there, 3 left out\n"));
}

#[test]
fn what_twilio_does_not_give_ends_the_takeover_before_anything_is_done() {
    let (machine, twilio) = workers();
    let nowhere = "ISffffffffffffffffffffffffffffffff";
    let ended = machine.run(&["migrate", "flex-mobile", "--sync-service-sid", nowhere]);
    ended.refused(64, &format!("the account has no Sync service {nowhere}"));
    let stranger = machine.command(&FROM_TASKROUTER).env("OFFDESK__TWILIO__AUTH_TOKEN", "other").output().unwrap();
    Ended::from(stranger).refused(64, "Twilio refused: HTTP 401");
    let other = format!("WS{:032}", 9);
    let other = machine.command(&FROM_TASKROUTER).env("OFFDESK__TWILIO__WORKSPACE_SID", other).output().unwrap();
    Ended::from(other).refused(64, "the account has no such TaskRouter workspace");
    twilio.fault(RestFault::fail(Operation::FetchWorker, 1000, 503, 20503));
    machine.run(&FROM_TASKROUTER).refused(69, "HTTP 503");
    assert_eq!(machine.agents(), json!([]));
}

#[test]
fn a_worker_who_leaves_meanwhile_is_nobody() {
    let (machine, twilio) = workers();
    twilio.fault(RestFault::fail(Operation::FetchWorker, 1, 404, 20404));
    let told = machine.good(&FROM_TASKROUTER);
    assert!(told.lines().count() == 5 && !told.contains("404"), "{told}");
}
