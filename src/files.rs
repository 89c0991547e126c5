//! Small files that must not be lost: configuration, keys, records of what was done.

use std::{
    fs::{self, File, OpenOptions, Permissions},
    io::{self, Write},
    os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt, chown},
    path::Path,
};

/// User and group.
pub type Owner = (u32, u32);

/// Writes a file as a whole: afterwards, and after a power loss at any moment, there is the new one or the one before.
///
/// `mode`: its permissions, whatever the umask. `owner`: whose it is to be; none: the process's.
///
/// # Errors
/// It cannot be written, or not be given away; the one before is still there.
pub fn write_durably(path: &Path, bytes: &[u8], mode: u32, owner: Option<Owner>) -> io::Result<()> {
    let folder = path.parent().ok_or(io::ErrorKind::InvalidInput)?;
    let mut name = path.file_name().ok_or(io::ErrorKind::InvalidInput)?.to_owned();
    name.push(".new");
    let beside = folder.join(name);
    // A crash may have left one behind.
    match fs::remove_file(&beside) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = OpenOptions::new().write(true).create_new(true).mode(mode).open(&beside)?;
    file.write_all(bytes)?;
    file.set_permissions(Permissions::from_mode(mode))?;
    give(&beside, owner)?;
    file.sync_all()?;
    fs::rename(&beside, path)?;
    File::open(folder)?.sync_all()
}

/// Root leaves a file to whom its folder belongs; anybody else can make files of their own alone.
///
/// # Errors
/// The file is not there, or may not be given away.
pub fn give(path: &Path, owner: Option<Owner>) -> io::Result<()> {
    let now = fs::metadata(path)?;
    match owner {
        Some((user, group)) if (now.uid(), now.gid()) != (user, group) => chown(path, Some(user), Some(group)),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_replaced_as_a_whole_and_nothing_is_left_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.json");
        fs::write(folder.path().join("x.json.new"), "what a crash left").unwrap();
        for (text, mode) in [("long ago", 0o600), ("now", 0o644)] {
            write_durably(&path, text.as_bytes(), mode, None).unwrap();
            assert_eq!(fs::read_to_string(&path).unwrap(), text);
            assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, mode);
        }
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 1);
    }

    #[test]
    fn what_cannot_be_written_leaves_the_one_before() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x");
        fs::write(&path, "before").unwrap();
        fs::create_dir(folder.path().join("x.new")).unwrap();
        assert!(write_durably(&path, b"after", 0o600, None).is_err());
        assert_eq!(fs::read_to_string(&path).unwrap(), "before");
    }
}
