//! What has happened in plain words, in the language of whoever reads it, as much of it as a lock screen may show.

use super::{phrases::Phrases, text};
use crate::domain::{ActivityReason, Closed, Customer, Language, News, Privacy};

/// Characters of a title: more is cut off by phones, each in its own way.
pub(super) const TITLE: usize = 40;
/// In JSON, without the quotes. Title and body stand in a payload up to three times, and FCM takes 4096 bytes.
const TITLE_BYTES: usize = 120;
const BODY: usize = 480;
/// A name with as many digits is a phone number, or close enough.
const DIGITS_OF_A_NUMBER: usize = 5;

pub(super) struct Words {
    pub(super) title: String,
    pub(super) body: String,
}

impl Words {
    pub(super) fn of(news: &News, privacy: Privacy, language: Language) -> Self {
        let say = Phrases::of(language);
        let (title, body) = match news {
            News::TaskOffered { channel, customer, .. } => offered(say, channel, customer, privacy),
            News::TaskClosed { why, .. } => closed(say, *why),
            News::Message { customer, text, files, .. } => message(say, customer, text, *files, privacy),
            News::MessagesRead { .. } => say.messages_read.map(str::to_owned).into(),
            News::CallMissed { .. } => say.call_missed.map(str::to_owned).into(),
            News::Activity { name, because } => (with(say.activity, name), changed(say, *because).to_owned()),
            News::SessionSuperseded => say.superseded.map(str::to_owned).into(),
            News::Test => say.test.map(str::to_owned).into(),
        };
        Self { title: text::shorten(&text::line(&title, TITLE_BYTES), TITLE), body: text::line(&body, BODY) }
    }
}

fn with(phrase: &str, what: &str) -> String {
    phrase.replacen("{}", what, 1)
}

fn offered(say: &Phrases, channel: &str, customer: &Customer, privacy: Privacy) -> (String, String) {
    let (alone, from) = match channel {
        "chat" | "web" => say.chat,
        "sms" => say.sms,
        "whatsapp" => say.whatsapp,
        "messenger" => say.messenger,
        "email" => say.email,
        "voice" => say.voice,
        _ => say.task,
    };
    let title = match who(customer, privacy) {
        Some(name) => with(from, name),
        None => alone.to_owned(),
    };
    let body = match &customer.address {
        Some(address) if privacy == Privacy::Full => with(say.address_waits, address),
        _ => say.customer_waits.to_owned(),
    };
    (title, body)
}

fn closed(say: &Phrases, why: Closed) -> (String, String) {
    let words = match why {
        Closed::Accepted => say.accepted,
        Closed::Declined => say.declined,
        Closed::Missed => say.missed,
        Closed::Gone => say.gone,
    };
    words.map(str::to_owned).into()
}

fn message(say: &Phrases, customer: &Customer, text: &str, files: u32, privacy: Privacy) -> (String, String) {
    let name = who(customer, privacy);
    let body = match (privacy, name.is_some()) {
        (Privacy::Full, _) => contents(say, text, files),
        (Privacy::Sender | Privacy::None, true) => say.message.to_owned(),
        (Privacy::Sender | Privacy::None, false) => say.read.to_owned(),
    };
    (name.unwrap_or(say.message).to_owned(), body)
}

fn contents(say: &Phrases, text: &str, files: u32) -> String {
    match (text.trim(), files) {
        ("", 1) => say.file.to_owned(),
        ("", _) => with(say.files, &files.to_string()),
        (text, _) => text.to_owned(),
    }
}

const fn changed(say: &Phrases, because: ActivityReason) -> &'static str {
    match because {
        ActivityReason::Missed => say.because_missed,
        ActivityReason::Elsewhere => say.because_elsewhere,
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
