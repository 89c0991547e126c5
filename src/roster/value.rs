//! The values of a profile's fields, read from JSON. What is answered for a bad one never repeats it.

use std::{collections::BTreeSet, fmt, str::FromStr};

use serde_json::Value;

use crate::domain::{RingTarget, Role, SipPassword};

/// The longest name, department or address in bytes. It keeps a profile far below what a record may hold.
const MAX_TEXT: usize = 254;

/// A text without blanks at its ends; none if nothing is left.
pub(super) fn text(value: &Value) -> Result<Option<String>, String> {
    match value {
        Value::Null => Ok(None),
        Value::String(text) if text.contains(char::is_control) => {
            Err("expected a text without control characters".into())
        }
        Value::String(text) => match text.trim() {
            "" => Ok(None),
            text if text.len() > MAX_TEXT => Err(format!("expected at most {MAX_TEXT} bytes")),
            text => Ok(Some(text.to_owned())),
        },
        _ => Err("expected a text".into()),
    }
}

pub(super) fn parsed<T: FromStr<Err: fmt::Display>>(value: &Value) -> Result<Option<T>, String> {
    text(value)?.map(|text| text.parse::<T>().map_err(|error| error.to_string())).transpose()
}

/// None: no password any more. What is refused is not repeated.
pub(super) fn password(value: &Value) -> Result<Option<SipPassword>, String> {
    match value {
        Value::Null => Ok(None),
        Value::String(text) => text.parse().map(Some).map_err(str::to_owned),
        _ => Err("expected a text".into()),
    }
}

pub(super) fn flag(value: &Value) -> Result<bool, String> {
    value.as_bool().ok_or_else(|| "expected true or false".into())
}

pub(super) fn mail_address(text: String) -> Result<String, String> {
    let plausible = text.split_once('@').is_some_and(|(user, host)| !user.is_empty() && !host.is_empty());
    let plausible = plausible && !text.contains(char::is_whitespace);
    if plausible { Ok(text) } else { Err("expected a mail address".into()) }
}

pub(super) fn roles(value: &Value) -> Result<BTreeSet<Role>, String> {
    const EXPECTED: &str =
        "expected a list of roles, each \"agent\", \"supervisor\", \"admin\" or one of Flex Insights' \"wfo.…\"";
    let roles: BTreeSet<Role> = serde_json::from_value(value.clone()).map_err(|_| EXPECTED)?;
    if roles.is_empty() { Err("expected at least one role".into()) } else { Ok(roles) }
}

pub(super) fn ring_plan(value: &Value) -> Result<Option<Vec<RingTarget>>, String> {
    let plan: Option<Vec<RingTarget>> =
        serde_json::from_value(value.clone()).map_err(|_| "expected a list of \"sip\" and \"pstn\"")?;
    let plan = plan.filter(|plan| !plan.is_empty());
    let twice = plan.iter().flatten().collect::<BTreeSet<_>>().len() < plan.iter().flatten().count();
    if twice { Err("names a target twice".into()) } else { Ok(plan) }
}
