//! `cargo xtask fuzz`: inputs that nobody thought of, made by libFuzzer on the stable toolchain.

use std::path::PathBuf;

use crate::args::Args;
use crate::error::{Error, Result};
use crate::place::Place;
use crate::process::Program;
use crate::steps::Steps;

pub(crate) const HELP: &str = "\
Usage: cargo xtask fuzz [--runs N] [--target NAME]...

Gives each fuzz target (message, uri, via, contact, digest, stun, sdp) N inputs, 1000000 unless told. libFuzzer is built from source and
needs a C++ compiler. Inputs that reached further into the code are kept in target/fuzz/corpus for the next time; one that
fails is written beside it, and ends the run.
";

const TARGETS: [&str; 7] = ["message", "uri", "via", "contact", "digest", "stun", "sdp"];
const RUNS: u32 = 1_000_000;

/// What rustc adds for libFuzzer to see which code an input reaches.
const COVERAGE: &str = "-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares -Ccodegen-units=1";

pub(crate) fn run(place: &Place, mut args: Args) -> Result<()> {
    let runs = runs(&args.values("--runs")?)?;
    let targets = targets(args.values("--target")?)?;
    args.finish()?;
    let mut steps = Steps::new("fuzz");
    let host = host()?;
    let built = place.target().join("fuzz");
    steps.run("the targets", || {
        // A target platform that is named keeps the flags from build scripts.
        let build = place.cargo().args(["build", "--quiet", "--release", "--locked", "--target", &host]);
        build.current_dir(&place.root().join("fuzz")).env("RUSTFLAGS", COVERAGE).env("CARGO_TARGET_DIR", &built).run()
    })?;
    for target in targets {
        steps.run(&format!("{target}, {runs} inputs"), || fuzz(place, &built, &host, &target, runs))?;
    }
    steps.close();
    Ok(())
}

fn fuzz(place: &Place, built: &std::path::Path, host: &str, target: &str, runs: u32) -> Result<()> {
    let corpus: PathBuf = built.join("corpus").join(target);
    std::fs::create_dir_all(&corpus).map_err(|cause| Error::new(format!("{}: {cause}", corpus.display())))?;
    Program::new(built.join(host).join("release").join(target))
        .args([format!("-runs={runs}"), "-max_len=2048".into(), "-timeout=5".into(), "-rss_limit_mb=1024".into()])
        .arg(format!("-dict={}", place.root().join("fuzz/dictionary.txt").display()))
        .arg(format!("-artifact_prefix={}-", built.join(target).display()))
        .args(["-print_final_stats=1", "-verbosity=0"])
        .arg(corpus)
        .run()
}

/// The machine's own platform, as rustc calls it.
fn host() -> Result<String> {
    let version = Program::new("rustc").arg("-vV").capture()?;
    let host = version.lines().find_map(|line| line.strip_prefix("host: "));
    host.map(str::to_owned).ok_or_else(|| Error::new("rustc does not say for which platform it builds"))
}

fn runs(values: &[String]) -> Result<u32> {
    let Some(value) = values.last() else { return Ok(RUNS) };
    value.parse().map_err(|_| Error::usage(format!("--runs wants a number, not `{value}`")))
}

fn targets(named: Vec<String>) -> Result<Vec<String>> {
    if let Some(unknown) = named.iter().find(|named| !TARGETS.contains(&named.as_str())) {
        return Err(Error::usage(format!("there is no fuzz target `{unknown}`")));
    }
    Ok(if named.is_empty() { TARGETS.map(str::to_owned).to_vec() } else { named })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_targets_a_million_times_unless_told() {
        assert_eq!(targets(Vec::new()).unwrap(), TARGETS);
        assert_eq!(targets(vec!["uri".into()]).unwrap(), ["uri"]);
        assert_eq!(targets(vec!["url".into()]).unwrap_err().exit_code(), 64);
        assert_eq!(runs(&[]).unwrap(), 1_000_000);
        assert_eq!(runs(&["many".into()]).unwrap_err().exit_code(), 64);
    }

    #[test]
    fn each_target_is_there() {
        let manifest = include_str!("../../fuzz/Cargo.toml");
        for target in TARGETS {
            assert!(manifest.contains(&format!("name = \"{target}\"")), "{target}");
        }
    }
}
