//! Which key browsers have subscribed with: its public half, beside the store, from the first start on. Subscriptions that were
//! made with another key are dead, and no push service says why.

use std::{fs, io, path::Path};

use super::{VapidKeyFile, vapid::VapidKey};
use crate::files::write_durably;

/// The key, by what was written down at the first start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyMark {
    /// Nothing was written down yet.
    New,
    Same,
    Another,
}

/// What the mark in the data's folder says of a key.
///
/// # Errors
/// The key or the mark cannot be read.
pub fn check_key(file: &VapidKeyFile, data: &Path) -> io::Result<KeyMark> {
    let key = VapidKey::open(&VapidKeyFile::Given(file.path().to_owned())).map_err(io::Error::other)?;
    match fs::read_to_string(data.join(MARK)) {
        // Older versions could leave an empty one when the power went.
        Ok(mark) if mark.trim().is_empty() => Ok(KeyMark::New),
        Ok(mark) if mark.trim() == key.public() => Ok(KeyMark::Same),
        Ok(_) => Ok(KeyMark::Another),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(KeyMark::New),
        Err(error) => Err(error),
    }
}

const MARK: &str = "vapid.pub";

/// [`check_key`]; a new key is written down.
///
/// # Errors
/// The same, and the mark cannot be written.
pub fn mark_key(file: &VapidKeyFile, data: &Path) -> io::Result<KeyMark> {
    let mark = check_key(file, data)?;
    if mark == KeyMark::New {
        let key = VapidKey::open(&VapidKeyFile::Given(file.path().to_owned())).map_err(io::Error::other)?;
        write_durably(&data.join(MARK), format!("{}\n", key.public()).as_bytes(), 0o644, None)?;
    }
    Ok(mark)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_known_again_and_a_mark_that_says_nothing_is_none() {
        let folder = tempfile::tempdir().unwrap();
        let key = |name: &str| {
            let file = VapidKeyFile::Own(folder.path().join(name));
            VapidKey::open(&file).unwrap();
            file
        };
        let (key, other) = (key("a.pem"), key("b.pem"));
        assert_eq!(mark_key(&key, folder.path()).unwrap(), KeyMark::New);
        for empty in [false, true] {
            if empty {
                fs::write(folder.path().join(MARK), "").unwrap();
                assert_eq!(mark_key(&key, folder.path()).unwrap(), KeyMark::New);
            }
            assert_eq!(mark_key(&key, folder.path()).unwrap(), KeyMark::Same);
            assert_eq!(mark_key(&other, folder.path()).unwrap(), KeyMark::Another);
        }
    }
}
