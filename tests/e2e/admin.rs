//! Managing agents while the daemon runs: who may do what, what takes effect when, and what is written down of it.

use std::time::Duration;

use offdesk::{
    actors::{AgentRecord, Devices},
    audit::{Entry, Head},
    domain::{AgentId, Profile},
    store::{Batch, Sequence},
};
use offdesk_sandbox::{Operation, ReservationStatus, RestAct, RestFault};
use reqwest::Method;
use serde_json::{Value, json};

use crate::house::{ADA, AgentApp, Answer, BOB, CUSTOMER, House, MOBILE, Plan};

/// Supervises Sales and manages its agents.
const SAM: &str = "+4915550101011";
/// Supervises Sales, and manages nobody.
const SUE: &str = "+4915550101012";
/// An agent of Support.
const OLGA: &str = "+4915550101013";
/// An administrator.
const ROOT: &str = "+4915550101014";

/// Sales with Ada, Sam and Sue; Support with Olga; and an administrator. Ids are given in this order.
fn office() -> Plan {
    Plan::default()
        .person(ADA, r#"{"name":"Ada Okafor","email":"ada@example.com","department":"Sales"}"#)
        .person(SAM, r#"{"roles":["supervisor","wfo.team_leader"],"department":"Sales","can_manage_agents":true}"#)
        .person(SUE, r#"{"roles":["supervisor"],"department":"Sales"}"#)
        .person(OLGA, r#"{"name":"Olga Zanetti","email":"olga@example.org","department":"Support"}"#)
        .person(ROOT, r#"{"roles":["admin"]}"#)
}

fn id(number: u64) -> String {
    AgentId::from_bits(number).to_string()
}

fn agent(number: u64) -> String {
    format!("/admin/agents/{}", id(number))
}

const ADAS: u64 = 1;
const SAMS: u64 = 2;
const SUES: u64 = 3;
const OLGAS: u64 = 4;
const ROOTS: u64 = 5;

fn names(page: &Answer) -> Vec<String> {
    let items = page.body["items"].as_array().unwrap_or_else(|| panic!("no page: {page:?}"));
    items.iter().map(|agent| agent["phone"].as_str().unwrap().to_owned()).collect()
}

/// Every call of the admin API, as the document lists them.
fn calls() -> Vec<(Method, String)> {
    let document: Value = serde_json::from_str(&offdesk::http::openapi().unwrap()).unwrap();
    let paths = document["paths"].as_object().unwrap().iter().filter(|(path, _)| path.starts_with("/admin/"));
    let calls = paths.flat_map(|(path, calls)| {
        let methods = calls.as_object().unwrap().keys().map(|method| method.to_uppercase().parse().unwrap());
        methods.map(|method| (method, path.clone()))
    });
    let calls: Vec<_> = calls.collect();
    assert_eq!(calls.len(), 17, "{calls:?}");
    calls
}

/// A call with a body that is good wherever one is taken.
async fn call(app: &AgentApp, (method, path): &(Method, String), agent: &str) -> Answer {
    let path = path.replace("{id}", agent);
    if path.ends_with("/import") {
        return app.post_lines(&path, r#"{"phone":"+4915550101099","name":"New","department":"Support"}"#).await;
    }
    let body = match *method {
        Method::POST => Some(json!({ "phone": "+4915550101099", "name": "New", "department": "Support" })),
        Method::PATCH => Some(json!({ "name": "Changed" })),
        _ => None,
    };
    app.call(method.clone(), &path, body).await
}

#[tokio::test]
async fn a_supervisor_reaches_no_other_department_by_any_call() {
    let house = office().build().await;
    let (sam, root) = (house.app(SAM), house.bootstrap());
    root.patch(&agent(OLGAS), json!({ "email": "olga@example.com" })).await;
    let before = root.get(&agent(OLGAS)).await;
    for route in calls() {
        if route.1.ends_with("/export") {
            continue;
        }
        let answer = call(&sam, &route, &id(OLGAS)).await;
        let wanted = match (route.0.as_str(), route.1.as_str()) {
            (_, path) if path.contains("{id}") => 404,
            ("GET", "/admin/agents" | "/admin/audit" | "/admin/live" | "/admin/reports/handle-time") => 200,
            _ => 403,
        };
        assert_eq!(answer.status, wanted, "{route:?}: {answer:?}");
        for trace in ["Olga", "olga@", OLGA, "Support", &id(OLGAS)] {
            assert!(!answer.body.to_string().contains(trace), "{route:?} tells {trace}");
        }
    }
    for (path, own) in [("/admin/agents/export", ADA), ("/admin/audit/export", "agents_exported")] {
        let lines = sam.lines(path).await;
        assert!(lines.contains(own) && !lines.contains("Support") && !lines.contains(&id(OLGAS)), "{lines}");
    }
    for search in ["Olga", "101013", "olga@example"] {
        assert_eq!(names(&sam.get(&format!("/admin/agents?search={search}")).await), Vec::<String>::new());
    }
    assert_eq!(names(&sam.get("/admin/agents").await), [ADA, SAM, SUE]);
    assert_eq!(sam.get("/admin/agents/0000000000000099").await, sam.get(&agent(OLGAS)).await);
    assert_eq!(root.get(&agent(OLGAS)).await, before, "nothing has changed");
}

#[tokio::test]
async fn nobody_without_rights_gets_anywhere() {
    let house = office().build().await;
    for route in calls() {
        for (phone, whose) in [(ADA, ADAS), (SUE, SUES), (OLGA, OLGAS)] {
            let answer = call(&house.app(phone), &route, &id(whose)).await;
            assert_eq!((answer.status, answer.code()), (403, "forbidden"), "{route:?}");
        }
        for token in ["", "bootstrap-012345678", "bootstrap-01234567890", "BOOTSTRAP-0123456789", "x"] {
            let answer = call(&house.caller(token), &route, &id(ADAS)).await;
            assert_eq!((answer.status, answer.code()), (401, "no_session"), "{route:?} {token:?}");
        }
    }
    assert_eq!(house.bootstrap().get("/me").await.status, 401);
    assert_eq!(house.bootstrap().get("/tasks").await.status, 401, "the bootstrap token is for the admin API");
}

#[tokio::test]
async fn no_role_can_be_smuggled_in() {
    let house = office().build().await;
    for app in [house.app(SAM), house.app(ROOT)] {
        for roles in [
            json!(["supervisor,admin"]),
            json!(["Admin"]),
            json!([" admin"]),
            json!(["admin\u{0}"]),
            json!(["\u{0430}dmin"]),
            json!(["\u{ff41}dmin"]),
            json!([["admin"]]),
            json!("admin"),
            json!({ "0": "admin" }),
            json!([]),
        ] {
            let new = json!({ "phone": "+4915550101099", "name": "New", "roles": roles });
            let added = app.post("/admin/agents", new.clone()).await;
            assert_eq!((added.status, added.code()), (422, "invalid"), "{roles}");
            assert_eq!(app.patch(&agent(ADAS), json!({ "roles": roles })).await.status, 422, "{roles}");
            assert_eq!(app.post_lines("/admin/agents/import", new.to_string()).await.status, 422, "{roles}");
        }
        let odd = json!({ "phone": "+4915550101099", "name": "New", "Roles": ["admin"] });
        assert_eq!(app.post("/admin/agents", odd).await.status, 422, "an unknown field");
    }
    assert_eq!(house.app(ROOT).get(&agent(ADAS)).await.body["roles"], json!(["agent"]));
}

#[tokio::test]
async fn nobody_grants_what_they_do_not_hold_nor_lifts_themselves() {
    let house = office().build().await;
    let (sam, root) = (house.app(SAM), house.app(ROOT));
    for (target, change) in [
        (ADAS, json!({ "roles": ["agent", "admin"] })),
        (ADAS, json!({ "roles": ["supervisor"] })),
        (ADAS, json!({ "roles": ["agent", "wfo.full_access"] })),
        (ADAS, json!({ "can_manage_agents": true })),
        (ADAS, json!({ "department": "Support" })),
        (ADAS, json!({ "worker_name": "user-+4915550101013" })),
        (SUES, json!({ "name": "Changed" })),
        (SAMS, json!({ "roles": ["supervisor", "admin"] })),
        (SAMS, json!({ "department": "Support" })),
    ] {
        let answer = sam.patch(&agent(target), change.clone()).await;
        assert_eq!((answer.status, answer.code()), (403, "forbidden"), "{change}");
    }
    for own in [json!({ "roles": ["agent"] }), json!({ "disabled": true }), json!({ "can_manage_agents": true })] {
        assert_eq!(root.patch(&agent(ROOTS), own.clone()).await.status, 403, "{own}");
    }
    assert_eq!(root.delete(&agent(ROOTS)).await.status, 403);
    assert_eq!(sam.delete(&agent(SUES)).await.status, 403);

    let good = sam.patch(&agent(ADAS), json!({ "roles": ["agent", "wfo.team_leader"] })).await;
    assert_eq!((good.status, &good.body["roles"]), (200, &json!(["agent", "wfo.team_leader"])));
    let lifted = root.patch(&agent(SUES), json!({ "can_manage_agents": true })).await;
    assert_eq!(lifted.status, 200);
    assert_eq!(names(&house.app(SUE).get("/admin/agents").await), [ADA, SAM, SUE], "rights are there at once");
    root.patch(&agent(SUES), json!({ "roles": ["agent"] })).await;
    assert_eq!(house.app(SUE).get("/admin/agents").await.status, 403, "and gone at once");
    let denied = house.bootstrap().lines("/admin/audit/export").await;
    assert_eq!(denied.lines().filter(|line| line.contains(r#""outcome":"denied""#)).count(), 14, "{denied}");
}

#[tokio::test]
async fn an_agent_is_added_found_changed_and_shown_with_any_name() {
    let house = office().build().await;
    let sam = house.app(SAM);
    let name = "<script>alert(1)</script> \"O'Neil\" & Zoë 王小明";
    let new = json!({ "phone": " +49 (0)1555 / 010-1099 ", "name": format!("  {name} "), "email": "zoe@example.com" });
    let added = sam.post("/admin/agents", new).await;
    assert_eq!(added.status, 201, "{added:?}");
    let place = format!("/admin/agents/{}", added.body["id"].as_str().unwrap());
    assert_eq!((&added.body["name"], &added.body["phone"]), (&json!(name), &json!("+4915550101099")));
    assert_eq!((&added.body["department"], &added.body["roles"]), (&json!("Sales"), &json!(["agent"])));
    for search in ["SCRIPT", "zo%C3%8B", "010%201099", "zoe@EXAMPLE"] {
        let found = sam.get(&format!("/admin/agents?search={search}")).await;
        assert_eq!(names(&found), ["+4915550101099"], "{search}");
    }
    let changed = sam.patch(&place, json!({ "email": null, "ring_plan": ["pstn"] })).await;
    assert_eq!((&changed.body["email"], &changed.body["ring_plan"]), (&Value::Null, &json!(["pstn"])));
    assert_eq!(sam.get(&place).await.body, changed.body);
    for bad in [
        json!({}),
        json!([]),
        json!({ "phone": "+4915550101098" }),
        json!({ "phone": "nobody", "name": "X" }),
        json!({ "phone": "+999123456789", "name": "X" }),
        json!({ "phone": 4915550101098_u64, "name": "X" }),
        json!({ "phone": "+4915550101098", "name": "a\u{7}b" }),
        json!({ "phone": "+4915550101098", "name": "x".repeat(300) }),
        json!({ "phone": "+4915550101098", "name": "X", "ring_plan": ["pstn", "pstn"] }),
        json!({ "phone": "+4915550101098", "name": "X", "token": "x" }),
    ] {
        assert_eq!(sam.post("/admin/agents", bad.clone()).await.status, 422, "{bad}");
    }
    assert_eq!(sam.delete(&place).await.body["not_removed"], json!([]));
    assert_eq!(sam.get(&place).await.status, 404);
    assert_eq!(sam.delete(&place).await.status, 404);
}

#[tokio::test]
async fn a_duplicate_is_told_by_its_field_alone() {
    let house = office().build().await;
    let (sam, root) = (house.app(SAM), house.app(ROOT));
    for app in [&sam, &root] {
        let twice = app.post("/admin/agents", json!({ "phone": OLGA, "name": "New" })).await;
        assert_eq!((twice.status, twice.code()), (409, "duplicate"));
        let detail = twice.body["detail"].as_str().unwrap();
        assert!(detail.starts_with("phone: another agent has the same"), "{detail}");
        assert!(!twice.body.to_string().contains(&id(OLGAS)) && !twice.body.to_string().contains("Olga"));
        assert_eq!(app.patch(&agent(ADAS), json!({ "phone": OLGA })).await.status, 409);
    }
    let many = format!("{{\"phone\":\"+4915550101098\",\"name\":\"A\"}}\n{{\"phone\":\"{OLGA}\",\"name\":\"B\"}}\n");
    let told = sam.post_lines("/admin/agents/import", many).await;
    assert_eq!((told.status, told.code()), (409, "duplicate"));
    assert!(told.body["detail"].as_str().unwrap().starts_with("agent 2: phone: "), "{told:?}");
    assert_eq!(names(&sam.get("/admin/agents").await).len(), 3, "none was added");
}

#[tokio::test]
async fn an_import_is_all_or_nothing_and_an_export_can_be_imported() {
    let house = office().build().await;
    let root = house.bootstrap();
    let line = |number: u32| format!("{{\"phone\":\"+4915112{number:06}\",\"name\":\"Agent {number}\"}}\n");
    for (bad, status, told) in [
        ("nonsense\n", 422, "line 451: expected a JSON object"),
        ("{\"phone\":\"+4915112000001\",\"name\":\"B\"}\n", 409, "agent 451: phone: another agent has the same"),
        ("{\"phone\":\"+4915113000001\"}\n", 422, "line 451: name: required"),
        ("{\"phone\":\"+4915113000001\",\"name\":\"B\",\"id\":\"x\"}\n", 422, "line 451: a field that is not known"),
    ] {
        let lines: String = (0..450).map(line).collect();
        let refused = root.post_lines("/admin/agents/import", lines + bad).await;
        assert_eq!(refused.status, status, "{refused:?}");
        assert!(refused.body["detail"].as_str().unwrap().contains(told), "{refused:?}");
        assert_eq!(names(&root.get("/admin/agents?limit=200").await).len(), 5);
    }
    let large: String = (0..10_001).map(line).collect();
    assert_eq!(root.post_lines("/admin/agents/import", large).await.status, 413);
    assert_eq!(root.post_lines("/admin/agents/import", "\n\n").await.status, 422);

    let imported = root.post_lines("/admin/agents/import", (0..450).map(line).collect::<String>()).await;
    assert_eq!((imported.status, &imported.body["added"]), (200, &json!(450)));
    let (mut seen, mut after) = (Vec::new(), String::new());
    loop {
        let page = root.get(&format!("/admin/agents?limit=200{after}")).await;
        seen.extend(names(&page));
        match page.body["next"].as_str() {
            Some(next) => after = format!("&after={next}"),
            None => break,
        }
    }
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), 455, "every agent is on exactly one page");

    let lines = root.lines("/admin/agents/export").await;
    let other = Plan::default().stranger(ADA).build().await;
    assert_eq!(other.bootstrap().post_lines("/admin/agents/import", lines.clone()).await.body["added"], json!(455));
    let sorted = |lines: String| {
        let mut lines: Vec<_> = lines.lines().map(str::to_owned).collect();
        lines.sort();
        lines
    };
    assert_eq!(sorted(other.bootstrap().lines("/admin/agents/export").await), sorted(lines));
}

#[tokio::test]
async fn a_new_agent_is_offered_chats_at_once_and_a_removed_one_is_not() {
    let house = Plan::of_two().stranger(BOB).twilio(|twilio| twilio.agents.rotate_left(1)).build().await;
    let root = house.bootstrap();
    let bob = root.post("/admin/agents", json!({ "phone": BOB, "name": "Bob" })).await;
    assert_eq!(bob.status, 201, "{bob:?}");
    house.twilio.start_chat(CUSTOMER, "Maria", "hello?");
    house.quiet().await;
    let offered = house.agent(BOB).await;
    assert_eq!((offered.id.to_string(), offered.reservations.len()), (bob.body["id"].as_str().unwrap().to_owned(), 1));

    assert_eq!(root.delete(&format!("/admin/agents/{}", offered.id)).await.status, 200);
    house.quiet().await;
    assert!(house.overview().await.live.iter().all(|live| live.id != offered.id));
    house.twilio.start_chat(CUSTOMER, "Maria", "hello again?");
    house.pass(Duration::from_secs(2)).await;
    assert!(house.overview().await.live.iter().all(|live| live.id != offered.id));
}

#[tokio::test]
async fn removal_ends_session_devices_and_records_and_the_worker_if_that_is_asked_for() {
    let mut house = office().with_devices().build().await;
    let ada = house.app(ADA);
    assert_eq!(ada.get("/tasks").await.status, 200);
    let path = format!("{}?worker=true", agent(ADAS));
    let refused = house.app(SAM).delete(&path).await;
    assert_eq!((refused.status, refused.code()), (403, "forbidden"), "whoever adds agents chooses their workers");
    let removed = house.app(ROOT).delete(&path).await;
    assert_eq!((removed.status, &removed.body["not_removed"]), (200, &json!([])), "{removed:?}");
    assert_eq!((ada.get("/tasks").await.status, ada.get("/tasks").await.code()), (401, "no_session"));
    house.quiet().await;
    assert!(house.twilio.snapshot().agent(ADA).is_none(), "the worker is deleted");
    house.stop();
    let left = house.in_store(async |store| {
        let ada = AgentId::from_bits(ADAS);
        (store.get::<AgentRecord>(&ada).await.unwrap().is_some(), store.get::<Devices>(&ada).await.unwrap().is_some())
    });
    assert_eq!(left.await, (false, false));
}

#[tokio::test]
async fn a_removed_agents_call_is_ended_and_closed_at_twilio_and_one_that_rings_goes_on() {
    for talks in [true, false] {
        let house = Plan::of_two().build().await;
        let call = house.customer_calls().await;
        house.rings(ADA).await;
        if talks {
            house.answers(ADA).await;
        }
        let ada = house.agent(ADA).await;
        assert_eq!(house.bootstrap().delete(&format!("/admin/agents/{}", ada.id)).await.status, 200);
        house.pass(Duration::from_secs(2)).await;
        let first = house.reservations(&call)[0];
        assert_ne!(first, if talks { ReservationStatus::Accepted } else { ReservationStatus::Pending });
    }
}

#[tokio::test]
async fn what_twilio_does_not_let_go_is_said_and_the_agent_goes_all_the_same() {
    for down in [false, true] {
        let mut house = office().build().await;
        let chat = house.twilio.start_chat(CUSTOMER, "Maria", "hello?");
        house.quiet().await;
        let offer = house.twilio.snapshot().reservation_of(&chat.task_sid).unwrap().sid.clone();
        let accepted = house.meanwhile(house.app(ADA).accept(&offer)).await;
        assert_eq!(accepted.status, 200, "{accepted:?}");
        house.twilio_is_down(down);
        let root = house.bootstrap();
        let removed = house.meanwhile(async { root.delete(&format!("{}?worker=true", agent(ADAS))).await }).await;
        assert_eq!((removed.status, &removed.body["not_removed"][0]["what"]), (200, &json!("worker")), "{removed:?}");
        let why = removed.body["not_removed"][0]["why"].as_str().unwrap();
        assert!(why.contains(if down { "cannot be reached" } else { "tasks are open" }), "{why}");
        assert_eq!(house.app(ADA).get("/tasks").await.status, 401);
        assert_eq!(root.get(&agent(ADAS)).await.status, 404);
    }
}

#[tokio::test]
async fn a_disabled_agent_is_shut_out_and_offered_nothing_until_enabled() {
    let house = office().with_devices().build().await;
    let (ada, sam) = (house.app(ADA), house.app(SAM));
    let disabled = sam.patch(&agent(ADAS), json!({ "disabled": true })).await;
    assert_eq!((disabled.status, &disabled.body["disabled"]), (200, &json!(true)));
    assert_eq!(ada.get("/tasks").await.code(), "no_session");
    house.twilio.start_chat(CUSTOMER, "Maria", "hello?");
    house.pass(Duration::from_secs(2)).await;
    assert!(house.shows(ADA).iter().all(Vec::is_empty), "{:?}", house.shows(ADA));
    assert_eq!(house.activity(ADA), MOBILE, "what Twilio has is left to Twilio");
    sam.patch(&agent(ADAS), json!({ "disabled": false })).await;
    assert_eq!(ada.get("/tasks").await.code(), "no_session", "the old session stays ended");
}

#[tokio::test]
async fn an_admin_sees_and_ends_an_agents_sessions() {
    let house = office().build().await;
    let path = format!("{}/sessions", agent(ADAS));
    let own = house.app(ADA).get("/me/sessions").await.body["items"][0].clone();
    let seen = house.app(SAM).get(&path).await.body;
    assert_eq!((&seen["items"][0]["id"], &seen["items"][0]["current"]), (&own["id"], &json!(false)), "{seen}");
    assert_eq!(house.app(SAM).get(&format!("{}/sessions", agent(OLGAS))).await.status, 404);
    assert_eq!(house.app(SAM).delete(&path).await.status, 204);
    assert_eq!(house.app(SAM).get(&path).await.body["items"], json!([]));
    assert_eq!(house.app(ADA).get("/tasks").await.status, 401);
    assert_eq!(house.app(SAM).delete(&format!("{}/sessions", agent(SUES))).await.status, 403);
    let entries = house.app(SAM).get("/admin/audit?limit=200").await.body;
    let of = |entry: &&Value| entry["action"] == "session_revoked" && entry["outcome"] == "done";
    let ended: Vec<_> = entries["items"].as_array().unwrap().iter().filter(of).collect();
    assert_eq!(ended.len(), 1, "{entries}");
    assert_eq!((&ended[0]["subject"], &ended[0]["actor"]["id"]), (&json!(id(ADAS)), &json!(id(SAMS))));
    assert_eq!(house.app(OLGA).get("/tasks").await.status, 200);
}

#[tokio::test]
async fn another_number_ends_the_sessions_that_the_old_one_began() {
    let house = office().build().await;
    let ada = house.app(ADA);
    assert_eq!(house.app(SAM).patch(&agent(ADAS), json!({ "name": "Ada L" })).await.status, 200);
    assert_eq!(ada.get("/tasks").await.status, 200);
    assert_eq!(house.app(SAM).patch(&agent(ADAS), json!({ "phone": "+4915550101077" })).await.status, 200);
    assert_eq!(ada.get("/tasks").await.code(), "no_session");
}

#[tokio::test]
async fn whoever_is_disabled_as_the_daemon_dies_stays_signed_out() {
    let mut house = office().build().await;
    let ada = house.app(ADA);
    assert_eq!(ada.get("/tasks").await.status, 200);
    house.stop();
    house
        .in_store(async |store| {
            let mut profile = store.get::<Profile>(&AgentId::from_bits(ADAS)).await.unwrap().unwrap();
            profile.disabled = true;
            store.commit(Batch::new().put(&profile.id, &profile).unwrap().clone()).await.unwrap();
        })
        .await;
    house.start().await;
    assert_eq!(house.bootstrap().patch(&agent(ADAS), json!({ "disabled": false })).await.status, 200);
    assert_eq!(house.app(ADA).get("/tasks").await.code(), "no_session");
}

#[tokio::test]
async fn whoever_is_disabled_or_gets_another_number_while_the_code_is_checked_does_not_come_in() {
    for change in [json!({ "disabled": true }), json!({ "phone": "+4915550101099" })] {
        let house = office().build().await;
        let root = house.bootstrap();
        let login = house.begins_login(ADA).await;
        let code = house.twilio.last_code(ADA).unwrap();
        let act = RestAct::Delay { ms: 1000 };
        let operation = Some(Operation::CreateVerificationCheck);
        house.twilio.fault(RestFault { operation, times: Some(1), act });
        let changing = async {
            house.waits_for_twilio().await;
            let changed = root.patch(&agent(ADAS), change.clone()).await;
            house.away(Duration::from_secs(1));
            changed
        };
        let (answer, changed) = tokio::join!(house.types(&login, ADA, &code), changing);
        assert_eq!((changed.status, answer.status, answer.code()), (200, 401, "bad_code"), "{change}");
        root.patch(&agent(ADAS), json!({ "disabled": false, "phone": ADA })).await;
        let login = house.begins_login(ADA).await;
        let signed_in = house.types(&login, ADA, &house.twilio.last_code(ADA).unwrap()).await;
        let app = house.caller(signed_in.body["token"].as_str().unwrap());
        let sessions = app.get("/me/sessions").await.body["items"].as_array().unwrap().len();
        assert_eq!(sessions, 1, "{change}: the newest wins, and nothing else is left");
    }
}

#[tokio::test]
async fn a_body_of_any_kind_has_an_answer_that_says_what_is_wrong() {
    let house = office().build().await;
    let root = house.bootstrap();
    let large = json!({ "phone": "+4915550101099", "name": "x".repeat(70 * 1024) });
    for path in ["/admin/agents".to_owned(), agent(ADAS)] {
        let method = if path == "/admin/agents" { Method::POST } else { Method::PATCH };
        let sent = |kind: &str, body: String| {
            let request = house.request(method.clone(), &path).bearer_auth(&root.token).header("content-type", kind);
            async { request.body(body).send().await.unwrap().status().as_u16() }
        };
        assert_eq!(sent("application/json", large.to_string()).await, 413, "{path}");
        assert_eq!(sent("application/json", "{".into()).await, 400, "{path}");
        assert_eq!(sent("text/plain", "{}".into()).await, 400, "{path}");
        let long = json!({ "k".repeat(40_000): 1 }).to_string();
        assert_eq!(sent("application/json", long).await, 422, "{path}");
    }
}

/// Changes some entries of the log behind the daemon's back, and asks it what it finds.
async fn found(house: &mut House, change: impl FnOnce(&mut Batch, Entry)) -> Value {
    house.stop();
    house
        .in_store(async |store| {
            let entry = store.get::<Entry>(&Sequence::new(3)).await.unwrap().unwrap();
            let mut batch = Batch::new();
            change(&mut batch, entry);
            store.commit(batch).await.unwrap();
        })
        .await;
    house.start().await;
    house.bootstrap().get("/admin/audit/verify").await.body
}

#[tokio::test]
async fn the_audit_log_is_whole_over_restarts_and_a_changed_or_missing_entry_is_located() {
    let mut house = office().build().await;
    for number in 0..5 {
        house.bootstrap().patch(&agent(ADAS), json!({ "name": format!("Ada {number}") })).await;
        house.restart().await;
    }
    let verdict = house.bootstrap().get("/admin/audit/verify").await.body;
    assert_eq!(verdict, json!({ "ok": true, "entries": 5, "first_bad": null, "fault": null }));
    let page = house.bootstrap().get("/admin/audit?after=1&limit=2").await.body;
    let numbers: Vec<_> = page["items"].as_array().unwrap().iter().map(|entry| &entry["number"]).collect();
    assert_eq!((numbers, &page["next"]), (vec![&json!(2), &json!(3)], &json!("3")));
    let entry = &page["items"][0];
    assert_eq!((&entry["action"], &entry["outcome"]), (&json!("agent_changed"), &json!("done")));
    assert_eq!((&entry["actor"]["kind"], &entry["subject"]), (&json!("bootstrap"), &json!(id(ADAS))));
    assert_eq!((&entry["detail"], &entry["department"]), (&json!("name"), &json!("Sales")));
    assert!(entry["address"].is_string() && !entry.to_string().contains("Ada"), "{entry}");

    let mut original = None;
    let changed = found(&mut house, |batch, entry| {
        original = Some(entry.clone());
        let mut other = entry;
        other.what.detail = Some("phone".into());
        batch.put(&Sequence::new(3), &other).unwrap();
    });
    assert_eq!((&changed.await["first_bad"]), &json!(3));
    let missing = found(&mut house, |batch, _| {
        batch.put(&Sequence::new(3), &original.take().unwrap()).unwrap().delete::<Entry>(&Sequence::new(5));
    });
    assert_eq!(missing.await, json!({ "ok": false, "entries": 4, "first_bad": 5, "fault": "missing" }));
    let headless = found(&mut house, |batch, _| {
        batch.delete::<Head>(&());
    });
    assert_eq!(headless.await["ok"], json!(true), "without the head the end cannot be missed");
}
