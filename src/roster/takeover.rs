//! Taking over the agents of another system: who is added, who is there already, and who is left out and why.

use std::collections::BTreeMap;

use super::{
    Clash, Field, Roster,
    newcomer::{Newcomer, Unfit},
};
use crate::domain::{AgentId, Profile, Timestamp};

/// Agents' ids are random: this one is nobody's.
const NOBODY: u64 = u64::MAX;

/// Somebody in the other system.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// Of the worker or the document.
    pub sid: String,
    /// What it is called there; anything may be written in it.
    pub name: String,
}

/// Why somebody is left out.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LeftOut {
    #[error("{0}")]
    Unfit(#[from] Unfit),
    /// Which of them is meant nobody here can know.
    #[error("{field}: {other} has the same")]
    Shared { field: Field, other: String },
}

/// What a takeover would do. Nobody who is there already is changed.
#[derive(Debug, Default)]
pub struct Takeover {
    pub added: Vec<(Origin, Newcomer)>,
    /// With what each has in common with an agent.
    pub there: Vec<(Origin, Vec<Clash>)>,
    pub left_out: Vec<(Origin, LeftOut)>,
}

impl Takeover {
    /// Sorts people, each as far as could be understood, by what becomes of them beside the agents in the roster.
    pub fn of(people: Vec<(Origin, Result<Newcomer, Unfit>)>, roster: &Roster) -> Self {
        let mut takeover = Self::default();
        let mut fit = Vec::new();
        for (origin, found) in people {
            match found {
                Err(unfit) => takeover.left_out.push((origin, unfit.into())),
                Ok(newcomer) => match roster.clashes(&profile(&newcomer, NOBODY)) {
                    clashes if clashes.is_empty() => fit.push((origin, newcomer)),
                    clashes => takeover.there.push((origin, clashes)),
                },
            }
        }
        let mut shared = shared(&fit);
        for (place, (origin, newcomer)) in fit.into_iter().enumerate() {
            match shared.remove(&place) {
                Some(why) => takeover.left_out.push((origin, why)),
                None => takeover.added.push((origin, newcomer)),
            }
        }
        takeover
    }

    /// The newcomers as lines of an import.
    pub fn lines(&self) -> String {
        self.added.iter().map(|(_, newcomer)| newcomer.line()).collect()
    }
}

/// Those who cannot both be agents, by their place: the first of them too.
fn shared(people: &[(Origin, Newcomer)]) -> BTreeMap<usize, LeftOut> {
    let mut roster = Roster::default();
    let mut shared = BTreeMap::new();
    for (place, (origin, newcomer)) in people.iter().enumerate() {
        for clash in roster.add(&profile(newcomer, place as u64)).err().into_iter().flatten() {
            let first = usize::try_from(clash.owner.to_bits()).unwrap_or(usize::MAX);
            let Some((other, _)) = people.get(first) else { continue };
            let with = |other: &Origin| LeftOut::Shared { field: clash.field, other: other.sid.clone() };
            shared.entry(place).or_insert_with(|| with(other));
            shared.entry(first).or_insert_with(|| with(origin));
        }
    }
    shared
}

fn profile(newcomer: &Newcomer, id: u64) -> Profile {
    newcomer.draft().clone().into_profile(AgentId::from_bits(id), Timestamp::EPOCH)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{
        domain::WorkerSid,
        roster::{
            Draft,
            from_taskrouter::{Worker, newcomer},
        },
    };

    /// A worker with a sid that ends with this digit.
    fn worker(digit: u8, name: &str, phone: &str) -> (Origin, Result<Newcomer, Unfit>) {
        let sid: WorkerSid = format!("WK{digit:032}").parse().unwrap();
        let attributes = json!({ "phone": phone }).to_string();
        let found = newcomer(Worker { sid: &sid, friendly_name: name, attributes: &attributes }, None);
        (Origin { sid: sid.to_string(), name: name.to_owned() }, found)
    }

    fn roster(agents: &[&str]) -> Roster {
        let mut roster = Roster::default();
        for (id, json) in (1..).zip(agents) {
            roster
                .add(&Draft::from_json(json).unwrap().into_profile(AgentId::from_bits(id), Timestamp::EPOCH))
                .unwrap();
        }
        roster
    }

    fn names<T>(people: &[(Origin, T)]) -> Vec<&str> {
        people.iter().map(|(origin, _)| origin.name.as_str()).collect()
    }

    #[test]
    fn who_is_missing_is_added_and_who_is_there_stays() {
        let there = roster(&[
            r#"{"phone":"+15550101","name":"By phone"}"#,
            r#"{"phone":"+15550199","name":"By sid","worker_sid":"WK00000000000000000000000000000002"}"#,
        ]);
        let people = vec![
            worker(1, "ada", "+15550101"),
            worker(2, "bo", "+15550102"),
            worker(3, "cy", "+15550103"),
            worker(4, "di", "none"),
        ];
        let takeover = Takeover::of(people, &there);
        assert_eq!((names(&takeover.added), names(&takeover.there)), (vec!["cy"], vec!["ada", "bo"]));
        assert_eq!(takeover.there[1].1, [Clash { field: Field::WorkerSid, owner: AgentId::from_bits(2) }]);
        assert_eq!((names(&takeover.left_out), &takeover.left_out[0].1), (vec!["di"], &Unfit::NoPhone.into()));
    }

    #[test]
    fn of_several_with_one_number_none_is_added_unless_one_is_there() {
        let people = || vec![worker(1, "ada", "+15550101"), worker(2, "bo", "+15550102"), worker(3, "cy", "+15550101")];
        let takeover = Takeover::of(people(), &roster(&[]));
        assert_eq!((names(&takeover.added), names(&takeover.left_out)), (vec!["bo"], vec!["ada", "cy"]));
        let why: Vec<_> = takeover.left_out.iter().map(|(_, why)| why.to_string()).collect();
        assert_eq!(why[0], "phone: WK00000000000000000000000000000003 has the same");
        assert_eq!(why[1], "phone: WK00000000000000000000000000000001 has the same");
        let there = roster(&[r#"{"phone":"+15550101","name":"A"}"#]);
        assert_eq!(names(&Takeover::of(people(), &there).there), ["ada", "cy"]);
    }

    #[test]
    fn the_lines_are_what_an_import_reads_and_a_second_takeover_adds_nobody() {
        let people = || vec![worker(1, "ada", "+15550101"), worker(2, "b\"o\u{2028}<b>", "+15550102")];
        let lines = Takeover::of(people(), &roster(&[])).lines();
        let lines: Vec<_> = lines.lines().collect();
        assert_eq!(lines.len(), 2);
        let again = Takeover::of(people(), &roster(&lines));
        assert_eq!((again.added.len(), again.there.len(), again.lines().as_str()), (0, 2, ""));
    }
}
