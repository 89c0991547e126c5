//! Softphones, a load generator and an attacker's tools: of the distribution, and of PyPI.

use std::path::PathBuf;

use crate::error::{Error, Result};
use crate::install::python::Venv;
use crate::install::{on_path, system};
use crate::place::Place;

/// Programs, and Debian's packages that bring them.
const PROGRAMS: [(&str, &str); 3] =
    [("baresip", "baresip-core"), ("linphonec", "linphone-cli"), ("sipp", "sip-tester")];

/// Installs what is missing; answers the Python that has the rest.
pub(crate) fn ensure(place: &Place) -> Result<PathBuf> {
    programs("softphones", &PROGRAMS)?;
    let requirements = place.root().join("tests/counterparts/python/softphones.txt");
    Ok(Venv::ensure(&place.counterparts(), "softphones", &requirements)?.python())
}

/// Has programs of the distribution be there.
pub(crate) fn programs(what_for: &str, programs: &[(&str, &str)]) -> Result<()> {
    let missing = || programs.iter().filter(|(name, _)| on_path(name).is_none());
    let packages: Vec<_> = missing().map(|(_, package)| *package).collect();
    if packages.is_empty() {
        return Ok(());
    }
    system::install(what_for, &packages)?;
    match missing().next() {
        None => Ok(()),
        Some((name, _)) => Err(Error::new(format!("{name} is still not there")).cure(system::line(&packages))),
    }
}
