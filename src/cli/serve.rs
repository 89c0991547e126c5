//! `offdesk serve`: the daemon.

use std::io::{self, Write};

use super::{Environment, Failure, daemon, setting::ConfigFile};

pub(super) fn run(file: &ConfigFile, env: &Environment) -> Result<(), Failure> {
    let config = file.load(env)?;
    daemon::run(&config, |ready| {
        // The one line on standard output, for whoever started us with port 0.
        let mut out = io::stdout().lock();
        serde_json::to_writer(&mut out, ready).map_err(io::Error::from)?;
        writeln!(out)?;
        Ok(out.flush()?)
    })
}
