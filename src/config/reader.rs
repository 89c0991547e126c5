//! Reads keys one by one out of the layers, and keeps account: of what is known, of what is wrong and of what is in effect.

use std::{collections::BTreeSet, ops::RangeInclusive, path::PathBuf, time::Duration};

use toml::Value;

use super::{
    problem::{Fault, Problem},
    source::{Entry, Given, Layer, Origin, Sources, layer_of_environment, layer_of_file},
    value::Setting,
};

/// A key as it is in effect.
#[derive(Clone, Debug)]
pub struct Effective {
    pub path: &'static str,
    /// For secrets three asterisks, or nothing.
    pub shown: Value,
    /// Who set it; none for a default.
    pub origin: Option<Origin>,
}

/// Bad values are noted and then replaced by something harmless, so that one run finds all problems.
pub(super) struct Reader {
    /// The strongest first: environment, then file.
    pub(super) layers: [Layer; 2],
    pub(super) credentials: Option<PathBuf>,
    pub(super) known: BTreeSet<String>,
    pub(super) effective: Vec<Effective>,
    pub(super) problems: Vec<Problem>,
}

impl Reader {
    pub(super) fn new(sources: &Sources) -> Self {
        let mut problems = Vec::new();
        let file = sources.file.as_ref().map_or(Ok(Layer::new()), layer_of_file).unwrap_or_else(|problem| {
            problems.push(problem);
            Layer::new()
        });
        Self {
            layers: [layer_of_environment(&sources.env), file],
            credentials: sources.credentials.clone(),
            known: BTreeSet::new(),
            effective: Vec::new(),
            problems,
        }
    }

    /// A key that may be left out or empty.
    pub(super) fn optional<T: Setting>(&mut self, path: &'static str) -> Option<T> {
        let (value, origin) = match self.given::<T>(path) {
            Some((value, origin)) if value.as_str() != Some("") => (value, origin),
            _ => {
                self.note(path, Value::from(""), None);
                return None;
            }
        };
        match T::read(&value) {
            Ok(read) => {
                self.note(path, read.show(), Some(origin));
                Some(read)
            }
            Err(expected) => {
                self.problems.push(Problem {
                    path: path.into(),
                    origin: Some(origin),
                    fault: Fault::Invalid(expected),
                });
                None
            }
        }
    }

    /// A key without which nothing works.
    pub(super) fn required<T: Setting>(&mut self, path: &'static str) -> Option<T> {
        let before = self.problems.len();
        let read = self.optional(path);
        if read.is_none() && self.problems.len() == before {
            self.problems.push(Problem { path: path.into(), origin: None, fault: Fault::missing(path, false) });
        }
        read
    }

    /// A key with a default.
    pub(super) fn or<T: Setting>(&mut self, path: &'static str, default: T) -> T {
        let Some((value, origin)) = self.given::<T>(path) else {
            self.note(path, default.show(), None);
            return default;
        };
        match T::read(&value) {
            Ok(read) => {
                let default = read.show() == default.show();
                self.note(path, read.show(), Some(origin).filter(|_| !default));
                read
            }
            Err(expected) => {
                self.problems.push(Problem {
                    path: path.into(),
                    origin: Some(origin),
                    fault: Fault::Invalid(expected),
                });
                default
            }
        }
    }

    /// A duration with a default and limits.
    pub(super) fn duration(
        &mut self,
        path: &'static str,
        default: Duration,
        limits: RangeInclusive<Duration>,
    ) -> Duration {
        let read = self.or(path, default);
        if limits.contains(&read) {
            return read;
        }
        let (from, to) = (humantime::format_duration(*limits.start()), humantime::format_duration(*limits.end()));
        self.refuse(path, format!("expected a duration from {from} to {to}"));
        default
    }

    /// Notes that a key's value, though well formed, will not do.
    pub(super) fn refuse(&mut self, path: &str, why: impl Into<String>) {
        let origin = self.entry(path).map(|entry| entry.origin.clone());
        self.problems.push(Problem { path: path.into(), origin, fault: Fault::Invalid(why.into()) });
    }

    pub(super) fn note(&mut self, path: &'static str, shown: Value, origin: Option<Origin>) {
        self.effective.push(Effective { path, shown, origin });
    }

    pub(super) fn entry(&self, path: &str) -> Option<&Entry> {
        self.layers.iter().find_map(|layer| layer.get(path))
    }

    fn given<T: Setting>(&mut self, path: &'static str) -> Option<(Value, Origin)> {
        self.known.insert(path.into());
        let entry = self.entry(path)?;
        let value = match &entry.given {
            Given::Toml(value) => value.clone(),
            Given::Text(text) => T::spelled(text),
        };
        Some((value, entry.origin.clone()))
    }
}
