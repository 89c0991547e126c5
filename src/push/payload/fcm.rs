//! For Firebase Cloud Messaging: the body of `projects.messages.send`
//! (<https://firebase.google.com/docs/reference/fcm/rest/v1/projects.messages>).

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Value, json};

use super::Message;
use crate::domain::{NewsKind, Timestamp};

/// To whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::push) enum Recipient<'a> {
    /// A registration token.
    Token(&'a str),
    /// A Firebase installation's id.
    Fid(&'a str),
}

#[derive(Debug, Serialize)]
pub(in crate::push) struct SendRequest<'a> {
    message: FcmMessage<'a>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct FcmMessage<'a> {
    #[serde(flatten)]
    recipient: Recipient<'a>,
    data: BTreeMap<&'static str, String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    notification: Option<Notification<'a>>,
    android: Android<'a>,
    apns: Apns,
    webpush: WebPush<'a>,
}

#[derive(Clone, Copy, Debug, Serialize)]
struct Notification<'a> {
    title: &'a str,
    body: &'a str,
}

/// `AndroidConfig`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Android<'a> {
    /// Without a visible notification `HIGH` is held against the app.
    priority: &'static str,
    ttl: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    collapse_key: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    notification: Option<AndroidNotification<'a>>,
}

/// A newer one with the same tag takes the older one's place in the drawer.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct AndroidNotification<'a> {
    tag: &'a str,
    channel_id: &'static str,
    /// Hidden on a lock screen that hides what is sensitive.
    visibility: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    notification_count: Option<i32>,
}

/// `ApnsConfig`: headers and payload as Apple wants them
/// (<https://developer.apple.com/documentation/usernotifications/generating-a-remote-notification>).
#[derive(Debug, Serialize)]
struct Apns {
    headers: BTreeMap<&'static str, String>,
    payload: Value,
}

/// `WebpushConfig`. Title and body are those of the message.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct WebPush<'a> {
    headers: BTreeMap<&'static str, String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    notification: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fcm_options: Option<FcmOptions<'a>>,
}

/// Where a tap leads: https alone is taken.
#[derive(Debug, Serialize)]
struct FcmOptions<'a> {
    link: &'a str,
}

impl<'a> SendRequest<'a> {
    pub(in crate::push) fn new(message: &'a Message, recipient: Recipient<'a>, now: Timestamp) -> Self {
        let notification = message.visible.then_some(Notification { title: &message.title, body: &message.body });
        Self {
            message: FcmMessage {
                recipient,
                data: data(message),
                notification,
                android: android(message, now),
                apns: apns(message),
                webpush: webpush(message, now),
            },
        }
    }
}

/// Wakes a softphone, so that it registers: seen by nobody, and of no use once the call has stopped ringing.
#[derive(Debug, Serialize)]
pub(in crate::push) struct WakeRequest<'a> {
    message: WakeMessage<'a>,
}

#[derive(Debug, Serialize)]
struct WakeMessage<'a> {
    token: &'a str,
    data: BTreeMap<&'static str, String>,
    android: Android<'a>,
}

impl<'a> WakeRequest<'a> {
    pub(in crate::push) fn new(token: &'a str, exp: Timestamp, now: Timestamp) -> Self {
        let data = [("type", "wake".to_owned()), ("exp", exp.as_secs().to_string())];
        let android = Android {
            priority: "HIGH",
            ttl: format!("{}s", exp.since(now).as_secs()),
            collapse_key: Some("wake"),
            notification: None,
        };
        Self { message: WakeMessage { token, data: data.into_iter().collect(), android } }
    }
}

/// The keys of the browsers' JSON, flat.
fn data(message: &Message) -> BTreeMap<&'static str, String> {
    let data = &message.data;
    let all = [
        ("id", Some(data.id.to_string())),
        ("type", Some(data.kind.name().to_owned())),
        ("task", data.task.as_ref().map(ToString::to_string)),
        ("conversation", data.conversation.as_ref().map(ToString::to_string)),
        ("exp", Some(data.exp.to_string())),
        ("title", Some(message.title.clone())),
        ("body", Some(message.body.clone())),
        ("navigate", Some(message.navigate.clone())),
        ("tag", Some(message.tag.clone())),
        ("actions", message.offer.then(|| super::Action::ALL.map(super::Action::name).join(","))),
        ("lang", Some(message.language.tag().to_owned())),
        ("app_badge", Some(message.badge.to_string())),
    ];
    all.into_iter().filter_map(|(key, value)| Some((key, value?))).collect()
}

fn android(message: &Message, now: Timestamp) -> Android<'_> {
    let notification = AndroidNotification {
        tag: &message.tag,
        channel_id: channel(message),
        visibility: "PRIVATE",
        notification_count: i32::try_from(message.badge).ok().filter(|badge| *badge > 0),
    };
    Android {
        priority: if message.urgent { "HIGH" } else { "NORMAL" },
        ttl: format!("{}s", message.seconds_left(now)),
        collapse_key: collapse_key(message),
        notification: message.visible.then_some(notification),
    }
}

/// What FCM keeps of it while the device is away is replaced by a newer one. It keeps four keys a device: there are seldom
/// more offers than that, while conversations, of which there are, need none.
fn collapse_key(message: &Message) -> Option<&str> {
    let collapses = matches!(message.data.kind, NewsKind::TaskOffered | NewsKind::TaskClosed | NewsKind::Activity);
    collapses.then_some(message.tag.as_str())
}

/// The app's notification channels, whose sounds a person can choose.
fn channel(message: &Message) -> &'static str {
    match message.data.kind {
        NewsKind::TaskOffered => "offers",
        NewsKind::Message => "messages",
        _ => "notices",
    }
}

fn apns(message: &Message) -> Apns {
    let kind = if message.visible { ("10", "alert") } else { ("5", "background") };
    let headers = BTreeMap::from([
        ("apns-priority", kind.0.to_owned()),
        ("apns-push-type", kind.1.to_owned()),
        ("apns-expiration", message.data.exp.to_string()),
        ("apns-collapse-id", message.tag.clone()),
    ]);
    Apns { headers, payload: json!({ "aps": aps(message) }) }
}

fn aps(message: &Message) -> Value {
    if !message.visible {
        return json!({ "content-available": 1 });
    }
    let category = match message.data.kind {
        NewsKind::TaskOffered => "TASK_OFFER",
        NewsKind::Message => "MESSAGE",
        _ => "NOTICE",
    };
    json!({
        "alert": { "title": message.title, "body": message.body },
        "badge": message.badge,
        "sound": "default",
        "category": category,
        "thread-id": message.tag,
        "interruption-level": if message.offer { "time-sensitive" } else { "active" },
    })
}

fn webpush(message: &Message, now: Timestamp) -> WebPush<'_> {
    let headers = BTreeMap::from([
        ("TTL", message.seconds_left(now).to_string()),
        ("Urgency", if message.urgent { "high" } else { "normal" }.to_owned()),
    ]);
    let buttons: Vec<_> = message
        .actions()
        .map(|(action, _)| json!({ "action": action.name(), "title": action.title(message.language) }))
        .collect();
    let notification = json!({
        "tag": message.tag,
        "renotify": true,
        "requireInteraction": message.offer,
        "actions": buttons,
    });
    let link = message.navigate.starts_with("https://").then_some(FcmOptions { link: &message.navigate });
    WebPush {
        headers,
        notification: message.visible.then_some(notification),
        fcm_options: link.filter(|_| message.visible),
    }
}
