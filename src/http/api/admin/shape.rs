//! How agents and what is done to them look in JSON.

use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    domain::{Profile, RingTarget, Role},
    http::api::shape::rfc3339,
};

/// An agent.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Agent {
    /// 16 hexadecimal digits
    id: String,
    #[serde(flatten)]
    written: Written,
    /// RFC 3339
    created_at: String,
}

impl From<&Profile> for Agent {
    fn from(profile: &Profile) -> Self {
        let Profile { id, created_at, .. } = profile;
        Self { id: id.to_string(), written: profile.into(), created_at: rfc3339(*created_at) }
    }
}

/// What administrators write of an agent: a line of an export, and of an import.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Written {
    /// E.164
    phone: String,
    name: String,
    email: Option<String>,
    #[schema(value_type = Vec<String>)]
    roles: Vec<Role>,
    department: Option<String>,
    worker_sid: Option<String>,
    /// The friendly name of the TaskRouter worker
    worker_name: String,
    /// What rings, in order: `sip`, `pstn`; null: as configured
    #[schema(value_type = Option<Vec<String>>)]
    ring_plan: Option<Vec<RingTarget>>,
    sip_username: Option<String>,
    can_manage_agents: bool,
    disabled: bool,
}

impl From<&Profile> for Written {
    fn from(profile: &Profile) -> Self {
        let profile = profile.clone();
        Self {
            phone: profile.phone.to_string(),
            name: profile.name,
            email: profile.email,
            roles: profile.roles.into_iter().collect(),
            department: profile.department,
            worker_sid: profile.worker_sid.map(|sid| sid.to_string()),
            worker_name: profile.worker_name,
            ring_plan: profile.ring_plan,
            sip_username: profile.sip_username,
            can_manage_agents: profile.can_manage_agents,
            disabled: profile.disabled,
        }
    }
}

/// A new agent. `null` is as good as leaving a field out.
#[derive(ToSchema)]
#[expect(dead_code, reason = "the document's view of what `roster::Draft` reads")]
pub(super) struct NewAgent {
    /// With its country code, grouped in any way
    #[schema(min_length = 1, example = "+15550100")]
    phone: String,
    #[schema(min_length = 1, max_length = 254)]
    name: String,
    #[schema(max_length = 254)]
    email: Option<String>,
    /// `agent`, `supervisor`, `admin` or one of Flex Insights' `wfo.…`; without it, `agent`
    #[schema(min_items = 1, example = json!(["agent"]))]
    roles: Option<Vec<String>>,
    /// A supervisor's own, if it is left out
    #[schema(max_length = 254)]
    department: Option<String>,
    worker_sid: Option<String>,
    /// Without it, `user-` and the phone number
    #[schema(max_length = 254)]
    worker_name: Option<String>,
    ring_plan: Option<Vec<String>>,
    sip_username: Option<String>,
    /// 12 to 128 characters; it is kept as hashes
    #[schema(min_length = 12, max_length = 128)]
    sip_password: Option<String>,
    can_manage_agents: Option<bool>,
    disabled: Option<bool>,
}

/// Changes to an agent: what is left out stays; `null` empties a field that may be empty.
#[derive(ToSchema)]
#[expect(dead_code, reason = "the document's view of what `roster::Patch` reads")]
pub(super) struct AgentChanges {
    #[schema(min_length = 1)]
    phone: Option<String>,
    #[schema(min_length = 1, max_length = 254)]
    name: Option<String>,
    #[schema(max_length = 254)]
    email: Option<String>,
    #[schema(min_items = 1)]
    roles: Option<Vec<String>>,
    #[schema(max_length = 254)]
    department: Option<String>,
    worker_sid: Option<String>,
    #[schema(min_length = 1, max_length = 254)]
    worker_name: Option<String>,
    ring_plan: Option<Vec<String>>,
    sip_username: Option<String>,
    /// `null` takes it away, and cuts the softphones off
    #[schema(min_length = 12, max_length = 128)]
    sip_password: Option<String>,
    can_manage_agents: Option<bool>,
    disabled: Option<bool>,
}

/// Items of a list, and what to ask for the next ones.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Agents {
    pub(super) items: Vec<Agent>,
    /// `after` of the next page; null: this is the last
    pub(super) next: Option<String>,
}

/// What became of an import.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Imported {
    pub(super) added: usize,
}

/// What is gone with an agent, and what is not.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Removed {
    pub(super) id: String,
    /// What is left, and why; empty: nothing
    pub(super) not_removed: Vec<Leftover>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Leftover {
    /// `sessions` or `worker`
    pub(super) what: &'static str,
    pub(super) why: String,
}

/// Some of the audit log, the oldest entries first.
#[derive(ToSchema)]
#[expect(dead_code, reason = "the document's view of a page of `audit::Entry`")]
pub(super) struct AuditPage {
    items: Vec<AuditEntry>,
    /// `after` of the next page; null: these are the latest
    next: Option<String>,
}

/// What was done. Hashes are SHA-256 in hexadecimal digits.
#[derive(ToSchema)]
#[expect(dead_code, reason = "the document's view of `audit::Entry`")]
struct AuditEntry {
    number: u64,
    /// Milliseconds since the Unix epoch
    at: u64,
    actor: AuditActor,
    /// What: `agent_added`, `logged_in` …
    action: String,
    /// The id of the agent to whom it was done
    #[schema(nullable = false)]
    subject: Option<String>,
    /// The subject's, then
    #[schema(nullable = false)]
    department: Option<String>,
    /// The address that the request came from
    #[schema(nullable = false)]
    address: Option<String>,
    /// What the device calls itself
    #[schema(nullable = false)]
    device: Option<String>,
    /// `done`, `denied` or `failed`
    outcome: String,
    #[schema(nullable = false)]
    detail: Option<String>,
    /// The hash of the entry before; 64 zeros before the first
    previous: String,
    /// Over this entry without it
    hash: String,
}

/// Who did it.
#[derive(ToSchema)]
#[expect(dead_code, reason = "the document's view of `audit::Actor`")]
struct AuditActor {
    /// `agent`, `bootstrap`, `operator` on the command line, `nobody` who was signed in, or the `gateway` itself
    kind: String,
    /// The agent's, if it is one
    #[schema(nullable = false)]
    id: Option<String>,
}

/// What a look through the whole audit log has found.
#[derive(ToSchema)]
#[expect(dead_code, reason = "the document's view of `audit::Verdict`")]
pub(super) struct AuditVerdict {
    ok: bool,
    /// Entries that were looked at
    entries: u64,
    /// The number of the first one that is not as it was written
    first_bad: Option<u64>,
    /// `changed`, `missing`, `misplaced` or `unreadable`
    fault: Option<String>,
}
