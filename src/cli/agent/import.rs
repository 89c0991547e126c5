//! Many agents at once, all or none.

use std::{
    collections::HashMap,
    fs::File,
    io::{self, BufRead, BufReader},
    path::Path,
};

use super::profiles::new_id;
use crate::{
    cli::failure::Failure,
    domain::{AgentId, Profile, Timestamp},
    roster::{Clash, Draft, Roster, put_password},
};

/// How many bad lines are told before the rest is only counted.
const TOLD: usize = 20;

/// The lines of a file; a hyphen stands for standard input.
pub(super) fn open(file: &Path) -> Result<Box<dyn BufRead>, Failure> {
    if file == Path::new("-") {
        return Ok(Box::new(io::stdin().lock()));
    }
    Ok(Box::new(BufReader::new(File::open(file).map_err(|error| Failure::file(file, "read", &error))?)))
}

/// The agents in these lines, each of whom could be added to this roster.
pub(super) fn read(
    lines: &mut dyn BufRead,
    file: &Path,
    roster: Roster,
    now: Timestamp,
    realm: Option<&str>,
) -> Result<Vec<Profile>, Failure> {
    let mut reading = Reading::new(roster, now, realm);
    for (place, line) in lines.split(b'\n').enumerate() {
        let line = line.map_err(|error| Failure::file(file, "read", &error))?;
        reading.take(place + 1, &line)?;
    }
    reading.finish()
}

/// The lines read so far: the agents in them, and what is wrong.
struct Reading<'a> {
    roster: Roster,
    now: Timestamp,
    realm: Option<&'a str>,
    agents: Vec<Profile>,
    /// On which line an agent of this file stands.
    lines: HashMap<AgentId, usize>,
    bad: Vec<String>,
    bad_lines: usize,
}

impl<'a> Reading<'a> {
    fn new(roster: Roster, now: Timestamp, realm: Option<&'a str>) -> Self {
        Self { roster, now, realm, agents: Vec::new(), lines: HashMap::new(), bad: Vec::new(), bad_lines: 0 }
    }

    fn take(&mut self, number: usize, line: &[u8]) -> Result<(), Failure> {
        let line = line.trim_ascii();
        if line.is_empty() {
            return Ok(());
        }
        let draft = std::str::from_utf8(line)
            .map_err(|_| "not UTF-8".to_owned())
            .and_then(|line| Draft::from_json(line).map_err(|errors| joined(errors.iter().map(ToString::to_string))));
        let mut draft = match draft {
            Ok(draft) => draft,
            Err(why) => {
                self.refuse(number, &why);
                return Ok(());
            }
        };
        let password = draft.take_sip_password();
        let mut profile = draft.into_profile(new_id()?, self.now);
        if let Err(error) = put_password(&mut profile, self.realm, password) {
            self.refuse(number, &error.to_string());
            return Ok(());
        }
        match self.roster.add(&profile) {
            Ok(()) => {
                self.lines.insert(profile.id, number);
                self.agents.push(profile);
            }
            Err(clashes) => {
                let why = joined(clashes.iter().map(|clash| self.told(clash)));
                self.refuse(number, &why);
            }
        }
        Ok(())
    }

    fn told(&self, clash: &Clash) -> String {
        match self.lines.get(&clash.owner) {
            Some(line) => format!("{}: line {line} has the same", clash.field),
            None => clash.to_string(),
        }
    }

    fn refuse(&mut self, number: usize, why: &str) {
        self.bad_lines += 1;
        if self.bad_lines <= TOLD {
            self.bad.push(format!("line {number}: {why}"));
        }
    }

    fn finish(mut self) -> Result<Vec<Profile>, Failure> {
        if self.bad_lines == 0 {
            return Ok(self.agents);
        }
        if self.bad_lines > TOLD {
            self.bad.push(format!("and {} lines more", self.bad_lines - TOLD));
        }
        Err(Failure::usage(self.bad.join("\n"), "set these lines right and import again; no agent was added"))
    }
}

fn joined(parts: impl Iterator<Item = String>) -> String {
    parts.collect::<Vec<_>>().join("; ")
}
