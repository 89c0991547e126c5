//! Python's virtual environments in the cache folder, filled from requirement files that name every hash.

use std::path::{Path, PathBuf};

use crate::error::{Error, Result};
use crate::install::{Filled, on_path, system};
use crate::process::Program;

/// A virtual environment.
#[derive(Debug)]
pub(crate) struct Venv {
    bin: PathBuf,
}

// === impl Venv ===

impl Venv {
    /// Makes the environment that the requirement file describes, unless the cache has it.
    pub(crate) fn ensure(cache: &Path, name: &str, requirements: &Path) -> Result<Self> {
        let folder = Filled::ensure(cache, name, &[requirements], |folder| {
            let python = python_with_venv()?;
            Program::new(python).args(["-m", "venv"]).arg(folder).run()?;
            Program::new(folder.join("bin/python"))
                .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"])
                // No dependency comes along unnamed: the file lists all that is needed.
                .args(["--require-hashes", "--no-deps", "--only-binary", ":all:", "--requirement"])
                .arg(requirements)
                .run()
        })?;
        Ok(Self { bin: folder.join("bin") })
    }

    pub(crate) fn bin(&self) -> &Path {
        &self.bin
    }

    pub(crate) fn python(&self) -> PathBuf {
        self.bin.join("python")
    }
}

/// A Python that can make virtual environments; Debian packs that apart.
pub(crate) fn find() -> Option<PathBuf> {
    let candidates = [on_path("python3"), Some(PathBuf::from("/usr/bin/python3"))];
    candidates
        .into_iter()
        .flatten()
        .find(|python| Program::new(python).args(["-c", "import ensurepip, venv"]).capture().is_ok())
}

fn python_with_venv() -> Result<PathBuf> {
    if let Some(python) = find() {
        return Ok(python);
    }
    let packages = ["python3", "python3-venv"];
    system::install("Python with venv", &packages)?;
    find().ok_or_else(|| Error::new("python3 still makes no virtual environment").cure(system::line(&packages)))
}
