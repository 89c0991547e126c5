//! A profile as an administrator writes it: every field checked, all that is wrong told at once and without the value.

use std::{collections::BTreeSet, fmt};

use offdesk_sip::User;
use serde_json::{Map, Value};

use super::{
    credentials::unescaped,
    phone,
    value::{flag, mail_address, parsed, password, ring_plan, roles, text},
};
use crate::domain::{AgentId, E164, Profile, RingTarget, Role, SipPassword, Timestamp, WorkerSid};

/// A field of a profile that administrators write.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Field {
    Phone,
    Name,
    Email,
    Roles,
    Department,
    WorkerSid,
    WorkerName,
    RingPlan,
    SipUsername,
    SipPassword,
    CanManageAgents,
    Disabled,
}

impl Field {
    const ALL: [Self; 12] = [
        Self::Phone,
        Self::Name,
        Self::Email,
        Self::Roles,
        Self::Department,
        Self::WorkerSid,
        Self::WorkerName,
        Self::RingPlan,
        Self::SipUsername,
        Self::SipPassword,
        Self::CanManageAgents,
        Self::Disabled,
    ];

    /// Its name in JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Phone => "phone",
            Self::Name => "name",
            Self::Email => "email",
            Self::Roles => "roles",
            Self::Department => "department",
            Self::WorkerSid => "worker_sid",
            Self::WorkerName => "worker_name",
            Self::RingPlan => "ring_plan",
            Self::SipUsername => "sip_username",
            Self::SipPassword => "sip_password",
            Self::CanManageAgents => "can_manage_agents",
            Self::Disabled => "disabled",
        }
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Why a description of an agent is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FieldError {
    #[error("expected a JSON object")]
    NotAnObject,
    #[error("{0}: required, but not there")]
    Missing(Field),
    #[error("{0}: {1}")]
    Bad(Field, String),
    #[error("a field that is not known; the nearest known one is {nearest}")]
    Unknown { nearest: Field },
    #[error("sip_password: softphones are not configured: [sip]")]
    NoSip,
    #[error("sip_password: the system gives no random numbers")]
    NoRandomness,
}

/// Wrong fields that are told; the rest would tell nothing new.
const TOLD: usize = 20;
/// No field that is longer is like a known one, and comparing long ones takes long.
const LONGEST_NAME: usize = 64;

/// Changes to a profile. In the outer `Option`, none leaves the field as it is; in the inner, none empties it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Patch {
    pub phone: Option<E164>,
    pub name: Option<String>,
    pub email: Option<Option<String>>,
    pub roles: Option<BTreeSet<Role>>,
    pub department: Option<Option<String>>,
    pub worker_sid: Option<Option<WorkerSid>>,
    pub worker_name: Option<String>,
    pub ring_plan: Option<Option<Vec<RingTarget>>>,
    pub sip_username: Option<Option<String>>,
    /// For [`put_password`](super::put_password): [`Patch::apply`] knows no realm.
    pub sip_password: Option<Option<SipPassword>>,
    pub can_manage_agents: Option<bool>,
    pub disabled: Option<bool>,
}

/// A new agent, all but its id and time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draft {
    phone: E164,
    name: String,
    more: Patch,
}

impl Draft {
    pub fn from_json(text: &str) -> Result<Self, Vec<FieldError>> {
        Self::from_patch(Patch::from_json(text)?)
    }

    pub fn from_patch(mut patch: Patch) -> Result<Self, Vec<FieldError>> {
        match (patch.phone.take(), patch.name.take()) {
            (Some(phone), Some(name)) => Ok(Self { phone, name, more: patch }),
            (phone, name) => {
                let missing = [(phone.is_none(), Field::Phone), (name.is_none(), Field::Name)];
                Err(missing
                    .into_iter()
                    .filter(|(missing, _)| *missing)
                    .map(|(_, field)| FieldError::Missing(field))
                    .collect())
            }
        }
    }

    /// The SIP password, for [`put_password`](super::put_password) once there is a profile.
    pub const fn take_sip_password(&mut self) -> Option<Option<SipPassword>> {
        self.more.sip_password.take()
    }

    pub fn into_profile(self, id: AgentId, now: Timestamp) -> Profile {
        let worker_name = Profile::default_worker_name(&self.phone);
        let mut profile = Profile {
            id,
            phone: self.phone,
            name: self.name,
            email: None,
            roles: BTreeSet::from([Role::Agent]),
            department: None,
            worker_sid: None,
            worker_name,
            ring_plan: None,
            sip_username: None,
            sip_secret: None,
            can_manage_agents: false,
            disabled: false,
            created_at: now,
        };
        self.more.apply(&mut profile);
        profile
    }
}

impl Patch {
    /// Reads an object in which null and the empty text empty a field.
    pub fn from_json(text: &str) -> Result<Self, Vec<FieldError>> {
        // serde_json's own words may quote the text.
        Self::from_value(&serde_json::from_str(text).map_err(|_| vec![FieldError::NotAnObject])?)
    }

    /// [`Patch::from_json`] of what is read already.
    pub fn from_value(value: &Value) -> Result<Self, Vec<FieldError>> {
        let object: &Map<String, Value> = value.as_object().ok_or_else(|| vec![FieldError::NotAnObject])?;
        let mut patch = Self::default();
        let wrong = object.iter().filter_map(|(name, value)| patch.set_named(name, value).err());
        let errors: Vec<_> = wrong.take(TOLD).collect();
        if errors.is_empty() { Ok(patch) } else { Err(errors) }
    }

    fn set_named(&mut self, name: &str, value: &Value) -> Result<(), FieldError> {
        if let Some(field) = Field::ALL.into_iter().find(|field| field.name() == name) {
            return self.set(field, value).map_err(|why| FieldError::Bad(field, why));
        }
        if name.len() > LONGEST_NAME {
            return Err(FieldError::Unknown { nearest: Field::Name });
        }
        let likeness = |field: &Field| strsim::normalized_damerau_levenshtein(name, field.name());
        let nearest = Field::ALL.into_iter().max_by(|left, right| likeness(left).total_cmp(&likeness(right)));
        Err(FieldError::Unknown { nearest: nearest.unwrap_or(Field::Name) })
    }

    /// Sets one field; the error says what is expected.
    pub fn set(&mut self, field: Field, value: &Value) -> Result<(), String> {
        match field {
            Field::Phone => self.phone = Some(phone::of_value(value)?),
            Field::Name => self.name = Some(text(value)?.ok_or("may not be empty")?),
            Field::Email => self.email = Some(text(value)?.map(mail_address).transpose()?),
            Field::Roles => self.roles = Some(roles(value)?),
            Field::Department => self.department = Some(text(value)?),
            Field::WorkerSid => self.worker_sid = Some(parsed(value)?),
            Field::WorkerName => self.worker_name = Some(text(value)?.ok_or("may not be empty")?),
            Field::RingPlan => self.ring_plan = Some(ring_plan(value)?),
            Field::SipUsername => self.sip_username = Some(parsed::<User>(value)?.map(|user| user.to_string())),
            Field::SipPassword => self.sip_password = Some(password(value)?),
            Field::CanManageAgents => self.can_manage_agents = Some(flag(value)?),
            Field::Disabled => self.disabled = Some(flag(value)?),
        }
        Ok(())
    }

    /// A new phone number takes a worker name with it that was made of the old one; another SIP user ends the use of the
    /// password.
    pub fn apply(self, profile: &mut Profile) {
        fn put<T>(place: &mut T, change: Option<T>) {
            if let Some(change) = change {
                *place = change;
            }
        }
        let follows = profile.worker_name == Profile::default_worker_name(&profile.phone);
        put(&mut profile.phone, self.phone);
        if follows {
            profile.worker_name = Profile::default_worker_name(&profile.phone);
        }
        put(&mut profile.name, self.name);
        put(&mut profile.email, self.email);
        put(&mut profile.roles, self.roles);
        put(&mut profile.department, self.department);
        put(&mut profile.worker_sid, self.worker_sid);
        put(&mut profile.worker_name, self.worker_name);
        put(&mut profile.ring_plan, self.ring_plan);
        put(&mut profile.sip_username, self.sip_username);
        let user = profile.sip_username.as_deref().map(unescaped);
        profile.sip_secret.take_if(|secret| user.as_deref() != Some(secret.user()));
        put(&mut profile.can_manage_agents, self.can_manage_agents);
        put(&mut profile.disabled, self.disabled);
    }
}

/// Which fields differ: their names alone, for what they held is nobody's business later.
pub fn changes(before: &Profile, after: &Profile) -> String {
    let differ = [
        ("phone", before.phone != after.phone),
        ("name", before.name != after.name),
        ("email", before.email != after.email),
        ("roles", before.roles != after.roles),
        ("department", before.department != after.department),
        ("worker_sid", before.worker_sid != after.worker_sid),
        ("worker_name", before.worker_name != after.worker_name),
        ("ring_plan", before.ring_plan != after.ring_plan),
        ("sip_username", before.sip_username != after.sip_username),
        ("sip_password", before.sip_secret != after.sip_secret),
        ("can_manage_agents", before.can_manage_agents != after.can_manage_agents),
        ("disabled", before.disabled != after.disabled),
    ];
    let names: Vec<_> = differ.into_iter().filter(|(_, differs)| *differs).map(|(name, _)| name).collect();
    names.join(", ")
}

/// Whether a change ends the agent's sessions: who is disabled is nobody's to be, and who had the old number may be another.
pub fn ends_sessions(before: &Profile, after: &Profile) -> bool {
    after.disabled || before.phone != after.phone
}

#[cfg(test)]
mod tests;
