//! OpenSSL's headers: the crate that encrypts web pushes does so with the system's OpenSSL, which its build finds by
//! pkg-config.

use std::env;

use crate::error::{Error, Result};
use crate::install::system;
use crate::process::Program;

pub(crate) const PACKAGES: [&str; 2] = ["libssl-dev", "pkg-config"];

/// The version that the daemon would be built with; none: it cannot be built.
pub(crate) fn find() -> Option<String> {
    // Where somebody keeps their own, they say so to cargo in this way.
    if let Ok(folder) = env::var("OPENSSL_DIR") {
        return Some(folder);
    }
    Program::new("pkg-config").args(["--modversion", "openssl"]).capture().ok()
}

/// To be called before anything but this tool is built.
pub(crate) fn ensure() -> Result<()> {
    if find().is_some() {
        return Ok(());
    }
    system::install("OpenSSL for development", &PACKAGES)?;
    find().map(drop).ok_or_else(|| Error::new("pkg-config still finds no OpenSSL").cure(system::line(&PACKAGES)))
}
