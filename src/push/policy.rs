//! Whether a device is told of something: pure.

use url::Url;

use crate::domain::{NewsKind, PushTarget, Timestamp, Wishes};

/// Why it is not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum HeldBack {
    Muted,
    QuietHours,
}

/// Whether a device is to hear of something at all. Apple's browsers must show something for every push, or lose their
/// subscription: what has been read is taken away there when the app is opened.
pub(super) fn concerns(kind: NewsKind, target: &PushTarget) -> bool {
    let PushTarget::WebPush { endpoint, .. } = target else { return true };
    kind != NewsKind::MessagesRead || !is_apples(endpoint)
}

fn is_apples(endpoint: &str) -> bool {
    Url::parse(endpoint).is_ok_and(|url| url.host_str().is_some_and(|host| host.ends_with(".push.apple.com")))
}

/// `wishes`: the device's own over its agent's.
pub(super) fn held_back(kind: NewsKind, wishes: &Wishes, now: Timestamp) -> Option<HeldBack> {
    let is_muted = |kind| wishes.mute.contains(&kind);
    match kind {
        // Whoever asks for a test wants to see it, and whose session has ended must know.
        NewsKind::Test | NewsKind::SessionSuperseded => None,
        // It takes away what an offer has put there, and makes no sound.
        NewsKind::TaskClosed => is_muted(NewsKind::TaskOffered).then_some(HeldBack::Muted),
        NewsKind::MessagesRead => is_muted(NewsKind::Message).then_some(HeldBack::Muted),
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
    use NewsKind::{Activity, CallMissed, Message, MessagesRead, SessionSuperseded, TaskClosed, TaskOffered, Test};

    const ALL: [NewsKind; 8] =
        [TaskOffered, TaskClosed, Message, MessagesRead, CallMissed, Activity, SessionSuperseded, Test];
    /// Midday of a day, in UTC.
    const NOON: Timestamp = Timestamp::from_millis(1_790_000_000_000 / 86_400_000 * 86_400_000 + 43_200_000);

    fn held(wishes: serde_json::Value) -> Vec<NewsKind> {
        let wishes: Wishes = serde_json::from_value(wishes).unwrap();
        ALL.into_iter().filter(|kind| held_back(*kind, &wishes, NOON).is_some()).collect()
    }

    #[test]
    fn what_is_muted_is_not_told_and_what_must_be_known_is() {
        assert_eq!(held(serde_json::json!({})), []);
        assert_eq!(held(serde_json::json!({ "mute": ["message"] })), [Message, MessagesRead]);
        assert_eq!(held(serde_json::json!({ "mute": ["task.offered"] })), [TaskOffered, TaskClosed]);
        assert_eq!(
            held(serde_json::json!({ "mute": ALL })),
            [TaskOffered, TaskClosed, Message, MessagesRead, CallMissed, Activity]
        );
    }

    #[test]
    fn what_only_takes_away_does_not_cost_an_apple_device_its_subscription() {
        let at = |host: &str| PushTarget::WebPush {
            endpoint: format!("https://{host}/x"),
            p256dh: String::new(),
            auth: String::new(),
        };
        for kind in ALL {
            assert_eq!(concerns(kind, &at("web.push.apple.com")), kind != MessagesRead);
            assert!(concerns(kind, &at("web.push.apple.com.example.com")));
            assert!(concerns(kind, &PushTarget::Fcm { token: "t".into(), is_fid: false }));
        }
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
