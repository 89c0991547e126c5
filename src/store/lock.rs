//! One process a store. The lock lies beside the store's folder, so that it also guards moving the folder away.

use std::{
    ffi::OsString,
    fs::{File, TryLockError},
    path::{Path, PathBuf},
    sync::Arc,
};

use super::{StoreError, sled::create_dir};

/// Holds the store for this process until the last clone is dropped.
#[derive(Clone, Debug)]
pub(super) struct Lock {
    _file: Arc<File>,
}

impl Lock {
    /// Errors: [`StoreError::Locked`] if another process holds it.
    pub(super) fn take(store: &Path) -> Result<Self, StoreError> {
        let failed = |error: &dyn std::fmt::Display| StoreError::Failed(format!("{}: {error}", store.display()));
        if let Some(parent) = store.parent().filter(|parent| !parent.as_os_str().is_empty()) {
            create_dir(parent).map_err(|error| failed(&error))?;
        }
        let file = File::create(beside(store, "lock")).map_err(|error| failed(&error))?;
        match file.try_lock() {
            Ok(()) => Ok(Self { _file: Arc::new(file) }),
            Err(TryLockError::WouldBlock) => Err(StoreError::Locked),
            Err(TryLockError::Error(error)) => Err(failed(&error)),
        }
    }
}

/// `/var/lib/offdesk/store` and `lock` make `/var/lib/offdesk/store.lock`.
pub(super) fn beside(store: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(store);
    name.push(".");
    name.push(suffix);
    PathBuf::from(name)
}
