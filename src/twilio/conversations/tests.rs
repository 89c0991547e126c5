//! What is sent, and how what comes back is read.

use serde_json::{Value, json};

use super::*;
use crate::{
    domain::{ChatIdentity, Media, SendId, Timestamp},
    twilio::{
        client::Refusal,
        testing::{Fake, Reply, page, parts, sid},
    },
};

const CONVERSATION: &str = "CH0123456789abcdef0123456789abcdef";
const PARTICIPANT: &str = "MB0123456789abcdef0123456789abcdef";
const MESSAGE: &str = "IM0123456789abcdef0123456789abcdef";
const MEDIA: &str = "ME0123456789abcdef0123456789abcdef";
const WEBHOOKS: &str = "x-twilio-webhook-enabled: true\r\n";

fn agent() -> ChatIdentity {
    ChatIdentity::of_worker("user-+4915550101001")
}

fn message_body(index: u64) -> Value {
    json!({
        "sid": format!("IM{index:032x}"), "index": index, "author": "+15550100", "body": "Ahoy", "media": null,
        "participant_sid": PARTICIPANT, "date_created": "2023-11-14T22:13:20Z", "attributes": "{}",
    })
}

/// A page with the messages of these indices, the newest first, and perhaps another page behind it.
fn messages(indices: impl DoubleEndedIterator<Item = u64>, next: Option<String>) -> Reply {
    page("messages", indices.rev().map(message_body).collect(), next)
}

fn indices(messages: &[Message]) -> Vec<u64> {
    messages.iter().map(|message| message.index).collect()
}

#[tokio::test]
async fn everybody_in_a_conversation_is_told_with_what_they_have_read() {
    let customer = json!({ "sid": PARTICIPANT, "identity": null, "last_read_message_index": null });
    let ada = json!({
        "sid": PARTICIPANT, "identity": agent().as_str(), "last_read_message_index": 7,
        "date_created": "2023-11-14T22:13:20Z", "messaging_binding": null,
    });
    let fake = Fake::replying([page("participants", vec![customer, ada], None)]).await;
    let found = fake.client().participants(&sid(CONVERSATION)).await.unwrap();
    let nobody = Participant { sid: sid(PARTICIPANT), identity: None, last_read: None, date_created: None };
    let at = Some(Timestamp::from_millis(1_700_000_000_000));
    let reader = Participant { identity: Some(agent()), last_read: Some(7), date_created: at, ..nobody.clone() };
    assert_eq!(found, [nobody, reader]);
    let line = parts(&fake.requests()[0]).0;
    assert_eq!(line, format!("GET /v1/Conversations/{CONVERSATION}/Participants?PageSize=100"));
}

#[tokio::test]
async fn the_latest_messages_are_one_page_and_come_newest_last() {
    let fake = Fake::start(|url| vec![messages(7..10, Some(format!("{url}v1/next")))]).await;
    let found = fake.client().latest_messages(&sid(CONVERSATION), 3).await.unwrap();
    assert_eq!(indices(&found), [7, 8, 9]);
    let requests = fake.requests();
    assert_eq!(requests.len(), 1);
    let line = parts(&requests[0]).0;
    assert_eq!(line, format!("GET /v1/Conversations/{CONVERSATION}/Messages?Order=desc&PageSize=3"));
}

#[tokio::test]
async fn older_messages_are_found_behind_the_newer_ones_and_none_twice() {
    let fake = Fake::start(|url| {
        // The second page begins with what the first one ended with, as if it had been shifted by a new message.
        vec![messages(6..9, Some(format!("{url}v1/next"))), messages(1..7, Some(format!("{url}v1/last")))]
    })
    .await;
    let found = fake.client().messages(&sid(CONVERSATION), Some(7), 4).await.unwrap();
    assert_eq!(indices(&found), [3, 4, 5, 6]);
    let lines: Vec<_> = fake.requests().iter().map(|request| parts(request).0).collect();
    assert_eq!(
        lines,
        [format!("GET /v1/Conversations/{CONVERSATION}/Messages?Order=desc&PageSize=100"), "GET /v1/next".to_owned()]
    );
}

#[tokio::test]
async fn a_conversation_without_end_is_read_so_far_and_no_further() {
    let fake = Fake::start(|url| vec![messages(5..9, Some(format!("{url}v1/next")))]).await;
    assert!(fake.client().messages(&sid(CONVERSATION), Some(2), 4).await.unwrap().is_empty());
    assert_eq!(fake.requests().len(), 20);
}

#[tokio::test]
async fn the_beginning_of_a_conversation_and_no_messages_at_all_are_answers_too() {
    let fake = Fake::replying([messages(0..2, None)]).await;
    let (twilio, conversation) = (fake.client(), sid(CONVERSATION));
    assert_eq!(indices(&twilio.messages(&conversation, Some(1), 50).await.unwrap()), [0]);
    assert!(twilio.messages(&conversation, Some(0), 50).await.unwrap().is_empty());
    assert_eq!(fake.requests().len(), 2);
    assert!(twilio.latest_messages(&conversation, 0).await.unwrap().is_empty());
    assert_eq!(fake.requests().len(), 2);
}

#[tokio::test]
async fn a_message_is_read_in_full_and_with_nothing_told() {
    let file = json!({ "sid": MEDIA, "size": 42_056, "content_type": "image/jpeg", "filename": "car.jpg" });
    let mut full = message_body(7);
    full["media"] = json!([file, { "sid": null }]);
    let nulls = json!({
        "sid": MESSAGE, "author": null, "body": null, "media": null, "participant_sid": null, "date_created": null,
    });
    let fake = Fake::replying([page("messages", vec![full, nulls, json!({ "sid": MESSAGE })], None)]).await;
    // Neither of the last two has an index: they count as one message, seen twice.
    let found = fake.client().latest_messages(&sid(CONVERSATION), 5).await.unwrap();
    let [bare, full] = &found[..] else { panic!("{found:?}") };
    assert_eq!((bare.author.as_str(), bare.body.as_str(), bare.index), ("", "", 0));
    assert_eq!((&bare.media[..], &bare.participant, bare.date_created), (&[][..], &None, None));
    let file = Media {
        sid: sid(MEDIA),
        content_type: "image/jpeg".to_owned(),
        filename: Some("car.jpg".to_owned()),
        size: 42_056,
    };
    assert_eq!((full.author.as_str(), full.body.as_str(), &full.media[..]), ("+15550100", "Ahoy", &[file][..]));
    assert_eq!(full.participant, Some(sid(PARTICIPANT)));
    assert_eq!(full.date_created, Some(Timestamp::from_millis(1_700_000_000_000)));
    let shown = format!("{full:?}");
    assert!(!shown.contains("Ahoy") && !shown.contains("5550100"), "{shown}");
}

#[tokio::test]
async fn a_message_is_written_in_the_agents_name_and_raises_the_accounts_webhooks() {
    let fake = Fake::replying([Reply::ok(message_body(8).to_string())]).await;
    let (twilio, conversation) = (fake.client(), sid(CONVERSATION));
    let written =
        twilio.send_message(&conversation, &agent(), Some("Ahoy & 😀"), None, SendId::from_bits(7)).await.unwrap();
    assert_eq!(written.index, 8);
    twilio.send_message(&conversation, &agent(), None, Some(&sid(MEDIA)), SendId::from_bits(7)).await.unwrap();
    let requests = fake.requests();
    for (request, (name, value)) in requests.iter().zip([("Body", "Ahoy & 😀"), ("MediaSid", MEDIA)]) {
        let (line, form) = parts(request);
        assert_eq!(line, format!("POST /v1/Conversations/{CONVERSATION}/Messages"));
        let mark = r#"{"offdesk":{"send":"00000000000000000000000000000007"}}"#;
        let expected = [("Author", "user_2D_2B4915550101001"), ("Attributes", mark), (name, value)];
        assert_eq!(form, expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
        assert!(request.contains(WEBHOOKS), "{request}");
    }
}

#[tokio::test]
async fn a_message_that_the_account_does_not_let_through_is_told_apart() {
    let body = r#"{"code":50000,"message":"Webhook cancelled processing of command","status":403}"#;
    let refused = Reply::Answer { status: 403, headers: "", body: body.to_owned() };
    let fake = Fake::replying([refused]).await;
    let error = fake
        .client()
        .send_message(&sid(CONVERSATION), &agent(), Some("Ahoy"), None, SendId::from_bits(7))
        .await
        .unwrap_err();
    assert_eq!(error.refusal(), Some(Refusal::RejectedByWebhook));
    assert_eq!(fake.requests().len(), 1);
}

#[tokio::test]
async fn a_message_that_may_have_been_written_is_not_written_again() {
    let fake = Fake::replying([Reply::HangupAfterReading]).await;
    let error = fake
        .client()
        .send_message(&sid(CONVERSATION), &agent(), Some("Ahoy"), None, SendId::from_bits(7))
        .await
        .unwrap_err();
    assert!(error.may_have_happened(), "{error}");
    assert_eq!(fake.requests().len(), 1);
}

#[tokio::test]
async fn a_users_conversations_are_read_to_the_last_page() {
    let one = json!({
        "conversation_sid": CONVERSATION, "unread_messages_count": 3, "last_read_message_index": 7,
        "conversation_state": "closed", "participant_sid": PARTICIPANT,
    });
    let nulls = json!({
        "conversation_sid": CONVERSATION, "unread_messages_count": null, "last_read_message_index": null,
        "conversation_state": "initializing",
    });
    let fake = Fake::start(|url| {
        vec![
            page("conversations", vec![one], Some(format!("{url}v1/next"))),
            page("conversations", vec![nulls, json!({ "conversation_sid": CONVERSATION })], None),
        ]
    })
    .await;
    let found = fake.client().user_conversations(&agent()).await.unwrap();
    let never = UserConversation {
        conversation: sid(CONVERSATION),
        unread: None,
        last_read: None,
        state: ConversationState::Other,
    };
    let closed =
        UserConversation { unread: Some(3), last_read: Some(7), state: ConversationState::Closed, ..never.clone() };
    assert_eq!(found, [closed, never.clone(), never]);
    let lines: Vec<_> = fake.requests().iter().map(|request| parts(request).0).collect();
    assert_eq!(lines, ["GET /v1/Users/user_2D_2B4915550101001/Conversations?PageSize=50", "GET /v1/next"]);
}

#[tokio::test]
async fn who_never_chatted_is_in_no_conversation() {
    let fake = Fake::replying([Reply::status(404)]).await;
    assert!(fake.client().user_conversations(&agent()).await.unwrap().is_empty());
    let forbidden = Fake::replying([Reply::status(403)]).await;
    let error = forbidden.client().user_conversations(&agent()).await.unwrap_err();
    assert_eq!(error.refusal(), Some(Refusal::Forbidden));
}

#[tokio::test]
async fn a_read_horizon_is_moved_for_whatever_identity() {
    let fake = Fake::replying([Reply::ok("{}")]).await;
    let twilio = fake.client();
    twilio.set_read(&ChatIdentity::new("a/../b?c#d e@é"), &sid(CONVERSATION), 7).await.unwrap();
    let request = fake.requests().remove(0);
    let (line, form) = parts(&request);
    assert_eq!(line, format!("POST /v1/Users/a%2F..%2Fb%3Fc%23d%20e@%C3%A9/Conversations/{CONVERSATION}"));
    assert_eq!(form, [("LastReadMessageIndex".to_owned(), "7".to_owned())]);
    assert!(request.contains(WEBHOOKS), "{request}");
}
