//! `cargo xtask crash`: the long form of the crash tests.

use crate::args::Args;
use crate::error::{Error, Result};
use crate::install::{cargo_tool::NEXTEST, openssl};
use crate::place::Place;
use crate::steps::Steps;

pub(crate) const HELP: &str = "\
Usage: cargo xtask crash [--rounds N]

Kills the daemon under traffic, and cuts the power in the middle of its writes, N times each (100 unless told): no
acknowledged record may be lost, and every image of the disk must open. `cargo xtask test` runs a short form.
";

const ROUNDS: u32 = 100;

pub(crate) fn run(place: &Place, mut args: Args) -> Result<()> {
    let rounds = rounds(&args.values("--rounds")?)?;
    args.finish()?;
    let mut steps = Steps::new("crash");
    steps.run("OpenSSL's headers", openssl::ensure)?;
    steps.run("cargo-nextest", || NEXTEST.ensure(place))?;
    steps.run(&format!("{rounds} kills and {rounds} power losses"), || {
        place
            .cargo()
            .args(["nextest", "run", "--locked", "--test", "crash", "--no-capture"])
            .env("OFFDESK_CRASH_ROUNDS", rounds.to_string())
            .run()
    })?;
    steps.close();
    Ok(())
}

fn rounds(values: &[String]) -> Result<u32> {
    let Some(value) = values.last() else { return Ok(ROUNDS) };
    value.parse().map_err(|_| Error::usage(format!("--rounds wants a number, not `{value}`")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hundred_rounds_unless_told() {
        assert_eq!(rounds(&[]).unwrap(), 100);
        assert_eq!(rounds(&["7".to_owned()]).unwrap(), 7);
        assert_eq!(rounds(&["many".to_owned()]).unwrap_err().exit_code(), 64);
    }
}
