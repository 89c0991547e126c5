//! Packages of the distribution: installed where this is root on Debian or Ubuntu, else named with the line to type.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use crate::error::{Error, Result};
use crate::process::Program;

/// Whether packages can be installed without asking anybody.
pub(crate) fn may_install() -> bool {
    is_debian() && fs::metadata("/proc/self").is_ok_and(|process| process.uid() == 0)
}

/// Installs the packages, or says which are missing and what to type.
pub(crate) fn install(what_for: &str, packages: &[&str]) -> Result<()> {
    if !may_install() {
        let names = packages.join(" ");
        return Err(Error::new(format!("{what_for} is missing (package {names})")).cure(line(packages)));
    }
    eprintln!("installing {}", packages.join(" "));
    apt_get().args(["update", "-q"]).run()?;
    apt_get().args(["install", "-y", "-q", "--no-install-recommends"]).args(packages).run()
}

/// The version that the distribution would install.
pub(crate) fn candidate(package: &str) -> Option<String> {
    let policy = Program::new("apt-cache").args(["policy", package]).env("LC_ALL", "C").capture().ok()?;
    let version = policy.lines().find_map(|line| line.trim().strip_prefix("Candidate:"))?.trim();
    (version != "(none)").then(|| version.to_owned())
}

/// What somebody types who is not root.
pub(crate) fn line(packages: &[&str]) -> String {
    let names = packages.join(" ");
    if is_debian() {
        format!("sudo apt-get update && sudo apt-get install -y {names}")
    } else {
        format!("install what your distribution calls {names}")
    }
}

fn is_debian() -> bool {
    Path::new("/etc/debian_version").exists()
}

fn apt_get() -> Program {
    Program::new("apt-get").env("DEBIAN_FRONTEND", "noninteractive")
}
