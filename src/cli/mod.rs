//! The command line: what is asked for, and how it ends.

mod agent;
mod audit;
mod backup;
mod check;
mod daemon;
mod doctor;
mod failure;
mod migrate;
mod openapi;
mod progress;
mod push;
mod remote;
mod sandbox;
mod serve;
mod setting;
mod setup;
mod shutdown;
mod stopped;
mod takeover;

use std::{ffi::OsString, process::ExitCode};

use clap::{Parser, Subcommand, error::ErrorKind};

use self::{failure::Failure, setting::ConfigFile};
use crate::telemetry;

/// What the process was started with.
#[derive(Clone, Debug)]
pub struct Invocation {
    pub args: Vec<OsString>,
    pub env: Vec<(OsString, OsString)>,
}

/// Lets Twilio Flex agents leave the desk: tasks and calls on their phones.
#[derive(Debug, Parser)]
#[command(name = "offdesk", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the daemon
    Serve(ConfigFile),
    /// Run the daemon and a local stand-in for Twilio, to try things out: no account and no configuration needed
    Sandbox(sandbox::Options),
    /// Look at the configuration
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Manage agents, by the running daemon or on the store of a stopped one
    Agent(Box<agent::Options>),
    /// Write all that is kept to a file, as JSON lines
    Backup(backup::Options),
    /// Take a backup back in place of what is kept
    Restore(backup::Options),
    /// Print the OpenAPI document of `/api/v1`
    Openapi,
    /// Look through the audit log, or print it
    Audit(audit::Options),
    /// Look for what is wrong, and tell what cures it
    Doctor(doctor::Options),
    /// Take over the agents of another system
    Migrate(migrate::Options),
    /// See what became of notifications
    Push(push::Options),
    /// Make the Twilio side ready: activities, events, one-time passwords and keys; or put it back as it was
    Setup(setup::Options),
}

#[derive(Debug, Subcommand)]
enum ConfigCommand {
    /// Print the configuration in effect without its secrets, and where each value comes from
    Check(ConfigFile),
}

/// Does what was asked for. Errors go to standard error.
pub fn run(invocation: &Invocation) -> ExitCode {
    let cli = match Cli::try_parse_from(&invocation.args) {
        Ok(cli) => cli,
        Err(error) if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) => {
            return error.print().map_or_else(|error| Failure::from(error).report(), |()| ExitCode::SUCCESS);
        }
        Err(error) => return Failure::from(error).report(),
    };
    match dispatch(cli.command, &invocation.env) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}

type Environment = [(OsString, OsString)];

fn dispatch(command: Command, env: &Environment) -> Result<(), Failure> {
    telemetry::log(&log_levels(&command, env))?;
    match command {
        Command::Serve(file) => serve::run(&file, env),
        Command::Sandbox(options) => sandbox::run(&options),
        Command::Config(ConfigCommand::Check(file)) => check::run(&file, env),
        Command::Agent(options) => agent::run(&options, env),
        Command::Backup(options) => backup::back_up(&options, env),
        Command::Restore(options) => backup::restore(&options, env),
        Command::Openapi => openapi::run(),
        Command::Audit(options) => audit::run(&options, env),
        Command::Doctor(options) => doctor::run(&options, env),
        Command::Migrate(options) => migrate::run(&options, env),
        Command::Push(options) => push::run(&options, env),
        Command::Setup(options) => setup::run(&options, env),
    }
}

/// `RUST_LOG`, or what is worth reading.
fn log_levels(command: &Command, env: &Environment) -> String {
    let wished = env.iter().find(|(name, value)| name == "RUST_LOG" && !value.is_empty());
    match (wished, command) {
        (Some((_, levels)), _) => levels.to_string_lossy().into_owned(),
        // actix-server tells of each listener what we tell of all.
        (None, Command::Serve(_)) => "info,actix_server=warn".into(),
        (None, _) => "warn".into(),
    }
}
