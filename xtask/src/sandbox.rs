//! `cargo xtask sandbox`: the whole of Offdesk on one machine, without a Twilio account.

use crate::args::Args;
use crate::error::Result;
use crate::install::openssl;
use crate::place::Place;
use crate::process::Program;

pub(crate) const HELP: &str = "\
Usage: cargo xtask sandbox [ARGUMENTS OF offdesk sandbox]

Builds the daemon and runs `offdesk sandbox`: the gateway and a stand-in for Twilio in one process, with no account and
no configuration. It prints where its page is, and stays up until Ctrl-C. The first build takes some minutes.

Everything after the command is passed on: `cargo xtask sandbox --port 8080`.
`cargo xtask sandbox -- --help` lists what the sandbox itself understands.
";

pub(crate) fn run(place: &Place, args: Args) -> Result<()> {
    openssl::ensure()?;
    place.cargo().args(["build", "--locked", "--bin", "offdesk"]).run()?;
    let daemon = place.target().join("debug/offdesk");
    Program::new(daemon).arg("sandbox").args(args.rest()).replace_us()
}
