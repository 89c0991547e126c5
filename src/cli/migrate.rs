//! `offdesk migrate`: the agents of a system before this one.

use clap::{Args, Subcommand};

use super::{
    Environment, Failure, agent,
    setting::ConfigFile,
    stopped::Purpose,
    takeover::{self, Manner, Reader},
};
use crate::domain::SyncServiceSid;

#[derive(Debug, Args)]
pub(super) struct Options {
    #[command(flatten)]
    config: ConfigFile,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Add the agents of a Flex Mobile proof of concept who are no agents yet, all or none; tokens are not taken over
    FlexMobile {
        /// The Sync service that it keeps its agents in
        #[arg(long, value_name = "IS…")]
        sync_service_sid: SyncServiceSid,
        /// Tell what would be done, and do nothing
        #[arg(long)]
        dry_run: bool,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
}

pub(super) fn run(options: &Options, env: &Environment) -> Result<(), Failure> {
    let Command::FlexMobile { sync_service_sid, dry_run, json } = &options.command;
    let purpose = if *dry_run { Purpose::Reading } else { Purpose::Changing };
    let agents = agent::open(&options.config, env, purpose)?;
    let twilio = Reader::new(&options.config.load(env)?)?;
    let found = twilio.flex_mobile(sync_service_sid)?;
    takeover::carry_out(found, &*agents, Manner { dry_run: *dry_run, json: *json })
}
