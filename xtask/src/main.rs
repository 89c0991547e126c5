//! `cargo xtask`: everything that a contributor or a CI machine does, in one place and in Rust.
//!
//! It depends on nothing but the standard library, so that the first call on a fresh machine takes seconds.

// The tool that builds and tests is no part of the daemon: it reads the machine's clock as it likes.
#![allow(
    clippy::disallowed_methods,
    reason = "the daemon passes a clock around; this tool only prints how long a step took"
)]

mod args;
mod bench;
mod crash;
mod dist;
mod doctor;
mod error;
mod fuzz;
mod group;
mod install;
mod lint;
mod place;
mod process;
mod sandbox;
mod steps;
mod test;
mod unit;
mod web;

use std::process::ExitCode;

use crate::args::Args;
use crate::error::{Error, Result};
use crate::place::Place;

/// One word after `cargo xtask`.
struct Command {
    name: &'static str,
    about: &'static str,
    help: &'static str,
    run: fn(&Place, Args) -> Result<()>,
}

const COMMANDS: &[Command] = &[
    Command {
        name: "sandbox",
        about: "run the daemon beside a stand-in for Twilio",
        help: sandbox::HELP,
        run: sandbox::run,
    },
    Command {
        name: "test",
        about: "lint, then every test against its real counterpart",
        help: test::HELP,
        run: test::run,
    },
    Command { name: "lint", about: "formatting, clippy and the dependency policy", help: lint::HELP, run: lint::run },
    Command { name: "bench", about: "speed and size, against the peers", help: bench::HELP, run: bench::run },
    Command { name: "crash", about: "kills and power losses, a hundred of each", help: crash::HELP, run: crash::run },
    Command { name: "fuzz", about: "inputs that nobody thought of", help: fuzz::HELP, run: fuzz::run },
    Command {
        name: "unit",
        about: "the daemon under its unit, in a systemd of its own",
        help: unit::HELP,
        run: unit::run,
    },
    Command { name: "web", about: "build the agents' app", help: web::HELP, run: web::run },
    Command { name: "dist", about: "a release as a tarball", help: dist::HELP, run: dist::run },
    Command { name: "doctor", about: "what this machine has and lacks", help: doctor::HELP, run: doctor::run },
];

fn main() -> ExitCode {
    let mut words = std::env::args().skip(1);
    let name = words.next().unwrap_or_else(|| "--help".to_owned());
    match dispatch(&name, Args::new(words)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("cargo xtask {name}: {error}");
            ExitCode::from(error.exit_code())
        }
    }
}

fn dispatch(name: &str, mut args: Args) -> Result<()> {
    if matches!(name, "-h" | "--help" | "help") {
        print!("{}", overview());
        return Ok(());
    }
    let Some(command) = COMMANDS.iter().find(|command| command.name == name) else {
        return Err(Error::usage(format!("there is no command `{name}`")));
    };
    if args.flag("--help") || args.flag("-h") {
        print!("{}", command.help);
        return Ok(());
    }
    (command.run)(&Place::find()?, args)
}

fn overview() -> String {
    let lines: String = COMMANDS.iter().map(|command| format!("  {:<9}{}\n", command.name, command.about)).collect();
    format!(
        "Usage: cargo xtask COMMAND [OPTIONS]\n\n{lines}\n\
         `cargo xtask COMMAND --help` says more. What is missing on this machine is installed where that is possible\n\
         (tools and counterparts go to $XDG_CACHE_HOME/offdesk or ~/.cache/offdesk), else the line to type is printed.\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_has_help_that_begins_with_its_usage() {
        for command in COMMANDS {
            let usage = format!("Usage: cargo xtask {}", command.name);
            assert!(command.help.starts_with(&usage), "{}", command.name);
            assert!(command.help.ends_with('\n'), "{}", command.name);
        }
    }

    #[test]
    fn the_overview_names_every_command() {
        let overview = overview();
        assert!(COMMANDS.iter().all(|command| overview.contains(command.about)));
    }

    #[test]
    fn a_command_that_does_not_exist_is_bad_usage() {
        let error = dispatch("tset", Args::new([])).unwrap_err();
        assert_eq!(error.exit_code(), 64);
    }
}
