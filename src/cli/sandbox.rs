//! `offdesk sandbox`: the daemon and a stand-in for Twilio in one process.

use std::path::PathBuf;

use clap::Args;

use super::Failure;

#[derive(Clone, Debug, Args)]
pub(super) struct Options {
    /// The app's port
    #[arg(long, value_name = "N", default_value_t = 8080)]
    pub(super) port: u16,
    /// Where the store lies [default: a temporary folder]
    #[arg(long, value_name = "DIR")]
    pub(super) data: Option<PathBuf>,
    /// How many tasks there are at the start
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(super) seed_tasks: u32,
    #[arg(long, value_name = "N", hide = true)]
    seed_messages: Option<u32>,
}

pub(super) fn run(options: &Options) -> Result<(), Failure> {
    if options.seed_messages.is_some() {
        return Err(Failure::not_in_this_version("--seed-messages"));
    }
    Err(Failure::not_in_this_version("sandbox"))
}
