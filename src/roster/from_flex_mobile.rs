//! The agents of a Flex Mobile proof of concept: Sync documents `user-<number>`. Its administration had holes by which
//! roles could be smuggled in, so that only what its form can write is believed. Tokens stay where they are.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::{
    Field,
    newcomer::{Newcomer, Remark, Sheet, Unfit, mail_address, role},
};
use crate::domain::Role;

/// What the name of an agent's document begins with.
const PREFIX: &str = "user-";
const NAMES: [&str; 2] = ["name", "full_name"];
const EMAILS: [&str; 1] = ["email"];
const ROLES: [&str; 2] = ["roles", "role"];
const DEPARTMENTS: [&str; 3] = ["department", "department_name", "company"];
const MANAGES: [&str; 1] = ["canAddAgents"];

/// Whether the document of this name is an agent's.
pub fn is_agent(unique_name: &str) -> bool {
    unique_name.starts_with(PREFIX)
}

/// What a document says of an agent.
///
/// # Errors
/// [`Unfit`]: its name holds no number, or there is no name in it.
pub fn newcomer(unique_name: &str, data: &Value) -> Result<Newcomer, Unfit> {
    let mut sheet = Sheet::default();
    let number = unique_name.strip_prefix(PREFIX).ok_or(Unfit::NoPhone)?;
    if !sheet.write(Field::Phone, &number.into()) {
        return Err(Unfit::NoPhone);
    }
    let nothing = Map::new();
    let data = data.as_object().unwrap_or(&nothing);
    sheet.write_if_any(Field::Name, first(data, &NAMES));
    sheet.write_if_any(Field::Email, mail_address(first(data, &EMAILS)));
    sheet.write_if_any(Field::Department, first(data, &DEPARTMENTS));
    write_roles(&mut sheet, first(data, &ROLES));
    write_manages(&mut sheet, first(data, &MANAGES));
    match data.keys().filter(|name| is_further(name)).count() {
        0 => {}
        count => sheet.remark(Remark::FurtherFields(count)),
    }
    sheet.finish()
}

fn first<'a>(data: &'a Map<String, Value>, names: &[&str]) -> Option<&'a Value> {
    names.iter().filter_map(|name| data.get(*name)).find(|value| !value.is_null())
}

/// All or nothing: its form writes `agent`, or `supervisor,wfo.…` in one text. A text with anything else in it was not
/// written by the form, and nothing of it is believed.
fn write_roles(sheet: &mut Sheet, roles: Option<&Value>) {
    let Some(roles) = roles else { return };
    let names: Option<Vec<&str>> = match roles {
        Value::String(names) => Some(names.split(',').collect()),
        Value::Array(names) => names.iter().map(Value::as_str).collect(),
        _ => None,
    };
    let known = names.and_then(|names| names.into_iter().map(role).collect::<Option<BTreeSet<Role>>>());
    match known.filter(|roles| !roles.contains(&Role::Admin)) {
        Some(roles) => sheet.write_roles(&roles),
        None => sheet.remark(Remark::StrangeRoles),
    }
}

/// Nobody but a supervisor had it: in anybody else it would wait for the day on which they become one.
fn write_manages(sheet: &mut Sheet, manages: Option<&Value>) {
    let supervisor = sheet.has_role(Role::Supervisor);
    match manages {
        None | Some(Value::Bool(false)) => {}
        Some(value) if supervisor => sheet.write_if_any(Field::CanManageAgents, Some(value)),
        Some(_) => sheet.remark(Remark::Unusable(Field::CanManageAgents)),
    }
}

/// Neither taken over nor a token.
fn is_further(name: &str) -> bool {
    let known = [NAMES.as_slice(), &EMAILS, &ROLES, &DEPARTMENTS, &MANAGES];
    !known.iter().any(|names| names.contains(&name)) && !name.to_ascii_lowercase().contains("token")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::roster::Draft;

    const NAME: &str = "user-+15550100";

    fn read(data: &Value) -> Newcomer {
        newcomer(NAME, data).unwrap()
    }

    fn field<'a>(newcomer: &'a Newcomer, name: &str) -> &'a Value {
        newcomer.written().get(name).unwrap_or(&Value::Null)
    }

    #[test]
    fn everything_but_tokens_is_taken_over() {
        let ada = read(&json!({
            "name": "Ada", "department": "Sales", "role": "supervisor,wfo.team_leader", "canAddAgents": true,
            "longTermToken": "hunter2", "pushToken": "hunter3",
        }));
        let expected = json!({
            "phone": "+15550100", "name": "Ada", "department": "Sales", "roles": ["supervisor", "wfo.team_leader"],
            "can_manage_agents": true,
        });
        assert_eq!((Value::from(ada.written().clone()), ada.remarks()), (expected.clone(), [].as_slice()));
        assert_eq!(Draft::from_json(&expected.to_string()).as_ref(), Ok(ada.draft()));
    }

    #[test]
    fn roles_are_what_the_form_can_write_or_nothing() {
        for (roles, taken) in [
            (json!("agent"), Some(json!(["agent"]))),
            (json!("supervisor"), Some(json!(["supervisor"]))),
            (json!("supervisor,wfo.full_access"), Some(json!(["supervisor", "wfo.full_access"]))),
            (json!(["agent", "supervisor"]), Some(json!(["agent", "supervisor"]))),
            (json!("supervisor,admin"), None),
            (json!("admin"), None),
            (json!(["supervisor", "admin"]), None),
            (json!(["supervisor,wfo.full_access"]), None),
            (json!("supervisor, wfo.full_access"), None),
            (json!("Supervisor"), None),
            (json!("supervisor,"), None),
            (json!("supervisorx"), None),
            (json!("supervisor\u{200b}"), None),
            (json!("supervisor;admin"), None),
            (json!(""), None),
            (json!(["supervisor", 7]), None),
            (json!({ "supervisor": true }), None),
            (json!(true), None),
        ] {
            for key in ["role", "roles"] {
                let ada = read(&json!({ "name": "Ada", key: roles }));
                let remarks = if taken.is_some() { vec![] } else { vec![Remark::StrangeRoles] };
                assert_eq!(field(&ada, "roles"), taken.as_ref().unwrap_or(&Value::Null), "{roles}");
                assert_eq!(ada.remarks(), remarks, "{roles}");
            }
        }
    }

    #[test]
    fn agents_are_managed_by_supervisors_alone() {
        let unusable = [Remark::Unusable(Field::CanManageAgents)];
        for (role, manages, taken, remarks) in [
            ("supervisor", json!(true), json!(true), [].as_slice()),
            ("supervisor", json!(false), json!(null), &[]),
            ("supervisor", json!("true"), json!(null), &unusable),
            ("supervisor", json!(1), json!(null), &unusable),
            ("agent", json!(true), json!(null), &unusable),
            ("agent", json!(false), json!(null), &[]),
        ] {
            let ada = read(&json!({ "name": "Ada", "role": role, "canAddAgents": manages }));
            assert_eq!((field(&ada, "can_manage_agents"), ada.remarks()), (&taken, remarks), "{role} {manages}");
        }
        let smuggled = read(&json!({ "name": "Ada", "role": "supervisor,admin", "canAddAgents": true }));
        assert_eq!(field(&smuggled, "can_manage_agents"), &Value::Null);
    }

    #[test]
    fn hostile_documents_are_read_as_far_as_they_make_sense() {
        let markup = "<img src=x onerror=alert(1)>";
        assert_eq!(field(&read(&json!({ "name": markup })), "name"), markup);
        for (department, remarks) in [
            (json!(markup), vec![]),
            (json!("x".repeat(16_000)), vec![Remark::Unusable(Field::Department)]),
            (json!("Sales\u{1b}[2J"), vec![Remark::Unusable(Field::Department)]),
            (json!(["Sales"]), vec![Remark::Unusable(Field::Department)]),
            (json!(null), vec![]),
            (json!(""), vec![]),
        ] {
            let ada = read(&json!({ "name": "Ada", "department": department }));
            assert_eq!(ada.remarks(), remarks, "{department}");
        }
        let further = read(&json!({ "name": "Ada", "a": 1, "b": { "c": [] }, "sip_password": "hunter2" }));
        assert_eq!(further.remarks(), [Remark::FurtherFields(3)]);
        assert_eq!(further.written().len(), 2);
    }

    #[test]
    fn a_document_without_number_or_name_makes_no_agent() {
        for name in ["user-", "user-15550100", "user-+1", "+15550100", "USER-+15550100", "user-user-+15550100"] {
            assert_eq!(newcomer(name, &json!({ "name": "Ada" })), Err(Unfit::NoPhone), "{name}");
        }
        let nameless = [json!(null), json!([]), json!("Ada"), json!({}), json!({ "name": 7 }), json!({ "name": " " })];
        for data in nameless {
            let unfit = newcomer(NAME, &data).unwrap_err();
            assert_eq!(unfit.to_string(), "name: required, but not there", "{data}");
        }
    }
}
