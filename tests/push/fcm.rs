//! Pushes by Firebase Cloud Messaging.

use std::time::Duration;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use offdesk::domain::{AgentId, Device, PushTarget};
use serde_json::Value;

use crate::{
    post::{Post, every_kind, in_time, offer, until},
    provider::{FCM, Reply, TOKENS},
};

/// With which tokens messages were sent.
fn bearers(post: &Post) -> Vec<String> {
    post.provider.requests(FCM).iter().map(|request| request.header("authorization").to_owned()).collect()
}

#[tokio::test]
async fn one_access_token_serves_everybody() {
    let post = Post::open().await;
    for number in 0..50 {
        post.tell(&[post.phone(number)], offer(1)).await;
    }
    post.is_quiet().await;
    assert_eq!(post.provider.requests(TOKENS).len(), 1);
    let requests = post.provider.requests(FCM);
    assert_eq!(requests.len(), 50);
    assert!(requests.iter().all(|request| request.header("authorization") == "Bearer token-1"));
}

#[tokio::test]
async fn the_service_account_says_who_asks_and_for_what() {
    let post = Post::open().await;
    post.tell(&[post.phone(1)], offer(1)).await;
    post.is_quiet().await;
    let request = post.provider.requests(TOKENS).remove(0);
    let form: Vec<_> = form_urlencoded::parse(&request.body).into_owned().collect();
    assert_eq!(form[0], ("grant_type".to_owned(), "urn:ietf:params:oauth:grant-type:jwt-bearer".to_owned()));
    let parts: Vec<_> = form[1].1.split('.').map(|part| URL_SAFE_NO_PAD.decode(part).unwrap()).collect();
    let [header, claims] = [0, 1].map(|part| serde_json::from_slice::<Value>(&parts[part]).unwrap());
    assert_eq!(header, serde_json::json!({ "alg": "RS256", "typ": "JWT", "kid": "1234" }));
    assert_eq!(claims["iss"], "push@offdesk-test.iam.gserviceaccount.com");
    assert_eq!(claims["scope"], "https://www.googleapis.com/auth/firebase.messaging");
    assert_eq!(claims["aud"], format!("{}{TOKENS}", post.provider.url));
    assert_eq!(claims["exp"].as_u64().unwrap() - claims["iat"].as_u64().unwrap(), 3600);
    assert_eq!(parts[2].len(), 256);
}

#[tokio::test]
async fn a_token_is_renewed_before_its_end_while_the_old_one_is_used() {
    let post = Post::open().await;
    let phone = [post.phone(1)];
    post.tell(&phone, offer(1)).await;
    post.is_quiet().await;
    post.hand.advance(Duration::from_secs(3_400));
    post.tell(&phone, offer(2)).await;
    post.is_quiet().await;
    // Whoever comes while it is renewed goes with the old one.
    let mut used = bearers(&post);
    for number in 3.. {
        if used.last().is_some_and(|last| last == "Bearer token-2") {
            break;
        }
        assert!(number < 1_000 && used.iter().all(|used| used == "Bearer token-1"), "{used:?}");
        post.tell(&phone, offer(number)).await;
        post.is_quiet().await;
        used = bearers(&post);
    }
    assert_eq!(used[1], "Bearer token-1");
    assert_eq!(post.provider.requests(TOKENS).len(), 2);
}

#[tokio::test]
async fn a_token_that_fcm_refuses_is_replaced_once() {
    let post = Post::open().await;
    let refused = || Reply::Full(401, "", r#"{"error":{"code":401,"status":"UNAUTHENTICATED"}}"#.to_owned());
    post.provider.answer(FCM, [refused()]);
    post.tell(&[post.phone(1)], offer(1)).await;
    post.is_quiet().await;
    assert_eq!(bearers(&post), ["Bearer token-1", "Bearer token-2"]);

    post.provider.answer(FCM, [refused(), refused()]);
    post.tell(&[post.phone(1)], offer(2)).await;
    until(|| post.provider.requests(FCM).len() == 4).await;
    assert_eq!(post.push.under_way(), 1, "it is tried again later");
    assert_eq!(post.provider.requests(TOKENS).len(), 3);
}

#[tokio::test]
async fn a_token_that_cannot_be_had_is_asked_for_with_pauses_until_it_can() {
    let mut post = Post::open().await;
    post.life = Duration::from_secs(24 * 3600);
    post.provider.answer(TOKENS, [Reply::Status(500), Reply::Full(200, "", "<html>".to_owned())]);
    for number in 0..20 {
        post.tell(&[post.phone(number)], offer(1)).await;
    }
    until(|| post.provider.requests(TOKENS).len() == 1).await;
    post.passes_while(Duration::from_secs(4), || post.provider.requests(TOKENS).len() == 1).await;
    post.passes_until(|| post.push.under_way() == 0).await;
    assert_eq!(post.provider.requests(TOKENS).len(), 3);
    assert_eq!(post.provider.requests(FCM).len(), 20);
}

#[tokio::test]
async fn an_installation_is_addressed_as_one() {
    let post = Post::open().await;
    let fid = Device { target: PushTarget::Fcm { token: "an-installation".into(), is_fid: true }, ..post.phone(1) };
    post.tell(&[fid, post.phone(2)], offer(1)).await;
    post.is_quiet().await;
    let messages: Vec<_> =
        post.provider.requests(FCM).iter().map(|request| request.json()["message"].clone()).collect();
    assert!(messages.iter().any(|message| message["fid"] == "an-installation" && message.get("token").is_none()));
    assert!(messages.iter().any(|message| message["token"] == "token-of-2" && message.get("fid").is_none()));
}

#[tokio::test]
async fn a_softphone_is_woken_no_sooner_than_fcm_wants_and_one_that_it_does_not_know_is_told_of() {
    let post = Post::open().await;
    let wake = || {
        let (gone, told) = tokio::sync::oneshot::channel();
        let exp = post.clock.now() + Duration::from_secs(15);
        // Whoever waits may have gone.
        let tell = async move { gone.send(()).unwrap_or_default() };
        post.push.wake(AgentId::from_bits(1), "a-softphone".into(), exp, tell);
        told
    };
    post.provider.answer(FCM, [Reply::Full(429, "retry-after: 60\r\n", String::new())]);
    let told = wake();
    until(|| post.provider.requests(FCM).len() == 1).await;
    in_time(told).await.expect_err("it is there still");
    post.passes_while(Duration::from_secs(20), || post.provider.requests(FCM).len() == 1).await;

    let unregistered = r#"{"error":{"code":404,"details":[{"errorCode":"UNREGISTERED"}]}}"#;
    post.provider.answer(FCM, [Reply::Status(503), Reply::Full(404, "", unregistered.to_owned())]);
    let mut told = wake();
    post.passes_until(|| told.try_recv().is_ok()).await;
    assert_eq!(post.provider.requests(FCM).len(), 3);
}

#[tokio::test]
async fn where_fcm_is_off_its_devices_are_refused_and_the_rest_goes_on() {
    let post = Post::open_with(|settings| settings.fcm = None).await;
    post.tell(&[post.phone(1), post.browser(2, "/wpush/x")], offer(1)).await;
    post.is_quiet().await;
    assert_eq!(post.provider.received(1).await.len(), 1);
    assert!(post.push.check_target(&post.phone(1).target).is_err());
}

mod with_python {
    use super::*;
    use crate::counterparts::FcmDocument;
    use offdesk::domain::Privacy;

    #[tokio::test]
    async fn every_kind_of_news_is_a_request_that_googles_document_describes() {
        let mut document = FcmDocument::open();
        for privacy in [Privacy::Full, Privacy::Sender, Privacy::None] {
            let post = Post::open_with(|settings| settings.privacy = privacy).await;
            let fid = Device { target: PushTarget::Fcm { token: "fid".into(), is_fid: true }, ..post.phone(1) };
            for news in every_kind() {
                post.tell(&[fid.clone(), post.phone(2)], news).await;
                post.is_quiet().await;
            }
            let requests = post.provider.requests(FCM);
            assert_eq!(requests.len(), 2 * every_kind().len());
            for request in requests {
                assert_eq!(request.header("content-type"), "application/json; charset=utf-8");
                assert_eq!(document.violations(&request.json()), Vec::<String>::new(), "{}", request.json());
            }
        }
    }

    #[test]
    fn the_document_is_read_strictly() {
        let mut document = FcmDocument::open();
        let good = serde_json::json!({ "message": {
            "token": "x", "data": { "a": "b" }, "android": { "priority": "HIGH", "ttl": "1.5s" },
            "notification": { "title": "t" }, "webpush": { "headers": { "TTL": "1" } },
        } });
        assert_eq!(document.violations(&good), Vec::<String>::new());
        for (place, fault) in [
            ("/message", serde_json::json!({ "fid": "y" })),
            ("/message", serde_json::json!({ "topic": "y" })),
            ("/message", serde_json::json!({ "Token": "y" })),
            ("/message", serde_json::json!({ "androidV2": {} })),
            ("/message/data", serde_json::json!({ "n": 1 })),
            ("/message/data", serde_json::json!({ "from": "x" })),
            ("/message/data", serde_json::json!({ "google.x": "x" })),
            ("/message/data", serde_json::json!({ "long": "x".repeat(4096) })),
            ("/message/android", serde_json::json!({ "priority": "high" })),
            ("/message/android", serde_json::json!({ "ttl": "60" })),
            ("/message/android", serde_json::json!({ "ttl": 60 })),
            ("/message/android", serde_json::json!({ "collapse_key": "x" })),
            ("/message/android", serde_json::json!({ "notification": { "notificationCount": "3" } })),
            ("/message/notification", serde_json::json!({ "sound": "x" })),
            ("/message/webpush", serde_json::json!({ "fcmOptions": { "link": "http://x" } })),
            ("/message", serde_json::json!({ "apns": { "headers": { "apns-collapse-id": "x".repeat(65) } } })),
        ] {
            let mut bad = good.clone();
            let object = bad.pointer_mut(place).unwrap().as_object_mut().unwrap();
            object.extend(fault.as_object().unwrap().clone());
            assert!(!document.violations(&bad).is_empty(), "{bad}");
        }
    }
}
