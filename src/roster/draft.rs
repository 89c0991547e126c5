//! A profile as an administrator writes it: every field checked, all that is wrong told at once and without the value.

use std::{collections::BTreeSet, fmt, str::FromStr};

use offdesk_sip::User;
use serde_json::{Map, Value};

use crate::domain::{AgentId, E164, Profile, RingTarget, Role, Timestamp, WorkerSid};

/// The longest name, department or address in bytes. It keeps a profile far below what a record may hold.
const MAX_TEXT: usize = 254;

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
}

impl Field {
    const ALL: [Self; 9] = [
        Self::Phone,
        Self::Name,
        Self::Email,
        Self::Roles,
        Self::Department,
        Self::WorkerSid,
        Self::WorkerName,
        Self::RingPlan,
        Self::SipUsername,
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
    #[error("{0}: not in this version")]
    NotInThisVersion(&'static str),
}

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
        let object: Map<String, Value> = serde_json::from_str(text).map_err(|_| vec![FieldError::NotAnObject])?;
        let mut patch = Self::default();
        let errors: Vec<_> = object.iter().filter_map(|(name, value)| patch.set_named(name, value).err()).collect();
        if errors.is_empty() { Ok(patch) } else { Err(errors) }
    }

    fn set_named(&mut self, name: &str, value: &Value) -> Result<(), FieldError> {
        if name == "sip_password" {
            return Err(FieldError::NotInThisVersion("sip_password"));
        }
        if let Some(field) = Field::ALL.into_iter().find(|field| field.name() == name) {
            return self.set(field, value).map_err(|why| FieldError::Bad(field, why));
        }
        let likeness = |field: &Field| strsim::normalized_damerau_levenshtein(name, field.name());
        let nearest = Field::ALL.into_iter().max_by(|left, right| likeness(left).total_cmp(&likeness(right)));
        Err(FieldError::Unknown { nearest: nearest.unwrap_or(Field::Name) })
    }

    /// Sets one field; the error says what is expected.
    pub fn set(&mut self, field: Field, value: &Value) -> Result<(), String> {
        match field {
            Field::Phone => self.phone = Some(parsed(value)?.ok_or("may not be empty")?),
            Field::Name => self.name = Some(text(value)?.ok_or("may not be empty")?),
            Field::Email => self.email = Some(text(value)?.map(mail_address).transpose()?),
            Field::Roles => self.roles = Some(roles(value)?),
            Field::Department => self.department = Some(text(value)?),
            Field::WorkerSid => self.worker_sid = Some(parsed(value)?),
            Field::WorkerName => self.worker_name = Some(text(value)?.ok_or("may not be empty")?),
            Field::RingPlan => self.ring_plan = Some(ring_plan(value)?),
            Field::SipUsername => self.sip_username = Some(parsed::<User>(value)?.map(|user| user.to_string())),
        }
        Ok(())
    }

    /// A new phone number takes a worker name with it that was made of the old one.
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
    }
}

fn text(value: &Value) -> Result<Option<String>, String> {
    match value {
        Value::Null => Ok(None),
        Value::String(text) if text.is_empty() => Ok(None),
        Value::String(text) if text.len() > MAX_TEXT => Err(format!("expected at most {MAX_TEXT} bytes")),
        Value::String(text) if text.contains(char::is_control) || text.trim() != text => {
            Err("expected a text without control characters and without blanks at its ends".into())
        }
        Value::String(text) => Ok(Some(text.clone())),
        _ => Err("expected a text".into()),
    }
}

fn parsed<T: FromStr<Err: fmt::Display>>(value: &Value) -> Result<Option<T>, String> {
    text(value)?.map(|text| text.parse::<T>().map_err(|error| error.to_string())).transpose()
}

fn mail_address(text: String) -> Result<String, String> {
    let plausible = text.split_once('@').is_some_and(|(user, host)| !user.is_empty() && !host.is_empty());
    let plausible = plausible && !text.contains(char::is_whitespace);
    if plausible { Ok(text) } else { Err("expected a mail address".into()) }
}

fn roles(value: &Value) -> Result<BTreeSet<Role>, String> {
    const EXPECTED: &str =
        "expected a list of roles, each \"agent\", \"supervisor\", \"admin\" or one of Flex Insights' \"wfo.…\"";
    let roles: BTreeSet<Role> = serde_json::from_value(value.clone()).map_err(|_| EXPECTED)?;
    if roles.is_empty() { Err("expected at least one role".into()) } else { Ok(roles) }
}

fn ring_plan(value: &Value) -> Result<Option<Vec<RingTarget>>, String> {
    let plan: Option<Vec<RingTarget>> =
        serde_json::from_value(value.clone()).map_err(|_| "expected a list of \"sip\" and \"pstn\"")?;
    let plan = plan.filter(|plan| !plan.is_empty());
    let twice = plan.iter().flatten().collect::<BTreeSet<_>>().len() < plan.iter().flatten().count();
    if twice { Err("names a target twice".into()) } else { Ok(plan) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(7);

    fn errors(json: &str) -> Vec<String> {
        Draft::from_json(json).unwrap_err().iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_phone_and_a_name_make_an_agent() {
        let draft = Draft::from_json(r#"{"phone":"+15550100","name":"Anna","email":null,"department":""}"#).unwrap();
        let profile = draft.into_profile(AgentId::from_bits(1), NOW);
        assert_eq!(profile.worker_name, "user-+15550100");
        assert_eq!(profile.roles, BTreeSet::from([Role::Agent]));
        assert_eq!((profile.email, profile.department, profile.created_at), (None, None, NOW));
    }

    #[test]
    fn every_field_is_taken_over() {
        let json = r#"{"phone":"+15550100","name":"Anna","email":"a@example.com","roles":["admin","wfo.team_leader"],
            "department":"Sales","worker_sid":"WK0123456789abcdef0123456789abcdef","worker_name":"anna",
            "ring_plan":["pstn"],"sip_username":"anna"}"#;
        let profile = Draft::from_json(json).unwrap().into_profile(AgentId::from_bits(1), NOW);
        assert_eq!(profile.roles, BTreeSet::from([Role::Admin, Role::WfoTeamLeader]));
        assert_eq!(profile.ring_plan.as_deref(), Some([RingTarget::Pstn].as_slice()));
        assert_eq!(profile.worker_name, "anna");
        assert!(profile.email.is_some() && profile.department.is_some());
        assert!(profile.worker_sid.is_some() && profile.sip_username.is_some());
    }

    #[test]
    fn what_is_wrong_is_told_at_once_and_without_the_value() {
        let told = errors(r#"{"phone":4915112345678,"name":" x","roles":["boss"],"worker_sid":"WK1","nam":1}"#);
        assert_eq!(told.len(), 5, "{told:?}");
        assert!(told.contains(&"a field that is not known; the nearest known one is name".to_owned()));
        assert!(!told.concat().contains("4915112345678") && !told.concat().contains("boss"));
        assert_eq!(errors("{}"), ["phone: required, but not there", "name: required, but not there"]);
        assert_eq!(errors("[]"), ["expected a JSON object"]);
    }

    #[test]
    fn a_sip_password_is_for_a_later_version() {
        let told = errors(r#"{"phone":"+15550100","name":"Anna","sip_password":"x"}"#);
        assert_eq!(told, ["sip_password: not in this version"]);
    }

    #[test]
    fn a_worker_name_made_of_the_phone_follows_it() {
        let draft = Draft::from_json(r#"{"phone":"+15550100","name":"Anna","email":"a@b"}"#).unwrap();
        let mut profile = draft.into_profile(AgentId::from_bits(1), NOW);
        Patch::from_json(r#"{"phone":"+15550101","email":null}"#).unwrap().apply(&mut profile);
        assert_eq!((profile.worker_name.as_str(), &profile.email), ("user-+15550101", &None));
        Patch::from_json(r#"{"worker_name":"anna"}"#).unwrap().apply(&mut profile);
        Patch::from_json(r#"{"phone":"+15550102"}"#).unwrap().apply(&mut profile);
        assert_eq!(profile.worker_name, "anna");
    }
}
