//! Where things are: the checkout, the cache folder, and the folder that cargo builds into.

use std::env;
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};
use crate::process::Program;

/// The folders of this run.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    root: PathBuf,
    cache: PathBuf,
    target: PathBuf,
    ci: bool,
}

// === impl Place ===

impl Place {
    /// Reads the surroundings: `XDG_CACHE_HOME`, `HOME`, `CARGO_TARGET_DIR` and `CI`.
    pub(crate) fn find() -> Result<Self> {
        // As cargo says it at this run: what was compiled in may be another checkout's that shares the target folder.
        let root = set("CARGO_MANIFEST_DIR")
            .and_then(|xtask| xtask.parent().map(Path::to_path_buf))
            .ok_or_else(|| Error::new("the checkout is not known").cure("cargo xtask"))?;
        let cache = cache_folder(set("XDG_CACHE_HOME"), set("HOME"))
            .ok_or_else(|| Error::new("neither XDG_CACHE_HOME nor HOME is set").cure("export HOME=/some/folder"))?;
        let ci = set("CI").is_some();
        let target = target_folder(set("CARGO_TARGET_DIR"), ci, &root, &cache);
        Ok(Self { root, cache, target, ci })
    }

    /// The top of the checkout.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// `$XDG_CACHE_HOME/offdesk` or `~/.cache/offdesk`: counterparts and tools that outlive a checkout.
    pub(crate) fn cache(&self) -> &Path {
        &self.cache
    }

    /// Node and Python packages, one folder a lock file.
    pub(crate) fn counterparts(&self) -> PathBuf {
        self.cache.join("counterparts")
    }

    /// The binaries of cargo's subcommands that were built here.
    pub(crate) fn tools(&self) -> PathBuf {
        self.cache.join("tools/bin")
    }

    /// What cargo calls the target folder. With `CI` set it is in the cache folder, so that a fresh checkout builds warm.
    pub(crate) fn target(&self) -> &Path {
        &self.target
    }

    /// cargo, in the checkout, with the target folder of this run and the subcommands of the cache.
    pub(crate) fn cargo(&self) -> Program {
        let cargo = Program::new(set("CARGO").unwrap_or_else(|| "cargo".into()))
            .current_dir(&self.root)
            .search_also(&self.tools())
            .env("CARGO_TARGET_DIR", &self.target);
        if self.ci { cargo.env("CARGO_INCREMENTAL", "0") } else { cargo }
    }
}

fn set(name: &str) -> Option<PathBuf> {
    env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from)
}

fn cache_folder(xdg_cache_home: Option<PathBuf>, home: Option<PathBuf>) -> Option<PathBuf> {
    xdg_cache_home.or_else(|| Some(home?.join(".cache"))).map(|folder| folder.join("offdesk"))
}

fn target_folder(chosen: Option<PathBuf>, ci: bool, root: &Path, cache: &Path) -> PathBuf {
    match chosen {
        Some(folder) => root.join(folder),
        None if ci => cache.join("target"),
        None => root.join("target"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cache_is_under_xdg_cache_home_or_home() {
        let under = |xdg: Option<&str>, home: Option<&str>| cache_folder(xdg.map(Into::into), home.map(Into::into));
        assert_eq!(under(Some("/x"), Some("/h")), Some("/x/offdesk".into()));
        assert_eq!(under(None, Some("/h")), Some("/h/.cache/offdesk".into()));
        assert_eq!(under(None, None), None);
    }

    #[test]
    fn a_continuous_integration_run_builds_into_the_cache_unless_told_otherwise() {
        let target = |chosen: Option<&str>, ci| target_folder(chosen.map(Into::into), ci, "/r".as_ref(), "/c".as_ref());
        assert_eq!(target(None, true), Path::new("/c/target"));
        assert_eq!(target(None, false), Path::new("/r/target"));
        assert_eq!(target(Some("/t"), true), Path::new("/t"));
        assert_eq!(target(Some("t"), false), Path::new("/r/t"));
    }
}
