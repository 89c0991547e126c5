//! `offdesk agent`: who the agents are, on the stopped daemon's store.

mod change;
mod import;
mod list;
mod profiles;

use std::{path::PathBuf, str::FromStr};

use clap::{Args, Subcommand};

use self::{change::Fields, profiles::Profiles};
use super::{Environment, Failure, setting::ConfigFile, stopped};
use crate::{
    clock::Clock,
    domain::{AgentId, E164},
};

#[derive(Debug, Args)]
pub(super) struct Options {
    #[command(flatten)]
    config: ConfigFile,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Add an agent and print its id
    Add(Fields),
    /// List the agents
    List {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Show one agent
    Show {
        /// Its id or phone number
        agent: Name,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Change an agent; an empty text empties a field
    Update {
        /// Its id or phone number
        agent: Name,
        #[command(flatten)]
        fields: Fields,
    },
    /// Remove an agent
    Remove {
        /// Its id or phone number
        agent: Name,
    },
    /// Add agents from JSON lines, all or none: {phone, name, email?, roles?, department?, worker_sid?, worker_name?, sip_username?}
    Import {
        /// The file; a hyphen stands for standard input
        #[arg(required_unless_present = "from_taskrouter")]
        file: Option<PathBuf>,
        #[arg(long, hide = true)]
        from_taskrouter: bool,
        #[arg(long, hide = true)]
        phone_attribute: Option<String>,
        #[arg(long, hide = true)]
        dry_run: bool,
    },
}

/// How an agent is named on the command line: by its id or its phone number.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Name {
    Id(AgentId),
    Phone(E164),
}

impl FromStr for Name {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let id = text.parse().map(Self::Id).ok();
        let name = id.or_else(|| text.parse().map(Self::Phone).ok());
        name.ok_or("expected an agent's id (16 hexadecimal digits) or phone number (+ and digits)")
    }
}

pub(super) fn run(options: &Options, env: &Environment) -> Result<(), Failure> {
    if let Command::Import { from_taskrouter: true, .. } = options.command {
        return Err(Failure::not_in_this_version("agent import --from-taskrouter"));
    }
    let data = options.config.data_dir(env)?;
    let clock = Clock::system();
    let profiles = Profiles::new(stopped::open(&data, &clock)?);
    match &options.command {
        Command::Add(fields) => change::add(&profiles, fields, clock.now()),
        Command::List { json } => list::list(&profiles, *json),
        Command::Show { agent, json } => list::show(&profiles, agent, *json),
        Command::Update { agent, fields } => change::update(&profiles, agent, fields),
        Command::Remove { agent } => change::remove(&profiles, agent),
        Command::Import { file, .. } => import::import(&profiles, file.as_deref(), clock.now()),
    }
}
