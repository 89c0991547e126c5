//! The rules of docs/architecture.md that a grep can keep.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// Where something must not be named: folders or files, what is forbidden there, and the exceptions.
struct Rule {
    places: &'static [&'static str],
    forbidden: &'static [&'static str],
    but: &'static [&'static str],
}

const RULES: &[Rule] = &[
    Rule {
        places: &["src/agent", "src/call.rs", "src/domain"],
        forbidden: &[
            "actix",
            "tokio",
            "reqwest",
            "sled",
            "crate::clock",
            "crate::store",
            "crate::twilio",
            "crate::http",
            "crate::actors",
            "crate::config",
            "std::net",
            "std::fs",
            "std::thread",
        ],
        but: &[],
    },
    Rule {
        places: &[
            "src/twilio",
            "src/push",
            "src/store",
            "src/inbox.rs",
            "src/reconcile.rs",
            "src/config",
            "src/clock.rs",
        ],
        forbidden: &["crate::actors", "crate::http", "crate::app", "crate::cli", "actix"],
        but: &[],
    },
    Rule { places: &["src/twilio", "src/push", "src/store"], forbidden: &["crate::agent", "crate::call"], but: &[] },
    Rule {
        places: &[
            "src/access.rs",
            "src/roster/draft",
            "src/roster/draft.rs",
            "src/roster/from_flex_mobile.rs",
            "src/roster/from_taskrouter.rs",
            "src/roster/newcomer.rs",
            "src/roster/phone.rs",
            "src/roster/search.rs",
            "src/roster/shelf.rs",
            "src/roster/takeover.rs",
            "src/roster/value.rs",
        ],
        forbidden: &["tokio", "actix", "crate::store", "crate::clock", "crate::http", "crate::audit"],
        but: &[],
    },
    Rule { places: &["src/push"], forbidden: &["crate::twilio", "crate::inbox"], but: &[] },
    Rule {
        places: &["src/sip"],
        forbidden: &["crate::actors", "crate::http", "crate::app", "crate::cli", "crate::twilio", "actix"],
        but: &[],
    },
    Rule {
        places: &["src/login", "src/sessions", "src/audit"],
        forbidden: &["crate::actors", "crate::http", "crate::app", "crate::cli", "actix"],
        but: &[],
    },
    Rule {
        places: &["src/login/attempts.rs", "src/sessions/table.rs", "src/sessions/change.rs", "src/sessions/record.rs"],
        forbidden: &["tokio", "crate::clock", "crate::twilio"],
        but: &[],
    },
    Rule { places: &["src/push/queue.rs", "src/push/payload"], forbidden: &["tokio", "crate::clock"], but: &[] },
    Rule { places: &["src/http"], forbidden: &["crate::agent", "crate::call", "crate::store", "AgentActor"], but: &[] },
    Rule { places: &["src"], forbidden: &["sled::"], but: &["src/store"] },
    Rule {
        places: &["src"],
        forbidden: &["reqwest::"],
        but: &["src/twilio/client", "src/push/http.rs", "src/cli/remote.rs", "src/cli/doctor/web.rs"],
    },
    Rule { places: &["src"], forbidden: &["web_push::"], but: &["src/push/webpush.rs"] },
    Rule { places: &["src"], forbidden: &["Instant::now", "SystemTime::now"], but: &["src/clock.rs"] },
    Rule { places: &["src"], forbidden: &["do_send(", "unbounded_channel", "static mut"], but: &[] },
    Rule { places: &["sip/src", "sandbox/src"], forbidden: &["offdesk::"], but: &[] },
    Rule { places: &["sip/src"], forbidden: &["tokio", "actix"], but: &["sip/src/driver"] },
];

#[test]
fn the_house_keeps_its_rules_of_dependency() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut broken = Vec::new();
    for rule in RULES {
        for file in rule.places.iter().flat_map(|place| sources(&root.join(place))) {
            let name = file.strip_prefix(root).unwrap().display().to_string();
            if rule.but.iter().any(|but| name.starts_with(but)) {
                continue;
            }
            let text = fs::read_to_string(&file).unwrap();
            for (number, line) in (1..).zip(production(&text)) {
                let named = rule.forbidden.iter().filter(|word| line.contains(**word));
                broken.extend(named.map(|word| format!("{name}:{number} names {word}")));
            }
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

#[test]
fn every_place_that_a_rule_names_is_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for place in RULES.iter().flat_map(|rule| rule.places.iter().chain(rule.but)) {
        assert!(root.join(place).exists(), "{place} has moved: so must its rule");
    }
}

/// The lines before the first test module, comments left out.
fn production(text: &str) -> impl Iterator<Item = &str> {
    text.lines()
        .take_while(|line| !line.starts_with("#[cfg(test)]"))
        .map(|line| line.split("//").next().unwrap_or_default())
}

fn sources(place: &Path) -> Vec<PathBuf> {
    if place.is_file() {
        return vec![place.to_owned()];
    }
    let mut found = Vec::new();
    for entry in fs::read_dir(place).unwrap() {
        let path = entry.unwrap().path();
        let is_test = path.file_name().is_some_and(|name| name == "tests" || name == "tests.rs" || name == "suite.rs");
        if path.is_dir() && !is_test {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") && !is_test {
            found.push(path);
        }
    }
    found
}
