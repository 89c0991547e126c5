//! The control API's side of the devices.

use offdesk_sandbox::{PushKind, PushSubscription};
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::{ADA, client, only_device, start};

#[tokio::test]
async fn a_page_adds_and_changes_devices() {
    let (sandbox, _) = start();
    let devices = format!("{}/sandbox/devices", sandbox.url());
    let added = client().post(&devices).json(&json!({ "owner": ADA, "kind": "webpush", "name": "Firefox" })).send();
    let added = added.await.unwrap();
    assert_eq!(added.status(), StatusCode::CREATED);
    let added: Value = added.json().await.unwrap();
    let endpoint = added["subscription"]["endpoint"].as_str().unwrap();
    assert!(endpoint.starts_with(&format!("{}/push/", sandbox.url())));
    assert_eq!(added["subscription"]["keys"]["p256dh"].as_str().unwrap().len(), 87);
    let device = only_device(&sandbox);
    assert_eq!((device.owner.as_str(), device.name.as_str(), device.kind), (ADA, "Firefox", PushKind::WebPush));

    let change = |id: &str, body: Value| client().post(format!("{devices}/{id}")).json(&body).send();
    let changed = change(&device.id, json!({ "answer": "gone", "offline": true })).await.unwrap();
    assert_eq!(changed.status(), StatusCode::NO_CONTENT);
    let listed: Value = client().get(&devices).send().await.unwrap().json().await.unwrap();
    assert_eq!((&listed[0]["gone"], &listed[0]["offline"]), (&json!(true), &json!(true)));
    assert_eq!(change("device-9", json!({ "offline": true })).await.unwrap().status(), StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_page_registers_an_app_with_fcm() {
    let (sandbox, _) = start();
    let devices = format!("{}/sandbox/devices", sandbox.url());
    let added = client().post(&devices).json(&json!({ "owner": ADA, "kind": "fcm" })).send().await.unwrap();
    assert!(added.json::<Value>().await.unwrap()["token"].is_string());
    assert_eq!(only_device(&sandbox).kind, PushKind::Fcm);
}

#[test]
fn no_two_subscriptions_are_alike() {
    let (sandbox, _) = start();
    let [one, other] = [(); 2].map(|()| sandbox.subscribe(ADA, "Firefox").unwrap());
    let PushSubscription { endpoint, p256dh, auth } = one;
    assert!(endpoint != other.endpoint && p256dh != other.p256dh && auth != other.auth);
}
