//! Numbers for tags, branches and Call-IDs.

use std::hash::{BuildHasher, RandomState};

/// Numbers that do not repeat; that nobody can guess them is of no matter on one machine.
pub(super) fn numbers() -> impl FnMut() -> u64 + Send + 'static {
    let (keys, mut count) = (RandomState::new(), 0_u64);
    move || {
        count += 1;
        keys.hash_one(count)
    }
}
