//! What agents see of themselves, and supervisors of them.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};

use crate::house::{ADA, AgentApp, BOB, CUSTOMER, House, MOBILE, Plan};

const SUPERVISOR: &str = "+4915550101003";
const PEOPLE: [(&str, &str); 3] = [
    (ADA, r#"{"name":"=Ada, \"A\"","department":"Sales"}"#),
    (BOB, r#"{"department":"Support"}"#),
    (SUPERVISOR, r#"{"roles":["agent","supervisor"],"department":"Sales","can_manage_agents":true}"#),
];

async fn house() -> House {
    let plan = PEOPLE.into_iter().fold(Plan::of_two(), |plan, (phone, profile)| plan.person(phone, profile));
    plan.build().await
}

/// A chat that Ada takes, and finishes so much later.
async fn chats(house: &House, app: &AgentApp, seconds: u64) {
    house.twilio.set_activity(BOB, "Offline").unwrap();
    let chat = house.twilio.start_chat(CUSTOMER, "Maria", "hello?");
    house.quiet().await;
    let task = house.twilio.snapshot().reservation_of(&chat.task_sid).unwrap().sid.clone();
    assert_eq!(house.meanwhile(app.accept(&task)).await.status, 200);
    house.pass(Duration::from_secs(seconds)).await;
    app.complete(&task).await;
    house.pass(Duration::from_secs(5)).await;
}

#[tokio::test]
async fn an_agent_decides_what_rings_and_nothing_else() {
    let house = house().await;
    let app = house.app(ADA);
    let changed = app.patch("/me", json!({ "ring_plan": ["pstn"] })).await;
    assert_eq!((changed.status, &changed.body["ring_plan"]), (200, &json!(["pstn"])));
    assert_eq!(changed.body["sessions"].as_array().unwrap().len(), 1);
    assert_eq!(app.patch("/me", json!({})).await.body["ring_plan"], json!(["pstn"]));
    for wrong in
        [json!({ "ring_plan": ["fax"] }), json!({ "ring_plan": "pstn" }), json!({ "roles": ["admin"] }), json!([])]
    {
        assert_eq!(app.patch("/me", wrong.clone()).await.status, 422, "{wrong}");
    }
    assert_eq!(app.patch("/me", json!({ "ring_plan": null })).await.body["ring_plan"], json!(["sip", "pstn"]));
    let last = house.audit().await.pop().unwrap().what;
    assert_eq!(json!(last.action), "agent_changed");
    assert_eq!(app.call(Method::PATCH, "/me", None).await.status, 400);
}

#[tokio::test]
async fn a_supervisor_sees_who_is_where_doing_what_in_the_own_department() {
    let house = house().await;
    house.twilio.set_activity(BOB, "Offline").unwrap();
    house.customer_calls().await;
    house.rings(ADA).await;
    let seen = house.app(SUPERVISOR).get("/admin/live").await.body;
    let names = |list: &Value| -> Vec<String> {
        list["items"].as_array().unwrap().iter().map(|one| one["id"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(names(&seen), ["0000000000000001", "0000000000000003"]);
    let ada = &seen["items"][0];
    assert_eq!((&ada["activity"], &ada["where"], &ada["call"]), (&json!(MOBILE), &json!("mobile"), &json!("ringing")));
    assert_eq!((&ada["sessions"], &ada["tasks"][0]["channel"]), (&json!(1), &json!("voice")));
    let all = house.bootstrap().get("/admin/live?limit=2").await.body;
    assert_eq!((names(&all).len(), all["next"].is_string()), (2, true));
    let rest = house.bootstrap().get(&format!("/admin/live?after={}", all["next"].as_str().unwrap())).await.body;
    assert_eq!((names(&rest), &rest["next"]), (vec!["0000000000000003".to_owned()], &Value::Null));
    assert_eq!(house.app(BOB).get("/admin/live").await.status, 403);
    assert_eq!(house.bootstrap().get("/admin/live?limit=x").await.status, 422);
}

#[tokio::test]
async fn handle_time_is_told_apart_by_where_a_task_was_taken_also_after_a_restart() {
    let mut house = house().await;
    chats(&house, &house.app(ADA), 60).await;
    house.restart().await;
    chats(&house, &house.app(ADA), 120).await;
    let report = house.app(SUPERVISOR).get("/admin/reports/handle-time").await.body;
    assert_eq!((&report["mobile"]["tasks"], &report["desktop"]["tasks"]), (&json!(2), &json!(0)), "{report}");
    let average = report["mobile"]["average_seconds"].as_u64().unwrap();
    assert!((88..=95).contains(&average), "{report}");
    assert_eq!(
        (&report["items"][0]["agent"], &report["items"][0]["where"]),
        (&json!("0000000000000001"), &json!("mobile"))
    );
    // The desk takes one.
    let chat = house.twilio.start_chat(CUSTOMER, "Maria", "hello?");
    house.quiet().await;
    let task = house.twilio.snapshot().reservation_of(&chat.task_sid).unwrap().sid.clone();
    house.twilio.desk_accepts(&task).unwrap();
    house.pass(Duration::from_secs(30)).await;
    house.app(ADA).complete(&task).await;
    house.pass(Duration::from_secs(5)).await;
    let by = house.bootstrap().get("/admin/reports/handle-time?by=department").await.body;
    assert_eq!((&by["desktop"]["tasks"], &by["items"][0]["department"]), (&json!(1), &json!("Sales")), "{by}");
    assert_eq!(by["items"][0]["agent"], Value::Null);
    let csv = house.app(SUPERVISOR).lines("/admin/reports/handle-time?format=csv").await;
    let lines: Vec<_> = csv.split("\r\n").collect();
    assert_eq!(
        (lines.len(), lines[0].starts_with("from,to,agent,name,department,channel,where,tasks")),
        (4, true),
        "{csv}"
    );
    assert!(lines[1].contains(",\"'=Ada, \"\"A\"\"\",Sales,"), "{csv}");
    let empty = house.bootstrap().get("/admin/reports/handle-time?from=2020-01-01&to=2020-12-31").await.body;
    assert_eq!((&empty["items"], &empty["from"]), (&json!([]), &json!("2020-01-01")));
    for wrong in ["?from=x", "?from=2025-10-10&to=2025-10-09", "?from=2020-01-01", "?by=team", "?format=xml", "?x=1"] {
        let refused = house.bootstrap().get(&format!("/admin/reports/handle-time{wrong}")).await;
        assert_eq!(refused.status, 422, "{wrong}");
    }
    assert_eq!(house.app(BOB).get("/admin/reports/handle-time").await.status, 403);
}
