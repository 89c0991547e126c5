//! What is wrong with a configuration: all of it at once, one line each, and never a value.

use std::fmt;

use super::source::{Origin, variable};

/// Why a configuration cannot be used.
#[derive(Clone, Debug, thiserror::Error)]
pub struct ConfigError {
    pub problems: Vec<Problem>,
}

/// One thing that is wrong, with the key and who said it.
#[derive(Clone, Debug)]
pub struct Problem {
    /// The key with its tables, such as `twilio.auth_token`; empty if the whole file is meant.
    pub path: String,
    pub origin: Option<Origin>,
    pub fault: Fault,
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    #[error("not TOML: {0}")]
    Syntax(String),
    #[error("unknown key; the nearest known one is {nearest}")]
    Unknown { nearest: String },
    #[error("is a table; its keys are set one by one")]
    Table,
    #[error("not in this version")]
    NotInThisVersion,
    #[error("required, but not set; {0}")]
    Missing(String),
    #[error("{0}")]
    Invalid(String),
}

impl Fault {
    /// For a key that has to be set: says where it may be.
    pub(super) fn missing(path: &str, secret: bool) -> Self {
        let file = if secret { format!(", as a file's name in {path}_file") } else { String::new() };
        Self::Missing(format!("set it in the configuration file{file} or as {}", variable(path)))
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.origin, self.path.as_str()) {
            (Some(origin), "") => write!(f, "{origin}: {}", self.fault),
            (Some(origin), path) => write!(f, "{path} ({origin}): {}", self.fault),
            (None, path) => write!(f, "{path}: {}", self.fault),
        }
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, problem) in self.problems.iter().enumerate() {
            let separator = if number == 0 { "" } else { "\n" };
            write!(f, "{separator}{problem}")?;
        }
        Ok(())
    }
}
