//! `offdesk audit`: whether the log is as it was written, and the log itself.

use std::io::{self, BufWriter, Write};

use clap::{Args, Subcommand};
use serde_json::Value;

use super::{
    Environment, Failure,
    failure::Exit,
    remote::{self, Body, Method, Remote},
    setting::ConfigFile,
    stopped::{self, Purpose},
};
use crate::{
    audit::{Entry, verify},
    clock::Clock,
    store::{Cursor, Sequence, StoreHandle, wait},
};

/// Entries read in one go.
const PAGE: usize = 500;

#[derive(Debug, Args)]
pub(super) struct Options {
    #[command(flatten)]
    config: ConfigFile,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Look for an entry that is changed, missing or misplaced; ends with 70 if there is one
    Verify {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Print all entries as JSON lines, the oldest first
    Export,
}

pub(super) fn run(options: &Options, env: &Environment) -> Result<(), Failure> {
    let data = options.config.data_dir(env)?;
    match (stopped::open_unless_running(&data, &Clock::system(), Purpose::Reading)?, &options.command) {
        (Some(store), Command::Verify { json }) => {
            let verdict = wait(verify(&store))?;
            tell(&serde_json::to_value(verdict).map_err(io::Error::from)?, *json)
        }
        (Some(store), Command::Export) => export(&store),
        (None, Command::Verify { json }) => {
            let remote = Remote::new(&options.config.daemon(env)?)?;
            tell(&remote.call(Method::GET, "/audit/verify", Body::Nothing)?, *json)
        }
        (None, Command::Export) => {
            let remote = Remote::new(&options.config.daemon(env)?)?;
            let mut out = io::stdout().lock();
            out.write_all(remote.text(Method::GET, "/audit/export", Body::Nothing)?.as_bytes())?;
            Ok(out.flush()?)
        }
    }
}

/// What was found, as JSON or in a line; a bad entry is a failure.
fn tell(verdict: &Value, json: bool) -> Result<(), Failure> {
    let (Some(ok), Some(entries)) = (verdict["ok"].as_bool(), verdict["entries"].as_u64()) else {
        return Err(remote::strange());
    };
    if json {
        writeln!(io::stdout(), "{verdict}")?;
    }
    if ok {
        return if json { Ok(()) } else { Ok(writeln!(io::stdout(), "{entries} entries, all as they were written")?) };
    }
    let cause = format!("entry {} is not as it was written: {}", verdict["first_bad"], verdict["fault"]);
    Err(Failure::new(
        Exit::Internal,
        cause,
        "compare it with a backup or an earlier export, and find out who can write the store",
    ))
}

fn export(store: &StoreHandle) -> Result<(), Failure> {
    let mut out = BufWriter::new(io::stdout().lock());
    let mut after = Cursor::behind::<Entry>(&Sequence::new(0));
    loop {
        let page = wait(store.page::<Entry>(Some(&after), PAGE))?;
        let Some((last, _)) = page.last() else { break };
        after = last.clone();
        for entry in page.into_iter().filter_map(|(_, entry)| entry.ok()) {
            writeln!(out, "{}", serde_json::to_string(&entry).map_err(io::Error::from)?)?;
        }
    }
    Ok(out.flush()?)
}
