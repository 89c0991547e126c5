//! Messages that an app sends with a key: once, whatever happens.

use std::time::Duration;

use offdesk_sandbox::{CustomerChat, Operation, RestAct, RestFault};

use crate::house::{ADA, AgentApp, BOB, CUSTOMER, House, Plan};

/// Ada is in a chat.
async fn chatting(plan: Plan) -> (House, AgentApp, CustomerChat) {
    let house = plan.build().await;
    let chat = house.twilio.start_chat(CUSTOMER, "Maria", "hello?");
    house.quiet().await;
    let (app, task) = (house.app(ADA), house.twilio.snapshot().reservation_of(&chat.task_sid).unwrap().sid.clone());
    assert_eq!(house.meanwhile(app.accept(&task)).await.status, 200);
    house.pass(Duration::from_secs(2)).await;
    (house, app, chat)
}

/// What the agent has said, at Twilio.
fn said(house: &House, chat: &CustomerChat) -> usize {
    let state = house.twilio.snapshot();
    let messages = &state.conversation(&chat.conversation_sid).unwrap().messages;
    messages.iter().filter(|message| message.author.starts_with("user_")).count()
}

fn fails(house: &House, act: RestAct) {
    house.twilio.fault(RestFault::once(Operation::CreateConversationMessage, act));
}

#[tokio::test]
async fn the_same_key_sends_once_and_answers_the_same_and_is_no_other_messages() {
    let (mut house, app, chat) = chatting(Plan::default()).await;
    let conversation = &chat.conversation_sid;
    let first = app.says_once(conversation, "hello", "key-1").await;
    let again = app.says_once(conversation, "hello", "key-1").await;
    assert_eq!((first.status, &first), (201, &again));
    let other = app.says_once(conversation, "something else", "key-1").await;
    assert_eq!((other.status, other.code()), (422, "key_reused"));
    assert_eq!(app.says_once(conversation, "hello", "key-2").await.status, 201);
    house.restart().await;
    let app = house.app(ADA);
    assert_eq!(app.says_once(conversation, "hello", "key-1").await, first);
    assert_eq!(said(&house, &chat), 2);
    for key in ["", " ", &"x".repeat(256), "é"] {
        assert_eq!(app.says_once(conversation, "hello", key).await.code(), "malformed", "{key}");
    }
    // Whoever is done with the task still learns that the message was sent.
    let task = house.twilio.snapshot().reservation_of(&chat.task_sid).unwrap().sid.clone();
    app.wrap_up(&task).await;
    house.pass(Duration::from_secs(3)).await;
    assert_eq!(app.says_once(conversation, "hello", "key-1").await, first);
    assert_eq!(app.says_once(conversation, "hello", "key-3").await.code(), "closed");
    assert_eq!(said(&house, &chat), 2);
}

#[tokio::test]
async fn two_requests_with_one_key_at_a_time_are_one_message() {
    let (house, app, chat) = chatting(Plan::default()).await;
    let conversation = &chat.conversation_sid;
    let saying =
        async { tokio::join!(app.says_once(conversation, "hello", "k"), app.says_once(conversation, "hello", "k")) };
    let (one, two) = house.meanwhile(saying).await;
    let codes = [one.status, two.status];
    assert!(codes == [201, 409] || codes == [409, 201] || (codes == [201, 201] && one == two), "{one:?} {two:?}");
    assert_eq!(said(&house, &chat), 1);
    assert_eq!(app.says_once(conversation, "hello", "k").await.status, 201);
    assert_eq!(said(&house, &chat), 1);
}

#[tokio::test]
async fn a_message_whose_answer_is_lost_is_found_and_not_sent_again() {
    let (house, app, chat) = chatting(Plan::default()).await;
    let conversation = &chat.conversation_sid;
    fails(&house, RestAct::DropAfter);
    assert_eq!(house.meanwhile(app.says_once(conversation, "hello", "k")).await.status, 201);
    // Neither the answer nor the reading comes: nobody knows.
    fails(&house, RestAct::DropAfter);
    house.twilio.fault(RestFault::fail(Operation::ListConversationMessage, 20, 500, 20500));
    let unknown = house.meanwhile(app.says_once(conversation, "hello", "lost")).await;
    assert_eq!((unknown.status, unknown.code()), (504, "unknown"));
    house.twilio.clear_faults();
    assert_eq!(app.says_once(conversation, "hello", "lost").await.status, 201);
    assert_eq!(said(&house, &chat), 2);
}

#[tokio::test]
async fn what_did_not_get_through_is_sent_again_once_it_cannot_be_on_its_way() {
    let (mut house, app, chat) = chatting(Plan::default()).await;
    let conversation = &chat.conversation_sid;
    fails(&house, RestAct::DropBefore);
    assert_eq!(house.meanwhile(app.says_once(conversation, "hello", "k")).await.code(), "unknown");
    house.restart().await;
    let app = house.app(ADA);
    assert_eq!(app.says_once(conversation, "hello", "k").await.code(), "unknown");
    assert_eq!(said(&house, &chat), 0);
    house.pass(Duration::from_secs(100)).await;
    assert_eq!(app.says_once(conversation, "hello", "k").await.code(), "unknown", "it might still be on its way");
    house.pass(Duration::from_secs(20)).await;
    house.twilio.fault(RestFault::fail(Operation::ListConversationMessage, 1, 400, 20001));
    assert_eq!(app.says_once(conversation, "hello", "k").await.code(), "unknown", "nobody could look");
    assert_eq!(said(&house, &chat), 0);
    house.pass(Duration::from_secs(120)).await;
    assert_eq!(app.says_once(conversation, "hello", "k").await.status, 201);
    assert_eq!(app.says_once(conversation, "hello", "k").await.status, 201);
    assert_eq!(said(&house, &chat), 1);
}

#[tokio::test]
async fn what_was_sent_is_found_behind_all_that_was_written_since() {
    let (house, app, chat) = chatting(Plan::default()).await;
    let conversation = &chat.conversation_sid;
    fails(&house, RestAct::DropAfter);
    house.twilio.fault(RestFault::fail(Operation::ListConversationMessage, 20, 500, 20500));
    assert_eq!(house.meanwhile(app.says_once(conversation, "hello", "lost")).await.code(), "unknown");
    house.twilio.clear_faults();
    for number in 0..150 {
        house.twilio.customer_says(conversation, &format!("{number}")).unwrap();
    }
    house.pass(Duration::from_secs(300)).await;
    assert_eq!(app.says_once(conversation, "hello", "lost").await.status, 201);
    assert_eq!(said(&house, &chat), 1);
}

#[tokio::test]
async fn a_key_that_was_refused_is_free_and_files_have_keys_too() {
    let (house, app, chat) = chatting(Plan::of_two()).await;
    let conversation = &chat.conversation_sid;
    fails(&house, RestAct::Fail { status: 400, code: 20001, message: None, retry_after_s: None });
    assert_eq!(app.says_once(conversation, "hello", "k").await.code(), "refused");
    assert_eq!(app.says_once(conversation, "something else", "k").await.status, 201);
    assert_eq!(house.app(BOB).says_once(conversation, "hello", "k").await.status, 404);
    let keyed = AgentApp { key: Some("file".into()), ..app.clone() };
    let first = keyed.sends(conversation, "see", "a.png", "image/png", b"png").await;
    assert_eq!((first.status, first.body["media"][0]["filename"].as_str()), (201, Some("a.png")));
    assert_eq!(keyed.sends(conversation, "see", "a.png", "image/png", b"png").await, first);
    assert_eq!(keyed.sends(conversation, "see", "a.png", "image/png", b"gif").await.code(), "key_reused");
    assert_eq!(said(&house, &chat), 2);
}
