//! rtpengine, the media relay that ours is measured against.

use std::path::PathBuf;

use crate::error::Result;
use crate::install::{on_path, system};

const PACKAGES: [&str; 1] = ["rtpengine-daemon"];

pub(crate) fn find() -> Option<PathBuf> {
    on_path("rtpengine")
}

/// Installs it where that can be done without asking anybody; elsewhere the benchmark says that it leaves it out.
pub(crate) fn try_ensure() -> Result<()> {
    if find().is_none() && system::may_install() {
        system::install("rtpengine", &PACKAGES)?;
    }
    Ok(())
}
