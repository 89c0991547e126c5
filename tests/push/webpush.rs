//! Web pushes, as push services and browsers see them.

use offdesk::{domain::PushTarget, push::TargetError};

use crate::{
    post::{AUTH, ENDPOINT, P256DH, Post, closed, offer},
    provider::Request,
};

async fn sent(post: &Post, news: offdesk::domain::News) -> Request {
    let before = post.provider.requests(ENDPOINT).len();
    post.tell(&[post.browser(1, ENDPOINT)], news).await;
    post.is_quiet().await;
    post.provider.requests(ENDPOINT).remove(before)
}

#[tokio::test]
async fn a_push_service_is_told_what_it_must_know_and_nothing_else() {
    let post = Post::open().await;
    let offered = sent(&post, offer(1)).await;
    assert_eq!(offered.header("ttl"), "120");
    assert_eq!(offered.header("urgency"), "high");
    assert_eq!(offered.header("content-encoding"), "aes128gcm");
    assert!(!offered.headers.values().any(|value| value.contains("WR0")), "{:?}", offered.headers);
    let end = sent(&post, closed(1)).await;
    assert_eq!(end.header("urgency"), "normal");
    assert_eq!(
        end.header("topic"),
        offered.header("topic"),
        "what closes an offer replaces it at the push service too"
    );
    assert_eq!(end.header("topic").len(), 32);
    assert_ne!(sent(&post, offer(2)).await.header("topic"), offered.header("topic"));
}

#[tokio::test]
async fn a_signature_is_used_again_for_hours() {
    let post = Post::open().await;
    let first = sent(&post, offer(1)).await;
    post.hand.advance(std::time::Duration::from_secs(5 * 3600));
    assert_eq!(sent(&post, offer(2)).await.header("authorization"), first.header("authorization"));
    post.hand.advance(std::time::Duration::from_secs(2 * 3600));
    assert_ne!(sent(&post, offer(3)).await.header("authorization"), first.header("authorization"));
}

#[tokio::test]
async fn the_key_outlives_the_daemon() {
    let mut post = Post::open().await;
    let key = post.push.public_key().to_owned();
    post.restart().await;
    assert_eq!(post.push.public_key(), key);
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let post = Post::open().await;
    let elsewhere = crate::provider::Reply::Full(307, "Location: /elsewhere\r\n", String::new());
    post.provider.answer(ENDPOINT, [elsewhere]);
    sent(&post, offer(1)).await;
    assert_eq!(post.provider.requests("/elsewhere").len(), 0);
}

#[tokio::test]
async fn an_endpoint_that_is_not_allowed_any_more_is_not_called() {
    let post = Post::open_with(|settings| settings.allow_hosts = Vec::new()).await;
    post.tell(&[post.browser(1, ENDPOINT)], offer(1)).await;
    post.is_quiet().await;
    assert_eq!(post.provider.requests(ENDPOINT).len(), 0);
    assert!(post.gone.is_empty());
}

#[tokio::test]
async fn only_what_can_be_delivered_to_may_be_registered() {
    let post = Post::open().await;
    let browser = post.browser(1, ENDPOINT).target;
    assert_eq!(post.push.check_target(&browser), Ok(browser));
    let elsewhere =
        PushTarget::WebPush { endpoint: "https://example.com/x".into(), p256dh: P256DH.into(), auth: AUTH.into() };
    assert!(matches!(post.push.check_target(&elsewhere), Err(TargetError::Endpoint(_))));
}

mod with_node {
    use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
    use serde_json::{Value, json};

    use super::*;
    use crate::{
        counterparts::Browser,
        post::{PRIVATE, START, every_kind},
    };

    fn read(browser: &mut Browser, request: &Request) -> Value {
        browser.read(&json!({
            "body": URL_SAFE_NO_PAD.encode(&request.body),
            "privateKey": PRIVATE,
            "publicKey": P256DH,
            "auth": AUTH,
            "authorization": request.header("authorization"),
        }))
    }

    #[tokio::test]
    async fn a_browser_decrypts_every_kind_of_news() {
        let (post, mut browser) = (Post::open().await, Browser::start());
        for news in every_kind() {
            let (kind, tag) = (news.kind(), news.tag().to_owned());
            let request = sent(&post, news).await;
            assert_eq!(request.header("content-encoding"), "aes128gcm");
            let read = read(&mut browser, &request);
            let payload: Value = serde_json::from_str(read["payload"].as_str().unwrap()).unwrap();
            assert_eq!(payload["web_push"], 8030);
            assert_eq!(payload["notification"]["data"]["type"], kind.name());
            assert_eq!(payload["notification"]["tag"], tag);
            assert_eq!(payload["app_badge"], 3);
        }
    }

    /// The example of RFC 8291 §5, so that it is plain that the other side reads what the RFC means.
    #[tokio::test]
    async fn the_browser_decrypts_the_example_of_the_rfc() {
        let (post, mut browser) = (Post::open().await, Browser::start());
        let request = sent(&post, offer(1)).await;
        let example = "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN";
        let read = read(&mut browser, &Request { body: URL_SAFE_NO_PAD.decode(example).unwrap(), ..request });
        assert_eq!(read["payload"], "When I grow up, I want to be a watermelon");
    }

    #[tokio::test]
    async fn a_push_service_finds_our_signature_good_and_meant_for_it() {
        let (post, mut browser) = (Post::open().await, Browser::start());
        let read = read(&mut browser, &sent(&post, offer(1)).await);
        assert_eq!(read["signed"], true, "{read}");
        assert_eq!(read["key"], post.push.public_key());
        assert_eq!(read["header"]["alg"], "ES256");
        let claims = &read["claims"];
        assert_eq!(claims["aud"], post.provider.url, "with the port");
        assert_eq!(claims["sub"], "mailto:ops@example.com");
        assert_eq!(claims["exp"], START.as_secs() + 12 * 3600);
    }
}
