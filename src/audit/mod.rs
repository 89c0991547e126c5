//! The audit log: who did what to whom, from where, and what came of it. Entries are only ever added; each holds the hash of
//! the one before it, so that a changed or missing entry is found, and where.

mod chain;
mod entry;
mod log;
mod verify;

pub use self::{
    chain::{Chain, Head},
    entry::{Action, Actor, Entry, NewEntry, Result as EntryResult},
    log::{Audit, Entries},
    verify::{Fault, Verdict, verify},
};
