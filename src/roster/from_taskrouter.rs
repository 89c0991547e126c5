//! TaskRouter's workers as our agents. Attributes are what whoever may write workers has put there: nothing in them is
//! trusted, and nobody becomes an administrator by them.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::{
    Field,
    newcomer::{Newcomer, Remark, Sheet, Unfit, mail_address, role},
};
use crate::domain::{Role, WorkerSid};

/// Attributes that may hold the phone number, in the order in which they are looked at.
const PHONES: [&str; 3] = ["contact_uri", "phone", "mobile"];
/// The roles that workers bring along.
const TAKEN: [Role; 2] = [Role::Agent, Role::Supervisor];

/// A worker, as TaskRouter tells of it.
#[derive(Clone, Copy)]
pub struct Worker<'a> {
    pub sid: &'a WorkerSid,
    pub friendly_name: &'a str,
    /// JSON, an object by Twilio's word.
    pub attributes: &'a str,
}

/// What a worker is as an agent. The phone number is in the attribute that is named; else in `contact_uri`, `phone` or
/// `mobile`, or in a friendly name of the form `user-<number>`.
///
/// # Errors
/// [`Unfit`]: there is no number, or no name.
pub fn newcomer(worker: Worker<'_>, phone_attribute: Option<&str>) -> Result<Newcomer, Unfit> {
    let attributes: Map<String, Value> = serde_json::from_str(worker.attributes).unwrap_or_default();
    let mut sheet = Sheet::default();
    if !write_phone(&mut sheet, worker.friendly_name, &attributes, phone_attribute) {
        return Err(Unfit::NoPhone);
    }
    let friendly_name = Value::from(worker.friendly_name);
    sheet.write_if_any(Field::Name, attributes.get("full_name"));
    if !sheet.has_name() {
        sheet.write(Field::Name, &friendly_name);
    }
    sheet.write_if_any(Field::Email, mail_address(attributes.get("email")));
    write_roles(&mut sheet, attributes.get("roles"));
    sheet.write(Field::WorkerSid, &worker.sid.as_str().into());
    // The sid is enough where the name is none that we would write.
    sheet.write(Field::WorkerName, &friendly_name);
    sheet.finish()
}

fn write_phone(sheet: &mut Sheet, friendly_name: &str, attributes: &Map<String, Value>, named: Option<&str>) -> bool {
    let mut write = |value: &Value| {
        // RFC 3966, as a contact URI may have it.
        let bare = value.as_str().map(|text| Value::from(text.strip_prefix("tel:").unwrap_or(text)));
        bare.is_some_and(|number| sheet.write(Field::Phone, &number))
    };
    if let Some(name) = named {
        return attributes.get(name).is_some_and(write);
    }
    let in_attributes = PHONES.iter().filter_map(|name| attributes.get(*name)).any(&mut write);
    in_attributes || friendly_name.strip_prefix("user-").is_some_and(|number| write(&number.into()))
}

fn write_roles(sheet: &mut Sheet, roles: Option<&Value>) {
    let Some(roles) = roles.filter(|roles| !roles.is_null()) else { return };
    let names = roles.as_array().map_or([].as_slice(), Vec::as_slice);
    let known: BTreeSet<Role> = names.iter().filter_map(|name| role(name.as_str()?)).collect();
    let (taken, left): (BTreeSet<_>, BTreeSet<_>) = known.into_iter().partition(|role| TAKEN.contains(role));
    sheet.write_roles(&taken);
    if !left.is_empty() {
        sheet.remark(Remark::RolesLeft(left));
    }
    let is_unknown = |name: &Value| name.as_str().and_then(role).is_none();
    if !roles.is_array() || names.iter().any(is_unknown) {
        sheet.remark(Remark::UnknownRoles);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::roster::Draft;

    fn worker(friendly_name: &str, attributes: &Value) -> Result<Newcomer, Unfit> {
        named(friendly_name, attributes, None)
    }

    fn named(friendly_name: &str, attributes: &Value, phone: Option<&str>) -> Result<Newcomer, Unfit> {
        let sid = "WK0123456789abcdef0123456789abcdef".parse().unwrap();
        newcomer(Worker { sid: &sid, friendly_name, attributes: &attributes.to_string() }, phone)
    }

    fn field<'a>(newcomer: &'a Newcomer, name: &str) -> &'a Value {
        newcomer.written().get(name).unwrap_or(&Value::Null)
    }

    #[test]
    fn a_worker_is_taken_over_with_name_mail_address_and_roles() {
        let attributes = json!({
            "full_name": "Ada Bergmann", "email": "ada@example.com", "contact_uri": "client:ada",
            "phone": "+49 (0)1511 2345678", "roles": ["agent", "supervisor"], "skills": ["x"],
        });
        let ada = worker("ada", &attributes).unwrap();
        assert_eq!(ada.remarks(), []);
        let expected = json!({
            "phone": "+4915112345678", "name": "Ada Bergmann", "email": "ada@example.com",
            "roles": ["agent", "supervisor"], "worker_sid": "WK0123456789abcdef0123456789abcdef", "worker_name": "ada",
        });
        assert_eq!(Value::from(ada.written().clone()), expected);
        assert_eq!(Draft::from_json(&expected.to_string()).as_ref(), Ok(ada.draft()));
    }

    #[test]
    fn the_number_is_the_first_that_is_one() {
        for (name, attributes, number) in [
            ("x", json!({ "contact_uri": "+15550101", "phone": "+15550102" }), Some("+15550101")),
            ("x", json!({ "contact_uri": "tel:+15550101" }), Some("+15550101")),
            ("x", json!({ "contact_uri": "client:x", "phone": 15_550_102, "mobile": "+15550103" }), Some("+15550103")),
            ("user-+15550104", json!({ "contact_uri": "client:x", "phone": "desk" }), Some("+15550104")),
            ("User-+15550104", json!({}), None),
            ("x", json!({ "phone": { "number": "+15550102" } }), None),
            ("x", json!({ "phone": ["+15550102"] }), None),
            ("x", json!({ "phone": "+1555\u{0}0102" }), None),
            ("user-+15550104", json!([]), Some("+15550104")),
            ("user-+15550104", json!("text"), Some("+15550104")),
        ] {
            let found = worker(name, &attributes);
            match number {
                Some(number) => assert_eq!(field(&found.unwrap(), "phone"), number, "{name} {attributes}"),
                None => assert_eq!(found, Err(Unfit::NoPhone), "{name} {attributes}"),
            }
        }
    }

    #[test]
    fn an_attribute_that_is_named_is_the_only_one() {
        let attributes = json!({ "cell": "+15550101", "phone": "+15550102" });
        assert_eq!(field(&named("x", &attributes, Some("cell")).unwrap(), "phone"), "+15550101");
        for other in ["Cell", "", "nothing"] {
            assert_eq!(named("user-+15550104", &attributes, Some(other)), Err(Unfit::NoPhone), "{other}");
        }
    }

    #[test]
    fn roles_are_taken_over_as_far_as_a_worker_may_bring_them() {
        let left = |roles: &[Role]| Remark::RolesLeft(roles.iter().copied().collect());
        for (roles, taken, remarks) in [
            (json!(null), json!(null), vec![]),
            (json!([]), json!(null), vec![]),
            (json!(["supervisor"]), json!(["supervisor"]), vec![]),
            (json!(["admin"]), json!(null), vec![left(&[Role::Admin])]),
            (
                json!(["wfo.team_leader", "agent", "admin"]),
                json!(["agent"]),
                vec![left(&[Role::Admin, Role::WfoTeamLeader])],
            ),
            (json!(["supervisor,admin"]), json!(null), vec![Remark::UnknownRoles]),
            (json!("supervisor"), json!(null), vec![Remark::UnknownRoles]),
            (json!(["Admin", "ADMIN", " admin", "admin\u{200b}", "аdmin"]), json!(null), vec![Remark::UnknownRoles]),
            (json!(["Supervisor", "agent"]), json!(["agent"]), vec![Remark::UnknownRoles]),
            (json!([["admin"], { "admin": true }, 7]), json!(null), vec![Remark::UnknownRoles]),
            (json!({ "admin": "agent" }), json!(null), vec![Remark::UnknownRoles]),
        ] {
            let taken_over = worker("user-+15550104", &json!({ "roles": roles })).unwrap();
            assert_eq!(field(&taken_over, "roles"), &taken, "{roles}");
            assert_eq!(taken_over.remarks(), remarks, "{roles}");
        }
    }

    #[test]
    fn markup_stays_text_and_what_is_no_name_or_address_is_left() {
        let markup = "<script>alert(1)</script> & \"Ada\"";
        let ada = worker("user-+15550104", &json!({ "full_name": markup })).unwrap();
        assert_eq!((field(&ada, "name"), ada.remarks()), (&markup.into(), [].as_slice()));
        for bad in [json!("x".repeat(20_000)), json!("\u{1b}[2J"), json!(7), json!({ "first": "Ada" })] {
            let ada = worker("user-+15550104", &json!({ "full_name": bad, "email": bad })).unwrap();
            assert_eq!(field(&ada, "name"), "user-+15550104");
            assert_eq!(field(&ada, "email"), &Value::Null);
            assert_eq!(ada.remarks(), [Remark::Unusable(Field::Name), Remark::Unusable(Field::Email)]);
        }
    }

    #[test]
    fn the_address_that_flex_mobile_made_up_is_none() {
        let made_up = json!({ "email": "invalid++15550104@twilio.com" });
        let ada = worker("user-+15550104", &made_up).unwrap();
        assert_eq!((field(&ada, "email"), ada.remarks()), (&Value::Null, [].as_slice()));
    }

    #[test]
    fn a_worker_whose_names_are_none_is_unfit() {
        let unfit = worker("\u{7}", &json!({ "phone": "+15550101", "full_name": "" })).unwrap_err();
        assert_eq!(unfit.to_string(), "name: required, but not there");
    }
}
