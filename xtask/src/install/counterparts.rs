//! The real counterparts that the tests hold the gateway against, made ready before the first test runs.

use std::fs;
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};
use crate::group::{Group, Without};
use crate::install::browser;
use crate::install::node::Node;
use crate::install::python::Venv;
use crate::install::softphones;
use crate::place::Place;
use crate::process::Program;

/// Where the counterparts are, as the tests learn it.
#[derive(Debug, Default)]
pub(crate) struct Counterparts {
    node: Option<PathBuf>,
    node_modules: Option<PathBuf>,
    python: Option<PathBuf>,
    schemathesis: Option<PathBuf>,
    browser: Option<PathBuf>,
    softphones: Option<PathBuf>,
}

/// Installs what is missing, but for the groups that are left out.
pub(crate) fn ensure(place: &Place, without: &Without) -> Result<Counterparts> {
    let mut found = Counterparts::default();
    let cache = place.counterparts();
    if !without.leaves_out(Group::Node) {
        let node = Node::ensure(place)?;
        let project = place.root().join("tests/counterparts/node");
        found.node_modules = Some(node.packages(&cache, "node", &project)?);
        found.node = Some(node.program().to_path_buf());
    }
    if !without.leaves_out(Group::Python) {
        let python = place.root().join("tests/counterparts/python");
        found.python = Some(Venv::ensure(&cache, "python", &python.join("requirements.txt"))?.python());
        let schemathesis = Venv::ensure(&cache, "schemathesis", &python.join("schemathesis.txt"))?;
        found.schemathesis = Some(schemathesis.bin().join("schemathesis"));
    }
    if !without.leaves_out(Group::Browser) {
        found.browser = Some(browser::ensure()?);
    }
    if !without.leaves_out(Group::Softphones) {
        found.softphones = Some(softphones::ensure(place)?);
    }
    found.remember(&cache)?;
    Ok(found)
}

// === impl Counterparts ===

impl Counterparts {
    /// Tells the program where the counterparts are.
    pub(crate) fn surround(&self, program: Program) -> Program {
        self.variables().into_iter().fold(program, |program, (name, path)| program.env(name, path))
    }

    pub(crate) fn node(&self) -> Result<&Path> {
        self.node.as_deref().ok_or_else(|| Error::new("Node was left out"))
    }

    /// Writes the same into the cache folder, for a test that is run by hand. What this run left out stays as noted.
    fn remember(&self, cache: &Path) -> Result<()> {
        fs::create_dir_all(cache)?;
        let note = cache.join("env");
        let before = fs::read_to_string(&note).unwrap_or_default();
        Ok(fs::write(note, renewed(&before, &self.variables()))?)
    }

    fn variables(&self) -> Vec<(&'static str, &Path)> {
        let all = [
            ("OFFDESK_NODE", &self.node),
            ("OFFDESK_NODE_MODULES", &self.node_modules),
            ("OFFDESK_PYTHON", &self.python),
            ("OFFDESK_SCHEMATHESIS", &self.schemathesis),
            ("OFFDESK_CHROMIUM", &self.browser),
            ("OFFDESK_SOFTPHONES", &self.softphones),
        ];
        all.into_iter().filter_map(|(name, path)| Some((name, path.as_deref()?))).collect()
    }
}

/// The note with these variables set anew.
fn renewed(note: &str, variables: &[(&'static str, &Path)]) -> String {
    let is_new = |line: &&str| variables.iter().any(|(name, _)| line.starts_with(&format!("{name}=")));
    let kept = note.lines().filter(|line| !is_new(line)).map(|line| format!("{line}\n"));
    let new = variables.iter().map(|(name, path)| format!("{name}={}\n", path.display()));
    kept.chain(new).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_that_leaves_something_out_keeps_what_was_noted_of_it() {
        let note = renewed("OFFDESK_NODE=/n\nOFFDESK_PYTHON=/old\n", &[("OFFDESK_PYTHON", Path::new("/new"))]);
        assert_eq!(note, "OFFDESK_NODE=/n\nOFFDESK_PYTHON=/new\n");
    }
}
