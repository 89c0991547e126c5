//! Plain English for what has happened, as much of it as a lock screen may show.

use super::text;
use crate::{
    config::Privacy,
    domain::{ActivityReason, Closed, Customer, News},
};

/// In JSON, without the quotes. Title and body stand in a payload up to three times, and FCM takes 4096 bytes.
const TITLE: usize = 120;
const BODY: usize = 480;
/// A name with as many digits is a phone number, or close enough.
const DIGITS_OF_A_NUMBER: usize = 5;

pub(super) struct Words {
    pub(super) title: String,
    pub(super) body: String,
}

impl Words {
    pub(super) fn of(news: &News, privacy: Privacy) -> Self {
        let (title, body) = match news {
            News::TaskOffered { channel, customer, .. } => offered(channel, customer, privacy),
            News::TaskClosed { why, .. } => closed(*why),
            News::Message { customer, text, files, .. } => message(customer, text, *files, privacy),
            News::CallMissed { .. } => ("Missed call".into(), "It rang, and you did not answer.".into()),
            News::Activity { name, because } => (format!("You are now {name}"), changed(*because).into()),
            News::SessionSuperseded => {
                ("Signed in elsewhere".into(), "Another device has taken over. Sign in again to use this one.".into())
            }
        };
        Self { title: text::line(&title, TITLE), body: text::line(&body, BODY) }
    }
}

fn offered(channel: &str, customer: &Customer, privacy: Privacy) -> (String, String) {
    let what = match channel {
        "chat" | "web" => "New chat",
        "sms" => "New text message",
        "whatsapp" => "New WhatsApp chat",
        "messenger" => "New Messenger chat",
        "email" => "New e-mail",
        "voice" => "New call",
        _ => "New task",
    };
    let title = match who(customer, privacy) {
        Some(name) => format!("{what} from {name}"),
        None => what.to_owned(),
    };
    let body = match &customer.address {
        Some(address) if privacy == Privacy::Full => format!("{address} is waiting. Tap to answer."),
        _ => "A customer is waiting. Tap to answer.".to_owned(),
    };
    (title, body)
}

fn closed(why: Closed) -> (String, String) {
    let (title, body) = match why {
        Closed::Accepted => ("Task accepted", "You have it."),
        Closed::Declined => ("Task declined", "It goes to somebody else."),
        Closed::Missed => ("Task missed", "You did not answer in time."),
        Closed::Gone => ("Task gone", "Somebody else has it, or the customer has left."),
    };
    (title.to_owned(), body.to_owned())
}

fn message(customer: &Customer, text: &str, files: u32, privacy: Privacy) -> (String, String) {
    let name = who(customer, privacy);
    let body = match (privacy, name.is_some()) {
        (Privacy::Full, _) => contents(text, files),
        (Privacy::Sender | Privacy::None, true) => "New message".to_owned(),
        (Privacy::Sender | Privacy::None, false) => "Tap to read it.".to_owned(),
    };
    (name.unwrap_or("New message").to_owned(), body)
}

fn contents(text: &str, files: u32) -> String {
    match (text.trim(), files) {
        ("", 1) => "Sent a file".to_owned(),
        ("", _) => format!("Sent {files} files"),
        (text, _) => text.to_owned(),
    }
}

const fn changed(because: ActivityReason) -> &'static str {
    match because {
        ActivityReason::Missed => "You missed too many in a row. Tap to change it.",
        ActivityReason::Elsewhere => "It was changed elsewhere. Tap to change it back.",
    }
}

/// Who writes, as far as it may be shown. Where customers have no name, Twilio's channels put their number into its place.
fn who(customer: &Customer, privacy: Privacy) -> Option<&str> {
    let name = customer.name.as_deref().filter(|name| !name.trim().is_empty());
    match privacy {
        Privacy::Full => name.or(customer.address.as_deref()),
        Privacy::Sender => name.filter(|name| !is_address(name)),
        Privacy::None => None,
    }
}

fn is_address(name: &str) -> bool {
    let digits = name.chars().filter(|letter| letter.is_numeric()).count();
    digits >= DIGITS_OF_A_NUMBER || name.contains(['@', '＠'])
}
