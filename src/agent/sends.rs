//! Messages that an agent's app has asked to send with a key of its own, so that asking twice sends once (the `Idempotency-Key`
//! of draft-ietf-httpapi-idempotency-key-header).
//!
//! A send is written down before it goes out. Of one whose fate is unknown, as after a crash, the conversation is read first; what
//! is not found there may still be on its way, and goes out again only when it cannot be any more.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::domain::{Fingerprint, Media, MessageSid, SendId, Timestamp};

/// Sends remembered at most, the newest: a bound on the record's size.
const REMEMBERED: usize = 64;
/// How long a key is good for.
const REMEMBER: Duration = Duration::from_secs(24 * 3600);
/// After this a send that nobody heard the end of is at Twilio, or never will be: what comes before the message (its service,
/// its file) and the message itself are each given up after half a minute, and Twilio may take a while to show it.
const SETTLED: Duration = Duration::from_secs(120);

/// An agent's sends, the oldest first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Sends(Vec<Send>);

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Send {
    id: SendId,
    what: Fingerprint,
    /// When it was tried first; none: this is the first try.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    first: Option<Timestamp>,
    /// When it was tried last.
    at: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sent: Option<Sent>,
}

/// A message that is at Twilio.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sent {
    pub message: MessageSid,
    pub index: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub media: Vec<Media>,
}

/// What is to be done with a send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Begin {
    /// It is written down from here on: send it.
    Send,
    /// It may have been sent since then: look for it, and send it if it is not there.
    LookAndSend { since: Timestamp },
    /// It may have been sent a moment ago: look for it; if it is not there yet, it is to be asked for again after this time.
    Look { since: Timestamp, again_in: Duration },
    /// It was sent.
    Sent(Sent),
    /// The key belongs to another message.
    Other,
}

impl Sends {
    /// Begins a send, or tells what became of it.
    pub fn begin(&mut self, id: SendId, what: Fingerprint, now: Timestamp) -> Begin {
        self.0.retain(|send| now.since(send.at) < REMEMBER);
        let Some(send) = self.0.iter_mut().find(|send| send.id == id) else {
            self.0.push(Send { id, what, first: None, at: now, sent: None });
            self.forget_oldest();
            return Begin::Send;
        };
        if send.what != what {
            return Begin::Other;
        }
        if let Some(sent) = &send.sent {
            return Begin::Sent(sent.clone());
        }
        let (since, ago) = (send.first.unwrap_or(send.at), now.since(send.at));
        if ago < SETTLED {
            return Begin::Look { since, again_in: SETTLED.saturating_sub(ago) };
        }
        (send.first, send.at) = (Some(since), now);
        Begin::LookAndSend { since }
    }

    /// What became of a send; none: it was certainly not sent, and its key is free.
    pub fn end(&mut self, id: SendId, sent: Option<Sent>) {
        match sent {
            Some(sent) => {
                self.0.iter_mut().filter(|send| send.id == id).for_each(|send| send.sent = Some(sent.clone()))
            }
            None => self.0.retain(|send| send.id != id),
        }
    }

    /// Of what was sent rather than of what may have been.
    fn forget_oldest(&mut self) {
        while self.0.len() > REMEMBERED {
            let oldest = self.0.iter().position(|send| send.sent.is_some()).unwrap_or(0);
            self.0.remove(oldest);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOON: Timestamp = Timestamp::from_millis(1_760_000_000_000);

    fn id(number: u128) -> SendId {
        SendId::from_bits(number)
    }

    fn what(number: u128) -> Fingerprint {
        Fingerprint::from_bits(number)
    }

    fn sent(index: u64) -> Sent {
        Sent { message: format!("IM{index:032x}").parse().unwrap(), index, at: None, media: Vec::new() }
    }

    #[test]
    fn a_key_sends_once_and_belongs_to_one_message() {
        let mut sends = Sends::default();
        assert_eq!(sends.begin(id(1), what(1), NOON), Begin::Send);
        sends.end(id(1), Some(sent(4)));
        for hours in [0, 1, 23] {
            let now = NOON + Duration::from_secs(hours * 3600);
            assert_eq!(sends.begin(id(1), what(1), now), Begin::Sent(sent(4)));
            assert_eq!(sends.begin(id(1), what(2), now), Begin::Other);
        }
        assert_eq!(sends.begin(id(1), what(2), NOON + REMEMBER), Begin::Send, "a day later it is forgotten");
    }

    #[test]
    fn what_may_have_been_sent_is_looked_for_and_sent_again_once_it_is_settled() {
        let mut sends = Sends::default();
        sends.begin(id(1), what(1), NOON);
        let later = |seconds| NOON + Duration::from_secs(seconds);
        let look = |seconds| Begin::Look { since: NOON, again_in: Duration::from_secs(seconds) };
        assert_eq!(sends.begin(id(1), what(1), later(5)), look(115));
        assert_eq!(sends.begin(id(1), what(1), later(119)), look(1));
        assert_eq!(sends.begin(id(1), what(1), later(120)), Begin::LookAndSend { since: NOON });
        assert_eq!(sends.begin(id(1), what(1), later(121)), look(119), "the second try may be on its way too");
        assert_eq!(
            sends.begin(id(1), what(1), later(240)),
            Begin::LookAndSend { since: NOON },
            "either try may have come"
        );
        sends.end(id(1), None);
        assert_eq!(sends.begin(id(1), what(2), later(241)), Begin::Send, "a key that sent nothing is free");
    }

    #[test]
    fn what_is_remembered_is_bounded_and_what_may_have_been_sent_goes_last() {
        let mut sends = Sends::default();
        sends.begin(id(0), what(0), NOON);
        for number in 1..200 {
            sends.begin(id(number), what(number), NOON);
            sends.end(id(number), Some(sent(1)));
        }
        assert_eq!(sends.0.len(), REMEMBERED);
        assert!(matches!(sends.begin(id(0), what(0), NOON), Begin::Look { .. }));
        let bytes = serde_json::to_vec(&sends).unwrap().len();
        assert!(bytes < 16 * 1024, "{bytes}");
    }
}
