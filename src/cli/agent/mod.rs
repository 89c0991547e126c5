//! `offdesk agent`: who the agents are, as the running daemon has them, or on the store of a stopped one.
//!
//! Both are [`Agents`]. Whatever else brings agents from elsewhere writes the JSON lines that [`Agents::import`] takes.

mod daemon;
mod fields;
mod import;
mod list;
mod profiles;

use std::{
    io::{self, BufRead, Write},
    path::{Path, PathBuf},
    str::FromStr,
};

use clap::{Args, Subcommand};

use self::{daemon::Daemon, fields::Fields, profiles::Profiles};
use super::{Environment, Failure, remote::Remote, setting::ConfigFile, stopped};
use crate::{
    clock::Clock,
    domain::{AgentId, E164, Profile},
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
        /// Only those with this in their name, e-mail address or phone number
        #[arg(long, value_name = "TEXT", default_value = "")]
        search: String,
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
        /// Delete the TaskRouter worker too
        #[arg(long)]
        worker: bool,
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

/// What is done with each of several agents.
type Each<'a> = dyn FnMut(Profile) -> Result<(), Failure> + 'a;

/// What is left of a removed agent, a line a thing.
#[derive(Debug, Default)]
struct Removal {
    left: Vec<String>,
}

/// Where agents are managed.
trait Agents {
    /// Those whom a search finds, in the order of their ids; an empty one finds all.
    fn each(&self, search: &str, each: &mut Each<'_>) -> Result<(), Failure>;

    fn find(&self, name: &Name) -> Result<Profile, Failure>;

    fn add(&self, fields: &Fields) -> Result<AgentId, Failure>;

    fn update(&self, name: &Name, fields: &Fields) -> Result<(), Failure>;

    fn remove(&self, name: &Name, worker: bool) -> Result<Removal, Failure>;

    /// Adds the agents of JSON lines, all or none; answers how many. `file` is for the errors.
    fn import(&self, lines: &mut dyn BufRead, file: &Path) -> Result<usize, Failure>;
}

pub(super) fn run(options: &Options, env: &Environment) -> Result<(), Failure> {
    if let Command::Import { from_taskrouter: true, .. } = options.command {
        return Err(Failure::not_in_this_version("agent import --from-taskrouter"));
    }
    let (data, clock) = (options.config.data_dir(env)?, Clock::system());
    match stopped::open_unless_running(&data, &clock)? {
        Some(store) => carry_out(&options.command, &Profiles::new(store, clock)?),
        None => carry_out(&options.command, &Daemon(Remote::new(&options.config.daemon(env)?)?)),
    }
}

fn carry_out(command: &Command, agents: &dyn Agents) -> Result<(), Failure> {
    match command {
        Command::Add(fields) => Ok(writeln!(io::stdout(), "{}", agents.add(fields)?)?),
        Command::List { search, json } => list::list(agents, search, *json),
        Command::Show { agent, json } => list::show(agents, agent, *json),
        Command::Update { agent, fields } => agents.update(agent, fields),
        Command::Remove { agent, worker } => {
            let left = agents.remove(agent, *worker)?.left;
            left.iter().try_for_each(|line| Ok(writeln!(io::stdout(), "{line}")?))
        }
        Command::Import { file, .. } => {
            let file = file.as_deref().unwrap_or(Path::new("-"));
            match agents.import(&mut import::open(file)?, file)? {
                1 => writeln!(io::stdout(), "1 agent was added")?,
                count => writeln!(io::stdout(), "{count} agents were added")?,
            }
            Ok(())
        }
    }
}
