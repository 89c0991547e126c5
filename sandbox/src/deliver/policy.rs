//! How long Twilio waits for an answer, and how often it tries
//! (<https://www.twilio.com/docs/usage/webhooks/webhooks-connection-overrides>).

use std::{collections::HashMap, time::Duration};

use super::{Outcome, Webhook, webhook::Manner};

/// A quick answer is wanted where a person waits for the next message.
const SHORT: Duration = Duration::from_secs(5);
/// Event Streams tries again, ever later, for so long.
const STREAM_FOR_MS: u64 = 4 * 3_600_000;
const STREAM_FIRST_PAUSE_MS: u64 = 500;
const STREAM_LONGEST_PAUSE_MS: u64 = 60_000;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Again {
    /// So often, at once.
    AtOnce(u8),
    /// Ever later, for hours. Twilio adds jitter; here the same run takes the same time.
    Later,
}

/// How a URL wants to be called: Twilio's defaults, or what its fragment says (`#rc=3&rp=all&rt=5000`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Policy {
    again: Again,
    on_connect: bool,
    on_timeout: bool,
    on_4xx: bool,
    on_5xx: bool,
    pub(super) total: Duration,
}

impl Policy {
    pub(super) fn of(webhook: &Webhook) -> Self {
        match webhook.manner {
            Manner::Callback | Manner::Twiml { .. } => Self::overridden(&webhook.url),
            Manner::Conversations => Self { again: Again::AtOnce(0), total: SHORT, ..Self::overridden("") },
            Manner::Stream(_) => Self { again: Again::Later, total: SHORT, ..Self::overridden("#rp=all") },
        }
    }

    fn overridden(url: &str) -> Self {
        let fragment = url.split_once('#').map_or("", |(_, fragment)| fragment);
        let all: HashMap<_, _> = form_urlencoded::parse(fragment.as_bytes()).into_owned().collect();
        let number = |name: &str| all.get(name).and_then(|value| value.parse::<u64>().ok());
        let policies = all.get("rp").map_or("ct", String::as_str);
        let on = |name: &str| policies.split(',').any(|one| one == name || one == "all");
        Self {
            again: Again::AtOnce(u8::try_from(number("rc").unwrap_or(1).min(5)).unwrap_or(1)),
            on_connect: on("ct"),
            on_timeout: on("rt"),
            on_4xx: on("4xx"),
            on_5xx: on("5xx"),
            total: Duration::from_millis(number("rt").or_else(|| number("tt")).unwrap_or(15_000).clamp(100, 15_000)),
        }
    }

    /// How long to wait before trying again, in milliseconds; none: that was the last attempt. `attempt` counts from 0,
    /// `passed_ms` from the first one.
    pub(super) fn pause_ms(&self, outcome: &Outcome, attempt: u32, passed_ms: u64) -> Option<u64> {
        if !self.repeats(outcome) {
            return None;
        }
        match self.again {
            Again::AtOnce(retries) => (attempt < u32::from(retries)).then_some(0),
            Again::Later => {
                let pause =
                    STREAM_FIRST_PAUSE_MS.saturating_mul(2_u64.saturating_pow(attempt)).min(STREAM_LONGEST_PAUSE_MS);
                (passed_ms + pause <= STREAM_FOR_MS).then_some(pause)
            }
        }
    }

    fn repeats(&self, outcome: &Outcome) -> bool {
        match outcome {
            Outcome::Answered(status, _) => match status {
                400..=499 => self.on_4xx,
                500..=599 => self.on_5xx,
                _ => false,
            },
            Outcome::NotConnected(_) => self.on_connect,
            Outcome::NotAnswered(_) => self.on_timeout,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_a_fragment_only_a_failed_connection_is_tried_once_more() {
        let policy = Policy::overridden("https://gw.example.com/webhooks/call?call=1");
        assert_eq!(policy.again, Again::AtOnce(1));
        assert!(policy.repeats(&Outcome::NotConnected(String::new())));
        assert!(!policy.repeats(&Outcome::NotAnswered(String::new())));
        assert!(!policy.repeats(&Outcome::Answered(503, String::new())));
    }

    #[test]
    fn a_fragment_says_how_often_and_when_to_try_again() {
        let policy = Policy::overridden("https://gw.example.com/webhooks/taskrouter#rc=3&rp=5xx,rt&rt=5000");
        assert_eq!((policy.again, policy.total), (Again::AtOnce(3), Duration::from_secs(5)));
        assert!(policy.repeats(&Outcome::Answered(503, String::new())));
        assert!(policy.repeats(&Outcome::NotAnswered(String::new())));
        assert!(!policy.repeats(&Outcome::Answered(404, String::new())));
    }

    #[test]
    fn a_batch_of_events_is_tried_again_ever_later_for_four_hours() {
        let manner = Manner::Stream(String::new());
        let webhook = Webhook { url: String::new(), params: Vec::new(), manner, token: String::new() };
        let pause = |attempt, passed_ms| {
            Policy::of(&webhook).pause_ms(&Outcome::Answered(503, String::new()), attempt, passed_ms)
        };
        assert_eq!([0, 1, 2].map(|attempt| pause(attempt, 0)), [Some(500), Some(1_000), Some(2_000)]);
        assert_eq!(pause(u32::MAX, 0), Some(STREAM_LONGEST_PAUSE_MS));
        assert_eq!(pause(9, STREAM_FOR_MS), None);
    }
}
