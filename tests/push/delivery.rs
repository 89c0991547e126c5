//! What becomes of items, whatever the providers do.

use std::time::Duration;

use offdesk::{
    domain::{AgentId, DeviceId, News},
    push::Devices,
    store::Batch,
};

use crate::{
    post::{AGENT, ENDPOINT, Post, closed, in_time, message, offer, until},
    provider::{FCM, Reply},
};

const DAY: Duration = Duration::from_secs(24 * 3600);

/// `data.type` of each push to FCM.
fn kinds(requests: &[crate::provider::Request]) -> Vec<String> {
    requests.iter().map(|request| request.json()["message"]["data"]["type"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_notification_goes_to_every_device_once_and_leaves_nothing_behind() {
    let post = Post::open().await;
    post.tell(&[post.browser(1, ENDPOINT), post.phone(2)], offer(1)).await;
    post.is_quiet().await;
    assert_eq!(post.provider.requests(ENDPOINT).len(), 1);
    assert_eq!(post.provider.requests(FCM).len(), 1);
    assert_eq!(post.outbox().await, []);
}

#[tokio::test]
async fn a_provider_that_is_busy_is_asked_again_when_it_says_and_not_before() {
    let mut post = Post::open().await;
    post.life = DAY;
    let busy = Reply::Full(503, "Retry-After: 30\r\n", String::new());
    post.provider.answer(ENDPOINT, [busy, Reply::Full(429, "Retry-After: 20\r\n", String::new())]);
    let tries = || post.provider.requests(ENDPOINT).len();
    post.tell(&[post.browser(1, ENDPOINT)], offer(1)).await;
    post.provider.received(1).await;
    post.passes_while(Duration::from_secs(29), || tries() == 1).await;
    post.passes_until(|| tries() == 2).await;
    post.passes_while(Duration::from_secs(19), || tries() == 2).await;
    post.passes_until(|| post.push.under_way() == 0).await;
    assert_eq!(tries(), 3);
    assert_eq!(post.outbox().await, []);
}

#[tokio::test]
async fn a_storm_of_429_is_sat_out_and_then_one_goes_ahead_of_the_others() {
    const DEVICES: u64 = 30;
    let mut post = Post::open().await;
    post.life = DAY;
    let quota = r#"{"error":{"code":429,"status":"RESOURCE_EXHAUSTED","details":[{"errorCode":"QUOTA_EXCEEDED"}]}}"#;
    let reply = Reply::Full(429, "Retry-After: 30\r\n", quota.to_owned());
    post.provider.answer(FCM, std::iter::repeat_n(reply, DEVICES as usize + 1));
    let tries = || post.provider.requests(FCM).len();
    for device in 0..DEVICES {
        post.tell(&[post.phone(device)], offer(1)).await;
    }
    until(|| post.push.under_way() == DEVICES as usize).await;
    post.provider.received(1).await;
    // What was on its way when the first was refused is refused too; none of them is tried again before its time.
    let first_round = in_first_round(&post).await;
    post.passes_while(Duration::from_secs(29), || tries() == first_round).await;
    post.passes_until(|| tries() > first_round).await;
    post.passes_until(|| post.push.under_way() == 0).await;
    let refused = DEVICES as usize + 1;
    assert_eq!(tries(), refused + DEVICES as usize);
}

/// How many were sent before the first answer came back.
async fn in_first_round(post: &Post) -> usize {
    let mut last = 0;
    for _ in 0..200 {
        tokio::task::yield_now().await;
        last = post.provider.requests(FCM).len();
    }
    last
}

#[tokio::test]
async fn what_waits_does_not_reach_a_device_or_an_agent_that_is_removed_meanwhile() {
    for whole_agent in [false, true] {
        let mut post = Post::open().await;
        post.life = DAY;
        post.provider.answer(FCM, std::iter::repeat_n(Reply::Full(503, "Retry-After: 5\r\n", String::new()), 2));
        post.tell(&[post.phone(1), post.phone(2)], offer(1)).await;
        post.provider.received(2).await;
        if whole_agent {
            let mut batch = Batch::new();
            batch.delete::<Devices>(&AGENT);
            post.store().commit(batch).await.unwrap();
        } else {
            post.change(AGENT, |books| books.devices.retain(|device| device.id != DeviceId::from_bits(1))).await;
        }
        post.passes_until(|| post.push.under_way() == 0).await;
        let sent = post.provider.requests(FCM);
        let tokens: Vec<_> = sent[2..].iter().map(|request| request.json()["message"]["token"].clone()).collect();
        assert_eq!(tokens, if whole_agent { vec![] } else { vec!["token-of-2"] });
        assert_eq!(post.outbox().await, []);
    }
}

#[tokio::test]
async fn whose_session_was_superseded_is_told_so_though_the_device_is_let_go() {
    let post = Post::open().await;
    let phone = [post.phone(1)];
    let items = post.put(&phone, News::SessionSuperseded).await;
    post.change(AGENT, |books| books.devices.clear()).await;
    post.push.hand_over(items);
    post.is_quiet().await;
    assert_eq!(kinds(&post.provider.requests(FCM)), ["session.superseded"]);
}

#[tokio::test]
async fn a_push_that_cannot_be_delivered_in_time_is_dropped() {
    let post = Post::open().await;
    post.provider.answer(ENDPOINT, std::iter::repeat_n(Reply::Status(503), 1_000));
    post.tell(&[post.browser(1, ENDPOINT)], offer(1)).await;
    post.passes_until(|| post.push.under_way() == 0).await;
    assert!(!post.provider.requests(ENDPOINT).is_empty());
    assert_eq!(post.outbox().await, []);
    assert!(post.gone.is_empty());
}

#[tokio::test]
async fn a_device_that_its_provider_does_not_know_any_more_is_reported() {
    let mut post = Post::open().await;
    let unregistered = r#"{"error":{"code":404,"status":"NOT_FOUND","details":[{"errorCode":"UNREGISTERED"}]}}"#;
    post.provider.answer(ENDPOINT, [Reply::Status(410)]);
    post.provider.answer(FCM, [Reply::Full(404, "", unregistered.to_owned())]);
    post.tell(&[post.browser(1, ENDPOINT), post.phone(2)], offer(1)).await;
    let mut gone = [in_time(post.gone.recv()).await.unwrap(), in_time(post.gone.recv()).await.unwrap()];
    gone.sort();
    assert_eq!(gone, [(AGENT, DeviceId::from_bits(1)), (AGENT, DeviceId::from_bits(2))]);
    post.is_quiet().await;
    assert_eq!(post.outbox().await, []);
}

#[tokio::test]
async fn nobody_who_takes_no_reports_keeps_the_pusher_waiting() {
    let post = Post::open().await;
    for number in 0..20 {
        let path = format!("/wpush/{number}");
        post.provider.answer(&path, [Reply::Status(404)]);
        post.tell(&[post.browser(number, &path)], offer(1)).await;
    }
    post.is_quiet().await;
    assert_eq!(post.gone.len(), 4);
}

#[tokio::test]
async fn a_refusal_is_final_and_no_reason_to_forget_the_device() {
    let post = Post::open().await;
    post.provider.answer(ENDPOINT, [Reply::Status(403)]);
    post.provider.answer(FCM, [Reply::Full(400, "", r#"{"error":{"status":"INVALID_ARGUMENT"}}"#.to_owned())]);
    post.tell(&[post.browser(1, ENDPOINT), post.phone(2)], offer(1)).await;
    post.is_quiet().await;
    assert!(post.gone.is_empty());
    assert_eq!(post.provider.received(2).await.len(), 2);
}

#[tokio::test]
async fn a_provider_that_does_not_answer_is_given_up_and_asked_again() {
    let mut post = Post::open_with(|settings| settings.limits.timeouts.whole = Duration::from_millis(100)).await;
    post.life = DAY;
    post.provider.answer(ENDPOINT, [Reply::Silence]);
    post.tell(&[post.browser(1, ENDPOINT)], offer(1)).await;
    post.provider.received(1).await;
    post.passes_until(|| post.push.under_way() == 0).await;
    assert_eq!(post.provider.requests(ENDPOINT).len(), 2);
}

#[tokio::test]
async fn one_device_that_hangs_keeps_no_other_waiting() {
    let post = Post::open().await;
    post.provider.answer(ENDPOINT, [Reply::Silence]);
    post.tell(&[post.browser(1, ENDPOINT)], offer(1)).await;
    post.provider.received(1).await;
    post.tell(&[post.browser(1, ENDPOINT), post.browser(2, "/wpush/bob"), post.phone(3)], message("Hello")).await;
    until(|| post.push.under_way() == 2).await;
    assert_eq!(post.provider.requests("/wpush/bob").len(), 1);
    assert_eq!(post.provider.requests(FCM).len(), 1);
    assert_eq!(post.provider.requests(ENDPOINT).len(), 1, "one at a time");
}

#[tokio::test]
async fn an_offer_that_waits_for_another_try_gives_way_to_its_end() {
    let mut post = Post::open().await;
    post.life = DAY;
    post.provider.answer(FCM, [Reply::Status(503)]);
    let phone = [post.phone(1)];
    post.tell(&phone, offer(1)).await;
    post.provider.received(1).await;
    post.tell(&phone, closed(1)).await;
    post.passes_until(|| post.push.under_way() == 0).await;
    assert_eq!(kinds(&post.provider.requests(FCM)), ["task.offered", "task.closed"]);
    assert_eq!(post.outbox().await, []);
}

#[tokio::test]
async fn what_a_stopped_pusher_leaves_is_sent_at_the_next_start() {
    let mut post = Post::open().await;
    post.push.finish().await;
    let left = post.tell(&[post.browser(1, ENDPOINT), post.phone(2)], offer(1)).await;
    assert_eq!(post.provider.requests(ENDPOINT).len(), 0);
    post.restart().await;
    post.is_quiet().await;
    assert_eq!(post.provider.received(2).await.len(), 2);
    assert_eq!(post.outbox().await, []);
    let next = post.tell(&[post.phone(2)], offer(2)).await;
    assert!(next[0].0 > left[1].0, "no place is given twice");
}

#[tokio::test]
async fn what_has_expired_while_the_daemon_was_down_is_not_sent() {
    let mut post = Post::open().await;
    post.push.finish().await;
    post.tell(&[post.phone(1)], offer(1)).await;
    post.hand.advance(Duration::from_secs(120));
    post.restart().await;
    post.is_quiet().await;
    assert_eq!(post.provider.requests(FCM).len(), 0);
    assert_eq!(post.outbox().await, []);
}

#[tokio::test]
async fn a_pusher_that_stops_finishes_what_is_on_its_way() {
    let post = Post::open().await;
    post.tell(&[post.phone(1)], offer(1)).await;
    post.provider.received(1).await;
    in_time(post.push.finish()).await;
    assert_eq!(post.outbox().await, [], "it was sent, and the store knows");
}

#[tokio::test]
async fn devices_of_different_agents_do_not_wait_for_each_other() {
    let post = Post::open().await;
    post.provider.answer(ENDPOINT, [Reply::Silence]);
    post.tell(&[post.browser(1, ENDPOINT)], offer(1)).await;
    post.provider.received(1).await;
    // The same number of a device, but another agent's.
    let (other, browser) = (AgentId::from_bits(8), post.browser(1, "/wpush/bob"));
    let notification = post.outbox().await[0].record.notification.clone();
    post.register(other, std::slice::from_ref(&browser)).await;
    post.push.hand_over(post.push.items(other, &[browser], &notification));
    until(|| post.push.under_way() == 1).await;
    assert_eq!(post.provider.requests("/wpush/bob").len(), 1);
}
