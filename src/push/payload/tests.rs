use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::domain::{ActivityReason, AgentId, Closed, Customer, DeviceId, Notification, PushTarget};

const NOW: Timestamp = Timestamp::from_millis(1_790_000_000_000);
const LIFE: Duration = Duration::from_secs(90);
const TASK: &str = "WR0123456789abcdef0123456789abcdef";
const CONVERSATION: &str = "CH0123456789abcdef0123456789abcdef";
const TEXT: &str = "My card ends in 1234";
/// What a web push may weigh before it is encrypted: with what encryption adds it stays far below the 4 kB of RFC 8030 §7.2.
const WEB_LIMIT: usize = 2560;
/// <https://firebase.google.com/docs/cloud-messaging/concept-options>
const FCM_LIMIT: usize = 4096;

fn ada() -> Customer {
    Customer { name: Some("Ada Okafor".into()), address: Some("+15550123".into()) }
}

fn offer(customer: Customer) -> News {
    let conversation = Some(CONVERSATION.parse().unwrap());
    News::TaskOffered { task: TASK.parse().unwrap(), channel: "sms".into(), customer, conversation }
}

fn message(customer: Customer, text: &str, files: u32) -> News {
    News::Message { task: None, conversation: CONVERSATION.parse().unwrap(), customer, text: text.into(), files }
}

fn closed(why: Closed) -> News {
    News::TaskClosed { task: TASK.parse().unwrap(), why }
}

fn every_kind() -> [News; 8] {
    [
        offer(ada()),
        closed(Closed::Gone),
        message(ada(), TEXT, 0),
        News::MessagesRead { conversation: CONVERSATION.parse().unwrap() },
        News::CallMissed { task: TASK.parse().unwrap() },
        News::Activity { name: "Offline".into(), because: ActivityReason::Missed },
        News::SessionSuperseded,
        News::Test,
    ]
}

fn said(news: News, privacy: Privacy) -> Message {
    said_from(news, privacy, "https://gw.example.com")
}

fn said_from(news: News, privacy: Privacy, public_url: &str) -> Message {
    said_in(Language::En, news, privacy, public_url)
}

fn said_in(language: Language, news: News, privacy: Privacy, public_url: &str) -> Message {
    let item = OutboxItem {
        id: NotificationId(0xabc),
        agent: AgentId::from_bits(1),
        device: DeviceId::from_bits(2),
        target: PushTarget::Fcm { token: "token".into(), is_fid: false },
        notification: Notification { news, expires: NOW + LIFE, unread: 4 },
        created: NOW,
    };
    Message::of(&item, Terms { privacy, language }, &public_url.parse().unwrap())
}

fn web(message: &Message) -> Value {
    serde_json::from_slice(&declarative(message)).unwrap()
}

fn fcm(message: &Message) -> Value {
    serde_json::to_value(SendRequest::new(message, Recipient::Token("token"), NOW)).unwrap()["message"].clone()
}

#[test]
fn a_lock_screen_shows_as_much_as_it_may() {
    use Privacy::{Full, None, Sender};
    let words = |news, privacy| {
        let message = said(news, privacy);
        [message.title, message.body]
    };
    for (news, privacy, title, body) in [
        (offer(ada()), Full, "New text message from Ada Okafor", "+15550123 is waiting. Tap to answer."),
        (offer(ada()), Sender, "New text message from Ada Okafor", "A customer is waiting. Tap to answer."),
        (offer(ada()), None, "New text message", "A customer is waiting. Tap to answer."),
        (message(ada(), TEXT, 0), Full, "Ada Okafor", TEXT),
        (message(ada(), TEXT, 0), Sender, "Ada Okafor", "New message"),
        (message(ada(), TEXT, 0), None, "New message", "Tap to read it."),
        (message(ada(), "", 1), Full, "Ada Okafor", "Sent a file"),
        (message(ada(), " ", 3), Full, "Ada Okafor", "Sent 3 files"),
        (closed(Closed::Accepted), Full, "Task accepted", "You have it."),
        (closed(Closed::Missed), None, "Task missed", "You did not answer in time."),
    ] {
        assert_eq!(words(news.clone(), privacy), [title, body], "{privacy:?}");
    }
}

#[test]
fn a_number_in_the_place_of_a_name_is_a_number() {
    for name in ["+15550123", "whatsapp:+4915112345678", "ada@example.com", "(555) 0123-4", "٠١٢٣٤٥", " "] {
        let customer = Customer { name: Some(name.into()), address: None };
        assert_eq!(said(message(customer.clone(), TEXT, 0), Privacy::Sender).title, "New message", "{name}");
        assert_eq!(said(offer(customer), Privacy::Sender).title, "New text message", "{name}");
    }
    let customer = Customer { name: None, address: Some("+15550123".into()) };
    assert_eq!(said(message(customer, TEXT, 0), Privacy::Full).title, "+15550123");
}

#[test]
fn no_provider_is_told_more_than_the_lock_screen() {
    for news in every_kind() {
        for (privacy, secrets) in [
            (Privacy::Full, &[][..]),
            (Privacy::Sender, &["5550123", "1234\"", TEXT]),
            (Privacy::None, &["5550123", "1234\"", TEXT, "Ada"]),
        ] {
            let message = said(news.clone(), privacy);
            for text in [web(&message).to_string(), fcm(&message).to_string()] {
                assert!(secrets.iter().all(|secret| !text.contains(secret)), "{privacy:?}: {text}");
            }
        }
    }
}

#[test]
fn browsers_get_the_declarative_form() {
    assert_eq!(
        web(&said(offer(ada()), Privacy::Sender)),
        json!({
            "web_push": 8030,
            "notification": {
                "title": "New text message from Ada Okafor",
                "body": "A customer is waiting. Tap to answer.",
                "navigate": format!("https://gw.example.com/t/{TASK}"),
                "tag": TASK,
                "lang": "en",
                "renotify": true,
                "data": {
                    "id": "0000000000000abc",
                    "type": "task.offered",
                    "task": TASK,
                    "conversation": CONVERSATION,
                    "exp": (NOW + LIFE).as_secs(),
                },
                "actions": [
                    { "action": "accept", "title": "Accept", "navigate": format!("https://gw.example.com/t/{TASK}?a=accept") },
                    { "action": "decline", "title": "Decline", "navigate": format!("https://gw.example.com/t/{TASK}?a=decline") },
                ],
            },
            "app_badge": 4,
        })
    );
}

#[test]
fn every_kind_has_its_type_its_tag_and_where_it_leads() {
    let task = format!("/t/{TASK}");
    let conversation = format!("/c/{CONVERSATION}");
    let expected: [(&str, &str, &str); 8] = [
        ("task.offered", TASK, &task),
        ("task.closed", TASK, &task),
        ("message", CONVERSATION, &conversation),
        ("message.read", CONVERSATION, &conversation),
        ("call.missed", TASK, &task),
        ("activity", "activity", "/"),
        ("session.superseded", "session", "/"),
        ("test", "test", "/"),
    ];
    for (news, (kind, tag, path)) in every_kind().into_iter().zip(expected) {
        let message = said(news, Privacy::Full);
        let notification = &web(&message)["notification"];
        assert_eq!(notification["data"]["type"], kind);
        assert_eq!(notification["tag"], tag);
        assert_eq!(notification["navigate"], format!("https://gw.example.com{path}"));
        let takes_away = matches!(kind, "task.closed" | "message.read");
        assert_eq!(notification.get("silent").is_some(), takes_away);
        assert_eq!(notification.get("actions").is_some(), kind == "task.offered");
        let message = fcm(&message);
        assert_eq!(message["data"]["type"], kind);
        assert_eq!(message["data"]["tag"], tag);
        assert_eq!(message.get("notification").is_some(), !takes_away);
    }
}

#[test]
fn fcm_is_told_the_same_flat_and_as_texts() {
    for news in every_kind() {
        let message = said(news, Privacy::Full);
        let browser = web(&message);
        let data: BTreeMap<String, String> = serde_json::from_value(fcm(&message)["data"].clone()).unwrap();
        let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        for (key, value) in browser["notification"]["data"].as_object().unwrap() {
            assert_eq!(data[key], text(value));
        }
        for key in ["title", "body", "navigate", "tag"] {
            assert_eq!(data[key], text(&browser["notification"][key]));
        }
        assert_eq!(data["app_badge"], "4");
    }
}

#[test]
fn a_phone_is_woken_for_what_is_seen_and_not_for_what_goes_away() {
    let offered = fcm(&said(offer(ada()), Privacy::Sender));
    assert_eq!(
        offered["android"],
        json!({
            "priority": "HIGH",
            "ttl": "90s",
            "collapseKey": TASK,
            "notification": { "tag": TASK, "channelId": "offers", "visibility": "PRIVATE", "notificationCount": 4 },
        })
    );
    assert_eq!(offered["apns"]["headers"]["apns-priority"], "10");
    assert_eq!(offered["apns"]["headers"]["apns-collapse-id"], TASK);
    assert_eq!(offered["apns"]["payload"]["aps"]["category"], "TASK_OFFER");
    assert_eq!(offered["apns"]["payload"]["aps"]["interruption-level"], "time-sensitive");
    assert_eq!(offered["webpush"]["fcmOptions"]["link"], format!("https://gw.example.com/t/{TASK}"));

    let end = fcm(&said(closed(Closed::Gone), Privacy::Sender));
    assert_eq!(end["android"], json!({ "priority": "NORMAL", "ttl": "90s", "collapseKey": TASK }));
    assert_eq!(end["apns"]["headers"]["apns-priority"], "5");
    assert_eq!(end["apns"]["payload"], json!({ "aps": { "content-available": 1 } }));
    assert_eq!(end["webpush"].get("notification"), None);
}

#[test]
fn a_link_that_is_not_https_is_left_out_for_fcm() {
    let message = said_from(offer(ada()), Privacy::Full, "http://127.0.0.1:8080");
    assert_eq!(fcm(&message)["webpush"].get("fcmOptions"), None);
}

#[test]
fn what_is_late_is_for_now_or_never() {
    let message = said(offer(ada()), Privacy::Full);
    assert_eq!(message.seconds_left(NOW), 90);
    assert_eq!(message.seconds_left(NOW + LIFE + LIFE), 0);
}

proptest! {
    #[test]
    fn no_payload_is_larger_than_its_provider_takes(
        name in "\\PC{0,400}",
        text in any::<String>(),
        activity in "[\"\\\\x]{0,400}",
        path in "[a-z]{0,80}",
    ) {
        let customer = Customer { name: Some(name.as_str().into()), address: Some(name.into()) };
        let because = ActivityReason::Elsewhere;
        for news in [offer(customer.clone()), message(customer, &text, 1), News::Activity { name: activity.clone(), because }] {
            let message = said_from(news, Privacy::Full, &format!("https://gw.example.com/{path}"));
            let web = declarative(&message).len();
            prop_assert!(web > 100 && web <= WEB_LIMIT, "{web} bytes");
            let token = "t".repeat(200);
            let request = SendRequest::new(&message, Recipient::Token(&token), NOW);
            let fcm = serde_json::to_vec(&request).unwrap().len();
            prop_assert!(fcm <= FCM_LIMIT, "{fcm} bytes");
        }
    }
}

#[test]
fn another_language_says_all_of_it_otherwise() {
    let here = "https://gw.example.com";
    for (english, german) in every_kind().into_iter().zip(every_kind()) {
        let english = said_in(Language::En, english, Privacy::None, here);
        let german = said_in(Language::De, german, Privacy::None, here);
        assert_ne!(english.title, german.title);
        assert_ne!(english.body, german.body);
        assert_eq!(web(&german)["notification"]["lang"], "de");
        assert_eq!(fcm(&german)["data"]["lang"], "de");
    }
    let german = said_in(Language::De, offer(ada()), Privacy::Sender, here);
    assert_eq!(german.title, "Neue SMS von Ada Okafor");
    assert_eq!(web(&german)["notification"]["actions"][0]["title"], "Annehmen");
}

proptest! {
    #[test]
    fn no_title_is_longer_than_a_phone_shows_it(name in "\\PC{0,80}", channel in "chat|sms|whatsapp|messenger|email|voice|x") {
        for language in [Language::En, Language::De] {
            let customer = Customer { name: Some(name.as_str().into()), address: None };
            let offer =
                News::TaskOffered { task: TASK.parse().unwrap(), channel: channel.clone(), customer, conversation: None };
            let because = ActivityReason::Elsewhere;
            let all = every_kind().into_iter().chain([offer, News::Activity { name: name.clone(), because }]);
            for news in all {
                let message = said_in(language, news, Privacy::Full, "https://gw.example.com");
                prop_assert!(message.title.chars().count() <= words::TITLE, "{}", message.title);
            }
        }
    }
}
