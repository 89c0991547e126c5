//! `cargo xtask dist`: what an operator downloads.

use std::fs;
use std::path::Path;

use crate::args::Args;
use crate::error::Result;
use crate::install::openssl;
use crate::place::Place;
use crate::process::Program;
use crate::steps::Steps;

pub(crate) const HELP: &str = "\
Usage: cargo xtask dist

Builds the release and packs it as target/dist/offdesk-VERSION-ARCH-linux.tar.gz, with its SHA-256 beside it: the binary,
config/, docs/, systemd/, README.md, CHANGELOG.md and the licences. The same commit gives the same list of files, owners and times.
";

/// What goes into the tarball, as it stands in the checkout.
const FILES: &[&str] = &["README.md", "CHANGELOG.md", "LICENSE-MIT", "LICENSE-APACHE", "config", "docs", "systemd"];

pub(crate) fn run(place: &Place, args: Args) -> Result<()> {
    args.finish()?;
    let mut steps = Steps::new("dist");
    steps.run("OpenSSL's headers", openssl::ensure)?;
    steps.run("release build", || place.cargo().args(["build", "--release", "--locked", "--bin", "offdesk"]).run())?;
    let tarball = steps.run("tarball", || pack(place))?;
    steps.close();
    println!("{tarball}");
    Ok(())
}

fn pack(place: &Place) -> Result<String> {
    let name = format!("offdesk-{}-{}-linux", env!("CARGO_PKG_VERSION"), std::env::consts::ARCH);
    let dist = place.target().join("dist");
    let folder = dist.join(&name);
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    fs::create_dir_all(&folder)?;
    fs::copy(place.target().join("release/offdesk"), folder.join("offdesk"))?;
    for file in FILES {
        copy(&place.root().join(file), &folder)?;
    }
    let tarball = format!("{name}.tar.gz");
    tar(&dist, &name, &tarball, &commit_time(place))?;
    let sum = Program::new("sha256sum").arg(&tarball).current_dir(&dist).capture()?;
    fs::write(dist.join(format!("{tarball}.sha256")), format!("{sum}\n"))?;
    Ok(dist.join(tarball).display().to_string())
}

fn copy(from: &Path, into: &Path) -> Result<()> {
    Program::new("cp").arg("-R").arg(from).arg(into).run()
}

fn tar(dist: &Path, name: &str, tarball: &str, time: &str) -> Result<()> {
    Program::new("tar")
        .args(["--sort=name", "--owner=0", "--group=0", "--numeric-owner", "--format=gnu"])
        .arg(format!("--mtime=@{time}"))
        .args(["--use-compress-program=gzip -n", "-cf", tarball, name])
        .current_dir(dist)
        .run()
}

/// The commit's time in seconds, so that two builds of it differ in nothing but the compiler's doing.
fn commit_time(place: &Place) -> String {
    let time = Program::new("git").args(["log", "-1", "--format=%ct"]).current_dir(place.root()).capture();
    time.ok().filter(|time| !time.is_empty()).unwrap_or_else(|| "0".to_owned())
}
