//! What may happen to sessions, and which records and audit entries that makes. Pure.

use std::net::IpAddr;

use super::{End, Policy, Session, TokenHash, Who, record::Ended, table::Table};
use crate::{
    audit::{Action, Actor, EntryResult, NewEntry},
    domain::{AgentId, SessionId, Timestamp},
};

/// Who has asked for a change, and from where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    pub actor: Actor,
    pub address: Option<IpAddr>,
    /// Of the agent whose sessions they are: its supervisors see it in the audit log.
    pub department: Option<String>,
}

impl Origin {
    pub const fn gateway() -> Self {
        Self { actor: Actor::Gateway, address: None, department: None }
    }

    pub const fn agent(id: AgentId, address: Option<IpAddr>, department: Option<String>) -> Self {
        Self { actor: Actor::Agent { id }, address, department }
    }
}

/// Somebody signs in.
#[derive(Clone, Debug)]
pub struct NewSession {
    pub agent: AgentId,
    /// Of the agent's, for the audit log.
    pub department: Option<String>,
    pub device_name: Option<String>,
    pub address: Option<IpAddr>,
}

#[derive(Debug)]
pub(super) enum Change {
    Begin {
        id: SessionId,
        token: TokenHash,
        new: NewSession,
    },
    Rotate {
        who: Who,
        token: TokenHash,
        origin: Origin,
    },
    /// The new token has come for the first time.
    Settle(SessionId),
    Renew(SessionId),
    End {
        agent: AgentId,
        which: Which,
        how: End,
        origin: Origin,
    },
    /// The agent has let go of an ended session's devices.
    LetGo(SessionId),
    Sweep,
}

/// Which of an agent's sessions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Which {
    One(SessionId),
    All,
}

/// What a change makes.
#[derive(Debug, Default)]
pub(super) struct Plan {
    /// To be put in place of those of their names.
    pub(super) put: Vec<Session>,
    pub(super) remove: Vec<SessionId>,
    pub(super) entries: Vec<NewEntry>,
    /// Who is out once this is on disk.
    pub(super) out: Vec<(Who, End)>,
}

impl Change {
    pub(super) fn plan(self, table: &Table, now: Timestamp, policy: &Policy) -> Plan {
        let mut plan = Plan::default();
        match self {
            Self::Begin { id, token, new } => plan.begin(table, (id, token), new, now, policy),
            Self::Rotate { who, token, origin } => plan.rotate(table, who, token, &origin, now, policy),
            Self::Settle(id) => plan.put.extend(table.get(id).map(|session| session.settled())),
            Self::Renew(id) => plan.put.extend(table.stale(id, now)),
            Self::End { agent, which, how, origin } => {
                let live = table.live(agent, now, policy);
                let wanted = live.into_iter().filter(|session| which == Which::All || which == Which::One(session.id));
                wanted.for_each(|session| plan.end(&session, how, &origin, now));
            }
            Self::LetGo(id) => plan.let_go(table, id),
            Self::Sweep => {
                plan.remove = table.forgettable(now);
                for session in &table.expired(now, policy) {
                    plan.put.push(session.ended(End::Expired, now));
                    plan.out.push((Who { agent: session.agent, session: session.id }, End::Expired));
                }
            }
        }
        plan
    }
}

impl Plan {
    fn begin(
        &mut self,
        table: &Table,
        (id, token): (SessionId, TokenHash),
        new: NewSession,
        now: Timestamp,
        policy: &Policy,
    ) {
        self.entries.push(NewEntry {
            actor: Actor::Agent { id: new.agent },
            action: Action::LoggedIn,
            subject: Some(new.agent),
            department: new.department.clone(),
            address: new.address,
            device: new.device_name.clone(),
            outcome: EntryResult::Done,
            detail: Some(format!("session {id}")),
        });
        let origin = Origin::agent(new.agent, new.address, new.department);
        for old in table.superseded(new.agent, now, policy) {
            self.end(&old, End::Superseded, &origin, now);
        }
        self.put.push(Session::new(id, new.agent, token, new.device_name, now));
    }

    fn rotate(&mut self, table: &Table, who: Who, token: TokenHash, origin: &Origin, now: Timestamp, policy: &Policy) {
        let Some(session) = table.get(who.session).filter(|session| session.is_live(policy, now)) else { return };
        self.entries.push(entry(&session, Action::SessionRefreshed, origin));
        self.put.push(session.rotated_to(token, now));
    }

    fn end(&mut self, session: &Session, how: End, origin: &Origin, now: Timestamp) {
        let action = match how {
            End::Superseded => Action::SessionSuperseded,
            End::LoggedOut => Action::LoggedOut,
            End::Revoked | End::Reused | End::Expired => Action::SessionRevoked,
        };
        let mut entry = entry(session, action, origin);
        if how == End::Reused {
            entry.detail = Some(format!("session {}: a token came that had been rotated out", session.id));
        }
        self.entries.push(entry);
        self.put.push(session.ended(how, now));
        self.out.push((Who { agent: session.agent, session: session.id }, how));
    }

    /// Why a session is over is remembered where its token has an answer of its own.
    fn let_go(&mut self, table: &Table, id: SessionId) {
        let Some(session) = table.get(id) else { return };
        let Some(ended) = session.ended else { return };
        match ended.how {
            End::Superseded | End::Expired => {
                self.put.push(Session { ended: Some(Ended { owed: false, ..ended }), ..session });
            }
            End::LoggedOut | End::Revoked | End::Reused => self.remove.push(id),
        }
    }
}

fn entry(session: &Session, action: Action, origin: &Origin) -> NewEntry {
    NewEntry {
        actor: origin.actor,
        action,
        subject: Some(session.agent),
        department: origin.department.clone(),
        address: origin.address,
        device: session.device_name.clone(),
        outcome: EntryResult::Done,
        detail: Some(format!("session {}", session.id)),
    }
}
