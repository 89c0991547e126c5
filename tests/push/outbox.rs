//! The outbox on disk.

use std::{collections::BTreeSet, time::Duration};

use offdesk::{
    domain::{News, Notification},
    push::OutboxItem,
    store::{Batch, StoreError},
};

use crate::{
    post::{AGENT, ENDPOINT, Post, START, closed, message, offer, until},
    provider::{FCM, Reply},
};

#[tokio::test]
async fn all_devices_are_told_the_same_id_and_no_two_notifications_have_one() {
    let post = Post::open().await;
    let devices = [post.browser(1, ENDPOINT), post.phone(2)];
    let notification = Notification { news: offer(1), expires: START, unread: 0 };
    let items: Vec<_> = (0..50).map(|_| post.push.items(AGENT, &devices, &notification)).collect();
    assert!(items.iter().all(|pair| pair[0].1.id == pair[1].1.id && pair[0].0.next() == pair[1].0));
    let ids: BTreeSet<_> = items.iter().map(|pair| pair[0].1.id).collect();
    assert_eq!(ids.len(), 50);
}

#[tokio::test]
async fn no_more_of_a_long_text_is_kept_than_could_be_shown() {
    let post = Post::open().await;
    let notification = Notification { news: message(&"ä".repeat(9_999)), expires: START, unread: 0 };
    let (_, item) = post.push.items(AGENT, &[post.phone(1)], &notification).remove(0);
    let News::Message { text, .. } = item.notification.news else { unreachable!() };
    assert!(text.len() <= 1024 && text.starts_with("ää"));
}

#[tokio::test]
async fn what_finds_no_room_on_its_way_is_read_from_the_store_and_nothing_is_sent_twice() {
    let post = Post::open().await;
    post.is_quiet().await;
    let mut items = Vec::new();
    for number in 0..3_000 {
        items.extend(post.put(&[post.phone(number)], offer(1)).await);
    }
    let first = items[0].clone();
    // All at once, while the pusher has no turn: most of it finds no room.
    post.push.hand_over(items);
    post.push.hand_over(vec![first]);
    post.is_quiet().await;
    let requests = post.provider.requests(FCM);
    let tokens: BTreeSet<_> = requests.iter().map(|request| request.json()["message"]["token"].to_string()).collect();
    assert_eq!((requests.len(), tokens.len()), (3_000, 3_000));
    assert_eq!(post.outbox().await, []);
}

#[tokio::test]
async fn what_found_no_room_is_not_overtaken_by_what_withdraws_it() {
    let mut post = Post::open().await;
    post.life = Duration::from_secs(24 * 3600);
    post.is_quiet().await;
    let phone = [post.phone(1)];
    let mut filling = Vec::new();
    for number in 10..1_100 {
        filling.extend(post.put(&[post.phone(number)], offer(2)).await);
    }
    let offered = post.put(&phone, offer(1)).await;
    let withdrawn = post.put(&phone, closed(1)).await;
    // There is no room for the offer, and the store cannot be read when its end comes.
    post.store.refuse_with(Some(StoreError::Closed));
    post.push.hand_over(filling);
    post.push.hand_over(offered);
    until(|| post.push.under_way() == 1).await;
    post.push.hand_over(withdrawn);
    until(|| post.push.under_way() == 1).await;
    assert_eq!(post.provider.requests(FCM).len(), 0);
    post.store.refuse_with(None);
    post.passes_until(|| post.push.under_way() == 0).await;
    let messages: Vec<_> =
        post.provider.requests(FCM).iter().map(|request| request.json()["message"].clone()).collect();
    let to_phone: Vec<_> = messages.iter().filter(|message| message["token"] == "token-of-1").collect();
    assert_eq!(to_phone.len(), 1);
    assert_eq!(to_phone[0]["data"]["type"], "task.closed");
    assert_eq!(messages.len(), 1_091);
}

#[tokio::test]
async fn a_store_that_is_busy_delays_the_deletion_and_repeats_no_push() {
    let post = Post::open().await;
    post.is_quiet().await;
    let items = post.put(&[post.phone(1)], offer(1)).await;
    post.store.refuse_with(Some(StoreError::Busy));
    post.push.hand_over(items);
    post.provider.received(1).await;
    assert_eq!(post.push.under_way(), 1, "it is sent, but not done with");
    post.store.refuse_with(None);
    post.passes_until(|| post.push.under_way() == 0).await;
    assert_eq!(post.provider.requests(FCM).len(), 1);
    assert_eq!(post.outbox().await, []);
}

#[tokio::test]
async fn a_record_that_cannot_be_read_hides_no_other() {
    #[derive(serde::Serialize, serde::Deserialize)]
    struct Damaged(u8);

    impl offdesk::store::Record for Damaged {
        const FAMILY: offdesk::store::Family = offdesk::store::Family::Outbox;
        const VERSION: u8 = <OutboxItem as offdesk::store::Record>::VERSION;
        type Key = offdesk::store::Sequence;

        fn key_bytes(key: &Self::Key) -> Vec<u8> {
            key.to_bytes()
        }
    }

    let mut post = Post::open().await;
    post.push.finish().await;
    post.put(&[post.phone(1)], offer(1)).await;
    let mut batch = Batch::new();
    batch.put(&offdesk::store::Sequence::new(0), &Damaged(1)).unwrap();
    post.store().commit(batch).await.unwrap();
    post.restart().await;
    post.provider.received(1).await;
    post.is_quiet().await;
    let left = post.store().page::<OutboxItem>(None, 9).await.unwrap();
    assert_eq!(left.len(), 1, "the damaged one stays for whoever looks into it");
}

#[tokio::test]
async fn a_browser_and_a_phone_have_limits_of_their_own() {
    let post = Post::open_with(|settings| settings.limits.in_flight = [2, 1]).await;
    for number in 0..4 {
        let path = format!("/wpush/{number}");
        post.provider.answer(&path, [Reply::Silence]);
        post.tell(&[post.browser(number, &path)], offer(1)).await;
    }
    post.tell(&[post.phone(9)], offer(1)).await;
    until(|| post.push.under_way() == 4).await;
    assert_eq!(post.provider.received(3).await.len(), 3, "two hang, one is delivered, two wait for their turn");
}
