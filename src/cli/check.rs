//! `offdesk config check`.

use std::io::{self, Write};

use super::{Environment, Failure, setting::ConfigFile};
use crate::config;

pub(super) fn run(file: &ConfigFile, env: &Environment) -> Result<(), Failure> {
    let (_, effective) = file.read(env)?;
    io::stdout().write_all(config::show(&effective).as_bytes())?;
    Ok(())
}
