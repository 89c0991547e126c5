//! `cargo xtask web`: the agents' app, once there is one.

use crate::args::Args;
use crate::error::Result;
use crate::place::Place;

pub(crate) const HELP: &str = "\
Usage: cargo xtask web

Builds the agents' and supervisors' app. This version has none: agents take their calls on the cell phone.
";

pub(crate) fn run(_place: &Place, args: Args) -> Result<()> {
    args.finish()?;
    println!("web: there is no web app in this version, nothing to build");
    Ok(())
}
