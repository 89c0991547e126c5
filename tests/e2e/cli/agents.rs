//! Agents on the stopped store.

use std::{io::Write, os::unix::fs::chown, process::Stdio};

use offdesk::{
    actors::AgentRecord,
    agent::Agent,
    domain::Profile,
    store::{self, Batch, StoreHandle, profiles::Import, wait},
};

use super::{Ended, Machine, offdesk};

/// Looks into a machine's store, or prepares it; it is closed again afterwards.
fn in_store<T>(machine: &Machine, act: impl FnOnce(&StoreHandle) -> T) -> T {
    let opened = store::open(&machine.path("data/store"), &store::Options::default()).unwrap();
    let done = act(&opened.store);
    wait(opened.store.close()).unwrap();
    done
}

fn profiles(store: &StoreHandle) -> Vec<Profile> {
    wait(store.scan::<Profile>(None, 10)).unwrap().into_iter().map(|row| row.record).collect()
}

#[test]
fn an_agent_is_added_shown_changed_and_removed() {
    let machine = Machine::new();
    let id = machine.good(&["agent", "add", "--phone", "+15550100", "--name", "Anna", "--roles", "agent,admin"]);
    let id = id.trim();
    machine.good(&["agent", "update", id, "--department", "Sales", "--phone", "+15550101"]);

    let shown: serde_json::Value =
        serde_json::from_str(&machine.good(&["agent", "show", "+15550101", "--json"])).unwrap();
    assert_eq!(shown["id"], id);
    assert_eq!(shown["roles"], serde_json::json!(["agent", "admin"]));
    assert_eq!((&shown["department"], &shown["worker_name"]), (&"Sales".into(), &"user-+15550101".into()));
    assert!(machine.good(&["agent", "show", id]).contains("department    Sales\n"));

    machine.good(&["agent", "remove", id]);
    assert_eq!(machine.agents(), serde_json::json!([]));
    machine.run(&["agent", "show", id]).refused(64, "there is no such agent");
}

#[test]
fn a_phone_belongs_to_one_agent() {
    let machine = Machine::new();
    machine.good(&["agent", "add", "--phone", "+15550100", "--name", "Anna"]);
    machine.run(&["agent", "add", "--phone", "+15550100", "--name", "Berta"]).refused(64, "phone: agent ");
    let berta = machine.good(&["agent", "add", "--phone", "+15550101", "--name", "Berta"]);
    machine.run(&["agent", "update", berta.trim(), "--phone", "+15550100"]).refused(64, "phone: agent ");
    assert_eq!(machine.agents().as_array().unwrap().len(), 2);
}

#[test]
fn bad_fields_are_told_together() {
    let ended = Machine::new().run(&["agent", "add", "--phone", "555", "--name", "", "--roles", "boss"]);
    for words in ["phone: not a phone number", "name: may not be empty", "roles: expected a list of roles"] {
        ended.refused(64, words);
    }
}

#[test]
fn a_file_of_agents_is_imported() {
    let machine = Machine::new();
    let file = machine.write(
        "agents.jsonl",
        "{\"phone\":\"+15550100\",\"name\":\"Anna\",\"sip_username\":\"anna\"}\n\n{\"phone\":\"+15550101\",\"name\":\"Berta\"}",
    );
    assert_eq!(machine.good(&["agent", "import", &file]), "2 agents were added\n");
    assert_eq!(machine.agents().as_array().unwrap().len(), 2);
}

#[test]
fn agents_are_imported_from_standard_input() {
    let machine = Machine::new();
    let mut child = machine.command(&["agent", "import", "-"]).stdin(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(b"{\"phone\":\"+15550100\",\"name\":\"Anna\"}\n").unwrap();
    assert!(child.wait().unwrap().success());
    assert_eq!(machine.agents()[0]["name"], "Anna");
}

#[test]
fn an_import_with_a_bad_line_adds_nobody() {
    let machine = Machine::new();
    machine.good(&["agent", "add", "--phone", "+15550100", "--name", "Anna"]);
    let file = machine.write(
        "agents.jsonl",
        "{\"phone\":\"+15550101\",\"name\":\"Berta\"}\n\
         {\"phone\":\"+15550101\",\"name\":\"Twice\",\"worker_name\":\"twice\"}\n\
         {\"phone\":\"+15550100\",\"name\":\"There\",\"worker_name\":\"there\"}\n\
         {\"phone\":\"+15550102\"}\n\
         nonsense\n\
         {\"phone\":\"+15550103\",\"name\":\"Clara\",\"sip_password\":\"x\"}\n",
    );
    let ended = machine.run(&["agent", "import", &file]);
    for told in [
        "line 2: phone: line 1 has the same",
        "line 3: phone: agent ",
        "line 4: name: required",
        "line 5: expected a JSON object",
        "line 6: sip_password: expected 12 to 128",
    ] {
        ended.refused(64, told);
    }
    assert_eq!(machine.agents().as_array().unwrap().len(), 1);
}

#[test]
fn of_many_bad_lines_twenty_are_told_and_the_rest_is_counted() {
    let machine = Machine::new();
    let file = machine.write("agents.jsonl", &"{}\n".repeat(50));
    let ended = machine.run(&["agent", "import", &file]);
    ended.refused(64, "and 30 lines more");
    assert_eq!(ended.err.lines().count(), 22);
}

#[test]
fn a_store_that_is_in_use_is_left_alone() {
    let machine = Machine::new();
    let held = store::open(&machine.path("data/store"), &store::Options::default()).unwrap();
    machine.run(&["agent", "list"]).refused(73, "another process has the store open");
    machine.run(&["backup", "x.jsonl"]).refused(73, "another process has the store open");
    drop(held);
}

#[test]
fn a_listing_that_nobody_reads_to_its_end_is_no_failure() {
    let machine = Machine::new();
    let lines: String =
        (0..2000).map(|number| format!("{{\"phone\":\"+1555{number:07}\",\"name\":\"Agent {number}\"}}\n")).collect();
    let file = machine.write("agents.jsonl", &lines);
    machine.good(&["agent", "import", &file]);
    let mut child = machine.command(&["agent", "list"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let ended = Ended::from(child.wait_with_output().unwrap());
    assert_eq!((ended.code, ended.err.as_str()), (0, ""));
}

#[test]
fn nothing_is_left_of_an_agent_who_is_removed() {
    let machine = Machine::new();
    machine.good(&["agent", "add", "--phone", "+15550100", "--name", "Anna"]);
    let id = in_store(&machine, |store| {
        let agent = Agent::new(&profiles(store)[0]);
        let mut batch = Batch::new();
        batch.put(&agent.id, &AgentRecord(agent.clone())).unwrap();
        wait(store.commit(batch)).unwrap();
        agent.id
    });

    machine.good(&["agent", "remove", "+15550100"]);
    assert!(in_store(&machine, |store| wait(store.get::<AgentRecord>(&id))).unwrap().is_none());
}

#[test]
fn an_import_that_was_cut_off_adds_nobody() {
    let machine = Machine::new();
    machine.good(&["agent", "add", "--phone", "+15550100", "--name", "Anna"]);
    machine.good(&["agent", "add", "--phone", "+15550101", "--name", "Berta"]);
    in_store(&machine, |store| {
        let berta = profiles(store).into_iter().find(|profile| profile.name == "Berta").unwrap();
        let mut batch = Batch::new();
        batch.put(&(), &Import { of: berta.created_at }).unwrap();
        wait(store.commit(batch)).unwrap();
    });

    let agents = machine.agents();
    assert_eq!((agents.as_array().unwrap().len(), &agents[0]["name"]), (1, &"Anna".into()));
}

#[test]
fn a_long_import_leaves_no_mark() {
    let machine = Machine::new();
    let lines: String =
        (0..1200).map(|number| format!("{{\"phone\":\"+1555{number:07}\",\"name\":\"A\"}}\n")).collect();
    let file = machine.write("agents.jsonl", &lines);
    machine.good(&["agent", "import", &file]);
    assert!(in_store(&machine, |store| wait(store.get::<Import>(&()))).unwrap().is_none());
    assert_eq!(machine.agents().as_array().unwrap().len(), 1200);
}

#[test]
fn agents_are_managed_without_the_daemons_secrets() {
    let machine = Machine::new();
    let text = format!("data_dir = {:?}\n[twilio]\nauth_token_file = \"/nowhere/auth_token\"\n", machine.path("data"));
    let file = machine.write("no-secrets.toml", &text);
    let add = ["agent", "add", "--phone", "+15550100", "--name", "Anna", "--config", &file];
    let ended = Ended::from(offdesk(&add).output().unwrap());
    assert_eq!(ended.code, 0, "{}", ended.err);
    assert_eq!(machine.agents()[0]["name"], "Anna");
}

#[test]
fn whoever_only_looks_makes_no_store() {
    let machine = Machine::new();
    machine.good(&["agent", "list"]);
    machine.good(&["push", "dead"]);
    machine.good(&["audit", "verify"]);
    machine.run(&["backup", "x.jsonl"]).refused(73, "there is no store in ");
    assert!(!machine.path("data/store").exists() && !machine.path("x.jsonl").exists());
}

#[test]
fn another_users_store_is_left_alone() {
    let machine = Machine::new();
    machine.good(&["agent", "add", "--phone", "+15550101", "--name", "Berta"]);
    if chown(machine.path("data/store"), Some(65_534), None).is_err() {
        return; // only root can give a folder away, and only root can do the harm
    }
    let ended = machine.run(&["agent", "add", "--phone", "+15550100", "--name", "Anna"]);
    ended.refused(73, "belongs to the user ");
    assert!(ended.err.contains(" cure: run the command as that user: sudo -u "), "{}", ended.err);
    machine.run(&["restore", "x.jsonl"]).refused(73, "belongs to the user ");
}
