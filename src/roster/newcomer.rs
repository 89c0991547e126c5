//! Somebody who was an agent elsewhere, as one of ours: what is taken over of them, and what is not.

use std::{collections::BTreeSet, fmt};

use serde_json::{Map, Value};

use super::{Draft, Field, FieldError, Patch};
use crate::domain::Role;

/// An agent who may be added, and what an administrator should know of it.
#[derive(Clone, PartialEq)]
pub struct Newcomer {
    written: Map<String, Value>,
    draft: Draft,
    remarks: Vec<Remark>,
}

/// What was not taken over. It never repeats what somebody else has written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Remark {
    #[error("{0}: not usable, and not taken over")]
    Unusable(Field),
    /// Only our own administrators make administrators.
    #[error("roles: {} not taken over", listed(.0))]
    RolesLeft(BTreeSet<Role>),
    #[error("roles: some that are not known were not taken over")]
    UnknownRoles,
    #[error("roles: not taken over, since Flex Mobile gives no such; agent instead")]
    StrangeRoles,
    #[error("further fields, not taken over: {0}")]
    FurtherFields(usize),
}

/// Why somebody cannot be one of our agents.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unfit {
    #[error("no phone number")]
    NoPhone,
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    Fields(Vec<FieldError>),
}

impl Newcomer {
    pub const fn draft(&self) -> &Draft {
        &self.draft
    }

    /// The fields as [`Draft::from_json`] reads them.
    pub const fn written(&self) -> &Map<String, Value> {
        &self.written
    }

    /// A line of JSON that an import takes.
    pub fn line(&self) -> String {
        format!("{}\n", Value::Object(self.written.clone()))
    }

    pub fn remarks(&self) -> &[Remark] {
        &self.remarks
    }
}

/// The fields hold names and numbers.
impl fmt::Debug for Newcomer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Newcomer").field("remarks", &self.remarks).finish_non_exhaustive()
    }
}

fn listed(roles: &BTreeSet<Role>) -> String {
    roles.iter().map(|role| role.name()).collect::<Vec<_>>().join(", ")
}

/// A newcomer who is being written down.
#[derive(Default)]
pub(super) struct Sheet {
    patch: Patch,
    written: Map<String, Value>,
    remarks: Vec<Remark>,
}

impl Sheet {
    /// Writes a field, if its value is one that an administrator could have written.
    pub(super) fn write(&mut self, field: Field, value: &Value) -> bool {
        if self.patch.set(field, value).is_err() {
            return false;
        }
        let value = match (field, &self.patch.phone, value) {
            (Field::Phone, Some(phone), _) => phone.as_str().into(),
            (_, _, Value::String(text)) => text.trim().into(),
            _ => value.clone(),
        };
        self.written.insert(field.name().to_owned(), value);
        true
    }

    /// [`Sheet::write`] of what may be missing; what is there and cannot be written is remarked.
    pub(super) fn write_if_any(&mut self, field: Field, value: Option<&Value>) {
        let there = value.filter(|value| !value.is_null() && value.as_str() != Some(""));
        if there.is_some_and(|value| !self.write(field, value)) {
            self.remark(Remark::Unusable(field));
        }
    }

    pub(super) fn write_roles(&mut self, roles: &BTreeSet<Role>) {
        if !roles.is_empty() {
            self.write(Field::Roles, &roles.iter().map(|role| Value::from(role.name())).collect());
        }
    }

    pub(super) const fn has_name(&self) -> bool {
        self.patch.name.is_some()
    }

    pub(super) fn has_role(&self, role: Role) -> bool {
        self.patch.roles.as_ref().is_some_and(|roles| roles.contains(&role))
    }

    pub(super) fn remark(&mut self, remark: Remark) {
        self.remarks.push(remark);
    }

    pub(super) fn finish(self) -> Result<Newcomer, Unfit> {
        let draft = Draft::from_patch(self.patch).map_err(Unfit::Fields)?;
        Ok(Newcomer { written: self.written, draft, remarks: self.remarks })
    }
}

/// The role of this name, exactly as it is written.
pub(super) fn role(name: &str) -> Option<Role> {
    Role::ALL.into_iter().find(|role| role.name() == name)
}

/// A mail address; none for the one that Flex Mobile made up where it had to name one.
pub(super) fn mail_address(value: Option<&Value>) -> Option<&Value> {
    let made_up = |value: &Value| {
        value.as_str().is_some_and(|text| text.starts_with("invalid+") && text.ends_with("@twilio.com"))
    };
    value.filter(|value| !made_up(value))
}
