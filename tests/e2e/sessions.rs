//! Sessions: tokens that rotate, devices that take over, and the cookie.

use std::time::Duration;

use reqwest::{Method, header};
use serde_json::{Value, json};

use crate::house::{ADA, AgentApp, BOB, House, Plan};

async fn code_of(app: &AgentApp) -> String {
    app.get("/me").await.code().to_owned()
}

/// A signed-in app's token, changed for a new one.
async fn refreshes(house: &House, app: &AgentApp) -> AgentApp {
    let answer = app.post("/login/refresh", json!({})).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    house.caller(answer.body["token"].as_str().unwrap())
}

#[tokio::test]
async fn an_agent_sees_itself() {
    let house = Plan::default().with_devices().build().await;
    house.customer_calls().await;
    let me = house.app(ADA).get("/me").await.body;
    assert_eq!((&me["agent"]["name"], &me["activity"]), (&json!("Ada"), &json!("Available on Mobile")));
    assert_eq!(me["choices"], json!(["Available on Mobile", "Break", "Offline"]));
    assert_eq!(me["ring_plan"], json!(["sip", "pstn"]));
    assert_eq!(me["session"]["current"], json!(true));
    assert_eq!(me["devices"][0]["kind"], json!("webpush"));
    assert_eq!(me["devices"][0]["session"], me["session"]["id"]);
    assert_eq!(me["unread"], json!(0));
    assert!(!me.to_string().contains("p256dh"));
}

#[tokio::test]
async fn a_second_device_cuts_off_the_first_and_takes_its_notifications() {
    let mut house = Plan::default().with_devices().build().await;
    let first = house.app(ADA);
    let second = house.signs_in(ADA).await;
    assert_eq!(code_of(&first).await, "superseded");
    assert_eq!(second.get("/me").await.status, 200);
    house.quiet().await;
    assert_eq!(house.shows(ADA), [["session.superseded"], ["session.superseded"]]);
    assert_eq!(second.get("/me").await.body["devices"], json!([]));
    house.twilio.start_chat("+15550123", "Maria", "hello?");
    house.quiet().await;
    assert_eq!(house.shows(ADA), [["session.superseded"], ["session.superseded"]], "nothing more comes");
    house.restart().await;
    assert_eq!(code_of(&house.app(ADA)).await, "superseded");
    assert_eq!(house.caller(&second.token).get("/me").await.status, 200);
}

#[tokio::test]
async fn as_many_devices_as_the_operator_allows_are_signed_in() {
    let house = Plan::default().login("max_sessions = 2").build().await;
    let first = house.app(ADA);
    house.pass(Duration::from_secs(1)).await;
    let second = house.signs_in(ADA).await;
    assert_eq!((code_of(&first).await, code_of(&second).await), (String::new(), String::new()));
    house.pass(Duration::from_secs(1)).await;
    let third = house.signs_in(ADA).await;
    assert_eq!(code_of(&first).await, "superseded");
    assert_eq!((code_of(&second).await, code_of(&third).await), (String::new(), String::new()));
}

#[tokio::test]
async fn sessions_are_listed_and_revoked_by_their_own_agent_alone() {
    let house = Plan::of_two().login("max_sessions = 3").build().await;
    let (ada, bob) = (house.app(ADA), house.app(BOB));
    let other = house.signs_in(ADA).await;
    let listed = ada.get("/me/sessions").await.body;
    let sessions = listed["items"].as_array().unwrap();
    assert_eq!(sessions.len(), 2);
    let theirs = sessions.iter().find(|one| one["current"] == false).unwrap();
    assert_eq!(theirs["device_name"], "phone");
    let path = format!("/me/sessions/{}", theirs["id"].as_str().unwrap());
    assert_eq!(bob.call(Method::DELETE, &path, None).await.status, 404);
    assert_eq!(other.get("/me").await.status, 200);
    assert_eq!(ada.call(Method::DELETE, &path, None).await.status, 204);
    assert_eq!(ada.call(Method::DELETE, &path, None).await.status, 404);
    assert_eq!(code_of(&other).await, "no_session");
    assert_eq!(ada.post("/logout", json!({})).await.status, 204);
    assert_eq!(code_of(&ada).await, "no_session");
    assert_eq!(bob.get("/me").await.status, 200);
}

#[tokio::test]
async fn a_token_is_rotated_and_the_old_one_works_until_the_new_one_comes() {
    let mut house = Plan::default().build().await;
    let old = house.app(ADA);
    let new = refreshes(&house, &old).await;
    assert_eq!(old.get("/me").await.status, 200);
    assert_eq!(new.get("/me").await.status, 200);
    house.restart().await;
    assert_eq!(house.caller(&new.token).get("/me").await.status, 200);
}

#[tokio::test]
async fn a_stolen_token_that_was_rotated_out_ends_the_session() {
    let house = Plan::default().build().await;
    let stolen = house.app(ADA);
    let own = refreshes(&house, &stolen).await;
    assert_eq!(own.get("/me").await.status, 200);
    assert_eq!(code_of(&stolen).await, "no_session");
    assert_eq!(code_of(&own).await, "no_session");
    let last = house.audit().await.pop().unwrap().what;
    assert_eq!(json!(last.action), "session_revoked");
    assert!(last.detail.unwrap().contains("rotated out"));
}

#[tokio::test]
async fn the_old_token_is_good_for_a_minute_at_most() {
    let house = Plan::default().build().await;
    let old = house.app(ADA);
    let new = refreshes(&house, &old).await;
    house.pass(Duration::from_secs(60)).await;
    assert_eq!(code_of(&old).await, "no_session");
    assert_eq!(code_of(&new).await, "no_session");
}

#[tokio::test]
async fn a_session_that_is_not_used_expires_and_use_prolongs_it_for_so_long_and_no_longer() {
    let house = Plan::of_two().login("session_ttl = \"2h\"\nsession_max_age = \"5h\"").build().await;
    let (ada, bob) = (house.app(ADA), house.app(BOB));
    for _ in 0..4 {
        house.away(Duration::from_secs(3600));
        assert_eq!(ada.get("/me/sessions").await.status, 200);
        house.uses_are_written_down().await;
    }
    assert_eq!(code_of(&bob).await, "expired");
    house.away(Duration::from_secs(3600));
    assert_eq!(code_of(&ada).await, "expired");
}

#[tokio::test]
async fn the_cookie_is_for_the_apps_own_pages() {
    let house = Plan::default().build().await;
    let id = house.begins_login(ADA).await;
    let code = house.twilio.last_code(ADA).unwrap();
    let body = json!({ "login_id": id, "phone": ADA, "code": code, "cookie": true });
    let answer = house.request(Method::POST, "/login").json(&body).send().await.unwrap();
    let set = answer.headers()[header::SET_COOKIE].to_str().unwrap().to_owned();
    assert_eq!(answer.headers()[header::CACHE_CONTROL], "no-store");
    assert!(answer.json::<Value>().await.unwrap()["token"].is_null());
    for attribute in ["Secure", "HttpOnly", "SameSite=Strict", "Path=/", "Max-Age=2592000"] {
        assert!(set.split("; ").any(|one| one == attribute), "{attribute} is not in the cookie");
    }
    let cookie = set.split(';').next().unwrap().to_owned();
    let own = format!("http://{}", house.ready.http);
    let asks = async |method: Method, path: &str, cookie: &str, origin: Option<&str>| {
        let request = house.request(method, path).header(header::COOKIE, cookie);
        let request = match origin {
            Some(origin) => request.header(header::ORIGIN, origin),
            None => request,
        };
        let answer = request.send().await.unwrap();
        let set = answer.headers().get(header::SET_COOKIE).map(|set| set.to_str().unwrap().to_owned());
        let status = answer.status().as_u16();
        let body: Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap_or_default();
        (status, body["code"].as_str().unwrap_or_default().to_owned(), set)
    };
    let refused = (403, "foreign_origin".to_owned(), None);
    let evil = Some("https://evil.example");
    assert_eq!(asks(Method::GET, "/me", &cookie, None).await.0, 200);
    assert_eq!(asks(Method::GET, "/me", &cookie, evil).await, refused);
    for origin in [None, evil, Some("null"), Some(&*format!("{own}.evil.example"))] {
        assert_eq!(asks(Method::POST, "/login/refresh", &cookie, origin).await, refused, "{origin:?}");
    }
    let twice = format!("{cookie}; offdesk=tossed");
    assert_eq!(asks(Method::GET, "/me", &twice, None).await.1, "no_session");
    // A bearer token wins, and no site can make a browser send one.
    let bearer = house.request(Method::POST, "/login/refresh").header(header::COOKIE, &cookie).bearer_auth("x");
    assert_eq!(bearer.send().await.unwrap().status().as_u16(), 401);
    let (status, _, set) = asks(Method::POST, "/login/refresh", &cookie, Some(&own)).await;
    let renewed = set.unwrap().split(';').next().unwrap().to_owned();
    assert_eq!((status, asks(Method::GET, "/me", &renewed, None).await.0), (200, 200));
    let (status, _, cleared) = asks(Method::POST, "/logout", &renewed, Some(&own)).await;
    assert_eq!(status, 204);
    assert!(cleared.unwrap().starts_with("offdesk=; Max-Age=0;"));
    assert_eq!(asks(Method::GET, "/me", &renewed, None).await.1, "no_session");
}

#[tokio::test]
async fn whoever_signs_in_on_a_device_signs_out_who_was_there() {
    let house = Plan::of_two().with_devices().build().await;
    let (ada, before) = (house.app(ADA), house.shows(ADA));
    let id = house.begins_login(BOB).await;
    let body = json!({ "login_id": id, "phone": BOB, "code": "000000" });
    let wrong = house.request(Method::POST, "/login").bearer_auth(&ada.token).json(&body).send();
    assert_eq!(house.meanwhile(wrong).await.unwrap().status().as_u16(), 401);
    assert_eq!(code_of(&ada).await, "", "nobody has signed in");
    let body = json!({ "login_id": id, "phone": BOB, "code": house.twilio.last_code(BOB).unwrap() });
    let right = house.request(Method::POST, "/login").bearer_auth(&ada.token).json(&body).send();
    assert_eq!(house.meanwhile(right).await.unwrap().status().as_u16(), 200);
    assert_eq!(code_of(&ada).await, "no_session");
    house.twilio.start_chat("+15550123", "Maria", "hello?");
    house.quiet().await;
    assert_eq!(house.shows(ADA), before, "her notifications do not come to his device");
}

#[tokio::test]
async fn names_with_markup_stay_what_they_are() {
    let name = "<script>alert(\"x\")</script> & 'Zoë' 日本";
    let house = Plan::default().twilio(|twilio| twilio.agents[0].name = name.into()).build().await;
    let id = house.begins_login(ADA).await;
    let code = house.twilio.last_code(ADA).unwrap();
    let body = json!({ "login_id": id, "phone": ADA, "code": code, "device_name": name });
    let answer = house.anybody("/login", body).await;
    assert_eq!(answer.body["agent"]["name"], name);
    let me = house.caller(answer.body["token"].as_str().unwrap()).get("/me").await.body;
    assert_eq!((&me["agent"]["name"], &me["session"]["device_name"]), (&json!(name), &json!(name)));
    let nameless = json!({ "login_id": id, "phone": ADA, "code": code, "device_name": "a\nb" });
    assert_eq!(house.anybody("/login", nameless).await.code(), "invalid");
}
