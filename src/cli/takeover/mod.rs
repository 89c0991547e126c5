//! Taking over the agents of another system, who are read at Twilio: all who are missing, or none.

mod reader;
mod report;

use std::path::Path;

pub(super) use self::reader::Reader;
use super::{Failure, agent::Agents};
use crate::roster::{Newcomer, Origin, Roster, Takeover, Unfit};

/// How a takeover is asked for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Manner {
    pub(super) dry_run: bool,
    pub(super) json: bool,
}

/// What was found at Twilio.
#[derive(Debug, Default)]
pub(super) struct Found {
    people: Vec<(Origin, Result<Newcomer, Unfit>)>,
    /// What stands there beside, and is nobody.
    others: usize,
}

/// Adds those who are missing, and tells of everybody. Who is there already stays as they are, so that a second run goes on
/// where a first one was stopped.
pub(super) fn carry_out(found: Found, agents: &dyn Agents, manner: Manner) -> Result<(), Failure> {
    let mut roster = Roster::default();
    agents.each("", &mut |profile| {
        // A clash within the store is no reason to refuse somebody else.
        drop(roster.add(&profile));
        Ok(())
    })?;
    let takeover = Takeover::of(found.people, &roster);
    if !manner.dry_run && !takeover.added.is_empty() {
        agents.import(&mut takeover.lines().as_bytes(), Path::new("Twilio"))?;
    }
    report::print(&takeover, found.others, manner)
}
