//! How far each has read, and what is unread.

use serde_json::{Value, json};

use super::bench::{ADA, Bench};
use crate::world::conversations::{Chat, identity_of, user_sid};

const IDENTITY: &str = "user_2D_2B4915550101001";

fn unread(bench: &mut Bench, chat: &Chat) -> (Value, Value) {
    let path = format!("/v1/Users/{IDENTITY}/Conversations/{}", chat.conversation);
    let body = bench.request("GET", &path, &[]).body.expect("a body");
    (body["last_read_message_index"].clone(), body["unread_messages_count"].clone())
}

#[test]
fn indices_rise_and_now_and_then_one_is_left_out() {
    let mut bench = Bench::with(&[ADA]);
    let chat = bench.customer_writes();
    for _ in 0..60 {
        bench.act(|world| world.customer_says(&chat.conversation, "And?")).expect("it is open");
    }
    let indices: Vec<_> = bench.conversation(&chat).messages.iter().map(|message| message.index).collect();
    assert!(indices.is_sorted_by(|one, next| one < next), "{indices:?}");
    let gaps = indices.windows(2).filter(|pair| pair[1] - pair[0] > 1).count();
    assert!((1..30).contains(&gaps), "{indices:?}");
}

#[test]
fn the_read_horizon_moves_only_by_reading() {
    let mut bench = Bench::with(&[ADA]);
    let chat = bench.chatting(ADA);
    assert_eq!(unread(&mut bench, &chat), (Value::Null, Value::Null));
    bench.act(|world| world.desk_says(&chat.conversation, ADA, "Good morning")).expect("she takes part");
    assert_eq!(unread(&mut bench, &chat), (Value::Null, Value::Null), "writing is not reading");
    bench.act(|world| world.desk_reads(&chat.conversation, ADA)).expect("she takes part");
    let last = bench.conversation(&chat).messages.last().map(|message| message.index);
    assert_eq!(unread(&mut bench, &chat), (json!(last), json!(0)));
    bench.act(|world| world.customer_says(&chat.conversation, "And?")).expect("it is open");
    assert_eq!(unread(&mut bench, &chat), (json!(last), json!(1)));
}

#[test]
fn reading_at_the_desk_is_told_with_the_new_horizon() {
    let mut bench = Bench::with(&[ADA]);
    bench.world.set_conversations_webhook("http://gateway/conversations");
    let chat = bench.chatting(ADA);
    bench.sent("conversations", &[]);
    bench.act(|world| world.desk_reads(&chat.conversation, ADA)).expect("she takes part");
    let sent = bench.sent("conversations", &["EventType", "ClientIdentity", "LastReadMessageIndex"]);
    assert_eq!(sent, [format!("onParticipantUpdated {IDENTITY} 0")]);
}

#[test]
fn a_horizon_is_never_ahead_of_the_latest_message() {
    let mut bench = Bench::with(&[ADA]);
    let chat = bench.chatting(ADA);
    let path = format!("/v1/Users/{}/Conversations/{}", user_sid(IDENTITY), chat.conversation);
    let body = bench.request("POST", &path, &[("LastReadMessageIndex", "99")]).body.expect("a body");
    assert_eq!(body["last_read_message_index"], 0);
}

#[test]
fn every_worker_is_a_user_and_lists_the_conversations_that_it_is_in() {
    let mut bench = Bench::with(&[ADA]);
    let path = format!("/v1/Users/{}/Conversations", identity_of(&format!("user-{ADA}")));
    let listed = |bench: &mut Bench| {
        let body = bench.request("GET", &path, &[]).body.expect("a list");
        body["conversations"].as_array().map(Vec::len)
    };
    assert_eq!(listed(&mut bench), Some(0));
    bench.chatting(ADA);
    assert_eq!(listed(&mut bench), Some(1));
    assert_eq!(bench.request("GET", "/v1/Users/nobody/Conversations", &[]).status, 404);
}
