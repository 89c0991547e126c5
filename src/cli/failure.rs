//! How a command ends when it does not succeed: an exit code, a line for each cause and a line of cure.

use std::{fmt, io, path::Path, process::ExitCode};

use clap::error::ErrorKind;

use crate::{config::ConfigError, store::StoreError, telemetry::TelemetryError};

/// Exit codes, after sysexits.h.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Exit {
    /// Bad usage or configuration.
    Usage = 64,
    /// A needed service cannot be reached.
    Unavailable = 69,
    Internal = 70,
    /// The store cannot be opened.
    NoStore = 73,
}

#[derive(Debug)]
pub(super) enum Failure {
    Told {
        exit: Exit,
        cause: String,
        cure: String,
    },
    /// The store is damaged, and was left where it is.
    Damaged {
        cause: String,
    },
    /// Whoever read our output has had enough, as `head` has: no failure at all.
    ReaderGone,
    /// What was looked for was found, and has been told.
    Found,
}

impl Failure {
    pub(super) fn new(exit: Exit, cause: impl Into<String>, cure: impl Into<String>) -> Self {
        Self::Told { exit, cause: cause.into(), cure: cure.into() }
    }

    pub(super) fn usage(cause: impl Into<String>, cure: impl Into<String>) -> Self {
        Self::new(Exit::Usage, cause, cure)
    }

    pub(super) fn config(error: &ConfigError, file: &Path) -> Self {
        let cure = format!(
            "set it right in {} or in the environment; offdesk config check tells whether it is",
            file.display()
        );
        Self::usage(error.to_string(), cure)
    }

    /// A store that did not open.
    pub(super) fn store(error: &StoreError, folder: &Path) -> Self {
        let cause = format!("the store in {} cannot be opened: {error}", folder.display());
        let cure = match error {
            StoreError::Damaged(_) => return Self::Damaged { cause },
            StoreError::Locked => "stop the daemon for the time being: systemctl stop offdesk",
            StoreError::NoSpace { .. } => "free some space on the store's file system",
            StoreError::Newer { .. } => "install the newer version again, or restore a backup into an empty folder",
            _ => "see that the folder belongs to the user who runs offdesk, and that it is on a healthy disk",
        };
        Self::new(Exit::NoStore, cause, cure)
    }

    pub(super) fn file(path: &Path, doing: &str, error: &io::Error) -> Self {
        let cause = format!("{} cannot be {doing}: {error}", path.display());
        let cure = match error.kind() {
            io::ErrorKind::IsADirectory => "name a file, not a folder",
            io::ErrorKind::PermissionDenied => "let the user who runs offdesk use it, or run offdesk as another",
            io::ErrorKind::StorageFull => "free some space there, or name a file elsewhere",
            _ => "name a file that is there and that the user who runs offdesk may use",
        };
        Self::usage(cause, cure)
    }

    /// Writes itself to standard error and answers how the process ends.
    pub(super) fn report(&self) -> ExitCode {
        match self {
            Self::ReaderGone => ExitCode::SUCCESS,
            Self::Found => ExitCode::FAILURE,
            Self::Told { exit, .. } => {
                eprintln!("{self}");
                ExitCode::from(*exit as u8)
            }
            Self::Damaged { .. } => {
                eprintln!("{self}");
                ExitCode::from(Exit::NoStore as u8)
            }
        }
    }
}

pub(super) const DAMAGED_CURE: &str = "start the daemon, which keeps it aside and puts the latest backup in its place; or \
                                       restore a backup of your own: offdesk restore FILE";

/// What should not have happened.
pub(super) fn internal(cause: &str) -> Failure {
    Failure::new(Exit::Internal, cause, "this is a fault of offdesk; please report it")
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Told { cause, cure, .. } => {
                cause.lines().try_for_each(|line| writeln!(f, "error: {line}"))?;
                write!(f, " cure: {cure}")
            }
            Self::Damaged { cause } => write!(f, "error: {}\n cure: {DAMAGED_CURE}", cause.replace('\n', " ")),
            Self::ReaderGone | Self::Found => Ok(()),
        }
    }
}

/// Commands read and write files by name, so that what is left is the output.
impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Self::ReaderGone,
            _ => Self::new(Exit::Internal, format!("the output cannot be written: {error}"), "see where it goes to"),
        }
    }
}

/// The store failed while it was in use.
impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::new(
            Exit::Internal,
            error.to_string(),
            "try again; if it fails again, offdesk restore takes a backup back",
        )
    }
}

impl From<TelemetryError> for Failure {
    fn from(error: TelemetryError) -> Self {
        match error {
            TelemetryError::Filter(_) => Self::usage(error.to_string(), "use a level such as RUST_LOG=debug"),
            _ => Self::new(Exit::Internal, error.to_string(), "this is a fault of offdesk; please report it"),
        }
    }
}

impl From<clap::Error> for Failure {
    /// clap explains itself over several paragraphs: the first is the cause, a tip or the usage the cure.
    fn from(error: clap::Error) -> Self {
        const HELP: &str = "offdesk --help lists what there is";
        if error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand {
            return Self::usage("a command is missing", HELP);
        }
        let text = error.render().to_string();
        let in_one_line = |paragraph: &str| paragraph.split_whitespace().collect::<Vec<_>>().join(" ");
        let mut paragraphs = text.split("\n\n").map(in_one_line).filter(|paragraph| !paragraph.is_empty());
        let cause = paragraphs.next().unwrap_or_default();
        let cure = paragraphs.find(|paragraph| !paragraph.starts_with("For more"));
        let cure = cure.as_deref().map_or_else(|| HELP.to_owned(), in_order);
        Self::usage(cause.trim_start_matches("error: "), cure)
    }
}

/// clap's tip, or its usage as a sentence.
fn in_order(paragraph: &str) -> String {
    match paragraph.strip_prefix("Usage: ") {
        Some(usage) => format!("type {usage}; --help explains it"),
        None => paragraph.trim_start_matches("tip: ").to_owned(),
    }
}
