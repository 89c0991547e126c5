//! For browsers: the JSON of Declarative Web Push (<https://www.w3.org/TR/push-api/#declarative-push-message>). Those that
//! do not know it hand it to the app's service worker.

use serde::Serialize;

use super::{Data, Message};

/// What tells the JSON from any other: the number of RFC 8030.
const WEB_PUSH: u16 = 8030;

#[derive(Serialize)]
struct Declarative<'a> {
    web_push: u16,
    notification: Notification<'a>,
    app_badge: u32,
}

#[derive(Serialize)]
struct Notification<'a> {
    title: &'a str,
    body: &'a str,
    navigate: &'a str,
    tag: &'a str,
    lang: &'static str,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    silent: bool,
    /// One that takes the place of an older one is heard, too. It may not be true of a silent one.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    renotify: bool,
    data: &'a Data,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    actions: Vec<Button>,
}

#[derive(Serialize)]
struct Button {
    action: &'static str,
    title: &'static str,
    navigate: String,
}

/// The bytes to encrypt.
pub(in crate::push) fn declarative(message: &Message) -> Vec<u8> {
    let button = |(action, navigate): (super::Action, String)| Button {
        action: action.name(),
        title: action.title(message.language),
        navigate,
    };
    let declarative = Declarative {
        web_push: WEB_PUSH,
        notification: Notification {
            title: &message.title,
            body: &message.body,
            navigate: &message.navigate,
            tag: &message.tag,
            lang: message.language.tag(),
            silent: !message.visible,
            renotify: message.visible,
            data: &message.data,
            actions: message.actions().map(button).collect(),
        },
        app_badge: message.badge,
    };
    // Texts and numbers always become JSON.
    serde_json::to_vec(&declarative).unwrap_or_default()
}
