//! Chats over HTTP: the control API, files, and how webhooks and batches of events are delivered.

#![expect(clippy::expect_used, reason = "a test that cannot go on fails")]

mod support;

use std::sync::Arc;

use aws_lc_rs::digest;
use offdesk_sandbox::{ConversationState, Operation, RestFault, sign};
use serde_json::{Value, json};
use support::{ADA, LIMIT, Manual, Shared, client, header, receiver, receiver_that_refuses, start};

#[tokio::test]
async fn a_person_at_the_page_chats_over_the_control_api() {
    let sandbox = start(|_| {});
    let client = client();
    let post = async |path: &str, body: Value| {
        let answer =
            client.post(format!("{}/sandbox{path}", sandbox.url())).json(&body).send().await.expect("an answer");
        (answer.status().as_u16(), answer.json::<Value>().await.unwrap_or_default())
    };
    let (status, chat) = post("/chats", json!({ "text": "Hello?", "name": "Grace" })).await;
    assert_eq!((status, chat["interaction_sid"].is_string()), (201, true));
    let sid = chat["conversation_sid"].as_str().expect("a sid").into();
    let chat = format!("/chats/{sid}");
    let (status, said) = post(&format!("{chat}/messages"), json!({ "text": "Anybody there?" })).await;
    assert_eq!((status, said["message_sid"].is_string()), (201, true));
    let file = json!({ "filename": "cat.png", "content_type": "image/png", "content": "Y2F0" });
    assert_eq!(post(&format!("{chat}/files"), file).await.0, 201);
    assert_eq!(post(&format!("{chat}/supervisors"), json!({ "identity": "supervisor" })).await.0, 201);
    let said = json!({ "worker": "supervisor", "text": "Good morning" });
    assert_eq!(post(&format!("{chat}/desk/messages"), said).await.0, 201);
    assert_eq!(post(&format!("{chat}/desk/read"), json!({ "worker": ADA })).await.0, 409, "she does not take part");
    assert_eq!(post(&format!("{chat}/close"), json!({})).await.0, 204);
    assert_eq!(post(&format!("{chat}/close"), json!({})).await.0, 409);
    assert_eq!(post("/chats/CH0/close", json!({})).await.0, 404);
    let state = sandbox.snapshot();
    let conversation = state.conversation(&sid).expect("a conversation");
    assert_eq!((conversation.state, conversation.messages.len()), (ConversationState::Closed, 4));
    assert_eq!(conversation.messages[2].media[0].size, 3);
}

#[tokio::test]
async fn a_file_is_uploaded_and_fetched_by_a_link_that_expires() {
    let clock = Arc::new(Manual::default());
    let sandbox = start(|options| options.time = Arc::new(Shared(Arc::clone(&clock))));
    let (facts, client) = (sandbox.facts().clone(), client());
    let files = format!("{}/media/v1/Services/{}/Media", sandbox.url(), facts.chat_service_sid);
    let large = vec![7_u8; 1024 * 1024];
    let upload = client.post(format!("{files}?filename=cat.png")).header("Content-Type", "image/png");
    let upload = upload.basic_auth(&facts.account_sid, Some(&facts.auth_token)).body(large.clone());
    let made: Value = upload.send().await.expect("an answer").json().await.expect("JSON");
    let file = format!("{files}/{}", made["sid"].as_str().expect("a sid"));
    let fetch = client.get(file).basic_auth(&facts.account_sid, Some(&facts.auth_token));
    let resource: Value = fetch.send().await.expect("an answer").json().await.expect("JSON");
    assert_eq!((&resource["filename"], &resource["size"]), (&json!("cat.png"), &json!(large.len())));
    let link = resource["links"]["content_direct_temporary"].as_str().expect("a link");

    let content = client.get(link).send().await.expect("an answer");
    assert_eq!(
        (content.status().as_u16(), &content.headers()["content-type"]),
        (200, &"image/png".parse().expect("a value"))
    );
    assert_eq!(content.bytes().await.expect("a body"), large);
    let forged = link.replace("Expires=", "Expires=9");
    assert_eq!(client.get(forged).send().await.expect("an answer").status(), 403);
    clock.turn(300);
    assert_eq!(client.get(link).send().await.expect("an answer").status(), 403);
}

#[tokio::test]
async fn a_batch_of_events_is_signed_by_its_hash_and_sent_until_it_is_taken() {
    let clock = Arc::new(Manual::default());
    let sandbox = start(|options| options.time = Arc::new(Shared(Arc::clone(&clock))));
    let receiver = receiver_that_refuses(1);
    sandbox.set_event_sink(&receiver.url);
    sandbox.start_chat("+15550123", "Grace", "Hello?");
    let first = receiver.requests.recv_timeout(LIMIT).expect("a batch");
    sandbox
        .wait_until_log(LIMIT, |log| log.iter().any(|entry| entry.status == Some(503)))
        .await
        .expect("it is refused");
    clock.turn(1);
    let second = receiver.requests.recv_timeout(LIMIT).expect("the batch again");
    assert_eq!(first, second);

    let (head, body) = second.split_once("\r\n\r\n").expect("a head and a body");
    let events: Vec<Value> = serde_json::from_str(body).expect("a JSON array");
    assert!(events.iter().any(|event| event["type"] == "com.twilio.conversations.message.added"));
    let hash = digest::digest(&digest::SHA256, body.as_bytes());
    let hash: String = hash.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    assert!(head.starts_with(&format!("POST /webhooks?bodySHA256={hash} ")));
    let url = format!("{}?bodySHA256={hash}", receiver.url);
    let signature = sign(&sandbox.facts().auth_token, &url, &[]);
    assert_eq!(header(head, "x-twilio-signature"), Some(signature.as_str()));
}

#[tokio::test]
async fn a_conversations_webhook_is_sent_once_whatever_comes_of_it() {
    let receiver = receiver_that_refuses(100);
    let sandbox = start(|_| {});
    // A fragment that TaskRouter would heed.
    sandbox.set_conversations_webhook(&format!("{}#rc=5&rp=all", receiver.url));
    sandbox.start_chat("+15550123", "Grace", "Hello?");
    sandbox.settled(LIMIT).await.expect("webhooks are delivered");
    let log = sandbox.log();
    let sent: Vec<_> = log.iter().filter(|entry| entry.status == Some(503)).map(|entry| entry.name.as_str()).collect();
    assert_eq!(sent, ["onConversationAdded", "onParticipantAdded", "onMessageAdded"]);
}

#[tokio::test]
async fn a_fault_acts_on_a_chats_operations_too() {
    let receiver = receiver();
    let sandbox = start(|_| {});
    sandbox.set_conversations_webhook(&receiver.url);
    let chat = sandbox.start_chat("+15550123", "Grace", "Hello?");
    sandbox.fault(RestFault::fail(Operation::CreateConversationMessage, 1, 400, 50000));
    let facts = sandbox.facts();
    let url = format!("{}/conversations/v1/Conversations/{}/Messages", sandbox.url(), chat.conversation_sid);
    let mut statuses = Vec::new();
    for _ in 0..2 {
        let request = client().post(&url).basic_auth(&facts.account_sid, Some(&facts.auth_token));
        let request = request.header("X-Twilio-Webhook-Enabled", "true").form(&[("Author", "system"), ("Body", "Hi")]);
        statuses.push(request.send().await.expect("an answer").status().as_u16());
    }
    assert_eq!(statuses, [400, 201]);
    sandbox.settled(LIMIT).await.expect("webhooks are delivered");
    let echoes = sandbox
        .log()
        .iter()
        .filter(|entry| entry.param("Body") == Some("Hi") && entry.name == "onMessageAdded")
        .count();
    assert_eq!(echoes, 1);
}
