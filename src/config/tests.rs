//! What the configuration promises to operators.

use std::{collections::BTreeSet, fs, time::Duration};

use secrecy::ExposeSecret;

use super::*;
use crate::{config::reader::Reader, domain::RingTarget};

const SAMPLE: &str = include_str!("../../config/offdesk.toml");

/// The least that a configuration needs.
pub(crate) const LEAST: &str = r#"
public_url = "https://gw.example.com"
[twilio]
account_sid = "AC0123456789abcdef0123456789abcdef"
auth_token = "tok3n"
caller_id = "+15550100"
"#;

fn env(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn sources(text: &str, pairs: &[(&str, &str)]) -> Sources {
    let file = Some(FileText { path: "/etc/offdesk/offdesk.toml".into(), text: text.to_owned() });
    Sources { file, env: env(pairs), credentials: None }
}

fn with(text: &str, pairs: &[(&str, &str)]) -> Config {
    Config::parse(text, env(pairs), None).unwrap()
}

/// The problems of [`LEAST`] with more variables.
fn problems(pairs: &[(&str, &str)]) -> Vec<String> {
    let error = Config::parse(LEAST, env(pairs), None).unwrap_err();
    error.problems.iter().map(ToString::to_string).collect()
}

fn problem(name: &str, value: &str) -> String {
    let problems = problems(&[(name, value)]);
    assert_eq!(problems.len(), 1, "{problems:?}");
    problems.concat()
}

#[test]
fn a_small_file_is_enough_and_the_rest_has_defaults() {
    let config = with(LEAST, &[]);
    assert_eq!(config.public_url.as_str(), "https://gw.example.com");
    assert_eq!(config.twilio.auth_token.expose_secret(), "tok3n");
    assert_eq!(config.http.listen.to_string(), "127.0.0.1:8080");
    assert_eq!(config.http.tls, HttpTls::Off);
    assert_eq!(config.calls.plan, [RingTarget::Sip, RingTarget::Pstn]);
    assert_eq!(config.calls.pstn_ring, Duration::from_secs(18));
    assert_eq!(config.twilio.activities.choices, ["Available on Mobile", "Break", "Offline"]);
    assert!(config.twilio.api_key.is_none() && config.admin.bootstrap_token.is_none());
}

#[test]
fn the_environment_overrides_the_file() {
    let variables = [("OFFDESK__TWILIO__AUTH_TOKEN", "other"), ("OFFDESK__HTTP__LISTEN", "[::]:0")];
    let config = with(LEAST, &variables);
    assert_eq!(config.twilio.auth_token.expose_secret(), "other");
    assert_eq!(config.http.listen.to_string(), "[::]:0");
}

#[test]
fn lists_in_the_environment_are_toml_or_separated_by_commas() {
    for list in ["10.0.0.0/8, 192.0.2.1", r#"["10.0.0.0/8", "192.0.2.1"]"#] {
        let config = with(LEAST, &[("OFFDESK__HTTP__TRUSTED_PROXIES", list)]);
        let networks: Vec<_> = config.http.trusted_proxies.iter().map(ToString::to_string).collect();
        assert_eq!(networks, ["10.0.0.0/8", "192.0.2.1/32"]);
    }
    let config = with(LEAST, &[("OFFDESK__CALLS__MISSED_KEEP_ACTIVITY", "5")]);
    assert_eq!(config.calls.missed_keep_activity, 5);
}

#[test]
fn a_credential_beats_the_environment_and_loses_its_newline() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("auth_token"), "from-systemd\n").unwrap();
    fs::write(folder.path().join("admin.bootstrap_token"), "boot\r\n").unwrap();
    let variables = env(&[("OFFDESK__TWILIO__AUTH_TOKEN", "other")]);
    let config = Config::parse(LEAST, variables, Some(folder.path().into())).unwrap();
    assert_eq!(config.twilio.auth_token.expose_secret(), "from-systemd");
    assert_eq!(config.admin.bootstrap_token.unwrap().expose_secret(), "boot");
}

#[test]
fn credentials_that_cannot_be_looked_at_are_not_passed_over() {
    let folder = tempfile::NamedTempFile::new().unwrap();
    let error = Config::parse(LEAST, BTreeMap::new(), Some(folder.path().into())).unwrap_err().to_string();
    assert!(error.contains("twilio.auth_token") && error.contains("cannot be read"), "{error}");
}

#[test]
fn a_secret_may_lie_in_a_file_that_a_key_names() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("token");
    fs::write(&path, "in-a-file\n").unwrap();
    let text = LEAST.replace("auth_token = \"tok3n\"", &format!("auth_token_file = {path:?}"));
    assert_eq!(with(&text, &[]).twilio.auth_token.expose_secret(), "in-a-file");
    let stronger = with(&text, &[("OFFDESK__TWILIO__AUTH_TOKEN", "inline")]);
    assert_eq!(stronger.twilio.auth_token.expose_secret(), "inline");

    let both = format!("{text}auth_token = \"x\"");
    let error = Config::parse(&both, BTreeMap::new(), None).unwrap_err().to_string();
    assert!(error.contains("twilio.auth_token_file (offdesk.toml, line 5)") && error.contains("leave one"), "{error}");
}

#[test]
fn a_key_of_several_lines_is_a_file_and_a_credential_beats_the_key_that_names_it() {
    let folder = tempfile::tempdir().unwrap();
    let named = ("OFFDESK__PUSH__FCM__SERVICE_ACCOUNT_FILE", "/etc/offdesk/account.json");
    let read = |pairs: &[(&str, &str)]| Config::parse(LEAST, env(pairs), Some(folder.path().into())).unwrap().push;
    assert_eq!(read(&[]).fcm.service_account_file, None);
    assert_eq!(read(&[named]).fcm.service_account_file, Some("/etc/offdesk/account.json".into()));
    for credential in ["push.fcm.service_account", "service_account", "service_account_file"] {
        let path = folder.path().join(credential);
        fs::write(&path, "{}").unwrap();
        assert_eq!(read(&[named]).fcm.service_account_file.as_ref(), Some(&path));
        fs::remove_file(path).unwrap();
    }
}

#[test]
fn push_services_are_hosts_families_of_hosts_or_origins() {
    let list = "fcm.googleapis.com, *.push.apple.com, http://127.0.0.1:9100";
    let config = with(LEAST, &[("OFFDESK__PUSH__WEB__ALLOW_HOSTS", list)]);
    let origin = AllowedHost::Origin("http://127.0.0.1:9100".parse().unwrap());
    let expected =
        [AllowedHost::Host("fcm.googleapis.com".into()), AllowedHost::Under("push.apple.com".into()), origin];
    assert_eq!(config.push.web.allow_hosts, expected);
    assert_eq!(config.push.privacy, crate::domain::Privacy::Sender);
}

#[test]
fn a_secret_file_that_is_missing_empty_or_huge_is_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("secret");
    let variables = [("OFFDESK__TWILIO__AUTH_TOKEN_FILE", path.to_str().unwrap())];
    assert!(problems(&variables).concat().contains("cannot be read: No such file"));
    for content in [String::from("\n"), "x".repeat(9000), "two words".into()] {
        fs::write(&path, content).unwrap();
        let problem = problems(&variables).concat();
        assert!(problem.starts_with("twilio.auth_token_file (OFFDESK__TWILIO__AUTH_TOKEN_FILE): "), "{problem}");
    }
}

#[test]
fn an_unknown_key_is_refused_with_the_nearest_known_one() {
    let text = format!("{LEAST}[http]\nlisen = \"127.0.0.1:1\"\n[calls]\npublic_url = \"x\"\n");
    let error = Config::parse(&text, BTreeMap::new(), None).unwrap_err().to_string();
    assert!(error.contains("http.lisen (offdesk.toml, line 8): unknown key; the nearest known one is http.listen"));
    assert!(error.contains("the nearest known one is public_url"), "{error}");
    assert_eq!(
        problem("OFFDESK__TWILIO__AUTH_TOKN", "x"),
        "twilio.auth_tokn (OFFDESK__TWILIO__AUTH_TOKN): unknown key; the nearest known one is OFFDESK__TWILIO__AUTH_TOKEN"
    );
}

#[test]
fn what_a_later_version_understands_is_told_from_what_nobody_does() {
    let text = format!("{LEAST}[sip]\ndomain = \"gw.example.com\"\ntrunk = {{ uri = \"\", username = \"\" }}\n");
    let error = Config::parse(&text, BTreeMap::new(), None).unwrap_err();
    let refused: BTreeSet<_> = error.problems.iter().map(|problem| problem.path.as_str()).collect();
    assert_eq!(refused, BTreeSet::from(["sip.trunk"]));
    assert!(error.problems.iter().all(|problem| problem.fault == Fault::NotInThisVersion));
}

/// The SIP table with these lines.
fn sip(lines: &str) -> Result<Config, ConfigError> {
    Config::parse(&format!("{LEAST}[sip]\ndomain = \"GW.example.com\"\n{lines}\n"), BTreeMap::new(), None)
}

#[test]
fn without_its_table_there_is_no_sip() {
    assert!(with(LEAST, &[]).sip.is_none());
    assert!(with(&format!("{LEAST}[sip]\n"), &[]).sip.is_none());
    let sip = sip("").unwrap().sip.unwrap();
    assert_eq!(sip.domain.as_str(), "gw.example.com");
    assert_eq!((sip.udp, sip.tcp), (Some("0.0.0.0:5060".parse().unwrap()), Some("0.0.0.0:5060".parse().unwrap())));
    assert_eq!((sip.tls, sip.digest), (None, vec![DigestAlgorithm::Md5]), "no certificate, no TLS");
}

#[test]
fn tls_for_phones_has_a_certificate_of_its_own_or_that_of_the_web() {
    let own = sip("tls_cert = \"/c\"\ntls_key = \"/k\"").unwrap().sip.unwrap().tls.unwrap();
    assert_eq!((own.listen.port(), own.cert, own.key), (5061, "/c".into(), "/k".into()));
    let web = sip("[http]\ntls = { mode = \"files\", cert = \"/w\", key = \"/v\" }").unwrap().sip.unwrap().tls;
    assert_eq!(web.unwrap().cert, std::path::Path::new("/w"));
}

#[test]
fn twilio_comes_from_its_own_networks_and_audio_goes_through_the_gateway_unless_told_otherwise() {
    let usual = sip("").unwrap().sip.unwrap();
    assert_eq!((usual.twilio_networks.len(), usual.twilio_auth, usual.twilio_target), (8, false, None));
    assert!(usual.twilio_networks.contains(&"177.71.206.192/30".parse().unwrap()));
    assert_eq!((usual.media.mode, usual.media.ports.to_string()), (MediaMode::Relay, "20000-29999".into()));
    let other =
        "twilio_networks = [\"127.0.0.0/8\"]\ntwilio_auth = true\nmedia = { mode = \"direct\", ports = \"3000-3999\" }";
    let other = sip(other).unwrap().sip.unwrap();
    assert_eq!((other.twilio_networks, other.twilio_auth), (vec!["127.0.0.0/8".parse().unwrap()], true));
    assert_eq!((other.media.mode, other.media.ports.to_string()), (MediaMode::Direct, "3000-3999".into()));
}

#[test]
fn a_plan_of_softphones_alone_needs_softphones() {
    assert_eq!(sip("[calls]\nplan = [\"sip\"]").unwrap().calls.plan, [crate::domain::RingTarget::Sip]);
    for plan in ["[\"sip\"]", "[]"] {
        let error = Config::parse(&format!("{LEAST}[calls]\nplan = {plan}\n"), BTreeMap::new(), None).unwrap_err();
        assert_eq!(error.problems[0].path, "calls.plan", "{plan}");
    }
}

#[test]
fn what_phones_cannot_use_is_refused() {
    for (lines, path) in [
        ("tls = \"127.0.0.1:5061\"", "sip.tls"),
        ("tls_cert = \"/c\"", "sip.tls_cert"),
        ("udp = \"\"\ntcp = \"\"", "sip.udp"),
        ("digest = []", "sip.digest"),
        ("digest = [\"MD5\", \"MD5\"]", "sip.digest"),
        ("digest = [\"SHA-1\"]", "sip.digest"),
        ("advertised_address = \"gw.example.com\"", "sip.advertised_address"),
        ("registration = { min = \"10m\" }", "sip.registration.default"),
        ("media = { mode = \"proxy\" }", "sip.media.mode"),
        ("media = { ports = \"29999-20000\" }", "sip.media.ports"),
        ("twilio_target = \"sip:gw.example.com\"", "sip.twilio_target"),
        ("twilio_auth = 1", "sip.twilio_auth"),
        ("twilio_networks = []", "sip.twilio_networks"),
        ("twilio_networks = [\"twilio\"]", "sip.twilio_networks"),
    ] {
        let error = sip(lines).unwrap_err();
        assert_eq!(error.problems.iter().map(|problem| problem.path.as_str()).collect::<Vec<_>>(), [path], "{lines}");
    }
}

#[test]
fn a_table_that_is_given_as_a_value_is_refused_as_such() {
    assert!(problem("OFFDESK__HTTP", "127.0.0.1:80").ends_with("is a table; its keys are set one by one"));
    with(&format!("{LEAST}[calls]\n[tls]\n"), &[]);
}

#[test]
fn wrong_types_and_values_say_what_is_expected() {
    let text = format!("{LEAST}[calls]\nplan = \"pstn\"\npstn_ring = 18\nrecord = true\nmissed_keep_activity = -1\n");
    let error = Config::parse(&text, BTreeMap::new(), None).unwrap_err().to_string();
    for expected in [
        "calls.plan (offdesk.toml, line 8): expected a list",
        "calls.pstn_ring (offdesk.toml, line 9): expected a duration with its unit",
        "calls.record (offdesk.toml, line 10): expected one of \"flex\", \"always\", \"never\"",
        "calls.missed_keep_activity (offdesk.toml, line 11): expected a whole number",
    ] {
        assert!(error.contains(expected), "{expected} is missing in\n{error}");
    }
}

#[test]
fn values_out_of_bounds_are_refused() {
    for (name, value) in [
        ("OFFDESK__PUBLIC_URL", "http://gw.example.com"),
        ("OFFDESK__PUBLIC_URL", "https://gw.example.com/?a=b"),
        ("OFFDESK__HTTP__LISTEN", "127.0.0.1:8081"),
        ("OFFDESK__HTTP__LISTEN", "localhost:8080"),
        ("OFFDESK__HTTP__TLS__MODE", "files"),
        ("OFFDESK__HTTP__TLS__CERT", "/cert.pem"),
        ("OFFDESK__TWILIO__CALLER_ID", "5550100"),
        ("OFFDESK__TWILIO__ACCOUNT_SID", "AC123"),
        ("OFFDESK__TWILIO__WORKSPACE_SID", "WW0123456789abcdef0123456789abcdef"),
        ("OFFDESK__TWILIO__API_KEY_SID", "SK0123456789abcdef0123456789abcdef"),
        ("OFFDESK__TWILIO__API_KEY_SECRET", "secret"),
        ("OFFDESK__TWILIO__AGENT_ACTIVITIES", "Available on Mobile"),
        ("OFFDESK__TWILIO__OFFLINE_ACTIVITY", "Available on Mobile"),
        ("OFFDESK__TWILIO__ENDPOINTS__API", "http://api.example.com"),
        ("OFFDESK__PUSH__PRIVACY", "all"),
        ("OFFDESK__PUSH__WEB__SUBJECT", "ops@example.com"),
        ("OFFDESK__PUSH__WEB__SUBJECT", "mailto:nobody"),
        ("OFFDESK__PUSH__WEB__SUBJECT", "http://example.com"),
        ("OFFDESK__PUSH__WEB__ALLOW_HOSTS", "*"),
        ("OFFDESK__PUSH__WEB__ALLOW_HOSTS", "*.com"),
        ("OFFDESK__PUSH__WEB__ALLOW_HOSTS", "push.*.example.com"),
        ("OFFDESK__PUSH__WEB__ALLOW_HOSTS", "127.0.0.1"),
        ("OFFDESK__PUSH__WEB__ALLOW_HOSTS", "http://127.0.0.1:9100/push"),
        ("OFFDESK__PUSH__FCM__ENDPOINT", "http://fcm.googleapis.com"),
        ("OFFDESK__LOGIN__SESSION_TTL", "9s"),
        ("OFFDESK__LOGIN__SESSION_TTL", "31d"),
        ("OFFDESK__LOGIN__SESSION_MAX_AGE", "400d"),
        ("OFFDESK__LOGIN__MAX_SESSIONS", "0"),
        ("OFFDESK__LOGIN__MAX_SESSIONS", "101"),
        ("OFFDESK__LOGIN__OTP_PER_PHONE", "0/h"),
        ("OFFDESK__LOGIN__OTP_PER_PHONE", "5"),
        ("OFFDESK__LOGIN__OTP_PER_IP", "20/week"),
        ("OFFDESK__LOGIN__OTP_PER_IP", "-1/h"),
        ("OFFDESK__LOGIN__OTP_PER_DAY", "0"),
        ("OFFDESK__SIP__UDP", "0.0.0.0:5062"),
        ("OFFDESK__SIP__DOMAIN", "sip:gw.example.com"),
        ("OFFDESK__SIP__DOMAIN", "gw..example.com"),
        ("OFFDESK__CALLS__PLAN", ""),
        ("OFFDESK__CALLS__PLAN", "sip"),
        ("OFFDESK__CALLS__PLAN", "pstn,pstn"),
        ("OFFDESK__CALLS__PSTN_RING", "9s"),
        ("OFFDESK__CALLS__PSTN_RING", "3m"),
        ("OFFDESK__CALLS__REOFFER_HOLD", "0s"),
    ] {
        let problem = problem(name, value);
        assert!(value.is_empty() || value == "sip" || !problem.contains(&format!(": {value}")), "{problem}");
    }
}

#[test]
fn limits_of_one_time_codes_are_rates() {
    let variables = [("OFFDESK__LOGIN__OTP_PER_PHONE", "3/min"), ("OFFDESK__LOGIN__OTP_PER_IP", "100/d")];
    let login = with(LEAST, &variables).login;
    assert_eq!((login.otp_per_phone.times.get(), login.otp_per_phone.per), (3, Duration::from_secs(60)));
    assert_eq!(login.otp_per_ip.to_string(), "100/d");
    assert_eq!((login.otp_per_day, login.max_sessions), (1000, 1));
    assert_eq!(login.session_ttl, Duration::from_secs(7 * 24 * 3600));
}

#[test]
fn plain_http_is_for_loopback_and_endpoints_in_closed_networks() {
    let variables =
        [("OFFDESK__PUBLIC_URL", "http://127.0.0.1:9"), ("OFFDESK__TWILIO__ENDPOINTS__API", "http://10.0.0.1")];
    assert_eq!(with(LEAST, &variables).public_url.as_str(), "http://127.0.0.1:9");
}

#[test]
fn everything_that_is_missing_is_told_at_once() {
    let error = Config::read(&Sources::default()).unwrap_err();
    let missing: Vec<_> = error.problems.iter().map(|problem| problem.path.as_str()).collect();
    assert_eq!(missing, ["public_url", "twilio.account_sid", "twilio.auth_token", "twilio.caller_id"]);
    assert_eq!(error.to_string().lines().count(), 4);
}

#[test]
fn a_file_that_is_not_toml_is_refused_without_quoting_it() {
    let error = Config::parse("a = 1\nauth_token = hunter2 oops\n", BTreeMap::new(), None).unwrap_err().to_string();
    assert!(error.starts_with("offdesk.toml, line 2: not TOML: ") && !error.contains("hunter2"), "{error}");
}

#[test]
fn what_is_in_effect_is_shown_with_its_sources_and_without_secrets() {
    let sources = sources(LEAST, &[("OFFDESK__CALLS__PLAN", "pstn"), ("OFFDESK__CALLS__SIP_RING", "20s")]);
    let (config, effective) = Config::read(&sources).unwrap();
    let shown = show(&effective);
    for line in [
        "public_url = \"https://gw.example.com\"  # /etc/offdesk/offdesk.toml, line 2",
        "auth_token = \"***\"  # /etc/offdesk/offdesk.toml, line 5",
        "auth_token_secondary = \"\"",
        "plan = [\"pstn\"]  # OFFDESK__CALLS__PLAN",
        "sip_ring = \"20s\"",
        "data_dir = \"/var/lib/offdesk\"",
    ] {
        assert!(shown.lines().any(|shown| shown == line), "{line} is missing in\n{shown}");
    }
    assert!(!shown.contains("tok3n") && !format!("{config:?}").contains("tok3n"));
    let again = Config::parse(&shown, BTreeMap::new(), None).unwrap();
    assert_eq!(again.calls.plan, config.calls.plan);
}

/// Reads a text and answers the reader, whatever the problems.
fn reading(text: &str) -> Reader {
    let mut reader = Reader::new(&sources(text, &[]));
    Config::tree(&mut reader);
    reader.refuse_unknown();
    reader
}

/// The sample with every commented-out key put in.
fn sample_in_full() -> String {
    let is_key = |line: &str| line.starts_with(|letter: char| letter.is_ascii_lowercase()) && line.contains(" = ");
    let uncommented = SAMPLE.lines().map(|line| line.strip_prefix('#').filter(|rest| is_key(rest)).unwrap_or(line));
    uncommented.map(|line| format!("{line}\n")).collect()
}

#[test]
fn the_sample_has_every_key_and_no_other() {
    let reader = reading(&sample_in_full());
    let foreign: Vec<_> =
        reader.problems.iter().filter(|problem| !matches!(problem.fault, Fault::Invalid(_))).collect();
    assert!(foreign.is_empty(), "{foreign:?}");
    let named: BTreeSet<_> = reader.layers.iter().flatten().map(|(path, _)| path.clone()).collect();
    assert_eq!(named, reader.known);
}

#[test]
fn the_sample_shows_the_defaults_and_comments_out_what_has_none() {
    let reader = reading(SAMPLE);
    let required: Vec<_> = reader.problems.iter().map(|problem| problem.path.as_str()).collect();
    assert_eq!(required, ["public_url", "twilio.account_sid", "twilio.auth_token", "twilio.caller_id"]);
    let changed: Vec<_> = reader.effective.iter().filter(|row| row.origin.is_some()).collect();
    assert!(changed.is_empty(), "{changed:?}");
    assert!(
        SAMPLE.lines().filter(|line| line.contains(" = ")).all(|line| line.contains("  # ") || line.contains("\" # "))
    );
}
