//! Chats from end to end: the customer at the stand-in, the agent's app at the API, the notifications on the agent's devices.

use std::time::Duration;

use offdesk_sandbox::{
    ConversationState, CustomerChat, Operation, Reorder, ReservationStatus, RestAct, RestFault, Sid, TaskStatus,
    WebhookFaults,
};
use serde_json::json;

use crate::house::{ADA, BOB, CUSTOMER, House, MOBILE, Plan};

const NAME: &str = "Maria";

/// A customer writes, and the offer has reached the agent's devices.
async fn written(house: &House) -> CustomerChat {
    let chat = house.twilio.start_chat(CUSTOMER, NAME, "hello?");
    house.quiet().await;
    chat
}

fn offer(house: &House, chat: &CustomerChat) -> Sid {
    house.twilio.snapshot().reservation_of(&chat.task_sid).unwrap().sid.clone()
}

fn status(house: &House, chat: &CustomerChat) -> ReservationStatus {
    house.twilio.snapshot().reservation_of(&chat.task_sid).unwrap().status
}

async fn accepts(house: &House, phone: &str, chat: &CustomerChat) {
    let (app, offer) = (house.app(phone), offer(house, chat));
    let answer = house.meanwhile(app.accept(&offer)).await;
    assert_eq!((answer.status, &answer.body["status"]), (200, &json!("accepted")), "{answer:?}");
}

/// Ada is in a chat with a customer.
async fn chatting(plan: Plan) -> (House, CustomerChat) {
    let house = plan.build().await;
    let chat = written(&house).await;
    house.pass(Duration::from_secs(2)).await;
    accepts(&house, ADA, &chat).await;
    house.pass(Duration::from_secs(2)).await;
    (house, chat)
}

async fn customer_says(house: &House, chat: &CustomerChat, text: &str) {
    house.twilio.customer_says(&chat.conversation_sid, text).unwrap();
    house.quiet().await;
}

fn newest(house: &House, chat: &CustomerChat) -> u64 {
    house.twilio.snapshot().conversation(&chat.conversation_sid).unwrap().messages.last().unwrap().index
}

fn is_closed_in_good_order(house: &House, chat: &CustomerChat) -> bool {
    let state = house.twilio.snapshot();
    let conversation = state.conversation(&chat.conversation_sid).unwrap();
    conversation.state == ConversationState::Closed && !conversation.orphaned
}

#[tokio::test]
async fn a_chat_is_notified_accepted_answered_read_on_two_devices_and_completed() {
    let mut house = Plan::default().with_devices().build().await;
    let chat = written(&house).await;
    assert_eq!(house.shows(ADA), [["task.offered"], ["task.offered"]]);
    let shown = house.notified(ADA, "task.offered").remove(0);
    assert_eq!(
        (shown.actions, shown.tag),
        (vec!["accept".into(), "decline".into()], Some(offer(&house, &chat).to_string()))
    );
    accepts(&house, ADA, &chat).await;
    assert_eq!(house.shows(ADA), [[(); 0]; 2].map(|_| Vec::<String>::new()));

    house.pass(Duration::from_secs(2)).await;
    customer_says(&house, &chat, "are you there?").await;
    customer_says(&house, &chat, "hello??").await;
    let conversation = &chat.conversation_sid;
    assert_eq!(house.app(ADA).unread(conversation).await, 2);
    assert_eq!(house.shows(ADA), [["message"], ["message"]]);
    assert!(house.devices(ADA).iter().all(|device| device.badge == Some(2)));
    house.restart().await;
    assert_eq!(house.app(ADA).unread(conversation).await, 2);

    let said = house.app(ADA).says(conversation, "yes, I am").await;
    assert_eq!((said.status, &said.body["mine"]), (201, &json!(true)), "{said:?}");
    house.quiet().await;
    assert_eq!(house.app(ADA).unread(conversation).await, 0);
    let messages = house.app(ADA).history(conversation, "?limit=10").await.body;
    let texts: Vec<_> = messages["items"].as_array().unwrap().iter().map(|one| one["body"].as_str().unwrap()).collect();
    assert_eq!(texts, ["hello?", "are you there?", "hello??", "yes, I am"]);

    assert_eq!(house.app(ADA).complete(&offer(&house, &chat)).await.status, 200);
    house.quiet().await;
    assert_eq!(status(&house, &chat), ReservationStatus::Completed);
    assert!(is_closed_in_good_order(&house, &chat));
    assert_eq!(house.activity(ADA), MOBILE);
}

#[tokio::test]
async fn what_is_read_on_one_device_goes_from_all_and_their_badges_agree() {
    let (house, chat) = chatting(Plan::default().with_devices()).await;
    house.pass(Duration::from_secs(2)).await;
    customer_says(&house, &chat, "are you there?").await;
    assert_eq!(house.shows(ADA), [["message"], ["message"]]);
    assert!(house.devices(ADA).iter().all(|device| device.badge == Some(1)));
    house.app(ADA).reads(&chat.conversation_sid, newest(&house, &chat)).await;
    house.quiet().await;
    assert!(house.shows(ADA).iter().all(Vec::is_empty), "{:?}", house.shows(ADA));
    assert!(house.devices(ADA).iter().all(|device| device.badge == Some(0)));
    customer_says(&house, &chat, "and now?").await;
    assert_eq!(house.shows(ADA), [["message"], ["message"]]);
    assert!(house.devices(ADA).iter().all(|device| device.badge == Some(1)));
}

#[tokio::test]
async fn what_was_shown_on_the_phone_goes_when_it_is_read_at_the_desk() {
    let (house, chat) = chatting(Plan::default().with_devices()).await;
    house.pass(Duration::from_secs(2)).await;
    customer_says(&house, &chat, "are you there?").await;
    assert_eq!(house.shows(ADA), [["message"], ["message"]]);
    house.twilio.set_activity(ADA, "Available").unwrap();
    house.pass(Duration::from_secs(2)).await;
    customer_says(&house, &chat, "hello?").await;
    assert_eq!(house.shows(ADA), [["message"], ["message"]], "what comes at the desk is not pushed");
    house.twilio.desk_reads(&chat.conversation_sid, ADA).unwrap();
    house.pass(Duration::from_secs(2)).await;
    assert!(house.shows(ADA).iter().all(Vec::is_empty), "{:?}", house.shows(ADA));
    assert!(house.devices(ADA).iter().all(|device| device.badge == Some(0)));
}

#[tokio::test]
async fn the_count_is_right_whatever_the_mail_does() {
    let none = WebhookFaults::default();
    for mail in [
        WebhookFaults { duplicates: 1, ..none.clone() },
        WebhookFaults { duplicates: 2, duplicates_with_new_token: true, ..none.clone() },
        WebhookFaults { delay_ms: 2500, ..none.clone() },
        WebhookFaults { reorder: Some(Reorder { window: 4, seed: None }), ..none.clone() },
        WebhookFaults { reorder: Some(Reorder { window: 4, seed: Some(3) }), ..none.clone() },
        WebhookFaults { drop_next: 5, ..none.clone() },
    ] {
        let (house, chat) = chatting(Plan::default()).await;
        let app = house.app(ADA);
        app.reads(&chat.conversation_sid, newest(&house, &chat)).await;
        house.quiet().await;
        house.twilio.set_webhook_faults(mail.clone());
        for number in 0..5 {
            house.twilio.customer_says(&chat.conversation_sid, &format!("message {number}")).unwrap();
        }
        house.pass(Duration::from_secs(60)).await;
        assert_eq!(app.unread(&chat.conversation_sid).await, 5, "{mail:?}");
        app.reads(&chat.conversation_sid, newest(&house, &chat)).await;
        house.pass(Duration::from_secs(60)).await;
        assert_eq!(app.unread(&chat.conversation_sid).await, 0, "{mail:?}");
    }
}

#[tokio::test]
async fn a_chat_is_taken_and_finished_though_every_webhook_is_lost() {
    let house = Plan::default().build().await;
    house.twilio.set_webhook_faults(WebhookFaults { drop_next: 1000, ..WebhookFaults::default() });
    let chat = house.twilio.start_chat(CUSTOMER, NAME, "hello?");
    house.pass(Duration::from_secs(61)).await;
    let (app, task) = (house.app(ADA), offer(&house, &chat));
    let answer = house.meanwhile(app.accept(&task)).await;
    // Depending on whether Twilio was asked within what whoever taps waits.
    assert!([200, 202].contains(&answer.status), "{answer:?}");
    house.pass(Duration::from_secs(5)).await;
    house.twilio.customer_says(&chat.conversation_sid, "are you there?").unwrap();
    house.pass(Duration::from_secs(60)).await;
    assert_eq!(house.app(ADA).unread(&chat.conversation_sid).await, 1);
    assert_eq!(house.app(ADA).complete(&offer(&house, &chat)).await.status, 200);
    house.quiet().await;
    assert!(is_closed_in_good_order(&house, &chat));
}

#[tokio::test]
async fn of_two_devices_that_accept_one_is_told_that_it_is_taken() {
    let house = Plan::default().build().await;
    let chat = written(&house).await;
    let (app, task) = (house.app(ADA), offer(&house, &chat));
    let (one, other) = house.meanwhile(futures_util::future::join(app.accept(&task), app.accept(&task))).await;
    let mut answers = [(one.status, one.code().to_owned()), (other.status, other.code().to_owned())];
    answers.sort();
    assert_eq!(answers, [(200, String::new()), (409, "taken".to_owned())]);
    let late = app.accept(&task).await;
    assert_eq!((late.status, late.code()), (409, "taken"));
    let accepted =
        house.twilio.log().iter().filter(|entry| entry.param("ReservationStatus") == Some("accepted")).count();
    assert_eq!(accepted, 1);
}

#[tokio::test]
async fn an_offer_that_is_gone_or_nobodys_cannot_be_taken() {
    let house = Plan::of_two().with_devices().build().await;
    let chat = written(&house).await;
    let task = offer(&house, &chat);
    assert_eq!(house.app(BOB).accept(&task).await.status, 404);
    assert_eq!(house.app(ADA).accept(&"WRnonsense".into()).await.status, 404);
    house.twilio.customer_closes(&chat.conversation_sid).unwrap();
    house.quiet().await;
    let gone = house.app(ADA).accept(&task).await;
    assert_eq!((gone.status, gone.code()), (409, "gone"));
    assert!(house.shows(ADA).iter().all(Vec::is_empty));
}

#[tokio::test]
async fn a_declined_or_missed_chat_goes_to_the_next_agent() {
    for declines in [true, false] {
        let house = Plan::of_two().twilio(|twilio| twilio.reservation_timeout_s = 30).build().await;
        let chat = written(&house).await;
        if declines {
            assert_eq!(house.app(ADA).decline(&offer(&house, &chat)).await.status, 200);
        } else {
            house.pass(Duration::from_secs(28)).await;
        }
        house.quiet().await;
        let state = house.twilio.snapshot();
        let all: Vec<_> = state.reservations_of(&chat.task_sid).iter().map(|one| one.status).collect();
        assert_eq!(all, [ReservationStatus::Rejected, ReservationStatus::Pending]);
        assert_eq!(house.agent(ADA).await.missed_in_a_row, u32::from(!declines));
        assert_eq!(house.activity(ADA), MOBILE);
        accepts(&house, BOB, &chat).await;
    }
}

#[tokio::test]
async fn a_join_that_fails_is_told_and_the_chat_is_offered_again() {
    let house = Plan::default().build().await;
    let chat = written(&house).await;
    house.twilio.fail_next_join();
    let (app, first) = (house.app(ADA), offer(&house, &chat));
    let failed = house.meanwhile(app.accept(&first)).await;
    assert_eq!((failed.status, failed.code()), (409, "gone"));
    assert_ne!(offer(&house, &chat), first);
    accepts(&house, ADA, &chat).await;
}

/// What goes wrong once with an operation.
fn troubles() -> [RestAct; 4] {
    let fail = |status, code| RestAct::Fail { status, code, message: None, retry_after_s: None };
    [fail(429, 20429), fail(503, 20503), RestAct::DropBefore, RestAct::DropAfter]
}

#[tokio::test]
async fn a_chat_comes_to_its_end_though_twilio_fails_at_any_step() {
    for operation in [
        Operation::UpdateTaskReservation,
        Operation::FetchTaskReservation,
        Operation::ListUserConversation,
        Operation::ListConversationMessage,
        Operation::UpdateUserConversation,
        Operation::ListInteractionChannelParticipant,
        Operation::UpdateInteractionChannel,
    ] {
        for trouble in troubles() {
            let house = Plan::default().build().await;
            let chat = written(&house).await;
            house.twilio.fault(RestFault { operation: Some(operation), times: Some(2), act: trouble.clone() });
            let (app, task) = (house.app(ADA), offer(&house, &chat));
            let accepted = house.meanwhile(app.accept(&task)).await;
            assert!(matches!(accepted.status, 200 | 202), "{operation:?} {trouble:?}: {accepted:?}");
            house.pass(Duration::from_secs(10)).await;
            customer_says(&house, &chat, "are you there?").await;
            app.reads(&chat.conversation_sid, newest(&house, &chat)).await;
            assert_eq!(app.complete(&task).await.status, 200, "{operation:?} {trouble:?}");
            house.pass(Duration::from_secs(30)).await;
            assert_eq!(status(&house, &chat), ReservationStatus::Completed, "{operation:?} {trouble:?}");
            assert!(is_closed_in_good_order(&house, &chat), "{operation:?} {trouble:?}");
        }
    }
}

#[tokio::test]
async fn a_message_is_sent_once_or_its_sender_is_told() {
    for (trouble, status) in [
        (RestAct::DropAfter, 201),
        (RestAct::DropBefore, 504),
        (RestAct::Fail { status: 429, code: 20429, message: None, retry_after_s: None }, 201),
        (RestAct::Fail { status: 500, code: 20500, message: None, retry_after_s: None }, 504),
    ] {
        let (house, chat) = chatting(Plan::default()).await;
        let before = house.twilio.snapshot().conversation(&chat.conversation_sid).unwrap().messages.len();
        house.twilio.fault(RestFault::once(Operation::CreateConversationMessage, trouble.clone()));
        let said = house.app(ADA).says(&chat.conversation_sid, "hello").await;
        assert_eq!(said.status, status, "{trouble:?}: {said:?}");
        let after = house.twilio.snapshot().conversation(&chat.conversation_sid).unwrap().messages.len();
        assert_eq!(after - before, usize::from(status == 201), "{trouble:?}");
    }
}

#[tokio::test]
async fn the_contact_centres_own_no_is_shown_as_such() {
    let (house, chat) = chatting(Plan::default()).await;
    let message = Some("Webhook cancelled processing of command".to_owned());
    let refusal = RestAct::Fail { status: 403, code: 20403, message, retry_after_s: None };
    house.twilio.fault(RestFault::once(Operation::CreateConversationMessage, refusal));
    let said = house.app(ADA).says(&chat.conversation_sid, "my number is 4111 1111 1111 1111").await;
    assert_eq!((said.status, said.code()), (422, "rejected"));
    assert!(!said.body.to_string().contains("4111"));
}

#[tokio::test]
async fn what_the_agent_writes_raises_webhooks_for_others_and_is_no_news_to_the_agent() {
    let (house, chat) = chatting(Plan::default().with_devices()).await;
    house.app(ADA).says(&chat.conversation_sid, "hello").await;
    house.pass(Duration::from_secs(2)).await;
    let raised = house.twilio.log().into_iter().filter(|entry| entry.name == "onMessageAdded").count();
    assert_eq!(raised, 2, "the customer's and the agent's");
    assert!(house.notified(ADA, "message").is_empty());
    assert_eq!(house.app(ADA).unread(&chat.conversation_sid).await, 0);
}

#[tokio::test]
async fn reading_at_the_desk_is_reading() {
    let (house, chat) = chatting(Plan::default()).await;
    customer_says(&house, &chat, "are you there?").await;
    assert_eq!(house.app(ADA).unread(&chat.conversation_sid).await, 1);
    house.twilio.desk_reads(&chat.conversation_sid, &format!("user-{ADA}")).unwrap();
    house.quiet().await;
    assert_eq!(house.app(ADA).unread(&chat.conversation_sid).await, 0);
    customer_says(&house, &chat, "hm").await;
    house.twilio.desk_says(&chat.conversation_sid, &format!("user-{ADA}"), "I am at the desk").unwrap();
    house.quiet().await;
    assert_eq!(house.app(ADA).unread(&chat.conversation_sid).await, 0);
}

#[tokio::test]
async fn reading_on_the_phone_moves_the_horizon_at_twilio() {
    let (house, chat) = chatting(Plan::default()).await;
    customer_says(&house, &chat, "are you there?").await;
    let index = newest(&house, &chat);
    assert_eq!(house.app(ADA).reads(&chat.conversation_sid, index).await.status, 204);
    house.quiet().await;
    let state = house.twilio.snapshot();
    let conversation = state.conversation(&chat.conversation_sid).unwrap();
    assert!(conversation.participants.iter().any(|one| one.identity.is_some() && one.last_read == Some(index)));
    assert_eq!(house.app(ADA).reads(&"CHnonsense".into(), 1).await.status, 404);
}

#[tokio::test]
async fn messages_are_told_on_a_break_and_not_at_the_desk() {
    for (activity, told) in [("Break", 1), ("Available", 0)] {
        let (house, chat) = chatting(Plan::default().with_devices()).await;
        house.twilio.set_activity(&format!("user-{ADA}"), activity).unwrap();
        house.quiet().await;
        customer_says(&house, &chat, "are you there?").await;
        assert_eq!(house.notified(ADA, "message").len(), told, "{activity}");
        let other = house.twilio.start_chat("+15550124", "Jo", "hi");
        house.pass(Duration::from_secs(12)).await;
        assert_eq!(
            house
                .notified(ADA, "task.offered")
                .iter()
                .filter(|one| one.task.as_deref() != Some(offer(&house, &chat).as_str()))
                .count(),
            0,
            "{activity}: {other:?}"
        );
    }
}

#[tokio::test]
async fn an_activity_that_somebody_else_sets_is_told_and_one_that_the_agent_picks_is_not() {
    let house = Plan::default().with_devices().build().await;
    let chat = written(&house).await;
    accepts(&house, ADA, &chat).await;
    let app = house.app(ADA);
    let set =
        house.meanwhile(app.call(reqwest::Method::PUT, "/me/activity", Some(json!({ "activity": "Break" })))).await;
    assert_eq!((set.status, &set.body["activity"]), (200, &json!("Break")), "{set:?}");
    let set = house.meanwhile(app.call(reqwest::Method::PUT, "/me/activity", Some(json!({ "available": true })))).await;
    assert_eq!((set.status, house.activity(ADA).as_str()), (200, MOBILE), "{set:?}");
    assert!(house.notified(ADA, "activity").is_empty());
    house.twilio.set_activity(&format!("user-{ADA}"), "Offline").unwrap();
    house.quiet().await;
    assert_eq!(house.notified(ADA, "activity").len(), 1);
    let refused = app.call(reqwest::Method::PUT, "/me/activity", Some(json!({ "activity": "Available" }))).await;
    assert_eq!((refused.status, refused.code()), (422, "not_a_choice"));
}

#[tokio::test]
async fn a_supervisor_who_listens_is_not_disturbed() {
    let (house, chat) = chatting(Plan::of_two().with_devices()).await;
    house.twilio.supervisor_joins(&chat.conversation_sid, "user_2D_2B15550109999").unwrap();
    // Bob is one of our agents, but has no part in this task.
    let bob = offdesk::domain::ChatIdentity::of_worker(&format!("user-{BOB}"));
    house.twilio.supervisor_joins(&chat.conversation_sid, bob.as_str()).unwrap();
    house.quiet().await;
    customer_says(&house, &chat, "are you there?").await;
    assert_eq!(house.notified(ADA, "message").len(), 1);
    assert!(house.devices(BOB).iter().all(|device| device.notifications.iter().all(|one| one.kind != "message")));
}

#[tokio::test]
async fn a_plain_chat_ends_with_its_reservation() {
    let house = Plan::default().build().await;
    let chat = house.twilio.start_plain_chat(CUSTOMER, NAME, "hello?");
    house.quiet().await;
    accepts(&house, ADA, &chat).await;
    house.pass(Duration::from_secs(2)).await;
    customer_says(&house, &chat, "are you there?").await;
    assert_eq!(house.app(ADA).unread(&chat.conversation_sid).await, 1);
    assert_eq!(house.app(ADA).wrap_up(&offer(&house, &chat)).await.status, 200);
    house.quiet().await;
    assert_eq!(status(&house, &chat), ReservationStatus::Wrapping);
    assert_eq!(house.app(ADA).complete(&offer(&house, &chat)).await.status, 200);
    house.quiet().await;
    assert_eq!(status(&house, &chat), ReservationStatus::Completed);
}

#[tokio::test]
async fn a_chat_is_wrapped_up_first_and_nothing_is_written_in_it_from_then_on() {
    let (house, chat) = chatting(Plan::default()).await;
    let task = offer(&house, &chat);
    assert_eq!(house.app(ADA).wrap_up(&task).await.status, 200);
    house.quiet().await;
    assert_eq!(status(&house, &chat), ReservationStatus::Wrapping);
    let late = house.app(ADA).says(&chat.conversation_sid, "one more thing").await;
    assert_eq!((late.status, late.code()), (409, "closed"));
    assert_eq!(house.app(ADA).complete(&task).await.status, 200);
    house.quiet().await;
    let state = house.twilio.snapshot();
    assert_eq!(state.task(&chat.task_sid).map(|task| task.status), Some(TaskStatus::Completed));
    assert!(is_closed_in_good_order(&house, &chat));
}

#[tokio::test]
async fn files_come_and_go() {
    let (house, chat) = chatting(Plan::default()).await;
    let picture = b"\x89PNG\r\n\x1a\n not much of a picture";
    house.twilio.customer_sends_file(&chat.conversation_sid, "in.png", "image/png", picture).unwrap();
    house.quiet().await;
    let app = house.app(ADA);
    let sent = app.sends(&chat.conversation_sid, "and this is mine", "out.png", "image/png", picture).await;
    assert_eq!(sent.status, 201, "{sent:?}");
    let messages = app.history(&chat.conversation_sid, "").await.body;
    let files: Vec<_> =
        messages["items"].as_array().unwrap().iter().flat_map(|one| one["media"].as_array().unwrap()).collect();
    assert_eq!(files.len(), 2);
    for (file, name) in files.iter().zip(["in.png", "out.png"]) {
        assert_eq!((&file["filename"], &file["content_type"]), (&json!(name), &json!("image/png")));
        let bytes = app.fetch(file["url"].as_str().unwrap()).await;
        assert_eq!(bytes, picture);
    }
}

#[tokio::test]
async fn files_are_as_large_as_phones_make_pictures_and_no_larger() {
    let (house, chat) = chatting(Plan::default()).await;
    let app = house.app(ADA);
    for (megabytes, status) in [(1, 201), (9, 201), (11, 413)] {
        let file = vec![7; megabytes << 20];
        let answer = app.sends(&chat.conversation_sid, "", "photo.jpg", "image/jpeg", &file).await;
        assert_eq!(answer.status, status, "{megabytes} MB: {answer:?}");
    }
    let messages = app.history(&chat.conversation_sid, "").await.body;
    let last = messages["items"].as_array().unwrap().last().unwrap();
    assert_eq!(last["media"][0]["size"], 9 << 20, "{last}");
}

#[tokio::test]
async fn what_nobody_has_written_yet_cannot_be_read() {
    let (house, chat) = chatting(Plan::default().with_devices()).await;
    let app = house.app(ADA);
    let path = format!("/conversations/{}/read", chat.conversation_sid);
    for index in [newest(&house, &chat) + 1, 9_000_000_000_000_000_000] {
        assert_eq!(app.post(&path, json!({ "index": index })).await.status, 422, "{index}");
    }
    customer_says(&house, &chat, "and this one?").await;
    assert_eq!(app.unread(&chat.conversation_sid).await, 1);
}

#[tokio::test]
async fn whoever_was_taken_out_of_a_conversation_cannot_write_in_it() {
    let (house, chat) = chatting(Plan::default()).await;
    let state = house.twilio.snapshot();
    let mut participants = state.conversation(&chat.conversation_sid).unwrap().participants.iter();
    let own =
        &participants.find(|one| one.identity.as_deref().is_some_and(|name| name.starts_with("user"))).unwrap().sid;
    let path = format!("conversations/v1/Conversations/{}/Participants/{own}", chat.conversation_sid);
    let removal = house.at_twilio(reqwest::Method::DELETE, &path).header("X-Twilio-Webhook-Enabled", "true");
    assert_eq!(removal.send().await.unwrap().status().as_u16(), 204);
    house.quiet().await;
    let refused = house.app(ADA).says(&chat.conversation_sid, "am I still here?").await;
    assert_eq!((refused.status, refused.code()), (409, "closed"));
}

/// Another agent is invited to the conversation, as a transfer or an invitation of Flex's does it: by a task of its own.
async fn invites(house: &House, phone: &str, chat: &CustomerChat) -> CustomerChat {
    let state = house.twilio.snapshot();
    let channel = state.conversation(&chat.conversation_sid).unwrap().channel.clone().unwrap();
    let attributes = json!({
        "flexInteractionSid": channel.interaction_sid, "flexInteractionChannelSid": channel.sid,
        "conversationSid": chat.conversation_sid, "customerName": NAME,
    });
    let (attributes, target) = (attributes.to_string(), format!("user-{phone}"));
    let task =
        house.create_task(&[("TaskChannel", "chat"), ("RoutingTarget", &target), ("Attributes", &attributes)]).await;
    house.quiet().await;
    CustomerChat { task_sid: task, ..chat.clone() }
}

#[tokio::test]
async fn of_two_agents_in_a_conversation_each_hears_everything_and_leaves_alone() {
    let (house, chat) = chatting(Plan::of_two().with_devices()).await;
    let with_bob = invites(&house, BOB, &chat).await;
    accepts(&house, BOB, &with_bob).await;
    house.pass(Duration::from_secs(2)).await;
    customer_says(&house, &chat, "are you both there?").await;
    for phone in [ADA, BOB] {
        assert_eq!(house.app(phone).unread(&chat.conversation_sid).await, 1, "{phone}");
        assert_eq!(house.notified(phone, "message").len(), 1, "{phone}");
    }
    // What one of them writes is news to the other alone.
    assert_eq!(house.app(ADA).says(&chat.conversation_sid, "I leave it to Bob").await.status, 201);
    house.quiet().await;
    assert_eq!(house.app(ADA).unread(&chat.conversation_sid).await, 0);
    assert_eq!(house.app(BOB).unread(&chat.conversation_sid).await, 2);

    assert_eq!(house.app(ADA).complete(&offer(&house, &chat)).await.status, 200);
    house.quiet().await;
    assert_eq!(status(&house, &chat), ReservationStatus::Completed);
    let state = house.twilio.snapshot();
    assert_eq!(state.conversation(&chat.conversation_sid).unwrap().state, ConversationState::Active);
    customer_says(&house, &chat, "and now?").await;
    assert_eq!(house.app(BOB).unread(&chat.conversation_sid).await, 3);
    assert_eq!(house.app(BOB).complete(&offer(&house, &with_bob)).await.status, 200);
    house.quiet().await;
    assert!(is_closed_in_good_order(&house, &chat));
}

#[tokio::test]
async fn whoever_has_wrapped_up_does_not_end_what_another_agent_is_in() {
    let (house, chat) = chatting(Plan::of_two()).await;
    let with_bob = invites(&house, BOB, &chat).await;
    accepts(&house, BOB, &with_bob).await;
    let (ada, task) = (house.app(ADA), offer(&house, &chat));
    assert_eq!(ada.wrap_up(&task).await.status, 200);
    house.quiet().await;
    assert_eq!(status(&house, &chat), ReservationStatus::Wrapping);
    assert_eq!(ada.complete(&task).await.status, 200);
    house.quiet().await;
    assert_eq!(status(&house, &chat), ReservationStatus::Completed);
    assert_eq!(status(&house, &with_bob), ReservationStatus::Accepted);
    assert_eq!(house.app(BOB).says(&chat.conversation_sid, "I am still here").await.status, 201);
}

#[tokio::test]
async fn two_who_complete_at_the_same_time_leave_no_orphan() {
    let (house, chat) = chatting(Plan::of_two()).await;
    let with_bob = invites(&house, BOB, &chat).await;
    accepts(&house, BOB, &with_bob).await;
    let (ada, bob) = (house.app(ADA), house.app(BOB));
    let (his, hers) = (offer(&house, &with_bob), offer(&house, &chat));
    let both = async { tokio::join!(ada.complete(&hers), bob.complete(&his)) };
    let (hers, his) = house.meanwhile(both).await;
    assert_eq!((hers.status, his.status), (200, 200));
    house.pass(Duration::from_secs(60)).await;
    assert!(is_closed_in_good_order(&house, &chat));
}

#[tokio::test]
async fn a_conversation_may_stay_open_without_the_agent() {
    let (house, chat) = chatting(Plan::default().of_twilio("end_chat = \"leave\"")).await;
    assert_eq!(house.app(ADA).wrap_up(&offer(&house, &chat)).await.status, 200);
    house.quiet().await;
    assert_eq!(house.app(ADA).complete(&offer(&house, &chat)).await.status, 200);
    house.quiet().await;
    assert_eq!(status(&house, &chat), ReservationStatus::Completed);
    let state = house.twilio.snapshot();
    assert_eq!(state.conversation(&chat.conversation_sid).unwrap().state, ConversationState::Active);
}

#[tokio::test]
async fn event_streams_bring_what_callbacks_bring_and_both_together_count_once() {
    for callbacks_too in [false, true] {
        let house = Plan::default().with_devices().build().await;
        house.twilio.set_event_sink(&format!("http://{}/webhooks/events", house.ready.http));
        if !callbacks_too {
            house.twilio.set_event_callback("http://127.0.0.1:9/nowhere");
            house.twilio.set_conversations_webhook("http://127.0.0.1:9/nowhere");
        }
        let chat = written(&house).await;
        house.pass(Duration::from_secs(2)).await;
        accepts(&house, ADA, &chat).await;
        house.pass(Duration::from_secs(2)).await;
        customer_says(&house, &chat, "are you there?").await;
        house.pass(Duration::from_secs(2)).await;
        assert_eq!(house.app(ADA).unread(&chat.conversation_sid).await, 1, "{callbacks_too}");
        assert_eq!(house.notified(ADA, "message").len(), 1, "{callbacks_too}");
    }
}

#[tokio::test]
async fn without_a_token_nobody_gets_in_and_bad_requests_are_told_what_is_wrong() {
    let (house, chat) = chatting(Plan::default()).await;
    let path = format!("/conversations/{}/messages", chat.conversation_sid);
    let mut stranger = house.app(ADA);
    stranger.token = "nonsense".to_owned();
    for path in ["/tasks", &path] {
        let refused = stranger.get(path).await;
        assert_eq!((refused.status, refused.code()), (401, "no_session"), "{path}");
    }
    let app = house.app(ADA);
    for (body, status, code) in [
        (json!({}), 422, "invalid"),
        (json!({ "body": " " }), 422, "invalid"),
        (json!({ "body": 7 }), 422, "invalid"),
        (json!({ "body": "x".repeat(40_000) }), 413, "too_large"),
        (json!({ "body": "x".repeat(70_000) }), 413, "too_large"),
        (json!({ "body": "x", "author": "somebody else" }), 422, "invalid"),
    ] {
        let refused = app.post(&path, body.clone()).await;
        assert_eq!((refused.status, refused.code()), (status, code), "{refused:?}");
    }
    for query in ["?limit=x", "?before=-1"] {
        assert_eq!(app.history(&chat.conversation_sid, query).await.code(), "invalid", "{query}");
    }
    assert_eq!(app.says(&"CH00000000000000000000000000000000".into(), "x").await.status, 404);
    assert_eq!(house.twilio.snapshot().conversation(&chat.conversation_sid).unwrap().messages.len(), 1);
}
