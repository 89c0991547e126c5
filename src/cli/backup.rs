//! `offdesk backup` and `offdesk restore`, while the daemon is stopped.

use std::{
    io::{self, Write},
    path::{Path, PathBuf},
};

use clap::Args;

use super::{Environment, Failure, failure::Exit, progress::Progress, setting::ConfigFile, stopped};
use crate::{
    clock::Clock,
    store::backup::{self, BackupError, Replace},
};

#[derive(Clone, Debug, Args)]
pub(super) struct Options {
    /// The backup: JSON lines
    file: PathBuf,
    #[command(flatten)]
    config: ConfigFile,
}

pub(super) fn back_up(options: &Options, env: &Environment) -> Result<(), Failure> {
    let data = options.config.data_dir(env)?;
    let clock = Clock::system();
    let store = stopped::open_existing(&data, &clock)?;
    let mut progress = Progress::new("records written");
    let written = backup::write(store.as_ref(), &options.file, clock.now(), &mut |records| progress.at(records));
    progress.done();
    let summary = written.map_err(|error| failure(&error, &options.file, &data.store()))?;
    writeln!(io::stdout(), "{} records are in {}", summary.records, options.file.display())?;
    Ok(())
}

/// What was kept before stays beside the store, so that a restore takes nothing away.
pub(super) fn restore(options: &Options, env: &Environment) -> Result<(), Failure> {
    let data = options.config.data_dir(env)?;
    stopped::refuse_strangers(&data)?;
    let store = data.store();
    let mut progress = Progress::new("records");
    let aside = Replace::MoveAside(Clock::system().now());
    let restored = backup::restore(&store, &options.file, aside, &mut |records| progress.at(records));
    progress.done();
    let (summary, kept) = restored.map_err(|error| failure(&error, &options.file, &store))?;
    let mut out = io::stdout().lock();
    writeln!(out, "{} records were restored from {}", summary.records, options.file.display())?;
    if let Some(kept) = kept {
        writeln!(out, "what was there before is in {}", kept.display())?;
    }
    Ok(())
}

fn failure(error: &BackupError, file: &Path, store: &Path) -> Failure {
    match error {
        BackupError::Store(error) => Failure::store(error, store),
        BackupError::Io { error, .. } => Failure::file(file, "used", error),
        BackupError::Newer { .. } => Failure::usage(error.to_string(), "install the newer version and restore with it"),
        BackupError::NotABackup | BackupError::Damaged { .. } | BackupError::CutOff | BackupError::Changed => {
            Failure::usage(format!("{}: {error}", file.display()), "take another backup; nothing was changed")
        }
        BackupError::NotEmpty => Failure::new(Exit::Internal, error.to_string(), "move the store aside"),
    }
}
