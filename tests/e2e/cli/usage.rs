//! Asking for the wrong thing, and looking at the configuration.

use super::{Ended, Machine, offdesk};

fn run(args: &[&str]) -> Ended {
    offdesk(args).output().unwrap().into()
}

#[test]
fn the_version_is_told() {
    let ended = run(&["--version"]);
    assert_eq!((ended.code, ended.out.as_str()), (0, concat!("offdesk ", env!("CARGO_PKG_VERSION"), "\n")));
}

#[test]
fn bad_usage_ends_with_64() {
    run(&[]).refused(64, "a command is missing");
    run(&["agent"]).refused(64, "a command is missing");
    run(&["serv"]).refused(64, "unrecognized subcommand 'serv'");
    run(&["serve", "--confg", "x"]).refused(64, "unexpected argument '--confg'");
    run(&["agent", "show", "anna"]).refused(64, "expected an agent's id");
    run(&["agent", "import", "x.jsonl", "--from-taskrouter"]).refused(64, "cannot be used with");
    for only_of_taskrouter in [["--dry-run"].as_slice(), &["--json"], &["--phone-attribute", "x"]] {
        run(&[&["agent", "import", "x.jsonl"], only_of_taskrouter].concat()).refused(64, "cannot be used with");
        run(&[&["agent", "import"], only_of_taskrouter].concat()).refused(64, "required arguments were not provided");
    }
    run(&["migrate"]).refused(64, "a command is missing");
    run(&["migrate", "flex-mobile", "--sync-service-sid", "IS1"]).refused(64, "not a Sync service's sid");
}

#[test]
fn a_configuration_that_is_named_has_to_be_there() {
    run(&["serve", "--config", "/nowhere/offdesk.toml"]).refused(64, "/nowhere/offdesk.toml cannot be read");
}

#[test]
fn a_configuration_that_nobody_wrote_is_named() {
    if !super::exists("/etc/offdesk/offdesk.toml".as_ref()) {
        let ended = run(&["serve"]);
        ended.refused(64, "public_url: required");
        assert!(ended.err.contains(" cure: write /etc/offdesk/offdesk.toml, which is not there"), "{}", ended.err);
    }
}

#[test]
fn help_is_a_command_too() {
    let ended = run(&["help", "agent"]);
    assert_eq!(ended.code, 0);
    assert!(ended.out.contains("Usage: offdesk agent"), "{}", ended.out);
}

#[test]
fn the_environment_alone_can_be_the_configuration() {
    let mut command = offdesk(&["config", "check"]);
    command.env("OFFDESK__PUBLIC_URL", "https://gw.example.com");
    command.env("OFFDESK__TWILIO__ACCOUNT_SID", "AC0123456789abcdef0123456789abcdef");
    command.env("OFFDESK__TWILIO__CALLER_ID", "+15550100");
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("auth_token"), "hunter2\n").unwrap();
    let ended = Ended::from(command.env("CREDENTIALS_DIRECTORY", folder.path()).output().unwrap());
    assert_eq!(ended.code, 0, "{}", ended.err);
    assert!(ended.out.contains("caller_id = \"+15550100\"  # OFFDESK__TWILIO__CALLER_ID"), "{}", ended.out);
}

#[test]
fn every_problem_of_a_configuration_is_told_in_a_line_of_its_own() {
    let machine = Machine::new();
    let mut command = machine.command(&["config", "check"]);
    command.env("OFFDESK__TWILIO__CALLER_ID", "555").env("OFFDESK__HTTP__LISEN", "x");
    let ended = Ended::from(command.output().unwrap());
    ended.refused(64, "twilio.caller_id (OFFDESK__TWILIO__CALLER_ID): expected a phone number");
    ended.refused(64, "the nearest known one is OFFDESK__HTTP__LISTEN");
    assert_eq!(ended.err.lines().count(), 3);
}

#[test]
fn the_configuration_is_shown_without_its_secrets() {
    let shown = Machine::new().good(&["config", "check"]);
    assert!(shown.contains("auth_token = \"***\"") && !shown.contains("hunter2"), "{shown}");
}

#[test]
fn a_log_level_that_is_not_understood_is_refused() {
    let ended = Ended::from(offdesk(&["serve"]).env("RUST_LOG", "=/").output().unwrap());
    ended.refused(64, "RUST_LOG is not understood");
}
