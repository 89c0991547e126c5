//! `offdesk agent`: who the agents are, as the running daemon has them, or on the store of a stopped one.
//!
//! Both are [`Agents`]. What brings agents from elsewhere (`takeover`) writes the JSON lines that [`Agents::import`] takes.

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
use super::{
    Environment, Failure,
    remote::Remote,
    setting::ConfigFile,
    stopped::{self, Purpose},
    takeover::{self, Manner, Reader},
};
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
    /// Add agents, all or none: from JSON lines {phone, name, email?, roles?, department?, worker_sid?, worker_name?,
    /// sip_username?}, or from TaskRouter
    Import {
        /// The file; a hyphen stands for standard input
        #[arg(required_unless_present = "from_taskrouter", conflicts_with = "from_taskrouter")]
        file: Option<PathBuf>,
        /// Add the workers of the workspace who are no agents yet
        #[arg(long)]
        from_taskrouter: bool,
        /// The worker attribute with the phone number [default: contact_uri, phone or mobile, or the name user-<number>]
        #[arg(long, value_name = "NAME", requires = "from_taskrouter", conflicts_with = "file")]
        phone_attribute: Option<String>,
        /// Tell what would be done, and do nothing
        #[arg(long, requires = "from_taskrouter", conflicts_with = "file")]
        dry_run: bool,
        /// Print JSON
        #[arg(long, requires = "from_taskrouter", conflicts_with = "file")]
        json: bool,
    },
}

impl Command {
    const fn purpose(&self) -> Purpose {
        match self {
            Self::List { .. } | Self::Show { .. } | Self::Import { dry_run: true, .. } => Purpose::Reading,
            Self::Add(_) | Self::Update { .. } | Self::Remove { .. } | Self::Import { .. } => Purpose::Changing,
        }
    }
}

/// How an agent is named on the command line: by its id or its phone number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Name {
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
pub(super) type Each<'a> = dyn FnMut(Profile) -> Result<(), Failure> + 'a;

/// What is left of a removed agent, a line a thing.
#[derive(Debug, Default)]
pub(super) struct Removal {
    left: Vec<String>,
}

/// Where agents are managed.
pub(super) trait Agents {
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
    let agents = open(&options.config, env, options.command.purpose())?;
    if let Command::Import { from_taskrouter: true, phone_attribute, dry_run, json, .. } = &options.command {
        let twilio = Reader::new(&options.config.load(env)?)?;
        let found = twilio.workers(phone_attribute.as_deref())?;
        return takeover::carry_out(found, &*agents, Manner { dry_run: *dry_run, json: *json });
    }
    carry_out(&options.command, &*agents)
}

/// The agents of the daemon if it runs, else those on its store.
pub(super) fn open(config: &ConfigFile, env: &Environment, purpose: Purpose) -> Result<Box<dyn Agents>, Failure> {
    let (data, clock) = (config.data_dir(env)?, Clock::system());
    Ok(match stopped::open_unless_running(&data, &clock, purpose)? {
        Some(store) => {
            // Commands on the store need no whole configuration; without one, no SIP password can be set.
            let realm = config.load(env).ok().and_then(|config| config.sip).map(|sip| sip.domain.to_string());
            Box::new(Profiles::new(store, clock, realm)?)
        }
        None => Box::new(Daemon(Remote::new(&config.daemon(env)?)?)),
    })
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
