//! A real browser: it drives the sandbox's page as a person would.

use std::path::PathBuf;

use crate::error::{Error, Result};
use crate::install::{on_path, system};

/// What distributions call it.
const NAMES: [&str; 3] = ["chromium", "chromium-browser", "google-chrome"];
const PACKAGES: [&str; 1] = ["chromium"];

pub(crate) fn find() -> Option<PathBuf> {
    NAMES.into_iter().find_map(on_path)
}

/// The browser, installed if need be.
pub(crate) fn ensure() -> Result<PathBuf> {
    if let Some(browser) = find() {
        return Ok(browser);
    }
    system::install("Chromium", &PACKAGES)?;
    find().ok_or_else(|| Error::new("there is still no Chromium").cure(system::line(&PACKAGES)))
}
