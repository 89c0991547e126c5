//! `cargo xtask lint`: formatting, clippy, and the dependency policy of `deny.toml`.

use crate::args::Args;
use crate::error::Result;
use crate::group::{Group, Without};
use crate::install::{cargo_tool::DENY, openssl};
use crate::place::Place;
use crate::steps::Steps;

pub(crate) const HELP: &str = "\
Usage: cargo xtask lint [--fix] [--without deny]

Checks formatting (rustfmt.toml), clippy with warnings as errors (clippy.toml), and licences, bans and sources of
every dependency (deny.toml). cargo-deny is built into the cache folder if it is missing.

  --fix             format, and let clippy repair what it can, before the check
  --without deny    leave the dependency policy out
";

pub(crate) fn run(place: &Place, mut args: Args) -> Result<()> {
    let fix = args.flag("--fix");
    let without = Without::take(&mut args)?;
    args.finish()?;
    let mut steps = Steps::new("lint");
    if fix {
        steps.run("fix", || repair(place))?;
    }
    check(place, &without, &mut steps)?;
    steps.close();
    Ok(())
}

/// The three checks, as steps of whoever asks.
pub(crate) fn check(place: &Place, without: &Without, steps: &mut Steps) -> Result<()> {
    steps.run("formatting", || place.cargo().args(["fmt", "--all", "--check"]).run())?;
    steps.run("OpenSSL's headers", openssl::ensure)?;
    steps.run("clippy", || clippy(place).args(["--", "-D", "warnings"]).run())?;
    if without.leaves_out(Group::Deny) {
        steps.leave_out(Group::Deny.to_string());
        return Ok(());
    }
    steps.run("cargo-deny", || DENY.ensure(place))?;
    steps.run("dependency policy", || {
        place.cargo().args(["deny", "--log-level", "error", "check", "licenses", "bans", "sources"]).run()
    })
}

fn repair(place: &Place) -> Result<()> {
    clippy(place).args(["--fix", "--allow-dirty", "--allow-staged"]).run()?;
    place.cargo().args(["fmt", "--all"]).run()
}

fn clippy(place: &Place) -> crate::process::Program {
    place.cargo().args(["clippy", "--quiet", "--workspace", "--all-targets", "--locked"])
}
