//! What a check says: one line, and a cure where one is needed.

use std::io::{self, Write};

use serde::Serialize;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Level {
    Ok,
    Warn,
    Fail,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Finding {
    pub(super) level: Level,
    /// What was looked at.
    pub(super) check: &'static str,
    pub(super) what: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) cure: Option<String>,
}

pub(super) fn ok(check: &'static str, what: impl Into<String>) -> Finding {
    Finding { level: Level::Ok, check, what: what.into(), cure: None }
}

pub(super) fn warn(check: &'static str, what: impl Into<String>, cure: impl Into<String>) -> Finding {
    Finding { level: Level::Warn, check, what: what.into(), cure: Some(cure.into()) }
}

pub(super) fn fail(check: &'static str, what: impl Into<String>, cure: impl Into<String>) -> Finding {
    Finding { level: Level::Fail, check, what: what.into(), cure: Some(cure.into()) }
}

impl Finding {
    pub(super) fn tell(&self) -> io::Result<()> {
        let mut out = io::stdout().lock();
        let level = match self.level {
            Level::Ok => "ok",
            Level::Warn => "warn",
            Level::Fail => "fail",
        };
        writeln!(out, "{level:4}  {:11}  {}", self.check, self.what)?;
        if let Some(cure) = &self.cure {
            writeln!(out, "{:4}  {:11}  cure: {cure}", "", "")?;
        }
        out.flush()
    }
}
