//! One way to look a field up, whether Twilio writes it `TaskSid`, `task_sid` or `tasksid`.

use std::{borrow::Cow, str::FromStr};

use serde_json::{Map, Value};

use super::{Ours, ParseError};
use crate::{
    domain::Timestamp,
    twilio::{form::Form, wire},
};

/// The fields of one notice. Where a name is there twice, the first one counts.
pub(super) struct Fields<'a>(Vec<(&'a str, Field<'a>)>);

enum Field<'a> {
    Text(&'a str),
    Json(&'a Value),
}

impl<'a> Fields<'a> {
    pub(super) fn of_form(form: &'a Form<'_>) -> Self {
        Self(form.iter().map(|(name, value)| (name, Field::Text(value))).collect())
    }

    /// An item of the workspace's log: what it says of the event itself, then the event's data.
    pub(super) fn of_resource(resource: &'a Map<String, Value>) -> Self {
        const RENAMED: [(&str, &str); 2] = [("event_date_ms", "timestampms"), ("event_date", "timestamp")];
        let mut fields = Self(Vec::new());
        for (name, key) in RENAMED {
            fields.0.extend(resource.get(name).map(|value| (key, Field::Json(value))));
        }
        fields.add(resource);
        fields.add_object(resource.get("event_data"));
        fields
    }

    /// The fields of a JSON object.
    pub(super) fn of_object(object: &'a Map<String, Value>) -> Self {
        let mut fields = Self(Vec::new());
        fields.add(object);
        fields
    }

    /// A CloudEvent: its payload, then what wraps it.
    pub(super) fn of_cloud_event(event: &'a Map<String, Value>, event_type: &'a str) -> Self {
        let mut fields = Self(Vec::new());
        let data = event.get("data");
        fields.add_object(data.and_then(|data| data.get("payload")));
        fields.add_object(data);
        fields.0.push(("eventtype", Field::Text(event_type)));
        fields.0.extend(event.get("time").map(|time| ("timestamp", Field::Json(time))));
        fields
    }

    fn add_object(&mut self, value: Option<&'a Value>) {
        if let Some(Value::Object(object)) = value {
            self.add(object);
        }
    }

    fn add(&mut self, object: &'a Map<String, Value>) {
        self.0.extend(object.iter().map(|(name, value)| (name.as_str(), Field::Json(value))));
    }

    /// The value of a field, unless it is empty or null. `key` is in lower case and without underscores.
    pub(super) fn get(&self, key: &str) -> Option<Cow<'a, str>> {
        self.0.iter().filter(|(name, _)| is(name, key)).find_map(|(_, field)| field.text())
    }

    /// [`Fields::get`], read as a `T`; `field` is how Twilio's documentation spells it.
    pub(super) fn require<T: FromStr>(&self, key: &str, field: &'static str) -> Result<T, ParseError> {
        self.optional(key, field)?.ok_or(ParseError::Malformed { field })
    }

    /// As [`Fields::require`], but it may be missing.
    pub(super) fn optional<T: FromStr>(&self, key: &str, field: &'static str) -> Result<Option<T>, ParseError> {
        self.get(key).map(|text| text.parse()).transpose().map_err(|_| ParseError::Malformed { field })
    }

    /// [`Fields::get`], or nothing.
    pub(super) fn text(&self, key: &str) -> String {
        self.get(key).unwrap_or_default().into_owned()
    }

    /// When it happened: milliseconds where Twilio gives them, else seconds or a date.
    pub(super) fn at(&self) -> Result<Timestamp, ParseError> {
        if let Some(millis) = self.optional("timestampms", "TimestampMs")? {
            return Ok(Timestamp::from_millis(millis));
        }
        const MALFORMED: ParseError = ParseError::Malformed { field: "Timestamp" };
        let text = self.get("timestamp").ok_or(MALFORMED)?;
        if let Ok(seconds) = text.parse::<u64>() {
            return Ok(Timestamp::from_millis(seconds.saturating_mul(1000)));
        }
        wire::moment(&text).ok_or(MALFORMED)
    }

    /// Is this of our account, and of our workspace if it is of one?
    pub(super) fn check(&self, ours: &Ours) -> Result<(), ParseError> {
        let account = self.get("accountsid").ok_or(ParseError::Malformed { field: "AccountSid" })?;
        let workspace = self.get("workspacesid");
        let workspace_fits = match (&ours.workspace, workspace) {
            (Some(ours), Some(theirs)) => ours.as_str() == theirs,
            _ => true,
        };
        if account == ours.account.as_str() && workspace_fits { Ok(()) } else { Err(ParseError::Foreign) }
    }
}

impl<'a> Field<'a> {
    fn text(&self) -> Option<Cow<'a, str>> {
        let text = match self {
            Self::Text(text) => Cow::Borrowed(*text),
            Self::Json(Value::Null) => return None,
            Self::Json(Value::String(text)) => Cow::Borrowed(text.as_str()),
            Self::Json(other) => Cow::Owned(other.to_string()),
        };
        (!text.is_empty()).then_some(text)
    }
}

fn is(name: &str, key: &str) -> bool {
    name.bytes().filter(|byte| *byte != b'_').map(|byte| byte.to_ascii_lowercase()).eq(key.bytes())
}
