//! Whether a device is told of something: pure.

use crate::domain::{NewsKind, Timestamp, Wishes};

/// Why it is not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum HeldBack {
    Muted,
    QuietHours,
}

/// `wishes`: the device's own over its agent's.
pub(super) fn held_back(kind: NewsKind, wishes: &Wishes, now: Timestamp) -> Option<HeldBack> {
    let is_muted = |kind| wishes.mute.contains(&kind);
    match kind {
        // Whoever asks for a test wants to see it, and whose session has ended must know.
        NewsKind::Test | NewsKind::SessionSuperseded => None,
        // It takes away what an offer has put there, and makes no sound.
        NewsKind::TaskClosed => is_muted(NewsKind::TaskOffered).then_some(HeldBack::Muted),
        kind if is_muted(kind) => Some(HeldBack::Muted),
        kind => {
            let quiet = wishes.quiet_hours.as_ref().filter(|hours| hours.hold(now) && !hours.except.contains(&kind));
            quiet.map(|_| HeldBack::QuietHours)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use NewsKind::{Activity, CallMissed, Message, SessionSuperseded, TaskClosed, TaskOffered, Test};

    const ALL: [NewsKind; 7] = [TaskOffered, TaskClosed, Message, CallMissed, Activity, SessionSuperseded, Test];
    /// Midday of a day, in UTC.
    const NOON: Timestamp = Timestamp::from_millis(1_790_000_000_000 / 86_400_000 * 86_400_000 + 43_200_000);

    fn held(wishes: serde_json::Value) -> Vec<NewsKind> {
        let wishes: Wishes = serde_json::from_value(wishes).unwrap();
        ALL.into_iter().filter(|kind| held_back(*kind, &wishes, NOON).is_some()).collect()
    }

    #[test]
    fn what_is_muted_is_not_told_and_what_must_be_known_is() {
        assert_eq!(held(serde_json::json!({})), []);
        assert_eq!(held(serde_json::json!({ "mute": ["message"] })), [Message]);
        assert_eq!(held(serde_json::json!({ "mute": ["task.offered"] })), [TaskOffered, TaskClosed]);
        assert_eq!(held(serde_json::json!({ "mute": ALL })), [TaskOffered, TaskClosed, Message, CallMissed, Activity]);
    }

    #[test]
    fn in_quiet_hours_nothing_new_is_shown_but_what_is_excepted() {
        let quiet = |start: &str, end: &str, except: &[NewsKind]| {
            let hours = serde_json::json!({ "start": start, "end": end, "time_zone": "Etc/UTC", "except": except });
            held(serde_json::json!({ "quiet_hours": hours }))
        };
        assert_eq!(quiet("11:00", "13:00", &[]), [TaskOffered, Message, CallMissed, Activity]);
        assert_eq!(quiet("11:00", "13:00", &[TaskOffered]), [Message, CallMissed, Activity]);
        assert_eq!(quiet("13:00", "11:00", &[]), []);
    }
}
