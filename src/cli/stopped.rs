//! The store of a daemon that does not run: whose it is, and opening it.

use std::{fs, os::unix::fs::MetadataExt, sync::Arc};

use super::{Failure, failure::Exit};
use crate::{
    clock::Clock,
    config::DataDir,
    store::{self, MemoryStore, StoreError, StoreHandle, profiles::take_back_import, wait},
};

/// What it is opened for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// Where there is none, nothing is in it, and none is made: it would belong to whoever looked, and not to the daemon.
    Reading,
    /// One is made where there is none.
    Changing,
}

/// What there is to be copied: a store that is there.
pub(super) fn open_existing(data: &DataDir, clock: &Clock) -> Result<StoreHandle, Failure> {
    let folder = data.store();
    if !folder.exists() {
        let cause = format!("there is no store in {}", folder.display());
        return Err(Failure::new(
            Exit::NoStore,
            cause,
            "see that data_dir is right; the daemon makes it at its first start",
        ));
    }
    open_unless_running(data, clock, Purpose::Reading)?.ok_or_else(|| Failure::store(&StoreError::Locked, &folder))
}

/// None: the daemon has it. One that is damaged is refused, and left where it is: to replace it is the daemon's to do, or the
/// operator's by `offdesk restore`.
pub(super) fn open_unless_running(
    data: &DataDir,
    clock: &Clock,
    purpose: Purpose,
) -> Result<Option<StoreHandle>, Failure> {
    refuse_strangers(data)?;
    let folder = data.store();
    if purpose == Purpose::Reading && !folder.exists() {
        return Ok(Some(Arc::new(MemoryStore::new())));
    }
    let options = store::Options { now: clock.now(), damage: store::Damage::Tell, ..Default::default() };
    match store::open(&folder, &options) {
        Ok(opened) => {
            wait(take_back_import(&*opened.store))?;
            Ok(Some(opened.store))
        }
        Err(StoreError::Locked) => Ok(None),
        Err(error) => Err(Failure::store(&error, &folder)),
    }
}

/// The daemon cannot open files that another user made in its store, and root can make them: so that is refused.
pub(super) fn refuse_strangers(data: &DataDir) -> Result<(), Failure> {
    let folders = [data.store(), data.path().to_owned()];
    let Some(owner) = folders.iter().find_map(|folder| fs::metadata(folder).ok()).map(|folder| folder.uid()) else {
        return Ok(());
    };
    match fs::metadata("/proc/self") {
        Ok(process) if process.uid() != owner => Err(strange(data, owner)),
        _ => Ok(()),
    }
}

fn strange(data: &DataDir, owner: u32) -> Failure {
    let users = fs::read_to_string("/etc/passwd").unwrap_or_default();
    let user = name_of(owner, &users).map_or_else(|| format!("'#{owner}'"), str::to_owned);
    let cause = format!("{} belongs to the user {user}", data.path().display());
    Failure::new(Exit::NoStore, cause, format!("run the command as that user: sudo -u {user} offdesk …"))
}

/// The name of a user, as `/etc/passwd` has it.
fn name_of(user: u32, users: &str) -> Option<&str> {
    users.lines().find_map(|line| {
        let mut fields = line.split(':');
        let (name, _password, number) = (fields.next()?, fields.next()?, fields.next()?);
        (number.parse() == Ok(user)).then_some(name)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_has_the_name_that_etc_passwd_gives() {
        let users = "root:x:0:0:root:/root:/bin/bash\noffdesk:x:998:997::/var/lib/offdesk:/usr/sbin/nologin\n";
        assert_eq!(name_of(998, users), Some("offdesk"));
        assert_eq!(name_of(99, users), None);
    }
}
