//! The folder of the daemon's data: all of a configuration that a command on the stopped store needs to know.

use std::path::{Path, PathBuf};

use super::{ConfigError, Reader, Sources};

/// `data_dir`: where the store lies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DataDir(PathBuf);

impl DataDir {
    /// Reads this key alone. Whoever may manage agents need not be able to read the daemon's secrets, which systemd may
    /// hand to the daemon only.
    pub fn read(sources: &Sources) -> Result<Self, ConfigError> {
        let mut reader = Reader::new(sources);
        let folder = if reader.problems.is_empty() { Some(Self::of(&mut reader)) } else { None };
        match folder {
            Some(folder) if reader.problems.is_empty() => Ok(folder),
            _ => Err(ConfigError { problems: reader.problems }),
        }
    }

    pub(super) fn of(reader: &mut Reader) -> Self {
        Self(reader.or("data_dir", PathBuf::from("/var/lib/offdesk")))
    }

    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Where the store lies.
    pub fn store(&self) -> PathBuf {
        self.0.join("store")
    }

    /// Where its automatic copies lie.
    pub fn backups(&self) -> PathBuf {
        self.0.join("backup")
    }
}
