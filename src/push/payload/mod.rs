//! What a notification says, and how each provider wants it said.

mod declarative;
mod fcm;
mod phrases;
pub(super) mod text;
mod words;

use std::time::Duration;

use serde::Serialize;

pub(super) use self::declarative::declarative;
pub(super) use self::fcm::{Recipient, SendRequest, WakeRequest};
pub use self::phrases::Spoken;
use self::{phrases::Phrases, words::Words};
use super::OutboxItem;
use crate::{
    config::BaseUrl,
    domain::{ConversationSid, Language, News, NewsKind, NotificationId, Privacy, ReservationSid, Timestamp},
};

/// How much is shown, and in which language.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Terms {
    pub(super) privacy: Privacy,
    pub(super) language: Language,
}

/// What all devices of all kinds are told.
#[derive(Debug)]
pub(super) struct Message {
    pub(super) data: Data,
    title: String,
    body: String,
    language: Language,
    /// Where a tap leads.
    navigate: String,
    tag: String,
    offer: bool,
    /// Whether there is something to be seen: what only takes a notification away is silent.
    visible: bool,
    /// Whether a sleeping device is woken for it.
    pub(super) urgent: bool,
    /// The unread total.
    badge: u32,
    expires: Timestamp,
}

/// What the app works with.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Data {
    #[serde(serialize_with = "as_text")]
    id: NotificationId,
    #[serde(rename = "type")]
    kind: NewsKind,
    #[serde(skip_serializing_if = "Option::is_none")]
    task: Option<ReservationSid>,
    #[serde(skip_serializing_if = "Option::is_none")]
    conversation: Option<ConversationSid>,
    /// Unix time in seconds.
    exp: u64,
}

/// A button.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Action {
    Accept,
    Decline,
}

impl Action {
    const ALL: [Self; 2] = [Self::Accept, Self::Decline];

    const fn name(self) -> &'static str {
        match self {
            Self::Accept => "accept",
            Self::Decline => "decline",
        }
    }

    const fn title(self, language: Language) -> &'static str {
        let say = Phrases::of(language);
        match self {
            Self::Accept => say.accept,
            Self::Decline => say.decline,
        }
    }
}

impl Message {
    pub(super) fn of(item: &OutboxItem, terms: Terms, public_url: &BaseUrl) -> Self {
        let notification = &item.notification;
        let news = &notification.news;
        let Words { title, body } = Words::of(news, terms.privacy, terms.language);
        let (task, conversation) = about(news);
        let path = match (news, task, conversation) {
            (News::Message { conversation, .. } | News::MessagesRead { conversation }, ..) => {
                format!("/c/{conversation}")
            }
            (_, Some(task), _) => format!("/t/{task}"),
            (_, None, _) => "/".to_owned(),
        };
        let closes = news.kind().takes_away();
        Self {
            data: Data {
                id: item.id,
                kind: news.kind(),
                task: task.cloned(),
                conversation: conversation.cloned(),
                exp: notification.expires.as_secs(),
            },
            title,
            body,
            language: terms.language,
            navigate: public_url.join(&path),
            tag: news.tag().to_owned(),
            offer: matches!(news, News::TaskOffered { .. }),
            visible: !closes,
            urgent: !closes,
            badge: notification.unread,
            expires: notification.expires,
        }
    }

    pub(super) fn tag(&self) -> &str {
        &self.tag
    }

    /// How long it is of use, in whole seconds. Zero: it is delivered now or never.
    pub(super) fn seconds_left(&self, now: Timestamp) -> u64 {
        self.expires.since(now).as_secs().min(MAX_TTL.as_secs())
    }

    /// Its buttons, each with where it leads where there is no service worker to take the tap.
    fn actions(&self) -> impl Iterator<Item = (Action, String)> {
        let actions = if self.offer { &Action::ALL[..] } else { &[] };
        actions.iter().map(|action| (*action, format!("{}?a={}", self.navigate, action.name())))
    }
}

/// Both providers keep a message for four weeks at most.
const MAX_TTL: Duration = Duration::from_secs(28 * 24 * 3600);

fn about(news: &News) -> (Option<&ReservationSid>, Option<&ConversationSid>) {
    match news {
        News::TaskOffered { task, conversation, .. } => (Some(task), conversation.as_ref()),
        News::TaskClosed { task, .. } | News::CallMissed { task } => (Some(task), None),
        News::Message { task, conversation, .. } => (task.as_ref(), Some(conversation)),
        News::MessagesRead { conversation } => (None, Some(conversation)),
        News::Activity { .. } | News::SessionSuperseded | News::Test => (None, None),
    }
}

fn as_text<S: serde::Serializer>(id: &NotificationId, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(id)
}

#[cfg(test)]
mod tests;
