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
    let told = errors(r#"{"phone":4915112345678,"name":"\u0007x","roles":["boss"],"worker_sid":"WK1","nam":1}"#);
    assert_eq!(told.len(), 5, "{told:?}");
    assert!(told.contains(&"a field that is not known; the nearest known one is name".to_owned()));
    assert!(!told.concat().contains("4915112345678") && !told.concat().contains("boss"));
    assert_eq!(errors("{}"), ["phone: required, but not there", "name: required, but not there"]);
    assert_eq!(errors("[]"), ["expected a JSON object"]);
}

#[test]
fn a_sip_password_is_long_or_refused_without_being_repeated() {
    let told = errors(r#"{"phone":"+15550100","name":"Anna","sip_password":"x"}"#);
    assert_eq!(told, ["sip_password: expected 12 to 128 characters of ASCII without blanks"]);
}

#[test]
fn a_name_of_any_letters_stays_as_it_is_and_loses_the_blanks_at_its_ends() {
    for (written, kept) in [
        ("  Ada Okafor\u{a0}", "Ada Okafor"),
        ("<script>alert(1)</script>", "<script>alert(1)</script>"),
        ("Zoë 'O\"Neil' & 王小明", "Zoë 'O\"Neil' & 王小明"),
    ] {
        let json = serde_json::json!({ "phone": "+15550100", "name": written }).to_string();
        assert_eq!(Draft::from_json(&json).unwrap().into_profile(AgentId::from_bits(1), NOW).name, kept);
    }
    for bad in ["", "   ", "a\u{0}b", "a\nb", "a\u{85}b", &"x".repeat(255)] {
        let json = serde_json::json!({ "phone": "+15550100", "name": bad }).to_string();
        assert!(Draft::from_json(&json).is_err(), "{bad:?}");
    }
}

#[test]
fn no_role_is_smuggled_in() {
    for roles in [
        r#"["supervisor,admin"]"#,
        r#"["Admin"]"#,
        r#"[" admin"]"#,
        r#"["admin "]"#,
        r#"["\u0430dmin"]"#,
        r#"["agent",["admin"]]"#,
        r#""admin""#,
        r#"{"admin":true}"#,
        "[]",
        "null",
    ] {
        let json = format!(r#"{{"phone":"+15550100","name":"Anna","roles":{roles}}}"#);
        assert_eq!(errors(&json).len(), 1, "{roles}");
    }
    for name in ["Roles", "role", "roles\u{200b}", "can_manage_Agents", "id", "created_at"] {
        let json = serde_json::json!({ "phone": "+15550100", "name": "Anna", name: ["admin"] }).to_string();
        assert_eq!(errors(&json).len(), 1, "{name}");
    }
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
