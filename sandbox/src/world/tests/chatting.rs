//! What customers and agents say, and who hears of it.

use serde_json::Value;

use super::bench::{ADA, Bench, CUSTOMER, code, request};
use crate::{rest::request::Request, world::words::ConversationState};

/// Ada's identity.
const IDENTITY: &str = "user_2D_2B4915550101001";

fn bench() -> Bench {
    let mut bench = Bench::with(&[ADA]);
    bench.world.set_conversations_webhook("http://gateway/conversations");
    bench
}

#[test]
fn a_customer_who_writes_makes_a_conversation_an_interaction_and_a_task() {
    let mut bench = bench();
    let chat = bench.customer_writes();
    let conversation = bench.conversation(&chat);
    assert_eq!(conversation.task_sid.as_ref(), Some(&chat.task));
    assert_eq!((conversation.customer.name.as_str(), conversation.says("Hello?")), ("Grace", true));
    let task = bench.world.tasks.get(&chat.task).expect("a task");
    let attributes: Value = serde_json::from_str(&task.attributes).expect("JSON");
    let (interaction, channel) = chat.interaction.expect("an Interaction");
    assert_eq!(attributes["flexInteractionSid"], interaction.as_str());
    assert_eq!(attributes["flexInteractionChannelSid"], channel.as_str());
    assert_eq!(attributes["conversationSid"], chat.conversation.as_str());
    assert!(attributes["flexChannelInviteSid"].as_str().is_some_and(|sid| sid.starts_with("KG")));
    assert_eq!((task.channel.as_str(), attributes["customerName"].as_str()), ("chat", Some("Grace")));
}

#[test]
fn a_plain_chats_task_names_the_conversation_and_nothing_of_flexs() {
    let mut bench = bench();
    let chat = bench.act(|world| world.start_plain_chat(CUSTOMER, "Grace", "Hello?"));
    let task = bench.world.tasks.get(&chat.task).expect("a task");
    assert!(task.attributes.contains(chat.conversation.as_str()) && !task.attributes.contains("flex"));
    assert_eq!(bench.conversation(&chat).channel, None);
}

#[test]
fn what_a_customer_writes_with_follows_from_the_address() {
    for (address, kind, has_identity) in
        [(CUSTOMER, "sms", false), ("whatsapp:+15550123", "whatsapp", false), ("grace", "web", true)]
    {
        let mut bench = bench();
        let chat = bench.act(|world| world.start_chat(address, "Grace", "Hello?"));
        let conversation = bench.conversation(&chat);
        assert_eq!(conversation.channel.expect("a channel").kind.as_str(), kind);
        assert_eq!(conversation.participants[0].identity.is_some(), has_identity);
        assert_eq!(conversation.messages[0].author, address);
    }
}

#[test]
fn the_webhooks_of_a_chat_say_who_did_what() {
    let mut bench = bench();
    let chat = bench.chatting(ADA);
    bench.act(|world| world.desk_says(&chat.conversation, ADA, "Good morning")).expect("she takes part");
    bench.act(|world| world.customer_closes(&chat.conversation)).expect("it is open");
    let names = ["EventType", "Source", "ClientIdentity", "Author", "Body", "Identity", "StateTo"];
    let wanted = [
        "onConversationAdded API - - - - -".to_owned(),
        "onParticipantAdded API - - - - -".to_owned(),
        format!("onMessageAdded SDK - {CUSTOMER} Hello? - -"),
        format!("onParticipantAdded API - - - {IDENTITY} -"),
        format!("onMessageAdded SDK {IDENTITY} {IDENTITY} Good morning - -"),
        "onConversationStateUpdated API - - - - closed".to_owned(),
        format!("onParticipantRemoved API - - - {IDENTITY} -"),
    ];
    assert_eq!(bench.sent("conversations", &names), wanted);
}

#[test]
fn a_message_by_rest_is_told_to_the_webhook_only_if_the_request_asks_for_it() {
    for (webhooks_enabled, told) in [(false, 0), (true, 1)] {
        let mut bench = bench();
        let chat = bench.chatting(ADA);
        bench.sent("conversations", &[]);
        let path = format!("/v1/Conversations/{}/Messages", chat.conversation);
        let form = [("Author", IDENTITY), ("Body", "Good morning")];
        let answer = bench.send(Request { webhooks_enabled, ..request("POST", &path, &form) });
        assert_eq!((answer.status, bench.sent("conversations", &[]).len()), (201, told));
        assert!(bench.conversation(&chat).says("Good morning"));
    }
}

#[test]
fn only_events_that_the_filters_name_are_sent() {
    let mut bench = Bench::with(&[ADA]);
    let form = [("PostWebhookUrl", "http://gateway/conversations"), ("Filters", "onMessageAdded")];
    assert_eq!(bench.request("POST", "/v1/Configuration/Webhooks", &form).status, 200);
    bench.customer_writes();
    assert_eq!(bench.sent("conversations", &["EventType"]), ["onMessageAdded"]);
    let unknown = bench.request("POST", "/v1/Configuration/Webhooks", &[("Filters", "onMessageBurned")]);
    assert_eq!(code(&unknown), (400, 20001));
}

#[test]
fn both_products_answer_the_path_that_they_share() {
    let mut bench = bench();
    for (prefix, field) in [("/flex", "taskrouter_workspace_sid"), ("/conversations", "default_chat_service_sid")] {
        let answer = bench.send(Request { prefix, ..request("GET", "/v1/Configuration", &[]) });
        assert!(answer.body.expect("a body")[field].is_string(), "{prefix}");
    }
}

#[test]
fn a_file_is_shown_by_one_message() {
    let mut bench = bench();
    let chat = bench.customer_writes();
    bench.sent("conversations", &[]);
    let message = bench.act(|world| world.customer_sends_file(&chat.conversation, "cat.png", "image/png", b"cat"));
    let shown = bench.conversation(&chat).messages.pop().expect("a message");
    assert_eq!((Some(&shown.sid), shown.body.as_deref()), (message.as_ref().ok(), None));
    let file = &shown.media[0];
    let media = format!(r#"[{{"ContentType":"image/png","Filename":"cat.png","Sid":"{}","Size":3}}]"#, file.sid);
    assert_eq!(bench.sent("conversations", &["Media"]), [media]);
    let path = format!("/v1/Conversations/{}/Messages", chat.conversation);
    assert_eq!(code(&bench.request("POST", &path, &[("MediaSid", file.sid.as_str())])), (400, 20001));
}

#[test]
fn messages_are_listed_from_either_end() {
    let mut bench = bench();
    let chat = bench.customer_writes();
    bench.act(|world| world.customer_says(&chat.conversation, "Anybody there?")).expect("it is open");
    for (order, first) in [("", "Hello?"), ("?Order=asc", "Hello?"), ("?Order=desc&PageSize=1", "Anybody there?")] {
        let path = format!("/v1/Conversations/{}/Messages{order}", chat.conversation);
        let listed = bench.request("GET", &path, &[]).body.expect("a list");
        assert_eq!(listed["messages"][0]["body"], first);
    }
}

#[test]
fn a_closed_conversation_takes_nothing_and_stays_closed() {
    let mut bench = bench();
    let chat = bench.customer_writes();
    bench.act(|world| world.chat_times_out(&chat.conversation)).expect("it is open");
    let conversation = format!("/v1/Conversations/{}", chat.conversation);
    for (path, form) in
        [("/Messages", ("Body", "Hello?")), ("/Participants", ("Identity", "x")), ("", ("State", "active"))]
    {
        assert_eq!(code(&bench.request("POST", &format!("{conversation}{path}"), &[form])), (400, 20001), "{path}");
    }
    assert_eq!(bench.conversation(&chat).state, ConversationState::Closed);
}

#[test]
fn a_participant_is_found_by_identity_and_there_once() {
    let mut bench = bench();
    let chat = bench.customer_writes();
    let path = format!("/v1/Conversations/{}/Participants", chat.conversation);
    let form = [("Identity", "super@visor")];
    assert_eq!(bench.request("POST", &path, &form).status, 201);
    assert_eq!(code(&bench.request("POST", &path, &form)), (409, 50433));
    let found = bench.request("GET", &format!("{path}/super%40visor"), &[]);
    assert_eq!(found.body.expect("a body")["identity"], "super@visor");
}

#[test]
fn who_does_not_take_part_cannot_write_at_the_desk() {
    let mut bench = bench();
    let chat = bench.customer_writes();
    let refused = bench.act(|world| world.desk_says(&chat.conversation, ADA, "Good morning"));
    assert_eq!(refused.map_err(|refusal| refusal.code), Err(50430));
}

#[test]
fn old_conversations_are_forgotten_and_those_with_work_are_not() {
    let mut bench = bench();
    bench.world.rules.conversations_kept = 2;
    let [open, closed, third] = [(); 3].map(|()| {
        let chat = bench.customer_writes();
        if bench.world.conversations.len() == 2 {
            bench.act(|world| world.customer_closes(&chat.conversation)).expect("it is open");
        }
        chat
    });
    let known = [&open, &closed, &third].map(|chat| bench.world.conversations.get(&chat.conversation).is_some());
    assert_eq!(known, [true, false, true]);
    assert_eq!(bench.world.channels.len(), 2);
}
