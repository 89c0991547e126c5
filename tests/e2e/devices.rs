//! Devices from end to end: they come, are tested, are left alone as their agent wishes, and go.

use std::time::Duration;

use offdesk_sandbox::{PushAnswer, PushSubscription};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::house::{ADA, BOB, BOOTSTRAP, CUSTOMER, House, Plan};

const NAME: &str = "Maria";

/// Ada with two devices, Bob with none of use here.
async fn house() -> House {
    Plan::of_two().with_devices().build().await
}

fn web(subscription: &PushSubscription) -> Value {
    let PushSubscription { endpoint, p256dh, auth } = subscription;
    // As `PushSubscription.toJSON()` has it.
    let subscription =
        json!({ "endpoint": endpoint, "expirationTime": null, "keys": { "p256dh": p256dh, "auth": auth } });
    json!({ "kind": "webpush", "subscription": subscription, "name": "Laptop" })
}

async fn devices(house: &House, phone: &str) -> Vec<Value> {
    house.app(phone).get("/me/devices").await.body["items"].as_array().unwrap().clone()
}

/// What the agent's devices have got of a type, by the name that the stand-in knows them by.
fn got(house: &House, phone: &str, kind: &str) -> Vec<usize> {
    let count = |device: &offdesk_sandbox::DeviceView| {
        device.notifications.iter().filter(|notification| notification.kind == kind).count()
    };
    house.devices(phone).iter().map(count).collect()
}

#[tokio::test]
async fn a_device_is_registered_once_pushed_to_and_let_go() {
    let house = house().await;
    let app = house.app(ADA);
    let laptop = house.twilio.subscribe(ADA, "laptop").unwrap();
    let added = app.post("/me/devices", web(&laptop)).await;
    assert_eq!((added.status, &added.body["kind"], &added.body["name"]), (201, &json!("webpush"), &json!("Laptop")));
    let again = app.post("/me/devices", web(&laptop)).await;
    assert_eq!((again.status, &again.body["id"]), (200, &added.body["id"]));
    assert_eq!(devices(&house, ADA).await.len(), 3);
    assert_eq!(added.body["session"], app.get("/me").await.body["session"]["id"]);
    assert_eq!(added.body["last_delivered"], Value::Null);

    house.twilio.start_chat(CUSTOMER, NAME, "hello?");
    house.quiet().await;
    assert_eq!(got(&house, ADA, "task.offered"), [1, 1, 1]);
    let last = &devices(&house, ADA).await[2]["last_delivered"];
    assert_eq!(last["type"], "task.offered");

    let path = format!("/me/devices/{}", added.body["id"].as_str().unwrap());
    assert_eq!(house.app(BOB).delete(&path).await.status, 404, "it is somebody else's");
    assert_eq!(app.delete(&path).await.status, 204);
    assert_eq!(app.delete(&path).await.status, 404);
    assert_eq!(devices(&house, ADA).await.len(), 2);
    assert_eq!(app.delete("/me/devices/nonsense").await.status, 404);
}

#[tokio::test]
async fn a_device_goes_with_the_session_that_registered_it() {
    let mut house = house().await;
    let laptop = house.twilio.subscribe(ADA, "laptop").unwrap();
    let second = house.signs_in(ADA).await;
    assert_eq!(second.post("/me/devices", web(&laptop)).await.status, 201);
    house.quiet().await;
    assert_eq!(second.get("/me/devices").await.body["items"].as_array().unwrap().len(), 1);
    assert_eq!(second.post("/logout", json!({})).await.status, 204);
    house.quiet().await;
    house.twilio.start_chat(CUSTOMER, NAME, "hello?");
    house.pass(Duration::from_secs(2)).await;
    assert_eq!(got(&house, ADA, "task.offered"), [0, 0, 0]);
    house.restart().await;
    assert_eq!(house.signs_in(ADA).await.get("/me/devices").await.body["items"], json!([]));
}

#[tokio::test]
async fn a_test_says_what_the_push_service_said() {
    let house = house().await;
    let app = house.app(ADA);
    let [browser, phone] = [0, 1].map(|place| house.devices(ADA)[place].id.clone());
    let ids: Vec<_> = devices(&house, ADA).await.iter().map(|one| one["id"].as_str().unwrap().to_owned()).collect();
    let test = async |place: usize| app.post(&format!("/me/devices/{}/test", ids[place]), json!({})).await;
    let good = test(0).await;
    assert_eq!((good.status, &good.body["delivered"], &good.body["status"]), (200, &json!(true), &json!(201)));
    assert!(good.body["took_ms"].is_u64() && good.body["reason"].is_null());
    assert_eq!(test(1).await.body["status"], 200);
    assert_eq!(got(&house, ADA, "test"), [1, 1]);

    house.twilio.set_push_answer(&browser, PushAnswer::Unavailable { retry_after_s: Some(60) }, Some(1)).unwrap();
    let busy = test(0).await.body;
    assert_eq!(
        (&busy["delivered"], &busy["status"], &busy["reason"]),
        (&json!(false), &json!(503), &json!("unavailable"))
    );
    house.twilio.set_push_answer(&phone, PushAnswer::Gone, None).unwrap();
    let gone = test(1).await.body;
    assert_eq!((&gone["status"], &gone["gone"], &gone["reason"]), (&json!(404), &json!(true), &json!("unregistered")));
    assert_eq!(devices(&house, ADA).await.len(), 1);
    assert_eq!(test(1).await.status, 404);
}

#[tokio::test]
async fn a_lock_screen_shows_what_its_owner_wants_in_the_language_that_its_owner_reads() {
    let house = house().await;
    let app = house.app(ADA);
    let changed = app.patch("/me", json!({ "privacy": "none", "language": "de" })).await;
    assert_eq!((changed.status, &changed.body["privacy"]), (200, &json!("none")), "{changed:?}");
    let ids: Vec<_> = devices(&house, ADA).await.iter().map(|one| one["id"].as_str().unwrap().to_owned()).collect();
    let own = app.patch(&format!("/me/devices/{}", ids[1]), json!({ "privacy": "full", "name": "Pixel" })).await;
    assert_eq!((own.status, &own.body["privacy"], &own.body["name"]), (200, &json!("full"), &json!("Pixel")));
    house.twilio.start_chat(CUSTOMER, NAME, "hello?");
    house.quiet().await;
    let titles: Vec<_> = house.devices(ADA).into_iter().map(|device| device.notifications[0].title.clone()).collect();
    assert_eq!(titles, ["Neuer Chat", "Neuer Chat von Maria"]);
    let me = app.get("/me").await.body;
    assert_eq!((&me["privacy"], &me["language"]), (&json!("none"), &json!("de")));
    let back = app.patch("/me", json!({ "privacy": null, "language": null })).await;
    assert_eq!((&back.body["privacy"], &back.body["language"]), (&Value::Null, &Value::Null));
}

#[tokio::test]
async fn nothing_is_told_in_quiet_hours_nor_of_what_is_muted_and_wishes_outlive_a_restart() {
    let mut house = house().await;
    // The house's clock stands at 08:53 UTC.
    let quiet = json!({ "start": "08:00", "end": "09:00", "time_zone": "Etc/UTC" });
    let changed = house.app(ADA).patch("/me", json!({ "quiet_hours": quiet })).await;
    assert_eq!((changed.status, &changed.body["quiet_hours"]), (200, &quiet), "{changed:?}");
    let second = devices(&house, ADA).await[1]["id"].as_str().unwrap().to_owned();
    let all_day = json!({ "start": "00:00", "end": "23:59", "time_zone": "Etc/UTC", "except": ["task.offered"] });
    let path = format!("/me/devices/{second}");
    assert_eq!(house.app(ADA).patch(&path, json!({ "quiet_hours": all_day })).await.status, 200);
    house.restart().await;
    house.twilio.start_chat(CUSTOMER, NAME, "hello?");
    house.quiet().await;
    assert_eq!(got(&house, ADA, "task.offered"), [0, 1], "the second has an exception");

    assert_eq!(house.app(ADA).patch("/me", json!({ "quiet_hours": null, "mute": ["task.offered"] })).await.status, 200);
    house.twilio.start_chat(CUSTOMER, "Zoe", "hello?");
    house.pass(Duration::from_secs(2)).await;
    assert_eq!(got(&house, ADA, "task.offered"), [0, 1], "muted for all");
}

#[tokio::test]
async fn what_makes_no_sense_is_refused_in_words() {
    let house = house().await;
    let app = house.app(ADA);
    let laptop = web(&house.twilio.subscribe(ADA, "laptop").unwrap());
    let with = |pointer: &str, value: Value| {
        let mut body = laptop.clone();
        *body.pointer_mut(pointer).unwrap() = value;
        body
    };
    for body in [
        json!({}),
        json!({ "kind": "pigeon" }),
        json!({ "kind": "fcm" }),
        json!({ "kind": "fcm", "token": "a", "fid": "b" }),
        json!({ "kind": "fcm", "token": "two words" }),
        with("/name", json!("x".repeat(65))),
        with("/name", json!("a\nb")),
        with("/subscription/keys/p256dh", json!("AAAA")),
        with("/subscription/keys/auth", json!("")),
    ] {
        let refused = app.post("/me/devices", body.clone()).await;
        assert_eq!((refused.status, refused.code()), (422, "invalid"), "{body}");
    }
    for change in [
        json!({ "privacy": "some" }),
        json!({ "language": "tlh" }),
        json!({ "mute": ["everything"] }),
        json!({ "quiet_hours": { "start": "22:00", "end": "22:00", "time_zone": "Etc/UTC" } }),
        json!({ "quiet_hours": { "start": "22:00", "end": "07:00", "time_zone": "Mars/Olympus" } }),
        json!({ "loud_hours": null }),
    ] {
        assert_eq!(app.patch("/me", change.clone()).await.status, 422, "{change}");
    }
    assert_eq!(devices(&house, ADA).await.len(), 2, "nothing was changed");
}

#[tokio::test]
async fn an_agent_has_so_many_devices_and_no_more() {
    let house = house().await;
    let app = house.app(ADA);
    for number in 2..16 {
        let body = json!({ "kind": "fcm", "token": format!("token-{number}") });
        assert_eq!(app.post("/me/devices", body).await.status, 201);
    }
    let one_more = app.post("/me/devices", json!({ "kind": "fcm", "fid": "one-more" })).await;
    assert_eq!((one_more.status, one_more.code()), (409, "too_many_devices"));
    let known = app.post("/me/devices", json!({ "kind": "fcm", "token": "token-2", "name": "Known" })).await;
    assert_eq!((known.status, &known.body["name"]), (200, &json!("Known")));
}

#[tokio::test]
async fn what_was_never_delivered_is_listed_without_what_it_said() {
    let house = house().await;
    for device in house.devices(ADA) {
        house.twilio.set_push_answer(&device.id, PushAnswer::Invalid, None).unwrap();
    }
    house.twilio.start_chat(CUSTOMER, NAME, "a secret");
    house.quiet().await;
    let dead = house.caller(BOOTSTRAP).get("/admin/push/dead").await.body;
    let items = dead["items"].as_array().unwrap();
    assert_eq!(items.len(), 2, "{dead}");
    assert!(
        items.iter().all(|item| item["cause"] == "refused" && item["type"] == "task.offered" && item["tries"] == 1)
    );
    assert!(!dead.to_string().contains(NAME) && !dead.to_string().contains("secret"));
    assert_eq!(house.app(ADA).get("/admin/push/dead").await.status, 403);
    let first = house.caller(BOOTSTRAP).get("/admin/push/dead?limit=1").await.body;
    let rest =
        house.caller(BOOTSTRAP).get(&format!("/admin/push/dead?after={}", first["next"].as_str().unwrap())).await;
    assert_eq!(rest.body["items"][0], items[1]);
}

/// Subscriptions that whoever made them hopes will be called; `{port}` is where somebody listens.
const HOSTILE: &[&str] = &[
    "http://127.0.0.1:{port}/x",
    "https://127.0.0.1:{port}/x",
    "https://127.0.0.1/x",
    "https://127.1:{port}/x",
    "https://2130706433:{port}/x",
    "https://0x7f000001:{port}/x",
    "https://0x7f.0.0.1:{port}/x",
    "https://0177.0.0.1:{port}/x",
    "https://localhost:{port}/x",
    "https://LOCALHOST:{port}/x",
    "https://localhost.:{port}/x",
    "https://0.0.0.0:{port}/x",
    "https://[::1]:{port}/x",
    "https://[::]:{port}/x",
    "https://[::ffff:127.0.0.1]:{port}/x",
    "https://[::ffff:7f00:1]:{port}/x",
    "https://[64:ff9b::7f00:1]:{port}/x",
    "https://[fe80::1]:{port}/x",
    "https://[fd00::1]:{port}/x",
    "https://169.254.169.254/latest/meta-data",
    "https://10.0.0.1/x",
    "https://192.168.0.1/x",
    "https://172.16.0.1/x",
    "https://100.64.0.1/x",
    "https://metadata.google.internal/x",
    "https://fcm.googleapis.com@127.0.0.1:{port}/x",
    "https://fcm.googleapis.com:443@127.0.0.1:{port}/x",
    "https://user:password@fcm.googleapis.com/x",
    "https://127.0.0.1:{port}#fcm.googleapis.com/x",
    "https://127.0.0.1:{port}\\@fcm.googleapis.com/x",
    "https://127.0.0.1:{port}/fcm.googleapis.com",
    "https://127.0.0.1:{port}?fcm.googleapis.com",
    "https://fcm.googleapis.com.localhost:{port}/x",
    "https://fcm.googleapis.com.127.0.0.1.nip.io/x",
    "https://evilfcm.googleapis.com/x",
    "https://push.apple.com/x",
    "https://fcm.googleapis.com:{port}/x",
    "http://fcm.googleapis.com/x",
    "http://fcm.googleapis.com:{port}/x",
    "//127.0.0.1:{port}/x",
    "file:///etc/passwd",
    "gopher://127.0.0.1:{port}/x",
    "ftp://127.0.0.1:{port}/x",
    "ws://127.0.0.1:{port}/x",
    "data:text/plain,x",
    "https://127。0。0。1:{port}/x",
    "https://①②⑦.⓪.⓪.①:{port}/x",
    "https:127.0.0.1:{port}/x",
];

#[tokio::test]
async fn no_hostile_subscription_is_taken_and_nobody_is_called() {
    let house = house().await;
    let (v4, v6) = (TcpListener::bind("127.0.0.1:0").await.unwrap(), TcpListener::bind("[::1]:0").await);
    let port = v4.local_addr().unwrap().port().to_string();
    let good = house.twilio.subscribe(ADA, "laptop").unwrap();
    assert!(HOSTILE.len() >= 40);
    for endpoint in HOSTILE {
        let endpoint = endpoint.replace("{port}", &port);
        let refused = house.app(ADA).post("/me/devices", web(&PushSubscription { endpoint, ..good.clone() })).await;
        assert_eq!((refused.status, refused.code()), (422, "invalid"), "{refused:?}");
    }
    assert_eq!(devices(&house, ADA).await.len(), 2);
    house.twilio.start_chat(CUSTOMER, NAME, "hello?");
    house.quiet().await;
    let nobody = |listener: TcpListener| {
        let listener = listener.into_std().unwrap();
        listener.accept().is_err_and(|error| error.kind() == std::io::ErrorKind::WouldBlock)
    };
    assert!(nobody(v4) && v6.map_or(true, nobody), "somebody has called");
}
