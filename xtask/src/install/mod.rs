//! What a machine may lack, and how it gets it: into the cache folder where that is possible, else from the distribution.

pub(crate) mod browser;
pub(crate) mod cargo_tool;
pub(crate) mod counterparts;
pub(crate) mod node;
pub(crate) mod openssl;
pub(crate) mod python;
pub(crate) mod rtpengine;
pub(crate) mod softphones;
pub(crate) mod system;
pub(crate) mod version;

use std::env;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

use crate::error::Result;

/// The file that running `name` would start.
pub(crate) fn on_path(name: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    env::split_paths(&path).map(|folder| folder.join(name)).find(|file| file.is_file())
}

/// A folder in the cache that is filled once, and whose name says from what: another lock file is another folder.
#[derive(Debug)]
pub(crate) struct Filled {
    folder: PathBuf,
}

// === impl Filled ===

impl Filled {
    /// Returns the folder, calling `fill` first unless an earlier call went through to the end. Two runs take turns.
    pub(crate) fn ensure(
        cache: &Path,
        name: &str,
        made_from: &[&Path],
        fill: impl FnOnce(&Path) -> Result<()>,
    ) -> Result<PathBuf> {
        let mut sum = Fnv::new();
        for file in made_from {
            sum.add(&fs::read(file)?);
        }
        let this = Self { folder: cache.join(format!("{name}-{:016x}", sum.0)) };
        fs::create_dir_all(cache)?;
        let lock = File::create(cache.join(format!("{name}.lock")))?;
        lock.lock()?;
        if !this.complete().exists() {
            this.refill(fill)?;
        }
        Ok(this.folder)
    }

    fn refill(&self, fill: impl FnOnce(&Path) -> Result<()>) -> Result<()> {
        if self.folder.exists() {
            fs::remove_dir_all(&self.folder)?;
        }
        fs::create_dir_all(&self.folder)?;
        fill(&self.folder)?;
        Ok(fs::write(self.complete(), "")?)
    }

    fn complete(&self) -> PathBuf {
        self.folder.join(".complete")
    }
}

/// FNV-1a, 64 bits: tells lock files apart, and is the same with every version of Rust.
struct Fnv(u64);

// === impl Fnv ===

impl Fnv {
    fn new() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }

    fn add(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Error;

    /// A folder of this test alone, gone at its end.
    struct Scratch(PathBuf);

    impl Scratch {
        fn new(name: &str) -> Self {
            let folder = env::temp_dir().join(format!("offdesk-xtask-{}-{name}", std::process::id()));
            fs::create_dir_all(&folder).unwrap();
            Self(folder)
        }

        fn lock_file(&self, text: &str) -> PathBuf {
            let file = self.0.join("lock-file");
            fs::write(&file, text).unwrap();
            file
        }
    }

    impl Drop for Scratch {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn a_folder_is_filled_once() {
        let scratch = Scratch::new("once");
        let file = scratch.lock_file("1");
        let first = Filled::ensure(&scratch.0, "node", &[&file], |_| Ok(())).unwrap();
        let again = Filled::ensure(&scratch.0, "node", &[&file], |_| Err(Error::new("filled twice"))).unwrap();
        assert_eq!(first, again);
    }

    #[test]
    fn another_lock_file_is_another_folder() {
        let scratch = Scratch::new("other");
        let first = Filled::ensure(&scratch.0, "node", &[&scratch.lock_file("1")], |_| Ok(())).unwrap();
        let other = Filled::ensure(&scratch.0, "node", &[&scratch.lock_file("2")], |_| Ok(())).unwrap();
        assert_ne!(first, other);
    }

    #[test]
    fn what_was_left_half_filled_is_begun_anew() {
        let scratch = Scratch::new("half");
        let file = scratch.lock_file("1");
        let half = |folder: &Path| {
            fs::write(folder.join("half"), "")?;
            Err(Error::new("no network"))
        };
        Filled::ensure(&scratch.0, "node", &[&file], half).unwrap_err();
        let folder = Filled::ensure(&scratch.0, "node", &[&file], |_| Ok(())).unwrap();
        assert!(!folder.join("half").exists());
    }

    #[test]
    fn a_program_is_found_on_the_path() {
        assert!(on_path("sh").is_some());
        assert_eq!(on_path("offdesk-no-such-program"), None);
    }
}
