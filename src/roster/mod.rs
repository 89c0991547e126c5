//! Who is who: what an administrator may write down about an agent, and that no two agents share what tells them apart.
//!
//! The rules are pure; the command line uses them on the stopped store. [`Book`] is the agents as the running daemon has
//! them: `shelf` in memory, `writer` the only one who changes it. [`Takeover`] is how the agents of another system become ours.

mod book;
mod credentials;
mod draft;
pub mod from_flex_mobile;
pub mod from_taskrouter;
mod newcomer;
pub mod phone;
mod search;
mod shelf;
mod takeover;
mod value;
mod writer;

use std::collections::HashMap;

use offdesk_sip::User;

pub use self::{
    book::{Book, BookError, By, News, Told},
    credentials::{draw_password, put_password, unescaped},
    draft::{Draft, Field, FieldError, Patch, changes, ends_sessions},
    newcomer::{Newcomer, Remark, Unfit},
    search::Search,
    shelf::Page,
    takeover::{LeftOut, Origin, Takeover},
    writer::new_id,
};

use crate::domain::{AgentId, E164, Profile, WorkerSid};

/// What belongs to one agent at most.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Mark {
    Phone(E164),
    WorkerSid(WorkerSid),
    WorkerName(Box<str>),
    SipUser(User),
}

impl Mark {
    const fn field(&self) -> Field {
        match self {
            Self::Phone(_) => Field::Phone,
            Self::WorkerSid(_) => Field::WorkerSid,
            Self::WorkerName(_) => Field::WorkerName,
            Self::SipUser(_) => Field::SipUsername,
        }
    }
}

/// A field that another agent has too.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
#[error("{field}: agent {owner} has the same")]
pub struct Clash {
    pub field: Field,
    pub owner: AgentId,
}

/// The agents by what tells them apart.
#[derive(Clone, Debug, Default)]
pub struct Roster {
    owners: HashMap<Mark, AgentId>,
}

impl Roster {
    /// What this profile shares with other agents; an agent does not clash with itself.
    pub fn clashes(&self, profile: &Profile) -> Vec<Clash> {
        let clash = |mark: Mark| {
            let owner = *self.owners.get(&mark)?;
            (owner != profile.id).then_some(Clash { field: mark.field(), owner })
        };
        marks(profile).filter_map(clash).collect()
    }

    /// Takes an agent in, unless it clashes; then nothing changes.
    pub fn add(&mut self, profile: &Profile) -> Result<(), Vec<Clash>> {
        let clashes = self.clashes(profile);
        if !clashes.is_empty() {
            return Err(clashes);
        }
        self.owners.extend(marks(profile).map(|mark| (mark, profile.id)));
        Ok(())
    }

    /// Forgets an agent, as it was when it was added.
    pub fn remove(&mut self, profile: &Profile) {
        for mark in marks(profile) {
            if self.owners.get(&mark) == Some(&profile.id) {
                self.owners.remove(&mark);
            }
        }
    }

    pub fn by_phone(&self, phone: &E164) -> Option<AgentId> {
        self.owners.get(&Mark::Phone(phone.clone())).copied()
    }
}

fn marks(profile: &Profile) -> impl Iterator<Item = Mark> {
    let sip_user = profile.sip_username.as_deref().and_then(|user| user.parse().ok());
    [
        Some(Mark::Phone(profile.phone.clone())),
        profile.worker_sid.clone().map(Mark::WorkerSid),
        Some(Mark::WorkerName(profile.worker_name.as_str().into())),
        sip_user.map(Mark::SipUser),
    ]
    .into_iter()
    .flatten()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Timestamp;

    fn agent(id: u64, json: &str) -> Profile {
        Draft::from_json(json).unwrap().into_profile(AgentId::from_bits(id), Timestamp::EPOCH)
    }

    #[test]
    fn two_agents_share_no_phone_worker_or_sip_user() {
        let mut roster = Roster::default();
        let sid = "WK0123456789abcdef0123456789abcdef";
        let first = format!(
            r#"{{"phone":"+15550100","name":"A","worker_sid":"{sid}","worker_name":"anna","sip_username":"anna"}}"#
        );
        roster.add(&agent(1, &first)).unwrap();
        let same = first.replace("\"anna\"}", "\"%61nna\"}");
        let fields: Vec<_> = roster.add(&agent(2, &same)).unwrap_err().iter().map(|clash| clash.field).collect();
        assert_eq!(fields, [Field::Phone, Field::WorkerSid, Field::WorkerName, Field::SipUsername]);
        roster.add(&agent(2, r#"{"phone":"+15550101","name":"A"}"#)).unwrap();
    }

    #[test]
    fn an_agent_does_not_clash_with_itself_and_leaves_nothing_behind() {
        let mut roster = Roster::default();
        let anna = agent(1, r#"{"phone":"+15550100","name":"Anna"}"#);
        roster.add(&anna).unwrap();
        assert_eq!(roster.clashes(&anna), []);
        assert_eq!(roster.by_phone(&anna.phone), Some(anna.id));
        roster.remove(&anna);
        assert_eq!(roster.by_phone(&anna.phone), None);
        roster.add(&agent(2, r#"{"phone":"+15550100","name":"Berta"}"#)).unwrap();
    }

    #[test]
    fn a_clash_changes_nothing() {
        let mut roster = Roster::default();
        roster.add(&agent(1, r#"{"phone":"+15550100","name":"Anna"}"#)).unwrap();
        let berta = agent(2, r#"{"phone":"+15550101","name":"Berta","worker_name":"user-+15550100"}"#);
        assert_eq!(roster.add(&berta), Err(vec![Clash { field: Field::WorkerName, owner: AgentId::from_bits(1) }]));
        assert_eq!(roster.by_phone(&berta.phone), None);
    }
}
