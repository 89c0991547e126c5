//! What happens in conversations, by both doors.

use super::*;
use crate::domain::{ChatIdentity, Media, MessageEvent, ParticipantChange, ParticipantEvent};

const CONVERSATION: &str = "CH0123456789abcdef0123456789abcdef";
const MESSAGE: &str = "IM0123456789abcdef0123456789abcdef";
const PARTICIPANT: &str = "MB0123456789abcdef0123456789abcdef";
const MEDIA: &str = "ME0123456789abcdef0123456789abcdef";
const IDENTITY: &str = "user_2D_2B4915550101001";

type Pairs = Vec<(String, String)>;

fn pairs(fields: &[(&str, &str)]) -> Pairs {
    fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

/// `onMessageAdded`, as the post-event webhook has it.
fn message_fields() -> Pairs {
    let media = json!([{ "Sid": MEDIA, "ContentType": "image/jpeg", "Filename": "car.jpg", "Size": 42_056 }]);
    pairs(&[
        ("AccountSid", ACCOUNT),
        ("EventType", "onMessageAdded"),
        ("Source", "SDK"),
        ("ConversationSid", CONVERSATION),
        ("MessageSid", MESSAGE),
        ("ParticipantSid", PARTICIPANT),
        ("Index", "7"),
        ("Author", "+15550100"),
        ("Body", "Ahoy & ahoy 😀"),
        ("Media", &media.to_string()),
        ("Attributes", "{}"),
        ("DateCreated", "2023-11-14T22:13:20.123Z"),
        ("SomethingNew", "x"),
    ])
}

/// `onParticipantUpdated`, with a read horizon.
fn participant_fields() -> Pairs {
    pairs(&[
        ("AccountSid", ACCOUNT),
        ("EventType", "onParticipantUpdated"),
        ("ConversationSid", CONVERSATION),
        ("ParticipantSid", PARTICIPANT),
        ("Identity", IDENTITY),
        ("LastReadMessageIndex", "7"),
        ("DateUpdated", "2023-11-14T22:13:20Z"),
    ])
}

fn with(mut fields: Pairs, name: &str, value: &str) -> Pairs {
    fields.retain(|(key, _)| key != name);
    fields.push((name.to_owned(), value.to_owned()));
    fields
}

fn by_webhook(fields: &Pairs) -> Result<Parsed, ParseError> {
    let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
    from_conversation(&Form::parse(body.as_bytes()).unwrap(), &ours())
}

fn by_event_streams(event_type: &str, data: &Value) -> Result<Parsed, ParseError> {
    let event = json!([{
        "specversion": "1.0",
        "type": format!("com.twilio.conversations.{event_type}"),
        "source": "AB00000000000000000000000001",
        "id": "NO00000000000000000000000001",
        "time": "2023-11-14T22:13:29.000Z",
        "data": data,
    }]);
    from_batch(&serde_json::to_vec(&event).unwrap(), &ours()).unwrap().remove(0)
}

/// The same message as Event Streams has it.
fn message_data() -> Value {
    json!({
        "AccountSid": ACCOUNT, "Author": "+15550100", "ParticipantSid": PARTICIPANT, "ConversationSid": CONVERSATION,
        "MessageSid": MESSAGE, "Index": 7, "MessageBody": "Ahoy & ahoy 😀", "DateCreated": "2023-11-14T22:13:20.123Z",
        "Media": [{ "MediaSid": MEDIA, "Filename": "car.jpg", "ContentType": "image/jpeg", "Size": 42_056 }],
    })
}

fn message(parsed: Result<Parsed, ParseError>) -> MessageEvent {
    let Event::Message(message) = event(parsed) else { panic!("another event") };
    message
}

fn participant(parsed: Result<Parsed, ParseError>) -> ParticipantEvent {
    let Event::Participant(participant) = event(parsed) else { panic!("another event") };
    participant
}

#[test]
fn a_message_is_read_in_full() {
    let expected = MessageEvent {
        conversation: CONVERSATION.parse().unwrap(),
        message: MESSAGE.parse().unwrap(),
        index: 7,
        author: "+15550100".to_owned(),
        participant: Some(PARTICIPANT.parse().unwrap()),
        body: "Ahoy & ahoy 😀".to_owned(),
        media: vec![Media {
            sid: MEDIA.parse().unwrap(),
            content_type: "image/jpeg".to_owned(),
            filename: Some("car.jpg".to_owned()),
            size: 42_056,
        }],
        at: Timestamp::from_millis(1_700_000_000_123),
    };
    assert_eq!(message(by_webhook(&message_fields())), expected);
}

#[test]
fn a_message_is_the_same_by_both_doors_in_every_spelling() {
    let expected = event(by_webhook(&message_fields()));
    for spell in [str::to_owned, snake, str::to_lowercase] {
        let data: Map<String, Value> =
            message_data().as_object().unwrap().iter().map(|(name, value)| (spell(name), value.clone())).collect();
        assert_eq!(event(by_event_streams("message.added", &data.into())), expected);
    }
}

#[test]
fn a_participants_coming_reading_and_leaving_are_the_same_by_both_doors() {
    for (webhook, cloud_event, change) in [
        ("onParticipantAdded", "participant.added", ParticipantChange::Added),
        ("onParticipantRemoved", "participant.removed", ParticipantChange::Removed),
        ("onParticipantUpdated", "participant.updated", ParticipantChange::Updated { read: Some(7) }),
    ] {
        let read = participant(by_webhook(&with(participant_fields(), "EventType", webhook)));
        assert_eq!(read.change, change);
        assert_eq!(read.conversation.as_str(), CONVERSATION);
        assert_eq!(read.participant.as_str(), PARTICIPANT);
        assert_eq!(read.identity, Some(ChatIdentity::of_worker("user-+4915550101001")));
        let data = json!({
            "AccountSid": ACCOUNT, "ParticipantSid": PARTICIPANT, "ConversationSid": CONVERSATION, "Identity": IDENTITY,
            "LastReadMessageIndex": 7, "DateUpdated": "2023-11-14T22:13:20.000Z", "MessagingBinding": { "Type": "x" },
        });
        assert_eq!(participant(by_event_streams(cloud_event, &data)), read);
    }
}

#[test]
fn two_updates_of_one_participant_are_told_apart_by_horizon_and_by_second() {
    let key = |fields: &Pairs| event(by_webhook(fields)).key();
    let first = key(&participant_fields());
    assert_eq!(key(&with(participant_fields(), "DateUpdated", "2023-11-14T22:13:20.900Z")), first);
    assert_ne!(key(&with(participant_fields(), "DateUpdated", "2023-11-14T22:13:21Z")), first);
    assert_ne!(key(&with(participant_fields(), "LastReadMessageIndex", "8")), first);
}

#[test]
fn what_may_be_missing_may_be_missing() {
    let fields = message_fields()
        .into_iter()
        .filter(|(name, _)| !matches!(name.as_str(), "ParticipantSid" | "Author" | "Body" | "Media" | "Attributes"));
    let message = message(by_webhook(&fields.collect()));
    assert_eq!((message.author.as_str(), message.body.as_str(), message.participant), ("", "", None));
    assert!(message.media.is_empty());
    let mut fields = with(participant_fields(), "Identity", "");
    fields.retain(|(name, _)| !matches!(name.as_str(), "LastReadMessageIndex" | "DateUpdated"));
    let customer = participant(by_webhook(&fields));
    assert_eq!((customer.identity, customer.change), (None, ParticipantChange::Updated { read: None }));
}

#[test]
fn a_cloud_event_without_a_date_happened_when_it_was_told() {
    let mut data = message_data();
    data.as_object_mut().unwrap().remove("DateCreated");
    data["MessageBody"] = Value::Null;
    data["Media"] = Value::Null;
    let message = message(by_event_streams("message.added", &data));
    assert_eq!(message.at, Timestamp::from_millis(1_700_000_009_000));
    assert!(message.body.is_empty() && message.media.is_empty());
}

#[test]
fn what_does_not_matter_here_is_passed_over() {
    for event_type in ["onConversationStateUpdated", "onMessageAdd", "onUserUpdated", "onDeliveryUpdated", "<script>"] {
        let parsed = by_webhook(&with(message_fields(), "EventType", event_type));
        assert_eq!(parsed, Ok(Parsed::Ignored { kind: "conversation" }), "{event_type}");
    }
    let parsed = by_event_streams("conversation-state.updated", &json!({ "AccountSid": ACCOUNT }));
    assert_eq!(parsed, Ok(Parsed::Ignored { kind: "conversation" }));
}

#[test]
fn anothers_conversation_is_refused_and_no_workspace_is_asked_for() {
    let foreign = "ACffffffffffffffffffffffffffffffff";
    assert_eq!(by_webhook(&with(message_fields(), "AccountSid", foreign)), Err(ParseError::Foreign));
    let mut data = message_data();
    data["AccountSid"] = json!(foreign);
    assert_eq!(by_event_streams("message.added", &data), Err(ParseError::Foreign));
}

#[test]
fn a_field_that_is_missing_or_nonsense_is_named_and_not_repeated() {
    for field in ["AccountSid", "EventType", "ConversationSid", "MessageSid", "Index", "DateCreated"] {
        assert_eq!(by_webhook(&with(message_fields(), field, "")), Err(ParseError::Malformed { field }));
    }
    for field in ["ConversationSid", "MessageSid", "ParticipantSid", "Index", "DateCreated", "Media"] {
        let error = by_webhook(&with(message_fields(), field, "-15550100")).unwrap_err();
        assert_eq!(error, ParseError::Malformed { field });
        assert!(!error.to_string().contains("5550100"));
    }
    for field in ["ConversationSid", "ParticipantSid", "LastReadMessageIndex"] {
        assert_eq!(by_webhook(&with(participant_fields(), field, "-1")), Err(ParseError::Malformed { field }));
    }
    let long = "x".repeat(513);
    let malformed = |field| Err(ParseError::Malformed { field });
    assert_eq!(by_webhook(&with(message_fields(), "Author", &long)), malformed("Author"));
    assert_eq!(by_webhook(&with(participant_fields(), "Identity", &long)), malformed("Identity"));
    let deep = format!("{}1{}", "[".repeat(33), "]".repeat(33));
    assert_eq!(by_webhook(&with(message_fields(), "Media", &deep)), malformed("Media"));
}

#[test]
fn a_long_body_is_cut_between_two_characters() {
    let long = message(by_webhook(&with(message_fields(), "Body", &"é".repeat(5_000))));
    assert_eq!(long.body, "é".repeat(4_096));
    let odd = message(by_webhook(&with(message_fields(), "Body", &format!("x{}", "é".repeat(5_000)))));
    assert_eq!(odd.body.len(), 8 * 1024 - 1);
}

#[test]
fn what_is_no_file_is_left_out_of_the_files() {
    let media = json!([
        1,
        { "ContentType": "image/jpeg" },
        { "Sid": "../../x" },
        { "Sid": MEDIA, "ContentType": null, "Filename": "", "Size": "many" },
    ]);
    let message = message(by_webhook(&with(message_fields(), "Media", &media.to_string())));
    let file = Media { sid: MEDIA.parse().unwrap(), content_type: String::new(), filename: None, size: 0 };
    assert_eq!(message.media, [file]);
}

proptest! {
    #[test]
    fn no_value_in_a_known_field_makes_the_parser_panic(at in 0..13_usize, value: String) {
        let mut fields = message_fields();
        fields[at].1 = value.clone();
        let _ = by_webhook(&fields);
        let mut data = message_data();
        if let Some(field) = data.as_object_mut().unwrap().get_mut(&fields[at].0) {
            *field = json!(value);
        }
        let _ = by_event_streams("message.added", &data);
    }
}
