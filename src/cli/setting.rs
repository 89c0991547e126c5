//! Finding and reading the configuration.

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
};

use clap::Args;

use super::{Environment, Failure};
use crate::config::{Config, ConfigError, DaemonAccess, DataDir, Effective, FileText, Sources};

/// Where packages and the manual put the configuration.
const DEFAULT_FILE: &str = "/etc/offdesk/offdesk.toml";

/// The option that every command with a configuration has.
#[derive(Clone, Debug, Args)]
pub(super) struct ConfigFile {
    /// The configuration [default: /etc/offdesk/offdesk.toml]
    #[arg(long = "config", value_name = "FILE", global = true)]
    path: Option<PathBuf>,
}

impl ConfigFile {
    pub(super) fn load(&self, env: &Environment) -> Result<Config, Failure> {
        self.read(env).map(|(config, _)| config)
    }

    pub(super) fn read(&self, env: &Environment) -> Result<(Config, Vec<Effective>), Failure> {
        let sources = self.sources(env)?;
        Config::read(&sources).map_err(|error| self.refused(&error, &sources))
    }

    /// [`ConfigFile::read`], where a file that is not there will be made: the environment has to hold what is needed.
    pub(super) fn read_or_write(&self, env: &Environment) -> Result<(Config, Vec<Effective>), Failure> {
        let missing = fs::symlink_metadata(self.path()).is_err_and(|error| error.kind() == io::ErrorKind::NotFound);
        if !missing {
            return self.read(env);
        }
        let sources = Self::sources_of(None, env);
        Config::read(&sources).map_err(|error| self.refused(&error, &sources))
    }

    /// Where the data lies, for commands that need nothing else.
    pub(super) fn data_dir(&self, env: &Environment) -> Result<DataDir, Failure> {
        let sources = self.sources(env)?;
        DataDir::read(&sources).map_err(|error| self.refused(&error, &sources))
    }

    /// How the running daemon is reached, for commands that find it running.
    pub(super) fn daemon(&self, env: &Environment) -> Result<DaemonAccess, Failure> {
        let sources = self.sources(env)?;
        DaemonAccess::read(&sources).map_err(|error| self.refused(&error, &sources))
    }

    fn refused(&self, error: &ConfigError, sources: &Sources) -> Failure {
        if sources.file.is_some() {
            return Failure::config(error, self.path());
        }
        let cure = format!("write {DEFAULT_FILE}, which is not there, or name another file with --config");
        Failure::usage(error.to_string(), cure)
    }

    fn sources(&self, env: &Environment) -> Result<Sources, Failure> {
        Ok(Self::sources_of(self.text()?, env))
    }

    fn sources_of(file: Option<FileText>, env: &Environment) -> Sources {
        Sources {
            file,
            env: env
                .iter()
                .map(|(name, value)| (name.to_string_lossy().into_owned(), value.to_string_lossy().into_owned()))
                .collect::<BTreeMap<_, _>>(),
            credentials: env.iter().find(|(name, _)| name == "CREDENTIALS_DIRECTORY").map(|(_, folder)| folder.into()),
        }
    }

    pub(super) fn path(&self) -> &Path {
        self.path.as_deref().unwrap_or(Path::new(DEFAULT_FILE))
    }

    /// The file's text. The default file may be missing: then the environment has to hold what is needed.
    fn text(&self) -> Result<Option<FileText>, Failure> {
        match fs::read_to_string(self.path()) {
            Ok(text) => Ok(Some(FileText { path: self.path().into(), text })),
            Err(error) if error.kind() == io::ErrorKind::NotFound && self.path.is_none() => Ok(None),
            Err(error) => Err(Failure::file(self.path(), "read", &error)),
        }
    }
}
