//! `cargo xtask test`: what a change must pass.

use std::fs;
use std::path::{Path, PathBuf};

use crate::args::Args;
use crate::error::{Error, Result};
use crate::group::{Group, Without};
use crate::install::cargo_tool::NEXTEST;
use crate::install::counterparts::{self, Counterparts};
use crate::lint;
use crate::place::Place;
use crate::process::Program;
use crate::steps::Steps;

mod systemd;

pub(crate) const HELP: &str = "\
Usage: cargo xtask test [--without GROUP]... [-- NEXTEST ARGUMENTS]

Lints, makes the real counterparts ready (Twilio's own libraries, Prism over Twilio's OpenAPI documents), runs every test
against them, and checks the REST requests that the tests recorded. Fails if a counterpart is missing and cannot be
installed. What is installed goes to $XDG_CACHE_HOME/offdesk or ~/.cache/offdesk; system packages only as root on
Debian or Ubuntu, else the line to type is printed.

  --without GROUP   leave a group out, and say so in the last line; may be repeated, or joined with commas:
      node          tests against Twilio's JavaScript library and its OpenAPI documents, and a browser's decryption of pushes
      python        tests against Twilio's Python library, Google's description of FCM, and Schemathesis
      browser       Chromium at the sandbox's page; it needs Node too
      softphones    tests against baresip, linphonec, PJSIP, sipp and sipvicious
      deny          the dependency policy
      crash         kills and power losses
      systemd       the exposure of the systemd unit

With CI set, cargo builds into the cache folder (unless CARGO_TARGET_DIR is set) and without incremental files.
";

pub(crate) fn run(place: &Place, mut args: Args) -> Result<()> {
    let without = Without::take(&mut args)?;
    let for_nextest = args.passed_on()?;
    let mut steps = Steps::new("test");
    lint::check(place, &without, &mut steps)?;
    let counterparts = steps.run("counterparts", || counterparts::ensure(place, &without))?;
    steps.run("cargo-nextest", || NEXTEST.ensure(place))?;
    let exchanges = fresh_folder(place)?;
    steps.run("tests", || {
        let tests = nextest(place, &without).env("OFFDESK_EXCHANGES", &exchanges).args(&for_nextest);
        counterparts.surround(tests).run()
    })?;
    steps.run("documentation tests", || {
        place.cargo().args(["test", "--quiet", "--locked", "--workspace", "--doc"]).run()
    })?;
    if for_nextest.is_empty() && !without.leaves_out(Group::Node) {
        check_exchanges(place, &counterparts, &exchanges, &mut steps)?;
    }
    systemd::check(place, &without, &mut steps)?;
    leave_out(&without, &mut steps);
    if !for_nextest.is_empty() {
        steps.leave_out(format!("all tests but those of `{}`", for_nextest.join(" ")));
    }
    steps.close();
    Ok(())
}

fn nextest(place: &Place, without: &Without) -> Program {
    let tests = place.cargo().args(["nextest", "run", "--locked", "--workspace", "--no-fail-fast"]);
    match without.filter() {
        Some(filter) => tests.args(["--filterset".to_owned(), filter]),
        None => tests,
    }
}

/// Where the tests write down what the gateway and the stand-in for Twilio said to each other.
fn fresh_folder(place: &Place) -> Result<PathBuf> {
    let folder = place.target().join("exchanges");
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    fs::create_dir_all(&folder)?;
    Ok(folder)
}

/// Holds what was recorded against Twilio's OpenAPI documents.
fn check_exchanges(place: &Place, counterparts: &Counterparts, exchanges: &Path, steps: &mut Steps) -> Result<()> {
    steps.run("recorded requests against Twilio's documents", || {
        if fs::read_dir(exchanges)?.next().is_none() {
            return Err(Error::new("no test has recorded a request to Twilio: nothing would be checked"));
        }
        let oracle = place.root().join("tests/counterparts/node/check-exchanges.mjs");
        let node = Program::new(counterparts.node()?).arg(oracle).arg(exchanges);
        counterparts.surround(node).run()
    })
}

/// The groups of which no step has told yet that they were left out.
fn leave_out(without: &Without, steps: &mut Steps) {
    let told = [Group::Deny, Group::Systemd];
    without.groups().filter(|group| !told.contains(group)).for_each(|group| steps.leave_out(group.to_string()));
}
