//! What a phone shows of what arrives.

use std::collections::VecDeque;

use super::{
    Message,
    view::{Effect, NotificationView},
};

/// Protects memory: the oldest are forgotten, and with them that they were seen.
const KEPT: usize = 200;

/// The types of messages that take away what bears their tag.
const TAKE_AWAY: [&str; 2] = ["task.closed", "message.read"];

#[derive(Debug, Default)]
pub(super) struct Screen {
    arrived: VecDeque<NotificationView>,
    /// So many were forgotten.
    forgotten: usize,
    /// Which are shown, counted from the first that ever arrived.
    shown: Vec<usize>,
    pub(super) badge: Option<u64>,
}

impl Screen {
    pub(super) fn receive(&mut self, message: Message, now_ms: u64) {
        let effect = self.effect(&message, now_ms);
        let content = message.content;
        if !matches!(effect, Effect::Duplicate | Effect::Unreadable) {
            self.badge = content.app_badge.or(self.badge);
        }
        if matches!(effect, Effect::Shown | Effect::Closed)
            && let Some(tag) = &content.tag
        {
            self.dismiss(tag);
        }
        if effect == Effect::Shown {
            self.shown.push(self.forgotten + self.arrived.len());
        }
        self.arrived.push_back(NotificationView {
            at_ms: now_ms,
            effect,
            id: content.id.unwrap_or_default(),
            kind: content.kind,
            title: content.title,
            body: content.body,
            tag: content.tag,
            task: content.task,
            conversation: content.conversation,
            exp: content.exp,
            app_badge: content.app_badge,
            actions: content.actions,
            navigate: content.navigate,
            urgency: message.urgency,
            ttl: message.ttl_s,
            topic: message.topic,
            raw: content.raw,
        });
        self.forget();
    }

    fn effect(&self, message: &Message, now_ms: u64) -> Effect {
        let content = &message.content;
        if content.raw.is_null() || content.kind.is_empty() {
            Effect::Unreadable
        } else if content.id.as_ref().is_some_and(|id| self.arrived.iter().any(|one| one.id == *id)) {
            Effect::Duplicate
        } else if TAKE_AWAY.contains(&content.kind.as_str()) {
            Effect::Closed
        } else if content.exp.is_some_and(|exp| exp.saturating_mul(1000) <= now_ms) {
            Effect::Expired
        } else {
            Effect::Shown
        }
    }

    /// Whoever holds the phone wipes away what bears this tag, or has acted on it.
    pub(super) fn dismiss(&mut self, tag: &str) {
        let (arrived, forgotten) = (&self.arrived, self.forgotten);
        let tag_of = |place: usize| arrived.get(place - forgotten).and_then(|one| one.tag.as_deref());
        self.shown.retain(|place| tag_of(*place) != Some(tag));
    }

    fn forget(&mut self) {
        while self.arrived.len() > KEPT {
            self.arrived.pop_front();
            self.forgotten += 1;
        }
        let forgotten = self.forgotten;
        self.shown.retain(|place| *place >= forgotten);
    }

    /// The latest that arrived, `last` of them at most, and which of those are shown.
    pub(super) fn view(&self, last: usize) -> (Vec<NotificationView>, Vec<usize>) {
        let skipped = self.arrived.len().saturating_sub(last);
        let shown = self.shown.iter().filter_map(|place| place.checked_sub(self.forgotten + skipped)).collect();
        (self.arrived.range(skipped..).cloned().collect(), shown)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::push::notification;

    const NOW_MS: u64 = 1_700_000_000_000;

    /// A message of a type with an id and a tag, good for `left_s` seconds more.
    fn message(kind: &str, id: &str, tag: &str, left_s: i64) -> Message {
        let exp = (NOW_MS / 1000).saturating_add_signed(left_s);
        let data = json!({ "id": id, "type": kind, "exp": exp });
        let payload = json!({ "notification": { "title": id, "tag": tag, "data": data }, "app_badge": 1 });
        Message { content: notification::declarative(payload), ..Message::default() }
    }

    fn shown(screen: &Screen) -> Vec<String> {
        let (notifications, shown) = screen.view(usize::MAX);
        shown.into_iter().map(|place| notifications[place].id.clone()).collect()
    }

    #[test]
    fn what_is_shown_follows_from_what_arrives() {
        let offer = |id| message("task.offered", id, "WR1", 60);
        let chat = |id| message("message", id, "CH1", 60);
        for (name, arrivals, expected) in [
            ("one of each tag", vec![offer("a"), chat("b")], vec!["a", "b"]),
            ("the same tag replaces", vec![offer("a"), chat("b"), offer("c")], vec!["b", "c"]),
            ("a closed task goes", vec![offer("a"), chat("b"), message("task.closed", "c", "WR1", 60)], vec!["b"]),
            ("a late withdrawal goes too", vec![offer("a"), message("task.closed", "c", "WR1", -1)], vec![]),
            ("an id is shown once", vec![chat("b"), message("task.offered", "b", "WR1", 60)], vec!["b"]),
            ("past its time it is not shown", vec![message("task.offered", "a", "WR1", 0)], vec![]),
            ("nor does it replace", vec![offer("a"), message("task.offered", "b", "WR1", -5)], vec!["a"]),
        ] {
            let mut screen = Screen::default();
            for arrival in arrivals {
                screen.receive(arrival, NOW_MS);
            }
            assert_eq!(shown(&screen), expected, "{name}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_kept_but_changes_nothing() {
        let mut screen = Screen::default();
        screen.receive(Message::default(), NOW_MS);
        let (notifications, shown) = screen.view(1);
        assert_eq!((notifications[0].effect, shown, screen.badge), (Effect::Unreadable, vec![], None));
    }

    #[test]
    fn the_oldest_are_forgotten_and_places_stay_right() {
        let mut screen = Screen::default();
        for number in 0..KEPT + 5 {
            screen.receive(message("message", &number.to_string(), &format!("CH{}", number.min(3)), 60), NOW_MS);
        }
        let latest = (KEPT + 4).to_string();
        assert_eq!(shown(&screen), std::slice::from_ref(&latest));
        let (notifications, places) = screen.view(10);
        assert_eq!((notifications.len(), &notifications[places[0]].id), (10, &latest));
    }

    #[test]
    fn what_is_wiped_away_is_shown_no_longer() {
        let mut screen = Screen::default();
        screen.receive(message("message", "a", "CH1", 60), NOW_MS);
        screen.dismiss("CH1");
        assert_eq!(shown(&screen), Vec::<String>::new());
    }
}
