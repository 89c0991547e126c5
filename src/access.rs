//! Who may manage whom. Pure: two profiles go in, a yes or a reason comes out.
//!
//! | | bootstrap token | `admin` | `supervisor` with `can_manage_agents` and a department | anybody else |
//! |---|---|---|---|---|
//! | sees | everybody | everybody | their own department | nobody |
//! | grants and takes | every role | every role | `agent`, and the `wfo.*` roles that they hold | nothing |
//! | `can_manage_agents` | yes | yes | no | no |
//! | which worker an agent is | yes | yes | no: by the phone number alone | no |
//! | changes and removes | everybody | everybody | those whose roles they could have granted, and themselves | nobody |
//!
//! Nobody changes their own roles, department, `can_manage_agents` or `disabled`, and nobody removes themselves: nobody
//! lifts themselves, and the last admin stays one. Supervisors are made by admins only: one who could make others could put
//! somebody in their place.

use std::collections::BTreeSet;

use crate::domain::{AgentId, Profile, Role};

/// Who asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Caller {
    /// Whoever holds the bootstrap token.
    Bootstrap,
    Agent(AgentId),
}

/// The rights of somebody who has any.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Access(Rank);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Rank {
    Bootstrap,
    Admin(AgentId),
    Supervisor { id: AgentId, department: String, roles: BTreeSet<Role> },
}

/// Why something is not allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum Forbidden {
    #[error("you may not manage agents")]
    NoRights,
    #[error("only an administrator may do this")]
    NoAdmin,
    #[error("the role {0} is not yours to give or to take")]
    Role(Role),
    #[error("department: not yours")]
    Department,
    #[error("can_manage_agents: only an administrator may set it")]
    CanManageAgents,
    #[error("worker_sid, worker_name: only an administrator may set them")]
    Worker,
    #[error("your own roles, department and standing are changed by somebody else")]
    Yourself,
    #[error("this agent has rights that you may not give: an administrator may change it")]
    Above,
}

impl Access {
    pub const fn bootstrap() -> Self {
        Self(Rank::Bootstrap)
    }

    /// The rights that a profile gives, if it gives any.
    ///
    /// # Errors
    /// [`Forbidden::NoRights`]
    pub fn of(profile: &Profile) -> Result<Self, Forbidden> {
        if profile.disabled {
            return Err(Forbidden::NoRights);
        }
        if profile.roles.contains(&Role::Admin) {
            return Ok(Self(Rank::Admin(profile.id)));
        }
        let manages = profile.can_manage_agents && profile.roles.contains(&Role::Supervisor);
        match &profile.department {
            Some(department) if manages => Ok(Self(Rank::Supervisor {
                id: profile.id,
                department: department.clone(),
                roles: profile.roles.clone(),
            })),
            _ => Err(Forbidden::NoRights),
        }
    }

    /// The one department that is seen; none: all of them.
    pub fn department(&self) -> Option<&str> {
        match &self.0 {
            Rank::Bootstrap | Rank::Admin(_) => None,
            Rank::Supervisor { department, .. } => Some(department),
        }
    }

    /// Whether what belongs to this department is seen.
    pub fn reaches(&self, department: Option<&str>) -> bool {
        self.department().is_none_or(|own| department == Some(own))
    }

    pub fn sees(&self, profile: &Profile) -> bool {
        self.reaches(profile.department.as_deref())
    }

    /// What is everybody's, such as the audit log as a whole.
    ///
    /// # Errors
    /// [`Forbidden::NoAdmin`]
    pub fn may_see_all(&self) -> Result<(), Forbidden> {
        if self.department().is_none() { Ok(()) } else { Err(Forbidden::NoAdmin) }
    }

    /// A new agent for whom no department is named belongs to that of whoever adds them.
    pub fn settle(&self, new: &mut Profile) {
        if new.department.is_none() {
            new.department = self.department().map(str::to_owned);
        }
    }

    /// # Errors
    /// [`Forbidden`]
    pub fn may_add(&self, new: &Profile) -> Result<(), Forbidden> {
        self.may_grant(new.roles.iter().copied())?;
        let Rank::Supervisor { .. } = self.0 else { return Ok(()) };
        if !self.sees(new) {
            return Err(Forbidden::Department);
        }
        if new.can_manage_agents {
            return Err(Forbidden::CanManageAgents);
        }
        if new.worker_sid.is_some() || !is_named_after_phone(new) { Err(Forbidden::Worker) } else { Ok(()) }
    }

    /// `before` is one that is seen.
    ///
    /// # Errors
    /// [`Forbidden`]
    pub fn may_change(&self, before: &Profile, after: &Profile) -> Result<(), Forbidden> {
        self.may_touch(before)?;
        if self.is(before.id) && standing(before) != standing(after) {
            return Err(Forbidden::Yourself);
        }
        self.may_grant(before.roles.symmetric_difference(&after.roles).copied())?;
        let Rank::Supervisor { .. } = self.0 else { return Ok(()) };
        if !self.sees(after) {
            return Err(Forbidden::Department);
        }
        if before.can_manage_agents != after.can_manage_agents {
            return Err(Forbidden::CanManageAgents);
        }
        let follows = is_named_after_phone(before) && is_named_after_phone(after);
        let same_worker = before.worker_sid == after.worker_sid && (before.worker_name == after.worker_name || follows);
        if same_worker { Ok(()) } else { Err(Forbidden::Worker) }
    }

    /// # Errors
    /// [`Forbidden`]
    pub fn may_remove(&self, profile: &Profile) -> Result<(), Forbidden> {
        if self.is(profile.id) { Err(Forbidden::Yourself) } else { self.may_touch(profile) }
    }

    /// Whether anything of this agent may be changed, such as their sessions ended.
    ///
    /// # Errors
    /// [`Forbidden::Above`]
    pub fn may_touch(&self, profile: &Profile) -> Result<(), Forbidden> {
        let Rank::Supervisor { id, .. } = &self.0 else { return Ok(()) };
        let below = !profile.can_manage_agents && profile.roles.iter().all(|role| self.grants(*role));
        if *id == profile.id || below { Ok(()) } else { Err(Forbidden::Above) }
    }

    fn may_grant(&self, mut roles: impl Iterator<Item = Role>) -> Result<(), Forbidden> {
        roles.find(|role| !self.grants(*role)).map_or(Ok(()), |role| Err(Forbidden::Role(role)))
    }

    fn grants(&self, role: Role) -> bool {
        match &self.0 {
            Rank::Bootstrap | Rank::Admin(_) => true,
            Rank::Supervisor { roles, .. } => match role {
                Role::Agent => true,
                Role::Supervisor | Role::Admin => false,
                Role::WfoFullAccess
                | Role::WfoDataAnalyst
                | Role::WfoDataAuditor
                | Role::WfoDashboardViewer
                | Role::WfoQualityManager
                | Role::WfoQualityProcessManager
                | Role::WfoTeamLeader => roles.contains(&role),
            },
        }
    }

    fn is(&self, agent: AgentId) -> bool {
        match &self.0 {
            Rank::Bootstrap => false,
            Rank::Admin(id) | Rank::Supervisor { id, .. } => *id == agent,
        }
    }
}

/// What nobody changes of themselves.
fn standing(profile: &Profile) -> impl PartialEq + use<'_> {
    (&profile.roles, &profile.department, profile.can_manage_agents, profile.disabled)
}

fn is_named_after_phone(profile: &Profile) -> bool {
    profile.worker_name == Profile::default_worker_name(&profile.phone)
}

#[cfg(test)]
mod tests;
