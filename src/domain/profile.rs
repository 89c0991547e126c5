//! Who an agent is, as an administrator wrote it down.

use std::{collections::BTreeSet, fmt, ops::Not, str::FromStr};

use serde::{Deserialize, Serialize};

use super::{AgentId, E164, SipSecret, Timestamp, WorkerSid};

/// What an agent may do. The `wfo.*` roles are those of Flex Insights.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Role {
    #[serde(rename = "agent")]
    Agent,
    #[serde(rename = "supervisor")]
    Supervisor,
    #[serde(rename = "admin")]
    Admin,
    #[serde(rename = "wfo.full_access")]
    WfoFullAccess,
    #[serde(rename = "wfo.data_analyst")]
    WfoDataAnalyst,
    #[serde(rename = "wfo.data_auditor")]
    WfoDataAuditor,
    #[serde(rename = "wfo.dashboard_viewer")]
    WfoDashboardViewer,
    #[serde(rename = "wfo.quality_manager")]
    WfoQualityManager,
    #[serde(rename = "wfo.quality_process_manager")]
    WfoQualityProcessManager,
    #[serde(rename = "wfo.team_leader")]
    WfoTeamLeader,
}

impl Role {
    /// All there are.
    pub const ALL: [Self; 10] = [
        Self::Agent,
        Self::Supervisor,
        Self::Admin,
        Self::WfoFullAccess,
        Self::WfoDataAnalyst,
        Self::WfoDataAuditor,
        Self::WfoDashboardViewer,
        Self::WfoQualityManager,
        Self::WfoQualityProcessManager,
        Self::WfoTeamLeader,
    ];

    /// Its name, as JSON and Flex have it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Agent => "agent",
            Self::Supervisor => "supervisor",
            Self::Admin => "admin",
            Self::WfoFullAccess => "wfo.full_access",
            Self::WfoDataAnalyst => "wfo.data_analyst",
            Self::WfoDataAuditor => "wfo.data_auditor",
            Self::WfoDashboardViewer => "wfo.dashboard_viewer",
            Self::WfoQualityManager => "wfo.quality_manager",
            Self::WfoQualityProcessManager => "wfo.quality_process_manager",
            Self::WfoTeamLeader => "wfo.team_leader",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Where a step of the ring plan rings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RingTarget {
    /// The agent's registered softphones.
    Sip,
    /// The agent's cell phone, over the public telephone network.
    Pstn,
}

impl fmt::Display for RingTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Sip => "sip",
            Self::Pstn => "pstn",
        })
    }
}

impl FromStr for RingTarget {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "sip" => Ok(Self::Sip),
            "pstn" => Ok(Self::Pstn),
            _ => Err("a ring target is \"sip\" or \"pstn\""),
        }
    }
}

/// An agent, as administrators know one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Profile {
    pub id: AgentId,
    /// The cell phone: where calls ring, and later where one-time passwords go.
    pub phone: E164,
    pub name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    pub roles: BTreeSet<Role>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub department: Option<String>,
    /// The TaskRouter worker, once it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub worker_sid: Option<WorkerSid>,
    /// The worker's friendly name, by which it is found while its sid is not known.
    pub worker_name: String,
    /// The ordered targets that a call tries; none: the configured default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ring_plan: Option<Vec<RingTarget>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sip_username: Option<String>,
    /// What is kept of the password of the agent's softphones; none: they cannot register.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sip_secret: Option<SipSecret>,
    /// A supervisor with this manages the agents of the own department.
    #[serde(default, skip_serializing_if = "Not::not")]
    pub can_manage_agents: bool,
    /// Nobody signs in as this agent, and nothing is offered to them.
    #[serde(default, skip_serializing_if = "Not::not")]
    pub disabled: bool,
    pub created_at: Timestamp,
}

impl Profile {
    /// The friendly name that Flex gives a worker who signs in with this number, unless told otherwise.
    pub fn default_worker_name(phone: &E164) -> String {
        format!("user-{phone}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_role_is_written_in_exactly_one_way() {
        for role in Role::ALL {
            assert_eq!(serde_json::to_value(role).unwrap(), role.name());
            assert_eq!(serde_json::from_value::<Role>(role.name().into()).unwrap(), role);
        }
        for smuggled in [
            "supervisor,admin",
            "Admin",
            "ADMIN",
            " admin",
            "admin ",
            "admin\n",
            "аdmin",
            "ａｄｍｉｎ",
            "admin\0",
            "",
            "wfo",
            "wfo.",
        ] {
            assert!(serde_json::from_value::<Role>(smuggled.into()).is_err(), "{smuggled:?}");
        }
    }
}
