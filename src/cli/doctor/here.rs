//! What can be seen on this machine.

use std::{fs, os::unix::fs::MetadataExt, path::Path};

use super::{
    Context,
    finding::{Finding, fail, ok, warn},
};
use crate::{
    app,
    clock::Clock,
    config::{Config, HttpTls},
    http,
    push::{self, KeyMark},
};

/// What the daemon keeps free; below it new work is refused.
const NEEDED: u64 = 64 << 20;

pub(super) fn configuration(context: &Context<'_>) -> Vec<Finding> {
    const CHECK: &str = "config";
    let config = context.config;
    let mut found = vec![ok(CHECK, format!("{} is good", context.file.display()))];
    let open = fs::metadata(context.file).is_ok_and(|file| file.mode() & 0o004 != 0);
    if open && fs::read_to_string(context.file).is_ok_and(|text| holds_a_secret(&text)) {
        let what = format!("{} holds secrets, and everybody may read it", context.file.display());
        found.push(warn(
            CHECK,
            what,
            format!("chmod o-r {}, or put the secrets into credentials", context.file.display()),
        ));
    }
    if !config.http.admin_listen.ip().is_loopback() {
        let what = format!(
            "http.admin_listen, {}, is open to other machines, and asks for no password",
            config.http.admin_listen
        );
        found.push(warn(CHECK, what, "set it to an address of 127.0.0.0/8"));
    }
    let behind_proxy = matches!(config.http.tls, HttpTls::Off) && !config.public_url.is_loopback();
    if behind_proxy && config.http.trusted_proxies.is_empty() {
        let cure = "set http.trusted_proxies = [\"127.0.0.1\"], or to the proxy's address";
        found.push(warn(
            CHECK,
            "all clients of the reverse proxy count as one when codes are limited by address",
            cure,
        ));
    }
    found
}

fn holds_a_secret(text: &str) -> bool {
    const SECRETS: [&str; 4] = ["auth_token", "auth_token_secondary", "api_key_secret", "bootstrap_token"];
    let name = |line: &str| line.split('=').next().unwrap_or_default().trim().to_owned();
    text.lines().any(|line| line.contains('=') && SECRETS.contains(&name(line).as_str()))
}

pub(super) fn tls(config: &Config) -> Vec<Finding> {
    let HttpTls::Files { cert, key } = &config.http.tls else { return Vec::new() };
    vec![match http::server_config(cert, key) {
        Ok(_) => ok("tls", "certificate and key are readable, and fit"),
        Err(error) => fail("tls", error.to_string(), "name PEM files that the user who runs offdesk may read"),
    }]
}

pub(super) fn vapid_key(config: &Config) -> Vec<Finding> {
    const CHECK: &str = "web push";
    let file = app::vapid_key(config);
    if !file.path().exists() {
        let cure = "run offdesk setup, or start the daemon, which makes one; copy it off the machine";
        return vec![warn(CHECK, format!("there is no key at {}", file.path().display()), cure)];
    }
    vec![match push::check_key(&file, config.data_dir.path()) {
        Ok(KeyMark::New | KeyMark::Same) => ok(CHECK, "the key is the one that browsers subscribe with"),
        Ok(KeyMark::Another) => fail(
            CHECK,
            format!("the key at {} is not the one that browsers have subscribed with", file.path().display()),
            format!(
                "put the earlier key back from a copy; or, if it is lost, delete {}, restart the daemon, and have everybody open the app once",
                config.data_dir.path().join("vapid.pub").display()
            ),
        ),
        Err(error) => {
            fail(CHECK, format!("{}: {error}", file.path().display()), "put a key that is whole back from a copy")
        }
    }]
}

pub(super) async fn fcm(config: &Config) -> Vec<Finding> {
    const CHECK: &str = "fcm";
    const CURE: &str = "see in the Firebase console that the service account's key is good, and that its project has Cloud \
                        Messaging (V1) switched on and lets the account send";
    let checked = match app::push_settings(config) {
        Ok(settings) => push::check_fcm(&settings, &Clock::system()).await,
        Err(error) => Err(error.to_string()),
    };
    match checked {
        Ok(true) => vec![ok(CHECK, "the project takes messages")],
        Ok(false) => Vec::new(),
        Err(why) => {
            vec![fail(CHECK, format!("the project does not take a message that is only looked at: {why}"), CURE)]
        }
    }
}

pub(super) fn store(config: &Config) -> Vec<Finding> {
    let folder = config.data_dir.path();
    match rustix::fs::statvfs(folder) {
        Ok(found) => vec![space(found.f_bavail.saturating_mul(found.f_frsize), size(&config.store_path()))],
        Err(_) => {
            vec![warn("store", format!("{} is not there yet", folder.display()), "start the daemon, which makes it")]
        }
    }
}

/// The bytes of the files in a folder.
fn size(folder: &Path) -> u64 {
    let files = fs::read_dir(folder).into_iter().flatten().flatten();
    files.filter_map(|file| file.metadata().ok()).map(|file| file.len()).sum()
}

fn space(free: u64, database: u64) -> Finding {
    const CHECK: &str = "store";
    const CURE: &str = "free some space on its file system, or move data_dir to a larger one";
    let (needed, free_mb) = (NEEDED.max(database), free >> 20);
    if free < needed {
        fail(CHECK, format!("{free_mb} MB are free, and {} MB are needed: new work is refused", needed >> 20), CURE)
    } else if free < needed.saturating_mul(4) {
        warn(CHECK, format!("{free_mb} MB are free; below {} MB new work is refused", needed >> 20), CURE)
    } else {
        ok(CHECK, format!("{free_mb} MB are free"))
    }
}

#[cfg(test)]
mod tests {
    use super::{super::finding::Level, *};

    #[test]
    fn a_store_that_is_nearly_full_is_told_before_it_is_full() {
        const MB: u64 = 1 << 20;
        for (free, database, level) in [
            (10_000 * MB, MB, Level::Ok),
            (200 * MB, MB, Level::Warn),
            (63 * MB, MB, Level::Fail),
            (900 * MB, 1_000 * MB, Level::Fail),
            (3_000 * MB, 1_000 * MB, Level::Warn),
        ] {
            assert_eq!(space(free, database).level, level, "{free} {database}");
        }
    }

    #[test]
    fn a_secret_in_the_file_is_told_from_one_beside_it() {
        assert!(holds_a_secret("[twilio]\nauth_token = \"x\"\n"));
        assert!(!holds_a_secret("#auth_token = \"x\"\nauth_token_file = \"/x\"\n"));
    }
}
