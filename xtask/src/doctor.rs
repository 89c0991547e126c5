//! `cargo xtask doctor`: what a contributor's machine has, what it lacks, and the cure.

use crate::args::Args;
use crate::error::{Error, Result};
use crate::install::cargo_tool::{CargoTool, DENY, NEXTEST};
use crate::install::node::{self, Node};
use crate::install::version::Version;
use crate::install::{browser, on_path, openssl, python, system};
use crate::place::Place;
use crate::process::Program;

pub(crate) const HELP: &str = "\
Usage: cargo xtask doctor

Looks for every tool that `cargo xtask` uses: one line each, `ok`, `later` (cargo xtask installs it when it is needed) or
`missing`, with the cure. Ends with 1 if something is missing that must be installed by hand.
";

const RUST: Version = Version::new(1, 95);

/// What was found out about one tool.
#[derive(Debug)]
enum Finding {
    Ok(String),
    /// Missing, and installed by `cargo xtask` itself.
    Later(String),
    Missing(String),
}

pub(crate) fn run(place: &Place, args: Args) -> Result<()> {
    args.finish()?;
    let findings = examine(place);
    for (tool, finding) in &findings {
        println!("{}", finding.line(tool));
    }
    let missing = findings.iter().filter(|(_, finding)| matches!(finding, Finding::Missing(_))).count();
    println!("cache folder: {}", place.cache().display());
    if missing == 0 { Ok(()) } else { Err(Error::new(format!("{missing} missing"))) }
}

fn examine(place: &Place) -> Vec<(&'static str, Finding)> {
    vec![
        ("cargo", rust(place)),
        ("rustfmt", component(place, "fmt", "rustfmt")),
        ("clippy", component(place, "clippy", "clippy")),
        ("C compiler", packaged("cc", &["gcc", "libc6-dev"])),
        ("OpenSSL's headers", headers()),
        ("git", packaged("git", &["git"])),
        ("tar", packaged("tar", &["tar"])),
        (NEXTEST.name(), built(&NEXTEST, place)),
        (DENY.name(), built(&DENY, place)),
        ("Python with venv", python()),
        ("Node with npm", node()),
        ("Chromium", chromium()),
        ("rtpengine", optional("rtpengine", "the media relay is then not measured against it")),
        ("systemd-analyze", optional("systemd-analyze", "the unit's exposure is then not judged")),
    ]
}

// === impl Finding ===

impl Finding {
    fn line(&self, tool: &str) -> String {
        match self {
            Self::Ok(what) => format!("ok       {tool}: {what}"),
            Self::Later(cure) => format!("later    {tool}: {cure}"),
            Self::Missing(cure) => format!("missing  {tool}: {cure}"),
        }
    }
}

fn rust(place: &Place) -> Finding {
    let told = place.cargo().arg("--version").capture().unwrap_or_default();
    if Version::find(&told) >= Some(RUST) {
        Finding::Ok(told)
    } else {
        Finding::Missing(format!("needs {RUST} or later: rustup update stable"))
    }
}

fn component(place: &Place, subcommand: &str, name: &str) -> Finding {
    match place.cargo().args([subcommand, "--version"]).capture() {
        Ok(version) => Finding::Ok(version),
        Err(_) => Finding::Missing(format!("rustup component add {name}")),
    }
}

fn packaged(program: &str, packages: &[&str]) -> Finding {
    match on_path(program) {
        Some(path) => Finding::Ok(path.display().to_string()),
        None => Finding::Missing(system::line(packages)),
    }
}

fn chromium() -> Finding {
    match browser::find() {
        Some(path) => Finding::Ok(path.display().to_string()),
        None if system::may_install() => Finding::Later("package chromium".to_owned()),
        None => Finding::Missing(system::line(&["chromium"])),
    }
}

fn headers() -> Finding {
    match openssl::find() {
        Some(version) => Finding::Ok(version),
        None if system::may_install() => Finding::Later("installed at the first build".to_owned()),
        None => Finding::Missing(system::line(&openssl::PACKAGES)),
    }
}

fn built(tool: &CargoTool, place: &Place) -> Finding {
    if tool.is_there(place) {
        Finding::Ok("there".to_owned())
    } else {
        Finding::Later("built into the cache folder at the first `cargo xtask test`".to_owned())
    }
}

fn python() -> Finding {
    let packages = ["python3", "python3-venv"];
    match python::find() {
        Some(path) => Finding::Ok(path.display().to_string()),
        None if system::may_install() => Finding::Later("installed at the first `cargo xtask test`".to_owned()),
        None => Finding::Missing(system::line(&packages)),
    }
}

fn node() -> Finding {
    match Node::find() {
        Some(node) => {
            let version = Program::new(node.program()).arg("--version").capture().unwrap_or_default();
            Finding::Ok(format!("{} {version}", node.program().display()))
        }
        None => {
            Finding::Later(format!("none from {} on; PyPI's is taken at the first `cargo xtask test`", node::MINIMUM))
        }
    }
}

fn optional(program: &str, without: &str) -> Finding {
    match on_path(program) {
        Some(path) => Finding::Ok(path.display().to_string()),
        None => Finding::Later(format!("none; {without}")),
    }
}
