//! `cargo xtask unit`: the daemon under its own unit, started by a real systemd that sees nothing of this machine but a copy.
//!
//! The trial has namespaces of its own (mounts, processes, control groups, network) and a root folder whose changes are in
//! memory: nothing outside is touched, and nothing is left. It needs root, and a kernel that lets root have them.

use std::fs;
use std::path::{Path, PathBuf};

use crate::args::Args;
use crate::error::{Error, Result};
use crate::install::on_path;
use crate::place::Place;
use crate::process::Program;
use crate::steps::Steps;

pub(crate) const HELP: &str = "\
Usage: cargo xtask unit

Builds the daemon and starts it by its unit, under a real systemd with all of the unit's restrictions, as docs/install.md says:
user, folders, a credential. It is ready, keeps the watchdog content, runs without privileges and under the filter of system
calls, takes a softphone's request, and stops when it is told to. Needs root, systemd, and namespaces; touches nothing of this
machine: its systemd runs on a copy of the root folder that is in memory.
";

const NEEDED: &[&str] = &["unshare", "curl", "systemd-sysusers", "systemd-tmpfiles"];
const SYSTEMD: &str = "/lib/systemd/systemd";
/// Where control groups are mounted, one of which is made for the trial: of version 2, or of both.
const GROUPS: &[&str] = &["/sys/fs/cgroup/systemd", "/sys/fs/cgroup/unified", "/sys/fs/cgroup"];
const GROUP: &str = "offdesk-unit";

pub(crate) fn run(place: &Place, args: Args) -> Result<()> {
    args.rest().first().map_or(Ok(()), |word| Err(Error::usage(format!("`{word}` is not understood"))))?;
    possible()?;
    let mut steps = Steps::new("unit");
    steps.run("build", || place.cargo().args(["build", "--quiet", "--locked", "--package", "offdesk"]).run())?;
    steps.run("the daemon under its unit", || trial(place))?;
    steps.close();
    Ok(())
}

fn possible() -> Result<()> {
    if Program::new("id").arg("-u").capture()? != "0" {
        return Err(Error::new("a systemd of its own needs root: sudo -E cargo xtask unit"));
    }
    let missing = NEEDED.iter().find(|name| on_path(name).is_none());
    match missing {
        Some(name) => Err(Error::new(format!("{name} is missing: apt-get install systemd util-linux curl"))),
        None if !Path::new(SYSTEMD).exists() => Err(Error::new("systemd is missing: apt-get install systemd")),
        None => Ok(()),
    }
}

/// Runs the trial; what it says of each thing it has looked at is printed.
fn trial(place: &Place) -> Result<()> {
    let scratch = place.target().join("unit");
    fs::create_dir_all(&scratch)?;
    let told = scratch.join("told");
    fs::write(&told, "")?;
    for (name, text) in [("inside.sh", include_str!("unit/inside.sh")), ("trial.sh", include_str!("unit/trial.sh"))] {
        fs::write(scratch.join(name), text)?;
    }
    let groups: Vec<PathBuf> = groups();
    groups.iter().try_for_each(fs::create_dir_all)?;
    let join: String = groups.iter().map(|group| format!("echo $$ > {}/cgroup.procs; ", group.display())).collect();
    let inside = format!("{join}exec timeout 180 unshare -pfmCn --kill-child /bin/sh \"$@\"");
    let ran = Program::new("/bin/sh")
        .args(["-c", inside.as_str(), "sh"])
        .arg(scratch.join("inside.sh"))
        .arg(place.root())
        .arg(place.target().join("debug/offdesk"))
        .arg(&scratch)
        .complaints();
    // Nothing is in them any more.
    groups.iter().for_each(|group| drop(fs::remove_dir(group)));
    let complaints = ran?;
    let told = fs::read_to_string(&told)?;
    eprint!("{told}");
    if told.contains("all is well\n") { Ok(()) } else { Err(Error::new(format!("the trial failed\n{complaints}"))) }
}

fn groups() -> Vec<PathBuf> {
    let mounted = GROUPS.iter().map(Path::new).filter(|folder| folder.join("cgroup.procs").exists());
    mounted.map(|folder| folder.join(GROUP)).collect()
}
