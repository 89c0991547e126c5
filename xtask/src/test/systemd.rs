//! The daemon's unit: whether systemd understands every line of it, and how exposed it leaves the service.

use std::fs;
use std::path::Path;

use crate::error::{Error, Result};
use crate::group::{Group, Without};
use crate::install::on_path;
use crate::place::Place;
use crate::process::Program;
use crate::steps::Steps;

/// In tenths: systemd-analyze's scale runs from 0.0 (safe) to 10.0 (unsafe).
const MAX_EXPOSURE: u32 = 20;

pub(crate) fn check(place: &Place, without: &Without, steps: &mut Steps) -> Result<()> {
    if without.leaves_out(Group::Systemd) {
        steps.leave_out(Group::Systemd.to_string());
        return Ok(());
    }
    if on_path("systemd-analyze").is_none() {
        steps.leave_out("systemd (this machine has no systemd-analyze)");
        return Ok(());
    }
    let unit = place.root().join("systemd/offdesk.service");
    steps.run("systemd unit", || understood(&unit, &place.target().join("systemd")).and_then(|()| hardened(&unit)))
}

/// Every key is known and every value makes sense. The daemon itself is not installed here, so another program stands in.
fn understood(unit: &Path, scratch: &Path) -> Result<()> {
    let text = fs::read_to_string(unit)?;
    let runnable = with_program(&text, "/bin/true");
    fs::create_dir_all(scratch)?;
    let copy = scratch.join("offdesk.service");
    fs::write(&copy, runnable)?;
    let complaints = Program::new("systemd-analyze").args(["verify", "--man=no"]).arg(&copy).complaints()?;
    if complaints.is_empty() { Ok(()) } else { Err(Error::new(complaints)) }
}

fn hardened(unit: &Path) -> Result<()> {
    let (whole, tenth) = (MAX_EXPOSURE / 10, MAX_EXPOSURE % 10);
    Program::new("systemd-analyze")
        .args(["security", "--no-pager", "--offline=true"])
        .arg(format!("--threshold={MAX_EXPOSURE}"))
        .arg(unit)
        .capture()
        .map(|told| eprintln!("{}", told.lines().last().unwrap_or_default()))
        .map_err(|error| Error::new(format!("the unit is more exposed than {whole}.{tenth}: {error}")))
}

fn with_program(unit: &str, program: &str) -> String {
    unit.lines()
        .map(|line| if line.starts_with("ExecStart=") { format!("ExecStart={program}\n") } else { format!("{line}\n") })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_program_of_the_unit_is_replaced() {
        let unit = "[Service]\nExecStart=/usr/bin/offdesk serve\nUser=offdesk\n";
        assert_eq!(with_program(unit, "/bin/true"), "[Service]\nExecStart=/bin/true\nUser=offdesk\n");
    }
}
