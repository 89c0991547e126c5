use super::*;
use crate::{
    domain::Timestamp,
    roster::{Draft, Patch},
};

fn agent(id: u64, more: &str) -> Profile {
    let json = format!(r#"{{"phone":"+1555010{id}","name":"A",{more}}}"#);
    Draft::from_json(&json).unwrap().into_profile(AgentId::from_bits(id), Timestamp::EPOCH)
}

/// The one who manages department A.
fn supervisor() -> Profile {
    agent(1, r#""roles":["supervisor","wfo.team_leader"],"department":"A","can_manage_agents":true"#)
}

fn admin() -> Profile {
    agent(2, r#""roles":["admin"]"#)
}

fn changed(before: &Profile, json: &str) -> Profile {
    let mut after = before.clone();
    Patch::from_json(json).unwrap().apply(&mut after);
    after
}

#[test]
fn rights_come_of_admin_or_of_all_that_makes_a_managing_supervisor() {
    for (more, manages) in [
        (r#""roles":["admin"]"#, true),
        (r#""roles":["admin","agent"],"department":"A""#, true),
        (r#""roles":["supervisor"],"department":"A","can_manage_agents":true"#, true),
        (r#""roles":["supervisor"],"department":"A""#, false),
        (r#""roles":["supervisor"],"can_manage_agents":true"#, false),
        (r#""roles":["agent"],"department":"A","can_manage_agents":true"#, false),
        (r#""roles":["wfo.full_access"],"department":"A","can_manage_agents":true"#, false),
        (r#""roles":["agent"]"#, false),
        (r#""roles":["admin"],"disabled":true"#, false),
        (r#""roles":["supervisor"],"department":"A","can_manage_agents":true,"disabled":true"#, false),
    ] {
        assert_eq!(Access::of(&agent(1, more)).is_ok(), manages, "{more}");
    }
}

#[test]
fn a_supervisor_sees_the_own_department_and_nothing_of_any_other() {
    let access = Access::of(&supervisor()).unwrap();
    for (department, seen) in
        [(Some("A"), true), (Some("B"), false), (Some("a"), false), (Some("A "), false), (None, false)]
    {
        assert_eq!(access.reaches(department), seen, "{department:?}");
        assert!(Access::bootstrap().reaches(department) && Access::of(&admin()).unwrap().reaches(department));
    }
    assert_eq!(access.may_see_all(), Err(Forbidden::NoAdmin));
}

#[test]
fn who_may_add_whom() {
    let access = Access::of(&supervisor()).unwrap();
    for (more, verdict) in [
        (r#""department":"A""#, Ok(())),
        (r#""roles":["agent","wfo.team_leader"],"department":"A""#, Ok(())),
        (r#""roles":["agent","wfo.full_access"],"department":"A""#, Err(Forbidden::Role(Role::WfoFullAccess))),
        (r#""roles":["supervisor"],"department":"A""#, Err(Forbidden::Role(Role::Supervisor))),
        (r#""roles":["agent","admin"],"department":"A""#, Err(Forbidden::Role(Role::Admin))),
        (r#""department":"B""#, Err(Forbidden::Department)),
        (r#""email":null"#, Err(Forbidden::Department)),
        (r#""department":"A","can_manage_agents":true"#, Err(Forbidden::CanManageAgents)),
        (r#""department":"A","worker_name":"user-+15550109""#, Err(Forbidden::Worker)),
        (r#""department":"A","worker_sid":"WK0123456789abcdef0123456789abcdef""#, Err(Forbidden::Worker)),
    ] {
        let new = agent(5, more);
        assert_eq!(access.may_add(&new), verdict, "{more}");
        assert_eq!(Access::of(&admin()).unwrap().may_add(&new), Ok(()), "{more}");
        assert_eq!(Access::bootstrap().may_add(&new), Ok(()), "{more}");
    }
}

#[test]
fn a_new_agent_belongs_to_the_department_of_whoever_adds_them() {
    let mut new = agent(5, r#""email":null"#);
    Access::of(&admin()).unwrap().settle(&mut new);
    assert_eq!(new.department, None);
    Access::of(&supervisor()).unwrap().settle(&mut new);
    assert_eq!(new.department.as_deref(), Some("A"));
}

#[test]
fn who_may_change_what_of_whom() {
    let access = Access::of(&supervisor()).unwrap();
    let (plain, peer) = (agent(5, r#""department":"A""#), agent(6, r#""department":"A","roles":["supervisor"]"#));
    let bare_manager = agent(7, r#""department":"A","can_manage_agents":true"#);
    let named = agent(8, r#""department":"A","worker_name":"anna""#);
    for (before, change, verdict) in [
        (&plain, r#"{"name":"B","email":"b@example.com","ring_plan":["pstn"]}"#, Ok(())),
        (&plain, r#"{"phone":"+15550108"}"#, Ok(())),
        (&plain, r#"{"disabled":true}"#, Ok(())),
        (&plain, r#"{"roles":["agent","wfo.team_leader"]}"#, Ok(())),
        (&plain, r#"{"roles":["agent","admin"]}"#, Err(Forbidden::Role(Role::Admin))),
        (&plain, r#"{"roles":["supervisor"]}"#, Err(Forbidden::Role(Role::Supervisor))),
        (&plain, r#"{"department":"B"}"#, Err(Forbidden::Department)),
        (&plain, r#"{"department":null}"#, Err(Forbidden::Department)),
        (&plain, r#"{"can_manage_agents":true}"#, Err(Forbidden::CanManageAgents)),
        (&plain, r#"{"worker_name":"anna"}"#, Err(Forbidden::Worker)),
        (&plain, r#"{"worker_sid":"WK0123456789abcdef0123456789abcdef"}"#, Err(Forbidden::Worker)),
        (&named, r#"{"phone":"+15550109"}"#, Ok(())),
        (&named, r#"{"worker_name":"user-+15550108"}"#, Err(Forbidden::Worker)),
        (&peer, r#"{"name":"B"}"#, Err(Forbidden::Above)),
        (&peer, r#"{"roles":["agent"]}"#, Err(Forbidden::Above)),
        (&bare_manager, r#"{"name":"B"}"#, Err(Forbidden::Above)),
    ] {
        let after = changed(before, change);
        assert_eq!(access.may_change(before, &after), verdict, "{change}");
        assert_eq!(Access::of(&admin()).unwrap().may_change(before, &after), Ok(()), "{change}");
    }
    for (target, verdict) in [(&plain, Ok(())), (&peer, Err(Forbidden::Above)), (&bare_manager, Err(Forbidden::Above))]
    {
        assert_eq!(access.may_remove(target), verdict);
        assert_eq!(access.may_touch(target), verdict);
    }
}

#[test]
fn nobody_lifts_or_removes_themselves() {
    for me in [supervisor(), admin()] {
        let access = Access::of(&me).unwrap();
        assert_eq!(access.may_change(&me, &changed(&me, r#"{"name":"B"}"#)), Ok(()));
        for change in [
            r#"{"roles":["agent","admin","supervisor"]}"#,
            r#"{"roles":["agent"]}"#,
            r#"{"department":"B"}"#,
            r#"{"disabled":true}"#,
        ] {
            assert_eq!(access.may_change(&me, &changed(&me, change)), Err(Forbidden::Yourself), "{change}");
        }
        assert_eq!(access.may_remove(&me), Err(Forbidden::Yourself));
    }
    let lifted = changed(&admin(), r#"{"can_manage_agents":true}"#);
    assert_eq!(Access::of(&admin()).unwrap().may_change(&admin(), &lifted), Err(Forbidden::Yourself));
}
