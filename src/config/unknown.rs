//! Keys that nothing has read: of a later version, or of nobody.

use std::collections::BTreeSet;

use toml::Value;

use super::{
    problem::{Fault, Problem},
    reader::Reader,
    source::{Entry, Given, Origin, variable},
};

/// Keys and tables that a later version understands.
const LATER: [&str; 2] = ["sip.trunk", "calls.outbound_workflow_sid"];

impl Reader {
    /// To be called when every key has been read.
    pub(super) fn refuse_unknown(&mut self) {
        let mut later = BTreeSet::new();
        for (path, entry) in self.layers.iter().flatten().filter(|(path, _)| !self.known.contains(*path)) {
            let (path, fault) = match refusal(path, entry, &self.known) {
                Some((key, Fault::NotInThisVersion)) if !later.insert(key.to_owned()) => continue,
                Some(refusal) => refusal,
                None => continue,
            };
            self.problems.push(Problem { path: path.into(), origin: Some(entry.origin.clone()), fault });
        }
    }
}

/// What is wrong with a key that is not known, and the key to name.
fn refusal<'a>(path: &'a str, entry: &Entry, known: &BTreeSet<String>) -> Option<(&'a str, Fault)> {
    if let Some(key) = LATER.into_iter().find(|key| is_within(path, key)) {
        return Some((key, Fault::NotInThisVersion));
    }
    if known.iter().any(|key| is_within(key, path)) {
        return (!is_empty_table(entry)).then_some((path, Fault::Table));
    }
    let nearest = nearest(path, known)?;
    let nearest = if matches!(entry.origin, Origin::Environment(_)) { variable(nearest) } else { nearest.into() };
    Some((path, Fault::Unknown { nearest }))
}

fn is_empty_table(entry: &Entry) -> bool {
    matches!(&entry.given, Given::Toml(Value::Table(_)))
}

/// Whether `path` is `table` or lies in it.
fn is_within(path: &str, table: &str) -> bool {
    path.strip_prefix(table).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

/// The known key that is most like an unknown one: by its whole path, or by its last part if it stands in the wrong table.
fn nearest<'a>(path: &str, known: &'a BTreeSet<String>) -> Option<&'a str> {
    let last = |path: &str| path.rsplit('.').next().unwrap_or_default().to_owned();
    let likeness = |candidate: &str| {
        let whole = strsim::normalized_damerau_levenshtein(path, candidate);
        let part = strsim::normalized_damerau_levenshtein(&last(path), &last(candidate));
        whole.max(part * 0.9)
    };
    let best = known.iter().map(|key| (likeness(key), key)).max_by(|(left, _), (right, _)| left.total_cmp(right));
    best.map(|(_, key)| key.as_str())
}
