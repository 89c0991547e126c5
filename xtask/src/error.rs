//! The one error of `cargo xtask`: a cause, and the line to type where there is one.

use std::fmt;

pub(crate) type Result<T, E = Error> = std::result::Result<T, E>;

/// What went wrong, in words for the person at the terminal.
#[derive(Debug)]
pub(crate) struct Error {
    cause: String,
    cure: Option<String>,
    usage: bool,
}

// === impl Error ===

impl Error {
    pub(crate) fn new(cause: impl Into<String>) -> Self {
        Self { cause: cause.into(), cure: None, usage: false }
    }

    /// A command line that is not understood.
    pub(crate) fn usage(cause: impl Into<String>) -> Self {
        Self { cause: cause.into(), cure: Some("cargo xtask --help".to_owned()), usage: true }
    }

    /// Names the line that cures it.
    #[must_use]
    pub(crate) fn cure(mut self, line: impl Into<String>) -> Self {
        self.cure = Some(line.into());
        self
    }

    /// 64 (`EX_USAGE`) for a command line that is not understood, else 1.
    pub(crate) fn exit_code(&self) -> u8 {
        if self.usage { 64 } else { 1 }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.cause)?;
        self.cure.iter().try_for_each(|line| write!(f, "\n  cure: {line}"))
    }
}

impl std::error::Error for Error {}

impl From<std::io::Error> for Error {
    fn from(cause: std::io::Error) -> Self {
        Self::new(cause.to_string())
    }
}

impl From<crate::args::UsageError> for Error {
    fn from(cause: crate::args::UsageError) -> Self {
        Self::usage(cause.to_string())
    }
}
